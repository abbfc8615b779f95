"""Splitting a table's rows into training, validation and test rows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import as_text, is_text
from elman.data.table import Table
from elman.errors import DataError, OptionError, as_option, counted, unknown

if TYPE_CHECKING:
    import pyarrow as pa

Rows = NDArray[np.int64]

PARTS = ("train", "valid", "test")
"""The parts of a split, by their short names."""

PART_NAMES: Mapping[str, str] = MappingProxyType(
    {"train": "training", "valid": "validation", "test": "test"}
)
"""Part → its name in words."""

PART_OF: Mapping[str, str] = MappingProxyType(
    {
        "train": "train",
        "training": "train",
        "valid": "valid",
        "validation": "valid",
        "val": "valid",
        "dev": "valid",
        "test": "test",
    }
)
"""Value of a split column → the part it names."""


class Splits(NamedTuple):
    """The rows of the three parts, ascending and disjoint."""

    train: Rows
    valid: Rows
    test: Rows
    notes: tuple[str, ...] = ()
    """What was assumed, a sentence each."""


def split(
    table: Table,
    *,
    seed: int,
    valid: float = 0.1,
    test: float = 0.1,
    column: str | None = None,
    stratify: str | None = None,
    group: str | None = None,
    in_time_order: bool = False,
    order: Rows | None = None,
    units: Rows | None = None,
) -> Splits:
    """Split a table's rows into training, validation and test rows.

    Args:
        table: the table to split.
        seed: random seed; the same seed gives the same split.
        valid: share of validation rows, 0 … 1; 0 for none.
        test: share of test rows, 0 … 1; 0 for none.
        column: column that holds `train`, `valid` (or `val`, `dev`) or `test` for every row. A
            part that no row belongs to is drawn at random from the training rows, which is noted.
        stratify: column of classes whose shares are kept equal in all parts. A class with a
            single row goes to the training rows, which is noted.
        group: column whose equal values stay in one part: speakers, patients, videos. A row whose
            cell is blank belongs to no group, which is noted.
        in_time_order: take the first rows for training, the next for validation and the last for
            the test. Windows are split so within every sequence, by the value that they predict:
            a window may read values before the start of its part, as in use (rolling origin),
            but none after its end.
        order: the rows in the order of time, where they do not stand in it.
        units: number of the unit of each row, from 0 in the order in which units appear: rows of
            one unit stay in one part. Units are drawn as rows are, each with the class of its first
            row. They have no effect where a column or time says how to split.

    Returns:
        The rows of the parts.

    Raises:
        OptionError: a share is invalid, a column is unknown, or two ways to split are given.
        DataError: there are too few rows, groups or steps, or a cell of `column` is not a part.
    """
    _check_options(valid, test, column, stratify, group, in_time_order)
    shares = {"valid": valid, "test": test}
    if column is not None:
        return _by_column(table, column, shares, seed)
    parts = 1 + sum(share > 0 for share in shares.values())
    if len(table) < parts:
        raise DataError(
            f"{table.source} has {counted(len(table), 'row')}, too few for {parts} parts. Give "
            "more rows, or separate files for the parts (valid_files and test_files)."
        )
    if in_time_order:
        return _in_time_order(table, shares, order)
    if units is not None and group is None:
        _, firsts = np.unique(units, return_index=True)
        drawn = split(table.select(firsts), seed=seed, valid=valid, test=test, stratify=stratify)
        train, of_valid, of_test = (np.flatnonzero(np.isin(units, each)) for each in drawn[:3])
        return Splits(train, of_valid, of_test, drawn.notes)
    random = np.random.default_rng([seed, len(table)])
    if group is not None:
        return _by_group(table, group, shares, random)
    if stratify is not None:
        return _stratified(table, stratify, shares, random)
    return _cut(random.permutation(len(table)), _counts(len(table), shares))


def _check_options(
    valid: float,
    test: float,
    column: str | None,
    stratify: str | None,
    group: str | None,
    in_time_order: bool,
) -> None:
    if not (valid >= 0 and test >= 0 and valid + test < 1):
        raise OptionError(
            "the shares valid and test must be at least 0 and leave training rows, got "
            f"valid={valid} and test={test}."
        )
    options = {"column": column, "stratify": stratify, "group": group}
    ways = [name for name, value in options.items() if value is not None]
    ways += ["in_time_order"] * in_time_order
    if len(ways) > 1:
        raise OptionError(
            f"rows can be split in one way only, got {' and '.join(ways)}. Omit one of them."
        )


def _counts(rows: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Return the number of rows of each part, at least one where its share is not 0."""
    return {part: max(1, round(rows * share)) if share else 0 for part, share in shares.items()}


def _cut(order: Rows, counts: Mapping[str, int], notes: tuple[str, ...] = ()) -> Splits:
    """Take the test rows from the start of an order, the validation rows from its end."""
    test, end = counts["test"], len(order) - counts["valid"]
    return Splits(np.sort(order[test:end]), np.sort(order[end:]), np.sort(order[:test]), notes)


def rows_by_part(table: Table, column: str) -> dict[str, list[int]]:
    """Return part → its rows, as a column with the parts' names says.

    Raises:
        DataError: a value names no part, or no row is for training.
    """
    rows: dict[str, list[int]] = {part: [] for part in PARTS}
    for row, value in enumerate(table.column(column)):
        part = PART_OF.get(str(value).strip().lower())
        if part is None:
            error = unknown("part", value, PARTS, error=DataError)
            raise DataError(f"{table.where(row)}, column {column}: {error}")
        rows[part].append(row)
    if not rows["train"]:
        raise DataError(f"column {column!r} of {table.source} has no row with 'train'.")
    return rows


def _by_column(table: Table, column: str, shares: Mapping[str, float], seed: int) -> Splits:
    rows = rows_by_part(table, column)
    missing = {part: 0 if rows[part] else share for part, share in shares.items()}
    notes = tuple(
        f"column {column!r} has no row with {part!r}; {share:.0%} of the training rows are used."
        for part, share in missing.items()
        if share
    )
    train = np.array(rows["train"], np.int64)
    counts = _counts(len(train), missing)
    if sum(counts.values()) >= len(train):
        raise DataError(f"column {column!r} of {table.source} leaves too few training rows.")
    random = np.random.default_rng([seed, len(train)])
    order = random.permutation(train) if sum(counts.values()) else train
    drawn = _cut(order, counts, notes)
    return drawn._replace(
        valid=np.array(rows["valid"], np.int64) if rows["valid"] else drawn.valid,
        test=np.array(rows["test"], np.int64) if rows["test"] else drawn.test,
    )


def _in_time_order(table: Table, shares: Mapping[str, float], order: Rows | None) -> Splits:
    """Split rows, or the steps of windows, at two borders."""
    if table.spans is None:
        counts = _counts(len(table), shares)
        rows = np.arange(len(table)) if order is None else order
        train = len(table) - counts["valid"] - counts["test"]
        test = train + counts["valid"]
        return Splits(np.sort(rows[:train]), np.sort(rows[train:test]), np.sort(rows[test:]))
    sequence, _, stop = table.spans
    steps = np.zeros(sequence.max() + 1, np.int64)
    np.maximum.at(steps, sequence, stop)
    test_border = np.round(steps * (1 - shares["test"])).astype(np.int64)[sequence]
    train_share = 1 - shares["test"] - shares["valid"]
    valid_border = np.round(steps * train_share).astype(np.int64)[sequence]
    parts = {
        "train": stop <= valid_border,
        "valid": (stop > valid_border) & (stop <= test_border),
        "test": stop > test_border,
    }
    for part, belongs in parts.items():
        if not belongs.any() and shares.get(part, 1):
            raise DataError(
                f"{table.source} is too short to be split in time: no row ends in the {part} "
                f"part, {shares.get(part, train_share):.0%} of "
                f"{counted(int(steps.max()), 'step')}. Use shorter windows, a larger share or "
                "more data."
            )
    rows_of = {part: np.flatnonzero(belongs) for part, belongs in parts.items()}
    return Splits(rows_of["train"], rows_of["valid"], rows_of["test"])


def _by_group(
    table: Table, group: str, shares: Mapping[str, float], random: np.random.Generator
) -> Splits:
    """Assign whole groups to the parts, in random order, as near to the shares as possible."""
    rows_of, notes = _groups(table, group)
    parts = 1 + sum(share > 0 for share in shares.values())
    if len(rows_of) < parts:
        raise DataError(
            f"column {group!r} of {table.source} has {counted(len(rows_of), 'group')}, too few for "
            f"{parts} parts. Split by another column, or give separate files for the parts."
        )
    left = [rows_of[i] for i in random.permutation(len(rows_of))]
    assigned: dict[str, list[Rows]] = {}
    reserved = sum(share > 0 for share in shares.values())
    for part in ("test", "valid"):
        assigned[part] = []
        if not shares[part]:
            continue
        target, size = shares[part] * len(table), 0
        for rows in list(left):
            if len(left) > reserved and size + len(rows) / 2 <= target:
                assigned[part].append(rows)
                size += len(rows)
                left = [other for other in left if other is not rows]
        if not assigned[part]:
            smallest = min(left, key=len)
            assigned[part].append(smallest)
            left = [other for other in left if other is not smallest]
        reserved -= 1
    return Splits(_joined(left), _joined(assigned["valid"]), _joined(assigned["test"]), notes)


def _groups(table: Table, name: str) -> tuple[list[Rows], tuple[str, ...]]:
    """Return the rows of each group; a row whose cell is blank is a group of its own."""
    groups: list[Rows] = []
    blanks = 0
    for value, rows in _rows_by_value(table, name).items():
        if _is_blank(value):
            blanks += len(rows)
            groups += list(rows.reshape(-1, 1))
        else:
            groups.append(rows)
    if not blanks:
        return groups, ()
    note = (
        f"column {name!r} is blank in {blanks} of {counted(len(table), 'row')}: such a row belongs "
        "to no group."
    )
    return groups, (note,)


def _is_blank(value: Any) -> bool:
    """Tell whether a cell is missing, or a string without a character that shows."""
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def _joined(parts: Sequence[Rows]) -> Rows:
    return np.sort(np.concatenate(parts)) if parts else np.empty(0, np.int64)


def _stratified(
    table: Table, stratify: str, shares: Mapping[str, float], random: np.random.Generator
) -> Splits:
    """Split an order in which the rows of every class are evenly spaced.

    Row k of the n rows of a class has position (k + u) / n, with u drawn once for each class: any
    interval of the order has its share of every class, up to one row.
    """
    rows_of = _rows_by_value(table, stratify)
    counts = _counts(len(table), shares)
    single = [name for name, rows in rows_of.items() if len(rows) == 1]
    position = np.empty(len(table))
    for rows in rows_of.values():
        position[random.permutation(rows)] = (np.arange(len(rows)) + random.random()) / len(rows)
    is_single = np.zeros(len(table), bool)
    is_single[[int(rows_of[name][0]) for name in single]] = True
    several = np.flatnonzero(~is_single)
    if sum(counts.values()) >= max(1, len(several)):
        raise DataError(
            f"column {stratify!r} of {table.source} has {counted(len(single), 'value')} with a "
            "single row, too many to have each class in every part. Give these classes more rows, "
            "or remove them; if the column holds texts to be written, say "
            f"{as_option('--target', f'{stratify}:text:char')}."
        )
    several = several[np.lexsort((random.permutation(len(several)), position[several]))]
    parts = _cut(several, counts)
    listed = ", ".join(map(repr, single[:5])) + (" …" if len(single) > 5 else "")
    notes = (f"classes with a single row went to the training rows: {listed}.",) if single else ()
    train = np.sort(np.concatenate([parts.train, np.flatnonzero(is_single)]))
    return parts._replace(train=train, notes=notes)


def _rows_by_value(table: Table, name: str) -> dict[Any, Rows]:
    """Return the rows of every value of a column, in the order in which values appear."""
    from pyarrow import types

    values = table.arrow(name)
    if is_text(values.type) or types.is_integer(values.type) or types.is_boolean(values.type):
        return _rows_by_code(values)
    rows: dict[Any, list[int]] = {}
    for row, value in enumerate(table.column(name)):
        if not isinstance(value, Hashable):
            raise DataError(
                f"{table.where(row)}, column {name}: a split needs a single value, got "
                f"{type(value).__name__}."
            )
        rows.setdefault(value, []).append(row)
    return {value: np.array(numbers, np.int64) for value, numbers in rows.items()}


def _rows_by_code(values: pa.ChunkedArray) -> dict[Any, Rows]:
    """Return the rows of every text, whole number or truth value, as `_rows_by_value` does."""
    import pyarrow as pa

    single = as_text(values) if is_text(values.type) else pa.concat_arrays(values.chunks)
    encoded = single.dictionary_encode()
    names = [*encoded.dictionary.to_pylist(), None]
    codes = encoded.indices.cast(pa.int64()).fill_null(len(names) - 1)
    codes = codes.to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    present, starts = np.unique(codes[order], return_index=True)
    groups = np.split(order, starts[1:])
    first = sorted(range(len(groups)), key=lambda place: int(groups[place][0]))
    return {names[present[place]]: groups[place] for place in first}
