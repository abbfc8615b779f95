"""A trained model: predict, evaluate, write, forecast, generate, save and load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from elman.data.sources.frames import is_series
from elman.data.table import Table
from elman.data.units import warn_of_units
from elman.errors import (
    OptionError,
)
from elman.evaluation.scores import Scores
from elman.experiment import Experiment
from elman.inspection.importance import Importance
from elman.layers import parameter_count
from elman.models import saving
from elman.models.measured import measured_rows
from elman.models.trained_on import TrainedOn
from elman.networks.joint import OneOfSeveral
from elman.prediction.importance import column_importance
from elman.prediction.predictor import AttentionMap, Predictions, Predictor, Written
from elman.prediction.predictors import predictor_of
from elman.tasks.joint import JointTask
from elman.tasks.layout import layout_of
from elman.tasks.task import Task
from elman.training.progress import Progress


class Model:
    """A trained network with what is needed to use it.

    Args:
        experiment: that it was trained by, its hidden size solved for.
        task: what is predicted from what, with the fitted features of input and target.
        network: the trained network, with its objective.
        trained_on: digests of the data it was trained on; None where these are not known.
        unfinished: what to know of the weights of a run that has not finished; empty where it has.
    """

    def __init__(
        self,
        experiment: Experiment,
        task: Task,
        network: torch.nn.Module,
        trained_on: TrainedOn | None = None,
        unfinished: str = "",
    ) -> None:
        self.unfinished = unfinished
        self.experiment = experiment
        self.task = task
        self.network = network.eval()
        self.trained_on = trained_on

    @property
    def device(self) -> torch.device:
        """The device of the network's weights."""
        return next(self.network.parameters()).device

    @property
    def parameters(self) -> int:
        """The number of parameters."""
        return parameter_count(self.network)

    @property
    def sees_the_future(self) -> bool:
        """Whether an output depends on later inputs, so that the network cannot run live."""
        return self.experiment.network.bidirectional or self.experiment.network.delay > 0

    def predict(self, data: Any, *, probabilities: bool = False) -> Any:
        """Predict the targets of rows.

        Args:
            data: values of the input, one a row, where the input is one column: texts, lists of
                numbers, …; or whatever `elman.data.sources.read_table` reads: a path, a dict of
                columns, a list of dicts, a data frame. A Series is values of the input, too. A
                `UserWarning` names numbers that may be in another unit than those of training.
            probabilities: whether to return the probability of every class or label as well.

        Returns:
            One prediction per row, as a value of the target column; of a model of several targets a
            dictionary, target → value. With `probabilities` a pair of the predictions and an array
            of (n,), or (T, n), per row; of several targets a dictionary of those that have any.

        Raises:
            DataError: a value cannot be taken; its row is named.
            OptionError: probabilities are requested of an objective that has none.
        """
        table = self.table(data, with_targets=False)
        warn_of_units(table.notes)
        predictions = self.predictions(table)
        values = list(map(self.task.target.as_in_data, predictions.values))
        if not probabilities:
            return values
        return values, self.predictor.arrays(predictions)

    def by_target(self) -> dict[str, Model]:
        """Return a model of each target, where there are several; they share the network.

        Returns:
            Target → its model; the model itself where there is one target.
        """
        if not isinstance(self.task, JointTask):
            return {", ".join(self.task.target_columns): self}
        return {
            part.target_columns[0]: Model(self.experiment, part, OneOfSeveral(self.network, place))
            for place, part in enumerate(self.task.parts)
        }

    def predictions(self, table: Table) -> Predictions:
        """Predict the rows of a table, with probabilities where there are any."""
        return self.predictor.predict(table)

    @property
    def predictor(self) -> Predictor:
        """The predictor of this model's task, which takes tables."""
        return predictor_of(self.task, self.network, self.experiment)

    def write(self, data: Any, *, seed: int | None = None, **decoding: Any) -> list[list[Written]]:
        """Write one or several sequences for each row.

        Args:
            data: as for `predict`.
            seed: of sampling, where a temperature is given.
            decoding: see `elman.networks.decoding.DecodingOptions`; options that are not given are
                those of the experiment.

        Returns:
            For every row its outputs, at most `n_best`, the best first and all different.

        Raises:
            DataError: a value cannot be taken; its row is named.
            OptionError: the model does not write, or an option is out of its range.
        """
        return self.predictor.write(self.table(data, with_targets=False), seed=seed, **decoding)

    def attention(self, data: Any, **decoding: Any) -> list[AttentionMap]:
        """Write a sequence for every row, and return what each of its symbols attended to.

        Args:
            data: as for `predict`.
            decoding: as for `write`.

        Raises:
            DataError: a value cannot be taken; its row is named.
            OptionError: the model has no attention, or an option is out of its range.
        """
        return self.predictor.attention(self.table(data, with_targets=False), **decoding)

    def forecast(
        self,
        data: Any = None,
        *,
        horizon: int | None = None,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        seed: int = 1,
        paths: int = 0,
    ) -> dict[str, list[Any]]:
        """Forecast what comes after the last known value of every series.

        Args:
            data: series laid out as the training data was, a row per step: a path, columns, a data
                frame. Rows at their end without a value hold the known covariates of the steps
                ahead. None for the series of the training data, with their test steps.
            horizon: steps ahead; None for as many as were trained.
            quantiles: their levels.
            seed: of the paths that are sampled.
            paths: how many sampled paths, whose steps go together, to return of each series.

        Returns:
            Name of a column → its values, one per series and step: item, time, `step`, `mean`, a
            column for each quantile, named by its level, and for each path, `path 1` and so on.

        Raises:
            OptionError: the model does not forecast, or not this horizon, these quantiles or paths.
            DataError: data cannot be read, a series has no value, or values ahead are not known.
        """
        table = None if data is None else self.table(data, with_targets=False)
        return self.predictor.forecast(table, horizon, quantiles, seed, paths)

    def table(self, data: Any, *, with_targets: bool = True) -> Table:
        """Make a table of rows laid out as the training data was; see `predict`.

        Args:
            data: see `predict`.
            with_targets: whether only windows with a value after them are kept of a long series,
                as for evaluation.
        """
        layout = layout_of(self.experiment.data)
        numeric = layout.numeric(self.task)
        if isinstance(data, Table) and layout.is_laid_out(data):
            return layout.read_numbers(data, numeric)[0]
        if len(self.task.input_columns) == 1 and is_series(data):
            data = {self.task.input_columns[0]: data}
        if len(self.task.input_columns) == 1 and _are_values(data):
            table = Table.from_columns({self.task.input_columns[0]: data}, origin="data")
            return layout.read_numbers(table, numeric)[0]
        return layout.read_like(data, numeric, with_targets=with_targets)

    def evaluate(self, data: Any = "test", *, origins: int | None = None) -> dict[str, float]:
        """Score the model's predictions.

        Args:
            data: a part of the data it was trained on, `train`, `valid` or `test`; a path or
                values that hold the targets as well; for a model of piano rolls, a list of rolls.
            origins: of each series, at most, evenly spread over the part; for a forecast alone.

        Returns:
            Name of a score → its value; `elman.evaluation.measures.MEASURES` says what each is.
            Last, how many rows, steps or frames were measured.

        Raises:
            OptionError: there is no such part, or the model does not forecast from origins.
            DataError: the data cannot be read, or a value is malformed.
        """
        scores = self.scores(data, origins=origins)
        return {**scores.values, scores.unit: scores.count}

    def scores(
        self, data: Any = "test", *, origins: int | None = None, progress: Progress | None = None
    ) -> Scores:
        """Score the predictions, with details, and show how far it is; see `evaluate`."""
        rows, main = measured_rows(self, data), self.experiment.score
        predictor = self.predictor.showing(progress)
        scores = predictor.scores_with_guess(rows.table, main, rows.training, origins)
        notes = rows.notes
        if rows.training is None and self.trained_on is not None:
            notes = self.trained_on.note_on(self.task, rows.table)
        return scores.model_copy(update={"notes": (*scores.notes, *notes)})

    def importance(
        self,
        data: Any = "valid",
        *,
        repeats: int = 5,
        seed: int = 1,
        rows: int = 1_000,
        score: str | None = None,
    ) -> dict[str, Importance]:
        """Measure what each input column contributes: how much worse a score gets without it.

        The cells of a column are shuffled among the rows; see `column_importance`.

        Args:
            data: as for `evaluate`.
            repeats: shufflings of each column.
            seed: of the shufflings, and of the rows that are drawn.
            rows: so many rows are drawn where there are more.
            score: name of the score; None for the main one.

        Returns:
            Column → mean and standard deviation of the fall; of a score in which lower is better,
            of its rise.

        Raises:
            OptionError: there is no such part or score, the task predicts no rows, or a number is
                out of range.
            DataError: the data cannot be read, or the score is not computed on it.
        """
        measured = measured_rows(self, data)
        found = column_importance(
            self.predictor,
            measured.table,
            scores=None if score is None else [score],
            repeats=repeats,
            seed=seed,
            rows=rows,
            training=measured.training,
        )
        return next(iter(found.columns.values()))

    def generate(
        self, steps: int, seed: int, *, prime: Any = None, temperature: float = 1.0
    ) -> Any:
        """Continue a sequence: sample each element from the prediction given all before it.

        A network that writes a sequence for its input samples such a sequence.

        Args:
            steps: frames, characters, words or symbols to sample; the maximum for a network that
                writes.
            seed: of sampling.
            prime: what to continue: frames (P, 88), a text, a list of symbols; None begins anew.
                For a network that writes, a value of the input.
            temperature: below 1 samples likely elements more often, above 1 less often.

        Returns:
            A roll (steps, 88), a text or a list of symbols, without the prime.

        Raises:
            OptionError: the network needs to see the future or does not predict the next element,
                or a number is out of range.
        """
        return self.predictor.generate(steps, seed, prime=prime, temperature=temperature)

    def save(self, directory: str | Path) -> Path:
        """Write the weights, as safetensors, and the model's description, as JSON.

        Args:
            directory: created if need be.

        Returns:
            The directory.

        Raises:
            OptionError: the model is one of `by_target`.
        """
        if isinstance(self.network, OneOfSeveral):
            raise OptionError("targets share a network; save the model of all of them.")
        directory = Path(directory)
        saving.save(self._parts, directory)
        return directory

    @property
    def _parts(self) -> saving.Parts:
        return saving.Parts(self.experiment, self.task, self.network, self.trained_on)

    @classmethod
    def load(cls, directory: str | Path) -> Model:
        """Read what `save` wrote, or the best weights of a run that has not finished.

        Args:
            directory: of the model, or of the run that holds it.

        Raises:
            CheckpointError: a file is missing, truncated, corrupt, or does not fit the others.
        """
        return cls(*saving.load(Path(directory)))


def _are_values(data: Any) -> bool:
    """Tell a list of values, one a row, from rows, paths and columns."""
    if isinstance(data, str) or not isinstance(data, Sequence | np.ndarray):
        return False
    return not len(data) or not isinstance(data[0], Mapping)


def load(directory: str | Path) -> Model:
    """Load a trained model from the directory of its run, or of `Model.save`.

    Raises:
        CheckpointError: a file is missing, truncated, corrupt, or does not fit the others.
    """
    return Model.load(directory)
