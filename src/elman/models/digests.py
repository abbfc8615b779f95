"""Digests of the content of rows, by which a model knows the rows it was trained on.

A digest depends on what the columns of input and target hold, not on the format of a file: `7`,
`"7"` and `7.0` are the same, as are a list of symbols and their text with spaces between. A file
that a cell names counts by its size and by its first and last bytes. In a forecast a digest is
that of a step: of the series' name, the time and the values to forecast.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.paths import found_path
from elman.data.table import Table
from elman.errors import DataError
from elman.features.checks import missing
from elman.tasks.forecast import ForecastTask
from elman.tasks.joint import JointTask
from elman.tasks.task import Task

Digests = NDArray[np.uint64]

ENDS_BYTES = 2**16
"""Bytes at the beginning and at the end of a file that its digest reads."""

_NUMBER = re.compile(r"[+-]?(?=\.?\d)(0|[1-9]\d*)?(\.\d+)?([eE][+-]?\d+)?")
"""A number as a text; `007` is a code, not a number."""
_WHOLE = 2.0**53
"""Below this size a float holds every whole number."""


@singledispatch
def digests_of(task: Task, table: Table, *, whole: bool = False) -> Digests:
    """Return a digest of the content of every row: of every step, in a forecast.

    A row of which nothing is read, such as a blank line of a running text, has the digest 0.

    Args:
        task: whose columns are read.
        table: with the columns of input and target.
        whole: in a forecast, whether the steps before those to forecast are included.
    """
    del whole
    digests = np.empty(len(table), np.uint64)
    inputs = table.values(task.input_columns)
    several = len(task.input_columns) > 1
    targets: Any = [()] * len(table)
    if task.has_target_columns:
        targets = table.values(task.target_columns)
    for row, (value, target) in enumerate(zip(inputs, targets, strict=True)):
        cells = value if several else [value]
        parts = [_content(cell, reads_files=task.input.reads_files) for cell in cells]
        parts.append(_of_target(task, target))
        digest = hashlib.blake2b(b"\x1e".join(parts), digest_size=8).digest()
        digests[row] = int.from_bytes(digest, "little") if any(parts) else 0
    return digests


@digests_of.register
def _(task: ForecastTask, table: Table, *, whole: bool = False) -> Digests:
    assert table.spans is not None, "the series of a forecast have spans"
    feature, columns = task.series, task.input_columns
    n = len(feature.targets)
    found = [np.empty(0, np.uint64)]
    for row, cells in enumerate(table.values(columns)):
        cells = cells if len(columns) > 1 else [cells]
        start, stop = (0 if whole else table.spans.start[row]), table.spans.stop[row]
        steps = np.arange(stop)
        if feature.timed:
            instants_and_clocks = np.asarray(cells[len(columns) - 1 - feature.several])
            steps = instants_and_clocks.reshape(len(instants_and_clocks), -1)[:, 0]
        item = _content(cells[-1], reads_files=False) if feature.several else b""
        seed = hashlib.blake2b(item, digest_size=8).digest()
        digest = np.full(stop - start, int.from_bytes(seed, "little"), np.uint64)
        for values in (_clock(steps), *map(_bits, cells[:n])):
            digest = _mixed(digest ^ values[start:stop])
        found.append(digest)
    return np.concatenate(found)


def digest_of_part(digests: Digests) -> str:
    """Return one digest for all rows, in their order, as hexadecimal digits."""
    return hashlib.blake2b(digests.astype("<u8").tobytes(), digest_size=16).hexdigest()


def digest_of_features(task: Task) -> str:
    """Return the digest of what the features of input and target have learned."""
    state = [
        task.to_json()[name] for name in ("input_columns", "target_columns", "input", "target")
    ]
    text = json.dumps(state, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


@singledispatch
def _of_target(task: Task, value: Any) -> bytes:
    """Return the content of a target: its names, whether they are written as a list or a text."""
    if not task.has_target_columns or not task.target.predicts_names or task.target.is_class:
        return _content(value, reads_files=False)
    try:
        names = [_content(name, reads_files=False) for name in task.target.names_in(value)]
    except DataError:  # malformed or missing, and compared as it is
        return _content(value, reads_files=False)
    return b"\x1f".join(names if task.target.has_steps else sorted(names))


@_of_target.register
def _(task: JointTask, value: Any) -> bytes:
    parts = zip(task.parts, value, strict=True)
    contents = [_of_target(part, cell) for part, cell in parts]
    return b"\x1d".join(contents) if any(contents) else b""


def _content(cell: Any, *, reads_files: bool) -> bytes:
    """Return what a cell holds, in the same bytes whatever its type."""
    if isinstance(cell, str):
        if reads_files and (content := _file(cell)) is not None:
            return content
        text = " ".join(cell.split())
        is_number = bool(text) and text[-1].isdecimal() and _NUMBER.fullmatch(text) is not None
        written = _number(float(text)) if is_number else text
        return written.encode(errors="surrogatepass")
    if missing(cell):
        return b""
    if isinstance(cell, bool | np.bool_):
        return str(bool(cell)).lower().encode()
    if isinstance(cell, int | float | np.number):
        return _number(cell).encode()
    if isinstance(cell, bytes):
        return cell
    if isinstance(cell, np.ndarray) and cell.dtype.kind in "iufb":
        return str(cell.shape).encode() + _bits(cell).tobytes()
    if isinstance(cell, Mapping):
        return b"\x1f".join(
            str(name).encode() + b":" + _content(cell[name], reads_files=reads_files)
            for name in sorted(cell)
        )
    if isinstance(cell, Sequence | np.ndarray):
        return b" ".join(_content(each, reads_files=reads_files) for each in cell)
    return str(cell).encode()


def _number(value: Any) -> str:
    """Write a number to the seven digits that float32 has; a whole number with all of its own."""
    if isinstance(value, int | np.integer):
        return str(int(value))
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < _WHOLE else f"{number:.7g}"


def _file(path: str) -> bytes | None:
    """Return size, beginning and end of a file; None if there is no such file."""
    place = found_path(path)
    if place is None:
        return None
    try:
        with place.open("rb") as file:
            first = file.read(ENDS_BYTES)
            size = file.seek(0, 2)
            file.seek(max(len(first), size - ENDS_BYTES))
            return str(size).encode() + first + file.read()
    except (OSError, ValueError):
        return None


def _bits(values: Any) -> Digests:
    """Return numbers as the bits of their float32, one bit pattern for every missing one."""
    with np.errstate(over="ignore"):
        numbers = np.asarray(values, np.float64).astype(np.float32) + np.float32(0)  # −0 is 0
    bits: Digests = np.ascontiguousarray(numbers).view(np.uint32).astype(np.uint64)
    bits[np.isnan(numbers)] = np.iinfo(np.uint64).max
    return bits


def _clock(times: NDArray[Any]) -> Digests:
    """Return times, or numbers of steps, as whole numbers of 64 bits."""
    if times.dtype.kind == "M":
        return times.astype("datetime64[us]").view(np.int64).astype(np.uint64)
    return np.ascontiguousarray(times, np.float64).view(np.uint64)


def _mixed(values: Digests) -> Digests:
    """Scatter 64 bits over 64 bits, one to one.

    Source: the finaliser of SplitMix64, Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195.
    """
    with np.errstate(over="ignore"):
        values = values + np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))
