"""Wide tables of series: which columns are steps, and the long tables they become."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

from elman.data.table import Table
from elman.data.wide import (
    find_steps,
    gathered,
    holds_numbers,
    id_column,
    melted_columns,
    melted_rows,
)
from elman.errors import DataError


def table_of(columns: dict[str, list[Any]]) -> Table:
    return Table.from_columns(columns, "stores.csv")


def steps_of(names: list[str], least: int = 2) -> Any:
    table = table_of({name: [1.0, 2.0] for name in names})
    return find_steps(table, names, least=least)


def on(*days: str) -> list[date]:
    return [date.fromisoformat(day) for day in days]


@pytest.mark.parametrize(
    ("names", "times"),
    [
        (["2019-11", "2019-12", "2020-01"], on("2019-11-01", "2019-12-01", "2020-01-01")),
        (["2019-01-30", "2019-01-31"], on("2019-01-30", "2019-01-31")),
        (["2020-01", "2019-12"], on("2019-12-01", "2020-01-01")),
        (["201911", "201912", "202001"], on("2019-11-01", "2019-12-01", "2020-01-01")),
        (["1/30/20", "1/31/20", "2/1/20"], on("2020-01-30", "2020-01-31", "2020-02-01")),
        (["30.01.2020", "31.01.2020"], on("2020-01-30", "2020-01-31")),
        (["1990-Q4", "1991-Q1"], on("1990-10-01", "1991-01-01")),
        (["2020-01-01 06:00", "2020-01-01 12:00"], [datetime(2020, 1, 1, h) for h in (6, 12)]),
        (["sales_2019-01", "sales_2019-02"], on("2019-01-01", "2019-02-01")),
        (["2019", "2020", "2021"], [2019, 2020, 2021]),
        (["1", "2", "3"], [1, 2, 3]),
        (["5", "10", "15"], [5, 10, 15]),
        (["t0", "t1", "t2"], [0, 1, 2]),
        (["t2", "t0", "t1"], [0, 1, 2]),
        (["d_1", "d_2", "d_3"], [1, 2, 3]),
        (["t-3", "t-2", "t-1"], [-3, -2, -1]),
        (["lag1", "lag2", "lag3"], [-3, -2, -1]),
        (["Month 9", "Month 10", "Month 11"], [9, 10, 11]),
    ],
    ids=lambda value: str(value[0]),
)
def test_names_that_count_time_are_steps_in_its_order(names: list[str], times: list[Any]) -> None:
    steps = steps_of(names)
    assert steps.times == times
    assert sorted(steps.columns) == sorted(names)
    assert steps.surely


@pytest.mark.parametrize("stem", ["", "V", "x", "q", "s", "feature_", "pixel", "column_"])
def test_numbers_from_0_and_numbered_names_of_other_words_may_be_steps(stem: str) -> None:
    steps = steps_of([f"{stem}{number}" for number in range(9)])
    assert len(steps.columns) == 9
    assert not steps.surely


@pytest.mark.parametrize(
    "names", [["a", "b"], ["t1", "t2", "t4"], ["q1", "a1"], ["2019-13", "2019-14"], ["t1a", "t2b"]]
)
def test_other_names_are_no_steps(names: list[str]) -> None:
    assert steps_of(names) is None


def test_steps_hold_numbers_typed_or_written() -> None:
    table = table_of(
        {
            "t0": ["1", ""],
            "t1": ["1.5", " .2 "],
            "t2": ["x", "2"],
            "t3": [None, None],
            "t4": [1, 2],
            "t5": ["NA", "-3e5"],
        }
    )
    assert [holds_numbers(table, name) for name in table.columns] == [True, True, False] + [
        True
    ] * 3


def test_the_largest_group_of_numbered_columns_is_taken() -> None:
    steps = steps_of(["x1", "x2", "t0", "t1", "t2"])
    assert steps.columns == ["t0", "t1", "t2"]
    assert steps_of(["t0", "t1", "t2"], least=4) is None


WIDE = {
    "store": ["a", "b", "c"],
    "2019-01": [1.0, None, 7.0],
    "2019-02": [2.0, 5.0, None],
    "2019-03": [3.0, None, 9.0],
    "2019-04": [4.0, None, float("nan")],
}


@pytest.mark.parametrize("texts", [False, True], ids=["typed", "written"])
def test_a_row_a_series_becomes_a_row_a_step(texts: bool) -> None:
    columns = dict(WIDE)
    if texts:
        shown = {None: "", 7.0: "7.0"}
        columns = {
            name: [shown.get(v, "" if v != v else str(v)) for v in values]
            for name, values in WIDE.items()
        }
    table = table_of(columns)
    steps = find_steps(table, table.columns, least=2)
    assert steps is not None
    assert id_column(table, steps) == "store"
    long = melted_rows(table, steps, "store")
    assert list(long.column("store")) == ["a"] * 4 + ["b"] + ["c"] * 3
    assert [int(time[-2:]) for time in long.column("time")] == [1, 2, 3, 4, 2, 1, 2, 3]
    assert list(long.column("value")) == [1, 2, 3, 4, 5, 7, None, 9]
    assert long.where(4) == "stores.csv, row 1"


def test_a_row_becomes_a_list_without_the_steps_missing_at_its_end() -> None:
    table = table_of(WIDE)
    steps = find_steps(table, table.columns, least=2)
    assert steps is not None
    series = gathered(table, steps, "series")
    assert series.columns == ["store", "series"]
    first, second, third = series.column("series")
    assert first.tolist() == [1, 2, 3, 4]
    assert np.isnan(second[0])
    assert second[1:].tolist() == [5]
    assert np.isnan(third[1])
    assert third[2] == 9
    with pytest.raises(DataError, match="has a column 'series' beside the columns 2019-01"):
        gathered(table_of({"series": [1, 2, 3], **WIDE}), steps, "series")


def test_a_column_a_series_becomes_a_row_a_step_of_each() -> None:
    table = table_of({"day": [1, 2, 3], "a": [1, 2, None], "price": [5, 6, 7], "b": [None, 8, 9]})
    long = melted_columns(table, ["a", "b"], ["day", "price"])
    rows = zip(*(long.column(name) for name in ("series", "day", "price", "value")), strict=True)
    assert list(rows) == [("a", 1, 5, 1), ("a", 2, 6, 2), ("b", 2, 6, 8), ("b", 3, 7, 9)]
    assert long.where(3) == "stores.csv, row 2"


def test_rows_without_an_id_of_their_own_are_named_by_their_texts_or_numbers() -> None:
    columns = {"city": ["x", "x", ""], "land": ["k", "l", "l"], "t0": [1, 2, 3], "t1": [4, 5, 6]}
    table = table_of(columns)
    steps = find_steps(table, table.columns, least=2)
    assert steps is not None
    assert id_column(table, steps) == "series"
    assert list(melted_rows(table, steps, "series").column("series"))[::2] == ["x, k", "x, l", "l"]
    alike = table_of({**columns, "city": ["x"] * 3, "land": ["k"] * 3})
    assert list(melted_rows(alike, steps, "series").column("series"))[::2] == ["0", "1", "2"]
    with pytest.raises(DataError, match=r"row 1, column city: the id of a series is that of"):
        melted_rows(alike, steps, "city")


@pytest.mark.parametrize(
    ("names", "written"),
    [
        (["2023-11", "2023-12"], "%Y-%m"),
        (["sales_2023-9", "sales_2023-10"], "%Y-%-m"),
        (["01/01/2023", "02/01/2023"], "%m/%d/%Y"),
        (["2023_01", "2023_02"], "%Y_%m"),
        (["202301", "202302"], "%Y%m"),
        (["2023Q4", "2024Q1"], "%YQ%q"),
        (["2023-Q4", "2024-Q1"], "%Y-Q%q"),
        (["2023-01-01 00:00", "2023-01-01 01:00"], "%Y-%m-%d %H:%M"),
        (["2023-1", "2023-02"], None),
        (["t0", "t1"], None),
    ],
)
def test_times_are_written_as_in_the_names_of_the_columns(
    names: list[str], written: str | None
) -> None:
    steps = steps_of(names)
    assert steps.time_format == written
    long = melted_rows(table_of({name: [1, 2] for name in names}), steps, "series")
    times = [name.removeprefix("sales_") for name in names]
    assert list(long.column("time"))[:2] == (times if written else steps.times)
