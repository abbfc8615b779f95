"""From rows to tensors: encoded values in memory-mapped files, cached between runs."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import elman
from elman.batches.batching import Example
from elman.batches.sealing import is_sound, seal
from elman.data.paths import found_path
from elman.data.table import Table, combined
from elman.errors import DataError, ShapeError
from elman.features.feature import Encodings, Feature
from elman.features.parts import Part

LAYOUT = "2"
"""Version of the layout of the cached files."""

VALUES, OFFSETS = "values.npy", "offsets.npy"


class Ragged(Sequence[Tensor]):
    """Tensors of different lengths, concatenated in a single array, often memory-mapped.

    Args:
        values: all steps of all rows, (sum of lengths, …); or one value a row, (N, …).
        offsets: start of each row, and the end of the last one, (N + 1,); None where a row is a
            single value.

    >>> rows = Ragged(np.arange(5.0), np.array([0, 2, 2, 5]))
    >>> rows[2]
    tensor([2., 3., 4.], dtype=torch.float64)
    >>> rows.lengths
    array([2, 0, 3])
    """

    def __init__(self, values: NDArray[Any], offsets: NDArray[np.int64] | None) -> None:
        self.values = values
        self.offsets = offsets

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> Tensor: ...
    @overload
    def __getitem__(self, index: slice) -> list[Tensor]: ...
    def __getitem__(self, index: int | slice) -> Tensor | list[Tensor]:
        if isinstance(index, slice):
            return [self[row] for row in range(len(self))[index]]
        row = range(len(self))[index]
        if self.offsets is None:
            return torch.from_numpy(np.array(self.values[row]))
        return torch.from_numpy(np.array(self.values[self.offsets[row] : self.offsets[row + 1]]))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of each row, (N,); 1 where a row is a single value."""
        if self.offsets is None:
            return np.ones(len(self), np.int64)
        return np.diff(self.offsets)

    @classmethod
    def open(cls, folder: Path) -> Ragged:
        """Memory-map the files that a `RaggedWriter` has written.

        Raises:
            DataError: they are missing or damaged.
        """
        try:
            values = np.load(folder / VALUES, mmap_mode="r", allow_pickle=False)
            offsets = None
            if (folder / OFFSETS).exists():
                offsets = np.load(folder / OFFSETS, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(
                f"the encoded data in {folder} cannot be read ({error}); delete that folder, and "
                "the data is encoded again."
            ) from error
        return cls(values, offsets)


class RaggedParts(Sequence[tuple[Tensor, ...]]):
    """Tuples of tensors, one a part: sequences first, whose first gives the lengths.

    Args:
        parts: the rows of each part.
    """

    def __init__(self, parts: Sequence[Ragged]) -> None:
        self.parts = tuple(parts)

    def __len__(self) -> int:
        return len(self.parts[0])

    @overload
    def __getitem__(self, index: int) -> tuple[Tensor, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[Tensor, ...]]: ...
    def __getitem__(self, index: int | slice) -> tuple[Tensor, ...] | list[tuple[Tensor, ...]]:
        if isinstance(index, slice):
            return [self[row] for row in range(len(self))[index]]
        return tuple(part[index] for part in self.parts)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of each row in the first part, (N,)."""
        return self.parts[0].lengths


class RaggedWriter:
    """Writes tensors to files one at a time, keeping none in memory.

    Use as a context manager; the files are complete on exit.

    Args:
        folder: an empty folder for the files.
        has_steps: whether the first axis of a tensor is time, of any length.
    """

    def __init__(self, folder: Path, *, has_steps: bool) -> None:
        self._folder = folder
        self._has_steps = has_steps
        self._file: BinaryIO | None = None
        self._dtype = np.dtype(np.float32)
        self._shape: tuple[int, ...] = ()
        self._ends = [0]

    def __enter__(self) -> Self:
        return self

    def write(self, value: Tensor) -> None:
        """Write the tensor of the next row.

        Raises:
            ShapeError: its axes or its type differ from the first one's.
        """
        array = np.ascontiguousarray(value.detach().cpu().numpy())
        array = array.reshape(value.shape)  # ascontiguousarray gives a scalar an axis
        shape = array.shape[1:] if self._has_steps else array.shape
        if self._file is None:
            self._dtype, self._shape = array.dtype, shape
            self._file = (self._folder / VALUES).open("wb")
            self._write_header(self._file)
        if shape != self._shape or array.dtype != self._dtype:
            raise ShapeError(
                f"all encoded values must have the same form, got {array.dtype} "
                f"{tuple(array.shape)} after "
                f"{self._dtype} {('T', *self._shape) if self._has_steps else self._shape}."
            )
        self._file.write(array.tobytes())
        self._ends.append(self._ends[-1] + (len(array) if self._has_steps else 1))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        file = self._file or (self._folder / VALUES).open("wb")
        with file:
            file.seek(0)
            # NumPy pads the header so that the first axis may grow: its size stays the same.
            self._write_header(file)
        if self._has_steps:
            np.save(self._folder / OFFSETS, np.array(self._ends, np.int64), allow_pickle=False)

    def _write_header(self, file: BinaryIO) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._ends[-1], *self._shape),
        }
        np.lib.format.write_array_header_1_0(file, header)


class EncodedExamples(Sequence[Example]):
    """Examples made from encoded inputs and targets on access.

    Args:
        inputs: the input of each row.
        targets: the target of each row.

    Raises:
        ShapeError: the numbers of inputs and targets differ.
    """

    def __init__(self, inputs: Ragged | RaggedParts, targets: Ragged) -> None:
        if len(inputs) != len(targets):
            raise ShapeError(
                f"every input must have a target, got {len(inputs)} inputs and {len(targets)} "
                "targets."
            )
        self.inputs = inputs
        self.targets = targets

    def __len__(self) -> int:
        return len(self.inputs)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> list[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | list[Example]:
        if isinstance(index, slice):
            return [self[row] for row in range(len(self))[index]]
        return Example(self.inputs[index], self.targets[index])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of each input, (N,)."""
        return self.inputs.lengths


Rows = Sequence[int] | NDArray[np.int64]


def fit(table: Table, rows: Rows, columns: Sequence[str], feature: Feature) -> None:
    """Fit a feature on the training rows.

    Raises:
        DataError: a value is invalid; file, row and column are named where the feature refuses
            the value as soon as it reads it.
    """
    part = table.select(rows)
    current = -1

    def values() -> Iterator[Any]:
        nonlocal current
        for current, value in enumerate(_values(part, columns)):  # noqa: B007 - read below
            yield value
        current = -1  # an error after the last value belongs to no row

    try:
        feature.fit(values())
    except DataError as error:
        place = part.source if current < 0 else part.where(current)
        raise DataError(f"{place}, {_named(columns)}: {error}") from error


def encode_inputs(
    table: Table, columns: Sequence[str], feature: Feature, *, cache: Path | None
) -> Ragged | RaggedParts:
    """Encode the inputs of all rows, or read them from the cache: see `encode`.

    Returns:
        One tensor a row; a tuple of them where the feature encodes each of its parts by itself.
    """
    rows = range(len(table))
    encoding: Any = feature.encoding
    if not isinstance(encoding, Encodings):
        return encode(table, rows, columns, feature, cache=cache)
    return RaggedParts(
        [encode(table, rows, part.columns, part, cache=cache) for part in feature.parts]
    )


def encode(
    table: Table,
    rows: Rows,
    columns: Sequence[str],
    feature: Feature | Part,
    *,
    cache: Path | None,
) -> Ragged:
    """Encode the values of some rows, or read them from the cache of an earlier run.

    The key of the cache is made of the content of the table's files, the rows, the columns, the
    fitted feature and its code; when any of these changes, the values are encoded again.

    Args:
        table: the data.
        rows: row numbers, in the order of the result.
        columns: the feature's columns; with several, a value is the list of their cells.
        feature: a fitted feature.
        cache: folder of the cache; None, or a table that is not from files, keeps the values in
            memory instead.

    Returns:
        One tensor a row.

    Warns:
        UserWarning: the files of the cache are damaged; they are made anew.

    Raises:
        DataError: a value cannot be encoded; file, row and column are named.
    """
    part = table.select(rows)
    if cache is None or not table.stored:
        return _in_memory(list(_encoded(part, columns, feature)), has_steps=feature.has_steps)
    folder = cache / _key(part, columns, feature)
    if folder.is_dir() and not is_sound(folder):
        warnings.warn(
            f"the encoded data in {folder} is damaged: its checksum differs; it is encoded again.",
            stacklevel=2,
        )
        shutil.rmtree(folder)
    if not folder.is_dir():
        _write(part, columns, feature, folder)
    return Ragged.open(folder)


def _values(table: Table, columns: Sequence[str]) -> Iterator[Any]:
    """Yield the value of every row: a cell, or the list of several columns' cells."""
    if len(columns) == 1:
        yield from table.column(columns[0])
    else:
        yield from map(list, zip(*(table.column(name) for name in columns), strict=True))


def _encoded(table: Table, columns: Sequence[str], feature: Feature | Part) -> Iterator[Tensor]:
    for row, value in enumerate(_values(table, columns)):
        try:
            yield feature.encode(value)
        except DataError as error:
            raise DataError(f"{table.where(row)}, {_named(columns)}: {error}") from error


def _named(columns: Sequence[str]) -> str:
    return f"column{'s' if len(columns) > 1 else ''} {', '.join(columns)}"


def _in_memory(values: list[Tensor], *, has_steps: bool) -> Ragged:
    """Concatenate tensors in memory."""
    if not values:
        empty = np.zeros(0, np.float32)
        return Ragged(empty, np.zeros(1, np.int64) if has_steps else None)
    if not has_steps:
        return Ragged(torch.stack(values).numpy(), None)
    offsets = np.cumsum([0, *map(len, values)], dtype=np.int64)
    return Ragged(torch.cat(values).numpy(), offsets)


def _write(table: Table, columns: Sequence[str], feature: Feature | Part, folder: Path) -> None:
    """Encode into a folder that gets its name only when it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    try:
        with RaggedWriter(unfinished, has_steps=feature.has_steps) as writer:
            for value in _encoded(table, columns, feature):
                writer.write(value)
        seal(unfinished)
        if not folder.is_dir():  # another run may have finished first
            unfinished.rename(folder)
    except OSError as error:
        if error.errno is not None and error.filename is None:  # a full disk names no file
            error.filename = str(folder)
        raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _key(table: Table, columns: Sequence[str], feature: Feature | Part) -> str:
    """Return a key made of all that an encoding depends on."""
    parts: list[str | bytes] = [
        LAYOUT,
        elman.__version__,
        table.fingerprint,
        json.dumps(list(columns)),
        json.dumps(feature.to_json(), sort_keys=True),
        _code_of(feature),
    ]
    if feature.reads_files:
        parts += _files_behind(table, columns)
    return combined(parts)[:32]


def _code_of(feature: Feature | Part) -> str:
    """Hash the source of the module that defines a feature's class."""
    of_class = type(feature.feature if isinstance(feature, Part) else feature)
    file = getattr(sys.modules[of_class.__module__], "__file__", None)
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""


def _files_behind(table: Table, columns: Sequence[str]) -> Iterator[str]:
    """Yield size and modification time of every file that the values name."""
    for name in columns:
        for value in table.column(name):
            if isinstance(value, str):
                path = found_path(value)
                if path is None:
                    continue  # encoding will say which file is missing
                status = path.stat()
                yield f"{status.st_size} {status.st_mtime_ns}"
