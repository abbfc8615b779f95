"""Arrays named after the parts of a split, `x_train` or `test_y`, joined to columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.splits import PART_OF, PARTS
from elman.errors import DataError

SPLIT = "split"
"""Column with the part of each row."""

LENGTHS = "_lengths"
"""`audio_lengths` holds the number of values in `audio` of each row."""

_PART = "|".join(PART_OF)
_NAMES = (
    re.compile(rf"(?P<part>{_PART})[_.\- ](?P<name>.+)", re.IGNORECASE),
    re.compile(rf"(?P<name>.+)[_.\- ](?P<part>{_PART})", re.IGNORECASE),
    re.compile(rf"(?P<name>[xy])(?P<part>{_PART})", re.IGNORECASE),
    re.compile(rf"(?P<part>{_PART})(?P<name>[xy])", re.IGNORECASE),
)

Arrays = dict[str, NDArray[Any]]


def in_parts(arrays: Arrays, path: Path) -> tuple[Arrays, list[str]]:
    """Join arrays that are named after parts; others are returned as they are.

    The names of all arrays but scalars must consist of a part and a column, as in `x_train`,
    `train_x` or `xtrain`, of two parts at least.

    Args:
        arrays: name → array, whose first axis is the rows.
        path: of the archive.

    Returns:
        Name of a column → the rows of all parts, training rows first, with the part of each row in
        a column `split`; and a note.

    Raises:
        DataError: a part lacks a column, the columns of a part are not equally long, or those of
            two parts have different axes.
    """
    by_part: dict[str, Arrays] = {}
    scalars = {name: array for name, array in arrays.items() if array.ndim == 0}
    for name, array in arrays.items():
        if name not in scalars:
            part, column = _part_and_column(name)
            if part is None or column == SPLIT or column in by_part.get(part, {}):
                return arrays, []
            by_part.setdefault(part, {})[column] = array
    if len(by_part) < 2:
        return arrays, []
    by_part = {part: by_part[part] for part in PARTS if part in by_part}
    names = _common_columns(by_part, path)
    rows = {part: _rows(columns, part, path) for part, columns in by_part.items()}
    joined = {name: _joined(by_part, name, path) for name in names}
    joined[SPLIT] = np.repeat(list(rows), list(rows.values()))
    columns = [name for name in names if not name.endswith(LENGTHS)]
    sizes = ", ".join(f"{count:,} {part}" for part, count in rows.items())
    note = (
        f"{path.name} holds the parts of a split ({sizes} rows): columns {', '.join(columns)}, and "
        f"{SPLIT!r} with the part of each row."
    )
    return {**joined, **scalars}, [note]


def _part_and_column(name: str) -> tuple[str | None, str]:
    """Split the name of an array into a part and a column; None where it names no part."""
    ending = LENGTHS if name.lower().endswith(LENGTHS) else ""
    stem = name[: len(name) - len(ending)]
    for pattern in _NAMES:
        if match := pattern.fullmatch(stem):
            return PART_OF[match["part"].lower()], match["name"] + ending
    return None, name


def _common_columns(by_part: Mapping[str, Arrays], path: Path) -> list[str]:
    """Return the columns of all parts."""
    (first, columns), *others = by_part.items()
    for part, other in others:
        if missing := set(columns) ^ set(other):
            name = min(missing)
            has, lacks = (first, part) if name in columns else (part, first)
            raise DataError(
                f"{path} holds the parts of a split; the {has} part has {name!r} and the {lacks} "
                "part has not. Add it, or save each part to a file of its own."
            )
    return list(columns)


def _rows(columns: Arrays, part: str, path: Path) -> int:
    """Count the rows of a part."""
    lengths = {
        name: len(columns.get(name + LENGTHS, array))
        for name, array in columns.items()
        if not (name.endswith(LENGTHS) and name.removesuffix(LENGTHS) in columns)
    }
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DataError(
            f"{path}: all arrays of the {part} part must have equally many rows, got {listed}."
        )
    return next(iter(lengths.values()))


def _joined(by_part: Mapping[str, Arrays], name: str, path: Path) -> NDArray[Any]:
    """Concatenate a column of all parts."""
    (first, *_), *_ = by_part.items()
    arrays = {part: columns[name] for part, columns in by_part.items()}
    axes = by_part[first][name].shape[1:]
    kind = by_part[first][name].dtype.kind in "biuf"
    for part, array in arrays.items():
        if array.shape[1:] != axes or (array.dtype.kind in "biuf") != kind:
            raise DataError(
                f"{path}: {name!r} must be alike in all parts, but a row of {first} is "
                f"{by_part[first][name].dtype} {axes} and one of {part} {array.dtype} "
                f"{array.shape[1:]}. Save each part to a file of its own."
            )
    return np.concatenate(list(arrays.values()))
