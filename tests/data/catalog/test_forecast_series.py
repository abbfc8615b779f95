"""Series to be forecast: the copy and the original of each hold the same."""

from __future__ import annotations

import datetime
import io
import math
import tarfile
from collections.abc import Mapping
from typing import Any

import pytest

from elman.data.catalog import DATASETS
from elman.data.catalog.forecast_series import (
    FORECAST_SERIES,
    MACRO_COLUMNS,
    read_dated,
    read_stock,
)


def original(name: str, content: str) -> Mapping[str, Any]:
    """Read the layout of a set that is downloaded."""
    layout = DATASETS[name].layouts[1]
    return layout.read({layout.files[0].name: content.encode()})["train"]


def copied(name: str, content: str) -> Mapping[str, Any]:
    """Read the layout of a set that has its time in ISO format."""
    layout = DATASETS[name].layouts[0]
    return layout.read({layout.files[0].name: content.encode()})["train"]


@pytest.mark.parametrize("entry", FORECAST_SERIES, ids=lambda entry: entry.name)
def test_every_series_can_be_downloaded(entry: Any) -> None:
    assert [layout.has_addresses for layout in entry.layouts] == [False, True]


def test_a_time_of_day_is_kept_and_a_value_not_given_is_missing() -> None:
    read = read_dated({"x": b"time,a,b\n2000-06-05 00:30,1,\n2000-06-05 01:00,,2.5\n"})["train"]
    assert read["time"] == [
        datetime.datetime(2000, 6, 5, 0, 30),
        datetime.datetime(2000, 6, 5, 1, 0),
    ]
    assert (read["a"], read["b"]) == ([1, None], [None, 2.5])


def test_a_last_row_without_a_value_is_no_row() -> None:
    read = copied("beer", "quarter,megalitres\n2008-04-01,394\n2008-07-01,\n2008-10-01,\n")
    assert read == {"time": [datetime.date(2008, 4, 1)], "megalitres": [394]}


def test_a_quarter_of_the_macroeconomic_data_is_its_first_day() -> None:
    values = {name: str(number) for number, name in enumerate(MACRO_COLUMNS)}
    head = ",".join(["year", "quarter", *values])
    body = ["1959,1," + ",".join(values.values()), "1959,4," + ",".join(values.values())]
    content = "\n".join([head, *body])
    read = original("macro", content)
    assert read["time"] == [datetime.date(1959, 1, 1), datetime.date(1959, 10, 1)]
    assert list(read) == ["time", *MACRO_COLUMNS]
    assert read["realint"] == [11, 11]
    assert original("unemployment", content) == {"time": read["time"], "unemployment": [8, 8]}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("demand", "rownames,x\n1,22262\n2,21756\n", "t,megawatts\n2000-06-05 00:00,22262\n"
         "2000-06-05 00:30,21756\n"),
        ("wine", "rownames,time,value\n1,1980,151\n2,1980.083,167\n", "t,bottles\n1980-01-01,151\n"
         "1980-02-01,167\n"),
        ("yarn", "rownames,time,value\n1,1965,6172\n2,1965.25,6709\n", "t,tonnes\n"
         "1965-01-01,6172\n1965-04-01,6709\n"),
        ("co2", "date,co2\n19580329,316.1\n19580405,\n19580412,317.6\n", "date,co2\n"
         "1958-03-29,316.1\n1958-04-05,\n1958-04-12,317.6\n"),
        ("electrical", "DATE,STS\nJan-1-1995,66.19\nDec-1-1995,65.15\n", "month,turnover\n"
         "1995-01-01,66.19\n1995-12-01,65.15\n"),
    ],
)  # fmt: skip
def test_a_series_is_the_same_in_either_layout(name: str, content: str, expected: str) -> None:
    assert original(name, content) == copied(name, expected)
    assert list(original(name, content)) == list(DATASETS[name].columns)


def test_months_and_quarters_go_on_into_the_next_years() -> None:
    rows = "\n".join(["rownames,time,value", *(f"{n},0,{n}" for n in range(1, 15))])
    assert original("wine", rows)["time"][11:] == [
        datetime.date(1980, 12, 1),
        datetime.date(1981, 1, 1),
        datetime.date(1981, 2, 1),
    ]
    assert original("beer", rows)["time"][3:5] == [
        datetime.date(1956, 10, 1),
        datetime.date(1957, 1, 1),
    ]


def test_beer_ends_where_the_copy_ends() -> None:
    rows = "\n".join(["rownames,time,value", *(f"{n},0,{n}" for n in range(1, 219))])
    assert original("beer", rows)["megalitres"][-1] == 211
    assert original("beer", rows)["time"][-1] == datetime.date(2008, 7, 1)


def test_a_share_says_by_how_many_per_cent_it_moved_up_or_down() -> None:
    content = b"day,close,volume\n1986-03-13,2,7\n1986-03-14,3,8\n1986-03-17,2,9\n"
    read = read_stock({"stock.csv": content})["train"]
    first, up, down = read["absolute_return"]
    assert first is None
    assert [up, down] == pytest.approx([100 * math.log(1.5)] * 2)
    assert read["volume"] == [7, 8, 9]


def test_the_archive_of_the_share_holds_the_same() -> None:
    content = (
        b"Date,Open,High,Low,Close,Volume,OpenInt\n1986-03-13,1,1,1,2,7,0\n1986-03-14,1,1,1,3,8,0\n"
    )
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo("msft.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    layout = DATASETS["stock"].layouts[1]
    read = layout.read({layout.files[0].name: file.getvalue()})
    assert read == read_stock({"stock.csv": b"day,close,volume\n1986-03-13,2,7\n1986-03-14,3,8\n"})
