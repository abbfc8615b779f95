"""Positions in day, week, month and year, compared with Python's calendar."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from elman.data.frequency import DAY, Frequency
from elman.features.calendar import calendar_columns, fitting_cycles

MOMENT = datetime.datetime(2024, 12, 31, 17, 45)


@pytest.mark.parametrize(
    ("cycle", "place", "places"),
    [
        ("minute of the hour", 45, 60),
        ("hour of the day", 17, 24),
        ("day of the week", MOMENT.weekday(), 7),
        ("day of the month", 30, 31),
        ("day of the year", 365, 366),
        ("month of the year", 11, 12),
    ],
)
def test_a_position_in_a_cycle_lies_between_minus_a_half_and_a_half(
    cycle: str, place: int, places: int
) -> None:
    times = np.array([MOMENT], "datetime64[us]").astype(np.int64)
    assert calendar_columns(times, [cycle])[0, 0] == place / (places - 1) - 0.5


@pytest.mark.parametrize(
    ("frequency", "days", "cycles"),
    [
        ("hour", 300, ("hour of the day", "day of the week", "day of the month")),
        ("day", 800, ("day of the week", "day of the month", "day of the year")),
        ("15 minutes", 3, ("minute of the hour", "hour of the day")),
        ("month", 800, ("month of the year",)),
        ("month", 700, ()),
        ("year", 9_000, ()),
        ("2", 800, ()),
    ],
)
def test_cycles_are_those_that_the_data_covers_twice(
    frequency: str, days: int, cycles: tuple[str, ...]
) -> None:
    assert fitting_cycles(Frequency.parse(frequency), days * DAY) == cycles
