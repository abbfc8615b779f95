"""Files in which each line is a row with as many fields as any other: scanned many at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elman.data.sources.dialect import Dialect
from elman.data.sources.files import TextEncoding, open_bytes
from elman.data.sources.records import Record

BLOCK_BYTES = 1 << 24
"""Bytes that are looked at together, up to the end of a line."""

_LINE_FEED, _RETURN = 10, 13


def scan_even_lines(
    path: Path, encoding: TextEncoding, dialect: Dialect
) -> tuple[NDArray[np.int64], Record] | None:
    """Find the line of every row of a file without quotes, comments, blank or ragged lines.

    Args:
        path: the file.
        encoding: of its text.
        dialect: how its fields are divided; the header is its first line.

    Returns:
        The line of every row, and the last row; None where a line has to be looked at more
        closely: it has a quote, begins with white space, like a comment or like the header, has no
        first field, or has more or fewer fields than the header.
    """
    plain = Dialect(dialect.delimiter, "quoted", header=True, first=dialect.first)
    single = len(dialect.delimiter) == 1 and dialect.delimiter.isascii()
    if encoding.name != "utf-8" or encoding.mark or dialect != plain or not single:
        return None
    if len(dialect.first) < 2 or (dialect.delimiter.isspace() and dialect.delimiter != "\t"):
        return None
    count, last = 0, b""
    with open_bytes(path) as file:
        rest = b""
        while block := file.read(BLOCK_BYTES):
            block = rest + block
            end = block.rfind(b"\n") + 1
            rest = block[end:]
            lines = _even_lines(block[:end], dialect, is_first=count == 0)
            if lines is None:
                return None
            count += lines
            last = block[block.rfind(b"\n", 0, end - 1) + 1 : end] if end else last
        if rest:
            lines = _even_lines(rest + b"\n", dialect, is_first=count == 0)
            if lines is None:
                return None
            count, last = count + lines, rest
    if count < 2:
        return None
    fields = last.rstrip(b"\r\n").decode().split(dialect.delimiter)
    return np.arange(2, count + 1, dtype=np.int64), Record(count, fields)


def _even_lines(text: bytes, dialect: Dialect, *, is_first: bool) -> int | None:
    """Count lines, which end in a line feed; None if one of them may be no row.

    Args:
        text: whole lines.
        dialect: how fields are divided.
        is_first: whether the first line is the header.
    """
    if b'"' in text or b"\0" in text or text.count(b"\r") != text.count(b"\r\n"):
        return None
    delimiter = dialect.delimiter.encode()
    signs = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(signs == _LINE_FEED)
    divisions = np.searchsorted(np.flatnonzero(signs == delimiter[0]), ends)
    if (np.diff(divisions, prepend=0) != len(dialect.first) - 1).any():
        return None
    starts = np.concatenate([[0], ends + 1])[:-1][is_first:]
    beginning = signs[starts]
    if np.isin(beginning, [delimiter[0], _RETURN, *b"# \t"]).any():
        return None
    header = dialect.first[0].encode() + delimiter
    for place, sign in enumerate(header):
        starts = starts[signs[np.minimum(starts + place, len(signs) - 1)] == sign]
    return None if len(starts) else len(ends)
