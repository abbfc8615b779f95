"""Rows of CSV or JSON lines from standard input."""

from __future__ import annotations

from typing import IO

from elman.data.sources import read_table
from elman.data.sources.pipes import read_stream
from elman.data.table import Table

STANDARD_INPUT = "standard input"
"""Used in place of a file's name in the place of a row."""

_SUFFIXES = {b"{": ".jsonl", b"[": ".json"}
"""A single object is a row, even if it holds lists and so could be columns."""


def read_standard_input(stream: IO[bytes]) -> Table:
    """Read rows of CSV or JSON lines from a stream; their places are lines of `standard input`.

    Raises:
        DataError: the stream is empty or malformed.
    """
    return read_stream(stream, STANDARD_INPUT, read_table, suffixes=_SUFFIXES)
