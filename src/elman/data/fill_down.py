"""Blank cells that mean the same as the cell above, as spreadsheets leave them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elman.data.arrow import as_text, is_text
from elman.data.table import Table, combined
from elman.errors import counted

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBER = r"^\s*[-+]?[0-9.,]+\s*$"


def filled_down(table: Table, name: str) -> Table:
    """Fill the blank cells of a column in which each id stands at its first row alone.

    So it is where the first row has an id, no id occurs twice, and at least half the cells are
    blank. Blanks among numbers stay, to be refused: a number may as well have been lost.

    Args:
        table: a long table.
        name: column of ids.

    Returns:
        The table, with a note where cells were filled.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_text(table.column(name).type):
        return table
    values = without_blanks(table.arrow(name))
    ids = values.drop_null()
    first_is_blank = not len(values) or not values[0].is_valid
    if first_is_blank or values.null_count < len(ids) or len(pc.unique(ids)) < len(ids):
        return table
    if pc.all(pc.match_substring_regex(ids, _NUMBER)).as_py():
        return table
    filled = pc.fill_null_forward(values)
    data = table.data
    return Table(
        data.set_column(data.column_names.index(name), name, pa.chunked_array([filled])),
        source=table.source,
        where=table.where,
        fingerprint=lambda: combined([table.fingerprint, f"{name} filled down"]),
        notes=[
            *table.notes,
            f"{values.null_count} of {len(values)} cells of {name!r} are blank, and each id stands "
            "at its first row alone: a blank means the id above.",
        ],
        stored=table.stored,
        spans=table.spans,
    )


def notes_of_spaces(table: Table, name: str) -> list[str]:
    """Say that ids differ only in the spaces around them, and are kept apart."""
    import pyarrow.compute as pc

    if not is_text(table.column(name).type):
        return []
    ids = pc.unique(as_text(table.arrow(name)))
    trimmed = pc.utf8_trim_whitespace(ids)
    counts = pc.value_counts(trimmed).to_pylist()
    several = [each["values"] for each in counts if each["counts"] > 1]
    if not several:
        return []
    be = "is" if len(several) == 1 else "are"
    alike = [each for each in ids.to_pylist() if each is not None and each.strip() == several[0]]
    return [
        f"{counted(len(several), 'id')} of {name!r} {be} written with and without spaces around, "
        f"such as {' and '.join(map(repr, alike[:2]))}: each form is a sequence of its own. If "
        "they are one, write them alike."
    ]


def without_blanks(values: pa.ChunkedArray) -> Any:
    """Return a column of strings as one array in which a blank string is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = values.combine_chunks()
    array = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    array = array.cast(pa.large_string())
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(array), ""), None, array)
