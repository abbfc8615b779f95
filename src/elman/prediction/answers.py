"""Predictions of a target a row, or a target a step, and how good they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from elman.data.table import Table
from elman.errors import DataError, counted
from elman.evaluation.scores import Scores, score
from elman.prediction.predictor import Answers, Predictor, require_targets
from elman.prediction.rolls import roll_scores
from elman.tasks.alignment import unequal_steps
from elman.tasks.prediction import PredictionTask


class TargetPredictor(Predictor):
    """Predicts the target of each row, or of each of its steps."""

    task: PredictionTask

    @torch.no_grad()
    def predict(self, table: Table) -> Answers:
        """Predict the target of every row."""
        table.require(self.task.input_columns)
        network, task = self.network, self.task
        network.eval()
        answers: list[Any] = [None] * len(table)
        likely: list[Any] = [None] * len(table)
        if not len(table):
            return Answers([], None)
        batches, order = task.input_batches(table, self.batch_size)
        rows = iter(order)
        has_probabilities = True
        for batch in batches:
            batch = batch.to(self.device)
            outputs, _ = network(batch.input, lengths=batch.lengths)
            chosen = network.objective.answers(outputs, batch.lengths)
            probable = network.objective.probabilities(outputs, batch.lengths)
            has_probabilities = probable is not None
            for index, encoded in enumerate(chosen):
                row = next(rows)
                answers[row] = task.target.decode(encoded.cpu())
                if probable is not None:
                    likely[row] = probable[index].cpu()
        return Answers(answers, likely if has_probabilities else None)

    def _scores(self, table: Table, training: Table | None) -> Scores:
        task = self.task
        require_targets(task, table)
        answers = self.predict(table)
        truths = [self._truth(value) for value in table.values(task.target_columns)]
        if task.targets == "step":
            for row, (truth, given) in enumerate(zip(truths, answers.values, strict=True)):
                if len(truth) != len(given):
                    steps = row, len(given), len(truth)
                    raise unequal_steps(table, steps, task.input_columns, task.target_columns)
        kind = task.objective_class.score_kind
        if task.objective_class.of_names:
            target: Any = task.target
            names = list(target.names)
            return score(kind, truths, answers.values, answers.probabilities, names=names)
        return score(kind, truths, answers.values, **self._naive_facts(training))

    def _truth(self, value: Any) -> Any:
        """Bring a value to the form of predictions; a name never seen in training stays itself."""
        try:
            return self.task.target.decode(self.task.target.encode(value))
        except DataError:
            if not self.task.target.predicts_names:
                raise
            return value

    def _naive_facts(self, training: Table | None) -> dict[str, Any]:
        """Return what forecasts of one series are measured by: the seasonal naive forecast.

        Args:
            training: the training part, windows of a long series in the order of time.

        Returns:
            `training` and `season` of `evaluation.regression`; nothing where nothing is forecast,
            or where the windows are of several series.
        """
        task, season = self.task, self.experiment.data.season
        if training is None or task.objective_class.score_kind != "regression":
            return {}
        if training.spans is None or len(np.unique(training.spans.sequence)) != 1:
            return {}
        known = np.array([np.ravel(value) for value in training.values(task.target_columns)], float)
        return {"training": known, "season": season} if len(known) > season else {}

    def notes_of(self, table: Table) -> list[str]:
        """Say which rows hold nothing to be read, a text without a word, say."""
        per_step = self.task.target.has_steps
        effect = "there is nothing to answer" if per_step else FROM_NOTHING
        return notes_of_empty_rows(self.task, table, effect)


class FramesPredictor(TargetPredictor):
    """Predicts a frame of a piano roll at each step."""

    def _scores(self, table: Table, training: Table | None) -> Scores:
        del training
        require_targets(self.task, table)
        batches = self.task.evaluation_batches(table, self.batch_size)
        return roll_scores(self.network, batches.epoch(0), self.device)


FROM_NOTHING = "answered all the same, from nothing read"


def notes_of_empty_rows(task: Any, table: Table, effect: str) -> list[str]:
    """Say which rows hold nothing to be read.

    Args:
        task: with the columns of the input.
        table: with these columns.
        effect: what becomes of such rows.
    """
    table.require(task.input_columns)
    if not task.input.has_steps:
        return []
    cells = zip(*(table.column(name) for name in task.input_columns), strict=True)
    empty = [row for row, read in enumerate(cells) if all(map(_is_empty, read))]
    if not empty:
        return []
    what, place = ", ".join(task.input_columns), table.where(empty[0])
    if len(empty) == 1:
        return [f"{place}: {what} is empty; {effect}."]
    return [f"{what} is empty in {counted(len(empty), 'row')}, the first {place}; {effect}."]


def _is_empty(cell: Any) -> bool:
    """Tell a cell without steps: a text of blanks, a list of nothing."""
    if isinstance(cell, str):
        return not cell.strip()
    return isinstance(cell, list | np.ndarray) and not len(cell)
