"""Columns that are not read where no input is named: times, identifiers, single values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from elman.data.arrow import as_text, is_list, is_text
from elman.data.identity import identifies_rows
from elman.data.table import Table
from elman.data.times import looks_like_times
from elman.data.times.shapes import formats_of

if TYPE_CHECKING:
    import pyarrow as pa

TIMES = "times, which are read only where they are named"
IDENTIFIERS = "identifiers, of which each row has its own"
SINGLE = "values beside the sequences, one a row"

FIRST_DATE, LAST_DATE = 1900_01_01, 2100_12_31
"""Whole numbers in which a date may be written."""

_DATE = r"^\s*\d{4}-\d\d?-\d\d?(?:[T ]\d\d?:\d\d.*)?\s*$"

_MOST_SHAPES = 2000
"""More shapes than this, digits aside, are none of dates: months and weekdays make up to 1,008."""


def unread(table: Table, columns: Sequence[str]) -> dict[str, list[str]]:
    """Say which of some columns are not read, and why.

    If nothing but identifiers is left, they are read.

    Args:
        table: with the columns.
        columns: that have no other role.

    Returns:
        What a column holds, in words → the columns of it that are not read.
    """
    times = [name for name in columns if holds_times(table, name)]
    rest = [name for name in columns if name not in times]
    lists = [name for name in rest if is_list(table.column(name).type)]
    if lists:
        return {TIMES: times, SINGLE: [name for name in rest if name not in lists]}
    ids = [name for name in rest if identifies_rows(table, name)]
    return {TIMES: times, IDENTIFIERS: ids if len(ids) < len(rest) else []}


def holds_times(table: Table, name: str) -> bool:
    """Tell whether a column holds dates or times, or lists of them.

    Text is so where all cells are days in one form with four digits of the year, whole numbers
    where all are written as 20231027.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table.arrow(name)
    if is_list(values.type):
        values = pc.list_flatten(values)
    if pa.types.is_temporal(values.type):
        return True
    if pa.types.is_integer(values.type):
        least, most = pc.min_max(values).as_py().values()
        if least is None or least < FIRST_DATE or most > LAST_DATE:
            return False
        return looks_like_times(Table.from_columns({name: values}, table.source), name)
    if not is_text(values.type):
        return False
    text = pc.utf8_trim_whitespace(as_text(values)).drop_null()
    text = text.filter(pc.not_equal(text, ""))
    if not len(text):
        return False
    return bool(pc.all(pc.match_substring_regex(text, _DATE)).as_py()) or _are_dates(text)


def _are_dates(text: pa.Array) -> bool:
    """Tell whether all texts are days in one format that `--time` reads, as `31.12.2023`.

    A year of two digits may as well be part of a version, `1.10.23`, and is no sign of one.
    """
    import numpy as np
    import pyarrow.compute as pc

    shapes = pc.replace_substring_regex(text, r"\d", "0").dictionary_encode()
    if len(shapes.dictionary) > _MOST_SHAPES:
        return False
    _, firsts = np.unique(shapes.indices.to_numpy(zero_copy_only=False), return_index=True)
    formats = {each for first in firsts for each in formats_of(text[int(first)].as_py())}
    days = [each for each in formats if {"Y", "d"} <= each.directives and not each.is_digits]
    return any(not each.parse(text).wrong.any() for each in days)
