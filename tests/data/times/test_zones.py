"""Clocks that change: every hour counted, through both changes, in several zones."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from elman.data.long_series import LongSeries, long_series
from elman.data.table import Table
from elman.data.times import as_objects, as_written, read_times
from elman.data.times.zones import checked_zone, repeats_an_hour
from elman.errors import DataError, OptionError

HOUR = datetime.timedelta(hours=1)
CHANGES = {
    "Europe/Berlin": ("2023-03-25", "2023-10-28"),
    "America/New_York": ("2023-03-11", "2023-11-04"),
    "Australia/Lord_Howe": ("2023-09-30", "2023-04-01"),
    "Asia/Kolkata": ("2023-03-25", "2023-10-28"),
    "Pacific/Apia": ("2011-12-29", "2020-04-04"),
}
"""Zone → days before clocks change, or are as they are elsewhere."""

PLACES = [(zone, day) for zone, days in CHANGES.items() for day in days]


def hours(zone: str, day: str, count: int = 72) -> list[datetime.datetime]:
    first = datetime.datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=ZoneInfo(zone))
    begin = first.astimezone(datetime.UTC)
    return [(begin + step * HOUR).astimezone(ZoneInfo(zone)) for step in range(count)]


def series(times: list[Any], **options: Any) -> LongSeries:
    table = Table.from_columns({"t": times, "y": np.arange(float(len(times)))}, origin="log")
    return long_series([table], ["y"], time="t", **options)


def clock(result: LongSeries) -> np.ndarray:
    (cells,) = result.table.column("t")
    return np.asarray(cells)


def assert_unbroken(result: LongSeries, times: list[datetime.datetime]) -> None:
    assert str(result.frequency) == "hour"
    assert result.lengths.tolist() == [len(times)]
    assert result.notes == []
    expected = [round(time.timestamp()) * 1_000_000 for time in times]
    assert clock(result)[:, 0].tolist() == expected
    walls = [time.replace(tzinfo=datetime.UTC).timestamp() * 1_000_000 for time in times]
    assert clock(result)[:, 1].tolist() == walls


@pytest.mark.parametrize(("zone", "day"), PLACES)
def test_hours_are_counted_through_changes_of_a_named_zone(zone: str, day: str) -> None:
    times = hours(zone, day)
    assert_unbroken(series(times), times)


@pytest.mark.parametrize(("zone", "day"), PLACES)
def test_hours_are_counted_through_changes_of_written_offsets(zone: str, day: str) -> None:
    times = hours(zone, day)
    texts = [time.isoformat() for time in times]
    result = series(texts)
    assert_unbroken(result, times)
    assert result.times is not None
    assert as_written(clock(result), result.times.format, None) == texts


@pytest.mark.parametrize(("zone", "day"), PLACES)
def test_hours_on_the_clock_alone_are_counted_once_the_zone_is_said(zone: str, day: str) -> None:
    times, written = hours(zone, day), "%d.%m.%Y %H:%M"
    texts = [time.strftime(written) for time in times]
    result = series(texts, time_zone=zone, time_format=written)
    assert_unbroken(result, times)
    assert result.times is not None
    assert as_written(clock(result), result.times.format, zone) == texts
    assert as_objects(clock(result), result.times.format, zone) == times
    backwards = series(texts[::-1], time_zone=zone, time_format=written)
    assert clock(backwards).tolist() == clock(result).tolist()
    assert "were sorted" in backwards.notes[0]


@pytest.mark.parametrize(("zone", "day"), PLACES)
def test_days_are_those_of_the_place(zone: str, day: str) -> None:
    begin = datetime.date.fromisoformat(day)
    days = [begin + datetime.timedelta(step) for step in range(5)]
    days = [each for each in days if (zone, str(each)) != ("Pacific/Apia", "2011-12-30")]
    midnights = [datetime.datetime.combine(each, datetime.time(), ZoneInfo(zone)) for each in days]
    result = series(midnights)
    assert str(result.frequency) == "day"
    assert result.lengths.tolist() == [5]
    assert (clock(result)[:, 1] % 86_400_000_000 == 0).all()
    assert clock(result)[-1, 0] == round(midnights[-1].timestamp()) * 1_000_000


def test_midnights_of_utc_stay_whole_days_of_utc_elsewhere() -> None:
    days = [f"2023-03-{day}T00:00:00Z" for day in range(20, 31)]
    result = series(days, time_zone="Europe/Berlin")
    assert result.lengths.tolist() == [11]
    assert result.notes == []
    assert str(result.frequency) == "24 hours"


def test_a_repeated_hour_without_a_zone_is_refused_with_the_setting() -> None:
    times = [time.strftime("%Y-%m-%d %H:%M") for time in hours("Europe/Berlin", "2023-10-28")]
    words = r"same t '2023-10-29 02:00'.*end of daylight saving.*data\.time_zone = 'Europe/"
    with pytest.raises(DataError, match=words):
        series(times)
    with pytest.raises(DataError, match=r"sequence id\.$"):
        series(["2023-06-01 02:00", "2023-06-01 02:00"])


def test_a_time_that_the_clocks_skip_is_refused_with_its_row() -> None:
    words = r"row 1, column t: '2023-03-26 02:30' does not exist in Europe/Berlin"
    with pytest.raises(DataError, match=words):
        series(["2023-03-26 01:30", "2023-03-26 02:30"], time_zone="Europe/Berlin")


def test_each_series_has_repeated_hours_of_its_own() -> None:
    times = [time.strftime("%Y-%m-%d %H:%M") for time in hours("Europe/Berlin", "2023-10-28")]
    table = Table.from_columns(
        {
            "t": [time for time in times for _ in "ab"],
            "item": ["a", "b"] * len(times),
            "y": np.arange(2.0 * len(times)),
        },
        origin="log",
    )
    result = long_series([table], ["y"], time="t", sequence_id="item", time_zone="Europe/Berlin")
    assert result.lengths.tolist() == [72, 72]


def test_offsets_and_a_zone_agree_on_instants_and_the_zone_has_the_calendar() -> None:
    table = Table.from_columns({"t": ["2023-10-29T00:00:00Z", "2023-10-29T01:00:00Z"]}, "log")
    column = read_times(table, "t", time_zone="Europe/Berlin")
    walls = column.walls.astype("datetime64[us]").astype("datetime64[h]").astype(str).tolist()
    assert walls == ["2023-10-29T02", "2023-10-29T02"]


def test_a_zone_that_is_none_is_refused_and_a_near_miss_offered() -> None:
    with pytest.raises(OptionError, match="did you mean 'Europe/Berlin'"):
        checked_zone("Europe/Berln")
    assert [checked_zone(name) for name in ("Z", "+0200", "-03:30")] == ["UTC", "+02:00", "-03:30"]
    with pytest.raises(OptionError, match=r"data\.time_zone = 'UTC' is for dates"):
        series([1, 2, 3], time_zone="UTC")


def test_an_hour_that_stands_twice_is_known_of_some_place() -> None:
    micro = np.array(["2023-11-05T01:30", "2023-07-01T01:30"], "datetime64[us]").astype(np.int64)
    assert repeats_an_hour(int(micro[0])) == "America/New_York"
    assert repeats_an_hour(int(micro[1])) is None
