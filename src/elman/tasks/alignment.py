"""Whether a target has a step for each step of its input."""

from __future__ import annotations

from collections.abc import Sequence

from elman.data.table import Table
from elman.errors import DataError, counted
from elman.features.feature import Feature
from elman.tasks.fitting import sample


def steps_of(table: Table, source: Feature, columns: Sequence[str]) -> list[int] | None:
    """Count the steps of a sample of inputs; None where they have none."""
    if not source.has_steps:
        return None
    return [len(source.encode(value)) for value in sample(table).values(columns)]


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
    pairs = zip(rows.values(source[1]), rows.values(target[1]), strict=True)
    for row, (x, y) in enumerate(pairs):
        steps = len(source[0].encode(x)), len(target[0].encode(y))
        if steps[0] != steps[1]:
            unequal.append((row, *steps))
    if unequal and len(unequal) * 10 <= len(rows):
        raise unequal_steps(rows, unequal[0], source[1], target[1])
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
