"""Columns of dates are told from what looks a little like them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from elman.data.table import Table
from elman.tasks.check.dates import holds_times, in_several_forms


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
        (["00123456", "20240101"], False),
        (["2024-Q1", "2024-Q2"], False),
        ([1.5, 2.5], False),
        ([None, None], False),
        (["", ""], False),
    ],
)
def test_dates_are_told_from_what_looks_a_little_like_them(values: list[Any], times: bool) -> None:
    assert holds_times(column(values * 6), "x") is times


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
