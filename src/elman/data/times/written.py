"""Times as Python's objects, and as the cells of a column are written."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.frequency import DAY
from elman.data.times.calendars import datetimes
from elman.data.times.cells import DATE, EPOCHS, TIMESTAMP
from elman.data.times.formats import TimeFormat
from elman.data.times.subject import NUMBER
from elman.data.times.zones import zone_info


def as_objects(cells: NDArray[Any], time_format: str | None, zone: str | None) -> list[Any]:
    """Return times as numbers, dates, or dates with a time of day and the zone, if it is known.

    Args:
        cells: plain numbers, (T,), or instants and walls, (T, 2).
        time_format: how times are written; None for dates where all are midnight.
        zone: name of the zone; None where only the offset from UTC is known, or not even that.
    """
    if cells.ndim == 1:
        whole = bool((cells == np.round(cells)).all())
        return [int(time) if whole else float(time) for time in cells]
    walls, offsets = cells[:, 1], cells[:, 1] - cells[:, 0]
    stamps = datetimes(walls)
    has_offset = zone is not None
    if time_format is None:
        is_date = bool((walls % DAY == 0).all())
    elif "%" in time_format:
        parsed = TimeFormat(time_format)
        is_date, has_offset = not parsed.has_clock, has_offset or parsed.has_offset
    else:
        is_date = time_format == DATE
    if is_date:
        return [stamp.date() for stamp in stamps]
    if not has_offset:
        return list(stamps)
    if zone is not None:
        place = zone_info(zone)
        instants = datetimes(cells[:, 0])
        return [stamp.replace(tzinfo=datetime.UTC).astimezone(place) for stamp in instants]
    sizes = [datetime.timedelta(microseconds=int(offset)) for offset in offsets]
    return [
        stamp.replace(tzinfo=datetime.timezone(size))
        for stamp, size in zip(stamps, sizes, strict=True)
    ]


def as_written(cells: NDArray[Any], time_format: str | None, zone: str | None) -> list[Any]:
    """Return times as the column has them: texts or numbers; else what `as_objects` returns.

    Arguments are those of `as_objects`.
    """
    if cells.ndim == 1 or time_format in {None, NUMBER, DATE, TIMESTAMP}:
        return as_objects(cells, time_format, zone)
    assert time_format is not None, "the formats without a name are handled above"
    if time_format in EPOCHS:
        size = EPOCHS[time_format]
        instants = cells[:, 0]
        if not size:
            return (instants * 1_000).tolist()  # type: ignore[no-any-return]
        whole = bool((instants % size == 0).all())
        return (instants // size if whole else instants / size).tolist()  # type: ignore[no-any-return]
    written = TimeFormat(time_format)
    instants, walls = cells[:, 0], cells[:, 1]
    if written.is_utc:
        walls = instants
    texts = written.write(walls, walls - instants)
    return [int(text) for text in texts] if written.is_digits else texts
