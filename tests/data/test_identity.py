"""Columns that number or name the rows are told from those that say something about them."""

from __future__ import annotations

from typing import Any

import pytest

from elman.data.identity import identifies_rows
from elman.data.table import Table

ROWS = 12


@pytest.mark.parametrize(
    ("name", "values", "identifies"),
    [
        ("customer_id", [100 + 7 * n for n in range(ROWS)], True),
        ("Ticket ID", [f"T-{n:05}" for n in range(ROWS)], True),
        ("Invoice #", [f"INV-{n:04}" for n in range(ROWS)], True),
        ("# of rooms", [f"r{n}" for n in range(ROWS)], False),
        ("SKU", [f"A{n * n}" for n in range(ROWS)], True),
        ("Kundennummer", [f"K{n:03}" for n in range(ROWS)], True),
        ("userId", [f"u{n * n}" for n in range(ROWS)], True),
        ("Unnamed: 0", [n * 3 for n in range(ROWS)], True),
        ("anything", list(range(ROWS)), True),
        ("anything", list(range(1001, 1001 + ROWS)), True),
        ("temperature", list(range(5, 5 + ROWS)), False),
        ("YEAR", list(range(1947, 1947 + ROWS)), False),
        ("elapsed_days", list(range(ROWS)), False),
        ("week", list(range(1, 1 + ROWS)), False),
        ("year_id", list(range(1, 1 + ROWS)), True),
        ("InvoiceNo", [536_365 + 3 * n for n in range(ROWS)], True),
        ("customerid", [f"{n * n}-AB" for n in range(ROWS)], True),
        ("CLIENTNUM", [700 + 9 * n for n in range(ROWS)], True),
        ("row_index", [9 * n for n in range(ROWS)], True),
        ("heat_index", [9 * n for n in range(ROWS)], False),
        ("BodyMassIndex", [9 * n for n in range(ROWS)], False),
        ("image_id", [f"{n}.jpg" for n in range(ROWS)], False),
        ("bits", [f"{n:032b}" for n in range(ROWS)], False),
        ("barcode", [4_006_381_000_000 + 7_333 * n for n in range(ROWS)], True),
        ("EAN", [7_333 * n for n in range(ROWS)], True),
        ("turnover", [7_000_333 * n * n for n in range(ROWS)], False),
        ("holder", [f"{n * 7 % 900:03}-{n % 99:02}-{n * n:04}" for n in range(ROWS)], True),
        ("server", [f"10.0.{n % 9}.{n}" for n in range(ROWS)], True),
        ("server", [f"10.0.0.{n % 9}" for n in range(ROWS)], False),
        ("paid", [3 * n for n in range(ROWS)], False),
        ("area", [100 + 7 * n for n in range(ROWS)], False),
        ("id", [1, 1, *range(ROWS - 2)], False),
        ("id", [f"two words {n}" for n in range(ROWS)], False),
        ("id", [n / 7 for n in range(ROWS)], False),
        ("name", [f"n{n}" for n in range(ROWS)], False),
        ("id", [None, *range(ROWS - 1)], False),
        ("order", [f"INV-{2000 + n}" for n in range(ROWS)], True),
        ("order", [f"INV-{2000 + n // 2}" for n in range(ROWS)], False),
        ("width", [f"{2000 + n} mm" for n in range(ROWS)], False),
        ("key of it", [f"{n:08x}-0000-4000-8000-{n * 77:012x}" for n in range(ROWS)], True),
        ("digest", [f"{n * 7919:032x}" for n in range(ROWS)], True),
        ("contact", [f"user{n}@mail.example" for n in range(ROWS)], True),
        ("contact", [f"user{n % 3}@mail.example" for n in range(ROWS)], False),
        ("phone", [f"+49 30 {n * 7919 + 100000}" for n in range(ROWS)], True),
        ("phone", [f"(030) {n * 7919 + 100000}" for n in range(ROWS)], True),
        ("tokens", [f"{n} 3 5 7 1 2 8" for n in range(ROWS)], False),
        ("user_id", [float(7 * n) for n in range(ROWS)], True),
    ],
)
def test_a_column_identifies_rows(name: str, values: list[Any], identifies: bool) -> None:
    assert identifies_rows(Table.from_columns({name: values}, "x"), name) is identifies


def test_few_rows_may_differ_by_chance() -> None:
    assert not identifies_rows(Table.from_columns({"id": [3, 9]}, "x"), "id")


def test_an_identifier_may_be_missing_or_repeat_in_a_few_of_many_rows() -> None:
    rows = [*range(100, 196), 100, 101, None, None]
    assert identifies_rows(Table.from_columns({"user_id": rows}, "x"), "user_id")
    assert not identifies_rows(Table.from_columns({"users": rows}, "x"), "users")
    assert not identifies_rows(Table.from_columns({"user_id": rows[:50] * 2}, "x"), "user_id")
