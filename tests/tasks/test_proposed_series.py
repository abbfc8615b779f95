"""Columns of a forecast that nobody named: taken where the data shows them, else asked for."""

from __future__ import annotations

from typing import Any

import pytest

from elman.errors import ExperimentError
from elman.experiment.data import DataSpec
from elman.tasks.proposed_series import proposed_series

ROWS = 30
DAYS = [f"2021-03-{day:02}" for day in range(1, ROWS + 1)]
WAVE = [float(row % 7) for row in range(ROWS)]


def proposed(columns: dict[str, Any], **settings: Any) -> dict[str, Any]:
    found = proposed_series(DataSpec.model_validate({"horizon": 3, **settings}), columns)
    assert len(found.notes) == len(found.settings)
    return {name.removeprefix("data."): value for name, value in found.settings.items()}


@pytest.mark.parametrize(
    ("columns", "taken"),
    [
        ({"day": DAYS, "sales": WAVE}, {"time": "day", "target": ["sales"]}),
        ({"sales": [str(value) for value in WAVE]}, {"target": ["sales"]}),
        (
            {"year": [1990 + row for row in range(ROWS)], "sales": WAVE},
            {"time": "year", "target": ["sales"]},
        ),
        ({"line": [2.0 * row for row in range(ROWS)]}, {"target": ["line"]}),
        (
            {"day": DAYS, "order_id": [7 * row * row for row in range(ROWS)], "sales": WAVE},
            {"time": "day", "target": ["sales"]},
        ),
        (
            {"day": DAYS, "size": [4.5] * ROWS, "sales": WAVE, "note": ["wet", "dry", "wet"] * 10},
            {"time": "day", "target": ["sales"]},
        ),
        ({"day": DAYS, "sales": [5.0] * ROWS}, {"time": "day", "target": ["sales"]}),
    ],
    ids=["dates", "texts of numbers", "years", "a line", "an id", "a constant", "only a constant"],
)
def test_the_only_columns_that_can_be_are_taken(columns: Any, taken: dict[str, Any]) -> None:
    assert proposed(columns) == taken


def test_what_is_named_is_not_looked_for() -> None:
    columns = {"day": DAYS, "sales": WAVE, "cost": WAVE}
    assert proposed(columns, target=["cost"]) == {"time": "day"}
    assert proposed(columns, known=["cost"], time="day") == {"target": ["sales"]}
    assert proposed(columns, target=["cost"], time="day") == {}


def test_numbers_of_a_series_that_never_change_are_not_forecast() -> None:
    columns = {
        "store": [1] * 15 + [2] * 15,
        "size": [40.0] * 15 + [90.0] * 15,
        "day": DAYS[:15] * 2,
        "sales": WAVE,
    }
    assert proposed(columns, sequence_id="store") == {"time": "day", "target": ["sales"]}


def test_the_time_of_a_wide_table_is_found_beside_its_series() -> None:
    columns = {"day": DAYS, "oslo": WAVE, "bergen": WAVE}
    assert proposed(columns, wide="columns") == {"time": "day"}


def test_what_is_not_clear_is_asked_for() -> None:
    with pytest.raises(ExperimentError, match="one of sales, cost; or, if each of them is a ser"):
        proposed({"day": DAYS, "sales": WAVE, "cost": WAVE[::-1]})
    with pytest.raises(ExperimentError, match="no column of day, note holds numbers"):
        proposed({"day": DAYS, "note": ["wet", "dry"] * 15})
    with pytest.raises(ExperimentError, match=r"may each be the time .*--time day.*--ignore paid"):
        proposed({"day": DAYS, "paid": DAYS, "sales": WAVE})
