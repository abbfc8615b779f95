"""What each input column of a trained network contributes to the score of its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from elman.data.arrow import is_list
from elman.data.table import Table
from elman.errors import DataError, OptionError
from elman.evaluation.scores import MEASURES, Scores
from elman.experiment.training import checked_seed
from elman.inspection.importance import Importance, permutation_importance
from elman.inspection.shuffling import KeptSteps, list_lengths
from elman.prediction.predictor import Predictor
from elman.tasks.task import Task


class ColumnImportance(NamedTuple):
    """What each input column contributes to one or several scores."""

    columns: dict[str, dict[str, Importance]]
    """Name of a score → column → how much worse the score gets when the column is shuffled."""
    scores: Scores
    """Of the same rows as they are."""
    rows: int
    """Number of rows that were drawn."""
    repeats: int
    """Shufflings of each column."""


def column_importance(
    predictor: Predictor,
    table: Table,
    *,
    scores: Sequence[str] | None = None,
    repeats: int = 5,
    seed: int = 1,
    rows: int = 1_000,
    training: Table | None = None,
) -> ColumnImportance:
    """Measure how much worse the predictions get when the cells of a column are shuffled.

    The mean over the repeats and its spread are those of `permutation_importance`; in a score in
    which lower is better it is the rise that counts. Whole cells are shuffled. Where a cell must
    keep its number of steps, because each step has a target or because columns are read beside
    each other step by step, see `inspection.shuffling`.

    Args:
        predictor: of a task that predicts or writes something for each row.
        table: rows with their targets.
        scores: names of the scores; None for the main one, or for that of every target.
        repeats: shufflings of each column.
        seed: of the rows that are drawn, and of the shufflings.
        rows: so many rows are drawn where there are more.
        training: the training part, see `Predictor.scores`.

    Raises:
        OptionError: the task predicts nothing for a row, there is no such score, or a number is
            out of range.
        DataError: a score is not computed on these rows, or a value cannot be taken.
    """
    if not predictor.measures_columns:
        raise OptionError(
            "what each column contributes is measured where something is predicted for each row; "
            f"this model's task is {predictor.task.sentence}."
        )
    if rows < 1:
        raise OptionError(f"rows must be at least 1, got {rows}.")
    drawn = draw_rows(table, rows, seed)
    whole = predictor.column_scores(drawn, training)
    chosen = tuple(scores) if scores is not None else predictor.scores_of_targets(whole)
    for name in chosen:
        whole.check_name(name)
        if name in whole.undefined:
            why = whole.undefined[name]
            raise DataError(f"{MEASURES[name].title} is not computed: {why}.")

    def measure(rows: Table) -> Mapping[str, float]:
        measured = predictor.column_scores(rows, training)
        return {name: _higher_is_better(measured, name) for name in chosen}

    columns = permutation_importance(
        measure,
        drawn,
        predictor.task.input_columns,
        repeats=repeats,
        seed=seed,
        kept=kept_steps(predictor.task, drawn),
    )
    return ColumnImportance(columns, whole, len(drawn), repeats)


def _higher_is_better(scores: Scores, name: str) -> float:
    """Return a score, its sign changed where lower is better."""
    led = scores.model_copy(update={"main": name})
    return led.value if led.higher_is_better else -led.value


def draw_rows(table: Table, rows: int, seed: int) -> Table:
    """Draw some rows at random, in their order; all where there are no more.

    Raises:
        OptionError: the seed is out of range.
    """
    if len(table) <= rows:
        return table
    random = np.random.default_rng(checked_seed(seed))
    return table.select(np.sort(random.choice(len(table), rows, replace=False)))


def kept_steps(task: Task, table: Table) -> dict[str, KeptSteps]:
    """Say which input columns must keep the steps of their cells, and how many in each row.

    Args:
        task: with the features; where each step has a target, every column with steps must.
        table: with input and target. Columns of lists that are equally long in every row are read
            beside each other.
    """
    per_step = None
    if task.targets == "step":
        targets = task.encoded_targets(table)
        per_step = np.array([len(each) for each in targets], np.int64)
    lengths = {
        name: list_lengths(table, name)
        for name in task.input_columns
        if is_list(table.column(name).type)
    }
    kept = {}
    for name in task.input_columns:
        steps = lengths.get(name)
        in_order = name == getattr(task.input, "time", None)
        beside = steps is not None and any(
            np.array_equal(steps, others) for other, others in lengths.items() if other != name
        )
        if per_step is not None and task.input.column_has_steps(name):
            kept[name] = KeptSteps(per_step, steps is not None and not in_order)
        elif beside and steps is not None:
            kept[name] = KeptSteps(steps, not in_order)
    return kept
