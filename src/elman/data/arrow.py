"""Conversion of Python values and NumPy arrays to Arrow columns, and back; their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from elman.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def to_python(array: pa.Array) -> list[Any]:
    """Return the values of an Arrow column, one a row, None where one is missing.

    A list of numbers becomes a NumPy array, (T,), or (T, I, …) where every element is a list of
    fixed size; in it a missing number is NaN. Timestamps are truncated to microseconds, the
    finest that Python has.
    """
    import pyarrow as pa

    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_timestamp(array.type) and array.type.unit == "ns":
        array = array.cast(pa.timestamp("us", array.type.tz), safe=False)
    if _holds_lists_of_numbers(array.type):
        return [_numbers(value) for value in array]
    return array.to_pylist()  # type: ignore[no-any-return]


def is_single(kind: pa.DataType) -> bool:
    """Tell whether the values of a column have no values within: no lists, mappings or sounds."""
    from pyarrow import types

    return not types.is_nested(kind)


def is_list(kind: pa.DataType) -> bool:
    """Tell whether the values of a column are lists."""
    from pyarrow import types

    return bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    """Tell whether the values of a column are strings, dictionary-encoded or not."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def as_text(column: pa.ChunkedArray) -> pa.Array:
    """Return a column of strings of any kind as one array of strings."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    column = column.cast(pa.large_string())
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def is_number(kind: pa.DataType) -> bool:
    """Tell whether the values of a column are integers or floating-point numbers."""
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_floating(kind))


def _holds_lists_of_numbers(kind: pa.DataType) -> bool:
    from pyarrow import types

    if not is_list(kind):
        return False
    kind = kind.value_type
    while types.is_fixed_size_list(kind):
        kind = kind.value_type
    return is_number(kind)


def _numbers(scalar: pa.Scalar) -> Any:
    """Return one list of numbers as a writable array."""
    from pyarrow import types

    if not scalar.is_valid:
        return None
    values = scalar.values
    shape = [len(values)]
    while types.is_fixed_size_list(values.type):
        if values.null_count:  # flatten() would drop them
            return scalar.as_py()
        shape.append(values.type.list_size)
        values = values.flatten()
    return np.array(values.to_numpy(zero_copy_only=False)).reshape(shape)


def to_arrow(values: Any, *, name: str) -> Any:
    """Turn the values of one column into an Arrow Array or ChunkedArray.

    Args:
        values: a sequence with one value a row, an array whose first axis is the rows, or an
            Arrow column, which is returned unchanged. A value may itself be an array of any
            length.
        name: name of the column, for error messages.

    Raises:
        DataError: the values are of several types, or of one that a table cannot hold.
    """
    import pyarrow as pa

    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise DataError(
            f"column {name!r} must be a list or an array with one value a row, got {_show(values)}."
        )
    if hasattr(values, "__array__"):
        values = np.asarray(values)
    try:
        if isinstance(values, np.ndarray) and not values.dtype.hasobject:
            if values.ndim == 0:
                raise DataError(f"column {name!r} must have one value a row, got {_show(values)}.")
            return _from_block(values)
        return _from_values([_plain(value) for value in values])
    except (pa.ArrowException, OverflowError) as error:
        raise _unstorable(list(values), name, str(error)) from error


def _plain(value: Any) -> Any:
    """Turn objects that offer themselves as arrays, such as tensors and images, into arrays."""
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "__array_interface__") or hasattr(value, "__array__"):
        array = np.asarray(value)
        return array.item() if array.ndim == 0 else array
    return value


def _from_values(values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    arrays = [value for value in values if isinstance(value, np.ndarray)]
    if not arrays:
        return pa.array(values)
    alike = len({array.shape[1:] for array in arrays}) == 1
    if len(arrays) < len(values) or not alike or not _has_block(arrays[0]):
        return pa.array([v.tolist() if isinstance(v, np.ndarray) else v for v in values])
    offsets = np.cumsum([0, *map(len, arrays)], dtype=np.int64)
    return pa.LargeListArray.from_arrays(pa.array(offsets), _from_block(np.concatenate(arrays)))


def _has_block(array: NDArray[Any]) -> bool:
    """Tell whether an array's elements can be stored one after another in a column."""
    return array.dtype.kind in "biuf" and 0 not in array.shape[1:]


def _from_block(values: NDArray[Any]) -> pa.Array:
    """Turn an array (N, …) into a column of N rows, each a nested list of fixed size."""
    import pyarrow as pa

    if values.ndim > 1 and not _has_block(values):
        return pa.array(values.tolist())
    values = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    column = pa.array(values.reshape(-1))
    for size in reversed(values.shape[1:]):
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return column


def _unstorable(values: list[Any], name: str, reason: str) -> DataError:
    """Build the error for values that no Arrow column can hold, with an example of each type."""
    first = next((row for row, value in enumerate(values) if value is not None), 0)
    for row, value in enumerate(values):
        if value is not None and type(value) is not type(values[first]):
            return DataError(
                f"column {name!r} mixes types: row {first} holds {_show(values[first])} and row "
                f"{row} holds {_show(value)}. Give every row a value of one type, or None where it "
                "is missing."
            )
    return DataError(
        f"column {name!r} cannot be stored in a table ({reason}); its first value is "
        f"{_show(values[first])}. Give numbers, strings, lists of them or NumPy arrays."
    )


def _show(value: Any) -> str:
    """Return a value, shortened, and its type."""
    shown = repr(value)
    return f"{shown if len(shown) <= 60 else shown[:57] + '…'} ({type(value).__name__})"


class _HashingFile:
    """A file that keeps only the hash of what is written to it."""

    closed = False

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return len(content)

    def flush(self) -> None:
        """Do nothing."""


def hash_of(data: pa.Table) -> str:
    """Hash the columns in Arrow's stream format, which contains only the values in use."""
    import pyarrow as pa

    file = _HashingFile()
    with pa.ipc.new_stream(pa.PythonFile(file, mode="w"), data.schema) as stream:
        stream.write_table(data)
    return file.digest.hexdigest()
