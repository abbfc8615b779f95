"""Rows without a target, which nothing can be learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import as_text, is_text
from elman.data.table import Table
from elman.errors import DataError, as_option, counted
from elman.experiment.data import DataSpec
from elman.features.build import kind_class
from elman.features.feature import Feature
from elman.tasks.check.finding import Finding, listed
from elman.tasks.fitting import infer
from elman.tasks.named_kinds import kind_of


class Answered(NamedTuple):
    """The rows of a table that have a target."""

    table: Table
    findings: list[Finding]


def answered(table: Table, targets: Sequence[str], data: DataSpec) -> Answered:
    """Leave out the rows in which every target is missing.

    A row of labels without any is one without labels. A blank text is a text where the kind of the
    target is given.

    Args:
        table: rows.
        targets: columns to predict, of which the table has all or none.
        data: in which the kind of the target may be given.
    """
    names = [name for name in targets if name in table.columns]
    if not names or len(names) < len(targets) or not len(table):
        return Answered(table, [])
    missing = np.ones(len(table), np.bool_)
    for name in names:
        missing &= _missing(table, name, data)
        if not missing.any():
            return Answered(table, [])
    count = int(missing.sum())
    if count == len(table):  # said again, with the column, when it is read
        return Answered(table, [])
    return Answered(table.select(np.flatnonzero(~missing)), [_finding(table, names, count, data)])


def _finding(table: Table, names: Sequence[str], count: int, data: DataSpec) -> Finding:
    (name, *others) = names
    empty = ""
    if not others and kind_of(data, name, as_target=True) is None:
        kind = _inferred(table, name)
        if kind is not None and kind.is_text:
            say = as_option("--target", f"{name}:text")
            empty = f"if empty cells are texts to be written, say {say}"
    return Finding(
        "unanswered",
        tuple(names),
        f"{count:,} of {counted(len(table), 'row')} of {table.source} "
        f"{'has' if count == 1 else 'have'} no {listed(names)}",
        "it is left out" if count == 1 else "they are left out",
        empty,
        "fill in what is missing, or remove such rows",
    )


def _missing(table: Table, name: str, data: DataSpec) -> NDArray[np.bool_]:
    """Tell which rows have no target in a column."""
    import pyarrow.compute as pc

    values = table.arrow(name)
    said = kind_of(data, name, as_target=True)
    kind = None if said is None else kind_class(said)
    absent = np.asarray(pc.is_null(values, nan_is_null=True))
    if is_text(values.type) and not (kind is not None and kind.is_text):
        text = pc.utf8_trim_whitespace(as_text(values))
        absent = absent | np.asarray(pc.equal(text, "").fill_null(True))
    if absent.any() and _are_labels(table, name, kind):
        return np.zeros(len(table), np.bool_)
    return absent


def _are_labels(table: Table, name: str, kind: type[Feature] | None) -> bool:
    """Tell whether a target is a set, so that a blank cell is an empty one."""
    kind = kind or _inferred(table, name)
    return kind is not None and kind.is_set


def _inferred(table: Table, name: str) -> type[Feature] | None:
    """Return the kind that a target seems to be of; None where it is none."""
    try:
        return kind_class(infer(table, [name], as_target=True).kind)
    except DataError:  # said again, with its place, when the column is read
        return None
