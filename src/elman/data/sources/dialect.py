"""How a delimited file is written: its delimiter, its quotes, and whether it has a header."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, TextIO

DELIMITERS = (",", "\t", ";", "|")

NEVER_DELIMITERS = ("\x1f", "\x1e", "\x1d", "\x1c")
"""One stands for the delimiter of a file of one column: one that its beginning does not contain."""

LONGEST_NAME = 60
"""Characters of a first field beyond which it is taken for a value, not the name of a column."""

NUMBER = r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*"
"""A number as it may stand in a field, as a regular expression."""

DECIMAL_COMMA = r"\s*[-+]?\d+(?:,\d+)?(?:[eE][-+]?\d+)?\s*"
"""A number as it may stand where a comma is the decimal point and not the delimiter."""

_TYPED = re.compile(rf"(?:{NUMBER}|\d{{4}}-\d\d(?:-\d\d.*)?|true|false)", re.IGNORECASE | re.DOTALL)

Quoting = Literal["quoted", "escaped", "plain"]
"""Quotes inside quotes are doubled; they follow a backslash; quotes are characters as any."""

QUOTINGS: tuple[Quoting, ...] = ("quoted", "escaped", "plain")

Records = list[list[str]]


class Dialect(NamedTuple):
    """How a delimited file is written."""

    delimiter: str
    quoting: Quoting
    header: bool
    first: tuple[str, ...]
    """Fields of the first record."""

    def records(self, text: TextIO) -> Any:
        """Return a reader of the records of a text; blank lines are records without a field."""
        return _reader(text, self.delimiter, self.quoting)

    @property
    def names(self) -> list[str]:
        """Names of the columns: the header's, `column_2` where there is none."""
        numbered = [f"column_{number}" for number in range(1, len(self.first) + 1)]
        if not self.header:
            return numbered
        return [field.strip() or name for field, name in zip(self.first, numbered, strict=True)]


def _reader(text: TextIO, delimiter: str, quoting: Quoting) -> Any:
    if quoting == "plain":
        return csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    escape = "\\" if quoting == "escaped" else None
    return csv.reader(text, delimiter=delimiter, escapechar=escape, strict=True)


@contextmanager
def fields_of_any_size() -> Iterator[None]:
    """Let Python's reader take fields longer than its usual 128 kB."""
    usual = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def sniff(sample: str, *, cut: bool, preferred: str = ",") -> Dialect | None:
    """Find out how a file is written.

    The delimiter is the one that gives every record of the sample the same number of fields, at
    least two; where none does, the one that comes nearest, provided that the first record
    contains it. Else the file has one column.

    Args:
        sample: the file's beginning.
        cut: whether the file goes on behind the sample.
        preferred: delimiter that is taken where several would do.

    Returns:
        The dialect, or None where the sample holds no record.
    """
    best: tuple[float, str, Quoting, Records] | None = None
    delimiters = (preferred, *(mark for mark in DELIMITERS if mark != preferred))
    quotings = QUOTINGS if '"' in sample else QUOTINGS[:1]
    for quoting in quotings:
        for delimiter in delimiters:
            records = _sample_records(sample, delimiter, quoting, cut=cut)
            if not records or len(records[0]) < 2:
                continue
            alike = sum(len(record) == len(records[0]) for record in records) / len(records)
            if alike == 1:
                return _dialect(delimiter, quoting, records)
            if quoting != "plain" and (best is None or alike > best[0]):
                best = alike, delimiter, quoting, records
    if best is not None:
        return _dialect(*best[1:])
    line = sample.partition("\n")[0]
    if len(quotings) > 1 and (found := [mark for mark in delimiters if mark in line]):
        # Quotes do not pair, and are no characters either: let the reading say where.
        return Dialect(found[0], "quoted", header=True, first=tuple(line.split(found[0])))
    absent = next((mark for mark in NEVER_DELIMITERS if mark not in sample), NEVER_DELIMITERS[0])
    for quoting in quotings:
        records = _sample_records(sample, absent, quoting, cut=cut)
        if records:
            return _dialect(absent, quoting, records)
    return None


def _dialect(delimiter: str, quoting: Quoting, records: Records) -> Dialect:
    return Dialect(delimiter, quoting, has_header(records), tuple(records[0]))


def _sample_records(sample: str, delimiter: str, quoting: Quoting, *, cut: bool) -> Records:
    """Read the records of a sample, none where it cannot have been written like this."""
    records: Records = []
    try:
        with fields_of_any_size():
            for record in _reader(io.StringIO(sample, newline=""), delimiter, quoting):
                if record:
                    records.append(record)
    except csv.Error as error:
        # A sample may end within quotes; a file may not.
        return records if cut and "unexpected end" in str(error) else []
    if cut and len(records) > 1:
        records.pop()
    return records


def has_header(records: Records) -> bool:
    """Tell whether the first record names the columns.

    It does not if a field of it is a number or a date. It does if below one of its fields all
    values are numbers or dates, where it does not come again itself, as in files put one after
    another. Where everything is text it does unless one of its fields comes again further down in
    the same column, or is too long for a name.
    """
    first, rest = records[0], records[1:]
    if any(_TYPED.fullmatch(field) for field in first) or not any(map(str.strip, first)):
        return False
    others = _columns([row for row in rest if row != first], len(first))
    if any(column and all(map(_TYPED.fullmatch, column)) for column in others):
        return True
    if any(len(field) > LONGEST_NAME for field in first):
        return False
    below = _columns(rest, len(first))
    return not any(field in column for field, column in zip(first, below, strict=True))


def _columns(records: Records, width: int) -> list[list[str]]:
    """Turn records into columns, without their empty fields."""
    return [[row[i] for row in records if i < len(row) and row[i]] for i in range(width)]
