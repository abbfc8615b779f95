"""Stray cells of columns of numbers: those that are no number, or written unlike the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from elman.data.arrow import as_text, is_text
from elman.data.number_formats import Numbers, Words, read_numbers, without_cells
from elman.errors import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from elman.data.table import Table

FEW = 0.05
"""Greatest share of stray cells that become missing where a column is said to hold numbers."""


class Strays(NamedTuple):
    """The stray cells of a column of numbers."""

    number: int
    present: int
    """Cells that are not missing, stray ones included."""
    rows: Any
    """Their rows, in order."""
    rest: Any
    """The other cells, an Arrow array of text; None where the stray ones are too many."""

    @property
    def are_few(self) -> bool:
        """Whether the column may be read as numbers without them."""
        return self.number <= FEW * self.present


def strays_of(
    column: pa.ChunkedArray,
    decimal: str | None = None,
    *,
    most: float = 1.0,
    found: Numbers | Words | None = None,
) -> Strays | None:
    """Find the cells of a column of text without which it holds numbers.

    Args:
        column: of text.
        decimal: decimal mark, where the cells leave it open.
        most: greatest share of such cells; the search ends beyond it.
        found: what the column was read as; by default it is read.

    Returns:
        The cells; None where it holds numbers alone, or no cell is one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = as_text(column)
    found = read_numbers(column, decimal, strict=False) if found is None else found
    present, stray, rows = found.present if isinstance(found, Words) else 0, None, []
    while isinstance(found, Words) and found.wrong is not None:
        stray = found.wrong if stray is None else pc.or_(stray, found.wrong)
        rows = pc.indices_nonzero(stray).to_pylist()
        if len(rows) > most * present:
            return Strays(len(rows), present, rows, None)
        cells = without_cells(cells, found.wrong)
        found = read_numbers(pa.chunked_array([cells]), decimal, strict=False)
    if stray is None or (isinstance(found, Words) and found.present):
        return None
    return Strays(len(rows), present, rows, cells)


def without_strays(
    table: Table,
    *,
    few: Collection[str] = (),
    all_of: Collection[str] = (),
    decimal: str | Mapping[str, str] | None = None,
) -> tuple[Table, list[str]]:
    """Leave stray cells out of columns that are said to hold numbers, as if they were blank.

    Args:
        table: as it was read.
        few: columns of which stray cells are left out if they are few.
        all_of: columns of which they are left out however many they are.
        decimal: decimal mark, where the cells leave it open.

    Returns:
        The table, with a note that counts the cells of each column and names the first; and the
        columns that have some.
    """
    columns, notes = dict[str, Any](), list[str]()
    for name in table.columns:
        if (name not in few and name not in all_of) or not is_text(table.column(name).type):
            continue
        mark = decimal if isinstance(decimal, str) else (decimal or {}).get(name)
        most = 1.0 if name in all_of else FEW
        strays = strays_of(table.arrow(name), mark, most=most)
        if strays is None or strays.rest is None:
            continue
        columns[name] = strays.rest
        first = strays.rows[0]
        cell = str(table.column(name)[first])[:60]
        notes.append(
            f"column {name!r}: {counted(strays.number, 'cell')} of {strays.present:,} that "
            f"{'is' if strays.number == 1 else 'are'} no number like the others "
            f"{'is' if strays.number == 1 else 'are'} read as missing, the first {cell!r}, "
            f"{table.where(first)}."
        )
    return table.with_columns(columns, notes=notes), list(columns)
