"""Times: from the cell of a column to instants and clocks, and back to what was written."""

from elman.data.times.cells import checked_format
from elman.data.times.column import TimeColumn, looks_like_times, read_times
from elman.data.times.subject import NUMBER, AmbiguousTimes, NoTime
from elman.data.times.two_columns import with_time_of_day
from elman.data.times.written import as_objects, as_written
from elman.data.times.zones import checked_zone, instants_of, walls_of, zone_info

__all__ = [
    "NUMBER",
    "AmbiguousTimes",
    "NoTime",
    "TimeColumn",
    "as_objects",
    "as_written",
    "checked_format",
    "checked_zone",
    "instants_of",
    "looks_like_times",
    "read_times",
    "walls_of",
    "with_time_of_day",
    "zone_info",
]
