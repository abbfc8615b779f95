"""A file format for Elman: `name: value` lines, a blank line after each record."""

from __future__ import annotations

from pathlib import Path

from elman.data.sources import Format
from elman.data.table import Table
from elman.errors import DataError


def read_records(path: Path) -> Table:
    """Read a file of records, every one with the same names.

    Raises:
        DataError: a line has no colon, or a record lacks a name.
    """
    rows: list[dict[str, str]] = [{}]
    begins: list[int] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        name, colon, value = line.partition(":")
        if not line.strip():
            rows += [{}] if rows[-1] else []
        elif not colon:
            raise DataError(f"{path.name}, line {number}: there is no colon in {line!r}.")
        else:
            begins += [] if rows[-1] else [number]
            rows[-1][name.strip()] = value.strip()
    rows = [row for row in rows if row]
    names = list(rows[0]) if rows else []
    for row, begin in zip(rows, begins, strict=True):
        if list(row) != names:
            raise DataError(f"{path.name}, line {begin}: a record must have {', '.join(names)}.")
    return Table.from_columns(
        {name: [row[name] for row in rows] for name in names},
        origin=path.name,
        where=lambda row: f"{path.name}, line {begins[row]}",
    )


RECORDS = Format("records", read_records, suffixes=(".rec",))
