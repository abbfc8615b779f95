"""Whether a target has a step for each step of its input."""

from __future__ import annotations

from collections.abc import Sequence

from elman.data.arrow import is_list
from elman.data.table import Table
from elman.errors import DataError, counted
from elman.features.checks import blank
from elman.features.feature import Feature
from elman.features.mixture import MixtureFeature
from elman.tasks.fitting import sample


def steps_of(table: Table, source: Feature, columns: Sequence[str]) -> list[int] | None:
    """Count the steps of a sample of inputs, of their main sequence; None where they have none."""
    if not source.has_steps:
        return None
    if isinstance(source, MixtureFeature):
        main = source.sequences[0]
        return [len(main.encode(value)) for value in sample(table).values(main.columns)]
    return [len(source.encode(value)) for value in sample(table).values(columns)]


def columns_of_steps(source: Feature, columns: Sequence[str]) -> Sequence[str]:
    """Return the columns whose steps a row has: of several sequences, those of the main one.

    Args:
        source: of the input.
        columns: of the input.
    """
    return source.sequences[0].columns if isinstance(source, MixtureFeature) else columns


def led_by_steps_of(table: Table, source: Feature, target: Sequence[str]) -> Feature:
    """Make the sequence with as many steps as a target the main one of several.

    Args:
        table: the training part.
        source: the fitted feature of the input.
        target: columns of the target; if they are lists, their lengths are compared.

    Returns:
        The feature; the one that was given, where it is no mixture or no sequence agrees.
    """
    name = target[0]
    if not isinstance(source, MixtureFeature) or name not in table.columns:
        return source
    if not is_list(table.column(name).type):
        return source
    rows = sample(table)
    steps = [0 if blank(cell) else len(cell) for cell in rows.column(name)]
    for part in source.sequences:
        if [len(part.encode(value)) for value in rows.values(part.columns)] == steps:
            return source.led_by(part)
    return source


def are_aligned(
    table: Table,
    source: tuple[Feature, Sequence[str]],
    target: tuple[Feature, Sequence[str]],
) -> bool:
    """Tell whether input and target have equally many steps, row by row.

    Raises:
        DataError: most rows have, but a few have not; the first of these is named.
    """
    rows = sample(table)
    unequal = []
    lengths = steps_of(table, *source) or []
    for row, (x, y) in enumerate(zip(lengths, rows.values(target[1]), strict=True)):
        steps = x, len(target[0].encode(y))
        if steps[0] != steps[1]:
            unequal.append((row, *steps))
    if unequal and len(unequal) * 10 <= len(rows):
        raise unequal_steps(rows, unequal[0], columns_of_steps(*source), target[1])
    return not unequal


def unequal_steps(
    table: Table, mismatch: tuple[int, int, int], inputs: Sequence[str], targets: Sequence[str]
) -> DataError:
    """Build the error for a row whose input and target differ in length.

    Args:
        table: that holds the row.
        mismatch: the row, the steps of its input and those of its target.
        inputs: columns of the input.
        targets: columns of the target.
    """
    row, x_steps, y_steps = mismatch
    return DataError(
        f"{table.where(row)}: {', '.join(inputs)} has {counted(x_steps, 'step')} and "
        f"{', '.join(targets)} has {y_steps}, and they must have equally many. Correct or "
        "remove the row."
    )
