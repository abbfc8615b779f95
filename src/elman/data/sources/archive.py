"""NumPy archives: arrays of equal length become columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.sources.files import fingerprint_of
from elman.data.sources.npy import load_arrays
from elman.data.table import Table
from elman.errors import DataError

LENGTHS = "_lengths"
"""`audio_lengths` holds the number of values in `audio` of each row."""


def read_npz(path: Path) -> Table:
    """Read an archive of NumPy arrays, without unpickling anything.

    The first axis of an array (N, …) is the rows. Sequences of different lengths are concatenated
    in an array NAME, with their lengths in an array NAME_lengths (N,); a row of the column NAME
    is then an array (T, …). Scalars describe the whole data set and are left out, with a note.

    Raises:
        DataError: the file is not an archive, an array holds Python objects, or the arrays are
            not equally long.
    """
    arrays = load_arrays(path)
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
    left_out = f"{', '.join(scalars)} in {path.name} is not a column and was left out."
    return Table.from_columns(
        columns,
        path.name,
        fingerprint=fingerprint_of([path]),
        notes=[left_out] if scalars else [],
    )


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
