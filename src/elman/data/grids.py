"""The rows of series on regular grids of time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.frequency import DAY, SECOND, Frequency, Times, fits, show_time
from elman.data.steps import infer_frequency
from elman.data.table import Table
from elman.data.times import TimeColumn, instants_of, walls_of
from elman.errors import DataError, counted

if TYPE_CHECKING:
    import pyarrow as pa

SPREAD = 20
"""Largest ratio of grid steps to rows; a larger one means that the frequency is wrong."""

ROUNDING = 1e-6
"""Distance from a step, as a share of the steps before it, that is not worth a note."""


@dataclass(frozen=True)
class TimedRows:
    """The rows of a long table in the order of series and time.

    Attributes:
        table: with the rows, in their own order.
        time: name of the column of times.
        times: of the rows, in the order of series and time.
        order: number of each row in the table.
        offsets: start of each series, and the end of the last.
        names: what each series is called in an error; empty where there is only one.
    """

    table: Table
    time: str
    times: TimeColumn
    order: NDArray[np.int64]
    offsets: NDArray[np.int64]
    names: list[str]

    def place_of(self, row: int) -> str:
        """Say where a row is, and of which series."""
        where = self.table.where(int(self.order[row]))
        if not self.names:
            return where
        return f"{where}, {self.names[int(np.searchsorted(self.offsets, row, side='right')) - 1]}"


class OnGrid(NamedTuple):
    """Rows on the grids of their series."""

    frequency: Frequency
    places: NDArray[np.int64]
    """Step of each row, counted from the first of its series, (rows,)."""
    lengths: NDArray[np.int64]
    """Steps of each series, (series,)."""
    times: pa.Array
    """Time of each step of the first series, the second, …: a number, or instant and wall."""
    notes: list[str]


def lay_on_grids(rows: TimedRows, frequency: Frequency | None) -> OnGrid:
    """Lay the rows of series on grids; times near a step are moved to it, which is noted.

    Args:
        rows: the rows.
        frequency: of the grids; None to infer it from the times.

    Raises:
        DataError: the frequency does not suit the times, a time lies between two steps, two rows
            have the same step, or there are far more steps than rows.
    """
    times, offsets = rows.times, rows.offsets
    if frequency is None:
        frequency = infer_frequency(
            times.instants, times.walls, offsets, of_numbers=times.of_numbers
        )
    if frequency.of_numbers != times.of_numbers:
        content = "numbers" if times.of_numbers else "dates"
        raise DataError(
            f"data.frequency = '{frequency}' does not fit column {rows.time!r}, which holds "
            f"{content}."
        )
    counted_by = times.walls if frequency.of_clocks else times.instants
    places, begins, off = _places(rows, counted_by, frequency)
    lengths = places[offsets[1:] - 1] + 1
    grid = np.concatenate(
        [frequency.times(b, int(n)) for b, n in zip(begins, lengths, strict=True)]
    )
    starts = np.cumsum(lengths) - lengths
    at = np.repeat(starts, np.diff(offsets)) + places
    notes = _moved(rows, counted_by - grid[at], off > ROUNDING * np.maximum(1, places))
    notes += _gaps(places, offsets, counted_by, frequency)
    return OnGrid(frequency, places, lengths, _cells(times, frequency, grid, at), notes)


def _places(
    rows: TimedRows, times: Times, frequency: Frequency
) -> tuple[NDArray[np.int64], list[int | float], NDArray[np.float64]]:
    """Place every row on the grid of its series; say where these begin and how far rows are off."""
    places = np.empty(len(times), np.int64)
    off = np.empty(len(times))
    begins = []
    for begin, end in pairwise(rows.offsets.tolist()):
        grid = frequency.grid(times[begin:end])
        places[begin:end], off[begin:end] = grid.places, grid.off
        begins.append(grid.begin)
        wrong = np.flatnonzero(~fits(frequency, grid))
        if len(wrong):
            odd = begin + int(wrong[0])
            raise DataError(
                f"{rows.place_of(odd)}: {show_time(times[odd], frequency)} "
                f"{_why_off(frequency, grid.begin)} Correct it, or set data.frequency."
            )
        same = np.flatnonzero(np.diff(grid.places) == 0)
        if len(same):
            one = begin + int(same[0])
            first, second = (show_time(time, frequency) for time in times[one : one + 2])
            raise DataError(
                f"{rows.place_of(one)} and {rows.place_of(one + 1)}: {first} and {second} lie in "
                f"the same {_step(frequency)}. Remove one of them, or set data.frequency."
            )
        if grid.places[-1] + 1 > SPREAD * (end - begin) + 1_000:
            raise DataError(
                f"the series that begins at {rows.place_of(begin)}: from "
                f"{show_time(times[begin], frequency)} to {show_time(times[end - 1], frequency)} "
                f"there are {counted(int(grid.places[-1]) + 1, 'step')} at frequency "
                f"'{frequency}', and only {counted(int(end - begin), 'row')}. Set data.frequency."
            )
    return places, begins, off


def _step(frequency: Frequency) -> str:
    return f"step of {frequency}" if frequency.of_numbers else str(frequency)


def _why_off(frequency: Frequency, begin: int | float) -> str:
    """Say why a time lies on no step."""
    if frequency.unit == "working day":
        return "is not a working day."
    steps = f"is not a whole number of steps after {show_time(begin, frequency)} at frequency "
    near = "" if frequency.unit == "month" else ", nor within 10% of a step of one"
    return f"{steps}'{frequency}'{near}."


def _moved(rows: TimedRows, distances: Times, moved: NDArray[np.bool_]) -> list[str]:
    """Return a note about times that were moved to their steps, if there are any."""
    largest = float(np.abs(distances[moved]).max(initial=0))
    if not largest:
        return []
    size = f"{largest:.3g}" if rows.times.of_numbers else _duration(largest)
    return [
        f"{int(moved.sum()):,} of {counted(len(moved), 'time')} in {rows.time!r} moved to the "
        f"nearest step of a regular grid, by {size} at most."
    ]


def _duration(micros: float) -> str:
    for name, size in (("day", DAY), ("hour", DAY // 24), ("minute", 60 * SECOND)):
        if micros >= size:
            number = f"{micros / size:.3g}"
            return f"{number} {name}" if number == "1" else f"{number} {name}s"
    return f"{micros / SECOND:.3g} seconds"


def _gaps(
    places: NDArray[np.int64], offsets: NDArray[np.int64], times: Times, frequency: Frequency
) -> list[str]:
    """Return a note about steps of the grid without a row, if there are any."""
    total = int((places[offsets[1:] - 1] + 1).sum())
    absent = total - len(places)
    if not absent:
        return []
    jumps = np.diff(places) > 1
    borders = offsets[1:-1] - 1
    jumps[borders] = False
    before = show_time(times[int(jumps.argmax())], frequency)
    return [
        f"no row for {absent:,} of {counted(total, 'step')} at frequency '{frequency}', the first "
        f"one after {before}: treated as missing values."
    ]


def _cells(times: TimeColumn, frequency: Frequency, grid: Times, at: NDArray[np.int64]) -> pa.Array:
    """Return the times of steps as a column: numbers, or pairs of instant and wall.

    A step without a row has the offset from UTC of the row before it, where no zone is known.
    """
    import pyarrow as pa

    if times.of_numbers:
        return pa.array(grid, pa.float64())
    offsets = np.asarray(times.walls - times.instants, np.int64)
    each = np.repeat(offsets, np.diff(np.append(at, len(grid))))
    pairs = both_clocks(grid.astype(np.int64), frequency, times.zone, each)
    return pa.FixedSizeListArray.from_arrays(pa.array(pairs.ravel(), pa.int64()), 2)


def both_clocks(
    grid: NDArray[np.int64],
    frequency: Frequency,
    zone: str | None,
    offsets: NDArray[np.int64] | int,
) -> NDArray[np.int64]:
    """Return the instants and walls of steps, (T, 2).

    Args:
        grid: times of steps, by the clocks where the frequency is `of_clocks`, else instants, (T,).
        frequency: of the steps.
        zone: name of the zone; None where it is unknown.
        offsets: microseconds that the clocks are ahead of UTC, where the zone is unknown.
    """
    if frequency.of_clocks:
        instants = grid - offsets if zone is None else instants_of(grid, zone)
        return np.stack([instants, grid], 1)
    return np.stack([grid, grid + offsets if zone is None else walls_of(grid, zone)], 1)


def continued(
    cells: NDArray[np.int64], frequency: Frequency, zone: str | None, count: int
) -> NDArray[np.int64]:
    """Return the first steps of a series, with those that come after its last one.

    Where the zone is unknown, these have the offset from UTC of the last one.

    Args:
        cells: times of the steps: plain numbers, (T,), or instants and walls, (T, 2).
        frequency: of the steps.
        zone: name of the zone, where it is known.
        count: number of steps to return.
    """
    if frequency.of_numbers or cells.ndim == 1:
        return np.asarray(frequency.times(cells[0], count))
    if count <= len(cells):
        return cells[:count]
    column = 1 if frequency.of_clocks else 0
    ahead = frequency.times(int(cells[0, column]), count)[len(cells) :]
    offset = int(cells[-1, 1] - cells[-1, 0])
    return np.concatenate([cells, both_clocks(ahead.astype(np.int64), frequency, zone, offset)])
