"""Time zones: from the time on a clock to the instant, and back."""

from __future__ import annotations

import datetime
import re
import zoneinfo

import numpy as np
from numpy.typing import NDArray

from elman.data.frequency import SECOND
from elman.data.times.calendars import Micros
from elman.errors import OptionError, unknown

_OFFSET = re.compile(r"([+-])(0\d|1[0-5]):?([0-5]\d)")

_KNOWN = ("Europe/London", "Europe/Berlin", "America/New_York", "Australia/Sydney")
"""Zones that a message names before others."""


def checked_zone(name: str) -> str:
    """Return the name of a zone as Arrow and Python know it: Europe/Berlin, UTC, +02:00.

    Raises:
        OptionError: there is no such zone, or this machine lacks the database of zones.
    """
    if name in {"Z", "z", "UTC", "utc"}:
        return "UTC"
    if match := _OFFSET.fullmatch(name):
        return f"{match[1]}{match[2]}:{match[3]}"
    zones = zoneinfo.available_timezones()
    if not zones:
        raise OptionError(
            f"the time zone {name!r} cannot be looked up, because this machine has no database of "
            "time zones; install it: pip install tzdata."
        )
    if name not in zones:
        raise unknown("time zone", name, zones)
    return name


def zone_info(name: str) -> datetime.tzinfo:
    """Return Python's object of a zone."""
    if match := _OFFSET.fullmatch(name):
        size = datetime.timedelta(hours=int(match[2]), minutes=int(match[3]))
        return datetime.timezone(-size if match[1] == "-" else size)
    return zoneinfo.ZoneInfo(name)


def walls_of(instants: Micros, zone: str) -> Micros:
    """Return what the clocks of a zone show.

    Args:
        instants: microseconds since 1970 in UTC, (T,).
        zone: name of the zone.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    zoned = pa.array(instants, pa.int64()).cast(pa.timestamp("us", zone))
    walls = pc.local_timestamp(zoned).cast(pa.int64())
    return walls.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def instants_of(walls: Micros, zone: str, *, latest: bool = False) -> Micros:
    """Return the instants at which the clocks of a zone show some times.

    Of an hour that the clocks show twice it is the earlier instant, unless `latest`; of one that
    they skip it is the instant at which they skip it.

    Args:
        walls: microseconds from 1970 to the time on the clock, (T,).
        zone: name of the zone.
        latest: whether to return the later instant.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    which = "latest" if latest else "earliest"
    if _OFFSET.fullmatch(zone):
        size = zone_info(zone).utcoffset(None)
        assert size is not None
        return walls - int(size.total_seconds()) * SECOND
    stamps = pa.array(walls, pa.int64()).cast(pa.timestamp("us"))
    zoned = pc.assume_timezone(stamps, zone, ambiguous=which, nonexistent="latest")
    instants = zoned.cast(pa.int64())
    return instants.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def instants_of_rows(walls: Micros, zone: str, series: Micros) -> tuple[Micros, NDArray[np.bool_]]:
    """Return the instants of rows in the order of a file, and which times the clocks skip.

    Where the clocks go back, an hour stands in a series twice. The first of two rows with the same
    time is the earlier one; in a file that is sorted backwards it is the second. A row that stands
    there alone is the one that comes a usual step after the row before it.

    Args:
        walls: microseconds from 1970 to the time on the clock, (T,).
        zone: name of the zone.
        series: number of the series of each row, (T,).
    """
    early, late = instants_of(walls, zone), instants_of(walls, zone, latest=True)
    skipped = walls_of(early, zone) != walls
    steps = np.diff(walls)
    backwards = bool((steps < 0).sum() > (steps > 0).sum())
    rows = np.arange(len(walls))[::-1] if backwards else np.arange(len(walls))
    order = rows[np.argsort(series[rows], kind="stable")]  # the rows of each series in time
    instants = early.copy()
    twice = np.flatnonzero(early[order] != late[order])
    usual = float(np.median(np.diff(early[order]))) if len(twice) and len(order) > 1 else 0.0
    seen: dict[tuple[int, int], int] = {}
    for place in twice.tolist():
        row = order[place]
        seen[series[row], walls[row]] = seen.get((series[row], walls[row]), 0) + 1
    met: set[tuple[int, int]] = set()
    for place in twice.tolist():
        row, before = order[place], order[place - 1] if place else None
        key = (int(series[row]), int(walls[row]))
        if seen[key] > 1:
            if key in met:
                instants[row] = late[row]
        elif before is not None and series[before] == series[row]:
            both = np.array([early[row], late[row]]) - instants[before]
            instants[row] = (early[row], late[row])[int(np.abs(both - usual).argmin())]
        met.add(key)
    return instants, skipped


def repeats_an_hour(wall: int) -> str | None:
    """Name a zone whose clocks show a time twice; None if there is none."""
    time = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=wall)
    for name in (*_KNOWN, *sorted(zoneinfo.available_timezones())):
        early, late = (time.replace(tzinfo=zoneinfo.ZoneInfo(name), fold=fold) for fold in (0, 1))
        offsets = early.utcoffset(), late.utcoffset()
        if None not in offsets and offsets[0] > offsets[1]:  # type: ignore[operator]
            return name
    return None
