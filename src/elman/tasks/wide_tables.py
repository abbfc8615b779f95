"""Wide tables of series: when a table is read as one, and the settings that follow."""

from __future__ import annotations

from typing import Any

from elman.data.numbers import with_numbers
from elman.data.sources import read_table
from elman.data.table import Table
from elman.data.units import with_unit_of
from elman.data.wide import (
    SERIES,
    TIME,
    VALUE,
    Steps,
    find_steps,
    gathered,
    have_numbered_names,
    holds_numbers,
    id_column,
    melted_columns,
    melted_rows,
)
from elman.errors import DataError, ExperimentError
from elman.experiment.data import DataSpec

MANY = 8
"""Minimum number of columns that are taken for the steps of series without being asked for."""


def wide_settings(data: DataSpec, source: Any) -> dict[str, Any]:
    """Return the settings that make series of a wide table for windows and forecasts.

    Args:
        data: the settings that were given.
        source: files, or values in Python.

    Raises:
        ExperimentError: a target is given, too.
        DataError: no columns are steps.
    """
    asked = data.wide is not None
    if not (data.horizon or data.window) or (not asked and (data.target or data.time)):
        return {}
    if asked and data.target not in ([], [VALUE]):
        raise ExperimentError(
            f"data.wide = {data.wide!r} makes a series of every {(data.wide or '')[:-1]}, whose "
            f"numbers are the target; leave --target {data.target[0]} (data.target) out."
        )
    if data.wide == "columns":
        return {"sequence_id": SERIES, "target": [VALUE]}
    table = read_table(source, format=data.format, encoding=data.encoding)
    if VALUE in table.columns:
        return {}
    table = _with_numbers(data, table)
    steps = _asked_steps(data, table) if asked else _sure_steps(data, table)
    if steps is None:
        return {}
    ids = data.sequence_id or id_column(table, steps)
    settings = {"wide": "rows", "sequence_id": ids, "time": TIME, "target": [VALUE]}
    written = data.time_format or steps.time_format
    return settings if written is None else {**settings, "time_format": written}


def from_wide(data: DataSpec, table: Table) -> Table:
    """Make series of a wide table, where the settings or the names of its columns say it is one.

    Raises:
        DataError: it is said to be one, and no columns are steps.
    """
    if data.wide is None and not _may_be_wide(data, table):
        return table
    read = _with_numbers(data, table)
    if data.wide == "columns":
        return _from_columns(data, read)
    if data.horizon or data.window:
        return table if data.wide is None or VALUE in table.columns else _from_rows(data, read)
    wide = _gathered(data, read)
    if wide is not read and wide.columns != table.columns:
        return wide
    return table.with_notes(note for note in wide.notes if note not in read.notes)


def _may_be_wide(data: DataSpec, table: Table) -> bool:
    """Tell whether a table may be one of series, by the names of its columns alone."""
    least = 2 if SERIES in data.input else MANY
    if len(table.columns) < MANY or data.horizon or data.window:
        return False
    return have_numbered_names(table.columns, least=least)


def _with_numbers(data: DataSpec, table: Table) -> Table:
    """Read the columns that may be steps as numbers, where they hold such."""
    read, _ = with_numbers(table, likely=_candidates(data, table), decimal=data.decimal)
    return read


def _gathered(data: DataSpec, table: Table) -> Table:
    """Read the steps of each row as one series, where they are to be."""
    if data.wide == "rows":
        if SERIES in table.columns:
            return table
        return _with_series(table, _asked_steps(data, table))
    if SERIES in data.input and SERIES not in table.columns:
        steps = find_steps(table, _candidates(data, table), least=2)
        return table if steps is None else _with_series(table, steps)
    if data.input or data.sequence_id or data.time or data.predicts_next:
        return table
    steps = _sure_steps(data, table)
    if steps is not None:
        series = _with_series(table, steps)
        series.notes[-1] += " To read them as numbers of no order, name them with --input."
        return series
    steps = find_steps(table, _candidates(data, table), least=MANY)
    if steps is not None:
        return table.with_notes(
            [
                f"{steps.shown} of {table.source} have numbered names; if they are the steps of a "
                'series, say --set wide=rows (wide="rows" in Python).'
            ]
        )
    return table


def _with_series(table: Table, steps: Steps) -> Table:
    series = gathered(table, steps, SERIES)
    series.notes.append(_note(table, steps, f"is a step of the column {SERIES!r}"))
    return with_unit_of(series, SERIES, table, steps.columns)


def _note(table: Table, steps: Steps, what: str) -> str:
    return f"{table.source}: each of the {steps.shown} {what}."


def _from_rows(data: DataSpec, table: Table) -> Table:
    """Make a series of every row."""
    steps = _asked_steps(data, table)
    ids = data.sequence_id or SERIES
    long = melted_rows(table, steps, ids)
    times = f"{steps.times[0]} … {steps.times[-1]}"
    long.notes.append(
        f"{table.source}: each row is a series, named in column {ids!r}; its steps are the "
        f"{steps.shown}, at {times}."
    )
    left = [name for name in table.columns if name not in (*steps.columns, ids)]
    if left and ids in table.columns:
        long.notes.append(f"left out beside the series: {', '.join(left)}.")
    return with_unit_of(long, VALUE, table, steps.columns)


def _from_columns(data: DataSpec, table: Table) -> Table:
    """Make a series of every column of numbers."""
    if VALUE in table.columns and SERIES in table.columns:
        return table
    others = [name for name in (data.time, data.split_column, *data.known) if name is not None]
    for name in others:
        table.check_column(name, error=ExperimentError)
    rest = [name for name in table.columns if name not in others]
    series = [name for name in rest if holds_numbers(table, name)]
    if not series:
        raise DataError(
            f"{table.source}: no column of numbers is left to be a series; it has "
            f"{', '.join(table.columns)}."
        )
    long = melted_columns(table, series, others)
    long.notes.append(
        f"{table.source}: each of the {len(series):,} columns {series[0]} … {series[-1]} is a "
        f"series, named in column {SERIES!r}."
    )
    left = [name for name in rest if name not in series]
    if left:
        long.notes.append(f"left out, as they hold no numbers: {', '.join(left)}.")
    return with_unit_of(long, VALUE, table, series)


def _candidates(data: DataSpec, table: Table) -> list[str]:
    """List the columns that may be steps."""
    roles = {data.sequence_id, data.split_column, data.group, data.time, *data.target, *data.known}
    roles |= {*data.ignore}
    return [name for name in table.columns if name not in roles]


def _asked_steps(data: DataSpec, table: Table) -> Steps:
    steps = find_steps(table, _candidates(data, table), least=2)
    if steps is None:
        raise DataError(
            f"{table.source}: data.wide = 'rows' asks for columns that are the steps of a series, "
            "named by dates or numbers, such as 2019-01, 2019-02 or t0, t1; its columns are "
            f"{', '.join(table.columns[:8])}{' …' if len(table.columns) > 8 else ''}."
        )
    return steps


def _sure_steps(data: DataSpec, table: Table) -> Steps | None:
    """Return columns that are steps by their names, if no other column would be read as well."""
    candidates = _candidates(data, table)
    steps = find_steps(table, candidates, least=MANY)
    if steps is None or not steps.surely:
        return None
    others = [name for name in candidates if name not in set(steps.columns)]
    numbers = [name for name in others if _is_measured(table, name)]
    return None if numbers else steps


def _is_measured(table: Table, name: str) -> bool:
    """Tell whether a column holds numbers that are not the names of its rows."""
    if not holds_numbers(table, name):
        return False
    values = list(table.column(name))
    whole = all(str(value).strip().isdecimal() for value in values)
    return not (whole and len(set(values)) == len(values))
