"""The dialect of a delimited file: its delimiter, its quotes, and where its table begins."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from elman.data.sources.header import (
    has_header,
    has_typed_column,
    has_units,
    kind_of,
    typed_columns,
)
from elman.data.sources.records import (
    WHITE_SPACE,
    Quoting,
    Record,
    Records,
    fields_of_any_size,
)

DELIMITERS = (",", "\t", ";", "|")

NEVER_DELIMITERS = ("\x1f", "\x1e", "\x1d", "\x1c")
"""Delimiters for a file of one column; one is used that the sample does not contain."""

QUOTINGS: tuple[Quoting, ...] = ("quoted", "escaped", "plain")

NEEDED_BY: dict[Quoting, str] = {"quoted": "", "escaped": "\\", "plain": '"'}
"""Quoting → character without which it equals the first one."""

MOSTLY = 0.8
"""Least share of records with equally many fields below a preamble."""

_SAYS_DELIMITER = re.compile(r'"?sep=(.)"?[,;\t]*\r?(?:\n|\Z)', re.IGNORECASE)


class Dialect(NamedTuple):
    """The dialect of a delimited file."""

    delimiter: str
    quoting: Quoting
    header: bool
    first: tuple[str, ...]
    """Fields of the first record of the table, as many as a row has."""
    start: int = 1
    """Line of that record; what stands above it belongs to no row."""
    short_header: bool = False
    """Whether the header has a field fewer than the rows."""
    units: int = 0
    """Line of the record below the header that holds the units of the columns; 0 for none."""
    says_delimiter: bool = False
    """Whether the first line names the delimiter, as Excel writes it: `sep=;`."""

    @property
    def names(self) -> list[str]:
        """Names of the columns: those of the header, or `column_2` etc. without one."""
        numbered = [f"column_{number}" for number in range(1, len(self.first) + 1)]
        if not self.header:
            return numbered
        return [field.strip() or name for field, name in zip(self.first, numbered, strict=True)]


class _Reading(NamedTuple):
    """The records of a sample as a dialect reads them; blank ones are left out."""

    delimiter: str
    quoting: Quoting
    records: list[Record]

    @property
    def unmarked(self) -> list[Record]:
        """The records that do not begin as comments do; all where there are no others."""
        return [record for record in self.records if not record.marked] or self.records


def sniff(sample: str, *, cut: bool, preferred: str = ",") -> Dialect | None:
    """Detect the dialect of a file.

    The delimiter is the one that the first line names (`sep=;`); or the one that gives every
    record of the sample the same number of fields, at least two, comments left out; or that does
    so below a preamble; or white space between numbers. Where there is none, it is the one that
    gives most records as many fields as the first, if that one contains it. Otherwise the file
    has one column.

    Args:
        sample: the start of the file.
        cut: whether the file continues after the sample.
        preferred: delimiter that is chosen where several fit.

    Returns:
        The dialect, or None where the sample contains no record.
    """
    delimiters = (preferred, *(mark for mark in DELIMITERS if mark != preferred))
    if (said := _SAYS_DELIMITER.match(sample)) is not None:
        delimiters = (said[1],)
    quotings = [each for each in QUOTINGS if NEEDED_BY[each] in sample]
    readings = [
        _Reading(delimiter, quoting, records)
        for quoting in quotings
        for delimiter in delimiters
        if (records := _sample_records(sample, delimiter, quoting, cut=cut))
    ]
    if said is not None:
        readings = [each._replace(records=each.records[1:]) for each in readings]
        readings = [each for each in readings if each.records]
    dialect = _of_whole_table(readings, doubled='""' in sample) or _below_preamble(readings)
    if dialect is None and said is None:
        spaced = _sample_records(sample, WHITE_SPACE, "quoted", cut=cut)
        dialect = _of_numbers(_Reading(WHITE_SPACE, "quoted", spaced)) if spaced else None
    dialect = dialect or _of_most(readings)
    if said is not None:
        dialect = dialect or (_dialect(readings[0], readings[0].records) if readings else None)
        return dialect and dialect._replace(says_delimiter=True)
    dialect = dialect or _of_unbalanced(sample, delimiters, quotings)
    return dialect or _of_one_column(sample, quotings, cut=cut)


def _sample_records(sample: str, delimiter: str, quoting: Quoting, *, cut: bool) -> list[Record]:
    """Read the records of a sample; none where it does not fit the dialect."""
    records: list[Record] = []
    try:
        with fields_of_any_size():
            for record in Records(io.StringIO(sample, newline=""), delimiter, quoting):
                records += [] if record.is_blank else [record]
    except csv.Error as error:
        # A sample may end within quotes; a file may not.
        return records if cut and "unexpected end" in str(error) else []
    if cut and len(records) > 1:
        records.pop()
    return records


def _of_whole_table(readings: Sequence[_Reading], *, doubled: bool = True) -> Dialect | None:
    """Return the first dialect in which all records but comments have equally many fields.

    Where quotes stand within fields and none is doubled, backslashes escape them if that fits, too.
    """
    whole = [(each, rows) for each in readings if (rows := _whole_rows(each)) is not None]
    if not whole:
        return None
    first, rows = whole[0]
    if (
        first.quoting == "quoted"
        and not doubled
        and any(_has_bare_quote(row.fields) for row in rows)
    ):
        escaped = (each for each in whole if each[0].quoting == "escaped")
        alike = (each for each in escaped if each[0].delimiter == first.delimiter)
        first, rows = next(alike, whole[0])
    return _dialect(first, _without_padding(_without_marked(rows), len(rows[0].fields)))


def _has_bare_quote(fields: Sequence[str]) -> bool:
    """Tell whether a field ends with a quote that it does not begin with, as after `\\"`."""
    return any(field.endswith('"') and field.count('"') % 2 for field in fields)


def _whole_rows(reading: _Reading) -> list[Record] | None:
    """Return the records but comments if all have equally many fields, two or more."""
    width = len(reading.unmarked[0].fields)
    rows = [record for record in reading.records if not record.is_comment(width)]
    alike = width > 1 and all(len(record.fields) == width for record in rows)
    return rows if alike else None


def _without_marked(rows: list[Record]) -> list[Record]:
    """Leave out comments above a table that have, by chance, as many fields as its rows.

    They read as sentences do, a space behind each delimiter, or are followed by a header that
    numbers stand below.
    """
    marked = next((i for i, row in enumerate(rows) if not row.marked), 0)
    if not marked or len(rows) == marked:
        return rows
    below = [row.fields for row in rows[marked:]]
    spaced = 2 * sum(_is_spaced(row) for row in below) > len(below)
    if has_typed_column(below) or (_is_spaced(rows[marked - 1].fields) and not spaced):
        return rows[marked:]
    return rows


def _is_spaced(fields: Sequence[str]) -> bool:
    return any(field.startswith(" ") for field in fields[1:])


def _without_padding(rows: list[Record], width: int) -> list[Record]:
    """Leave out a preamble that is filled up with delimiters, as spreadsheets write it.

    The last fields of its lines are empty, half of them or more unless numbers stand below the
    header; all fields of the header are filled.
    """
    start = next((i for i, row in enumerate(rows) if all(map(str.strip, row.fields))), 0)
    above = [len(row.fields) - _empty_at_end(row.fields) for row in rows[:start]]
    table = [row.fields for row in rows[start:]]
    most = width - 1 if has_typed_column(table) else width // 2
    if width < 3 or not start or max(above) > most:
        return rows
    return rows[start:] if has_header(table) else rows


def _empty_at_end(fields: Sequence[str]) -> int:
    filled = [place for place, field in enumerate(fields) if field.strip()]
    return len(fields) - 1 - filled[-1] if filled else len(fields)


def _below_preamble(readings: Sequence[_Reading]) -> Dialect | None:
    """Return the dialect of a table below lines with fewer fields, those with the fewest lines."""
    found: list[tuple[int, Dialect]] = []
    for reading in readings:
        counts = Counter(len(record.fields) for record in reading.unmarked)
        width = max(counts, key=lambda count: (counts[count], count))
        rows = [record for record in reading.records if not record.is_comment(width)]
        start = _start_below_preamble(rows, width)
        above, table = rows[:start], rows[start:]
        if not above or any(len(row.fields) > width for row in above) or width < 2:
            continue
        if (named := _with_short_header(reading, above, table)) is not None:
            found.append((start - 1, named))
        elif _is_preamble(reading.delimiter, above, table, width):
            found.append((start, _dialect(reading, table)))
    return min(found, key=lambda entry: entry[0])[1] if found else None


def _start_below_preamble(rows: Sequence[Record], width: int) -> int:
    """Return the place of the first record with a number of fields.

    A record above, that has as many by chance, a comma in a sentence, is none of the table.
    """
    start = next(i for i, row in enumerate(rows) if len(row.fields) == width)
    half = len(rows) // 2
    last = max((i for i, row in enumerate(rows[:half]) if len(row.fields) != width), default=-1)
    by_chance = [row.fields for row in rows[:last] if len(row.fields) == width]
    return last + 1 if by_chance and all(map(_is_spaced, by_chance)) else start


def _is_preamble(
    delimiter: str, above: Sequence[Record], table: Sequence[Record], width: int
) -> bool:
    """Tell whether records are a preamble: a header follows.

    Where numbers stand below the header, that is plain. Where all is text, a blank line, several
    lines or several words must stand above it, and more rows of equally many fields below it; and
    commas must not be followed by spaces, as in sentences.
    """
    fields = [record.fields for record in table]
    alike = sum(len(row) == width for row in fields)
    if len(table) < 2 or not has_header(fields):
        return False
    if has_typed_column([row for row in fields if len(row) == width]):
        return alike >= MOSTLY * len(table)
    last = above[-1]
    apart = table[0].line > last.line + 1 or len(above) > 1 or " " in last.fields[0].strip()
    spaced = delimiter == "," and any(map(_is_spaced, fields))
    return apart and not spaced and alike == len(table) > len(above) + 1


def _with_short_header(
    reading: _Reading, above: Sequence[Record], table: Sequence[Record]
) -> Dialect | None:
    """Return the dialect of a table whose header has a field fewer than all rows.

    Either every row ends in a delimiter; or begins with its name, as R writes tables, and numbers
    stand below one of at least two names. The header stands directly above two rows or more.
    """
    header, fields = above[-1].fields, [record.fields for record in table]
    width = len(fields[0])
    if any(len(row) != width for row in fields) or len(header) != width - 1 or len(fields) < 2:
        return None
    if not all(map(str.strip, header)) or any(map(kind_of, header)):
        return None
    if table[0].line > above[-1].line + 1 or has_typed_column(fields) or len(above) > 1:
        return None
    if not any(row[-1].strip() for row in fields):
        first = (*header, "")
    elif width > 2 and len({row[0] for row in fields}) == len(fields):
        first = ("", *header)
        if any(map(_is_spaced, fields)) or not has_typed_column([first, *fields]):
            return None
    else:
        return None
    dialect = Dialect(reading.delimiter, reading.quoting, header=True, first=first)
    return dialect._replace(start=above[-1].line, short_header=True)


def _of_numbers(reading: _Reading) -> Dialect | None:
    """Return the dialect of columns divided by white space, half of them numbers or more."""
    dialect = _of_whole_table([reading]) or _below_preamble([reading])
    if dialect is None:
        return None
    rows = [record.fields for record in reading.records if record.line >= dialect.start]
    rows = [row for row in rows[dialect.header :] if len(row) == len(dialect.first)]
    if len(rows) < 2 or 2 * typed_columns(rows) < len(dialect.first):
        return None
    return dialect


def _of_most(readings: Sequence[_Reading]) -> Dialect | None:
    """Return the dialect in which most records have as many fields as the first, at least two."""
    best: tuple[float, Dialect] | None = None
    for reading in readings:
        records = reading.unmarked
        width = len(records[0].fields)
        alike = sum(len(record.fields) == width for record in records) / len(records)
        if width > 1 and reading.quoting != "plain" and (best is None or alike > best[0]):
            best = alike, _dialect(reading, records)
    return None if best is None else best[1]


def _of_unbalanced(
    sample: str, delimiters: Sequence[str], quotings: Sequence[Quoting]
) -> Dialect | None:
    """Return a dialect for quotes that are neither balanced nor ordinary characters.

    Reading will say where.
    """
    line = sample.partition("\n")[0]
    present = [mark for mark in delimiters if mark in line]
    if "plain" not in quotings or not present:
        return None
    return Dialect(present[0], "quoted", header=True, first=tuple(line.split(present[0])))


def _of_one_column(sample: str, quotings: Sequence[Quoting], *, cut: bool) -> Dialect | None:
    absent = next((mark for mark in NEVER_DELIMITERS if mark not in sample), NEVER_DELIMITERS[0])
    for quoting in quotings:
        records = _sample_records(sample, absent, quoting, cut=cut)
        if records:
            return _dialect(_Reading(absent, quoting, records), records)
    return None


def _dialect(reading: _Reading, rows: Sequence[Record]) -> Dialect:
    """Return the dialect of a table that begins with a record."""
    width = len(rows[0].fields)
    rows = [row for row in rows if len(row.fields) == width and not row.is_empty] or rows
    fields = [row.fields for row in rows]
    header = has_header(fields)
    return Dialect(
        reading.delimiter,
        reading.quoting,
        header=header,
        first=tuple(fields[0]),
        start=rows[0].line,
        units=rows[1].line if header and has_units(fields) else 0,
    )
