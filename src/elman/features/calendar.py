"""Calendar covariates: the position of a time in the day, week, month and year."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.frequency import DAY, SECOND, Frequency

Dates = NDArray[np.datetime64]


class Cycle(NamedTuple):
    """A cycle of the calendar."""

    place: Callable[[Dates], NDArray[Any]]
    """Position of a time in the cycle, from 0."""
    places: int
    """Number of positions."""
    length: int
    """Approximate length in microseconds."""


def _since(dates: Dates, unit: str) -> NDArray[np.int64]:
    """Return the microseconds since the beginning of each date's unit."""
    start = dates.astype(f"datetime64[{unit}]").astype("datetime64[us]")
    return np.asarray(dates - start, np.int64)


CYCLES: Mapping[str, Cycle] = MappingProxyType(
    {
        "minute of the hour": Cycle(lambda t: _since(t, "h") // (60 * SECOND), 60, DAY // 24),
        "hour of the day": Cycle(lambda t: _since(t, "D") // (3_600 * SECOND), 24, DAY),
        "day of the week": Cycle(
            lambda t: (t.astype("datetime64[D]").astype(np.int64) + 3) % 7, 7, 7 * DAY
        ),
        "day of the month": Cycle(lambda t: _since(t, "M") // DAY, 31, 30 * DAY),
        "day of the year": Cycle(lambda t: _since(t, "Y") // DAY, 366, 365 * DAY),
        "month of the year": Cycle(
            lambda t: t.astype("datetime64[M]").astype(np.int64) % 12, 12, 365 * DAY
        ),
    }
)
"""Name → cycle of the calendar."""

_SHORTER_THAN: Mapping[str, int] = MappingProxyType(
    {
        "minute of the hour": DAY // 24,
        "hour of the day": DAY,
        "day of the week": 7 * DAY,
        "day of the month": 28 * DAY,
        "day of the year": 28 * DAY,
    }
)
"""Cycle → upper bound of the steps for which it is informative."""


def fitting_cycles(frequency: Frequency, span: int) -> tuple[str, ...]:
    """Name the cycles that suit a frequency and that the data covers at least twice.

    A cycle covered only once would tell a network which row it reads, and nothing about the next
    cycle.

    Args:
        frequency: frequency of the steps.
        span: time from the first step to the last, in microseconds.
    """
    if frequency.of_numbers:
        return ()
    if frequency.unit == "month":
        fitting = ["month of the year"] if frequency.count < 12 else []
    else:
        fitting = [name for name, longest in _SHORTER_THAN.items() if frequency.length < longest]
    return tuple(name for name in fitting if span >= 2 * CYCLES[name].length)


def calendar_columns(times: NDArray[np.int64], cycles: Sequence[str]) -> NDArray[np.float64]:
    """Return the position of each time in each cycle, from −½ to ½, (T, cycles).

    Args:
        times: microseconds from 1970 to what the clocks of the place show, (T,).
        cycles: keys of `CYCLES`.

    Source: the covariates of Salinas et al. 2020, arXiv:1704.04110, §4, scaled as in GluonTS.
    """
    dates = times.astype("datetime64[us]")
    columns = [CYCLES[name].place(dates) / (CYCLES[name].places - 1) - 0.5 for name in cycles]
    return np.stack(columns, 1) if columns else np.empty((len(times), 0))
