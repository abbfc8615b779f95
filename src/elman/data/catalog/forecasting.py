"""Forecasting: single long series."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Mapping
from typing import Any

from elman.data.catalog.entry import NEXT, Columns, Contents, DataSet, File, Layout, on_github

ETT_COLUMNS = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
ETT_ROWS = {"train": (0, 8_640), "valid": (8_640, 11_520), "test": (11_520, 14_400)}
"""12, 4 and 4 months of 30 days, split as in the Informer paper; the rest is unused."""


def read_series(contents: Contents) -> Mapping[str, Columns]:
    """Read a table of dates, `1949-01` or `1981-01-01`, and values, as one split."""
    (content,) = contents.values()
    rows = list(csv.reader(content.decode().splitlines()))[1:]
    return {
        "train": {
            "time": [datetime.date.fromisoformat(f"{time}-01"[:10]) for time, _ in rows],
            "value": [float(value) for _, value in rows],
        }
    }


def read_ett(contents: Contents) -> Mapping[str, Columns]:
    """Read a table of seven values an hour, and split it in time order."""
    (content,) = contents.values()
    rows = list(csv.DictReader(content.decode().splitlines()))
    splits: dict[str, dict[str, Any]] = {}
    for split, (start, end) in ETT_ROWS.items():
        part = rows[start:end]
        splits[split] = {"time": [datetime.datetime.fromisoformat(row["date"]) for row in part]}
        for name in ETT_COLUMNS:
            splits[split][name] = [float(row[name]) for row in part]
    return splits


def _series(
    name: str, title: str, about: str, *, citation: str, rows: int, value: str, file: File
) -> DataSet:
    return DataSet(
        name=name,
        title=title,
        about=about,
        category="many-to-one",
        task="past values → next value",
        licence="not stated",
        citation=citation,
        source="https://github.com/jbrownlee/Datasets",
        splits={"train": rows},
        columns={"time": "the date; for a month its first day", "value": value},
        input=("value",),
        target=NEXT,
        folder="timeseries_small",
        layouts=(Layout((file,), read_series),),
    )


def _series_file(name: str, size: int, sha256: str) -> File:
    commit = "d20fcb6402ae34e653d4513b00f39257bb37ed7f"
    return File(
        name=name, sha256=sha256, address=on_github("jbrownlee/Datasets", commit, name), size=size
    )


def _ett(number: int, size: int, sha256: str) -> DataSet:
    name = f"ETTh{number}.csv"
    commit = "1d16c8f4f943005d613b5bc962e9eeb06058cf07"
    address = on_github("zhouhaoyi/ETDataset", commit, f"ETT-small/{name}")
    return DataSet(
        name=f"etth{number}",
        title=f"ETT-small, hourly, transformer {number}",
        about="oil temperature and loads of an electricity transformer, one row an hour; 12, 4 and "
        "4 months in time order, split as in the Informer paper, of 17,420 hours",
        category="encoder-decoder",
        task="past loads and temperatures → next ones",
        licence="CC BY-ND 4.0; unmodified copies only",
        citation="H. Zhou et al., Informer: Beyond Efficient Transformer for Long Sequence "
        "Time-Series Forecasting, AAAI 2021",
        source="https://github.com/zhouhaoyi/ETDataset",
        splits={split: end - start for split, (start, end) in ETT_ROWS.items()},
        columns={
            "time": "the hour",
            "HUFL … LULL": "high, middle and low load, useful and useless",
            "OT": "oil temperature",
        },
        input=ETT_COLUMNS,
        target=NEXT,
        folder="ett",
        layouts=(Layout((File(name=name, sha256=sha256, address=address, size=size),), read_ett),),
    )


FORECASTING = (
    _series(
        "temperature",
        "Daily minimum temperatures in Melbourne",
        "1981 to 1990; the last days of 1984 and 1988 are missing",
        citation="Australian Bureau of Meteorology",
        rows=3_650,
        value="degrees Celsius",
        file=_series_file(
            "daily-min-temperatures.csv",
            67_921,
            "8b9de63ed6789492bf497625e7f9beb96a63d367b4b0a21754006f749fa5e5da",
        ),
    ),
    _series(
        "sunspots",
        "Monthly sunspots",
        "counted in Zurich, 1749 to 1983",
        citation="D. F. Andrews and A. M. Herzberg, Data, 1985",
        rows=2_820,
        value="mean number of sunspots in the month",
        file=_series_file(
            "monthly-sunspots.csv",
            45_039,
            "c4ec8cc57d9f6fb6ecdb3e1f37f25b6f4badd5124c55931052b0cd2fc3bc71f3",
        ),
    ),
    _series(
        "airline",
        "Monthly airline passengers",
        "1949 to 1960",
        citation="G. E. P. Box and G. M. Jenkins, Time Series Analysis: Forecasting and Control",
        rows=144,
        value="thousands of passengers",
        file=_series_file(
            "airline-passengers.csv",
            2_180,
            "8cb51be753a718d9be5d76d7e238cc224792754676adc21faa59e954b0201621",
        ),
    ),
    _ett(1, 2_589_657, "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066"),
    _ett(2, 2_417_960, "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b"),
)
