"""The frequency of a series: seconds, months, working days, or plain numbers between steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.errors import OptionError

Times = NDArray[np.int64] | NDArray[np.float64]
"""Microseconds since 1970, or plain numbers where the frequency is `of_numbers`."""

SECOND = 1_000_000
DAY = 86_400 * SECOND

_UNITS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "second": ("second", 1),
        "minute": ("second", 60),
        "hour": ("second", 3_600),
        "day": ("day", 1),
        "week": ("day", 7),
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
        "24 hours": 7,
        "day": 7,
        "working day": 5,
        "week": 52,
        "month": 12,
        "quarter": 4,
    }
)
"""Frequency → usual season length in steps."""

TOLERANCE = 0.1
"""Largest distance of a time from its step, as a share of a step."""

_EXACT = 1e-6
"""Distance from a step, as a share of a step, that only rounding makes."""

_FARTHEST = 2.0**52
"""Largest number of steps that is counted; far fewer are refused."""

MONTH = 30.436875 * DAY
"""Mean length of a month."""

_FORM = re.compile(r"(?:(\d+(?:\.\d+)?) )?([a-z ]+?)s?")


@dataclass(frozen=True)
class Frequency:
    """The distance between consecutive steps.

    Seconds, minutes and hours pass alike everywhere; days, weeks and months are those of the
    clocks of the place, so that a day may have 23 or 25 hours.

    Attributes:
        unit: `second`, `day`, `month` or `working day`, Monday to Friday; `number` where times
            are plain numbers.
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
            if unit == "day" and count != int(count):  # 0.5 days are 12 hours
                unit, count, whole = "second", count * 86_400, True
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
        return name if count == 1 else f"{count:.12g} {name}s"

    @property
    def of_numbers(self) -> bool:
        """Whether times are plain numbers instead of dates."""
        return self.unit == "number"

    @property
    def of_clocks(self) -> bool:
        """Whether steps are counted by the clocks of a place, not by the time that passes."""
        return self.unit in {"day", "month", "working day"}

    @property
    def season(self) -> int:
        """The usual season length in steps; 1 where there is none."""
        return _SEASONS.get(str(self), 1)

    @property
    def seasons(self) -> list[int]:
        """The lengths in steps of an hour, a day, a week and a year, of those with two at least."""
        if self.of_numbers:
            return []
        lengths = [DAY / 24, DAY, 7 * DAY, 12 * MONTH]
        if self.unit == "working day":
            return [5, 261]
        return [steps for each in lengths if (steps := round(each / self.length)) >= 2]

    @property
    def length(self) -> float:
        """Length of a step in microseconds, or as a number; the mean where steps are unlike."""
        sizes = {"second": SECOND, "day": DAY, "month": MONTH, "working day": DAY, "number": 1}
        return self.count * sizes[self.unit]

    def grid(self, times: Times) -> Grid:
        """Place the times of a series on the steps of a grid.

        The grid begins at the first time where the others then lie on it; else where it is
        nearest to all of them. Months and working days are told by the date alone.

        Args:
            times: times of one series, ascending, (T,).
        """
        if self.unit == "month":
            return self._months(_as_dates(times))
        if self.unit == "working day":
            return self._working_days(_as_dates(times))
        distance = np.clip((times - times[0]) / self.length, -_FARTHEST, _FARTHEST)
        whole = np.round(distance)
        off = np.abs(distance - whole)
        if (off <= _EXACT * np.maximum(1, np.abs(distance))).all():
            return Grid(times[0], whole.astype(np.int64), np.zeros(len(times)))
        begin = self._nearest_begin(times)
        apart = np.clip((times - begin) / self.length, -_FARTHEST, _FARTHEST)
        misfits = [(np.abs(each - np.round(each)) > TOLERANCE).sum() for each in (distance, apart)]
        if 2 * misfits[1] > misfits[0]:  # no grid at all: errors speak of the first time
            return Grid(times[0], whole.astype(np.int64), off)
        distance, whole = apart, np.round(apart)
        begin = begin + whole[0] * self.length
        begin = float(begin) if self.of_numbers else round(float(begin))
        return Grid(begin, (whole - whole[0]).astype(np.int64), np.abs(distance - whole))

    def _nearest_begin(self, times: Times) -> float:
        """Return a time of the grid that is nearest to jittered times: a round one if it fits."""
        phase = (times - times[0]) / self.length
        phase = phase - np.round(phase)
        mean = np.angle(np.exp(2j * np.pi * phase).mean()) / (2 * np.pi)
        rest = phase - mean
        middle = float(mean + np.median(rest - np.round(rest)))
        begin = float(times[0]) + middle * self.length
        rounded = float(np.round(begin / self.length) * self.length)
        distance = (times - rounded) / self.length
        fits = bool((np.abs(distance - np.round(distance)) <= TOLERANCE).all())
        return rounded if fits else begin

    def _months(self, dates: NDArray[np.datetime64]) -> Grid:
        """Place dates by their months; steps begin at the day of the first, or the first or last.

        Of these it is the one from which the dates are least far.
        """
        months = dates.astype("datetime64[M]")
        places = (months - months[0]).astype(np.int64) / self.count
        whole = np.round(places).astype(np.int64)
        between = places != whole
        end = (months[0] + 1).astype("datetime64[us]") - np.timedelta64(DAY, "us")
        starts = [months[0].astype("datetime64[us]"), end, dates[0]]
        micros = dates.astype(np.int64)
        ways = [_months(start, whole * int(self.count)) - micros for start in starts]
        best = min(range(len(ways)), key=lambda way: int(np.abs(ways[way]).max()))
        off = np.where(between, np.inf, np.abs(ways[best]) / self.length)
        return Grid(int(starts[best].astype(np.int64)), whole, off)

    def _working_days(self, dates: NDArray[np.datetime64]) -> Grid:
        """Place dates by working days; one at a weekend lies on no step."""
        days = dates.astype("datetime64[D]")
        times_of_day = (dates - days).astype(np.int64)
        usual = int(np.sort(times_of_day)[len(dates) // 2])
        off = np.abs(times_of_day - usual) / DAY
        off[~np.is_busday(days)] = np.inf
        begin = int(days[0].astype("datetime64[us]").astype(np.int64)) + usual
        return Grid(begin, np.busday_count(days[0], days).astype(np.int64), off)

    def times(self, first: int | float, count: int) -> Times:
        """Return the times of `count` steps from the first time, (count,)."""
        steps = np.arange(count)
        if self.of_numbers:
            decimals = 11 - int(np.floor(np.log10(self.count)))
            return np.asarray(np.round(first + steps * self.count, max(decimals, 0)), np.float64)
        begin = np.datetime64(int(first), "us")
        if self.unit == "working day":
            day = begin.astype("datetime64[D]")
            times = np.busday_offset(day, steps).astype("datetime64[us]") + (begin - day)
            return times.astype(np.int64)  # type: ignore[no-any-return]
        if self.unit == "month":
            return _months(begin, steps * int(self.count))
        return int(first) + np.round(steps * self.length).astype(np.int64)


class Grid(NamedTuple):
    """The places of times on a grid of steps."""

    begin: int | float
    """Time of the first step."""
    places: NDArray[np.int64]
    """Number of steps from the first to the step of each time, (T,)."""
    off: NDArray[np.float64]
    """Distance of each time from its step, as a share of a step; infinite where it has none."""


def fits(frequency: Frequency, grid: Grid) -> NDArray[np.bool_]:
    """Tell which times lie near enough to their steps; a date of a month or working day always."""
    if frequency.unit in {"month", "working day"}:
        return np.isfinite(grid.off)
    return grid.off <= TOLERANCE


def show_time(time: int | float, frequency: Frequency) -> str:
    """Format a time: 2011-03-14, 2011-03-14 15:00, 2011-03-14 15:00:00.25, or a number."""
    if frequency.of_numbers:
        return f"{float(time):.12g}"
    whole = np.datetime64(int(time), "us")
    if int(time) % DAY == 0:
        return str(whole.astype("datetime64[D]"))
    text = str(whole).replace("T", " ")
    return text.rstrip("0").removesuffix(".").removesuffix(":00") if "." in text else text


def _as_dates(times: Times) -> NDArray[np.datetime64]:
    return times.astype(np.int64).astype("datetime64[us]")


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
