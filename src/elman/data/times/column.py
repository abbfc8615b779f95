"""A column of times: which instants it holds, in which zone, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import is_number, is_text
from elman.data.frequency import Times
from elman.data.times.calendars import LIMITS, Micros
from elman.data.times.cells import (
    DATE,
    TIMESTAMP,
    Read,
    format_of_texts,
    of_numbers,
    of_texts,
)
from elman.data.times.formats import TimeFormat
from elman.data.times.subject import NUMBER, AmbiguousTimes, Subject
from elman.data.times.zones import checked_zone, instants_of_rows, repeats_an_hour, walls_of
from elman.errors import DataError, OptionError

if TYPE_CHECKING:
    import pyarrow as pa

    from elman.data.table import Table


@dataclass(frozen=True)
class TimeColumn:
    """The times of the rows of a table.

    Attributes:
        instants: microseconds since 1970 in UTC, or in the unknown zone of the column; or plain
            numbers, (T,).
        walls: microseconds from 1970 to the time on the clock, (T,); of numbers the same.
        format: how times are written: directives of `TimeFormat`, `epoch seconds` and the like,
            or `number`; `date` and `timestamp` where the column has that type.
        zone: name of the zone; None where it is unknown, or only the offset from UTC is known.
        notes: what was assumed, a sentence each.
    """

    instants: Times
    walls: Times
    format: str
    zone: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def of_numbers(self) -> bool:
        """Whether times are plain numbers instead of dates."""
        return self.format == NUMBER

    def take(self, rows: NDArray[np.int64]) -> TimeColumn:
        """Return the times of some rows."""
        return replace(self, instants=self.instants[rows], walls=self.walls[rows])

    def arrow(self) -> pa.ChunkedArray:
        """Return the instants as a column: timestamps, or numbers."""
        import pyarrow as pa

        kind = pa.float64() if self.of_numbers else pa.timestamp("us")
        return pa.chunked_array([pa.array(self.instants).cast(kind)])

    def hint_at_zone(self, row: int) -> str:
        """Say that clocks that go back show an hour twice, if a zone has them do so at a time.

        Args:
            row: one of two rows with the same time.

        Returns:
            The sentence, after a space; empty where it does not apply.
        """
        if (
            self.of_numbers
            or self.zone is not None
            or not np.array_equal(self.walls, self.instants)
        ):
            return ""
        zone = repeats_an_hour(int(self.walls[row]))
        if zone is None:
            return ""
        return (
            f" Or this is the end of daylight saving, when the clocks of {zone}, for instance, "
            "show an hour twice: then name the zone of the data, such as data.time_zone = "
            f"{zone!r}."
        )


def read_times(
    table: Table,
    name: str,
    *,
    time_format: str | None = None,
    time_zone: str | None = None,
    series: Micros | None = None,
    as_years: bool = False,
    without_date: bool = False,
    as_input: bool = False,
) -> TimeColumn:
    """Read the times of a column.

    Without a format one rule holds for the whole column. Texts are read by the form of the longest
    of them: 2011-03-14, 2011-03-14 15:09:26+01:00, 14.03.2011, Mar 14, 2011, 2011-Q1, 2011-W11;
    which of two numbers is the day is settled by a number above 12. Numbers are seconds,
    milliseconds, microseconds or nanoseconds since 1970 where all of them then lie between 1990
    and 2100; dates where all of them are written like 20110314 and lie between 1900 and 2100; else
    plain numbers.

    Args:
        table: with the column.
        name: of the column.
        time_format: how times are written; see `TimeColumn`.
        time_zone: name of the zone that times without an offset are in, and in which the
            calendar counts.
        series: number of the series of each row, for hours that the clocks show twice; None for
            one series.
        as_years: whether numbers of four digits are years.
        without_date: whether times of a day and durations are taken, as numbers.
        as_input: whether the column is an input, of kind `date`, which errors and notes name so.

    Raises:
        DataError: a cell is empty or no time, or day and month cannot be told apart.
        OptionError: format or zone are unknown.
    """
    import pyarrow as pa

    zone = None if time_zone is None else checked_zone(time_zone)
    values = _plain(table.arrow(name))
    _refuse_missing(table, name, values)
    subject = Subject(table, name, as_years=as_years, as_input=as_input)
    kind = values.type
    if is_text(kind):
        texts = values.cast(pa.string())
        read = of_texts(texts, subject, format_of_texts(time_format))
    elif is_number(kind):
        read = of_numbers(values, subject, time_format)
    elif pa.types.is_date(kind):
        days = values.cast(pa.date32()).cast(pa.int32()).to_numpy(zero_copy_only=False)
        walls = days.astype("datetime64[D]").astype("datetime64[us]").astype(np.int64)
        read = Read(walls, None, DATE)
    elif pa.types.is_timestamp(kind):
        read = _of_timestamps(values)
    elif without_date and (pa.types.is_time(kind) or pa.types.is_duration(kind)):
        plain = values.cast(pa.int32() if pa.types.is_time32(kind) else pa.int64())
        read = Read(plain.to_numpy(zero_copy_only=False).astype(np.float64), None, NUMBER)
    else:
        raise DataError(
            f"column {name!r} of {table.source} holds {kind}, which is not a time with a date; "
            "give dates, times with dates, or numbers."
        )
    if read.offsets is None and zone is None and _has_offset(time_format):
        raise DataError(
            f"the times in column {name!r} of {table.source} have no offset from UTC, and "
            f"data.time_format = {time_format!r} has one. Add it, or set data.time_zone."
        )
    return _zoned(read, zone, series, subject)


def looks_like_times(table: Table, name: str, *, rows: int = 100) -> bool:
    """Tell whether the first cells of a column are dates or times."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = _plain(table.arrow(name).slice(0, rows)).drop_null()
    kind = values.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return True
    if is_text(kind):
        texts = pc.utf8_trim_whitespace(values.cast(pa.string()))
        values = texts.filter(pc.not_equal(texts, ""))
    elif not is_number(kind):
        return False
    if not len(values):
        return False
    part = type(table).from_columns({name: values}, origin=table.source)
    try:
        return not read_times(part, name).of_numbers
    except AmbiguousTimes:
        return True
    except DataError:
        return False


def _plain(values: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, without dictionary or extension type."""
    import pyarrow as pa

    values = values.combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks)
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values


def _refuse_missing(table: Table, name: str, values: pa.Array) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    missing = values.is_null()
    if is_text(values.type):
        blank = pc.equal(pc.utf8_trim_whitespace(values.cast(pa.string())), "")
        missing = pc.or_(missing, blank.fill_null(True))
    empty = np.flatnonzero(missing.to_numpy(zero_copy_only=False))
    if len(empty):
        raise DataError(
            f"{table.where(int(empty[0]))}, column {name}: the cell is empty, but it must hold "
            "the time of the row."
        )


def _of_timestamps(values: pa.Array) -> Read:
    import pyarrow as pa

    zone = values.type.tz
    stamps = values.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64())
    micros = stamps.to_numpy(zero_copy_only=False)
    if zone is None:
        return Read(micros, None, TIMESTAMP)
    return Read(micros, np.zeros(len(micros), np.int64), TIMESTAMP, checked_zone(zone))


def _zoned(read: Read, zone: str | None, series: Micros | None, subject: Subject) -> TimeColumn:
    """Count instants: by the offsets of the column, or by the clocks of a zone."""
    notes = list(read.notes)
    if read.format == NUMBER:
        if zone is not None:
            raise OptionError(
                f"data.time_zone = {zone!r} is for dates, and column {subject.name!r} of "
                f"{subject.table.source} holds plain numbers; leave it out."
            )
        return TimeColumn(read.walls, read.walls, NUMBER, notes=notes)
    walls = np.asarray(read.walls, np.int64)
    outside = (walls < LIMITS[0]) | (walls > LIMITS[1])
    if outside.any():
        raise subject.wrong(int(outside.argmax()), "is outside the years 1 … 9999.")
    if read.offsets is not None:
        instants = walls - read.offsets
        named = zone or read.zone
        if named is not None:
            walls = walls_of(instants, named)
        return TimeColumn(instants, walls, read.format, named, notes)
    if zone is None:
        return TimeColumn(walls, walls, read.format, None, notes)
    numbers = np.zeros(len(walls), np.int64) if series is None else series
    instants, skipped = instants_of_rows(walls, zone, numbers)
    if skipped.any() and _has_clock(read.format):
        raise subject.wrong(
            int(skipped.argmax()),
            f"does not exist in {zone}, where the clocks go forward at that time. Correct it, or "
            "leave data.time_zone out if the times do not follow daylight saving.",
        )
    return TimeColumn(instants, walls, read.format, zone, notes)


def _has_offset(time_format: str | None) -> bool:
    return time_format is not None and "%" in time_format and TimeFormat(time_format).has_offset


def _has_clock(written: str) -> bool:
    return TimeFormat(written).has_clock if "%" in written else written == TIMESTAMP
