"""The column of times that an error or a note is about, and how its format is set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from elman.errors import DataError, as_option

if TYPE_CHECKING:
    from elman.data.table import Table

NUMBER = "number"
"""Format of plain numbers."""

_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp]\.?[Mm]\.?)?")


class NoTime(DataError):
    """A cell that is no time.

    Args:
        place: of the cell, in words.
        row: its number in the column.
        why: what the cell is, and why it is no time.
    """

    def __init__(self, place: str, row: int, why: str) -> None:
        super().__init__(f"{place}: {why}")
        self.row = row
        self.why = why


class AmbiguousTimes(NoTime):
    """A column in which day and month cannot be told apart.

    Args:
        formats: in which all of its cells may be written.
    """

    def __init__(self, place: str, row: int, why: str, formats: Sequence[str]) -> None:
        super().__init__(place, row, why)
        self.formats = tuple(formats)


@dataclass(frozen=True)
class Subject:
    """The column that an error is about."""

    table: Table
    name: str
    as_years: bool = False
    """Whether numbers of four digits are years."""
    as_input: bool = False
    """Whether its calendar is read as input, so that its format is said with its kind."""

    @property
    def option(self) -> str:
        """Name of the setting of the format."""
        return "time_format" if self.as_input else "data.time_format"

    def setting(self, written: str) -> str:
        """Write the option that says how the cells are written."""
        if self.as_input:
            kind = NUMBER if written == NUMBER else f"date:{written}"
            return as_option("--read", f"{self.name}:{kind}")
        quoted = written if written.startswith("%") or written == NUMBER else f'"{written}"'
        return as_option("--set", f"data.time_format={quoted}")

    @property
    def numbers(self) -> str:
        """How to read the cells as plain numbers, in words."""
        place = " in its place" if self.as_input else ""
        return f"{self.setting(NUMBER)}{place} reads plain numbers"

    def cell(self, row: int) -> str:
        """Show a cell as it is written."""
        value = self.table.column(self.name)[row]
        return repr(value) if isinstance(value, str) else str(value)

    def place(self, row: int) -> str:
        """Name the place of a cell."""
        return f"{self.table.where(row)}, column {self.name}"

    def wrong(self, row: int, why: str) -> NoTime:
        """Build the error for a cell."""
        return NoTime(self.place(row), row, f"{self.cell(row)} {why}")


def formless(cell: str, subject: Subject, row: int) -> NoTime:
    """Build the error for a cell that has no form of a time."""
    of_day = _TIME_OF_DAY.fullmatch(cell)
    if of_day and subject.as_input:
        other = as_option("--read", f"{subject.name}:category")
        return subject.wrong(
            row,
            "is a time of day, and a column of kind 'date' must hold dates. Write it as a number, "
            f"such as the hours since midnight; or read it as a category, {other}; or leave it "
            f"out, {as_option('--ignore', subject.name)}.",
        )
    if of_day:
        return subject.wrong(
            row,
            "is a time without a date. Name the column of dates as the time, and this one as "
            "data.time_of_day; or write the time that has passed as a number.",
        )
    setting = subject.setting("%d.%m.%Y %H:%M")
    if subject.as_input:
        return subject.wrong(
            row,
            "is not a date. Write it as 2011-03-14 or 2011-03-14 15:09:26, or leave it empty where "
            f"the date is missing; or say how dates are written, such as {setting}.",
        )
    return subject.wrong(
        row,
        "is not a time. Write it as a number or as 2011-03-14 or 2011-03-14 15:09:26; or say how "
        f"times are written, such as {setting}.",
    )
