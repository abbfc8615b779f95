"""Tables below each other: one table of the rows of several."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from elman.data.arrow import is_number, is_text
from elman.data.table import Table, combined
from elman.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def concatenate(tables: Sequence[Table], *, source: str) -> Table:
    """Concatenate the rows of tables with the same columns, in any order.

    Raises:
        DataError: the columns of two tables differ in names or types.
    """
    import pyarrow as pa

    first = tables[0]
    for table in tables[1:]:
        if set(table.columns) != set(first.columns):
            raise DataError(
                f"{first.source} and {table.source} have different columns and cannot be one "
                f"table: the first has {', '.join(first.columns)}; the second "
                f"{', '.join(table.columns)}."
            )
    data, notes = _as_written(tables)
    try:
        joined = pa.concat_tables(data, promote_options="permissive")
    except pa.ArrowException as error:
        raise _different_types(tables) from error
    starts = [0, *accumulate(map(len, tables))]

    def where(row: int) -> str:
        part = bisect_right(starts, row) - 1
        return tables[part].where(row - starts[part])

    def folder(row: int) -> Path | None:
        part = bisect_right(starts, row) - 1
        return tables[part].folder(row - starts[part])

    table = Table(
        joined,
        source=source,
        where=where,
        fingerprint=lambda: combined(table.fingerprint for table in tables),
        notes=dict.fromkeys([*(note for table in tables for note in table.notes), *notes]),
        stored=all(table.stored for table in tables),
        decimal=first.decimal,
        folder=folder,
    )
    in_all = [name for name in first.units if len({each.units.get(name) for each in tables}) == 1]
    return table.with_columns({}, units={name: first.units[name] for name in in_all})


def _as_written(tables: Sequence[Table]) -> tuple[list[pa.Table], list[str]]:
    """Return the columns of tables in one order, as text where one of the tables has text."""
    import pyarrow as pa

    data = [table.data.select(tables[0].columns) for table in tables]
    notes = []
    for place, name in enumerate(data[0].column_names):
        texts = [number for number, each in enumerate(data) if is_text(each.column(place).type)]
        for number, each in enumerate(data):
            kind = each.column(place).type
            if texts and (is_number(kind) or pa.types.is_boolean(kind)):
                data[number] = each.set_column(place, name, each.column(place).cast(pa.string()))
                of_text = tables[texts[0]].source
                if of_text.endswith((".csv", ".tsv")):
                    continue  # where numbers are text, too
                notes.append(
                    f"column {name!r} is {kind} in {tables[number].source} and text in {of_text}: "
                    "its values were taken as they are written."
                )
    return data, notes


def _different_types(tables: Sequence[Table]) -> DataError:
    """Build the error for a column that differs in type between tables."""
    import pyarrow as pa

    first = tables[0]
    for table in tables[1:]:
        for name in first.columns:
            types = first.column(name).type, table.column(name).type
            if types[0] != types[1] and pa.null() not in types:
                return DataError(
                    f"column {name!r} is {types[0]} in {first.source} and {types[1]} in "
                    f"{table.source}. Use the same type in all files."
                )
    return DataError(f"the columns of {first.source} and the other files differ in type.")
