"""How far steps lie apart: written, read, seen, and counted."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from elman.data.frequency import Frequency, fits, show_time
from elman.data.steps import infer_frequency
from elman.errors import DataError, OptionError


def inferred(times: np.ndarray) -> Frequency:
    return infer_frequency(times, times, np.array([0, len(times)]), of_numbers=False)


def micro(*texts: str) -> np.ndarray:
    return np.array(texts, "datetime64[us]").astype(np.int64)


@pytest.mark.parametrize(
    "text",
    [
        "second",
        "15 minutes",
        "hour",
        "day",
        "3 days",
        "week",
        "month",
        "quarter",
        "year",
        "working day",
        "0.5 seconds",
        "2",
    ],
)
def test_a_frequency_is_written_as_it_is_read(text: str) -> None:
    assert str(Frequency.parse(text)) == text


@pytest.mark.parametrize("text", ["fortnight", "0 days", "-1", "2 working days", "nan", ""])
def test_what_is_no_frequency_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(
        OptionError,
        match=r"must be one of 'second', 'minute', .*, a multiple such as '15 minutes', or",
    ):
        Frequency.parse(text)


@pytest.mark.parametrize(
    ("times", "text"),
    [
        (("1949-01", "1949-02", "1949-03", "1949-05"), "month"),
        (("2020-01-31", "2020-02-29", "2020-03-31"), "month"),
        (("2020-01-01", "2020-04-01", "2020-07-01"), "quarter"),
        (("2020-01-01", "2020-01-02", "2020-01-04", "2020-01-05"), "day"),
        (("2020-01-01T00:00", "2020-01-01T00:15", "2020-01-01T00:30"), "15 minutes"),
    ],
)
def test_steps_are_as_far_apart_as_most_of_them(times: tuple[str, ...], text: str) -> None:
    assert str(inferred(micro(*times))) == text


def test_days_without_a_weekend_are_working_days() -> None:
    days = [str(datetime.date(2024, 1, 1) + datetime.timedelta(d)) for d in range(21)]
    working = [day for day in days if datetime.date.fromisoformat(day).weekday() < 5]
    times = micro(*working)
    frequency = inferred(times)
    assert str(frequency) == "working day"
    assert frequency.grid(times).places.tolist() == list(range(15))
    assert [show_time(t, frequency) for t in frequency.times(times[-1], 2)] == [
        "2024-01-19",
        "2024-01-22",
    ]


def test_the_step_from_one_series_to_the_next_is_none() -> None:
    times = np.array([0.0, 2.0, 4.0, 1.0, 3.0])
    assert infer_frequency(times, times, np.array([0, 3, 5]), of_numbers=True).count == 2.0


def test_one_step_a_series_shows_no_frequency() -> None:
    times = np.array([0.0, 2.0])
    with pytest.raises(DataError, match=r"give it, for instance data\.frequency = 'day'"):
        infer_frequency(times, times, np.array([0, 1, 2]), of_numbers=True)


def test_places_are_counted_over_gaps_and_months_of_unlike_length() -> None:
    months = Frequency.parse("month").grid(micro("2020-01-31", "2020-02-29", "2020-05-31"))
    assert months.places.tolist() == [0, 1, 4]
    assert Frequency.parse("2").grid(np.array([3.0, 5.0, 11.0])).places.tolist() == [0, 1, 4]


def test_a_time_between_two_steps_fits_none() -> None:
    hourly = Frequency.parse("hour")
    times = micro("2020-01-01T00", "2020-01-01T01:30", "2020-01-01T02:00", "2020-01-01T03:00")
    assert fits(hourly, hourly.grid(times)).tolist() == [True, False, True, True]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("month", "2020-01-31", "2020-03-31"),
        ("month", "2020-01-30", "2020-03-30"),
        ("quarter", "2020-01-01", "2020-07-01"),
        ("hour", "2020-02-28T23", "2020-02-29T01"),
        ("week", "2020-02-27", "2020-03-12"),
    ],
)
def test_times_go_on_as_the_calendar_does(text: str, first: str, last: str) -> None:
    times = Frequency.parse(text).times(int(micro(first)[0]), 3)
    assert times[0] == micro(first)[0]
    assert times[-1] == micro(last)[0]


def test_hours_have_a_season_of_a_day_and_numbers_none() -> None:
    assert [Frequency.parse(text).season for text in ("hour", "month", "2")] == [24, 12, 1]
