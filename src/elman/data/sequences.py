"""From long tables, one row a time step, to one row a sequence, and to windows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import is_list, is_text
from elman.data.fill_down import filled_down, notes_of_spaces, without_blanks
from elman.data.table import Spans, Table, combined
from elman.data.times import TimeColumn, read_times
from elman.errors import DataError, OptionError, counted

if TYPE_CHECKING:
    import pyarrow as pa

_TIME_FORMAT = b"elman time format"
"""Name of a table's metadata: how the times were written by which it was sorted."""

NEXT = "next_{}"
"""Name of the column with the value that follows each window of a column."""


class _Groups(NamedTuple):
    """The rows of a long table, grouped by sequence."""

    order: NDArray[np.int64]
    """Rows, sorted by sequence and time."""
    offsets: NDArray[np.int64]
    """Start of each sequence in `order`, and the end of the last one."""

    @property
    def first_rows(self) -> NDArray[np.int64]:
        return self.order[self.offsets[:-1]]

    def sequence_of_each(self) -> NDArray[np.int64]:
        """Return the number of the sequence of each element of `order`."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


def to_sequences(
    table: Table,
    *,
    sequence_id: str | None = None,
    time: str | None = None,
    per_sequence: Iterable[str] | None = None,
    time_format: str | None = None,
    time_zone: str | None = None,
    times: TimeColumn | None = None,
    as_instants: bool = False,
) -> Table:
    """Turn a long table, one row a time step, into a table with one row a sequence.

    A column becomes the list of its values over the sequence; one that is constant within every
    sequence stays a single value. Sequences keep the order in which they begin.

    Args:
        table: a long table.
        sequence_id: column that identifies the sequence of a row; the rows of a sequence need not
            be adjacent. Without it all rows are one sequence. Where each id stands at its first
            row alone, the blank cells below are filled, which is noted; see `filled_down`.
        time: column by which the rows of a sequence are sorted: numbers, dates, times, or texts
            as `read_times` reads them. Without it they keep their order.
        per_sequence: columns that stay a single value. By default those that are constant within
            every sequence, which is noted, provided that there are several sequences of several
            steps; else none.
        time_format: how times are written; see `read_times`.
        time_zone: zone of times without an offset.
        times: the times, where they were read before.
        as_instants: whether the column of times holds the instants, whose differences can be
            taken, and not what was written.

    Returns:
        A table with one row a sequence. A row's place is that of its first step.

    Raises:
        OptionError: a column is unknown.
        DataError: an id or a time is missing, two rows of a sequence have the same time, a
            column named by per_sequence changes within a sequence, or a text is not a time.
    """
    if sequence_id is not None:
        table = filled_down(table, sequence_id)
    numbers = sequence_numbers(table, sequence_id)
    if time is not None and times is None:
        times = read_times(
            table,
            time,
            time_format=time_format,
            time_zone=time_zone,
            series=numbers,
            without_date=True,
        )
    groups, notes = _group(table, numbers, sequence_id, time, times)
    notes += [] if sequence_id is None else notes_of_spaces(table, sequence_id)
    constant = _constant_columns(table, groups, sequence_id, per_sequence)
    if per_sequence is None and (inferred := [name for name in constant if name != sequence_id]):
        names = ", ".join(map(repr, inferred))
        notes.append(f"columns constant within every sequence have one value a sequence: {names}.")
    columns = {}
    for name in table.columns:
        values = table.arrow(name)
        if as_instants and name == time and times is not None:
            values = times.arrow()
        if name in constant:
            columns[name] = values.take(_arrow(groups.first_rows))
        else:
            columns[name] = _lists(values, groups)
    arguments = repr((sequence_id, time, time_format, time_zone, as_instants, sorted(constant)))
    written = None if times is None else times.format
    return _derived(table, columns, groups.first_rows, notes, arguments, time_format=written)


def time_format_of(table: Table) -> str | None:
    """Return how the times were written by which a table was sorted into sequences."""
    return (table.data.schema.metadata or {}).get(_TIME_FORMAT, b"").decode() or None


def windows(
    table: Table, *, length: int, step: int = 1, horizon: int = 1, with_target: bool = True
) -> Table:
    """Cut long sequences into windows, each with the value that follows it.

        NAME       x(t − length + 1), …, x(t)
        next_NAME  x(t + horizon)

    A window never crosses from one sequence into another. Overlapping windows share memory.

    Args:
        table: from `to_sequences`, with lists in its columns; or a long table in the order of
            time, which is one sequence.
        length: window length in steps, at least 1.
        step: steps from the start of a window to the start of the next, at least 1.
        horizon: steps from the last step of a window to its value, at least 1.
        with_target: whether every window has its value. If not, there are no columns `next_NAME`,
            and the last window is the one whose value is not yet known.

    Returns:
        One row a window, in the order of sequences and time, with `spans`, by which
        `split(…, in_time_order=True)` keeps the parts apart. Columns that are not lists are
        repeated.

    Raises:
        OptionError: length, step or horizon is less than 1.
        DataError: no sequence is long enough, or the lists of a row differ in length.
    """
    for name, value in {"length": length, "step": step, "horizon": horizon}.items():
        if value < 1:
            raise OptionError(f"{name} of windows must be at least 1 step, got {value}.")
    flat, offsets = _flattened(table)
    needed = length + horizon if with_target else length
    spans = _spans(np.diff(offsets), needed, step)
    if not len(spans.sequence):
        after = f" and the value {horizon} after it" if with_target else ""
        longest = counted(int(np.diff(offsets).max(initial=0)), "step")
        raise DataError(
            f"{table.source}: the longest sequence has {longest}, and a window of {length}{after} "
            f"needs {needed}. Choose a shorter window."
        )
    starts = offsets[spans.sequence] + spans.start
    columns = {}
    for name in table.columns:
        if name in flat:
            columns[name] = _views(flat[name], starts, length)
            if with_target:
                columns[NEXT.format(name)] = flat[name].take(_arrow(starts + needed - 1))
        else:
            columns[name] = table.arrow(name).take(_arrow(spans.sequence))
    one_sequence = not any(is_list(table.column(name).type) for name in table.columns)
    windowed = _derived(
        table,
        columns,
        starts if one_sequence else spans.sequence,
        [],
        repr((length, step, horizon, with_target)),
        spans=spans,
        time_format=time_format_of(table),
    )
    if not one_sequence:
        place = windowed.where
        windowed.where = lambda row: f"{place(row)}, window from step {int(spans.start[row])}"
    return windowed


def _spans(lengths: NDArray[np.int64], needed: int, step: int) -> Spans:
    """Return spans of `needed` steps, starting `step` steps apart, within each sequence."""
    counts = np.maximum(0, (lengths - needed) // step + 1)
    sequence = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return Spans(sequence, within * step, within * step + needed)


def _derived(
    table: Table,
    columns: Mapping[str, Any],
    first_rows: NDArray[np.int64],
    notes: list[str],
    arguments: str,
    *,
    spans: Spans | None = None,
    time_format: str | None = None,
) -> Table:
    """Make a table whose rows are derived from another's."""
    import pyarrow as pa

    data = pa.table(dict(columns))
    return Table(
        data.replace_schema_metadata(None if time_format is None else {_TIME_FORMAT: time_format}),
        source=table.source,
        where=lambda row: table.where(int(first_rows[row])),
        fingerprint=lambda: combined([table.fingerprint, arguments]),
        notes=[*table.notes, *notes],
        stored=table.stored,
        spans=spans,
        folder=lambda row: table.folder(int(first_rows[row])),
    )


def _group(
    table: Table,
    numbers: NDArray[np.int64],
    sequence_id: str | None,
    time: str | None,
    column: TimeColumn | None,
) -> tuple[_Groups, list[str]]:
    """Sort rows by sequence and time, with a note where they were not in order."""
    times = None if column is None else column.instants
    keys = (numbers,) if times is None else (times, numbers)
    order = np.lexsort(keys).astype(np.int64)  # stable: rows keep their order within a sequence
    ordered = numbers[order]
    offsets = np.flatnonzero(np.diff(ordered, prepend=-1, append=ordered[-1] + 1))
    groups = _Groups(order, offsets.astype(np.int64))
    if times is None or time is None or column is None:
        return groups, []
    same = np.diff(ordered) == 0
    repeated = np.flatnonzero(same & (times[order][1:] == times[order][:-1]))
    if len(repeated):
        first, second = sorted(order[repeated[0] : repeated[0] + 2].tolist())
        which = "" if sequence_id is None else f" of sequence {_cell(table, sequence_id, first)}"
        raise DataError(
            f"{table.where(first)} and {table.where(second)}: two rows{which} have the same "
            f"{time} {_cell(table, time, first)}. Remove one of them"
            + ("." if sequence_id else ", or name the column of the sequence id.")
            + column.hint_at_zone(first)
        )
    late = np.flatnonzero(same & (np.diff(order) < 0))
    if not len(late):
        return groups, column.notes
    row = int(order[late[0] + 1])
    note = f"rows were not in the order of {time!r} ({table.where(row)}) and were sorted."
    return groups, [*column.notes, note]


def sequence_numbers(table: Table, sequence_id: str | None) -> NDArray[np.int64]:
    """Number the sequence of every row, in the order in which sequences begin.

    Raises:
        DataError: there is no row, or an id is missing.
    """
    import pyarrow as pa

    if not len(table):
        raise DataError(f"{table.source} has no rows to make sequences of.")
    if sequence_id is None:
        return np.zeros(len(table), np.int64)
    kind = table.column(sequence_id).type
    if is_list(kind):
        raise DataError(f"column {sequence_id!r} holds lists and cannot be a sequence id.")
    values = table.arrow(sequence_id)
    if is_text(kind):
        values = pa.chunked_array([without_blanks(values)])
    _refuse_missing(table, values, sequence_id, "the sequence of the row")
    return _codes(values)


def _codes(values: pa.ChunkedArray) -> NDArray[np.int64]:
    """Number the distinct values of a column in the order in which they appear."""
    encoded = values.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return codes.astype(np.int64)  # type: ignore[no-any-return]


def _refuse_missing(table: Table, values: pa.ChunkedArray, name: str, what: str) -> None:
    if values.null_count:
        row = int(np.flatnonzero(values.is_null().to_numpy())[0])
        raise DataError(
            f"{table.where(row)}, column {name}: the cell is empty, but it must hold {what}. Fill "
            "it in, or remove the row."
        )


def _constant_columns(
    table: Table, groups: _Groups, sequence_id: str | None, per_sequence: Iterable[str] | None
) -> set[str]:
    """Return the columns with a single value a sequence."""
    always = set() if sequence_id is None else {sequence_id}
    if per_sequence is None:
        lengths = np.diff(groups.offsets)
        if len(lengths) < 2 or (lengths > 1).sum() < 2:
            return always
        names = [name for name in table.columns if name not in always]
        return always | {name for name in names if _change(table, name, groups) is None}
    named = [per_sequence] if isinstance(per_sequence, str) else list(per_sequence)
    for name in named:
        change = _change(table, name, groups)
        if change is not None:
            first, second = change
            raise DataError(
                f"column {name!r} must be constant within a sequence, but "
                f"{table.where(first)} has {_cell(table, name, first)} and {table.where(second)} "
                f"{_cell(table, name, second)}."
            )
    return always | set(named)


def _change(table: Table, name: str, groups: _Groups) -> tuple[int, int] | None:
    """Return two rows of one sequence in which a column differs, None if there are none."""
    from pyarrow import types

    kind = table.column(name).type
    if is_list(kind) or types.is_struct(kind):
        lengths = np.diff(groups.offsets)
        several = np.flatnonzero(lengths > 1)
        if not len(several):
            return None
        start = int(groups.offsets[several[0]])
        return int(groups.order[start]), int(groups.order[start + 1])
    codes = _codes(table.arrow(name))[groups.order]
    firsts = codes[groups.offsets[:-1]][groups.sequence_of_each()]
    changed = np.flatnonzero(codes != firsts)
    if not len(changed):
        return None
    sequence = groups.sequence_of_each()[changed[0]]
    return int(groups.first_rows[sequence]), int(groups.order[changed[0]])


def _cell(table: Table, name: str, row: int) -> str:
    value = table.column(name)[row]
    return repr(value) if isinstance(value, str) else str(value)


def _lists(values: pa.ChunkedArray, groups: _Groups) -> pa.Array:
    """Return a column as one list for each sequence."""
    import pyarrow as pa

    in_order = bool((groups.order == np.arange(len(groups.order))).all())
    ordered = (values if in_order else values.take(_arrow(groups.order))).combine_chunks()
    return pa.LargeListArray.from_arrays(_arrow(groups.offsets), _whole(ordered))


def _whole(values: Any) -> pa.Array:
    """Return one array, whether combine_chunks() returned one or several chunks."""
    import pyarrow as pa

    return pa.concat_arrays(values.chunks) if isinstance(values, pa.ChunkedArray) else values


def _views(values: pa.Array, starts: NDArray[np.int64], length: int) -> pa.Array:
    """Return overlapping lists that share the memory of one array."""
    import pyarrow as pa

    sizes = np.full(len(starts), length, np.int64)
    return pa.LargeListViewArray.from_arrays(_arrow(starts), _arrow(sizes), values)


def _flattened(table: Table) -> tuple[dict[str, pa.Array], NDArray[np.int64]]:
    """Return each column as one long array, and the offsets of the sequences in them."""
    import pyarrow.compute as pc

    lists = [name for name in table.columns if is_list(table.column(name).type)]
    if not lists:
        whole = {name: _whole(table.arrow(name).combine_chunks()) for name in table.columns}
        return whole, np.array([0, len(table)], np.int64)
    flat: dict[str, pa.Array] = {}
    first_lengths: NDArray[np.int64] | None = None
    for name in lists:
        values = _whole(table.arrow(name).combine_chunks())
        lengths = pc.list_value_length(values).fill_null(0).to_numpy(zero_copy_only=False)
        if first_lengths is not None and (lengths != first_lengths).any():
            row = int(np.flatnonzero(lengths != first_lengths)[0])
            raise DataError(
                f"{table.where(row)}: column {lists[0]!r} has "
                f"{counted(int(first_lengths[row]), 'step')} and column {name!r} {lengths[row]}. "
                "All columns must have equally many."
            )
        first_lengths = lengths
        flat[name] = pc.list_flatten(values)
    return flat, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _arrow(numbers: NDArray[np.int64]) -> pa.Array:
    import pyarrow as pa

    return pa.array(np.ascontiguousarray(numbers), pa.int64())
