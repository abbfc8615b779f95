"""The true values that predictions are compared with, and inputs that no training row has."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from elman.data.table import Table
from elman.errors import DataError, counted
from elman.evaluation.never_learned import MOST_NAMES
from elman.features.checks import blank
from elman.tasks.task import Task


def with_truths(task: Task, table: Table) -> tuple[Table, list[str]]:
    """Leave out the rows without a target, which cannot be measured.

    Returns:
        The other rows, and what to say of those left out.

    Raises:
        DataError: no row has a target.
    """
    if task.target.has_steps:
        return table, []
    several = len(task.target_columns) > 1
    gone = [
        row
        for row, value in enumerate(table.values(task.target_columns))
        if any(map(blank, value if several else [value])) and not _is_target(task.target, value)
    ]
    if not gone:
        return table, []
    columns = ", ".join(task.target_columns)
    if len(gone) == len(table):
        raise nothing_to_measure(table, columns)
    kept = sorted(set(range(len(table))) - set(gone))
    return table.select(kept), [note_of_rows_without(columns, table, gone)]


def nothing_to_measure(table: Table, columns: str) -> DataError:
    """Build the error for a table in which no row has a target."""
    return DataError(
        f"{table.source}: {columns} is missing in every row, so there is nothing to compare "
        "predictions with. Fill it in, or use predict, which needs none."
    )


def note_of_rows_without(columns: str, table: Table, gone: Sequence[int]) -> str:
    """Say how many rows have no target, and where the first is."""
    have = "has" if len(gone) == 1 else "have"
    first = table.where(gone[0])
    return (
        f"{len(gone):,} of {counted(len(table), 'row')} {have} no {columns} and cannot be measured "
        f"({first}{', …' if len(gone) > 1 else ''})."
    )


def _is_target(target: Any, value: Any) -> bool:
    """Tell whether a value is a target: an empty text is a row without labels, but no class."""
    try:
        target.encode(value)
    except DataError:
        return False
    return True


def true_values(task: Task, table: Table) -> list[Any]:
    """Bring the true values of a table to the form of predictions, so that they can be compared.

    A name that was never learned stays as it is; the names beside it, in a list, do not.

    Raises:
        DataError: a value is malformed; its row is named.
    """
    target, values = task.target, []
    names = _Names(target)
    for row, value in enumerate(table.values(task.target_columns)):
        try:
            values.append(
                names.of(value) if target.predicts_names else _as_predicted(target, value)
            )
        except DataError as error:
            columns = ", ".join(task.target_columns)
            raise DataError(f"{table.where(row)}, column {columns}: {error}") from error
    return values


def _as_predicted(target: Any, value: Any) -> Any:
    """Return a value as a prediction of it would be: encoded and decoded."""
    return target.decode(target.encode(value))


class _Names:
    """Names as they are predicted: `7` where the training rows have `"7"`, say."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self._known: dict[Hashable, Any] = {}

    def of(self, value: Any) -> Any:
        """Return one name, or the list of them."""
        if self._target.is_class:
            return self._name(value)
        return [self._name(name) for name in self._target.names_in(value)]

    def _name(self, name: Any) -> Any:
        # True and 1 are equal, and are different names; a list of zeros and a one is no key.
        key = type(name), name if isinstance(name, str | int | float) else repr(name)
        if key not in self._known:
            try:
                alone = name if self._target.is_class else [name]
                found = _as_predicted(self._target, alone)
                self._known[key] = found if self._target.is_class else found[0]
            except DataError:
                if not isinstance(name, Hashable):
                    raise
                self._known[key] = None
            if self._known[key] is None:
                self._known[key] = name
        return self._known[key]


def notes_of_inputs(task: Task, table: Table) -> list[str]:
    """Say which inputs are read as something else: a sentence a column and reason."""
    if not task.input.reads_categories:
        return []
    return [*_notes_of_categories(task, table), *_notes_of_gaps(task, table)]


def _notes_of_gaps(task: Task, table: Table) -> list[str]:
    """Say which rows lack a number that no training row lacks."""
    rows: dict[int, list[int]] = {}
    for row, value in enumerate(table.values(task.input_columns)):
        try:
            places = task.input.read_as_mean(value)
        except DataError:  # malformed, which is said with its place when it is encoded
            continue
        for place in places:
            rows.setdefault(place, []).append(row)
    return [
        f"{len(found):,} of {counted(len(table), 'row')} {'has' if len(found) == 1 else 'have'} no "
        f"number in {task.input_columns[place]}, where no training row lacks one "
        f"({table.where(found[0])}{', …' if len(found) > 1 else ''}); it is read as the mean."
        for place, found in sorted(rows.items())
    ]


def _notes_of_categories(task: Task, table: Table) -> list[str]:
    """Say which rows have a category that no training row has, a sentence a column."""
    rows: dict[int, list[int]] = {}
    names: dict[int, dict[str, None]] = {}
    for row, value in enumerate(table.values(task.input_columns)):
        for place, name in task.input.never_learned(value).items():
            rows.setdefault(place, []).append(row)
            names.setdefault(place, {}).setdefault(repr(name))
    notes = []
    for place in sorted(rows):
        found, (first, *others) = list(names[place]), rows[place]
        more = f", and {counted(len(found) - MOST_NAMES, 'other')}" * (len(found) > MOST_NAMES)
        listed = ", ".join(found[:MOST_NAMES]) + more
        has = "has" if not others else "have"
        notes.append(
            f"{len(rows[place]):,} of {counted(len(table), 'row')} {has} a category in "
            f"{task.input_columns[place]} that the model never learned ({listed}: "
            f"{table.where(first)}{', …' if others else ''}); it is read as unknown."
        )
    return notes
