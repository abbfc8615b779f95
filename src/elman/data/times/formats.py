"""Formats of times: strptime's directives, read from whole columns and written."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from elman.data.frequency import DAY, SECOND
from elman.data.times.calendars import (
    Micros,
    datetimes,
    full_years,
    iso_days,
    offset_of,
    year_lengths,
)
from elman.errors import OptionError, unknown

if TYPE_CHECKING:
    import pyarrow as pa

_MONTHS = {name.lower(): month for month, name in enumerate(calendar.month_abbr) if name}
NAMES = "(?i:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)"
FULL_NAMES = (
    "(?i:january|february|march|april|may|june|july|august|september|october|november|december)"
)
DAYS = "(?i:mon|tues?|wed|thu(?:rs)?|fri|sat|sun)"
FULL_DAYS = "(?i:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
HOURS = r"[+-](?:0\d|1[0-5])"
"""Hours of an offset from UTC, of which there are at most 14."""

_OFFSET = rf"[Zz]|{HOURS}(?::?[0-5]\d)?"

_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "Y": r"\d{4}",
        "y": r"\d{2}",
        "m": r"\d{1,2}",
        "b": NAMES,
        "B": FULL_NAMES,
        "d": r"\d{1,2}",
        "j": r"\d{1,3}",
        "q": "[1-4]",
        "G": r"\d{4}",
        "V": r"\d{1,2}",
        "u": "[1-7]",
        "a": DAYS,
        "A": FULL_DAYS,
        "H": r"\d{1,2}",
        "I": r"\d{1,2}",
        "M": r"\d{1,2}",
        "S": r"\d{1,2}",
        "f": r"\d{1,9}",
        "p": r"[AaPp]\.?[Mm]\.?",
        "P": r"[AaPp]\.?[Mm]\.?",
        "z": _OFFSET,
    }
)
"""Directive → what it matches: those of strptime; `%q`, the quarter; `%P`, am or pm."""

_WIDTHS: Mapping[str, int] = MappingProxyType(
    {"Y": 4, "y": 2, "m": 2, "d": 2, "j": 3, "q": 1, "G": 4, "V": 2, "u": 1}
    | {"H": 2, "I": 2, "M": 2, "S": 2}
)
"""Directive of digits → how many it has where they are written in full."""

_DIRECTIVE = re.compile(r"%(-|\^|:::|:|\d)?([a-zA-Z%])")
_SEASONS = ("Y", "y", "G")
_UTC = re.compile(r"(?:Z| ?UTC| ?GMT)$")


@dataclass(frozen=True)
class _Item:
    """A directive of a format, with its flag; or, where that is empty, literal text."""

    directive: str
    flag: str
    literal: str


@dataclass(frozen=True)
class Parsed:
    """Times as they are written.

    Attributes:
        walls: microseconds from 1970 to the time on the clock, (T,).
        offsets: microseconds that the clock is ahead of UTC, (T,); None where the format has none.
        wrong: cells that do not have the format, or name a day that does not exist, (T,).
        short: directives that some cell writes without the leading zero.
    """

    walls: Micros
    offsets: Micros | None
    wrong: NDArray[np.bool_]
    short: frozenset[str]


@dataclass(frozen=True)
class TimeFormat:
    """How times are written, in strptime's directives.

    Beside those of Python there are `%q`, the quarter; `%-d` and the like, without a leading zero;
    `%^b`, in capitals; `%P`, am or pm; `%3f`, a fraction of three digits; `%:z`, an offset with a
    colon. A cell may leave out the
    fraction, the seconds, and the time of day at its end, which are then zero.

    Raises:
        OptionError: the text has an unknown directive, or no year.
    """

    text: str

    def __post_init__(self) -> None:
        names = [item.directive for item in self._items if item.directive]
        for name in names:
            if name not in _PATTERNS:
                raise unknown(
                    "directive of time_format", f"%{name}", [f"%{each}" for each in _PATTERNS]
                )
        if not set(names) & set(_SEASONS):
            raise OptionError(f"time_format must have a year, %Y or %y; got {self.text!r}.")
        if repeated := {name for name in names if names.count(name) > 1}:
            raise OptionError(
                f"time_format must have each directive once; got %{min(repeated)} more often "
                f"in {self.text!r}."
            )

    @cached_property
    def _items(self) -> list[_Item]:
        items, end = [], 0
        for match in _DIRECTIVE.finditer(self.text):
            if match.start() > end:
                items.append(_Item("", "", self.text[end : match.start()]))
            end = match.end()
            items.append(
                _Item("", "", "%") if match[2] == "%" else _Item(match[2], match[1] or "", "")
            )
        return [*items, _Item("", "", self.text[end:])] if end < len(self.text) else items

    @property
    def directives(self) -> frozenset[str]:
        """The letters of the directives."""
        return frozenset(item.directive for item in self._items if item.directive)

    @property
    def has_clock(self) -> bool:
        """Whether there is a time of day."""
        return bool(self.directives & {"H", "I"})

    @property
    def has_offset(self) -> bool:
        """Whether the zone is written: an offset, or a mark of UTC at the end."""
        return "z" in self.directives or self.is_utc

    @property
    def is_utc(self) -> bool:
        """Whether the format ends with a mark of UTC."""
        last = self._items[-1]
        return self.has_clock and not last.directive and bool(_UTC.search(last.literal))

    @property
    def is_digits(self) -> bool:
        """Whether times are written as one whole number: 20231027."""
        return all(item.directive in _WIDTHS and not item.flag for item in self._items)

    @property
    def width(self) -> int:
        """Number of digits of a format that `is_digits`."""
        return sum(_WIDTHS[item.directive] for item in self._items)

    def unpadded(self, short: frozenset[str]) -> TimeFormat:
        """Return the format that writes some directives without a leading zero."""
        written = [
            f"%-{item.directive}" if item.directive in short and not item.flag else _text(item)
            for item in self._items
        ]
        return TimeFormat("".join(written))

    @cached_property
    def pattern(self) -> str:
        """The regular expression of a cell, in the syntax of RE2 and of Python."""
        parts: list[str] = []
        opened = 0
        items = self._items
        for place, item in enumerate(items):
            after = items[place + 1] if place + 1 < len(items) else None
            before = items[place - 1] if place else None
            if not item.directive:
                parts.append(_literal(item.literal, after))
                if self._clock_is_optional and after and after.directive in {"H", "I"}:
                    parts.insert(len(parts) - 1, "(?:")
                    opened += 1
                continue
            exact = item.flag != "-" and any(each and each.directive for each in (before, after))
            digits = _PATTERNS[item.directive]
            if exact and item.directive in _WIDTHS:
                digits = rf"\d{{{_WIDTHS[item.directive]}}}"
            parts.append(f"(?P<{item.directive}>{digits})")
            if item.directive in {"S", "f"} and before and not before.directive:
                optional = parts.pop()
                separator = r"[.,]" if item.directive == "f" else parts[-1]
                parts[-1] = f"(?:{separator}{optional})?"
        return "^" + "".join(parts) + ")?" * opened + "$"

    @property
    def _clock_is_optional(self) -> bool:
        """Whether the time of day follows the date and ends the format."""
        if self.has_offset:
            return False
        names = [item.directive for item in self._items if item.directive]
        clock = next((place for place, name in enumerate(names) if name in {"H", "I"}), 0)
        return clock > 0 and set(names[clock:]) <= {"H", "I", "M", "S", "f", "p", "P"}

    def parse(self, texts: pa.Array) -> Parsed:
        """Read cells.

        Args:
            texts: strings without a missing one.
        """
        import pyarrow.compute as pc

        found = pc.extract_regex(texts, self.pattern)
        wrong = found.is_null().to_numpy(zero_copy_only=False)
        raw = {name: found.field(name).fill_null("") for name in self.directives - {"a", "A"}}
        numbers = {name: _whole(values) for name, values in raw.items() if name in _WIDTHS}
        days, absent = self._days(numbers, raw)
        clock, impossible = self._clock(numbers, raw)
        wrong = wrong | absent | impossible
        offsets: Micros | None = None
        if "z" in raw:
            offsets = _of_distinct(raw["z"], offset_of)
        elif self.is_utc:
            offsets = np.zeros(len(wrong), np.int64)
        short = [
            name
            for name in numbers
            if name in {"m", "d", "H", "I"}
            and pc.any(pc.equal(pc.utf8_length(raw[name]), 1)).as_py()
        ]
        return Parsed(days * DAY + clock, offsets, wrong, frozenset(short))

    def _days(
        self, numbers: Mapping[str, Micros], raw: Mapping[str, pa.Array]
    ) -> tuple[Micros, NDArray[np.bool_]]:
        """Return the days since 1970, and which of them do not exist."""
        if "G" in numbers:
            return iso_days(numbers["G"], numbers.get("V"), numbers.get("u"))
        years = numbers["Y"] if "Y" in numbers else full_years(numbers["y"])
        months = np.ones_like(years)
        if "m" in numbers:
            months = numbers["m"]
        elif "q" in numbers:
            months = 3 * (numbers["q"] - 1) + 1
        elif name := next((each for each in ("b", "B") if each in raw), None):
            months = _of_distinct(raw[name], lambda text: _MONTHS.get(text[:3].lower(), 1))
        wrong = (months < 1) | (months > 12)
        begins = ((years - 1970) * 12 + months.clip(1, 12) - 1).astype("datetime64[M]")
        first = begins.astype("datetime64[D]").astype(np.int64)
        after = (begins + 1).astype("datetime64[D]").astype(np.int64)
        if "j" in numbers:
            impossible = (numbers["j"] < 1) | (numbers["j"] > year_lengths(years))
            return first + numbers["j"] - 1, wrong | impossible
        if "d" not in numbers:
            return first, wrong
        days = first + numbers["d"] - 1
        return days, wrong | (numbers["d"] < 1) | (days >= after)

    def _clock(
        self, numbers: Mapping[str, Micros], raw: Mapping[str, pa.Array]
    ) -> tuple[Micros, NDArray[np.bool_]]:
        """Return the microseconds since midnight, and which of them no clock shows."""
        import pyarrow.compute as pc

        zero = np.zeros(len(next(iter(raw.values()))), np.int64)
        hours = numbers.get("H", zero)
        wrong = hours > 23
        if "I" in numbers:
            hours = numbers["I"]
            present = pc.not_equal(raw["I"], "").to_numpy(zero_copy_only=False)
            wrong = present & ((hours < 1) | (hours > 12))
            hours = hours % 12
            for name in {"p", "P"} & set(raw):
                hours = hours + 12 * _of_distinct(raw[name], lambda text: text[:1] in {"p", "P"})
        minutes, seconds = numbers.get("M", zero), numbers.get("S", zero)
        wrong = wrong | (minutes > 59) | (seconds > 59)
        micros = (hours * 3_600 + minutes * 60 + seconds) * SECOND
        if "f" in self.directives:
            micros = micros + _whole(pc.utf8_rpad(raw["f"], 9, "0")) // 1_000
        return micros, wrong

    def write(self, walls: Micros, offsets: Micros) -> list[str]:
        """Write times.

        Args:
            walls: as in `Parsed`, (T,).
            offsets: likewise.
        """
        return [
            "".join(_written(item, stamp, int(offset)) for item in self._items)
            for stamp, offset in zip(datetimes(walls), offsets, strict=True)
        ]


def _text(item: _Item) -> str:
    return f"%{item.flag}{item.directive}" if item.directive else item.literal.replace("%", "%%")


def _literal(text: str, after: _Item | None) -> str:
    """Match literal text; before a time of day a T is a space."""
    if text in {"T", " "} and after and after.directive in {"H", "I"}:
        return "[T ]"
    return re.escape(text).replace(r"\ ", " ")


def _whole(texts: pa.Array) -> Micros:
    """Return digits as numbers; none are 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    digits = pc.if_else(pc.equal(texts, ""), "0", texts)
    return digits.cast(pa.int64()).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _of_distinct(texts: pa.Array, value: Callable[[str], int]) -> Micros:
    """Return a number for every text, computed once for each that is different."""
    encoded = texts.dictionary_encode()
    numbers = np.array([value(text) for text in encoded.dictionary.to_pylist()], np.int64)
    return np.asarray(numbers[encoded.indices.to_numpy(zero_copy_only=False)], np.int64)


def _written(item: _Item, time: datetime.datetime, offset: int) -> str:
    """Write one item of a format."""
    if not item.directive:
        return item.literal
    if item.directive == "f":
        return f"{time.microsecond:06d}".ljust(9, "0")[: int(item.flag or 6)]
    if item.directive == "z":
        return _written_offset(offset, item.flag)
    year, week, weekday = time.isocalendar()
    names: Mapping[str, str] = {
        "b": calendar.month_abbr[time.month],
        "B": calendar.month_name[time.month],
        "a": calendar.day_abbr[time.weekday()],
        "A": calendar.day_name[time.weekday()],
        "p": "PM" if time.hour >= 12 else "AM",
        "P": "pm" if time.hour >= 12 else "am",
    }
    if item.directive in names:
        name = names[item.directive]
        return name.upper() if item.flag == "^" else name
    numbers = {
        "Y": time.year,
        "y": time.year % 100,
        "m": time.month,
        "d": time.day,
        "j": time.timetuple().tm_yday,
        "q": (time.month + 2) // 3,
        "G": year,
        "V": week,
        "u": weekday,
        "H": time.hour,
        "I": time.hour % 12 or 12,
        "M": time.minute,
        "S": time.second,
    }
    width = 1 if item.flag == "-" else _WIDTHS[item.directive]
    return f"{numbers[item.directive]:0{width}d}"


def _written_offset(offset: int, flag: str) -> str:
    """Write an offset: +0200, +02:00 with a colon, +02 with three."""
    minutes = abs(offset) // (60 * SECOND)
    hours, rest = divmod(minutes, 60)
    colon = ":" if flag else ""
    tail = f"{colon}{rest:02d}" if flag != ":::" or rest else ""
    return f"{'-' if offset < 0 else '+'}{hours:02d}{tail}"
