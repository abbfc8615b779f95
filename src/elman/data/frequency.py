"""The frequency of a series: seconds, months, working days, or plain numbers between steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from elman.errors import DataError, OptionError

Times = NDArray[np.int64] | NDArray[np.float64]
"""Microseconds since 1970, or plain numbers where the frequency is `of_numbers`."""

SECOND = 1_000_000
DAY = 86_400 * SECOND

_UNITS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "second": ("second", 1),
        "minute": ("second", 60),
        "hour": ("second", 3_600),
        "day": ("second", 86_400),
        "week": ("second", 7 * 86_400),
        "month": ("month", 1),
        "quarter": ("month", 3),
        "year": ("month", 12),
        "working day": ("working day", 1),
    }
)
"""Name of a unit → its base unit, and how many of these it is."""

_SEASONS: Mapping[str, int] = MappingProxyType(
    {
        "15 minutes": 96,
        "30 minutes": 48,
        "hour": 24,
        "day": 7,
        "working day": 5,
        "week": 52,
        "month": 12,
        "quarter": 4,
    }
)
"""Frequency → usual season length in steps."""

_FORM = re.compile(r"(?:(\d+(?:\.\d+)?) )?([a-z ]+?)s?")


@dataclass(frozen=True)
class Frequency:
    """The distance between consecutive steps.

    Attributes:
        unit: `second`, `month` or `working day`, Monday to Friday; `number` where times are plain
            numbers.
        count: units per step.

    >>> Frequency.parse("15 minutes"), str(Frequency("month", 3))
    (Frequency(unit='second', count=900), 'quarter')
    """

    unit: str
    count: float

    @classmethod
    def parse(cls, text: str) -> Frequency:
        """Parse a frequency: `hour`, `15 minutes`, `working day`, or a plain number.

        Raises:
            OptionError: the text is not a frequency.
        """
        match = _FORM.fullmatch(text)
        if match and match[2] in _UNITS:
            unit, size = _UNITS[match[2]]
            count = size * float(match[1] or 1)
            whole = unit == "second" or count == int(count)
            if count > 0 and whole and (unit != "working day" or count == 1):
                return cls(unit, int(count) if count == int(count) else count)
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if 0 < number < np.inf:
            return cls("number", number)
        raise OptionError(
            f"a frequency must be one of {', '.join(map(repr, _UNITS))}, a multiple such as "
            f"'15 minutes', or, where times are numbers, the distance between steps; got {text!r}."
        )

    def __str__(self) -> str:
        if self.unit == "number":
            return f"{self.count:g}"
        if self.unit == "working day":
            return self.unit
        sizes = [(size, name) for name, (unit, size) in _UNITS.items() if unit == self.unit]
        whole = [each for each in sizes if self.count % each[0] == 0]
        size, name = max(whole or sizes[:1])
        count = self.count / size
        return name if count == 1 else f"{count:g} {name}s"

    @property
    def of_numbers(self) -> bool:
        """Whether times are plain numbers instead of dates."""
        return self.unit == "number"

    @property
    def season(self) -> int:
        """The usual season length in steps; 1 where there is none."""
        return _SEASONS.get(str(self), 1)

    def places(self, times: Times) -> NDArray[np.int64]:
        """Return the number of steps from the first time to each time.

        Args:
            times: times of one series, ascending, (T,).

        Raises:
            DataError: a time is not a whole number of steps after the first.
        """
        if self.unit == "month":
            months = _as_dates(times).astype("datetime64[M]").astype(np.int64)
            distance = (months - months[0]) / self.count
        elif self.unit == "working day":
            days = _as_dates(times).astype("datetime64[D]")
            off = ~np.is_busday(days)
            if off.any():
                raise DataError(f"{show_time(times[off][0], self)} is not a working day.")
            distance = np.asarray(np.busday_count(days[0], days), np.float64)
        else:
            step = self.count * (1 if self.of_numbers else SECOND)
            distance = (times - times[0]) / step
        whole = np.round(distance)
        wrong = np.abs(distance - whole) > 1e-6 * np.maximum(1, np.abs(distance))
        if wrong.any():
            first, odd = show_time(times[0], self), show_time(times[wrong][0], self)
            raise DataError(
                f"{odd} is not a whole number of steps after {first} at frequency '{self}'."
            )
        return np.asarray(whole, np.int64)

    def times(self, first: int | float, count: int) -> Times:
        """Return the times of `count` steps from the first time, (count,)."""
        steps = np.arange(count)
        if self.of_numbers:
            return np.asarray(first + steps * self.count, np.float64)
        begin = np.datetime64(int(first), "us")
        if self.unit == "working day":
            day = begin.astype("datetime64[D]")
            times = np.busday_offset(day, steps).astype("datetime64[us]") + (begin - day)
            return times.astype(np.int64)  # type: ignore[no-any-return]
        if self.unit == "month":
            return _months(begin, steps * int(self.count))
        return (int(first) + steps * int(self.count * SECOND)).astype(np.int64)


def infer_frequency(times: Times, offsets: NDArray[np.int64], *, of_numbers: bool) -> Frequency:
    """Infer the frequency of some series: the most common distance between steps.

    Args:
        times: times of all series, one after another, ascending within each.
        offsets: start of each series, and the end of the last.
        of_numbers: whether times are plain numbers.

    Raises:
        DataError: no series has two steps.
    """
    distances = np.diff(times)
    within = np.ones(len(distances), bool)
    borders = offsets[1:-1] - 1
    within[borders[(borders >= 0) & (borders < len(within))]] = False
    if not within.any():
        raise DataError(
            "no series has two steps, so the frequency cannot be inferred; give it, for instance "
            "data.frequency = 'day'."
        )
    if of_numbers:
        return Frequency("number", float(_commonest(distances[within])))
    dates = _as_dates(times)
    days = dates.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    firsts = (dates - months.astype("datetime64[us]")).astype(np.int64)
    lasts = ((months + 1).astype("datetime64[D]") - days).astype(np.int64)
    if len(np.unique(firsts)) == 1 or (lasts == 1).all():
        between = np.diff(months.astype(np.int64))[within].astype(np.int64)
        return Frequency("month", int(_commonest(between)))
    step = int(_commonest(distances[within]))
    weeks = (times[-1] - times[0]) / (7 * DAY)
    if step == DAY and weeks >= 2 and bool(np.is_busday(days).all()):
        return Frequency("working day", 1)
    seconds = step / SECOND
    return Frequency("second", int(seconds) if seconds == int(seconds) else seconds)


def show_time(time: int | float, frequency: Frequency) -> str:
    """Format a time: 2011-03-14, 2011-03-14 15:00, or a number."""
    if frequency.of_numbers:
        return f"{float(time):g}"
    whole = np.datetime64(int(time), "us")
    if int(time) % DAY == 0:
        return str(whole.astype("datetime64[D]"))
    text = str(whole.astype("datetime64[s]")).replace("T", " ")
    return text.removesuffix(":00")


def _as_dates(times: Times) -> NDArray[np.datetime64]:
    return times.astype(np.int64).astype("datetime64[us]")


def _commonest(values: Times) -> int | float:
    """Return the most common positive value, the smallest of several."""
    distinct, counts = np.unique(values[values > 0], return_counts=True)
    return distinct[int(counts.argmax())]  # type: ignore[no-any-return]


def _months(begin: np.datetime64, steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Advance a date by months, to the same day of each; a month's last day stays a last day."""
    month, day = begin.astype("datetime64[M]"), begin.astype("datetime64[D]")
    months = month + steps
    days = (day - month.astype("datetime64[D]")).astype(np.int64)
    lasts = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    is_last = days == lasts[0] - 1
    day_of_month = lasts - 1 if is_last else np.minimum(days, lasts - 1)
    dates = (months.astype("datetime64[D]") + day_of_month).astype("datetime64[us]")
    dates += begin - day
    return dates.astype(np.int64)  # type: ignore[no-any-return]
