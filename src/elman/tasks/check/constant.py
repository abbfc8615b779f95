"""Columns without a value, or with the same value in every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elman.data.arrow import as_text, is_list, is_text
from elman.data.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

PROBED = 1_000
"""Rows that are looked at before all of a longer table are."""


def present(values: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return the cells that are not blank: of text without spaces around it, of lists elements."""
    import pyarrow as pa
    import pyarrow.compute as pc

    while is_list(values.type):
        values = pc.list_flatten(values)
    if is_text(values.type):
        text = pc.utf8_trim_whitespace(as_text(values))
        return text.filter(pc.not_equal(text, "").fill_null(False))
    if pa.types.is_floating(values.type):
        return values.filter(pc.invert(pc.is_null(values, nan_is_null=True)))
    return values.drop_null()


def is_empty(table: Table, name: str) -> bool:
    """Tell whether all cells of a column are blank."""
    values = table.arrow(name)
    first = values.slice(0, PROBED)
    if len(present(first)):
        return False
    return bool(len(values)) and not len(present(values))


def constant_of(table: Table, name: str) -> Any:
    """Return the value that all rows of a column have; None where they differ or one is blank.

    A column in which some rows have no value still says which.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table.arrow(name)
    if is_list(values.type) or pa.types.is_nested(values.type) or values.null_count:
        return None
    if len(values) and values[0] != values[len(values) // 2] and not is_text(values.type):
        return None
    for part in (values.slice(0, PROBED), values):
        cells = present(part)
        if len(cells) < len(part) or pc.count_distinct(cells).as_py() != 1:
            return None
    return cells[0].as_py()
