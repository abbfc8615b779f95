"""Arrow's types that Elman does not read, made into ones that it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from elman.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_DAYS = (-719_162, 2_932_896)
"""The years 1 … 9999, which Python's dates have, in days since 1970."""

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

_LONGEST = 999_999_999 * 86_400
"""Seconds in Python's longest interval."""


class _Unreadable(Exception):
    """The type or a value of a column that Elman cannot read; its text completes the note."""


def readable(data: pa.Table, source: str) -> tuple[pa.Table, list[str]]:
    """Make the types of a table ones whose values all become Python's.

    Views of strings and lists, run-end encoding and extensions become plain columns. Decimals
    become 64-bit floats, or strings where a float would not keep every digit. A column of another
    type, as a map or a union, or with a date outside the years 1 … 9999, is left out.

    Args:
        data: the columns, as read.
        source: what they were read from, for the notes: a file's name.

    Returns:
        The columns, and a note on each that was left out or became strings.

    Raises:
        DataError: no column is left.
        UnicodeDecodeError: a name is no text.
    """
    columns: dict[int, Any] = {}
    notes: list[str] = []
    for place, name in enumerate(data.column_names):
        column = data.column(place)
        try:
            columns[place] = _plain(column)
        except _Unreadable as why:
            notes.append(f"column {name!r} of {source} {why}, and was left out.")
            continue
        if _is_decimal(column.type) and not _is_float(columns[place].type):
            notes.append(
                f"column {name!r} of {source} holds decimals that a 64-bit float does not keep "
                "exactly, and was read as strings."
            )
    if not columns:
        raise DataError(f"{source} has no column that can be read: {' '.join(notes)}")
    import pyarrow as pa

    names = [data.column_names[place] for place in columns]
    return pa.table(list(columns.values()), names=names), notes


def why_left_out(name: str, notes: Iterable[str]) -> str | None:
    """Return the note on a column that `readable` left out, None where it did not."""
    begin = f"column {name!r} of "
    return next(
        (note for note in notes if note.startswith(begin) and note.endswith("was left out.")), None
    )


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cast a column to the type that is read in place of its own, and check its values."""
    import pyarrow as pa

    wanted = _plain_type(column.type)
    if wanted is None:
        raise _Unreadable(f"has the type {column.type}, which is not read")
    try:
        column = _cast(column, wanted)
        row = 0
        for chunk in column.chunks:
            for leaf in _leaves(chunk):
                _check_times(leaf, row if len(leaf) == len(chunk) else None)
            row += len(chunk)
    except pa.ArrowException as error:
        raise _Unreadable(f"has the type {column.type}, which is not read ({error})") from error
    return column


def _plain_type(kind: pa.DataType) -> pa.DataType | None:
    """Return the type that is read in place of another, None where there is none."""
    import pyarrow as pa
    from pyarrow import types

    if isinstance(kind, pa.BaseExtensionType):
        return _plain_type(kind.storage_type)
    if types.is_string_view(kind):
        return pa.large_string()
    if types.is_binary_view(kind):
        return pa.large_binary()
    if _is_decimal(kind):
        return pa.float64()
    if types.is_run_end_encoded(kind):
        return _plain_type(kind.value_type)
    if types.is_dictionary(kind):
        values = _plain_type(kind.value_type)
        return kind if values == kind.value_type else values
    if types.is_struct(kind):
        if any(_is_view_of_lists(field.type) for field in kind):
            return None
        fields = [(field.name, _plain_type(field.type)) for field in kind]
        return None if any(each is None for _, each in fields) else pa.struct(fields)
    if not types.is_nested(kind):
        return kind if _is_simple(kind) else None
    if types.is_map(kind) or types.is_union(kind):
        return None
    values = _plain_type(kind.value_type)
    if values is None or _is_view_of_lists(kind.value_type):
        return None
    if types.is_fixed_size_list(kind):
        return kind if values == kind.value_type else pa.list_(values, kind.list_size)
    if types.is_list(kind) or types.is_large_list(kind):
        make = pa.list_ if types.is_list(kind) else pa.large_list
        return kind if values == kind.value_type else make(values)
    return pa.large_list(values)  # a view of lists


def _cast(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """Cast a column, also where Arrow has no cast in one step."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    kind = column.type
    if kind == wanted:
        return column
    if isinstance(kind, pa.BaseExtensionType):
        storage = pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
        return _cast(storage, wanted)
    if types.is_run_end_encoded(kind):
        decoded = [pc.run_end_decode(chunk) for chunk in column.chunks]
        return _cast(pa.chunked_array(decoded, kind.value_type), wanted)
    if types.is_dictionary(kind):
        taken = [
            _cast(pa.chunked_array([chunk.dictionary]), wanted).take(chunk.indices)
            for chunk in column.chunks
        ]
        return pa.chunked_array([part for each in taken for part in each.chunks], wanted)
    if _is_view_of_lists(kind):
        return pa.chunked_array([_lists_of(chunk, wanted) for chunk in column.chunks], wanted)
    if types.is_string_view(kind) or types.is_binary_view(kind):
        cleared = [_cleared(chunk).cast(wanted) for chunk in column.chunks]
        return pa.chunked_array(cleared, wanted)
    if "_view" in str(kind):  # somewhere within: Arrow's cast follows those of missing values
        return pa.chunked_array([pa.array(each.to_pylist(), wanted) for each in column.chunks])
    if _is_decimal(kind):
        strings = column.cast(pa.string())
        floats = strings.cast(wanted)  # Arrow's cast in one step does not round to the nearest
        return floats if _is_kept(column, floats) else strings
    return column.cast(wanted)


def _cleared(views: pa.Array) -> pa.Array:
    """Empty the views of missing strings, which may point anywhere and which a cast follows."""
    import pyarrow as pa

    if not views.null_count:
        return views
    _, places, *contents = views.buffers()
    items = np.frombuffer(places, np.uint8).reshape(-1, 16)[views.offset :][: len(views)].copy()
    items[views.is_null().to_numpy(zero_copy_only=False)] = 0
    _, valid = views.is_valid().buffers()
    return pa.Array.from_buffers(views.type, len(views), [valid, pa.py_buffer(items), *contents])


def _lists_of(views: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Turn a view of lists into lists; Arrow's own cast loses the list after a missing one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(views), 0).to_numpy()
    values = _cast(pa.chunked_array([views.flatten()]), wanted.value_type).combine_chunks()
    offsets = np.cumsum([0, *lengths], dtype=np.int64)
    return pa.LargeListArray.from_arrays(pa.array(offsets), values, mask=views.is_null())


def _is_kept(decimals: pa.ChunkedArray, floats: pa.ChunkedArray) -> bool:
    """Tell whether floats become the same decimals again."""
    import pyarrow as pa

    try:
        return bool(floats.cast(decimals.type).equals(decimals))
    except pa.ArrowInvalid:
        return False


def _leaves(array: pa.Array) -> Iterator[pa.Array]:
    """Yield the arrays in a nested array that hold its values, without those of missing lists."""
    from pyarrow import types

    if types.is_struct(array.type):
        for field in array.flatten():
            yield from _leaves(field)
    elif types.is_dictionary(array.type):
        yield from _leaves(array.dictionary)
    elif types.is_nested(array.type):
        yield from _leaves(array.flatten())
    else:
        yield array


def _check_times(array: pa.Array, first_row: int | None) -> None:
    """Refuse times that Python does not have, and time zones that are unknown.

    Args:
        array: values of one type.
        first_row: row of the first value, None where values are not rows.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    kind = array.type
    if types.is_date32(kind):
        least, most = _DAYS
    elif types.is_date64(kind) or types.is_timestamp(kind):
        seconds = 86_400 * (1 if types.is_timestamp(kind) else 1_000)
        least, most = (_DAYS[0] + 1) * seconds, _DAYS[1] * seconds  # a day less, for time zones
        per_second = _PER_SECOND[kind.unit] if types.is_timestamp(kind) else 1
        least, most = least * per_second, most * per_second
        if types.is_timestamp(kind) and kind.tz is not None:
            _check_zone(kind.tz)
    elif types.is_duration(kind):
        most = _LONGEST * _PER_SECOND[kind.unit]
        least = -most
    else:
        return
    counts = array.view(pa.int32() if types.is_date32(kind) else pa.int64())
    extremes = pc.min_max(counts)
    low, high = extremes["min"].as_py(), extremes["max"].as_py()
    if low is None or (least <= low and high <= most):
        return
    wrong = low if low < least else high
    place = "" if first_row is None else f" in row {first_row + pc.index(counts, wrong).as_py()}"
    what = "an interval" if types.is_duration(kind) else "a date outside the years 1 … 9999"
    raise _Unreadable(f"holds {what}{place} that cannot be read ({kind}: {wrong})")


def _check_zone(name: str) -> None:
    """Refuse a time zone that Arrow does not find."""
    import pyarrow as pa

    try:
        pa.scalar(0, pa.timestamp("s", name)).as_py()
    except (pa.ArrowException, ValueError, OSError) as error:
        raise _Unreadable(f"has the time zone {name!r}, which is unknown here") from error


def _is_simple(kind: pa.DataType) -> bool:
    """Tell whether values are numbers, truth values, strings, bytes or times, or all missing."""
    from pyarrow import types

    numbers = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    strings = types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind)
    contents = types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    times = types.is_date(kind) or types.is_time(kind) or types.is_timestamp(kind)
    return bool(
        numbers or strings or contents or times or types.is_duration(kind) or types.is_null(kind)
    )


def _is_view_of_lists(kind: pa.DataType) -> bool:
    """Tell whether the values of a column are views of lists."""
    from pyarrow import types

    return bool(types.is_list_view(kind) or types.is_large_list_view(kind))


def _is_decimal(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_decimal(kind))


def _is_float(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_floating(kind))
