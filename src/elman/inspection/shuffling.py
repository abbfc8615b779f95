"""Shuffling the cells of a column among rows, so that they say nothing about the rest of their row.

| cells                                     | what is shuffled                                     |
| ----------------------------------------- | ---------------------------------------------------- |
| of any kind                               | whole cells: a text, a number, a list, a picture     |
| that must keep their number of steps:     |                                                      |
| lists                                     | where all are equally long, whole cells; else the    |
|                                           | steps of all rows, dealt so that lengths stay        |
| texts, and times that must be in order    | whole cells, among rows with equally many steps      |
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.table import Table


class KeptSteps(NamedTuple):
    """The number of steps that each cell of a column must keep."""

    steps: NDArray[np.int64]
    """Of each row, (rows,)."""
    dealt: bool
    """Whether single steps may be dealt to other rows: cells are lists in no order of their own."""


def shuffled(
    table: Table, name: str, random: np.random.Generator, kept: KeptSteps | None = None
) -> Table:
    """Return a table with one column shuffled.

    Args:
        table: with the column.
        name: of the column.
        random: the generator of the order.
        kept: the steps that cells must keep; None where a cell may have any number.

    Raises:
        OptionError: there is no such column.
    """
    if kept is None:
        return table.reordered(name, random.permutation(len(table)))
    if kept.dealt and len(np.unique(kept.steps)) > 1:
        return _dealt(table, name, random)
    order = np.arange(len(table))
    for count in np.unique(kept.steps):
        (alike,) = np.nonzero(kept.steps == count)
        order[alike] = random.permutation(alike)
    return table.reordered(name, order)


def _dealt(table: Table, name: str, random: np.random.Generator) -> Table:
    """Shuffle the steps of all rows, and deal them so that every list keeps its length."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = table.arrow(name).combine_chunks()
    lengths = list_lengths(table, name)
    steps = pc.list_flatten(lists)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return table.with_columns(
        {
            name: pa.LargeListArray.from_arrays(
                pa.array(offsets, pa.int64()),
                steps.take(pa.array(random.permutation(len(steps)))),
                mask=lists.is_null(),
            )
        }
    )


def list_lengths(table: Table, name: str) -> NDArray[np.int64]:
    """Count the elements of each list of a column, (rows,); a missing list has none."""
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(table.arrow(name)), 0)
    return lengths.combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]
