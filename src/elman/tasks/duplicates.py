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
from elman.features.kinds import feature_class
from elman.tasks.check.finding import Finding, listed
from elman.tasks.fitting import infer
from elman.tasks.named_kinds import kind_of

if TYPE_CHECKING:
    import pyarrow as pa

LEAST = 10
"""Fewest different inputs that are divided as wholes: of fewer there is no tenth."""


_MIXING = np.uint64(0x9E3779B97F4A7C15)
"""An odd number by which a hash spreads over all bits, column by column."""


class Keys(NamedTuple):
    """What each row of a table reads."""

    numbers: NDArray[np.int64]
    """Equal for rows with the same input, after trimming, (rows,)."""
    blank: NDArray[np.bool_]
    """Which rows read nothing, (rows,)."""

    def take(self, rows: NDArray[np.int64]) -> Keys:
        """Return the keys of some rows."""
        return Keys(self.numbers[rows], self.blank[rows])


def keys_of(data: DataSpec, tables: Sequence[Table], columns: Sequence[str]) -> list[Keys] | None:
    """Return a key for each row of some tables, equal for rows with the same input.

    Args:
        data: in which the kinds of the input may be given.
        tables: with the columns, the training rows first.
        columns: of the input.

    Returns:
        The keys of each table; None where rows repeat by nature: where no input is a text or has
        steps, as in a table of numbers and categories, and for windows of a series.
    """
    first = tables[0]
    if first.spans is not None or not any(_has_steps(data, first, name) for name in columns):
        return None
    ends = np.cumsum([len(table) for table in tables])
    blank = np.zeros(int(ends[-1]), np.bool_)
    numbers = np.arange(int(ends[-1]))  # no row is like another until it is found to be
    like = _alike_in_numbers(tables, columns)
    numbers[like], blank[like] = _numbered_rows(tables, columns, like)
    parts = zip(np.split(numbers, ends[:-1]), np.split(blank, ends[:-1]), strict=True)
    return [Keys(*part) for part in parts]


def units_of(keys: Keys) -> NDArray[np.int64] | None:
    """Number the different inputs of rows, as they appear; None where all differ, or few do."""
    own = -1 - np.arange(len(keys.numbers))  # a row that reads nothing is like no other
    units = _as_they_appear(np.where(keys.blank, own, keys.numbers))
    if not LEAST <= int(units.max(initial=-1)) + 1 < len(units):
        return None
    return units


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
    known = train.numbers[~train.blank]
    notes = []
    for part, keys in others.items():
        seen = int(np.isin(keys.numbers[~keys.blank], known).sum())
        if seen:
            notes.append(
                f"{seen} of {counted(len(keys.numbers), f'{part} row')} "
                f"{'has' if seen == 1 else 'have'} the same input as a training row, so the score "
                "there is partly one of memory."
            )
    return notes


def _has_steps(data: DataSpec, table: Table, name: str) -> bool:
    """Tell whether a column is a text or has steps."""
    column = table.column(name)
    if not (is_text(column.type) or is_list(column.type)):
        return False
    said = kind_of(data, name)
    if said is not None:
        return bool(feature_class(parse_kind(said)[0]).has_steps)
    try:
        kind = infer(table, [name]).kind
    except DataError:  # said again, with its place, when the column is read
        return False
    return bool(feature_class(kind).has_steps)


def _alike_in_numbers(tables: Sequence[Table], columns: Sequence[str]) -> NDArray[np.int64]:
    """Return the rows that have the same numbers as another one: few, as a rule, are left."""
    hashes = np.zeros(sum(map(len, tables)), np.uint64)
    for name in columns:
        values = [table.arrow(name) for table in tables]
        if all(is_number(each.type) for each in values):
            bits = np.concatenate([_floats(each) for each in values]).view(np.uint64)
            hashes = (hashes ^ bits) * _MIXING
            hashes ^= hashes >> np.uint64(29)
    ordered = np.sort(hashes)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.flatnonzero(np.isin(hashes, np.unique(repeated)))


def _numbered_rows(
    tables: Sequence[Table], columns: Sequence[str], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Number the different inputs of some rows by one of them; and say which read nothing."""
    numbers = np.zeros(len(rows), np.int64)
    blank = np.ones(len(rows), np.bool_)
    for name in columns:
        of_column, missing = _numbered(tables, name, rows)
        numbers = _as_they_appear(numbers * (int(of_column.max(initial=0)) + 1) + of_column)
        blank &= missing
    _, firsts = np.unique(numbers, return_index=True)
    return rows[firsts[numbers]], blank


def _numbered(
    tables: Sequence[Table], name: str, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Number the different cells of a column in some rows; and say which are blank."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [table.arrow(name) for table in tables]
    if all(is_text(values.type) for values in columns):
        texts = pa.concat_arrays([as_text(values) for values in columns]).take(pa.array(rows))
        texts = pc.utf8_trim_whitespace(texts.fill_null(""))
        return _codes_of(texts), np.asarray(pc.equal(texts, ""))
    if all(is_number(values.type) for values in columns):
        numbers = np.concatenate([_floats(values) for values in columns])[rows]
        return _codes_of(pa.array(numbers.view(np.int64))), np.isnan(numbers)
    known: dict[Hashable, int] = {}
    every = [_key(cell) for table in tables for cell in table.column(name)]
    keys = [every[row] for row in rows.tolist()]
    numbered = np.array([known.setdefault(key, len(known)) for key in keys], np.int64)
    return numbered, np.array([key is None for key in keys], np.bool_)


def _floats(values: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return numbers, missing ones as one NaN, and −0 as 0."""
    import pyarrow as pa

    numbers = np.asarray(values.cast(pa.float64(), safe=False).fill_null(np.nan)) + 0.0
    return np.where(np.isnan(numbers), np.nan, numbers)


def _codes_of(cells: pa.Array) -> NDArray[np.int64]:
    codes: NDArray[Any] = cells.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    return codes.astype(np.int64)


def _as_they_appear(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number different numbers from 0, in the order in which they appear."""
    import pyarrow as pa

    return _codes_of(pa.array(numbers))


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
