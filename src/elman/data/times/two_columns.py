"""The date in one column, the time of day in another."""

from __future__ import annotations

from elman.data.table import Table, combined
from elman.errors import DataError


def with_time_of_day(table: Table, date: str | None, time_of_day: str | None) -> Table:
    """Return a table whose column of dates has the time of day, from a column that is left out.

    Args:
        table: with both columns.
        date: name of the column of dates.
        time_of_day: name of the other; None to return the table as it is.

    Raises:
        OptionError: there is no such column.
        DataError: a column can hold no part of a time.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if date is None or time_of_day is None:
        return table
    parts = []
    for name in (date, time_of_day):
        values = table.arrow(name)
        try:
            texts = values.cast(pa.string())
        except pa.ArrowException as error:
            raise DataError(
                f"column {name!r} of {table.source} holds {values.type}, which is neither a date "
                "nor a time of day."
            ) from error
        parts.append(pc.utf8_trim_whitespace(texts))
    days, clock = parts
    if pa.types.is_timestamp(table.arrow(date).type):  # midnight, which the other column replaces
        days = pc.utf8_slice_codeunits(days, 0, 10)
    joined = pc.binary_join_element_wise(days, clock, " ")
    columns = {name: table.arrow(name) for name in table.columns if name != time_of_day}
    arguments = repr((date, time_of_day))
    return Table(
        pa.table(columns | {date: joined}),
        source=table.source,
        where=table.where,
        fingerprint=lambda: combined([table.fingerprint, arguments]),
        notes=table.notes,
        stored=table.stored,
        spans=table.spans,
    )
