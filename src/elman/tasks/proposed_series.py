"""Columns of a forecast that are not named: the time and the target, where the data shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.identity import identifies_rows
from elman.data.numbers import hold_numbers, with_numbers
from elman.data.sequences import sequence_numbers
from elman.data.table import Table
from elman.data.times import looks_like_times
from elman.errors import ExperimentError, as_option
from elman.experiment.data import DataSpec
from elman.tasks.given import source_of, table_of
from elman.tasks.layout import layout_of

LISTED = 8
"""Maximum number of columns that an error lists."""


class Proposed(NamedTuple):
    """Settings of the data that name columns, and what is to be said of them."""

    settings: dict[str, Any]
    notes: list[str]


def proposed_series(data: DataSpec, source: Any = None) -> Proposed:
    """Name the column of times and the one to forecast, where neither is named.

    The time is the only column of dates; without one, the only column of numbers that go up evenly
    from row to row. The target is the only other column of numbers that neither names the rows nor
    is the same in all rows of a series.

    Args:
        data: with a horizon.
        source: values passed in Python, in place of a name or files.

    Raises:
        ExperimentError: several columns may be the one or the other, or none can be forecast.
        DataError: the data cannot be read.
    """
    data = layout_of(data).with_known_columns(source)
    if data.name is not None or (data.target and data.time):
        return Proposed({}, [])
    table = table_of(data, source_of(data, source))
    names = [name for name in table.columns if name not in _special(data)]
    table, _ = with_numbers(table, likely=names, decimal=data.decimal, units=data.units)
    series = sequence_numbers(table, None if data.wide else data.sequence_id)
    numbers = hold_numbers(table, names)
    dates = [name for name in names if looks_like_times(table, name)]
    counters = [name for name in names if name in numbers and _goes_up(table, name, series)]
    found = Proposed({}, [])
    if data.time is None:
        rising = counters if len(numbers - {*counters}) else []
        _name_time(found, table, dates or rising, are_dates=bool(dates))
    if not data.target:
        others = {data.time, found.settings.get("data.time"), *dates}
        can_be = [name for name in names if name in numbers and name not in others]
        _name_target(found, table, can_be, counters, series)
    return found


def _special(data: DataSpec) -> set[str | None]:
    """Return the columns that have a role already."""
    single = {data.sequence_id, data.time, data.time_of_day, data.split_column, data.group}
    several = (*data.target, *data.known, *data.input, *data.ignore, *(data.per_sequence or ()))
    return {*single, *several}


def _name_time(found: Proposed, table: Table, names: Sequence[str], *, are_dates: bool) -> None:
    """Take the only column that can be the time of the rows.

    Raises:
        ExperimentError: there are several.
    """
    if len(names) > 1:
        raise ExperimentError(
            f"{table.source}: {_listed(names)} may each be the time of the rows; say which is: "
            f"{as_option('--time', names[0])} (data.time), and leave the others out with "
            f"{as_option('--ignore', names[1])} where they say nothing."
        )
    for name in names:
        why = "holds times" if are_dates else "goes up evenly from row to row"
        found.settings["data.time"] = name
        found.notes.append(
            f"column {name!r} {why} and is taken for the time of the rows "
            f"({as_option('--time', name)})."
        )


def _name_target(
    found: Proposed,
    table: Table,
    names: Sequence[str],
    counters: Sequence[str],
    series: NDArray[np.int64],
) -> None:
    """Take the only column of numbers that can be forecast.

    Raises:
        ExperimentError: there are several, or there is none.
    """
    left = list(names)
    tests: list[Callable[[str], bool]] = [
        lambda name: identifies_rows(table, name),
        lambda name: name in counters,
        lambda name: _is_constant(table, name, series),
    ]
    for says_nothing in tests:
        if len(left) > 1:
            left = [name for name in left if not says_nothing(name)] or left
    if len(left) != 1:
        several = f"one of {_listed(left)}; or, if each of them is a series of its own, --set "
        several += "wide=columns (data.wide)"
        none = f"no column of {_listed(table.columns)} holds numbers"
        raise ExperimentError(
            f"{table.source}: say which column to forecast: --target COLUMN (data.target), "
            f"{several if left else none}."
        )
    found.settings["data.target"] = left
    found.notes.append(
        f"column {left[0]!r} is forecast, the only one of numbers that can be "
        f"({as_option('--target', left[0])})."
    )


def _goes_up(table: Table, name: str, series: NDArray[np.int64]) -> bool:
    """Tell whether numbers go up by the same step from row to row of every series."""
    steps = np.diff(_numbers(table, name))[np.diff(series) == 0]
    return bool(len(steps) > 1 and steps[0] > 0 and (steps == steps[0]).all())


def _is_constant(table: Table, name: str, series: NDArray[np.int64]) -> bool:
    """Tell whether a column has one number in all rows of a series, for every series."""
    order = np.argsort(series, kind="stable")
    steps = np.diff(_numbers(table, name)[order])[np.diff(series[order]) == 0]
    return bool((steps == 0).all())


def _numbers(table: Table, name: str) -> NDArray[np.float64]:
    return np.array([np.nan if cell is None else cell for cell in table.column(name)], np.float64)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{', '.join(names[:LISTED])}{more}"
