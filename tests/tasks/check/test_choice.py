"""Columns that cannot help are not read where no input is named, and why is known."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from elman.data.table import Table
from elman.tasks.unread import IDENTIFIERS, SINGLE, TIMES, holds_times, unread

ROWS = 12


@pytest.mark.parametrize(
    ("values", "times"),
    [
        (["2023-01-05", "2023-01-06"], True),
        (["31.12.2023", "01.02.2023"], True),
        (["12/31/2023 2:05 PM", "12/30/2023 2:05 AM"], True),
        ([datetime.date(2023, 1, 5), None], True),
        ([20231027, 20231028], True),
        ([["2023-01-05"], ["2023-01-06", "2023-01-07"]], True),
        ([20231027, 20231099], False),
        ([1_700_000_000, 1_700_000_060], False),
        ([1990, 1991], False),
        (["2-1", "3-0"], False),
        (["May", "June"], False),
        (["1.2.3", "1.10.2"], False),
        ([1.5, 2.5], False),
        ([None, None], False),
        (["", ""], False),
    ],
)
def test_dates_are_told_from_what_looks_a_little_like_them(values: list[Any], times: bool) -> None:
    assert holds_times(Table.from_columns({"x": values * 6}, "it"), "x") is times


def test_times_and_identifiers_are_not_read() -> None:
    table = Table.from_columns(
        {
            "customer_id": [100 + 7 * n for n in range(ROWS)],
            "since": [f"2023-01-{n + 1:02}" for n in range(ROWS)],
            "age": [20 + n % 5 for n in range(ROWS)],
        },
        "it",
    )
    assert unread(table, table.columns) == {TIMES: ["since"], IDENTIFIERS: ["customer_id"]}


def test_identifiers_are_read_where_there_is_nothing_else() -> None:
    table = Table.from_columns({"id": [f"u{n}" for n in range(ROWS)]}, "it")
    assert unread(table, ["id"])[IDENTIFIERS] == []


def test_beside_sequences_single_values_are_not_read() -> None:
    table = Table.from_columns({"pulse": [[1.5, 2.0]] * ROWS, "age": [20] * ROWS}, "it")
    assert unread(table, table.columns) == {TIMES: [], SINGLE: ["age"]}


@pytest.mark.parametrize(
    ("cells", "dates"),
    [
        (["31.12.2023", "1.2.2024", ""], True),
        (["12/31/2023", "01/02/2024"], True),
        (["14-Mar-2024", "02-Dec-2023"], True),
        (["31/12/2023 14:05", "01/01/2024 09:00"], True),
        (["2024/12/31", "2024/01/02"], True),
        (["31.12.2023", "12/31/2023"], False),
        (["31.12.2023", "45.45.2023"], False),
        (["1.10.23", "2.0.1"], False),
        (["00123456", "20240101"], False),
        (["2024-Q1", "2024-Q2"], False),
    ],
)
def test_days_are_times_and_versions_codes_and_quarters_are_not(
    cells: list[str], dates: bool
) -> None:
    count = len(cells)
    table = Table.from_columns({"when": cells, "n": [1.5] * count}, "it.csv")
    assert unread(table, ["when", "n"])[TIMES] == (["when"] if dates else [])
