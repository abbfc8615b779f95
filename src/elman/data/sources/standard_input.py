"""Rows of CSV or JSON lines from standard input."""

from __future__ import annotations

import codecs
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from elman.data.sources import read_table
from elman.data.table import Table
from elman.errors import DataError

STANDARD_INPUT = "standard input"
"""Used in place of a file's name in the place of a row."""


def read_standard_input(stream: IO[bytes]) -> Table:
    """Read rows of CSV or JSON lines from a stream; their places are lines of `standard input`.

    Raises:
        DataError: the stream is empty or malformed.
    """
    content = stream.read()
    if not content.strip():
        raise DataError("standard input is empty; it must contain rows of CSV or JSON lines.")
    # A single object is a row, even if it holds lists and so could be columns.
    begin = content.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    suffix = {b"{": ".jsonl", b"[": ".json"}.get(begin, ".csv")
    with TemporaryDirectory() as folder:
        path = Path(folder, f"{STANDARD_INPUT}{suffix}")
        path.write_bytes(content)
        try:
            table = read_table(path)
        except DataError as error:
            message = str(error).replace(str(path), STANDARD_INPUT)
            raise DataError(message.replace(path.name, STANDARD_INPUT)) from error
        places = [table.where(row) for row in range(len(table))]
        return Table.from_columns(
            {name: list(table.column(name)) for name in table.columns},
            origin=STANDARD_INPUT,
            where=lambda row: places[row].replace(path.name, STANDARD_INPUT),
            notes=[note.replace(path.name, STANDARD_INPUT) for note in table.notes],
        )
