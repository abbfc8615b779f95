"""Classes and labels as lists of zeros and ones, one a name: one-hot and multi-hot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from elman.errors import DataError, counted
from elman.features.checks import shown


def hot(values: Sequence[Any]) -> bool:
    """Tell whether values are lists of zeros and ones, all of one length of two or more."""
    if not values or not all(isinstance(value, list | tuple | np.ndarray) for value in values):
        return False
    size = len(values[0])
    return size > 1 and all(len(value) == size and _is_binary(value) for value in values)


def one_hot(values: Iterable[Any]) -> bool:
    """Tell whether each of the lists has exactly one 1."""
    return all(sum(map(bool, value)) == 1 for value in values)


def ones_in(value: Any, size: int | None) -> tuple[list[int], int]:
    """Return the places of the ones in a list of zeros and ones, and its length.

    Args:
        value: the list.
        size: length that it must have; None for any.

    Raises:
        DataError: it is no such list.
    """
    if not isinstance(value, list | tuple | np.ndarray) or not _is_binary(value):
        raise DataError(
            f"a value must be a list of zeros and ones, one a name, got {shown(value)}."
        )
    if size is not None and len(value) != size:
        raise DataError(
            f"a value must be a list of {size} zeros and ones, one a name, got {shown(list(value))}"
            f" with {counted(len(value), 'element')}."
        )
    return [place for place, element in enumerate(value) if element], len(value)


def from_ones(places: Iterable[int], size: int) -> list[int]:
    """Return a list of zeros, with ones at some places."""
    values = [0] * size
    for place in places:
        values[place] = 1
    return values


def _is_binary(value: Iterable[Any]) -> bool:
    return all(
        isinstance(element, bool | int | float | np.bool_ | np.number) and element in (0, 1)
        for element in value
    )
