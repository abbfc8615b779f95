"""What the choice of columns found, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from elman.data.identity import all_differ
from elman.data.table import Table
from elman.errors import as_option, counted
from elman.features.checks import shown
from elman.tasks.check.answers import CURVES, DETERMINES, FILLED, REPEATS, RESCALES, SAME, Tie
from elman.tasks.check.constant import constant_of
from elman.tasks.check.finding import Finding, listed, options

OUT = "it is left out", "they are left out"

Names = Sequence[str]


def left_out(reason: str, names: Names, table: Table, targets: Names) -> Finding:
    """Say which columns are left out for a reason."""
    found, override = _REASONS[reason](names, table, targets)
    back = override or f"to read {_them(names)}, say {options('--read', names)}"
    answers = f"say {options('--ignore', names)} or {options('--read', names)}"
    if reason == "empty":
        back, answers = "", f"say {options('--ignore', names)}"
    if reason == "beside sequences":
        answers = f"say {options('--ignore', names)}"
    return Finding(reason, tuple(names), found, OUT[len(names) > 1], back, answers)


def read_all_the_same(reason: str, names: Names, table: Table, targets: Names) -> Finding:
    """Say that columns are read that would be left out, were there another to read."""
    found, _ = _REASONS[reason](names, table, targets)
    return Finding(
        f"only {reason}",
        tuple(names),
        f"{found}, and nothing else is left to read",
        _they(names) + " read",
        answers=f"say {options('--read', names)}",
    )


def repeated(tie: Tie) -> Finding:
    """Say that a column repeats a target."""
    name, target = tie.column, tie.target
    found = {
        SAME: f"{name} has the same cells as {target}",
        REPEATS: f"{name} repeats {target}: each of its {tie.values} values stands for one of "
        f"{target}",
    }[tie.how]
    return Finding(
        "repeated",
        (name,),
        f"{found}, so that it gives {target} away",
        OUT[0],
        f"to read it, say {as_option('--read', name)}",
        f"say {as_option('--ignore', name)} or {as_option('--read', name)}",
    )


def tied(tie: Tie, *, named: bool = False) -> Finding:
    """Say that a column gives a target away, and is read all the same.

    Args:
        tie: how it does.
        named: whether the column was named as input.
    """
    name, target = tie.column, tie.target
    found = {
        SAME: f"{name} has the same cells as {target}",
        REPEATS: f"{name} repeats {target}: each of its {tie.values} values stands for one of "
        f"{target}",
        FILLED: f"{name} gives {target} away: it has a value where {target} is one thing, and none "
        "where it is the other",
        DETERMINES: f"{name} gives {target} away: each of its {tie.values:,} values has one "
        f"{target} alone",
        RESCALES: f"{name} gives {target} away: it is {target} in other units",
        CURVES: f"{name} gives {target} away: it is a power, the logarithm or the exponential of "
        f"{target}",
    }[tie.how]
    return Finding(
        "answers",
        (name,),
        found,
        "" if named else "it is read",
        f"if it is not known before {target} is, leave it out: {as_option('--ignore', name)}",
        f"say {as_option('--ignore', name)} or {as_option('--read', name)}",
    )


def labels(names: Names, targets: Names) -> Finding:
    """Say that columns beside a target may be labels of the row, as it is."""
    every = " ".join(as_option("--target", name) for name in (*targets, *names))
    return Finding(
        "labels",
        tuple(names),
        f"{listed(names)} {_is(names)} 0 or 1 in each row, as {listed(targets)} is, and named like "
        "it",
        f"{_they(names)} read",
        f"if {'it is' if len(names) == 1 else 'they are'} not known before {listed(targets)} is, "
        f"leave {_them(names)} out ({options('--ignore', names)}), or predict all: {every}",
        f"say {options('--ignore', names)} or {options('--read', names)}",
    )


def _of_empty(names: Names, table: Table, targets: Names) -> tuple[str, str]:
    del targets
    return f"{listed(names)} {_has(names)} no value in any of {counted(len(table), 'row')}", ""


def _of_constants(names: Names, table: Table, targets: Names) -> tuple[str, str]:
    del targets
    if len(names) == 1:
        value = shown(constant_of(table, names[0]))
        return f"{names[0]} is {value} in all {counted(len(table), 'row')}", ""
    return f"{listed(names)} have one value each, in all {counted(len(table), 'row')}", ""


def _of_identifiers(names: Names, table: Table, targets: Names) -> tuple[str, str]:
    del targets
    differ = all(all_differ(table, name) for name in names)
    rows = "each row" if differ else "nearly every row"
    if len(names) == 1:
        return f"{names[0]} has a value of its own in {rows}, as an identifier has", ""
    return f"{listed(names)} have values of their own in {rows}, as identifiers have", ""


def _of_siblings(names: Names, table: Table, targets: Names) -> tuple[str, str]:
    del table
    every = " ".join(as_option("--target", name) for name in (*targets, *names))
    target = listed(targets)
    found = (
        f"each row has a single 1 in {listed([*targets, *names])}, so that {listed(names)} "
        f"{'gives' if len(names) == 1 else 'give'} {target} away"
    )
    return found, (
        f"to predict all, make them one column of classes, or say {every}; to read "
        f"{_them(names)}, say {options('--read', names)}"
    )


def _of_single(names: Names, table: Table, targets: Names) -> tuple[str, str]:
    del table, targets
    return f"{listed(names)} {_has(names)} one value a row, beside sequences", (
        "to choose the columns, name them with --input"
    )


_REASONS: Mapping[str, Callable[[Names, Table, Names], tuple[str, str]]] = {
    "empty": _of_empty,
    "constants": _of_constants,
    "identifiers": _of_identifiers,
    "siblings": _of_siblings,
    "beside sequences": _of_single,
}
"""Reason → what was found, and how to decide otherwise where that is not `--read`."""


def _has(names: Names) -> str:
    return "has" if len(names) == 1 else "have"


def _is(names: Names) -> str:
    return "is" if len(names) == 1 else "are"


def _they(names: Names) -> str:
    return "it is" if len(names) == 1 else "they are"


def _them(names: Names) -> str:
    return "it" if len(names) == 1 else "them"
