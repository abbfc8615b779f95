"""What each input column of a trained network contributes to the score of its predictions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from elman.data.table import Table
from elman.errors import DataError, OptionError
from elman.evaluation.measures import measure_of
from elman.evaluation.scores import Scores
from elman.experiment.training import checked_seed
from elman.inspection.importance import Importance, permutation_importance
from elman.inspection.shuffling import Encoded, Shuffle
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
    """Measure how much worse predictions get when the cells of a column are shuffled.

    See `permutation_importance`; in a score in which lower is better, it is the rise that counts.
    Rows are encoded once, and their encodings are shuffled: see `inspection.shuffling` for what
    becomes of columns with steps.

    Args:
        predictor: of a task that predicts something for each row.
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
    check_measures_columns(predictor)
    if rows < 1:
        raise OptionError(f"rows must be at least 1, got {rows}.")
    drawn = draw_rows(table, rows, seed)
    drawn.require(predictor.task.input_columns)
    whole = predictor.column_scores(drawn, training)
    chosen = _checked_names(predictor, whole, scores)
    values = [_unpacked(value) for value in predictor.task.encoded_inputs(drawn)]
    numbered = _numbered(drawn, predictor.task.input_columns[0])

    def measure(rows: Sequence[Encoded]) -> Mapping[str, float]:
        measured = _reading(predictor, rows).column_scores(numbered, training)
        return {name: _higher_is_better(measured, name) for name in chosen}

    shuffles = shuffles_of(predictor.task, values)
    columns = permutation_importance(measure, values, shuffles, repeats=repeats, seed=seed)
    return ColumnImportance(columns, whole, len(drawn), repeats)


def check_measures_columns(predictor: Predictor) -> None:
    """Refuse a task in which no column is shuffled.

    Raises:
        OptionError: it is such a task.
    """
    if not predictor.measures_columns:
        raise OptionError(
            "what each column contributes is measured where something is predicted for each row; "
            f"this model's task is {predictor.task.sentence}."
        )
    if not predictor.task.measured_columns:
        raise OptionError("this model reads no column that could be shuffled.")


def draw_rows(table: Table, rows: int, seed: int) -> Table:
    """Draw some rows at random, in their order; all where there are no more.

    Raises:
        OptionError: the seed is out of range.
    """
    checked_seed(seed)
    if len(table) <= rows:
        return table
    chosen = np.random.default_rng(seed).choice(len(table), rows, replace=False)
    return table.select(np.sort(chosen))


def shuffles_of(task: Task, values: Sequence[Encoded]) -> dict[str, Shuffle]:
    """Say for every measured column where it is, and whether its cells keep their number of steps.

    They keep it where each step has a target; where several columns are in one tensor; and where
    a tensor has as many steps as another one in every row, for the two may be read side by side.

    Args:
        task: with the features.
        values: encoded inputs.

    Raises:
        OptionError: a feature of several columns does not say where they are.
    """
    places = {name: task.input.places_of(name) for name in task.measured_columns}
    with_steps = [name for name in places if task.input.column_has_steps(name)]
    steps = {
        part: [len(value if part is None else value[part]) for value in values]
        for part in {places[name].part for name in with_steps}
    }
    shuffles = {name: Shuffle(places[name]) for name in places}
    for name in with_steps:
        part = places[name].part
        beside = any(steps[part] == others for other, others in steps.items() if other != part)
        keeps = task.targets == "step" or places[name].columns is not None or beside
        shuffles[name] = Shuffle(places[name], keeps, by_step=task.shuffles_steps)
    return shuffles


def _checked_names(
    predictor: Predictor, scores: Scores, asked: Sequence[str] | None
) -> tuple[str, ...]:
    """Return the scores to measure; one that is not there or not computed is refused."""
    names = predictor.scores_of_targets(scores) if asked is None else tuple(asked)
    for name in names:
        scores.check_name(name)
        if name in scores.undefined:
            why = scores.undefined[name]
            raise DataError(f"{measure_of(name).title} is not computed: {why}.")
    return names


def _higher_is_better(scores: Scores, name: str) -> float:
    """Return a score, its sign changed where lower is better."""
    led = scores.model_copy(update={"main": name})
    return led.value if led.higher_is_better else -led.value


def _unpacked(value: Any) -> Encoded:
    return value if isinstance(value, torch.Tensor) else tuple(value)


def _numbered(table: Table, column: str) -> Table:
    """Return a table whose cells in one column are the numbers of its rows."""
    import pyarrow as pa

    return table.with_columns({column: pa.array(range(len(table)))})


def _reading(predictor: Predictor, values: Sequence[Encoded]) -> Predictor:
    """Return a predictor that reads the numbers of rows, and takes their encoded inputs as given.

    Args:
        predictor: as it was trained.
        values: the input of each row, by its number.
    """
    task = predictor.task
    known: Any = _KnownInputs(task.input, values, task.input_columns[:1])
    numbered = dataclasses.replace(task, input=known, input_columns=task.input_columns[:1])
    return dataclasses.replace(predictor, task=numbered)


class _KnownInputs:
    """Stands for a task's feature of the input, and gives what each row was encoded to before.

    Everything but `encode` and `values_of` is asked of the feature itself.
    """

    reads_categories = False

    def __init__(
        self,
        feature: Any,
        values: Sequence[Encoded],
        columns: Sequence[str],
        part: int | None = None,
    ) -> None:
        self._feature = feature
        self._values = values
        self._part = part
        self.columns = tuple(columns)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feature, name)

    def encode(self, row: int) -> Encoded:
        """Return the encoded input of a row, or a part of it."""
        value = self._values[row]
        return value if self._part is None else value[self._part]

    def values_of(self, row: int) -> NDArray[np.float64]:
        """Return the targets of a series to forecast, from its encoding."""
        return np.array(self._feature.decode(self._values[row]), np.float64)

    @property
    def parts(self) -> tuple[_KnownInputs, ...]:
        """The parts of an input that is encoded as several tensors."""
        return tuple(
            _KnownInputs(part.feature, self._values, self.columns, number)
            for number, part in enumerate(self._feature.parts)
        )
