"""Rows with the same input: kept in one part of the split, and said where they are not."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import is_list, is_text
from elman.data.table import Table
from elman.errors import DataError, counted
from elman.experiment.data import DataSpec
from elman.features.build import parse_kind
from elman.features.checks import blank
from elman.features.feature import feature_class
from elman.tasks.check.finding import Finding, listed
from elman.tasks.fitting import infer

LEAST = 10
"""Fewest different inputs that are divided as wholes: of fewer there is no tenth."""

Keys = Sequence[Hashable]
"""What each row of a table reads; None for a row that reads nothing."""


def keys_of(data: DataSpec, table: Table, columns: Sequence[str]) -> Keys | None:
    """Return a key a row, equal for rows with the same input, after trimming.

    Args:
        data: in which the kind of the input may be given.
        table: rows.
        columns: of the input.

    Returns:
        The keys; None where rows repeat by nature: where no input is a text or has steps, as in
        a table of numbers and categories, and for windows of a series.
    """
    if table.spans is not None or not any(_has_steps(data, table, name) for name in columns):
        return None
    cells = zip(*(map(_key, table.column(name)) for name in columns), strict=True)
    return [None if all(cell is None for cell in row) else row for row in cells]


def units_of(keys: Keys) -> NDArray[np.int64] | None:
    """Number the different inputs of rows; None where all differ, or too few do."""
    numbers: dict[Hashable, int] = {}
    units = [
        numbers.setdefault(("blank", row) if key is None else key, len(numbers))
        for row, key in enumerate(keys)
    ]
    if not LEAST <= len(numbers) < len(keys):
        return None
    return np.array(units, np.int64)


def finding_of_units(
    units: NDArray[np.int64], columns: Sequence[str], *, said: bool = False
) -> Finding:
    """Say how many rows repeat an input, and what that means for the split.

    Args:
        units: number of the input of each row.
        columns: of the input.
        said: whether the settings say how such rows are divided.
    """
    repeated = len(units) - int(units.max()) - 1
    has, them = ("has", "it") if repeated == 1 else ("have", "them")
    return Finding(
        "duplicates",
        tuple(columns),
        f"{repeated:,} of {len(units):,} rows {has} the same {listed(columns)} as a row before "
        f"{them}",
        "" if said else "such rows stay in one part",
        ""
        if said
        else "to divide them like any others, say --set duplicates=apart "
        '(duplicates="apart" in Python)',
        "say --set duplicates=together or --set duplicates=apart",
    )


def notes_of_overlaps(train: Keys, others: Mapping[str, Keys]) -> list[str]:
    """Say how many rows of other parts have an input that training rows have, too.

    Args:
        train: keys of the training rows.
        others: name of a part → keys of its rows.
    """
    known = set(train) - {None}
    notes = []
    for part, keys in others.items():
        seen = sum(key in known for key in keys)
        if seen:
            notes.append(
                f"{seen} of {counted(len(keys), f'{part} row')} "
                f"{'has' if seen == 1 else 'have'} the same input as a training row, so the score "
                "there is partly one of memory."
            )
    return notes


def _has_steps(data: DataSpec, table: Table, name: str) -> bool:
    """Tell whether a column is a text or has steps."""
    column = table.column(name)
    if not (is_text(column.type) or is_list(column.type)):
        return False
    said = data.columns.get(name, {}).get("kind", data.input_kind)
    if said is not None:
        return bool(feature_class(parse_kind(str(said))[0]).has_steps)
    try:
        kind = infer(table, [name]).kind
    except DataError:  # said again, with its place, when the column is read
        return False
    return bool(feature_class(kind).has_steps)


def _key(cell: Any) -> Hashable:
    """Return a value that equal cells share; None for a blank one."""
    if blank(cell):
        return None
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, np.ndarray):
        return (cell.shape, cell.tobytes()) if cell.size else None
    if isinstance(cell, list):
        return repr(cell) if cell else None
    return repr(cell)
