"""Numbers in another unit than a model was trained on are refused, or said to be unknown."""

from __future__ import annotations

from typing import Any

import pytest

from elman.data.numbers import with_numbers
from elman.data.table import Table
from elman.errors import DataError


def read(cells: Any, learned: dict[str, str] | None) -> Table:
    table = Table.from_columns({"d": cells}, "new.csv")
    return with_numbers(table, required=["d"], units=learned)[0]


@pytest.mark.parametrize(
    ("cells", "learned", "said"),
    [
        (["", "€12"], "$", r"new.csv, row 1, column d: '€12' is in '€', and training had '\$'"),
        (["12%", "3%"], "$", r"'12%' is in '%', and training had '\$'.*write them with '\$'"),
        (["$12", "3"], "%", r"'\$12' is in '\$', and training had '%'"),
        (["12%", "40%"], "", "'12%' is in '%', and training had no unit.*without a sign"),
        (["0.12", "0.40"], "%", "'0.12' has no %, as training had, and no number .* beyond 1"),
        (["-1", "0"], "%", "'-1' has no %"),
    ],
)
def test_another_unit_is_refused(cells: list[str], learned: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(cells, {"d": learned} if learned else {})


@pytest.mark.parametrize(
    ("cells", "learned", "values", "said"),
    [
        (["12", "0.4"], "%", [12, 0.4], "has no unit, and training had '%'"),
        (["12", "3"], "$", [12, 3], "has no unit, and training had '$'"),
        (["$12", "$3"], "", [12, 3], "has '$', and training had no unit"),
        ([0.12, 0.4], "%", [0.12, 0.4], "holds numbers without a sign, and training had '%'"),
    ],
)
def test_a_sign_that_is_missing_or_new_is_said(
    cells: list[Any], learned: str, values: list[float], said: str
) -> None:
    table = read(cells, {"d": learned} if learned else {})
    assert list(table.column("d")) == values
    assert said in table.notes[-1]
    assert "must be in the unit of training" in table.notes[-1]


@pytest.mark.parametrize(
    ("cells", "learned"),
    [
        (["12%", "0.4%"], {"d": "%"}),
        (["EUR 12", "EUR 4"], {"d": "€"}),
        (["12", "0.4"], {}),
        ([12, 0.4], {}),
        (["12%", "0.4%"], None),
        (["0.12", "$4"], None),
        (["", "NaN"], {"d": "%"}),
    ],
)
def test_the_same_unit_and_a_model_without_units_say_nothing(
    cells: list[Any], learned: dict[str, str] | None
) -> None:
    if cells == ["", "NaN"]:
        cells = [None, None]
    assert not any("training" in note for note in read(cells, learned).notes)
