"""Forecasting: series of economics, electricity, a share and the air, with their horizons."""

from __future__ import annotations

import csv
import datetime
import io
import math
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from elman.data.catalog.entry import (
    NEXT,
    Columns,
    Contents,
    DataSet,
    File,
    Layout,
    Reader,
    on_github,
)

MACRO_COLUMNS = {
    "realgdp": "gross domestic product, in billions of dollars of 2005",
    "realcons": "personal consumption, likewise",
    "realinv": "gross private domestic investment, likewise",
    "realgovt": "consumption and investment of the federal government, likewise",
    "realdpi": "disposable personal income, likewise",
    "cpi": "consumer price index at the end of the quarter",
    "m1": "money stock M1 at the end of the quarter, in billions of dollars",
    "tbilrate": "interest on three-month treasury bills, in per cent",
    "unemp": "unemployment rate, seasonally adjusted, in per cent",
    "pop": "population at the end of the quarter, in millions",
    "infl": "inflation, in per cent",
    "realint": "real interest rate, in per cent",
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
BEER_QUARTERS = 211
"""Quarters with a value in the copy of pmdarima, to 2008; Rdatasets has seven more."""

Time = datetime.date
Row = Mapping[str, str]


def read_dated(contents: Contents) -> Mapping[str, Columns]:
    """Read a table whose first column is the time in ISO format, and the others numbers.

    A row without any number is left out at the end; elsewhere its values are missing.
    """
    (content,) = contents.values()
    rows = _rows(content)
    first, *names = rows[0]
    while not any(rows[-1][name] for name in names):
        rows.pop()
    return _split((_iso(row[first]) for row in rows), {name: (rows, name) for name in names})


def read_macrodata(names: Sequence[str], contents: Contents) -> Mapping[str, Columns]:
    """Read columns of a table with a year and a quarter a row: those named, or all.

    Args:
        names: new names of the columns `unemp` …; see `MACRO_COLUMNS`.
        contents: the file of statsmodels.
    """
    (content,) = contents.values()
    rows = _rows(content)
    times = (Time(int(row["year"]), 3 * int(row["quarter"]) - 2, 1) for row in rows)
    return _split(times, {name: (rows, "unemp" if len(names) == 1 else name) for name in names})


def read_weeks(contents: Contents) -> Mapping[str, Columns]:
    """Read a table of weeks, `19580329`, and values, some of them missing."""
    (content,) = contents.values()
    rows = _rows(content)
    return _split((Time.fromisoformat(row["date"]) for row in rows), {"co2": (rows, "co2")})


def read_months(contents: Contents) -> Mapping[str, Columns]:
    """Read a table of months, `Jan-1-1995`, and values."""
    (content,) = contents.values()
    rows = _rows(content)
    date, value = rows[0]
    days = (row[date].split("-") for row in rows)
    times = (Time(int(year), MONTHS.index(month) + 1, int(day)) for month, day, year in days)
    return _split(times, {"turnover": (rows, value)})


def read_numbered(
    name: str, value: str, time: Callable[[int], Time], count: int, contents: Contents
) -> Mapping[str, Columns]:
    """Read the first rows of a table of Rdatasets, which numbers them.

    Args:
        name: name of the column of values.
        value: its name in the file.
        time: number of a row, from 0, → its time.
        count: rows to read.
        contents: the file.
    """
    (content,) = contents.values()
    rows = _rows(content)[:count]
    return _split(map(time, range(len(rows))), {name: (rows, value)})


def read_stock(contents: Contents) -> Mapping[str, Columns]:
    """Read days, closing prices and volumes, and add by how much each day's price moved."""
    return {"train": _with_returns(read_dated(contents)["train"])}


def read_stock_archive(contents: Contents) -> Mapping[str, Columns]:
    """Read the same from the archive of pmdarima, whose table has the day's other prices, too."""
    (content,) = contents.values()
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        member = archive.extractfile("msft.csv")
        rows = _rows(member.read() if member else b"")
    read = _split(
        (Time.fromisoformat(row["Date"]) for row in rows),
        {"close": (rows, "Close"), "volume": (rows, "Volume")},
    )
    return {"train": _with_returns(read["train"])}


def _with_returns(columns: Columns) -> Columns:
    """Add the size of each day's return, which the first day has not.

    absolute return(t) = 100 |ln close(t) − ln close(t − 1)|
    """
    moves = [100 * abs(math.log(after / before)) for before, after in pairwise(columns["close"])]
    return {**columns, "absolute_return": [None, *moves]}


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(content.decode().splitlines()))


def _iso(text: str) -> Time:
    """Return a day, or an instant where there is a time of day."""
    return datetime.datetime.fromisoformat(text) if " " in text else Time.fromisoformat(text)


def _split(
    times: Iterable[Time], values: Mapping[str, tuple[Sequence[Row], str]]
) -> Mapping[str, Columns]:
    """Return one split of times and numbers, those not given being missing."""
    columns: dict[str, Any] = {"time": list(times)}
    for name, (rows, column) in values.items():
        columns[name] = [float(row[column]) if row[column] else None for row in rows]
    return {"train": columns}


def _month(year: int, months: int, number: int) -> Time:
    """Return the first day of a month or a quarter: so many months after January of a year."""
    return Time(year + number * months // 12, number * months % 12 + 1, 1)


def _half_hour(number: int) -> Time:
    return datetime.datetime(2000, 6, 5) + number * datetime.timedelta(minutes=30)


def _statsmodels(path: str, size: int, sha256: str, name: str = "") -> File:
    """Describe a file of statsmodels, stored under its own name or another."""
    commit = "82c59e378bdfb5ae324006c477954879ad3e24be"
    address = on_github("statsmodels/statsmodels", commit, f"statsmodels/datasets/{path}")
    name = name or path.rsplit("/", maxsplit=1)[-1]
    return File(name=name, sha256=sha256, address=address, size=size)


def _rdatasets(path: str, size: int, sha256: str) -> File:
    commit = "1dcc2bf5f955cc1224a3e1307256e1fe86b68dae"
    address = on_github("vincentarelbundock/Rdatasets", commit, f"csv/{path}")
    return File(name=path.rsplit("/", maxsplit=1)[-1], sha256=sha256, address=address, size=size)


def _set(
    name: str,
    title: str,
    about: str,
    *,
    rows: int,
    columns: Mapping[str, str],
    licence: str,
    citation: str,
    source: str,
    copy: str,
    original: File,
    read_original: Reader,
    read: Reader = read_dated,
) -> DataSet:
    """Describe a set by its copy in one file, with a time a row, and its original."""
    return DataSet(
        name=name,
        title=title,
        about=about,
        category="encoder-decoder",
        task="past values → next ones",
        licence=licence,
        citation=citation,
        source=source,
        splits={"train": rows},
        columns={"time": "the time; for a month or a quarter its first day", **columns},
        input=tuple(columns),
        target=NEXT,
        folder="forecasting",
        layouts=(
            Layout((File(name=f"{name}.csv", sha256=copy),), read),
            Layout((original,), read_original),
        ),
    )


PMDARIMA = "https://github.com/alkaline-ml/pmdarima"
STATSMODELS = "https://www.statsmodels.org/stable/datasets/index.html"
AS_IN_PMDARIMA = "MIT, as in pmdarima; Rdatasets, which it is downloaded from, is under GPL-3"
MACRODATA = _statsmodels(
    "macrodata/macrodata.csv",
    17_829,
    "d93c0d3a7a77ef83c3af14e46032bb1d02ae3a512b22ab94159a8ca226fcf708",
)
MSFT = File(
    name="msft.tar.gz",
    sha256="667627a7e6486003788c845182aaac5f7edbf74220b500eea9a50a7e4f1c12ba",
    address=on_github(
        "alkaline-ml/pmdarima",
        "4c2dfccb28f64d2c00a5e10b59c1d1a3e16576a9",
        "pmdarima/datasets/data/msft.tar.gz",
    ),
    size=134_220,
)

FORECAST_SERIES = (
    _set(
        "unemployment",
        "US unemployment rate",
        "seasonally adjusted, a quarter a row, 1959 to 2009; horizon 8",
        rows=203,
        columns={"unemployment": "per cent of the labour force"},
        licence="public domain; US Bureau of Labor Statistics, LNS14000000Q",
        citation="US Bureau of Labor Statistics, as compiled for statsmodels by S. Seabold",
        source=STATSMODELS,
        copy="217dda2a1cc4a7c37ec6f4c29af9c8cda405ea74e23ffdaea15da434e8dac57b",
        original=MACRODATA,
        read_original=partial(read_macrodata, ("unemployment",)),
    ),
    _set(
        "macro",
        "US macroeconomic data",
        "twelve series, the unemployment rate among them, a quarter a row, 1959 to 2009; horizon 8",
        rows=203,
        columns=MACRO_COLUMNS,
        licence="public domain; FRED and US Bureau of Labor Statistics",
        citation="Federal Reserve Bank of St. Louis and US Bureau of Labor Statistics, as compiled "
        "for statsmodels by S. Seabold",
        source=STATSMODELS,
        copy="11680c63ba1b12464e4545003e9d80c6f235ed1e72822809cd7bf1f80a24115e",
        original=MACRODATA,
        read_original=partial(read_macrodata, tuple(MACRO_COLUMNS)),
    ),
    _set(
        "stock",
        "A share and its volume",
        "Microsoft, 1986 to 2017, a trading day a row: week-ends and holidays are no rows; nothing "
        "is known to forecast the price better than the last one, the size of its moves is "
        "another matter; horizon 14",
        rows=7_983,
        columns={
            "close": "closing price in dollars, adjusted for later splits",
            "volume": "shares traded",
            "absolute_return": "by how much the price moved since the day before: the absolute "
            "difference of logarithms, in per cent; the first day has none",
        },
        licence="MIT, as in pmdarima; that of the prices is not stated",
        citation="B. Marjanovic, Huge Stock Market Dataset, Kaggle, 2017, as packed for pmdarima "
        "by T. G. Smith",
        source=PMDARIMA,
        copy="0aa6df38399749c31217175747196b30cea1be514f148db302b09204f045c683",
        original=MSFT,
        read_original=read_stock_archive,
        read=read_stock,
    ),
    _set(
        "demand",
        "Electricity demand in England and Wales",
        "a half-hour a row, 5 June to 27 August 2000; seasons of 48 and 336 rows; horizon 48",
        rows=4_032,
        columns={"megawatts": "demand in megawatts"},
        licence=AS_IN_PMDARIMA,
        citation="J. W. Taylor, Short-term electricity demand forecasting using double seasonal "
        "exponential smoothing, Journal of the Operational Research Society 54, 2003",
        source=PMDARIMA,
        copy="8c22941929b69991241f6860c8a69a16d955d5fb115c36a38a2a364b004e2864",
        original=_rdatasets(
            "forecast/taylor.csv",
            43_256,
            "ea57564e588a57cec1af82a9efff077775015b93757ca9d729ad5a18086608da",
        ),
        read_original=partial(read_numbered, "megawatts", "x", _half_hour, 4_032),
    ),
    _set(
        "wine",
        "Australian wine sales",
        "a month a row, 1980 to 1994; horizon 18",
        rows=176,
        columns={"bottles": "bottles of at most a litre sold by wine makers"},
        licence=AS_IN_PMDARIMA,
        citation="R. J. Hyndman, the R package forecast, wineind",
        source=PMDARIMA,
        copy="341931987a12f1a318bee51f7602525f578afc03dc3d255410d02749e5788c9b",
        original=_rdatasets(
            "forecast/wineind.csv",
            4_073,
            "ee2e0503f12c63500354900fc75b8a27e924b91cdff625ffe150962fc97de19c",
        ),
        read_original=partial(read_numbered, "bottles", "value", partial(_month, 1980, 1), 176),
    ),
    _set(
        "beer",
        "Australian beer production",
        "a quarter a row, 1956 to 2008; horizon 8",
        rows=BEER_QUARTERS,
        columns={"megalitres": "beer produced"},
        licence=AS_IN_PMDARIMA,
        citation="R. J. Hyndman, the R package fpp2, ausbeer, from the Australian Bureau of "
        "Statistics, Cat. 8301.0.55.001",
        source=PMDARIMA,
        copy="52fc51d8c6bbb72ba26716e809565aedfba03009ffc3916dcbcd8960cec7ff11",
        original=_rdatasets(
            "fpp2/ausbeer.csv",
            3_181,
            "de93a2f27a0152eaa23da813722aa5595e8a82d1ea62f033de17fca0aaffbd64",
        ),
        read_original=partial(
            read_numbered, "megalitres", "value", partial(_month, 1956, 3), BEER_QUARTERS
        ),
    ),
    _set(
        "yarn",
        "Australian woollen yarn",
        "a quarter a row, 1965 to 1994; horizon 8",
        rows=119,
        columns={"tonnes": "yarn produced"},
        licence=AS_IN_PMDARIMA,
        citation="R. J. Hyndman, the R package forecast, woolyrnq",
        source=PMDARIMA,
        copy="1d4eb093000088af9e991f2bbacb1266c217d57e295ff5920209f037c87f5f6b",
        original=_rdatasets(
            "forecast/woolyrnq.csv",
            1_815,
            "2eb71851b333d093609debde244cbdf525b48108ba09475c80bb1ded135b4bea",
        ),
        read_original=partial(read_numbered, "tonnes", "value", partial(_month, 1965, 3), 119),
    ),
    _set(
        "co2",
        "Carbon dioxide at Mauna Loa",
        "a week a row, 1958 to 2001, with gaps in the early years; horizon 13",
        rows=2_284,
        columns={"co2": "parts per million; 59 weeks have none"},
        licence="public domain",
        citation="C. D. Keeling and T. P. Whorf, Atmospheric carbon dioxide record from Mauna Loa, "
        "Carbon Dioxide Information Analysis Center, 2004",
        source=STATSMODELS,
        copy="2737f74222cf1fb702d41058927d2b8d2a34778d519bfa6b1dea2f1b47c234f4",
        original=_statsmodels(
            "co2/co2.csv",
            33_974,
            "16695fa2786e53414e5a6b54767a3fdf5de99cfbc68617f69d1362d92776a92f",
            name="co2_of_statsmodels.csv",
        ),
        read_original=read_weeks,
    ),
    _set(
        "electrical",
        "Turnover of electrical equipment in the euro area",
        "a month a row, 1995 to 2016; horizon 18",
        rows=257,
        columns={"turnover": "index of the turnover, adjusted for working days, not for seasons"},
        licence="public domain; Eurostat",
        citation="Eurostat, by the European Central Bank, STS.M.I7.W.TOVT.NS0016.4.000",
        source=STATSMODELS,
        copy="47bbd1c7ecc16b58ac69b0507a574c4d670d07f61b369e5a390bcb01cd39970b",
        original=_statsmodels(
            "elec_equip/elec_equip.csv",
            4_505,
            "fb0e86774484d2c9179374377041600ffd25ea0236aeaf7d293bf2df5ae86369",
        ),
        read_original=read_months,
    ),
)
