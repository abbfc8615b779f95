"""Which of several columns to propose where they cannot be read together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from elman.data.identity import is_named_like_identifier
from elman.features.checks import blank


def most_telling(columns: Mapping[str, Sequence[Any]], among: Iterable[str]) -> str:
    """Name the column that is most likely meant as the input.

    Columns with one value throughout come last, before them those that are named like an
    identifier, before them codes and addresses: strings without a space, all of them ASCII. Of the
    others it is the one with most letters a row, where each number of a list counts as a letter;
    dates and times have few.

    Args:
        columns: name → sample of the column's values.
        among: the names to choose from; the first of equals is chosen.

    >>> columns = {"session.id": ["k7 east", "k9 west"], "review": ["bad", "so good"]}
    >>> most_telling(columns, columns)
    'review'
    """
    return max(among, key=lambda name: _rank(name, columns[name]))


def _rank(name: str, values: Sequence[Any]) -> tuple[bool, bool, bool, float]:
    kept = [value for value in values if not blank(value)]
    varies = len({str(value) for value in kept}) > 1
    codes = all(isinstance(value, str) and value.isascii() and " " not in value for value in kept)
    letters = sum(map(_letters, kept)) / max(len(kept), 1)
    return varies, not is_named_like_identifier(name), not codes, letters


def _letters(value: Any) -> int:
    """Count the letters of a value, and the numbers of a list."""
    if isinstance(value, str):
        return sum(map(str.isalpha, value))
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, list | tuple):
        return sum(map(_letters, value))
    return int(not blank(value))
