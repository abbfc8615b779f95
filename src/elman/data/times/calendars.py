"""Arithmetic of years, ISO weeks and offsets from UTC, on whole columns."""

from __future__ import annotations

import datetime
import re

import numpy as np
from numpy.typing import NDArray

from elman.data.frequency import SECOND
from elman.errors import DataError

Micros = NDArray[np.int64]
"""Microseconds, or other whole numbers, one a row."""


LIMITS = (
    int(np.datetime64("0001-01-02", "us").astype(np.int64)),
    int(np.datetime64("9999-12-30", "us").astype(np.int64)),
)
"""Times that Python has in every zone."""


def datetimes(micros: Micros) -> list[datetime.datetime]:
    """Return microseconds since 1970 as Python's dates with a time of day.

    Raises:
        DataError: one lies outside the years 1 … 9999.
    """
    if len(micros) and not LIMITS[0] <= micros.min() <= micros.max() <= LIMITS[1]:
        raise DataError(
            "the forecast goes beyond the years 1 … 9999, which dates can have; ask for a shorter "
            "horizon."
        )
    return micros.astype("datetime64[us]").tolist()  # type: ignore[no-any-return]


def full_years(years: Micros) -> Micros:
    """Complete years of two digits as POSIX does: 69 … 99 are 1969 … 1999, 00 … 68 2000 … 2068."""
    return years + np.where(years >= 69, 1900, 2000)


def year_lengths(years: Micros) -> Micros:
    """Return the days of years."""
    leap = (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
    return np.asarray(365 + leap, np.int64)


def iso_days(
    years: Micros, weeks: Micros | None, weekdays: Micros | None
) -> tuple[Micros, NDArray[np.bool_]]:
    """Return the days of ISO weeks; a week without a day is its Monday."""
    weeks = np.ones_like(years) if weeks is None else weeks
    weekdays = np.ones_like(years) if weekdays is None else weekdays
    first, after = _first_monday(years), _first_monday(years + 1)
    monday = first + 7 * (weeks - 1)
    return monday + weekdays - 1, (weeks < 1) | (monday >= after)


def _first_monday(years: Micros) -> Micros:
    """Return the Monday of the first ISO week, which holds 4 January."""
    fourth = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64) + 3
    return fourth - (fourth + 3) % 7


def offset_of(text: str) -> int:
    """Return an offset from UTC in microseconds: +02:00, -0330, +02, Z."""
    digits = re.sub(r"\D", "", text).ljust(4, "0")
    size = (int(digits[:2]) * 60 + int(digits[2:4])) * 60 * SECOND
    return -size if text.startswith("-") else size
