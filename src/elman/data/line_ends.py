"""Line ends for texts that are joined into one: each text becomes a line of its own."""

from __future__ import annotations

from elman.data.table import Table, combined


def with_line_ends(table: Table, column: str) -> Table:
    r"""Append a line end to every text of a column; an empty or missing text stays as it is.

    Args:
        table: a table whose rows are separate texts, such as names or sentences.
        column: name of the column of texts.

    >>> names = Table.from_columns({"name": ["Ada", "Emmy\n"]}, origin="names")
    >>> list(with_line_ends(names, "name").column("name"))
    ['Ada\n', 'Emmy\n']
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = table.arrow(column).cast(pa.large_string())
    whole = pc.or_(pc.ends_with(texts, "\n"), pc.equal(pc.utf8_length(texts), 0))
    if pc.all(whole, skip_nulls=True).as_py():
        return table
    end, between = (pa.scalar(text, pa.large_string()) for text in ("\n", ""))
    ended = pc.if_else(whole, texts, pc.binary_join_element_wise(texts, end, between))
    place = table.columns.index(column)
    return Table(
        table.data.set_column(place, column, ended),
        source=table.source,
        where=table.where,
        fingerprint=lambda: combined([table.fingerprint, "line ends", column]),
        notes=[
            *table.notes,
            f"the texts of column {column!r} are read as one running text, one line each.",
        ],
        stored=table.stored,
        spans=table.spans,
    )
