"""Cells that are no numbers are left out of columns of numbers, counted and named, if few."""

from __future__ import annotations

import pyarrow as pa
import pytest

from elman.data.numbers import with_numbers
from elman.data.strays import strays_of, without_strays
from elman.data.table import Table
from elman.errors import DataError


def amounts(strays: int, count: int = 100) -> list[str]:
    """Return amounts in dollars, the first of which are words."""
    return [*["> 10"] * strays, *(f"${n}" for n in range(count - strays))]


def test_few_stray_cells_become_missing_and_are_counted_with_the_first() -> None:
    table = Table.from_columns({"amount": ["$7", *amounts(5)]}, "x.csv")
    rest, columns = without_strays(table, few=["amount"])
    read, _ = with_numbers(rest, required=["amount"])
    assert list(read.column("amount")) == [7, *[None] * 5, *range(95)]
    assert columns == ["amount"]
    assert read.notes[0] == (
        "column 'amount': 5 cells of 101 that are no number like the others are read as missing, "
        "the first '> 10', x.csv, row 1."
    )
    assert read.written("amount")[1] == "> 10"


def test_more_stray_cells_are_refused_with_their_number() -> None:
    table = Table.from_columns({"amount": amounts(6)}, "x.csv")
    rest, columns = without_strays(table, few=["amount"])
    assert columns == []
    with pytest.raises(DataError, match=r"'> 10' is no number.*; 6 of its 100 cells are such"):
        with_numbers(rest, required=["amount"])


def test_all_stray_cells_are_left_out_where_training_left_some_out() -> None:
    table = Table.from_columns({"amount": ["> 10", "$3", "tbd"]}, "x.csv")
    rest, _ = without_strays(table, all_of=["amount"])
    read, _ = with_numbers(rest, required=["amount"])
    assert list(read.column("amount")) == [None, 3, None]


def test_words_and_other_units_and_other_marks_are_all_stray() -> None:
    cells = ["5 €", "6,50 €", "$7", "tbd", "1.5.5 €", "8 €", "9 €", "10 €"]
    strays = strays_of(pa.chunked_array([cells]))
    assert strays is not None
    assert (strays.rows, strays.number, strays.present) == ([2, 3, 4], 3, 8)


def test_the_search_ends_where_stray_cells_are_too_many() -> None:
    strays = strays_of(pa.chunked_array([["$1", "tbd", "x", "€5"]]), most=0.25)
    assert strays is not None
    assert (strays.rows, strays.present, strays.rest) == ([1, 2], 4, None)


@pytest.mark.parametrize("cells", [["1", "2"], ["$1", "2", "NA"], [None, ""]])
def test_numbers_alone_have_no_stray_cells(cells: list[str | None]) -> None:
    assert strays_of(pa.chunked_array([pa.array(cells, pa.string())])) is None
