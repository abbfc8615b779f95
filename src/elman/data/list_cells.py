"""Cells of text that hold whole lists, as JSON, Python and NumPy write them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection
from typing import Any

from elman.data.arrow import as_text, is_text, to_arrow
from elman.data.table import Table
from elman.errors import DataError

PROBED = 1_000
"""Rows that are looked at before all of a longer table are."""

_OF_NUMPY = re.compile(r"\[[-+\d.eEnaif\s]*\]")


def with_lists(table: Table, columns: Collection[str]) -> Table:
    """Read columns of text as lists where every cell that is not empty is one.

    A cell is a list as JSON writes it, `[1, 2]` or `["a", "b"]`; as Python does, `['a', 'b']`; or
    as NumPy does, `[1. 2.]`. Lists may be nested. An empty cell is a missing list.

    Args:
        table: as it was read.
        columns: those that may be lists; any other stays as it is.

    Raises:
        DataError: lists were cut, with `...` in place of values, or mix types.
    """
    read, notes = dict[str, Any](), list[str]()
    for name in table.columns:
        if name in columns and is_text(table.column(name).type):
            lists = _lists(table, name)
            if lists is not None:
                read[name] = to_arrow(lists, name=name)
                notes.append(f"column {name!r} of {table.source} is read as lists.")
    return table.with_columns(read, notes=notes)


def _lists(table: Table, name: str) -> list[Any] | None:
    """Return the lists of a column; None if a cell is none."""
    import pyarrow.compute as pc

    values = table.arrow(name)
    for rows in (values.slice(0, PROBED), values):  # most columns show it in their first cells
        text = pc.utf8_trim_whitespace(as_text(rows))
        empty = pc.or_kleene(pc.equal(text, ""), text.is_null())
        bracketed = pc.match_substring_regex(text, r"(?s)^\[.*\]$")
        if not pc.all(pc.or_kleene(empty, bracketed)).as_py():
            return None
    if pc.all(empty).as_py():
        return None
    lists = []
    for row, cell in enumerate(text.to_pylist()):
        values = _parsed(cell) if cell else None
        if cell and values is None:
            if "..." in cell:
                raise DataError(
                    f"{table.where(row)}, column {name}: the list was cut when it was written, "
                    f"with '...' in place of values. Write the file again with whole lists, for "
                    "instance as JSON lines."
                )
            return None
        lists.append(values)
    return lists


def _parsed(cell: str) -> list[Any] | None:
    """Read one list; None if the cell is none."""
    for parse in (json.loads, ast.literal_eval):
        try:
            values = parse(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return values if isinstance(values, list) else None
    if _OF_NUMPY.fullmatch(cell):
        try:
            return [float(number) for number in cell[1:-1].split()]
        except ValueError:
            return None
    return None
