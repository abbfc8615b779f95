"""What a format writes, it reads; what cells show, is the format that they were written with."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

from elman.data.times.formats import TimeFormat
from elman.data.times.shapes import formats_of

DATES = (
    "%Y-%m-%d",
    "%Y/%-m/%-d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%-d/%-m/%Y",
    "%m/%d/%Y",
    "%d-%b-%Y",
    "%d %B %Y",
    "%d-%^b-%Y",
    "%b %d, %Y",
    "%A, %d %B %Y",
    "%Y-%b-%d",
    "%G-W%V-%u",
)
CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%3f", "%H:%M:%S.%f", "%-I:%M %p", "%I:%M:%S%P")
ZONES = ("", "%:z", "%z", " %:z")


def moments(count: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(11)
    begin = int(np.datetime64("1901-01-01", "us").astype(np.int64))
    end = int(np.datetime64("2099-12-31", "us").astype(np.int64))
    walls = random.integers(begin, end, count)
    offsets = random.integers(-48, 57, count) * 15 * 60_000_000  # quarters of hours
    return walls, offsets


def resolution(text: str) -> int:
    """Return the microseconds that a format tells apart."""
    units = (("%f", 1), ("%3f", 1_000), ("%S", 1_000_000), ("%M", 60_000_000))
    return next((size for mark, size in units if mark in text), 86_400_000_000)


FORMATS = [*DATES, *(f"{DATES[n % 13]} {clock}" for n, clock in enumerate(CLOCKS * 4))]
FORMATS += [f"%Y-%m-%dT%H:%M:%S{zone}" for zone in ZONES]


@pytest.mark.parametrize("text", FORMATS)
def test_what_a_formwrites_it_reads(text: str) -> None:
    walls, offsets = moments(300)
    form = TimeFormat(text)
    cells = form.write(walls, offsets)
    parsed = form.parse(pa.array(cells))
    assert not parsed.wrong.any()
    size = resolution(text)
    assert (parsed.walls == walls // size * size).all()
    if form.has_offset:
        assert parsed.offsets is not None
        assert (parsed.offsets == offsets).all()


@pytest.mark.parametrize("text", FORMATS)
def test_a_column_shows_the_formthat_it_was_written_with(text: str) -> None:
    walls, offsets = moments(300)
    cells = TimeFormat(text).write(walls, offsets)
    longest = max(cells, key=len)
    column = pa.array(cells)
    fitting = [
        each.unpadded(parsed.short).text
        for each in formats_of(longest)
        if not (parsed := each.parse(column)).wrong.any()
    ]
    assert fitting == [text]


@pytest.mark.parametrize(
    "text", ["%Y-%m-%d %H:%M:%S", "%d/%m/%y", "%d %b %Y %I:%M %p", "%Y-%j", "%Y-%m-%dT%H:%M:%S%z"]
)
def test_formats_mean_what_python_means(text: str) -> None:
    walls, _ = moments(100)
    stamps = [time.replace(tzinfo=datetime.UTC) for time in walls.astype("datetime64[us]").tolist()]
    cells = [time.strftime(text) for time in stamps]
    parsed = TimeFormat(text).parse(pa.array(cells))
    expected = [datetime.datetime.strptime(cell, text).replace(tzinfo=None) for cell in cells]
    assert parsed.walls.astype("datetime64[us]").tolist() == expected
    assert TimeFormat(text).write(walls, np.zeros(len(walls), np.int64)) == cells
