"""Structs of Arrow to columns by dotted paths, lists of structs to a list for every path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from elman.data.arrow import is_list
from elman.data.sources.nested import is_media
from elman.data.table import Table

if TYPE_CHECKING:
    import pyarrow as pa


def without_structs(table: Table) -> Table:
    """Return a table whose structs are columns: `user.country`, `events.type`.

    A missing struct is missing in each of its columns; a list of structs becomes lists of equal
    lengths. Structs that hold a sound or a picture stay as they are, and so do structs in lists
    within lists.

    Raises:
        DataError: a dotted path is the name of another column, too.
    """
    import pyarrow as pa

    data = table.data
    if not any(_is_nested(field.type) for field in data.schema):
        return table
    names, columns = [], []
    for name in data.column_names:
        for path, column in _columns(name, data.column(name)):
            names.append(path)
            columns.append(column)
    return Table(
        pa.Table.from_arrays(columns, names=names),
        source=table.source,
        where=table.where,
        fingerprint=lambda: table.fingerprint,
        notes=table.notes,
        stored=table.stored,
        spans=table.spans,
        decimal=table.decimal,
    )


def _is_struct(kind: pa.DataType) -> bool:
    from pyarrow import types

    if not types.is_struct(kind):
        return False
    return not is_media(kind.field(place).name for place in range(kind.num_fields))


def _is_nested(kind: pa.DataType) -> bool:
    return _is_struct(kind) or (is_list(kind) and _is_struct(kind.value_type))


def _columns(name: str, values: pa.ChunkedArray) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Yield the columns that a column becomes, each with its name."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if _is_struct(kind):
        for field in (kind.field(place).name for place in range(kind.num_fields)):
            yield from _columns(f"{name}.{field}", pc.struct_field(values, field))
    elif _is_nested(kind):
        lengths = pc.list_value_length(values)
        counts = lengths.fill_null(0).to_numpy()
        offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int64())
        missing = pa.array(lengths.is_null().to_numpy())
        for path, inner in _columns(name, pc.list_flatten(values)):
            flat = pa.concat_arrays(inner.chunks) if inner.num_chunks else pa.array([], inner.type)
            lists = pa.LargeListArray.from_arrays(offsets, flat, mask=missing)
            yield path, pa.chunked_array([lists])
    else:
        yield name, values
