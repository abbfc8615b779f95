"""Predictions of one target per row, or one per step, and their scores."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch

from elman.data.table import Table
from elman.errors import counted
from elman.evaluation.plain_guesses import with_plain_guess
from elman.evaluation.scores import Scores, score
from elman.networks.ensemble import Ensemble
from elman.prediction.plain import BY_FREQUENCY, AlwaysTheSame, guesses_for, with_guess
from elman.prediction.predictor import Predictions, Predictor, require_targets
from elman.prediction.rolls import roll_scores
from elman.prediction.truths import notes_of_inputs, true_values, with_truths
from elman.tasks.alignment import unequal_steps
from elman.tasks.folds import HELD_OUT
from elman.tasks.prediction import PredictionTask


class TargetPredictor(Predictor):
    """Predicts the target of each row, or of each of its steps."""

    task: PredictionTask
    measures_columns: ClassVar[bool] = True

    @torch.no_grad()
    def predict(self, table: Table) -> Predictions:
        """Predict the target of every row."""
        table.require(self.task.input_columns)
        network, task = self.network, self.task
        network.eval()
        values: list[Any] = [None] * len(table)
        probabilities: list[Any] = [None] * len(table)
        if not len(table):
            return Predictions([], None)
        if HELD_OUT in table.columns and isinstance(network, Ensemble):
            return self._held_out(table, network)
        batches, order = task.input_batches(table, self.batch_size)
        rows = iter(order)
        has_probabilities = True
        for batch in batches:
            batch = batch.to(self.device)
            outputs, _ = network(batch.input, lengths=batch.lengths)
            predicted = network.objective.answers(outputs, batch.lengths)
            probable = network.objective.probabilities(outputs, batch.lengths)
            has_probabilities = probable is not None
            for index, encoded in enumerate(predicted):
                row = next(rows)
                values[row] = task.target.decode(encoded.cpu())
                if probable is not None:
                    probabilities[row] = _on_cpu(probable[index])
        return Predictions(values, probabilities if has_probabilities else None)

    def _held_out(self, table: Table, network: Ensemble) -> Predictions:
        """Predict each row by the one of several networks that has not been trained on it."""
        numbers = np.array(list(table.column(HELD_OUT)))
        values: list[Any] = [None] * len(table)
        probabilities: list[Any] = [None] * len(table)
        for number in np.unique(numbers).tolist():
            rows = np.flatnonzero(numbers == number).tolist()
            own = replace(self, network=network.members[number]).predict(table.select(rows))
            for place, row in enumerate(rows):
                values[row] = own.values[place]
                if own.probabilities is not None:
                    probabilities[row] = own.probabilities[place]
        return Predictions(values, None if probabilities[0] is None else probabilities)

    def _scores(self, table: Table, training: Table | None) -> Scores:
        task = self.task
        require_targets(task, table)
        table, notes = with_truths(task, table)
        predictions = self.predict(table)
        scores = measured(task, table, predictions, **self._naive_facts(training))
        notes = [*notes, *notes_of_inputs(task, table)]
        return scores.model_copy(update={"notes": (*scores.notes, *notes)})

    def with_plain_guess(self, scores: Scores, table: Table, training: Table) -> Scores:
        """Add the scores of a constant, or of what the input suggests, from the training rows."""
        table = with_truths(self.task, table)[0]
        facts = self._naive_facts(training) if "mase" in scores.values else {}
        guesses = guesses_for(
            self.task, table, training, next(iter(self.experiment.data.seasons), 1)
        )
        return with_plain_guess(
            scores,
            guesses,
            lambda answers: measured(self.task, table, Predictions(answers, None), **facts),
        )

    def _naive_facts(self, training: Table | None) -> dict[str, Any]:
        """Return what scales the errors of one series: the seasonal naive forecast.

        Args:
            training: the training part, windows of a long series in the order of time.

        Returns:
            `training` and `season` of `evaluation.regression`; nothing where no numbers are
            predicted, or where the windows are of several series.
        """
        task, season = self.task, next(iter(self.experiment.data.seasons), 1)
        if training is None or task.objective_class.score_kind != "regression":
            return {}
        if training.spans is None or len(np.unique(training.spans.sequence)) != 1:
            return {}
        known = np.array([np.ravel(value) for value in training.values(task.target_columns)], float)
        return {"training": known, "season": season} if len(known) > season else {}

    def notes_of(self, table: Table) -> list[str]:
        """Say which rows are empty, such as a text without a word."""
        per_step = self.task.target.has_steps
        effect = "there is nothing to predict" if per_step else FROM_NOTHING
        empty = notes_of_empty_rows(self.task, table, effect)
        return [*empty, *notes_of_inputs(self.task, table)]


class FramesPredictor(TargetPredictor):
    """Predicts a frame of a piano roll at each step."""

    def _scores(self, table: Table, training: Table | None) -> Scores:
        del training
        require_targets(self.task, table)
        batches = self.task.evaluation_batches(table, self.batch_size)
        return roll_scores(self.network, batches.epoch(0), self.device)

    def with_plain_guess(self, scores: Scores, table: Table, training: Table) -> Scores:
        """Add the scores of how often each key sounds."""
        return with_base_rates(self, scores, table, training)


def with_base_rates(predictor: Predictor, scores: Scores, table: Table, training: Table) -> Scores:
    """Add the scores of how often each key sounds in training, in every frame of some rolls.

    Args:
        predictor: of frames.
        scores: of the rolls.
        table: with the rolls.
        training: the training rows.
    """
    rates = predictor.task.base_rates(training)
    batches = predictor.task.evaluation_batches(table, predictor.batch_size)
    own = roll_scores(AlwaysTheSame(rates), batches.epoch(0), predictor.device)
    return with_guess(scores, {"words": BY_FREQUENCY, "scores": own.values})


def measured(task: PredictionTask, table: Table, predictions: Predictions, **facts: Any) -> Scores:
    """Score the predictions of one target.

    Args:
        task: of the target.
        table: rows, all with the target.
        predictions: for these rows.
        facts: what scales the errors of numbers, see `evaluation.scores.score`.

    Raises:
        DataError: a value is malformed, or a row has more or fewer tags than steps.
    """
    truths = true_values(task, table)
    if task.targets == "step":
        for row, (truth, value) in enumerate(zip(truths, predictions.values, strict=True)):
            if len(truth) != len(value):
                steps = row, len(value), len(truth)
                raise unequal_steps(table, steps, task.columns_of_steps, task.target_columns)
    if task.target.predicts_names:
        target: Any = task.target
        facts = {"names": list(target.names), "where": table.where}
    if task.objective_class.score_kind == "series":
        facts["sound"] = task.target.is_sound
    if task.objective_class.of_names:
        facts["probabilities"] = predictions.probabilities
        facts["learned"] = task.target.learned()
    return score(task.objective_class.score_kind, truths, predictions.values, **facts)


def _on_cpu(probabilities: Any) -> Any:
    """Move a row's probabilities to the CPU: a tensor, or of several targets one each or None."""
    if isinstance(probabilities, tuple):
        return tuple(map(_on_cpu, probabilities))
    return None if probabilities is None else probabilities.cpu()


FROM_NOTHING = "predicted all the same, from no input"
FROM_OTHERS = "predicted all the same, from the other columns"


def notes_of_empty_rows(task: Any, table: Table, effect: str) -> list[str]:
    """Say which rows are empty, and which lack one of several sequences.

    Args:
        task: with the columns of the input.
        table: with these columns.
        effect: what becomes of rows without any input.
    """
    table.require(task.input_columns)
    with_steps = [name for name in task.input_columns if task.input.column_has_steps(name)]
    if not with_steps:
        return []
    empty = {
        name: {row for row, cell in enumerate(table.column(name)) if _is_empty(cell)}
        for name in with_steps
    }
    alone = len(with_steps) == len(task.input_columns)
    nothing = set.intersection(*empty.values()) if alone else set()
    notes = _empty(", ".join(task.input_columns), nothing, table, effect)
    for name, rows in empty.items():
        notes += _empty(name, rows - nothing, table, FROM_OTHERS)
    return notes


def _empty(names: str, rows: set[int], table: Table, effect: str) -> list[str]:
    """Say in which rows columns are empty."""
    if not rows:
        return []
    place = table.where(min(rows))
    if len(rows) == 1:
        return [f"{place}: {names} is empty; {effect}."]
    return [f"{names} is empty in {counted(len(rows), 'row')}, the first {place}; {effect}."]


def _is_empty(cell: Any) -> bool:
    """Tell whether a cell has no steps: none at all, a blank text, an empty list."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (isinstance(cell, list | np.ndarray) and not len(cell))
