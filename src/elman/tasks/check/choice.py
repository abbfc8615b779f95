"""Which columns are read where none are named, and which are left out, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from elman.data.arrow import is_list, is_single
from elman.data.identity import identifies_rows
from elman.data.table import Table
from elman.experiment.data import DataSpec
from elman.tasks.check import words
from elman.tasks.check.answers import REPEATS, SAME, ties_to
from elman.tasks.check.constant import constant_of, is_empty
from elman.tasks.check.date_words import left_out_dates
from elman.tasks.check.dates import holds_times
from elman.tasks.check.finding import Finding
from elman.tasks.check.hot import labels_beside, siblings_of

LEAST = 10
"""Fewer rows than this may all be alike by chance."""

EMPTY, TIMES, CONSTANTS, IDENTIFIERS = "empty", "dates", "constants", "identifiers"
SIBLINGS, REPEATED, SINGLE = "siblings", "repeated", "beside sequences"
"""Reasons to leave columns out, which are the codes of the findings, too."""


class Choice(NamedTuple):
    """Which columns are read."""

    inputs: list[str]
    left_out: Mapping[str, list[str]]
    """Reason → the columns that are left out for it."""
    findings: list[Finding]
    """What was found about the columns, whether read or not."""


def choose(table: Table, columns: Sequence[str], targets: Sequence[str], data: DataSpec) -> Choice:
    """Choose among the columns that have no other role.

    A column in `data.columns` is read in any case. If nothing is left to read, the columns that
    repeat the target are, else the identifiers, else the constants.

    Args:
        table: rows, laid out.
        columns: that have no other role.
        targets: columns to predict, none for the next step.
        data: the settings.
    """
    named = [name for name in columns if name in data.columns]
    rest = [name for name in columns if name not in data.columns]
    left: dict[str, list[str]] = {}

    def leave(reason: str, belongs: Callable[[str], Any]) -> None:
        nonlocal rest
        left[reason] = [name for name in rest if belongs(name)]
        rest = [name for name in rest if name not in set(left[reason])]

    enough = len(table) >= LEAST
    leave(EMPTY, lambda name: enough and is_empty(table, name))
    leave(TIMES, lambda name: holds_times(table, name))
    lists = {name for name in columns if is_list(table.column(name).type)}
    if targets or lists.isdisjoint(rest):
        single = {name for name in rest if is_single(table.column(name).type)}
        leave(CONSTANTS, lambda n: enough and n in single and constant_of(table, n) is not None)
        leave(IDENTIFIERS, lambda name: name in single and identifies_rows(table, name))
    else:  # the next step is that of sequences alone
        leave(SINGLE, lambda name: name not in lists)
    ties = {tie.column: tie for tie in ties_to(table, rest, targets)}
    siblings = set() if data.window else {*siblings_of(table, rest, targets)}
    leave(SIBLINGS, lambda name: name in siblings)
    leave(REPEATED, lambda name: name in ties and ties[name].how in {SAME, REPEATS})
    findings: list[Finding] = []
    for reason in (REPEATED, IDENTIFIERS, CONSTANTS):
        if not rest and not named:
            rest, left[reason] = left.get(reason, []), []
            if rest and reason != REPEATED:
                findings.append(words.read_all_the_same(reason, rest, table, targets))
    for reason, names in left.items():
        if reason == TIMES:
            findings += left_out_dates(names, table, data)
        elif names and reason != REPEATED:
            findings.append(words.left_out(reason, names, table, targets))
    findings += [words.repeated(ties[name]) for name in left[REPEATED]]
    findings += [words.tied(ties[name]) for name in rest if name in ties]
    if not data.window and (beside := labels_beside(table, rest, targets)):
        findings.append(words.labels(beside, targets))
    read = {*rest, *named}
    return Choice(
        [name for name in columns if name in read],
        {reason: names for reason, names in left.items() if names},
        findings,
    )


def findings_of_given(table: Table, inputs: Sequence[str], targets: Sequence[str]) -> list[Finding]:
    """Find which columns that were named as input give the target away."""
    ties = ties_to(table, [name for name in inputs if name not in targets], targets)
    return [words.tied(tie, named=True) for tie in ties]
