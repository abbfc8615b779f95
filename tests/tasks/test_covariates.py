"""Which columns a forecast reads: as numbers or categories, one a step or one a series."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest

from elman.data.table import Table
from elman.errors import DataError, ExperimentError
from elman.experiment.data import DataSpec
from elman.tasks.check.finding import sentences_of
from elman.tasks.covariates import Covariates
from elman.tasks.named_kinds import kinds_of_names
from elman.tasks.series import series_roles

STEPS = 8
SHOPS = 4


def shops(*, steps: int = STEPS, count: int = SHOPS, **columns: Any) -> Table:
    """Shops of some steps each; further columns are given a row, or a shop."""
    rows = {
        "shop": [f"shop {shop}" for shop in range(count) for _ in range(steps)],
        "t": list(range(steps)) * count,
        "sold": [float(7 * row % 5) for row in range(steps * count)],
    }
    for name, values in columns.items():
        each = values if len(values) == steps * count else [v for v in values for _ in range(steps)]
        rows[name] = each
    return Table.from_columns(rows, origin="shops")


def found(table: Table, *others: Table, **settings: Any) -> Covariates:
    asked = {"sequence_id": "shop", "time": "t", "target": "sold", "horizon": 2} | settings
    data = DataSpec(**{name: value for name, value in asked.items() if value is not None})
    return series_roles(kinds_of_names(data, table.columns), table, others).covariates


def test_each_kind_of_column_has_its_role() -> None:
    table = shops(
        price=[float(row % 7) for row in range(32)],
        sky=["wet", "dry", "dry", "wet"] * 8,
        open=[True, False] * 16,
        size=[10, 20, 30, 40],
        region=["north", "south", "south", "north"],
        promo=["yes", "no"] * 16,
    )
    roles = found(table, known="promo")
    assert roles.past == ["price"]
    assert roles.past_categories == ["sky", "open"]
    assert roles.known_categories == ["promo"]
    assert roles.static == ["size"]
    assert roles.static_categories == ["region"]
    assert sentences_of(roles.findings) == [
        "sky, open and promo hold names: they are read as categories.",
        "nothing is said about the future of sky and open: it is taken to be unknown; where it is "
        "known, say --known sky --known open.",
        "size (number) and region (category) are constant within every series: they have one "
        "value a series.",
    ]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["EUR"] * 32, "the same in every row"),
        ([3.5] * 32, "the same in every row"),
        ([None] * 32, "empty"),
        ([""] * 32, "empty"),
        ([f"remark {row}" for row in range(32)], "texts that hardly repeat"),
        ([f"2024-01-{1 + row % 9:02}" for row in range(32)], "times, which are read only where"),
        (["1.5"] * 20 + [str(row) for row in range(11)] + ["n 7"], "numbers with other cells"),
        (["Ada", "Ben", "Cem", "Dee"], "a name of its own for every series, as shop is"),
        ([[1, 2]] * 32, "values of type list<"),
    ],
)
def test_what_says_nothing_is_left_out_and_why(values: list[Any], why: str) -> None:
    roles = found(shops(x=values))
    assert roles[:6] == ([], [], [], [], [], [])
    (note,) = sentences_of(roles.findings)
    said = r"\)(: i|\. I)t is not read; to choose the columns, name them with --input\."
    assert re.fullmatch(rf"x \({why}.*{said}", note)


def test_in_a_single_series_nothing_is_static_and_a_constant_is_left_out() -> None:
    table = shops(count=1, steps=32, size=[10.0] * 32, sky=["wet", "dry"] * 16)
    roles = found(table, sequence_id=None)
    assert roles.past_categories == ["sky"]
    assert "shop and size (the same in every row): they are not read" in roles.findings[0].sentence


def test_one_shop_alone_of_a_long_table_has_nothing_static() -> None:
    roles = found(shops(count=1, steps=32, size=[10.0] * 32, price=[1.0, 2.0] * 16))
    assert roles.past == ["price"]
    assert roles.static == []


def test_rows_ahead_do_not_count() -> None:
    table = shops(
        region=[*["n"] * 8, *["s"] * 7, "", *["s"] * 8, *["n"] * 8],
        sold=[None if row % 8 == 7 else float(row % 5) for row in range(32)],
    )
    assert found(table).static_categories == ["region"]


def test_a_column_that_misses_cells_of_the_past_is_read_by_the_step() -> None:
    table = shops(region=[*["n"] * 8, *["s"] * 6, "", "s", *["s"] * 8, *["n"] * 8])
    assert found(table).past_categories == ["region"]


def test_what_changes_in_another_part_of_the_data_is_not_static() -> None:
    train = shops(region=["n", "s", "s", "n"])
    test = Table.from_columns(
        {"shop": ["shop 0"], "t": [8], "sold": [1.0], "region": ["s"]}, origin="test"
    )
    assert found(train, test).past_categories == ["region"]


def test_a_column_that_another_part_lacks_is_left_out() -> None:
    test = shops(sky=["wet", "dry"] * 16)
    roles = found(shops(sky=["wet", "dry"] * 16, wind=["n", "s"] * 16), test)
    assert roles.past_categories == ["sky"]
    assert roles.findings[0].sentence.startswith("wind (not in all the files): it is not read")


def test_kinds_and_static_columns_are_as_they_are_said() -> None:
    table = shops(route=[1, 2, 3, 1] * 8, zone=[1, 2, 2, 1], size=[10, 20, 30, 40])
    roles = found(table, input=["route:category", "zone:category", "size"])
    assert roles.past_categories == ["route"]
    assert roles.static_categories == ["zone"]
    assert roles.static == ["size"]
    roles = found(table, per_sequence=["zone"], columns={"zone": {"kind": "category"}})
    assert roles.past == ["route", "size"]
    assert roles.static_categories == ["zone"]


def test_a_name_of_its_own_for_every_series_is_read_where_it_is_asked_for() -> None:
    table = shops(owner=["Ada", "Ben", "Cem", "Dee"])
    assert found(table, input="owner").static_categories == ["owner"]


def test_few_names_of_a_known_column_need_not_repeat() -> None:
    holiday = [""] * 30 + ["Easter", "May Day"]
    assert found(shops(holiday=holiday), known="holiday").known_categories == ["holiday"]
    assert found(shops(holiday=holiday)).past_categories == []


def test_what_a_known_column_says_stays_known_where_it_is_constant() -> None:
    roles = found(shops(size=[10, 20, 30, 40], region=list("nssn")), known=["size", "region"])
    assert roles.known == ["size"]
    assert roles.known_categories == ["region"]


REMARKS = [f"remark {row}" for row in range(32)]


@pytest.mark.parametrize(
    ("values", "settings", "error", "words"),
    [
        (
            REMARKS,
            {"input": "x"},
            DataError,
            "shops: column 'x' holds texts that hardly repeat, and a forecast reads numbers and "
            "categories. Leave it out; or, if they are names, say --input x:category.",
        ),
        (REMARKS, {"known": "x"}, DataError, "say --known x:category"),
        (
            [datetime.date(2024, 1, 1)] * 32,
            {"known": "x"},
            DataError,
            "column 'x' holds times; name it as the time, --time x, or leave it out",
        ),
        ([None] * 32, {"input": "x"}, DataError, "column 'x' is empty; leave it out"),
        (
            ["a", "b"] * 16,
            {"known": "x:text"},
            ExperimentError,
            "column 'x' is said to be of kind 'text', and a forecast reads only the kinds number "
            "and category",
        ),
        (
            ["a", "b"] * 16,
            {"columns": {"x": {"kind": "category", "one_hot": True}}},
            ExperimentError,
            "a category in a forecast has no option 'one_hot'",
        ),
        (["a", "b"] * 16, {"per_sequence": "y"}, ExperimentError, "unknown column 'y'"),
    ],
)
def test_a_named_column_that_cannot_be_read_is_refused(
    values: list[Any], settings: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as refusal:
        found(shops(x=values), **settings)
    assert words in str(refusal.value)


def test_texts_that_are_said_to_be_names_are_read() -> None:
    assert found(shops(x=REMARKS), input="x:category").past_categories == ["x"]
