"""The dialect of a delimited file: its delimiter, its quotes, and whether it has a header."""

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
"""Delimiters for a file of one column; one is used that the sample does not contain."""

LONGEST_NAME = 60
"""Longest field, in characters, that is taken for a column's name and not for a value."""

NUMBER = r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*"
"""Regular expression of a number in a field."""

_TYPED = re.compile(rf"(?:{NUMBER}|\d{{4}}-\d\d(?:-\d\d.*)?|true|false)", re.IGNORECASE | re.DOTALL)

Quoting = Literal["quoted", "escaped", "plain"]
"""Quotes inside quotes are doubled; are escaped by a backslash; quotes are ordinary characters."""

QUOTINGS: tuple[Quoting, ...] = ("quoted", "escaped", "plain")

Records = list[list[str]]


class Dialect(NamedTuple):
    """The dialect of a delimited file."""

    delimiter: str
    quoting: Quoting
    header: bool
    first: tuple[str, ...]
    """Fields of the first record."""

    def records(self, text: TextIO) -> Any:
        """Return a reader of the records of a text; blank lines are records without fields."""
        return _reader(text, self.delimiter, self.quoting)

    @property
    def names(self) -> list[str]:
        """Names of the columns: those of the header, or `column_2` etc. without one."""
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
    """Lift the 128 kB limit on the length of a field in Python's reader."""
    previous = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(previous)


def sniff(sample: str, *, cut: bool, preferred: str = ",") -> Dialect | None:
    """Detect the dialect of a file.

    The delimiter is the one that gives every record of the sample the same number of fields, at
    least two; where none does, the one that gives it to most records, provided that the first
    record contains it. Otherwise the file has one column.

    Args:
        sample: the start of the file.
        cut: whether the file continues after the sample.
        preferred: delimiter that is chosen where several fit.

    Returns:
        The dialect, or None where the sample contains no record.
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
    if len(quotings) > 1 and (present := [mark for mark in delimiters if mark in line]):
        # The quotes are unbalanced, and not ordinary characters either: reading will say where.
        return Dialect(present[0], "quoted", header=True, first=tuple(line.split(present[0])))
    absent = next((mark for mark in NEVER_DELIMITERS if mark not in sample), NEVER_DELIMITERS[0])
    for quoting in quotings:
        records = _sample_records(sample, absent, quoting, cut=cut)
        if records:
            return _dialect(absent, quoting, records)
    return None


def _dialect(delimiter: str, quoting: Quoting, records: Records) -> Dialect:
    return Dialect(delimiter, quoting, has_header(records), tuple(records[0]))


def _sample_records(sample: str, delimiter: str, quoting: Quoting, *, cut: bool) -> Records:
    """Read the records of a sample; none where it does not fit the dialect."""
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
    """Tell whether the first record is a header.

    It is not if one of its fields is a number or a date. It is if all values below one of its
    fields are numbers or dates, ignoring repetitions of the header, as in concatenated files.
    Where all values are text, it is unless one of its fields occurs again in the same column, or
    is too long for a name.
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
