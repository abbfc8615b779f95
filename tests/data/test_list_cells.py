"""Cells of text that hold whole lists are lists, however they were written."""

from __future__ import annotations

import numpy as np
import pytest

from elman.data.list_cells import with_lists
from elman.data.table import Table
from elman.errors import DataError


def read(*cells: str) -> list[object]:
    table = with_lists(Table.from_columns({"x": list(cells)}, "it.csv"), ["x"])
    return [v.tolist() if isinstance(v, np.ndarray) else v for v in table.column("x")]


@pytest.mark.parametrize(
    ("cells", "lists"),
    [
        (["[1, 2.5]", "[]", " [3] "], [[1, 2.5], [], [3]]),
        (['["a", "b, c"]', ""], [["a", "b, c"], None]),
        (["['a', \"it's\"]"], [["a", "it's"]]),
        (["[1.  2.5\n 3.e+00]"], [[1.0, 2.5, 3.0]]),
        (["[[1, 2], [3, 4]]"], [[[1, 2], [3, 4]]]),
    ],
)
def test_lists_are_read(cells: list[str], lists: list[object]) -> None:
    assert read(*cells) == lists


@pytest.mark.parametrize("cells", [["[1]", "x"], ["[good]"], ["[1, 2"], ["", ""], ["[(]"]])
def test_anything_else_stays_text(cells: list[str]) -> None:
    assert read(*cells) == cells


def test_it_is_said_that_cells_are_lists() -> None:
    table = with_lists(Table.from_columns({"x": ["[1]"], "y": ["[1]"]}, "it.csv"), ["x"])
    assert table.notes == ["column 'x' of it.csv is read as lists."]
    assert list(table.column("y")) == ["[1]"]


def test_a_list_that_was_cut_is_refused_with_its_row() -> None:
    with pytest.raises(DataError, match=r"it\.csv, row 1, column x: the list was cut"):
        read("[1. 2.]", "[0. 0. 0. ... 0. 0. 0.]")
