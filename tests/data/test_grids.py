"""Times near a grid are moved to it and counted; times between two steps are refused."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from elman.data.frequency import Frequency
from elman.data.long_series import LongSeries, long_series
from elman.data.table import Table
from elman.errors import DataError

BEGIN = np.datetime64("2024-03-01T10:00:00", "us")


def series(times: Any, **options: Any) -> LongSeries:
    table = Table.from_columns({"t": times, "y": np.arange(float(len(times)))}, origin="log")
    return long_series([table], ["y"], time="t", **options)


def steps(result: LongSeries) -> list[str]:
    (cells,) = result.table.column("t")
    return [str(time) for time in np.asarray(cells)[:, 1].astype("datetime64[us]")]


def jittered(step: float, count: int, jitter: float) -> Any:
    """Return times that are a step apart, in seconds, up to so much earlier or later."""
    random = np.random.default_rng(7)
    seconds = np.arange(count) * step + random.uniform(-jitter, jitter, count)
    return BEGIN + np.round(seconds * 1e6).astype("timedelta64[us]")


@pytest.mark.parametrize(
    ("step", "jitter", "frequency"),
    [
        (1.0, 0.004, "second"),
        (1.0, 0.09, "second"),
        (0.1, 0.009, "0.1 seconds"),
        (60.0, 5.0, "minute"),
        (900.0, 60.0, "15 minutes"),
        (3_600.0, 300.0, "hour"),
        (86_400.0, 7_000.0, "day"),
    ],
)
def test_jitter_within_a_tenth_of_a_step_is_removed_and_counted(
    step: float, jitter: float, frequency: str
) -> None:
    result = series(jittered(step, 500, jitter))
    assert str(result.frequency) == frequency
    assert result.lengths.tolist() == [500]
    assert len(result.notes) == 1
    assert "of 500 times in 't' moved to the nearest step of a regular grid, by" in result.notes[0]


def test_a_grid_of_jittered_times_begins_at_a_round_one() -> None:
    assert steps(series(jittered(1.0, 50, 0.09)))[:2] == [
        "2024-03-01T10:00:00.000000",
        "2024-03-01T10:00:01.000000",
    ]


def test_a_rate_that_is_no_round_number_is_found_from_rounded_times() -> None:
    frames = np.round(np.arange(900) * 1_000 / 60).astype("timedelta64[ms]")
    result = series(BEGIN + frames)
    assert result.frequency is not None
    assert result.frequency.count == pytest.approx(1 / 60, rel=1e-4)
    assert result.lengths.tolist() == [900]


def test_jittered_rows_may_be_absent() -> None:
    times = jittered(1.0, 300, 0.02)
    kept = np.delete(times, [10, 11, 50, 200])
    result = series(kept)
    assert result.lengths.tolist() == [300]
    assert any("no row for 4 of 300 steps" in note for note in result.notes)


def test_every_series_has_a_phase_of_its_own() -> None:
    first, second = jittered(1.0, 100, 0.02), jittered(1.0, 100, 0.02) + np.timedelta64(400, "ms")
    table = Table.from_columns(
        {
            "t": np.concatenate([first, second]),
            "item": ["a"] * 100 + ["b"] * 100,
            "y": np.zeros(200),
        },
        origin="log",
    )
    result = long_series([table], ["y"], time="t", sequence_id="item")
    assert result.lengths.tolist() == [100, 100]


def test_a_time_beyond_the_tolerance_is_refused_with_its_row() -> None:
    times = jittered(1.0, 100, 0.01)
    times[40] += np.timedelta64(300, "ms")
    with pytest.raises(
        DataError, match=r"log, row 40: 2024-03-01 10:00:40\.\d+ is not a whole number of steps"
    ):
        series(times)


def test_two_rows_of_one_step_are_refused_with_both() -> None:
    times = np.insert(jittered(1.0, 100, 0.01), 41, jittered(1.0, 100, 0.01)[40] + 5_000)
    with pytest.raises(DataError, match=r"log, row 40 and log, row 41: .* lie in the same second"):
        series(times)


def test_numbers_may_jitter_too() -> None:
    random = np.random.default_rng(3)
    times = np.arange(60) * 0.25 + random.uniform(-0.01, 0.01, 60)
    result = series(times)
    assert str(result.frequency) == "0.25"
    assert "by 0.00" in result.notes[0]


def test_decimal_steps_go_on_without_noise() -> None:
    (cells,) = series([0.1, 0.2, 0.3, 0.5, 0.6]).table.column("t")
    assert np.asarray(cells).tolist() == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


@pytest.mark.parametrize(
    ("days", "frequency", "last"),
    [
        (["2024-01-31", "2024-02-29", "2024-03-29", "2024-04-30"], "month", "2024-04-30"),
        (["2024-01-02", "2024-02-01", "2024-03-01", "2024-04-01"], "month", "2024-04-01"),
        (["2024-03-29", "2024-06-28", "2024-09-30", "2024-12-31"], "quarter", "2024-12-31"),
        (["2021-12-31", "2022-12-30", "2023-12-29", "2024-12-31"], "year", "2024-12-31"),
    ],
)
def test_working_days_that_end_or_begin_months_are_months(
    days: list[str], frequency: str, last: str
) -> None:
    result = series(days)
    assert str(result.frequency) == frequency
    assert result.lengths.tolist() == [len(days)]
    assert steps(result)[-1].startswith(last)


def test_months_of_any_day_are_months_if_told_so_and_it_is_said() -> None:
    days = ["2024-01-04", "2024-02-20", "2024-03-11"]
    with pytest.raises(DataError, match="is not a whole number of steps"):
        series(days)
    result = series(days, frequency=Frequency.parse("month"))
    assert result.lengths.tolist() == [3]
    assert "of 3 times in 't' moved" in result.notes[0]


def test_years_are_numbers_unless_the_frequency_says_otherwise() -> None:
    years = ["1990", "1991", "1992"]
    assert str(series(years).frequency) == "1"
    result = series(years, frequency=Frequency.parse("year"))
    assert steps(result)[-1].startswith("1992-01-01")


def test_a_working_day_keeps_its_usual_time() -> None:
    days = [datetime.datetime(2024, 1, 1, 16) + datetime.timedelta(day) for day in range(40)]
    days = [day for day in days if day.weekday() < 5]
    days[7] = days[7].replace(hour=13)
    result = series(days)
    assert str(result.frequency) == "working day"
    assert steps(result)[7].endswith("16:00:00.000000")
    assert (
        "1 of 30 times in 't' moved to the nearest step of a regular grid, by 3 hours at"
        in (result.notes[0])
    )
