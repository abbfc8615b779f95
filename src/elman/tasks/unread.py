"""Columns that are not read where no input is named: times, identifiers, single values."""

from __future__ import annotations

from collections.abc import Sequence

from elman.data.arrow import is_list, is_text
from elman.data.identity import identifies_rows
from elman.data.table import Table
from elman.data.times import looks_like_times

TIMES = "times, which are read only where they are named"
IDENTIFIERS = "identifiers, of which each row has its own"
SINGLE = "values beside the sequences, one a row"

FIRST_DATE, LAST_DATE = 1900_01_01, 2100_12_31
"""Whole numbers in which a date may be written."""


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

    Text is read by the rules of `elman.data.times`; whole numbers are dates where all are written
    as 20231027.
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
    elif not is_text(values.type):
        return False
    return looks_like_times(Table.from_columns({name: values}, table.source), name)
