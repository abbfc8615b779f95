"""Columns of dates are told from what looks a little like them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from elman.data.table import Table
from elman.errors import DataError
from elman.tasks.check.dates import (
    Reading,
    holds_times,
    in_several_forms,
    missing_words,
    order_of_dates,
    reading_of,
    stray_among_dates,
)
from elman.tasks.fitting import infer


def column(values: list[Any]) -> Table:
    return Table.from_columns({"x": values}, "it.csv")


@pytest.mark.parametrize(
    ("values", "times"),
    [
        (["2023-01-05", "2023-01-06"], True),
        (["31.12.2023", "01.02.2023"], True),
        (["31.12.2023", "1.2.2024", ""], True),
        (["12/31/2023", "01/02/2024"], True),
        (["12/31/2023 2:05 PM", "12/30/2023 2:05 AM"], True),
        (["14-Mar-2024", "02-Dec-2023"], True),
        (["31/12/2023 14:05", "01/01/2024 09:00"], True),
        (["2024/12/31", "2024/01/02"], True),
        (["31.12.2023", "12/31/2023", "2023-12-31"], True),
        ([datetime.date(2023, 1, 5), None], True),
        ([20231027, 20231028], True),
        ([["2023-01-05"], ["2023-01-06", "2023-01-07"]], True),
        ([20231027, 20231099], False),
        ([1_700_000_000, 1_700_000_060], False),
        ([1990, 1991], False),
        (["2-1", "3-0"], False),
        (["May", "June"], False),
        (["1.2.3", "1.10.2"], False),
        (["1.10.23", "2.0.1"], False),
        (["31.12.2023", "45.45.2023"], False),
        (["31.12.2023", "soon"], False),
        (["31.12.2023", "N/A", "-", "0000-00-00"], True),
        (["2024-01-05", "0000-00-00 00:00:00", "null"], True),
        (["N/A", "-"], False),
        (["00123456", "20240101"], False),
        (["2024-Q1", "2024-Q2"], True),
        (["Dec-2011", "Jan-2012"], True),
        (["2011-12", "2012-01"], True),
        (["2011-W52", "2012-W01"], True),
        (["31/12/99", "01/02/00"], True),
        (["2011-12", "2012-13"], False),
        (["20110314", "20120415"], True),
        ([1.5, 2.5], False),
        ([None, None], False),
        (["", ""], False),
    ],
)
def test_dates_are_told_from_what_looks_a_little_like_them(values: list[Any], times: bool) -> None:
    assert holds_times(column(values * 6), "x") is times


@pytest.mark.parametrize(
    ("name", "values", "times"),
    [
        ("timestamp", [828_124_615, 1_537_799_250], True),
        ("createdAt", [1_700_000_000_000.0, 1_700_000_060_500.0], True),
        ("date", [201501, 201512], True),
        ("bytes", [828_124_615, 1_537_799_250], False),
        ("time", [0, 172_800], False),
        ("date", [201501, 201513], False),
        ("date", [1990, 2015], False),
    ],
)
def test_numbers_are_times_if_the_column_is_named_like_them(
    name: str, values: list[Any], times: bool
) -> None:
    assert holds_times(Table.from_columns({name: values * 6}, "it.csv"), name) is times


@pytest.mark.parametrize(
    "cell",
    ["Dec-2011", "2011-12", "12/2011", "2011Q4", "Dec-11", "31/12/99", "20111231", "1.10.23"],
)
def test_what_is_refused_as_a_time_by_its_kind_is_left_out_before(cell: str) -> None:
    table = column([cell] * 12)
    assert holds_times(table, "x")
    with pytest.raises(DataError, match="holds times"):
        infer(table, ["x"])


def test_a_word_far_below_is_no_date() -> None:
    assert not holds_times(column(["2023-01-05"] * 300 + ["never"]), "x")


def test_dates_below_many_blank_cells_are_dates() -> None:
    assert holds_times(column([""] * 300 + ["2023-01-05"]), "x")


@pytest.mark.parametrize(
    ("cells", "several"),
    [
        (["31.12.2023", "12/31/2023"], True),
        (["31.12.2023", "1.2.2023"], False),
        (["2023-01-05", "2023-01-05 12:30"], False),
    ],
)
def test_forms_of_dates_are_told_apart(cells: list[str], several: bool) -> None:
    assert in_several_forms(column(cells * 6), "x") is several


def test_cells_that_say_that_a_date_is_missing_are_counted() -> None:
    assert missing_words(column(["2023-01-05", "N/A", " N/A", "", None, "0000-00-00"]), "x") == {
        "N/A": 2,
        "0000-00-00": 1,
    }


@pytest.mark.parametrize(
    ("cells", "reading"),
    [
        (["N/A", "2023-01-05"], Reading()),
        (["N/A", "01/01/2023", "01/02/2023"], Reading(("%d/%m/%Y", "%m/%d/%Y"), 2)),
        (["", "2023-01-05", "2023-13-45"], Reading(row=2)),
        ([20231027, 20231028], Reading()),
        ([1.5, 2.5], Reading(is_other=True)),
        ([["2023-01-05"]], Reading(is_other=True)),
    ],
)
def test_what_the_calendar_of_a_column_reads_as_is_known_before(
    cells: list[Any], reading: Reading
) -> None:
    assert reading_of(column(cells), "x") == reading


@pytest.mark.parametrize(
    ("cells", "row"),
    [
        (["2023-01-05", "N/A", "never", "2023-01-06"], 2),
        (["12/31/2023", "soon", "01/02/2024"], 1),
        (["2023-01-05", "never", "soon", "later"], None),
        (["2023-01-05", "N/A"], None),
        (["20230105", "never"], None),
        (["red", "green"], None),
        ([1, 2], None),
    ],
)
def test_the_first_word_among_dates_is_found(cells: list[Any], row: int | None) -> None:
    assert stray_among_dates(column(cells), "x") == row


def test_rows_without_a_date_come_before_all_others() -> None:
    cells = ["2023-03-01", "N/A", "2023-01-01", ""]
    order, missing = order_of_dates(column(cells), "x", None)
    assert order.tolist() == [1, 3, 2, 0]
    assert missing == 2
