"""What was found about columns of dates, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from elman.data.arrow import is_list
from elman.data.table import Table
from elman.errors import as_option, counted
from elman.experiment.data import DataSpec
from elman.tasks.check.dates import (
    Reading,
    in_several_forms,
    missing_words,
    reading_of,
    stray_among_dates,
)
from elman.tasks.check.finding import LISTED, Finding, listed, options
from elman.tasks.check.profile import GIVEN, IGNORED, INPUT, TARGET, ColumnProfile

DATES = "dates"
"""The code of findings on columns that are left out."""

_CALENDAR = "to read the calendar (year, season, day of the week), say"


def left_out_dates(names: Sequence[str], table: Table, data: DataSpec) -> Iterator[Finding]:
    """Say which columns of dates are left out, and how to read them or to split by them.

    Args:
        names: of the columns.
        table: rows, laid out.
        data: the settings, of which a split in the order of time needs no advice.
    """
    readings = {name: reading_of(table, name) for name in names}
    order = "" if data.split_order else "--set split_order=time"
    clear = [name for name in names if readings[name].is_clear]
    if clear:
        read = " ".join(as_option("--read", f"{name}:date") for name in clear[:LISTED])
        yield _left_out(clear, f"{_hold(clear)} dates or times", f"{_CALENDAR} {read}", order)
        order = ""
    for name in names:
        if readings[name].formats:
            yield _ambiguous(name, readings[name], table, order if len(names) == 1 else "")
    for name in names:
        if readings[name].formats or readings[name].row is None:
            continue
        yield _of_odd_cell(name, readings[name], table, order)
        order = ""
    others = [name for name in names if readings[name].is_other]
    if others:
        lists = all(is_list(table.column(name).type) for name in others)
        what = f"{_hold(others)} {'lists of ' * lists}dates or times"
        yield _left_out(others, what, "", order)


def findings_of_dates(table: Table, profile: ColumnProfile) -> Iterator[Finding]:
    """Yield what is missing in a column of dates, and what is no date in one that is mostly so.

    Args:
        table: rows.
        profile: of a column.
    """
    name = profile.name
    if profile.kind.partition(":")[0] == "date" and profile.role != IGNORED:
        words = missing_words(table, name)
        listed = " and ".join(f"{word!r} in {counted(n, 'cell')}" for word, n in words.items())
        if listed:
            found = f"{name} holds {listed}, where the date is missing"
            yield Finding("missing dates", (name,), found, said_by_task=INPUT in profile.role)
    if not {INPUT, TARGET} & {*profile.role.split(", ")} or profile.why == GIVEN:
        return
    if profile.kind.partition(":")[0] not in {"category", "text"}:
        return
    row = stray_among_dates(table, name)
    if row is None:
        return
    option = "--target" if TARGET in profile.role else "--read"
    yield Finding(
        "stray dates",
        (name,),
        f"{table.where(row)}, column {name}: {_cell(table, name, row)} is no date, as most cells "
        "of the column are",
        f"it is read as {profile.read_as}",
        "if they are dates, correct the others, or leave them empty where the date is missing",
        f"correct it, leave it empty, or say {as_option(option, f'{name}:{profile.kind}')}",
    )


def _ambiguous(name: str, reading: Reading, table: Table, order: str) -> Finding:
    """Say that day and month of a column cannot be told apart."""
    assert reading.row is not None, "two readings differ in a row"
    ways = " or ".join(as_option("--read", f"{name}:date:{each}") for each in reading.formats)
    first, *others = reading.formats
    by = f"{order} {as_option('--set', f'data.time_format={first}')}, or {' or '.join(others)}"
    return _left_out(
        [name],
        f"{name} holds dates, such as {_cell(table, name, reading.row)}, in which day and month "
        "cannot be told apart",
        f"{_CALENDAR} {ways}",
        by if order else "",
    )


def _of_odd_cell(name: str, reading: Reading, table: Table, order: str) -> Finding:
    """Say that the dates of a column are written in several forms, or that one is none."""
    assert reading.row is not None, "a cell is unlike the others"
    cell = _cell(table, name, reading.row)
    forms = " in several forms" if in_several_forms(table, name) else ""
    advice = f"to read the calendar, correct {table.where(reading.row)}: {cell}"
    if forms:
        advice = f"to read the calendar, write all of them alike, unlike {cell} in "
        advice += table.where(reading.row)
    return _left_out([name], f"{name} holds dates or times{forms}", advice, order)


def _left_out(names: Sequence[str], found: str, calendar: str, order: str) -> Finding:
    """Say that columns of dates are left out."""
    if order:
        order = f"to test on the latest rows of a table in the order of time, {order}"
    return Finding(
        DATES,
        tuple(names),
        found,
        "it is left out" if len(names) == 1 else "they are left out",
        "; ".join(filter(None, [calendar, order])),
        f"say {options('--ignore', names)}"
        + f" or {calendar.removeprefix(_CALENDAR).strip()}" * calendar.startswith(_CALENDAR),
    )


def _hold(names: Sequence[str]) -> str:
    return f"{listed(names)} {'holds' if len(names) == 1 else 'hold'}"


def _cell(table: Table, name: str, row: int) -> str:
    return repr(str(table.column(name)[row])[:60])
