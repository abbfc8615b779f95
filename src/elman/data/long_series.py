"""From long tables, one row a time step, to series on a regular grid, one row each.

Steps that are absent are inserted as missing values, so that all steps are equally long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import is_number, is_text
from elman.data.concatenation import concatenate
from elman.data.frequency import Frequency, Times, infer_frequency, show_time
from elman.data.sequences import to_sequences
from elman.data.table import Spans, Table, combined
from elman.errors import DataError, counted

if TYPE_CHECKING:
    import pyarrow as pa

_PART = "part of the data"
"""Temporary column with the number of the table that a row comes from."""

LARGEST = float(np.finfo(np.float32).max)

SPREAD = 20
"""Largest ratio of grid steps to rows; a larger one means that the frequency is wrong."""


@dataclass(frozen=True)
class LongSeries:
    """Series on regular grids of one frequency.

    Attributes:
        table: one row a series, whose place is that of its first step: lists with one number a
            step, NaN where it is missing; the times as numbers; the sequence id.
        ends: number of steps of each series in the first table, in the first two, …, (series,
            tables); the last column is the length.
        frequency: frequency of the grids; None without times.
        notes: what was assumed, a sentence each.
    """

    table: Table
    ends: NDArray[np.int64]
    frequency: Frequency | None
    notes: list[str]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of each series, (series,)."""
        return self.ends[:, -1]

    def part(self, rows: NDArray[np.int64], first: Any, end: Any) -> Table:
        """Return some series up to some steps, with the steps of each that are forecast.

        Args:
            rows: rows of the table.
            first: the first step to forecast, for each row.
            end: one past the last step, where the series is cut, for each row.

        Returns:
            A table whose `spans` are these steps; its lists share memory with this one.
        """
        import pyarrow as pa

        begins = np.concatenate([[0], np.cumsum(self.lengths)])[:-1][rows]
        columns: dict[str, Any] = {}
        for name in self.table.columns:
            values = self.table.arrow(name)
            if pa.types.is_large_list(values.type):
                flat = _flat(values)
                sizes = pa.array(np.ascontiguousarray(end), pa.int64())
                columns[name] = pa.LargeListViewArray.from_arrays(
                    pa.array(begins, pa.int64()), sizes, flat
                )
            else:
                columns[name] = values.take(pa.array(rows, pa.int64()))
        spans = Spans(np.arange(len(rows)), np.asarray(first), np.asarray(end))
        arguments = [array.tobytes() for array in (rows, *spans)]
        return Table(
            pa.table(columns),
            source=self.table.source,
            where=lambda row: self.table.where(int(rows[row])),
            fingerprint=lambda: combined([self.table.fingerprint, *arguments]),
            notes=self.table.notes,
            stored=self.table.stored,
            spans=spans,
        )


def long_series(
    tables: Sequence[Table],
    columns: Sequence[str],
    *,
    sequence_id: str | None = None,
    time: str | None = None,
    frequency: Frequency | None = None,
) -> LongSeries:
    """Make series from long tables; the series of later tables continue those of earlier ones.

    Args:
        tables: long tables with the same columns.
        columns: names of numeric columns.
        sequence_id: column that names the series a row belongs to; None for one series.
        time: column by which rows are sorted; None keeps their order.
        frequency: frequency of the series; None to infer it from the times.

    Raises:
        DataError: a column is not numeric, an id or a time is missing, two rows of a series have
            the same time, times do not fit the frequency, or a later table has an earlier time.
    """
    joined = _joined(tables, [*columns, *([sequence_id] if sequence_id else [])], time)
    grouped = to_sequences(joined, sequence_id=sequence_id, time=time, per_sequence=[])
    part = _flat(grouped.arrow(_PART)).to_numpy()
    lists = {name: _numbers(grouped, name) for name in columns}
    offsets = _offsets(grouped)
    notes = list(grouped.notes)
    places = np.arange(len(part)) - np.repeat(offsets[:-1], np.diff(offsets))
    starts: Times | None = None
    if time is not None:
        times, of_numbers = _times(grouped, time)
        frequency = frequency or infer_frequency(times, offsets, of_numbers=of_numbers)
        _check_clock(frequency, of_numbers, time)
        places = _places(grouped, times, offsets, frequency, sequence_id)
        starts = times[offsets[:-1]]
        notes += _gaps(places, offsets, times, frequency)
    lengths = places[offsets[1:] - 1] + 1
    begins = np.concatenate([[0], np.cumsum(lengths)])
    at = np.repeat(begins[:-1], np.diff(offsets)) + places
    filled: dict[str, Any] = {}
    for name, values in lists.items():
        column = np.full(begins[-1], np.nan)
        column[at] = values
        filled[name] = _lists(column, begins)
    if time is not None and frequency is not None and starts is not None:
        clock = [frequency.times(s, int(n)) for s, n in zip(starts, lengths, strict=True)]
        filled[time] = _lists(np.concatenate(clock), begins)
    if sequence_id is not None:
        filled[sequence_id] = grouped.arrow(sequence_id)
    ends = _ends(grouped, part, places, offsets, len(tables))
    return LongSeries(_table(grouped, filled), ends, frequency, notes)


def _joined(tables: Sequence[Table], columns: Sequence[str], time: str | None) -> Table:
    """Concatenate tables, with a column that holds the number of each row's table."""
    import pyarrow as pa

    names = list(dict.fromkeys([*columns, *([time] if time else [])]))
    marked = []
    for part, table in enumerate(tables):
        data = pa.table({name: table.arrow(name) for name in names})
        data = data.append_column(_PART, pa.array(np.full(len(table), part, np.int64)))
        marked.append(
            Table(
                data,
                source=table.source,
                where=table.where,
                fingerprint=lambda table=table: table.fingerprint,  # type: ignore[misc]
                notes=table.notes,
                stored=table.stored,
            )
        )
    return marked[0] if len(marked) == 1 else concatenate(marked, source=tables[0].source)


def _numbers(table: Table, name: str) -> NDArray[np.float64]:
    """Return a column of lists as one array of floats, NaN where a number is missing."""
    import pyarrow as pa

    values = _flat(table.arrow(name))
    kind = values.type
    if not (is_number(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        raise DataError(
            f"{table.source}: column {name!r} holds {kind}, and forecasts read and predict "
            "numbers. Leave it out, or write it as numbers."
        )
    if pa.types.is_boolean(kind):
        values = values.cast(pa.int8())
    numbers = np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    wrong = np.abs(numbers) > LARGEST
    if wrong.any():
        series = int(np.searchsorted(_offsets(table), int(wrong.argmax()), side="right")) - 1
        raise DataError(
            f"the series that begins at {table.where(series)}, column {name}: "
            f"{numbers[wrong][0]:g} is outside the range of 32-bit floats; correct it, or leave "
            "the cell empty."
        )
    return numbers


def _times(table: Table, name: str) -> tuple[Times, bool]:
    """Return the times of all steps, and whether they are plain numbers."""
    import pyarrow as pa

    values = _flat(table.arrow(name))
    if is_number(values.type):
        return np.asarray(values.to_numpy(zero_copy_only=False), np.float64), True
    if is_text(values.type):
        texts = [text.removesuffix("Z") for text in values.to_pylist()]
        return np.array(texts, "datetime64[us]").astype(np.int64), False
    if pa.types.is_time(values.type) or pa.types.is_duration(values.type):
        raise DataError(
            f"column {name!r} of {table.source} holds {values.type}, which has no date; give "
            "dates, times with dates, or numbers."
        )
    stamps = values.cast(pa.timestamp("us", getattr(values.type, "tz", None)), safe=False)
    return stamps.cast(pa.int64()).to_numpy(zero_copy_only=False), False


def _check_clock(frequency: Frequency, of_numbers: bool, time: str) -> None:
    if frequency.of_numbers != of_numbers:
        content = "numbers" if of_numbers else "dates"
        raise DataError(
            f"data.frequency = '{frequency}' does not fit column {time!r}, which holds {content}."
        )


def _places(
    table: Table,
    times: Times,
    offsets: NDArray[np.int64],
    frequency: Frequency,
    sequence_id: str | None,
) -> NDArray[np.int64]:
    """Place every step on the grid of its series."""
    places = np.empty(len(times), np.int64)
    for series, (begin, end) in enumerate(pairwise(offsets.tolist())):
        which = "the series" if sequence_id is None else _name(table, sequence_id, series)
        subject = f"{which}, which begins at {table.where(series)}"
        try:
            places[begin:end] = frequency.places(times[begin:end])
        except DataError as error:
            raise DataError(f"{subject}: {error} Correct it, or set data.frequency.") from error
        same = np.flatnonzero(np.diff(places[begin:end]) == 0)
        if len(same):
            pair = times[begin + same[0] : begin + same[0] + 2]
            first, second = (show_time(time, frequency) for time in pair)
            raise DataError(
                f"{subject}: {first} and {second} lie in the same {frequency}. Remove one of them, "
                "or set data.frequency."
            )
        if places[end - 1] + 1 > SPREAD * (end - begin) + 1_000:
            raise DataError(
                f"{subject}: from {show_time(times[begin], frequency)} to "
                f"{show_time(times[end - 1], frequency)} there are "
                f"{counted(int(places[end - 1]) + 1, 'step')} at frequency '{frequency}', and only "
                f"{counted(int(end - begin), 'row')}. Set data.frequency."
            )
    return places


def _name(table: Table, sequence_id: str, series: int) -> str:
    return f"{sequence_id} {table.column(sequence_id)[series]!r}"


def _gaps(
    places: NDArray[np.int64],
    offsets: NDArray[np.int64],
    times: Times,
    frequency: Frequency,
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


def _ends(
    table: Table,
    part: NDArray[np.int64],
    places: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tables: int,
) -> NDArray[np.int64]:
    """Count the steps of every series in the first table, in the first two, …."""
    ends = np.zeros((len(offsets) - 1, tables), np.int64)
    series = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    back = (np.diff(part) < 0) & (np.diff(series) == 0)
    if back.any():
        row = int(series[int(back.argmax())])
        raise DataError(
            f"the series that begins at {table.where(row)}: the parts of the data overlap in time. "
            "Test rows must come after validation rows, and these after training rows."
        )
    for number in range(tables):
        included = part <= number
        np.maximum.at(ends[:, number], series[included], places[included] + 1)
    return ends


def _table(grouped: Table, columns: dict[str, Any]) -> Table:
    import pyarrow as pa

    return Table(
        pa.table(columns),
        source=grouped.source,
        where=grouped.where,
        fingerprint=lambda: grouped.fingerprint,
        notes=grouped.notes,
        stored=grouped.stored,
    )


def _offsets(table: Table) -> NDArray[np.int64]:
    """Return the start of each series among all steps, and the end of the last."""
    import pyarrow.compute as pc

    lengths = pc.list_value_length(table.arrow(_PART)).to_numpy()
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _flat(values: pa.ChunkedArray) -> pa.Array:
    """Return the concatenated elements of lists."""
    import pyarrow as pa
    import pyarrow.compute as pc

    flat = pc.list_flatten(values)
    return pa.concat_arrays(flat.chunks) if isinstance(flat, pa.ChunkedArray) else flat


def _lists(flat: NDArray[Any], offsets: NDArray[np.int64]) -> pa.Array:
    import pyarrow as pa

    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pa.array(flat))
