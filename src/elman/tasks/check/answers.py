"""Columns that give the target away: they repeat it, determine it, or are filled in by it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from elman.data.arrow import is_list, is_text
from elman.data.table import Table
from elman.tasks.check.ties import (
    Coded,
    coded,
    determines,
    different,
    is_curved,
    is_rescaled,
    log_of_chance,
    same_cells,
)
from elman.tasks.fitting import sample

SAME, REPEATS, FILLED, DETERMINES = "same", "repeats", "filled", "determines"
"""A column has the cells of the target; one value for each of the target's; a cell where the target
has one value and none where it has the other; one value of the target for each of its own."""

RESCALES, CURVES = "rescales", "curves"
"""A column has the numbers of the target in other units; or a power of them, their logarithm or
exponential."""

CHANCE = 1e-5
"""Largest probability that a tie between columns is chance, over all columns together."""

PROBED = 20_000
"""Rows of a long table that are looked at before all of them are."""

MOST_WORDS = 3
"""Maximum mean number of words of the names of a category."""


class Tie(NamedTuple):
    """How a column is tied to a target."""

    column: str
    target: str
    how: str
    """`SAME`, `REPEATS`, `FILLED`, `DETERMINES`, `RESCALES` or `CURVES`."""
    values: int = 0
    """Different values of the column."""


def ties_to(table: Table, columns: Sequence[str], targets: Iterable[str]) -> list[Tie]:
    """Find the columns that give a target away.

    Args:
        table: rows.
        columns: that are not targets.
        targets: names of the targets.
    """
    found: dict[str, Tie] = {}
    limit = math.log(CHANCE / max(1, len(columns)))
    probe = _probe(table)
    for target in targets:
        answers = coded(table, target)
        of_probe = answers if probe is table else coded(probe, target)
        open_still = of_probe is None or different(of_probe.codes) < 2
        for name in (each for each in columns if each not in found):
            if probe is not table and not open_still and not _tie(probe, name, target, of_probe):
                continue
            if tie := _tie(table, name, target, answers, limit):
                found[name] = tie
    return [found[name] for name in columns if name in found]


def _probe(table: Table) -> Table:
    """Return rows in which most ties can be refuted; all of a table that is not long."""
    if len(table) <= 2 * PROBED:
        return table
    return table.select(np.linspace(0, len(table) - 1, PROBED).astype(np.int64))


def _tie(
    table: Table, name: str, target: str, answers: Coded | None, limit: float = 0.0
) -> Tie | None:
    """Find out how a column is tied to a target, if it is, with a limit of the log of chance."""
    cells = coded(table, name)
    if cells is None or answers is None:
        both = is_list(table.column(name).type) and is_list(table.column(target).type)
        return Tie(name, target, SAME) if both and same_cells(table, name, target) else None
    cells, answers = _answered(cells, answers)
    if different(answers.codes) < 2:
        return None
    likely = not answers.repeats or log_of_chance(answers.codes, answers.codes) <= limit
    if likely and cells.different <= answers.different and same_cells(table, name, target):
        return Tie(name, target, SAME)
    how = _how(cells, answers, limit)
    if how == DETERMINES and not _holds_names(table, name):
        return None
    return None if how is None else Tie(name, target, how, cells.different)


def _how(cells: Coded, answers: Coded, limit: float) -> str | None:
    """Say how a column is tied to a target with other cells."""
    blank = cells.blanks.astype(np.int64)
    if cells.repeats and determines(cells.codes, answers.codes):
        if log_of_chance(cells.codes, answers.codes) <= limit:
            if determines(answers.codes, cells.codes):
                return REPEATS
            filled = blank.any() and determines(blank, answers.codes)
            return FILLED if filled else DETERMINES
    elif blank.any() and determines(blank, answers.codes):
        return FILLED if log_of_chance(blank, answers.codes) <= limit else None
    if is_rescaled(cells, answers):
        return RESCALES
    return CURVES if is_curved(cells, answers) else None


def _answered(cells: Coded, answers: Coded) -> tuple[Coded, Coded]:
    """Return the rows that have a target."""
    blanks = answers.blanks
    return (cells.take(~blanks), answers.take(~blanks)) if blanks.any() else (cells, answers)


def _holds_names(table: Table, name: str) -> bool:
    """Tell whether a column holds names or numbers, not texts, of which each has its answer."""
    if not is_text(table.column(name).type):
        return True
    texts = [text for text in sample(table).column(name) if isinstance(text, str) and text.strip()]
    return sum(len(text.split()) for text in texts) <= MOST_WORDS * max(1, len(texts))
