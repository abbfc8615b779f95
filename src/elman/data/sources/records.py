"""The records of delimited text, each with its line, and lines that may be comments."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

Quoting = Literal["quoted", "escaped", "plain"]
"""Quotes inside quotes are doubled; are escaped by a backslash; quotes are ordinary characters."""

WHITE_SPACE = " "
"""The delimiter of columns that any number of spaces and tabs divide."""

COMMENT = "#"
"""What comment lines begin with."""


class Record(NamedTuple):
    """A record: its first line, from 1, and its fields."""

    line: int
    fields: list[str]
    marked: bool = False
    """Whether it begins as comments do."""

    @property
    def is_empty(self) -> bool:
        """Whether none of its fields is filled."""
        return not any(map(str.strip, self.fields))

    @property
    def is_blank(self) -> bool:
        """Whether the line contains nothing but white space."""
        return len(self.fields) < 2 and self.is_empty

    def is_comment(self, width: int) -> bool:
        """Tell whether it is a comment in a table of rows with `width` fields.

        It is if it begins with #, has another number of fields than the rows, and either contains
        no delimiter or has a space, or nothing, behind its #.
        """
        if not self.marked or width < 2 or len(self.fields) == width:
            return False
        return len(self.fields) == 1 or not self.fields[0].lstrip(COMMENT)[:1].strip()


class Records:
    """Iterates over the records of text; knows the lines of the one that is being read.

    A line that begins with # where a record may begin is a record of its own, so that a quote in
    a comment opens no field.

    Args:
        text: its lines, with their ends.
        delimiter: what divides fields.
        quoting: what quotes mean.
        marked: whether any line begins with #; False saves time.
    """

    def __init__(
        self, text: Iterable[str], delimiter: str, quoting: Quoting, *, marked: bool = True
    ) -> None:
        self.text = text
        self.marked = marked
        self.delimiter = delimiter
        self.quoting = quoting
        self.first_line = 1
        self.last_line = 0
        self._begins = True
        self._aside: list[Record] = []

    def __iter__(self) -> Iterator[Record]:
        """Yield all records; blank lines are records without fields.

        Raises:
            csv.Error: quotes are not balanced.
        """
        if not self.marked:
            yield from self._unmarked()
            return
        for fields in self._reader(self._lines()):
            yield from self._aside
            self._aside.clear()
            yield Record(self.first_line, fields)
            self._begins = True
        yield from self._aside

    def _unmarked(self) -> Iterator[Record]:
        """Yield all records of text in which no line begins with #."""
        reader = self._reader(iter(self.text))
        try:
            for fields in reader:
                self.last_line = reader.line_num
                yield Record(self.first_line, fields)
                self.first_line = reader.line_num + 1
        except csv.Error:
            self.last_line = reader.line_num
            raise

    def _lines(self) -> Iterator[str]:
        """Yield the lines for the reader; those that may be comments are put aside."""
        for line in self.text:
            self.last_line += 1
            if self._begins:
                self.first_line = self.last_line
                if line.startswith(COMMENT) and (fields := self._alone(line)) is not None:
                    self._aside.append(Record(self.last_line, fields, marked=True))
                    continue
            self._begins = False
            yield line

    def _alone(self, line: str) -> list[str] | None:
        """Return the fields of a line that is read alone; None if it ends within quotes."""
        try:
            return next(self._reader(iter([line])), None)
        except csv.Error:
            return None

    def _reader(self, lines: Iterator[str]) -> Any:
        if self.delimiter == WHITE_SPACE:
            even = (line.replace("\t", " ").strip() + "\n" for line in lines)
            return csv.reader(even, delimiter=" ", skipinitialspace=True, strict=True)
        if self.quoting == "plain":
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, strict=True)
        escape = "\\" if self.quoting == "escaped" else None
        return csv.reader(lines, delimiter=self.delimiter, escapechar=escape, strict=True)


@contextmanager
def fields_of_any_size() -> Iterator[None]:
    """Lift the 128 kB limit on the length of a field in Python's reader."""
    previous = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(previous)
