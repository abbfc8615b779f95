"""Checks of values and options that all kinds of columns share."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np

from elman.errors import DataError, OptionError, unknown

Learned = TypeVar("Learned")

_SHORT = reprlib.Repr()
_SHORT.maxstring = 60
_SHORT.maxother = 60


class ValueRefused(DataError):
    """A training value that is refused after others have been read.

    Args:
        place: its number among the values that were given.
        why: what is wrong with it.
    """

    def __init__(self, place: int, why: str) -> None:
        super().__init__(why)
        self.place = place


def missing(value: object) -> bool:
    """Tell whether a value is missing: None or NaN."""
    if value is None:
        return True
    return isinstance(value, float | np.floating) and math.isnan(value)


def blank(value: object) -> bool:
    """Tell whether a cell is missing or an empty string, which means the same."""
    return missing(value) or (isinstance(value, str) and not value.strip())


def shown(value: object) -> str:
    """Show a value in an error message: on one line, and shortened.

    >>> shown("x" * 1000)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxxxxxxxxxxxx'"
    >>> shown(2.5), shown(None)
    ('2.5', 'None')
    """
    return " ".join(_SHORT.repr(value).split())


def fitted(learned: Learned | None, kind: str) -> Learned:
    """Return what a feature has learned.

    Raises:
        DataError: the feature is not fitted.
    """
    if learned is None:
        raise DataError(
            f"a feature of kind {kind!r} must be fitted before it is used; "
            f"call fit with the training values."
        )
    return learned


def check_choice(option: str, value: object, known: Iterable[str]) -> None:
    """Refuse an unknown value of an option; the nearest known value is offered."""
    if value not in (known := list(known)):
        raise unknown(option, value, known)


def check_whole(option: str, value: Any, *, least: int) -> int:
    """Return the value of an option, a whole number of at least `least`; refuse any other."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise OptionError(f"{option} must be a whole number of at least {least}, got {value!r}.")
    return value
