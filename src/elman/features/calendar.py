"""Where in the day, the week, the month and the year a time lies, as numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.frequency import DAY, SECOND, Frequency

Dates = NDArray[np.datetime64]


class Cycle(NamedTuple):
    """Something that comes round."""

    place: Callable[[Dates], NDArray[Any]]
    """Where in it a time lies, counted from 0."""
    places: int
    """How many places it has."""
    length: int
    """Microseconds until it comes round, roughly."""


def _since(dates: Dates, unit: str) -> NDArray[np.int64]:
    """Return microseconds since the beginning of the unit a date lies in."""
    begun = dates.astype(f"datetime64[{unit}]").astype("datetime64[us]")
    return np.asarray(dates - begun, np.int64)


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
"""Cycle → a step must be shorter than this to have places in it."""


def fitting_cycles(frequency: Frequency, span: int) -> tuple[str, ...]:
    """Name the cycles that steps of a frequency have places in, and that came round twice.

    What came round once tells a network which row it reads, and nothing of the next round.

    Args:
        frequency: of the steps.
        span: from the first time to the last, in microseconds.
    """
    if frequency.of_numbers:
        return ()
    if frequency.unit == "month":
        fitting = ["month of the year"] if frequency.count < 12 else []
    else:
        step = DAY if frequency.unit == "working day" else frequency.count * SECOND
        fitting = [name for name, longest in _SHORTER_THAN.items() if step < longest]
    return tuple(name for name in fitting if span >= 2 * CYCLES[name].length)


def calendar_columns(times: NDArray[np.int64], cycles: Sequence[str]) -> NDArray[np.float64]:
    """Return where in each cycle each time lies, from −½ to ½, (T, cycles).

    Args:
        times: microseconds since 1970, (T,).
        cycles: keys of `CYCLES`.

    Source: the covariates of Salinas et al. 2020, arXiv:1704.04110, §4, scaled as in GluonTS.
    """
    dates = times.astype("datetime64[us]")
    columns = [CYCLES[name].place(dates) / (CYCLES[name].places - 1) - 0.5 for name in cycles]
    return np.stack(columns, 1) if columns else np.empty((len(times), 0))
