"""From long tables, one row a time step, to series on a regular grid, one row each.

Steps that are absent are inserted as missing values, so that all steps are equally long.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import is_number, is_text
from elman.data.concatenation import concatenate
from elman.data.fill_down import without_blanks
from elman.data.frequency import Frequency
from elman.data.grids import TimedRows, lay_on_grids
from elman.data.sequences import sequence_numbers, to_sequences
from elman.data.table import Spans, Table, combined
from elman.data.times import TimeColumn, read_times
from elman.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_PART = "part of the data"
"""Temporary column with the number of the table that a row comes from."""

_ROW = "row of the data"
"""Temporary column with the number of the row."""

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class LongSeries:
    """Series on regular grids of one frequency.

    Attributes:
        table: one row a series, whose place is that of its first step: lists with one number a
            step, NaN where it is missing; lists of names, None where one is missing; single values
            of static columns; the times, as plain numbers, (T,), or as instants and what the clocks
            show, (T, 2), both as in `TimeColumn`; the sequence id.
        ends: number of steps of each series in the first table, in the first two, …, (series,
            tables); the last column is the length.
        frequency: frequency of the grids; None without times.
        notes: what was assumed, a sentence each.
        times: the times of the rows as they were read; None without times.
    """

    table: Table
    ends: NDArray[np.int64]
    frequency: Frequency | None
    notes: list[str]
    times: TimeColumn | None = None

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
    categories: Collection[str] = (),
    static: Collection[str] = (),
    sequence_id: str | None = None,
    time: str | None = None,
    frequency: Frequency | None = None,
    time_format: str | None = None,
    time_zone: str | None = None,
) -> LongSeries:
    """Make series from long tables; the series of later tables continue those of earlier ones.

    Args:
        tables: long tables with the same columns.
        columns: names of the columns to read: numbers, unless they are categories.
        categories: those that hold names, which stay as they are written; blank ones are missing.
        static: those with one value a series, the first that is not missing.
        sequence_id: column that names the series a row belongs to; None for one series.
        time: column by which rows are sorted; None keeps their order.
        frequency: frequency of the series; None to infer it from the times.
        time_format: how times are written; see `read_times`.
        time_zone: zone of times without an offset, and of the calendar.

    Raises:
        DataError: a column is not numeric, a static one changes within a series, an id or a time
            is missing, two rows of a series have the same time, times do not fit the frequency, or
            a later table has an earlier time.
    """
    joined = _joined(tables, [*columns, *([sequence_id] if sequence_id else [])], time)
    times: TimeColumn | None = None
    if time is not None:
        numbers = sequence_numbers(joined, sequence_id)
        times = read_times(
            joined,
            time,
            time_format=time_format,
            time_zone=time_zone,
            series=numbers,
            as_years=frequency is not None and not frequency.of_numbers,
        )
    grouped = to_sequences(joined, sequence_id=sequence_id, time=time, per_sequence=[], times=times)
    part, order = (_flat(grouped.arrow(name)).to_numpy() for name in (_PART, _ROW))
    flat = {name: (_names if name in categories else _numbers)(grouped, name) for name in columns}
    offsets = _offsets(grouped)
    notes = list(grouped.notes)
    places = np.arange(len(part)) - np.repeat(offsets[:-1], np.diff(offsets))
    lengths = np.diff(offsets)
    filled: dict[str, Any] = {}
    clock: pa.Array | None = None
    if time is not None and times is not None:
        called = [] if sequence_id is None else _called(grouped, sequence_id)
        rows = TimedRows(joined, time, times.take(order), order, offsets, called)
        frequency, places, lengths, clock, found = lay_on_grids(rows, frequency)
        notes += found
    starts = np.concatenate([[0], np.cumsum(lengths)])
    at = np.repeat(starts[:-1], np.diff(offsets)) + places
    for name, values in flat.items():
        if name in static:
            filled[name] = _single(_Rows(joined, order, offsets), name, values)
        else:
            filled[name] = _lists(_spread(values, at, int(starts[-1])), starts)
    if time is not None and clock is not None:
        filled[time] = _lists(clock, starts)
    if sequence_id is not None:
        filled[sequence_id] = grouped.arrow(sequence_id)
    ends = _ends(grouped, part, places, offsets, len(tables))
    return LongSeries(_table(grouped, filled), ends, frequency, notes, times)


def _joined(tables: Sequence[Table], columns: Sequence[str], time: str | None) -> Table:
    """Concatenate tables, with columns that hold the number of each row and of its table."""
    import pyarrow as pa

    names = list(dict.fromkeys([*columns, *([time] if time else [])]))
    marked = []
    begin = 0
    for part, table in enumerate(tables):
        data = pa.table({name: table.arrow(name) for name in names})
        data = data.append_column(_PART, pa.array(np.full(len(table), part, np.int64)))
        data = data.append_column(_ROW, pa.array(begin + np.arange(len(table))))
        begin += len(table)
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


def _numbers(table: Table, name: str) -> pa.Array:
    """Return the numbers in a column of lists as floats, NaN where one is missing."""
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
    return pa.array(numbers)


class _Rows(NamedTuple):
    """The rows of series, one series after another."""

    table: Table
    """With the rows, in their own order."""
    order: NDArray[np.int64]
    """Number of each row in the table."""
    offsets: NDArray[np.int64]
    """Start of each series, and the end of the last."""

    def cell(self, name: str, row: int) -> str:
        """Say where a row is, and what it holds in a column."""
        number = int(self.order[row])
        return f"{self.table.where(number)} has {name} {self.table.column(name)[number]!r}"


def _single(rows: _Rows, name: str, values: pa.Array) -> pa.Array:
    """Return the first value of each series that is not missing; null where all are.

    Raises:
        DataError: another row of the series has another value.
    """
    import pyarrow as pa

    if pa.types.is_floating(values.type):
        values = pa.array(values.to_numpy(zero_copy_only=False), from_pandas=True)
    codes = values.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    series = np.repeat(np.arange(len(rows.offsets) - 1), np.diff(rows.offsets))
    present = np.flatnonzero(codes >= 0)
    found, places = np.unique(series[present], return_index=True)
    first = np.full(len(rows.offsets) - 1, -1)
    first[found] = present[places]
    changed = present[codes[present] != codes[first[series[present]]]]
    if len(changed):
        other = int(changed[0])
        raise DataError(
            f"{rows.cell(name, int(first[series[other]]))} and {rows.cell(name, other)}, rows of "
            f"one series, and data.per_sequence says that {name!r} has one value a series. Correct "
            "a row, or train without it in data.per_sequence."
        )
    return values.take(pa.array(first, mask=first < 0))


def _names(table: Table, name: str) -> pa.Array:
    """Return the names in a column of lists, null where one is blank.

    Raises:
        DataError: it holds other values than strings, whole numbers, true and false.
    """
    import pyarrow as pa

    values = _flat(table.arrow(name))
    if is_text(values.type):
        return without_blanks(pa.chunked_array([values]))
    if not (is_number(values.type) or pa.types.is_boolean(values.type)):
        raise DataError(
            f"{table.source}: column {name!r} holds {values.type}, and a category is a name, a "
            "whole number, or true or false. Leave the column out."
        )
    return values


def _spread(values: pa.Array, at: NDArray[np.int64], steps: int) -> pa.Array:
    """Place values at some of the steps; others are missing, NaN among numbers that are floats."""
    import pyarrow as pa

    if pa.types.is_floating(values.type):
        numbers = np.full(steps, np.nan)
        numbers[at] = values.to_numpy(zero_copy_only=False)
        return pa.array(numbers)
    rows = np.full(steps, -1)
    rows[at] = np.arange(len(at))
    return values.take(pa.array(rows, mask=rows < 0))


def _called(table: Table, sequence_id: str) -> list[str]:
    """Return what each series is called in an error."""
    return [f"{sequence_id} {value!r}" for value in table.column(sequence_id)]


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


def _lists(flat: pa.Array | NDArray[Any], offsets: NDArray[np.int64]) -> pa.Array:
    import pyarrow as pa

    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pa.array(flat))
