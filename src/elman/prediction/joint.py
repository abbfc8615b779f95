"""Predictions of several targets per row, or per step, and their scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from elman.data.table import Table
from elman.evaluation.joint import joint_scores
from elman.evaluation.scores import Scores
from elman.features.joint import lacks_target
from elman.prediction.predictor import (
    PREDICTED,
    Predictions,
    columns_of_names,
    require_targets,
)
from elman.prediction.targets import TargetPredictor, measured
from elman.prediction.truths import (
    note_of_rows_without,
    notes_of_inputs,
    nothing_to_measure,
)
from elman.tasks.joint import JointTask
from elman.tasks.prediction import PredictionTask


class JointPredictor(TargetPredictor):
    """Predicts several targets of each row, or of each of its steps, in one pass."""

    task: JointTask

    @property
    def sets(self) -> set[str]:
        """The columns of rows and predictions whose lists are names in no order."""
        names = {name for name in self.task.input_columns if self.task.input.is_set}
        for part in self.task.parts:
            if part.target.is_set:
                (name,) = part.target_columns
                names |= {name, f"{PREDICTED}{name}"}
        return names

    def _scores(self, table: Table, training: Table | None) -> Scores:
        del training
        task = self.task
        require_targets(task, table)
        predictions = self.predict(table)
        scores: dict[str, Scores] = {}
        notes: list[str] = []
        for part, own in _each(task, predictions):
            (name,) = part.target_columns
            gone, kept = _without_and_with(part, table)
            if gone:
                notes.append(note_of_rows_without(name, table, gone))
            if kept:
                rows = table if not gone else table.select(kept)
                scores[name] = measured(part, rows, _of_rows(own, kept) if gone else own)
        if not scores:
            raise nothing_to_measure(table, ", ".join(task.target_columns))
        return joint_scores(scores, [*notes, *notes_of_inputs(task, table)])

    def with_plain_guess(self, scores: Scores, table: Table, training: Table) -> Scores:
        """Add the scores of a plain guess to those of each target that is measured."""
        each = dict(scores.details["targets"])
        for part in self.task.parts:
            (name,) = part.target_columns
            if name in each:
                rows, learned = (
                    of_all.select(_without_and_with(part, of_all)[1])
                    for of_all in (table, training)
                )
                own = Scores.model_validate(each[name])
                alone = TargetPredictor(part, self.network, self.experiment)
                each[name] = alone.with_plain_guess(own, rows, learned).model_dump()
        return scores.model_copy(update={"details": {**scores.details, "targets": each}})

    def scores_of_targets(self, scores: Scores) -> tuple[str, ...]:
        """Name the main score of each target that is computed."""
        return tuple(name for name in scores.headlines if name in scores.values)

    def _with_predictions(self, table: Table, predictions: Predictions) -> dict[str, Any]:
        columns = {name: list(table.written(name)) for name in table.columns}
        for part, own in _each(self.task, predictions):
            (name,) = part.target_columns
            name = f"{PREDICTED}{name}" if name in table.columns else name
            columns[name] = list(map(part.target.as_in_file, own.values))
        return columns

    def _probabilities(self, predictions: Predictions) -> dict[str, list[float]]:
        named = [
            (part, own.probabilities)
            for part, own in _each(self.task, predictions)
            if own.probabilities is not None and part.target.predicts_names
        ]
        if not named or self.task.target.has_steps:
            self._refuse_probabilities()
        columns: dict[str, list[float]] = {}
        for part, probabilities in named:
            target: Any = part.target
            before = part.target_columns[0] if len(named) > 1 else ""
            columns |= columns_of_names(target.names, probabilities, before)
        return columns

    def arrays(self, predictions: Predictions) -> list[Any]:
        """Return target → its probabilities in each row, of the targets that have any."""
        if predictions.probabilities is None:
            return super().arrays(predictions)
        return [
            {
                name: each.numpy()
                for name, each in zip(self.task.target_columns, row, strict=True)
                if each is not None
            }
            for row in predictions.probabilities
        ]


def _each(
    task: JointTask, predictions: Predictions
) -> Iterator[tuple[PredictionTask, Predictions]]:
    """Yield the task of each target, and its predictions."""
    for place, part in enumerate(task.parts):
        values = [row[place] for row in predictions.values]
        rows = predictions.probabilities
        probabilities = None if rows is None else [row[place] for row in rows]
        if probabilities and probabilities[0] is None:
            probabilities = None
        yield part, Predictions(values, probabilities)


def _without_and_with(part: PredictionTask, table: Table) -> tuple[list[int], list[int]]:
    """Number the rows that lack a target, and those that have it."""
    rows: tuple[list[int], list[int]] = [], []
    for row, cell in enumerate(table.column(part.target_columns[0])):
        rows[not lacks_target(part.target, cell)].append(row)
    return rows


def _of_rows(predictions: Predictions, rows: list[int]) -> Predictions:
    """Return the predictions for some rows."""
    values, probabilities = predictions
    return Predictions(
        [values[row] for row in rows],
        None if probabilities is None else [probabilities[row] for row in rows],
    )
