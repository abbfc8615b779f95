"""Which rows are for training, which for validation, which for the test."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.table import Table
from elman.errors import DataError, OptionError, counted, unknown

Rows = NDArray[np.int64]

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
"""What a column may say → the part it means."""


class Splits(NamedTuple):
    """Rows of the three parts, ascending; no row is in two of them."""

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
) -> Splits:
    """Split a table's rows into training, validation and test part.

    Args:
        table: what is to be split.
        seed: the same seed gives the same parts.
        valid: share of the rows for validation, 0 … 1; 0 for none.
        test: share of the rows for the test, 0 … 1; 0 for none.
        column: column that says `train`, `valid` (or `val`, `dev`) or `test` of every row. A part
            that no row belongs to is taken from the training part at random, which is noted.
        stratify: column of labels whose shares are to be alike in all parts. The only row of a
            label goes to the training part, which is noted.
        group: column whose equal values must not come apart: speakers, patients, videos.
        in_time_order: take the first rows for training, then those for validation, the last for
            the test. Of windows, every sequence is cut so, and a window belongs to the part that
            the value to be forecast lies in: as in use, it may read the past back across a
            border (rolling origin), and no value after it.

    Returns:
        The rows of the parts.

    Raises:
        OptionError: shares that are no shares, a column that is unknown, or two ways to split.
        DataError: there are too few rows, groups or steps, or a cell of `column` is no part.
    """
    _check_options(valid, test, column, stratify, group, in_time_order)
    wanted = {"valid": valid, "test": test}
    if column is not None:
        return _by_column(table, column, wanted, seed)
    parts = 1 + sum(share > 0 for share in wanted.values())
    if len(table) < parts:
        raise DataError(
            f"{table.source} has {counted(len(table), 'row')}, too few for {parts} parts. Give "
            "more rows, or the parts as files of their own (valid_files and test_files)."
        )
    if in_time_order:
        return _in_time_order(table, wanted)
    random = np.random.default_rng([seed, len(table)])
    if group is not None:
        return _by_group(table, group, wanted, random)
    if stratify is not None:
        return _stratified(table, stratify, wanted, random)
    return _cut(random.permutation(len(table)), _counts(len(table), wanted))


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
            "the shares valid and test must be at least 0 and leave rows for training, got "
            f"valid={valid} and test={test}."
        )
    options = {"column": column, "stratify": stratify, "group": group}
    ways = [name for name, value in options.items() if value is not None]
    ways += ["in_time_order"] * in_time_order
    if len(ways) > 1:
        raise OptionError(
            f"rows can be split in one way only, got {' and '.join(ways)}. Leave one of them out."
        )


def _counts(rows: int, wanted: Mapping[str, float]) -> dict[str, int]:
    """Rows of each part, at least one where any are wanted."""
    return {part: max(1, round(rows * share)) if share else 0 for part, share in wanted.items()}


def _cut(order: Rows, counts: Mapping[str, int], notes: tuple[str, ...] = ()) -> Splits:
    """Take the test part from the beginning of an order, validation from its end."""
    test, end = counts["test"], len(order) - counts["valid"]
    return Splits(np.sort(order[test:end]), np.sort(order[end:]), np.sort(order[:test]), notes)


def _by_column(table: Table, column: str, wanted: Mapping[str, float], seed: int) -> Splits:
    rows: dict[str, list[int]] = {"train": [], "valid": [], "test": []}
    for row, value in enumerate(table.column(column)):
        part = PART_OF.get(str(value).strip().lower())
        if part is None:
            error = unknown("part", value, ["train", "valid", "test"], error=DataError)
            raise DataError(f"{table.where(row)}, column {column}: {error}")
        rows[part].append(row)
    if not rows["train"]:
        raise DataError(f"column {column!r} of {table.source} says 'train' of no row.")
    missing = {part: 0 if rows[part] else share for part, share in wanted.items()}
    notes = tuple(
        f"column {column!r} says {part!r} of no row; {share:.0%} of the training rows were taken."
        for part, share in missing.items()
        if share
    )
    train = np.array(rows["train"], np.int64)
    counts = _counts(len(train), missing)
    if sum(counts.values()) >= len(train):
        raise DataError(f"column {column!r} of {table.source} leaves too few rows for training.")
    random = np.random.default_rng([seed, len(train)])
    order = random.permutation(train) if sum(counts.values()) else train
    taken = _cut(order, counts, notes)
    given = {part: np.array(found, np.int64) for part, found in rows.items()}
    return taken._replace(
        valid=given["valid"] if rows["valid"] else taken.valid,
        test=given["test"] if rows["test"] else taken.test,
    )


def _in_time_order(table: Table, wanted: Mapping[str, float]) -> Splits:
    """Cut rows, or the steps of windows, at two borders."""
    if table.spans is None:
        counts = _counts(len(table), wanted)
        rows = np.arange(len(table))
        train = len(table) - counts["valid"] - counts["test"]
        test = train + counts["valid"]
        return Splits(rows[:train], rows[train:test], rows[test:])
    sequence, _, stop = table.spans
    steps = np.zeros(sequence.max() + 1, np.int64)
    np.maximum.at(steps, sequence, stop)
    test_border = np.round(steps * (1 - wanted["test"])).astype(np.int64)[sequence]
    valid_share = 1 - wanted["test"] - wanted["valid"]
    valid_border = np.round(steps * valid_share).astype(np.int64)[sequence]
    parts = {
        "train": stop <= valid_border,
        "valid": (stop > valid_border) & (stop <= test_border),
        "test": stop > test_border,
    }
    for part, chosen in parts.items():
        if not chosen.any() and wanted.get(part, 1):
            raise DataError(
                f"{table.source} is too short to be divided in time: no row ends in the {part} "
                f"part, {wanted.get(part, valid_share):.0%} of "
                f"{counted(int(steps.max()), 'step')}. Use shorter windows, a larger share or "
                "more data."
            )
    rows_of = {part: np.flatnonzero(chosen) for part, chosen in parts.items()}
    return Splits(rows_of["train"], rows_of["valid"], rows_of["test"])


def _by_group(
    table: Table, group: str, wanted: Mapping[str, float], random: np.random.Generator
) -> Splits:
    """Give whole groups to the parts, in random order, coming as near to the shares as they let."""
    members = _rows_by_value(table, group)
    parts = 1 + sum(share > 0 for share in wanted.values())
    if len(members) < parts:
        raise DataError(
            f"column {group!r} of {table.source} has {counted(len(members), 'group')}, too few for "
            f"{parts} parts. Split by another column, or give the parts as files of their own."
        )
    groups = list(members.values())
    left = [groups[i] for i in random.permutation(len(groups))]
    chosen: dict[str, list[Rows]] = {}
    later = sum(share > 0 for share in wanted.values())
    for part in ("test", "valid"):
        chosen[part] = []
        if not wanted[part]:
            continue
        target, size = wanted[part] * len(table), 0
        for rows in list(left):
            if len(left) > later and size + len(rows) / 2 <= target:
                chosen[part].append(rows)
                size += len(rows)
                left = [other for other in left if other is not rows]
        if not chosen[part]:
            smallest = min(left, key=len)
            chosen[part].append(smallest)
            left = [other for other in left if other is not smallest]
        later -= 1
    return Splits(_joined(left), _joined(chosen["valid"]), _joined(chosen["test"]))


def _joined(parts: Sequence[Rows]) -> Rows:
    return np.sort(np.concatenate(parts)) if parts else np.empty(0, np.int64)


def _stratified(
    table: Table, stratify: str, wanted: Mapping[str, float], random: np.random.Generator
) -> Splits:
    """Cut an order in which every label is spread evenly.

    Row k of the n of a label stands at (k + u) / n, u being drawn once a label: any stretch of
    the order has its share of every label, up to one row.
    """
    members = _rows_by_value(table, stratify)
    counts = _counts(len(table), wanted)
    alone = [label for label, rows in members.items() if len(rows) == 1]
    place = np.empty(len(table))
    for rows in members.values():
        place[random.permutation(rows)] = (np.arange(len(rows)) + random.random()) / len(rows)
    single = np.zeros(len(table), bool)
    single[[int(members[label][0]) for label in alone]] = True
    several = np.flatnonzero(~single)
    if sum(counts.values()) >= max(1, len(several)):
        raise DataError(
            f"column {stratify!r} of {table.source} has {counted(len(alone), 'label')} with a "
            "single row, too many to have each label in every part. Give the labels more rows, or "
            "take these out."
        )
    several = several[np.lexsort((random.permutation(len(several)), place[several]))]
    parts = _cut(several, counts)
    said = ", ".join(repr(label) for label in alone[:5]) + (" …" if len(alone) > 5 else "")
    notes = (f"labels with a single row went to the training part: {said}.",) if alone else ()
    train = np.sort(np.concatenate([parts.train, np.flatnonzero(single)]))
    return parts._replace(train=train, notes=notes)


def _rows_by_value(table: Table, name: str) -> dict[Any, Rows]:
    """Return the rows of every value of a column, in the order in which values appear."""
    rows: dict[Any, list[int]] = {}
    for row, value in enumerate(table.column(name)):
        if not isinstance(value, Hashable):
            raise DataError(
                f"{table.where(row)}, column {name}: a split needs a single value, got "
                f"{type(value).__name__}."
            )
        rows.setdefault(value, []).append(row)
    return {value: np.array(found, np.int64) for value, found in rows.items()}
