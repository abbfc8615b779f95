"""The data of an experiment before it is divided: tables, roles of columns, what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from elman.data.sources import read_table
from elman.data.sources.sequence_files import FILE, with_one_id
from elman.data.table import Table
from elman.errors import ExperimentError, as_option
from elman.experiment.data import DataSpec
from elman.tasks.check.choice import Choice
from elman.tasks.check.finding import Finding
from elman.tasks.check.profile import IGNORED, INPUT, LEFT_OUT, TARGET

if TYPE_CHECKING:
    from elman.tasks.rows import RowsLayout


class Given(NamedTuple):
    """What was read, laid out, and which columns are read of it."""

    layout: RowsLayout
    """By which it was read, names told from kinds."""
    tables: Mapping[str, Table]
    """Name of a part → its rows, laid out; `train` alone where the rows are to be divided."""
    shown: Table
    """The rows whose columns are described: as they are, or as sequences."""
    roles: Mapping[str, str]
    """Column of these rows → its role."""
    left_out: Mapping[str, list[str]]
    """Reason → the columns that are left out for it."""
    findings: list[Finding]
    """What was found on the way."""
    settings: Mapping[str, Any]
    """Settings that follow from the data and decide how later rows are read."""


def source_of(data: DataSpec, source: Any) -> Any:
    """Return what to read: the values passed, or the files of an experiment.

    Raises:
        ExperimentError: there is neither.
    """
    if source is None and not data.files:
        raise ExperimentError(
            "there is no training data: give data.files, or data.name of a named data set. "
            "To repeat a run on values in memory, pass the values again."
        )
    return data.files if source is None else source


def table_of(data: DataSpec, source: Any, *, as_text: bool = False) -> Table:
    """Read a table as it is, with the settings of the data; `as_text` as one running text."""
    by_file = data.sequence_id == FILE
    table = read_table(
        source,
        format=data.format,
        encoding=data.encoding,
        running_text=as_text,
        by_file=by_file,
    )
    return with_one_id(table, FILE) if by_file and FILE not in table.columns else table


def nothing_to_read(table: Table, targets: Sequence[str], times: Sequence[str]) -> ExperimentError:
    """Build the error for a table of which no column is left to be read.

    Args:
        table: with the columns.
        targets: those to predict.
        times: those that are left out because they hold dates or times.
    """
    advice = "Name one with --input COLUMN (data.input)."
    if times and targets:
        advice = (
            f"To forecast {targets[0]}, say {as_option('--time', times[0])} --horizon STEPS; to "
            f"predict it from the calendar, {as_option('--read', f'{times[0]}:date')}."
        )
    return ExperimentError(
        f"no input column is left: the table has {', '.join(table.columns)}. {advice}"
    )


def roles_of(
    data: DataSpec, table: Table, choice: Choice, special: Mapping[str, str]
) -> dict[str, str]:
    """Return the role of each column of a table.

    Args:
        data: the settings.
        table: with the columns.
        choice: of the input columns.
        special: column → role, of those that are neither input nor target.
    """
    roles = dict.fromkeys(choice.inputs, INPUT) | dict(special)
    roles |= dict.fromkeys(data.ignore, IGNORED)
    for name in data.target:
        roles[name] = f"{INPUT}, {TARGET}" if roles.get(name) == INPUT else TARGET
    return {name: roles.get(name, LEFT_OUT) for name in table.columns}


def check_names(data: DataSpec, *tables: Table) -> None:
    """Refuse names of columns that there are not, and columns that have another role.

    Args:
        data: of which `ignore` and `columns` are looked at, their names told from kinds.
        tables: in one of which each must be; an error is about the last.

    Raises:
        ExperimentError: a name is unknown, or a column is both ignored and used.
    """
    for name in (*data.ignore, *data.columns):
        if not any(name in table.columns for table in tables):
            tables[-1].check_column(name, error=ExperimentError)
    used = {
        "data.input": data.input,
        "data.target": data.target,
        "data.columns": list(data.columns),
        "data.known": data.known,
        **{f"data.{name}": [getattr(data, name)] for name in _SINGLE},
    }
    for setting, names in used.items():
        if both := [name for name in data.ignore if name in names]:
            raise ExperimentError(
                f"column {both[0]!r} is ignored (data.ignore, --ignore) and named by {setting}; "
                "leave it out of one of the two."
            )


_SINGLE = ("sequence_id", "time", "time_of_day", "group", "split_column")
"""Settings that name one column."""
