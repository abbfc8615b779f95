"""How far the steps of series lie apart, seen from their times."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from elman.data.frequency import DAY, MONTH, SECOND, TOLERANCE, Frequency, Times, fits
from elman.errors import DataError

_SIZES = (1, 2, 2.5, 5)
_SECONDS = (1, 2, 5, 10, 15, 20, 30)
_HOURS = (1, 2, 3, 4, 6, 8, 12, 24)
_NEAR = 0.02
"""Largest distance of a median step from the round step that is meant, as a share."""


def infer_frequency(
    instants: Times, walls: Times, offsets: NDArray[np.int64], *, of_numbers: bool
) -> Frequency:
    """Infer the frequency of some series.

    Months and working days are told by the dates. Else a step is the most common distance between
    rows; where times jitter, so that these do not lie on a grid, it is the median distance,
    rounded where it is nearly a round one, or the mean distance.

    Args:
        instants: times of all series, one after another, ascending within each, (T,).
        walls: the same times as the clocks of their place show them, (T,).
        offsets: start of each series, and the end of the last.
        of_numbers: whether times are plain numbers.

    Raises:
        DataError: no series has two steps.
    """
    within = np.ones(max(len(instants) - 1, 0), bool)
    borders = offsets[1:-1] - 1
    within[borders[(borders >= 0) & (borders < len(within))]] = False
    if not within.any():
        raise DataError(
            "no series has two steps, so the frequency cannot be inferred; give it, for instance "
            "data.frequency = 'day'."
        )
    distances = np.diff(instants)[within]
    if of_numbers:
        distances = _without_noise(distances)
    else:
        found = _by_dates(walls, np.diff(walls)[within], within)
        if found is not None:
            return found
    distances = distances[distances > 0]
    common, share = _commonest(distances)
    median = float(np.median(distances))
    candidates = [common] if share >= 0.5 else []
    candidates += [_round_step(median, of_numbers=of_numbers)]
    candidates += [_mean_step(instants, offsets, each) for each in (median, common)]
    candidates += [common]
    if not of_numbers:
        months = round(median / (MONTH))
        if months and not bool((distances % common == 0).all()):
            monthly = Frequency("month", months)
            if not _misfits(monthly, walls, offsets, strictly=True):
                return monthly
    best: tuple[int, Frequency] | None = None
    for step in candidates:
        for frequency, times in _frequencies(step, instants, walls, of_numbers=of_numbers):
            misfits = _misfits(frequency, times, offsets)
            if best is None or misfits < best[0]:
                best = misfits, frequency
            if not misfits:
                return frequency
    assert best is not None, "there is a candidate"
    return best[1]


def _without_noise(distances: Times) -> Times:
    """Round distances between numbers, as 0.3 − 0.2, to nine digits."""
    positive = distances[distances > 0]
    size = float(np.median(positive)) if len(positive) else 1.0
    return np.asarray(np.round(distances, 9 - int(np.floor(np.log10(size)))), np.float64)


def _by_dates(walls: Times, distances: Times, within: NDArray[np.bool_]) -> Frequency | None:
    """Tell months, which begin or end at the same day, and working days."""
    dates = walls.astype(np.int64).astype("datetime64[us]")
    days, months = dates.astype("datetime64[D]"), dates.astype("datetime64[M]")
    firsts = (dates - months.astype("datetime64[us]")).astype(np.int64)
    lasts = ((months + 1).astype("datetime64[D]") - days).astype(np.int64)
    if len(np.unique(firsts)) == 1 or (lasts == 1).all():
        between = np.diff(months.astype(np.int64))[within].astype(np.int64)
        if (between > 0).all():
            return Frequency("month", int(_commonest(between)[0]))
    common = _commonest(np.round(distances / DAY))[0] if (distances > DAY / 2).all() else 0
    weeks = (walls[-1] - walls[0]) / (7 * DAY)
    if common == 1 and weeks >= 2 and bool(np.is_busday(days).all()):
        return Frequency("working day", 1)
    return None


def _commonest(values: Times) -> tuple[float, float]:
    """Return the most common positive value, the smallest of several, and its share."""
    distinct, counts = np.unique(values[values > 0], return_counts=True)
    if not len(distinct):
        return 0.0, 0.0
    return float(distinct[int(counts.argmax())]), float(counts.max() / counts.sum())


def _round_step(step: float, *, of_numbers: bool) -> float:
    """Return the round step that a step nearly is, else the step."""
    unit = 1 if of_numbers else SECOND
    power = 10.0 ** np.floor(np.log10(step / unit))
    sizes = [size * power * unit for size in (*_SIZES, 10)]
    if not of_numbers and step >= SECOND:
        sizes = [size * SECOND for size in _SECONDS] + [size * 60 * SECOND for size in _SECONDS]
        sizes += [size * 3_600 * SECOND for size in _HOURS] + [7 * DAY]
        sizes += [round(step / DAY) * DAY] if step > DAY else []
    nearest = min(sizes, key=lambda size: abs(size - step))
    return float(nearest) if abs(nearest - step) <= _NEAR * nearest else step


def _mean_step(times: Times, offsets: NDArray[np.int64], step: float) -> float:
    """Return the mean step of the longest series, its steps counted by a rough one."""
    longest = int(np.diff(offsets).argmax())
    series = times[offsets[longest] : offsets[longest + 1]]
    steps = np.round(np.diff(series) / step).sum()
    return float((series[-1] - series[0]) / steps) if steps else step


def _frequencies(
    step: float, instants: Times, walls: Times, *, of_numbers: bool
) -> list[tuple[Frequency, Times]]:
    """Return the frequencies that a step may be, each with the times that it counts."""
    if of_numbers:
        return [(Frequency("number", step), instants)]
    seconds = step / SECOND
    passing = Frequency("second", int(seconds) if seconds == int(seconds) else seconds)
    if step % DAY:
        return [(passing, instants)]
    local = Frequency("day", int(step // DAY))
    ways = [(local, walls), (passing, instants)]
    in_utc = bool((np.diff(instants) % DAY == 0).all() and (np.diff(walls) % DAY != 0).any())
    return ways[::-1] if in_utc else ways


def _misfits(
    frequency: Frequency,
    times: Times,
    offsets: NDArray[np.int64],
    *,
    strictly: bool = False,
) -> int:
    """Count the times that lie on no step of the grid of their series, or on one with another.

    Args:
        frequency: of the grids.
        times: of all series.
        offsets: start of each series, and the end of the last.
        strictly: whether dates must be near the day at which their month's step begins.
    """
    count = 0
    for begin, end in pairwise(offsets.tolist()):
        grid = frequency.grid(times[begin:end])
        near = grid.off <= TOLERANCE if strictly else fits(frequency, grid)
        count += int((~near).sum()) + int((np.diff(grid.places) == 0).sum())
    return count
