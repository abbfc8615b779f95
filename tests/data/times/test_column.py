"""Columns of times as people write them: read, told apart, refused by their rows."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from elman.data.table import Table
from elman.data.times import TimeColumn, as_objects, as_written, looks_like_times, read_times
from elman.errors import DataError, OptionError


def table(cells: Any) -> Table:
    return Table.from_columns({"t": cells}, origin="log")


def read(cells: Any, **options: Any) -> TimeColumn:
    return read_times(table(cells), "t", **options)


def moments(column: TimeColumn) -> list[str]:
    """Return what the clocks show, without midnights and seconds of zero."""
    stamps = [str(time) for time in column.walls.astype("datetime64[us]")]
    return [
        stamp.replace("T00:00:00.000000", "").removesuffix(".000000").replace("T", " ")
        for stamp in stamps
    ]


def cells_of(column: TimeColumn) -> np.ndarray:
    return np.stack([column.instants, column.walls], 1)


@pytest.mark.parametrize(
    ("cells", "written", "found"),
    [
        (["2023-10-27", "2023-10-28"], "%Y-%m-%d", ["2023-10-27", "2023-10-28"]),
        (["2023/1/3", "2023/11/28"], "%Y/%-m/%-d", ["2023-01-03", "2023-11-28"]),
        (["20231027", "20231031"], "%Y%m%d", ["2023-10-27", "2023-10-31"]),
        (["202310", "202311"], "%Y%m", ["2023-10-01", "2023-11-01"]),
        (["2023102723", "2023102800"], "%Y%m%d%H", ["2023-10-27 23:00:00", "2023-10-28"]),
        (["27.10.2023", "01.11.2023"], "%d.%m.%Y", ["2023-10-27", "2023-11-01"]),
        (["01.02.2023", "02.02.2023"], "%d.%m.%Y", ["2023-02-01", "2023-02-02"]),
        (["10/27/2023", "11/01/2023"], "%m/%d/%Y", ["2023-10-27", "2023-11-01"]),
        (["27/10/2023", "01/11/2023"], "%d/%m/%Y", ["2023-10-27", "2023-11-01"]),
        (["27/10/23", "01/11/23"], "%d/%m/%y", ["2023-10-27", "2023-11-01"]),
        (["12/31/2023 1:05 PM"], "%m/%d/%Y %-I:%M %p", ["2023-12-31 13:05:00"]),
        (["12/31/2023 12:05 am"], "%m/%d/%Y %I:%M %P", ["2023-12-31 00:05:00"]),
        (["27-Oct-2023 14:05"], "%d-%b-%Y %H:%M", ["2023-10-27 14:05:00"]),
        (["27-OCT-23"], "%d-%^b-%y", ["2023-10-27"]),
        (["October 27, 2023"], "%B %d, %Y", ["2023-10-27"]),
        (["1990Q1", "1990Q4"], "%YQ%q", ["1990-01-01", "1990-10-01"]),
        (["1990-Q1"], "%Y-Q%q", ["1990-01-01"]),
        (["Q3 1990"], "Q%q %Y", ["1990-07-01"]),
        (["1990-01", "1990-02"], "%Y-%m", ["1990-01-01", "1990-02-01"]),
        (["2020-W05", "2020-W53"], "%G-W%V", ["2020-01-27", "2020-12-28"]),
        (["2020-W05-3"], "%G-W%V-%u", ["2020-01-29"]),
        (["20231027T101500"], "%Y%m%dT%H%M%S", ["2023-10-27 10:15:00"]),
        (["2023-10-27 10:15:00.250"], "%Y-%m-%d %H:%M:%S.%3f", ["2023-10-27 10:15:00.250000"]),
        (["Fri, 27 Oct 2023 10:15:00 GMT"], "%a, %d %b %Y %H:%M:%S GMT", ["2023-10-27 10:15:00"]),
    ],
)
def test_what_was_written_is_read_and_comes_back(
    cells: list[str], written: str, found: list[str]
) -> None:
    column = read(cells)
    assert column.format == written
    assert moments(column) == found
    back = as_written(cells_of(column), column.format, column.zone)
    assert [str(cell) for cell in back] == cells


def test_midnight_may_be_left_out_and_so_may_seconds_and_fractions() -> None:
    day = "2023-10-27"
    column = read([day, f"{day} 00:10", f"{day} 00:20:30", f"{day} 01:00:00.5"])
    assert moments(column) == [
        "2023-10-27",
        "2023-10-27 00:10:00",
        "2023-10-27 00:20:30",
        "2023-10-27 01:00:00.500000",
    ]


def test_a_day_that_no_row_settles_is_refused_with_both_settings() -> None:
    with pytest.raises(
        DataError,
        match=r"log, row 1, column t: '01/02/2023' is 2023-02-01 or 2023-01-02, and no row .* "
        r"--set data\.time_format=%d/%m/%Y or --set data\.time_format=%m/%d/%Y",
    ):
        read(["01/01/2023", "01/02/2023", "02/02/2023"])
    for written, month in (("%d/%m/%Y", 2), ("%m/%d/%Y", 1)):
        column = read(["01/02/2023", "02/02/2023"], time_format=written)
        (first, _) = as_objects(cells_of(column), column.format, None)
        assert first.month == month


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["13/01/2023", "01/13/2023"], r"row 1, column t: '01/13/2023' is not a time like '13/01"),
        (["2023-02-28", "2023-02-29"], r"row 1, column t: '2023-02-29' is not a time like"),
        (["2023-10-27", "soon"], r"row 1, column t: 'soon' is not a time like '2023-10-27'"),
        (["2023-10-27", "yesterday noon"], r"row 1, column t: 'yesterday noon' is not a time\. W"),
        (["2023-10-27", " "], r"row 1, column t: the cell is empty"),
        (["2021-W53"], "names a day or an hour that does not exist"),
        (["2023-10-27 25:00"], "names a day or an hour that does not exist"),
        (["2023-10-27T10:00", "2023-10-27T11:00+01:00"], "row 0, .* is not a time like"),
        (["10:15", "10:30"], "row 0, column t: '10:15' is a time without a date. Name the column"),
        (["1", "1e300"], "row 1, column t: '1e300' is not a time"),
        (["2023-10-27T10:00+99:00"], "is not a time"),
        (["0000-01-01"], "is outside the years 1 … 9999"),
    ],
)
def test_the_cell_that_breaks_the_rule_is_named(cells: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(cells)


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize(
    ("unit", "size"),
    [("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9)],
)
def test_numbers_since_1970_are_told_by_their_size_and_noted(
    unit: str, size: int, as_text: bool
) -> None:
    numbers = [1_698_397_200 * size, 1_698_400_800 * size]
    column = read([str(number) for number in numbers] if as_text else numbers)
    assert moments(column) == ["2023-10-27 09:00:00", "2023-10-27 10:00:00"]
    assert column.zone == "UTC"
    assert f"read as {unit} since 1970 in UTC" in column.notes[0]
    assert as_written(cells_of(column), column.format, column.zone) == numbers


@pytest.mark.parametrize(
    "cells", [[0.0, 0.1, 0.2], [1, 2, 3], ["1", "2", "10"], ["0.5", "1"], [20231301, 20231302]]
)
def test_plain_numbers_stay_numbers(cells: list[Any]) -> None:
    column = read(cells)
    assert column.of_numbers
    assert column.instants.tolist() == [float(cell) for cell in cells]
    assert column.notes == []


def test_a_decimal_comma_is_read_and_noted() -> None:
    column = read(["0", "0,5", "1"])
    assert column.instants.tolist() == [0, 0.5, 1]
    assert "decimal comma" in column.notes[0]


def test_a_format_settles_what_numbers_mean() -> None:
    assert read([20231027, 20231028], time_format="number").of_numbers
    assert moments(read([60], time_format="epoch seconds")) == ["1970-01-01 00:01:00"]
    assert moments(read([1022023], time_format="%d%m%Y")) == ["2023-02-01"]
    with pytest.raises(DataError, match=r"row 1, column t: 'x' is no number, as data\.time_format"):
        read(["1", "x"], time_format="epoch seconds")
    with pytest.raises(DataError, match=r"row 0, column t: '2023' is not a time written as data\."):
        read(["2023"], time_format="%d.%m.%Y")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("%d.%m.%k", "unknown directive"),
        ("epoch second", "did you mean 'epoch seconds'"),
        ("%d.%m.", "must have a year"),
        ("%Y-%Y", "each directive once"),
    ],
)
def test_a_format_that_cannot_be_is_refused(text: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        read(["2023-10-27"], time_format=text)


def test_columns_with_a_type_keep_it() -> None:
    days = read([datetime.date(2023, 10, 27)])
    assert as_written(cells_of(days), days.format, days.zone) == [datetime.date(2023, 10, 27)]
    stamps = read([datetime.datetime(2023, 10, 27)])
    assert as_written(cells_of(stamps), stamps.format, None) == [datetime.datetime(2023, 10, 27)]
    place = ZoneInfo("America/New_York")
    zoned = read([datetime.datetime(2023, 11, 5, 1, 30, tzinfo=place, fold=1)])
    assert zoned.zone == "America/New_York"
    (back,) = as_written(cells_of(zoned), zoned.format, zoned.zone)
    assert back.isoformat() == "2023-11-05T01:30:00-05:00"
    categories = pa.array(["2023-10-27", "2023-10-28"]).dictionary_encode()
    assert moments(read(categories)) == ["2023-10-27", "2023-10-28"]


def test_a_forecast_beyond_the_year_9999_is_refused() -> None:
    cells = np.full((1, 2), int(np.datetime64("9999-12-31T23", "us").astype(np.int64)))
    for show in (as_objects, as_written):
        with pytest.raises(DataError, match="ask for a shorter horizon"):
            show(cells, "%d.%m.%Y %H:%M", None)


@pytest.mark.parametrize("kind", [pa.time32("s"), pa.list_(pa.int64()), pa.bool_()])
def test_what_has_no_date_is_refused(kind: pa.DataType) -> None:
    value = [1] if pa.types.is_list(kind) else True if pa.types.is_boolean(kind) else 1
    with pytest.raises(DataError, match="which is not a time with a date"):
        read(pa.array([value], kind))


def test_offsets_are_kept_row_by_row_and_instants_are_in_utc() -> None:
    cells = ["2023-10-29T02:00:00+02:00", "2023-10-29T02:00:00+01:00", "2023-10-29T03:00:00+01:00"]
    column = read(cells)
    assert np.diff(column.instants).tolist() == [3_600_000_000] * 2
    assert column.zone is None
    assert as_written(cells_of(column), column.format, None) == cells
    objects = as_objects(cells_of(column), column.format, None)
    assert [each.isoformat() for each in objects] == cells


def test_utc_is_written_as_it_was() -> None:
    for cell in ("2023-10-29T02:00:00Z", "2023-10-29 02:00:00 UTC", "2023-10-29 02:00:00+00"):
        column = read([cell])
        assert as_written(cells_of(column), column.format, column.zone) == [cell]
        (time,) = as_objects(cells_of(column), column.format, column.zone)
        assert time.utcoffset() == datetime.timedelta()


@pytest.mark.parametrize(
    ("cells", "is_time"),
    [
        (["2023-10-27", ""], True),
        (["01/02/2023"], True),
        ([20231027], True),
        (["low", "high"], False),
        (["1", "2"], False),
        ([datetime.date(2023, 1, 1)], True),
        ([[1.0]], False),
    ],
)
def test_a_column_that_looks_like_times_is_told(cells: list[Any], is_time: bool) -> None:
    assert looks_like_times(table(cells), "t") is is_time


def test_years_and_months_with_a_point_are_months_and_said() -> None:
    table = Table.from_columns({"when": ["2010.09", "2010.10", "2010.11"]}, "it.csv")
    column = read_times(table, "when")
    assert (column.of_numbers, column.format) == (False, "%Y.%m")
    assert "%Y.%m, such as 2010.09" in column.notes[0]
    other = Table.from_columns({"when": ["2010.09", "2010.13", "2010.17"]}, "it.csv")
    assert read_times(other, "when").of_numbers
