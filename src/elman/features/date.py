"""Dates by their calendar: how late they are, and where in the year, month, week and day."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elman.data.frequency import DAY
from elman.data.table import Table
from elman.data.times import NUMBER, NoTime, checked_format, read_times
from elman.data.times.cells import DATE, TIMESTAMP
from elman.data.times.formats import TimeFormat
from elman.data.times.missing import is_missing
from elman.errors import DataError, OptionError, as_option, counted
from elman.features.calendar import CYCLES
from elman.features.checks import ValueRefused, blank, fitted, shown
from elman.features.feature import Encoding, Feature
from elman.features.state import feature_state, malformed, options_of, restore

YEAR = 365.2425 * DAY
"""Mean length of a year in microseconds."""

MOST_KNOWN = 1_000_000
"""Training rows whose dates are remembered as they were read."""

_OF_DAYS = ("day of the year", "day of the month", "day of the week")
_OF_CLOCKS = ("hour of the day",)

_TYPES = (datetime.date, np.datetime64)
_READ = (str, int, *_TYPES)
"""Types of the values that may be dates."""


class DateFeature(Feature):
    """A date, or a date with a time of day, as numbers.

        (t − mean) / sd          t: years since 1970
        sin 2π p, cos 2π p       p: share of the year, of the month, of the week and, where the
                                 training dates have a time of day, of the day that has passed

    If training dates are missing, another column is 1 where one is missing and the others are 0.
    What says that a number is missing says so of a date, too: `N/A`, `null`, `-`; and so does
    `0000-00-00`.

    Args:
        time_format: how dates are written, as `data.time_format`; seen from the training rows by
            default.

    Raises:
        OptionError: the format is unknown.

    >>> date = DateFeature().fit(["2023-01-01", "2023-07-02", "2024-01-01"])
    >>> date.encoding.numbers, date.decode(date.encode("2023-07-02"))
    (7, '2023-07-02')
    """

    kind: ClassVar[str] = "date"
    has_steps: ClassVar[bool] = False
    plural: ClassVar[str] = "dates"
    free_variant: ClassVar[str] = "time_format"
    reads_gaps: ClassVar[bool] = True

    def __init__(self, *, time_format: str | None = None) -> None:
        self.time_format = None if time_format is None else checked_format(time_format)
        self.notes: list[str] = []
        self._column = "date"
        self._learned: dict[str, Any] | None = None
        self._known: dict[Any, int] = {}  # training dates, read once and all together

    @property
    def cycles(self) -> tuple[str, ...]:
        """The cycles of the calendar that are read; known once fitted."""
        clocks = _OF_CLOCKS if fitted(self._learned, self.kind)["has_clock"] else ()
        return (*_OF_DAYS, *clocks)

    @property
    def encoding(self) -> Encoding:
        """How late it is, two numbers a cycle, and a mark where dates are missing."""
        has_gaps = fitted(self._learned, self.kind)["has_gaps"]
        return Encoding(numbers=1 + 2 * len(self.cycles) + has_gaps)

    @property
    def description(self) -> str:
        """What a value is, in words."""
        return "a date"

    def about(self, name: str) -> None:
        """Take the name of the column, for notes and errors."""
        self._column = name

    def lacks(self, value: Any) -> bool:
        """Tell whether a date is missing where no training date was."""
        has_gaps = fitted(self._learned, self.kind)["has_gaps"]
        return not has_gaps and is_missing(value)

    def fit(self, values: Iterable[Any]) -> DateFeature:
        """Learn how dates are written and how far apart they are.

        Raises:
            DataError: there is no date, or a value is none.
            ValueRefused: a value is none; it is known which.
        """
        rows, places, count, words = list[Any](), list[int](), 0, Counter[str]()
        for place, value in enumerate(values):
            count += 1
            if is_missing(value):
                if not blank(value):
                    words[str(value).strip()] += 1
            elif isinstance(value, _READ):
                rows.append(value)
                places.append(place)
            else:
                raise DataError(f"a date must be a text or a date, got {shown(value)}.")
        if not rows:
            raise DataError(f"there is no date in the {count} training rows.")
        try:
            walls, written, notes = _read(rows, self.time_format, self._column)
        except NoTime as error:
            raise ValueRefused(places[error.row], error.why) from error
        missing = count - len(rows)
        years = walls / YEAR
        self._learned = {
            "written": written,
            "mean": float(years.mean()),
            "sd": max(float(years.std()), DAY / YEAR),
            "has_clock": bool((walls % DAY).any()),
            "has_gaps": missing > 0,
        }
        self._known = dict(zip(rows[:MOST_KNOWN], walls[:MOST_KNOWN].tolist(), strict=True))
        self.notes = [*notes]
        if missing:
            said = [f"{word!r} in {counted(cells, 'cell')}" for word, cells in words.items()]
            self.notes.append(
                f"{counted(missing, 'date')} {'is' if missing == 1 else 'are'} missing, and marked "
                f"as such{': ' * bool(said)}{', '.join(said)}."
            )
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn a date into numbers, (n,), float32.

        Raises:
            DataError: the value is no date, or missing where no training date is.
        """
        learned = fitted(self._learned, self.kind)
        mark = [0.0] if learned["has_gaps"] else []
        if is_missing(value):
            if not mark:
                raise DataError(
                    "the date is missing, but no training row lacks it; fill it in, or leave the "
                    "row out."
                )
            return torch.tensor([0.0] * (1 + 2 * len(self.cycles)) + [1.0])
        wall = self._known.get(value) if isinstance(value, _READ) else None
        if wall is None:
            wall = _wall(value, learned["written"])
        numbers = [(wall / YEAR - learned["mean"]) / learned["sd"]]
        moment = np.array([wall]).astype("datetime64[us]")
        for name in self.cycles:
            cycle = CYCLES[name]
            angle = 2 * math.pi * float(cycle.place(moment)[0]) / cycle.places
            numbers += [math.sin(angle), math.cos(angle)]
        return torch.tensor([*numbers, *mark], dtype=torch.float32)

    def decode(self, encoded: Tensor) -> str | None:
        """Turn numbers back into a day, as 2023-10-27; None where it is missing."""
        learned = fitted(self._learned, self.kind)
        if learned["has_gaps"] and float(encoded[-1]) > 0:
            return None
        wall = (float(encoded[0]) * learned["sd"] + learned["mean"]) * YEAR
        return str(
            (np.datetime64(round(wall), "us") + np.timedelta64(12, "h")).astype("datetime64[D]")
        )

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        return feature_state(self.kind, options_of(self), dict(fitted(self._learned, self.kind)))

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> DateFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        entries = {"written": str, "mean": float, "sd": float, "has_clock": bool, "has_gaps": bool}
        feature, learned = restore(cls, state, entries)
        try:
            checked_format(learned["written"])
        except OptionError as error:
            raise malformed(cls.kind, str(error)) from error
        feature._learned = learned
        return feature


def _read(
    values: Sequence[Any], time_format: str | None, column: str = "date"
) -> tuple[NDArray[np.int64], str, list[str]]:
    """Read dates: where their clocks stand, how they are written, and what was assumed.

    Args:
        values: dates.
        time_format: how they are written; None to see it from them.
        column: name of their column.

    Raises:
        DataError: one is no date.
    """
    table = Table.from_columns({column: values}, "the training rows")
    times = read_times(table, column, time_format=time_format, as_input=True)
    if times.format == NUMBER:
        raise NoTime(
            table.where(0),
            0,
            f"a date must be a day, got the number {shown(values[0])}. To read the column as "
            f"numbers, say {as_option('--read', f'{column}:{NUMBER}')}.",
        )
    return np.asarray(times.walls, np.int64), times.format, times.notes


def _wall(value: Any, written: str) -> int:
    """Return the microseconds from 1970 to what the clock of a date shows.

    Raises:
        DataError: it is no date written as those of the training rows.
    """
    if isinstance(value, datetime.datetime):
        value = value.replace(tzinfo=None)
    if isinstance(value, _TYPES):
        day: Any = value
        return int(np.datetime64(day, "us").astype(np.int64))
    if isinstance(value, str | int):
        return _wall_of(value, written)
    raise DataError(f"a date must be written {written}, got {shown(value)}.")


@lru_cache(maxsize=65_536)
def _wall_of(value: str | int, written: str) -> int:
    import pyarrow as pa

    if "%" not in written:  # seconds since 1970, or a text beside typed dates
        return int(_read([value], None if written in {DATE, TIMESTAMP} else written)[0][0])
    parsed = _format_of(written).parse(pa.array([str(value).strip()]))
    if parsed.wrong[0]:
        raise DataError(f"a date must be written {written}, got {shown(value)}.")
    return int(parsed.walls[0])


_format_of = lru_cache(maxsize=64)(TimeFormat)
