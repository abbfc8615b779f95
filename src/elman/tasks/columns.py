"""Which columns of a table are read, and which are answered."""

from __future__ import annotations

from elman.data.table import Table
from elman.errors import ExperimentError
from elman.experiment.data import DataSpec

AFTER = "next_"
"""Begins the name of a column that holds what comes after a window."""


def choose_columns(data: DataSpec, table: Table) -> tuple[list[str], list[str]]:
    """Say which columns are input and which are target.

    Args:
        data: what was said of columns; without an input, all that have no other role are read.
        table: with the columns.

    Returns:
        Names of the input's columns, and of the target's; none where that is the next element of
        the input. Of windows the target is the value after each.

    Raises:
        ExperimentError: a column is unknown, none is left to read, none is to be answered, or one
            is both.
    """
    special = {data.sequence_id, data.split_column, data.group} - {None}
    for name in (*data.input, *([] if data.predicts_next else data.target)):
        table.check_column(name, error=ExperimentError)
    targets = [] if data.predicts_next else list(data.target)
    if data.window:
        targets = [_next_of(name, table) for name in targets]
    if not targets and not data.predicts_next:
        raise ExperimentError(
            f"say which column is to be answered: --target COLUMN (data.target), one of "
            f"{', '.join(table.columns)}; or --target next for the next element of the input."
        )
    inputs = list(data.input) or [
        name
        for name in table.columns
        if name not in targets and name not in special and name != data.time
        if not (data.window and name.startswith(AFTER))
    ]
    if not inputs:
        raise ExperimentError(
            f"no column is left to read: the table has {', '.join(table.columns)}. Say which with "
            "--input COLUMN (data.input)."
        )
    if both := set(inputs) & set(targets):
        raise ExperimentError(
            f"column {min(both)!r} is input and target at once; a network would copy it. "
            "Leave it out of one of the two."
        )
    return inputs, targets


def _next_of(name: str, table: Table) -> str:
    """Name the column that holds the value after each window."""
    return f"{AFTER}{name}" if f"{AFTER}{name}" in table.columns else name
