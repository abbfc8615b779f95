"""NumPy archives and arrays: arrays of equal length become columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.sources.files import fingerprint_of
from elman.data.sources.npy import NO_HEADER, load_arrays
from elman.data.sources.parts import LENGTHS, in_parts
from elman.data.table import Table
from elman.errors import DataError


def read_npz(path: Path) -> Table:
    """Read an archive of NumPy arrays, without unpickling anything.

    The first axis of an array (N, …) is the rows. Sequences of different lengths are concatenated
    in an array NAME, with their lengths in an array NAME_lengths (N,); a row of the column NAME
    is then an array (T, …). Scalars describe the whole data set and are left out, with a note.

    Arrays named after the parts of a split, `x_train, y_train, x_test, y_test`, are joined to
    columns x and y, with the part of each row in a column `split`; see `parts.py`.

    Raises:
        DataError: the file is not an archive, an array holds Python objects, or the arrays are
            not equally long.
    """
    arrays, notes = in_parts(load_arrays(path), path)
    scalars = [name for name, array in arrays.items() if array.ndim == 0]
    columns = _columns(path, {n: array for n, array in arrays.items() if array.ndim})
    lengths = {name: len(values) for name, values in columns.items()}
    if not lengths or not any(lengths.values()):
        raise DataError(f"{path} contains no array with a row.")
    if len(set(lengths.values())) > 1:
        rows = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DataError(
            f"{path}: all arrays must have equally many rows, got {rows}. Sequences concatenated "
            f"in NAME need their lengths in NAME{LENGTHS}; write one archive per part (train, "
            "test), and arrays that are not columns to another file."
        )
    if scalars:
        notes.append(f"{', '.join(scalars)} in {path.name} is not a column and was left out.")
    return Table.from_columns(columns, path.name, fingerprint=fingerprint_of([path]), notes=notes)


def read_npy(path: Path) -> Table:
    """Read a file with a single NumPy array, without unpickling anything.

    The first axis is the rows. An array (N,) is a column `value`, (N, I) the columns x0, x1, …, and
    one with more axes a column `x` of arrays; named fields are columns.

    Raises:
        DataError: the file is no array, holds Python objects, or has no rows.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (*NO_HEADER, EOFError, OSError) as error:
        raise DataError(
            f"{path} cannot be read as an array of numbers or strings: {error}. Save it again by "
            "np.save, without Python objects."
        ) from error
    if not isinstance(array, np.ndarray):
        raise DataError(f"{path} is an archive of arrays; name it {path.stem}.npz.")
    if not array.ndim or not len(array):
        raise DataError(f"{path} holds no rows: its axes are {array.shape}.")
    columns: dict[str, Any] = {"value" if array.ndim == 1 else "x": array}
    if array.dtype.names is not None:
        columns = {name: array[name] for name in array.dtype.names}
    elif array.ndim == 2:
        columns = {f"x{place}": array[:, place] for place in range(array.shape[1])}
    return Table.from_columns(columns, path.name, fingerprint=fingerprint_of([path]))


def _columns(path: Path, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Split the arrays that have lengths into rows."""
    columns: dict[str, Any] = {}
    for name, array in arrays.items():
        if name.removesuffix(LENGTHS) in arrays and name.endswith(LENGTHS):
            continue
        lengths = arrays.get(name + LENGTHS)
        if lengths is None:
            columns[name] = array
            continue
        if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or (lengths < 0).any():
            raise DataError(
                f"{path}: {name}{LENGTHS} must be whole numbers (N,), at least 0, got "
                f"{lengths.dtype} {lengths.shape}."
            )
        if int(lengths.sum()) != len(array):
            raise DataError(
                f"{path}: {name}{LENGTHS} must add up to the {len(array)} values of {name}, got "
                f"{int(lengths.sum())}."
            )
        columns[name] = np.split(array, np.cumsum(lengths)[:-1]) if len(lengths) else []
    return columns
