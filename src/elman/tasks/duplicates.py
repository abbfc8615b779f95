"""Rows with the same input: kept in one part of the split, and said where they are not."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import as_text, is_list, is_number, is_text
from elman.data.table import Table
from elman.errors import DataError, counted
from elman.experiment.data import DataSpec
from elman.features.build import parse_kind
from elman.features.checks import blank
from elman.features.feature import feature_class
from elman.tasks.check.finding import Finding, listed
from elman.tasks.fitting import infer, sample, wholes
from elman.tasks.named_kinds import kind_of

if TYPE_CHECKING:
    import pyarrow as pa

LEAST = 10
"""Fewest different inputs that are divided as wholes: of fewer there is no tenth."""

_MIXING = np.uint64(0x9E3779B97F4A7C15)
"""An odd number by which the hash of a row spreads over all bits, cell by cell."""


class Keys(NamedTuple):
    """What each row of a table reads."""

    hashes: NDArray[np.uint64]
    """Equal for rows with the same input, after trimming, in any table, (rows,)."""
    blank: NDArray[np.bool_]
    """Which rows read nothing, (rows,)."""

    def take(self, rows: NDArray[np.int64]) -> Keys:
        """Return the keys of some rows."""
        return Keys(self.hashes[rows], self.blank[rows])


def keys_of(data: DataSpec, table: Table, columns: Sequence[str]) -> Keys | None:
    """Return a key a row, equal for rows with the same input, after trimming.

    Args:
        data: in which the kinds of the input may be given.
        table: rows.
        columns: of the input.

    Returns:
        The keys; None where rows repeat by nature: where no input is a text or has steps, as in
        a table of numbers and categories, and for windows of a series.
    """
    if table.spans is not None:
        return None
    rows = sample(table)
    if not any(_has_steps(data, table, rows, name) for name in columns):
        return None
    return hashed(table, columns)


def hashed(table: Table, columns: Sequence[str]) -> Keys:
    """Return a key a row of some columns, whatever they hold."""
    hashes = np.zeros(len(table), np.uint64)
    empty = np.ones(len(table), np.bool_)
    for name in columns:
        of_column, missing = _hashes(table, name)
        hashes = (hashes ^ of_column) * _MIXING
        hashes ^= hashes >> np.uint64(29)
        empty &= missing
    return Keys(hashes, empty)


def units_of(keys: Keys) -> NDArray[np.int64] | None:
    """Number the different inputs of rows, as they appear; None where all differ, or few do."""
    rows = len(keys.hashes)
    units = np.empty(rows, np.int64)
    present = np.flatnonzero(~keys.blank)
    different, units[present] = np.unique(keys.hashes[present], return_inverse=True)
    absent = np.flatnonzero(keys.blank)
    units[absent] = len(different) + np.arange(len(absent))
    _, firsts = np.unique(units, return_index=True)
    if not LEAST <= len(firsts) < rows:
        return None
    numbers = np.empty(len(firsts), np.int64)
    numbers[np.argsort(firsts)] = np.arange(len(firsts))
    return numbers[units]


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
    known = train.hashes[~train.blank]
    notes = []
    for part, keys in others.items():
        seen = int(np.isin(keys.hashes[~keys.blank], known).sum())
        if seen:
            notes.append(
                f"{seen} of {counted(len(keys.hashes), f'{part} row')} "
                f"{'has' if seen == 1 else 'have'} the same input as a training row, so the score "
                "there is partly one of memory."
            )
    return notes


def _has_steps(data: DataSpec, table: Table, rows: Table, name: str) -> bool:
    """Tell whether a column is a text or has steps, by a sample of its rows."""
    column = table.column(name)
    if not (is_text(column.type) or is_list(column.type)):
        return False
    said = kind_of(data, name)
    if said is not None:
        return bool(feature_class(parse_kind(said)[0]).has_steps)
    try:
        kind = infer(rows, [name], whole=wholes(table, [name])).kind
    except DataError:  # said again, with its place, when the column is read
        return False
    return bool(feature_class(kind).has_steps)


def _hashes(table: Table, name: str) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return a hash of each cell of a column, and which are blank."""
    import pyarrow.compute as pc

    values = table.arrow(name)
    if is_text(values.type):
        return _of_texts(pc.utf8_trim_whitespace(as_text(values)))
    if is_number(values.type):
        numbers = np.asarray(pc.cast(values, "double", safe=False).fill_null(np.nan))
        return (numbers + 0.0).view(np.uint64), np.isnan(numbers)
    keys = [_key(cell) for cell in table.column(name)]
    hashes = np.fromiter((hash(key) & (2**64 - 1) for key in keys), np.uint64, len(keys))
    return hashes, np.array([key is None for key in keys], np.bool_)


def _of_texts(texts: pa.Array) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    encoded = texts.fill_null("").dictionary_encode()
    different = encoded.dictionary.to_pylist()
    hashes = np.fromiter((hash(text) & (2**64 - 1) for text in different), np.uint64)
    missing = np.array([not text for text in different], np.bool_)
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return hashes[codes], missing[codes]


def _key(cell: Any) -> Hashable:
    """Return a value that equal cells share; None for a blank one."""
    if blank(cell):
        return None
    if isinstance(cell, np.ndarray):
        return (cell.shape, cell.tobytes()) if cell.size else None
    if isinstance(cell, list):
        return repr(cell) if cell else None
    return repr(cell)
