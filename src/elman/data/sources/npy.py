"""The arrays of a NumPy archive, each header checked before memory is taken for it."""

from __future__ import annotations

import lzma
import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from elman.data import limits
from elman.errors import DataError

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,  # a compression that zipfile does not know
    RuntimeError,  # a password
    ValueError,
)
"""What zipfile and NumPy raise for what they cannot read."""

NO_HEADER = (
    ValueError,
    TypeError,
    OverflowError,
    RecursionError,
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
)
"""What NumPy raises for what is no header: it reads it as Python's literals."""


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of an archive as `np.savez` writes it, without unpickling anything.

    Raises:
        DataError: the file is no such archive or damaged, an array holds Python objects, or would
            take more memory than `limits` allows.
    """
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with path.open("rb") as file:
            if file.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX:
                raise DataError(f"{path} is a single array; save it with a name by np.savez.")
            if not zipfile.is_zipfile(file):
                raise DataError(
                    f"{path} is not a NumPy archive as np.savez writes it, or not a complete one; "
                    "copy, download or save it again."
                )
            with zipfile.ZipFile(file) as archive:
                for entry in archive.infolist():
                    name = entry.filename.removesuffix(".npy")
                    if name in arrays:
                        raise DataError(f"{path} holds two arrays named {name!r}; rename one.")
                    with archive.open(entry) as member:
                        what = f"{path}: array {name!r}"
                        arrays[name] = _read(member, entry, path.stat().st_size, what)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    except _BROKEN as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path} is not a complete NumPy archive: {error}. Copy, download or save it again."
        ) from error
    return arrays


def _read(member: IO[bytes], entry: zipfile.ZipInfo, bytes_there: int, what: str) -> NDArray[Any]:
    """Read one array.

    Args:
        member: the file in the archive.
        entry: what the archive says of it.
        bytes_there: size of the archive.
        what: the array, in words, for errors.
    """
    shape, fortran, kind = _header(member, what)
    if kind.hasobject:
        name = entry.filename.removesuffix(".npy")
        raise DataError(
            f"{what} holds Python objects, which only pickle can read, and a pickle can run "
            f"arbitrary code. Save strings as np.array(…, dtype=str), and sequences as one array "
            f"{name} with their lengths in {name}_lengths."
        )
    if kind.kind == "V":
        raise DataError(
            f"{what} has the type {kind}, which no column can hold; save each of its fields as an "
            "array of its own."
        )
    size, there = math.prod(shape) * kind.itemsize, entry.file_size - member.tell()
    if min(shape, default=0) < 0 or size != there:
        raise DataError(
            f"{what} is damaged or not complete: its header claims {size:,} bytes of values "
            f"({kind}, {shape}), and the archive holds {there:,}. Save it again."
        )
    if entry.file_size > entry.compress_size or entry.compress_size > bytes_there:
        limits.check(size, what)
    if not size:
        limits.check(max(shape, default=0), what)  # a row takes memory though it has no value
    content = bytearray(size)
    read = 0
    while step := member.readinto(memoryview(content)[read:]):  # type: ignore[attr-defined]
        read += step
    if read != size or member.read(1):  # at its end zipfile compares the checksum
        raise DataError(f"{what} is not complete: {read:,} of {size:,} bytes are there.")
    values = np.frombuffer(content, kind) if size else np.zeros(math.prod(shape), kind)
    return values.reshape(shape, order="F" if fortran else "C")


def _header(member: IO[bytes], what: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of an array: shape, whether in Fortran's order, type of a value."""
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    try:
        version = npy.read_magic(member)
        if version not in readers:
            raise ValueError(f"it is of version {version[0]}.{version[1]}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers by Python 2
            return readers[version](member)
    except NO_HEADER as error:
        raise DataError(
            f"{what} has no header as np.savez writes it ({_first_line(error)}); leave out what is "
            "no array, and save it again."
        ) from error


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__
