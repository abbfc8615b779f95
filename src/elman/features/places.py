"""Where in an encoded value each column of a feature is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from elman.features.scaling import Scaling


class Places(NamedTuple):
    """Where in an encoded value a column is."""

    columns: tuple[int, ...] | None = None
    """Indices on the last axis; None where all of the tensor is the column's."""
    part: int | None = None
    """Index of the tensor, where an encoded value is a tuple of several."""


def places_of_numbers(scaling: Scaling, widths: Sequence[int], column: int) -> Places:
    """Return where a scaling puts the numbers of a column, and their marks of missing ones.

    Args:
        scaling: of all numbers.
        widths: numbers of each column, in order.
        column: index of the column; one past the last stands for what follows numbers and marks.

    >>> scaling = Scaling("none", np.zeros(3), np.ones(3), np.array([True, False, True]))
    >>> [places_of_numbers(scaling, [1, 2], column).columns for column in range(3)]
    [(0, 3), (1, 2, 4), (5,)]
    """
    if column == len(widths):
        return Places((scaling.size,))
    first = sum(widths[:column])
    numbers = range(first, first + widths[column])
    marks = len(scaling.mean) + np.cumsum(scaling.gaps) - 1
    return Places((*numbers, *(int(marks[each]) for each in numbers if scaling.gaps[each])))
