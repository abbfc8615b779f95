"""One pass over a delimited file: the line of every row, what is no row, and what is wrong."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.sources.dialect import Dialect
from elman.data.sources.even_lines import scan_even_lines
from elman.data.sources.files import TextEncoding, begins_line, open_bytes, open_text
from elman.data.sources.records import COMMENT, WHITE_SPACE, Record, Records, fields_of_any_size
from elman.data.sources.skipped import Skipped
from elman.errors import DataError, counted

ROWS_AT_ONCE = 1000
"""Number of rows that are written at once for Arrow."""

MARKS = {
    "\t": "a tab",
    ",": "a comma",
    ";": "a semicolon",
    "|": "a bar",
    WHITE_SPACE: "white space",
}
"""Delimiter → what it is called."""


class Scan(NamedTuple):
    """What is known of a file after all of its records have been read."""

    path: Path
    encoding: TextEncoding
    dialect: Dialect
    lines: NDArray[np.int64]
    """First line of every row, without the header."""
    spans_lines: bool
    """Whether a field contains a line break."""
    skipped: Skipped
    """The records that are no rows."""
    last: Record | None
    """The last row."""

    @property
    def is_plain(self) -> bool:
        """Whether the file contains a header and rows alone, for Arrow to read as it is."""
        dialect = self.dialect
        unusual = self.skipped.all or dialect.short_header or self.encoding.mark
        return not unusual and dialect.delimiter != WHITE_SPACE

    @property
    def for_arrow(self) -> tuple[TextEncoding, Dialect]:
        """Encoding and dialect of what `open_rows` opens."""
        if self.is_plain:
            return self.encoding, self.dialect
        return TextEncoding("utf-8"), self.dialect._replace(delimiter=",", quoting="quoted")

    @contextmanager
    def open_rows(self) -> Iterator[io.BufferedIOBase]:
        """Open the header and the rows of the file, without all that is neither."""
        if self.is_plain:
            with open_bytes(self.path) as file:
                yield file
            return
        with open_text(self.path, self.encoding) as text, fields_of_any_size():
            yield io.BufferedReader(_Rows(self, Records(text, *self.dialect[:2])))


class _Rows(io.RawIOBase):
    """The header and the rows of a file as bytes of CSV."""

    def __init__(self, scan: Scan, records: Records) -> None:
        self._pieces = _pieces(scan, records)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer as far as it goes; 0 at the end."""
        if not self._rest:
            self._rest = next(self._pieces, b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _pieces(scan: Scan, records: Records) -> Iterator[bytes]:
    """Yield the header and the rows, many at a time."""
    piece = io.StringIO(newline="")
    # Python's writer puts \r within a field into quotes only if lines end in it.
    writer = csv.writer(piece, lineterminator="\r\n")
    if scan.dialect.header:
        writer.writerow(scan.dialect.first)
    skipped, header_line = scan.skipped.all, scan.dialect.start if scan.dialect.header else 0
    for count, record in enumerate(records, start=1):
        if record.fields and record.line not in skipped and record.line != header_line:
            writer.writerow(record.fields)
        if count % ROWS_AT_ONCE == 0 and piece.tell():
            yield piece.getvalue().encode()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue().encode()


class Malformed(DataError):
    """A record that does not fit the dialect."""

    def __init__(self, message: str, *, of_quotes: bool) -> None:
        super().__init__(message)
        self.of_quotes = of_quotes


def scan_file(path: Path, encoding: TextEncoding, dialect: Dialect) -> Scan:
    """Find the line of every row, and check that all have equally many fields.

    Raises:
        Malformed: a row has too few or too many fields, or quotes are not balanced.
    """
    if even := scan_even_lines(path, encoding, dialect):
        return Scan(path, encoding, dialect, even[0], False, Skipped(), even[1])
    lines, spans_lines, skipped, last = array("q"), False, Skipped(), None
    width, header_seen, blank_lines = len(dialect.first), not dialect.header, 0
    doubtful = {"", dialect.first[0]}  # what rows may begin with that are the header or empty
    extends_ascii = not encoding.name.startswith(("utf-16", "utf-32"))
    marked = encoding.mark > 0 or not extends_ascii or begins_line(path, COMMENT.encode())
    with open_text(path, encoding) as text, fields_of_any_size():
        records = Records(text, dialect.delimiter, dialect.quoting, marked=marked)
        try:
            for record in records:
                fields = record.fields
                # The first condition is for speed alone: it holds for nearly all rows.
                if not (lines and len(fields) == width > 1 and fields[0] not in doubtful):
                    if not fields:
                        blank_lines += 1
                        continue
                    if width > 1 and record.is_blank:
                        blank_lines += 1
                        skipped.all.add(record.line)
                        continue
                    reason = _why_no_row(record, dialect, header_seen, len(lines))
                    if reason is not None:
                        skipped.add(reason, record.line, dialect.delimiter.join(fields))
                        continue
                    if not header_seen:
                        header_seen = True
                        spans_lines |= records.last_line > record.line
                        continue
                    if len(fields) != width:
                        raise _ragged(path, dialect, record)
                spans_lines |= records.last_line > record.line and not record.marked
                skipped.blank_lines += blank_lines if lines else 0
                lines.append(record.line)
                last, blank_lines = record, 0
        except csv.Error as error:
            raise _unpaired(path, records, str(error)) from error
    numbers = np.frombuffer(lines, dtype=np.int64) if lines else np.empty(0, np.int64)
    return Scan(path, encoding, dialect, numbers, spans_lines, skipped, last)


def _why_no_row(record: Record, dialect: Dialect, header_seen: bool, rows: int) -> str | None:
    """Name the reason why a record is neither the header nor a row, None if it is."""
    if record.line < dialect.start:
        if record.line == 1 and dialect.says_delimiter:
            return "delimiter"
        return "comment" if record.marked else "above"
    if record.is_comment(len(dialect.first)):
        return "comment"
    if not header_seen:
        return None
    if dialect.units and not rows and record.line == dialect.units:
        return "units"
    if len(record.fields) == len(dialect.first) > 1:
        if record.is_empty:
            return "empty"
        if (
            dialect.header
            and record.fields[0] == dialect.first[0]
            and (tuple(record.fields) == dialect.first)
        ):
            return "header"
    return None


def _ragged(path: Path, dialect: Dialect, record: Record) -> Malformed:
    mark = MARKS.get(dialect.delimiter, repr(dialect.delimiter))
    return Malformed(
        f"{path}, line {record.line}: expected {counted(len(dialect.first), 'field')}, as in line "
        f"{dialect.start}, got {len(record.fields)}. Complete the row, delete the line if it is "
        f"none, or quote a text that contains {mark}.",
        of_quotes=False,
    )


def _unpaired(path: Path, records: Records, error: str) -> Malformed:
    if "unexpected end" in error:
        wrong = f"{path}, line {records.first_line}: a quote is opened here and never closed."
    else:
        wrong = f"{path}, line {records.last_line}: a closing quote is followed by text ({error})."
    return Malformed(f"{wrong} Double the quotes inside a text.", of_quotes=True)
