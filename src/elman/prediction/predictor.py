"""What every predictor does with a network: predict, score, write, forecast, generate.

There is one class of predictors per class of tasks. Each does what its task is for and refuses the
rest with an error.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple, NoReturn, Self

import torch
from torch import Tensor

from elman.data.table import Table
from elman.errors import DataError, OptionError
from elman.evaluation.scores import Scores
from elman.experiment import Experiment
from elman.experiment.training import checked_seed
from elman.tasks.task import Task
from elman.training.progress import NoProgress, Progress

PREDICTED = "predicted "
"""Prefix of a column of predictions beside the column of what is true."""


class Predictions(NamedTuple):
    """One prediction per row, in the order of the table."""

    values: list[Any]
    """Decoded to the target's own values."""
    probabilities: list[Any] | None
    """Of every class or label, (n,) or (T, n) per row, where the objective has any; of several
    targets a tuple of these per row, None for a target without them."""


class Written(NamedTuple):
    """One of the sequences that a network wrote for a row."""

    value: Any
    """Decoded to the target's own values."""
    log_probability: float
    """Of all its symbols and its end, in nats."""
    score: float
    """The score it is ranked by, see `DecodingOptions.length_penalty`."""
    finished: bool
    """Whether it ended by itself, not at the maximum length."""


class AttentionMap(NamedTuple):
    """What a decoder attended to while it wrote."""

    source: list[str]
    """Symbols of the source, S."""
    written: list[str]
    """Symbols of the output, U, and the end."""
    weights: Tensor
    """(U + 1, S); each row sums to 1."""


@dataclass(frozen=True)
class Predictor(ABC):
    """A network and its task, put to use.

    Attributes:
        task: what is predicted from what.
        network: with its objective; left in evaluation mode.
        experiment: complete; it holds batch size, decoding options and metric.
        progress: where a forecast from many origins shows how far it is.
    """

    task: Any
    network: Any
    experiment: Experiment
    progress: Progress = field(default_factory=NoProgress)

    takes: ClassVar[frozenset[str]] = frozenset({"probabilities"})
    """Options of a prediction that this predictor accepts."""
    needs_rows: ClassVar[bool] = True
    """Whether rows must be given; else it continues the training data."""
    measures_columns: ClassVar[bool] = False
    """Whether what each column contributes can be measured, by shuffling cells among the rows."""

    def showing(self, progress: Progress | None) -> Self:
        """Return the predictor as it is, but for where it shows progress; None shows none."""
        return replace(self, progress=progress or NoProgress())

    @property
    def batch_size(self) -> int:
        """Rows at a time."""
        return self.experiment.training.batch_size

    @property
    def device(self) -> torch.device:
        """The device of the network's weights."""
        parameter: Tensor = next(self.network.parameters())
        return parameter.device

    @property
    def sets(self) -> set[str]:
        """The columns of rows and predictions whose lists are names in no order."""
        task = self.task
        names = {name for name in task.input_columns if task.input.is_set}
        if task.target.is_set:
            target = ", ".join(task.target_columns)
            names |= {*task.target_columns, target, f"{PREDICTED}{target}"}
        return names

    def check_installed(self) -> None:
        """Raise, before hours of training, if the scores need an extra that is missing.

        Raises:
            MissingDependencyError: an extra is not installed.
        """
        return

    @abstractmethod
    def predict(self, table: Table) -> Predictions:
        """Predict the target of every row.

        Raises:
            DataError: a value cannot be taken, or a column is missing.
            OptionError: the task has no target per row.
        """

    def scores(
        self,
        table: Table,
        *,
        main: str | None = None,
        training: Table | None = None,
        origins: int | None = None,
    ) -> Scores:
        """Measure predictions on a table that has the targets.

        Args:
            table: with the columns of input and target.
            main: name of the main score; None for the usual one of the task.
            training: the training part, by which the errors of a forecast are scaled.
            origins: of the forecasts of a series, at most, evenly spread over its steps; None for
                those that the experiment's stride gives.

        Raises:
            DataError: a value cannot be taken, or a column is missing.
            OptionError: there is no score of that name, or it is left out; or origins are given,
                and this is no forecast.
        """
        table.require(self.task.input_columns)
        if origins is None:
            scores = self._scores(table, training)
        else:
            scores = self._scores_from(table, training, origins)
        main = main or scores.main
        scores.check_name(main)
        return scores.model_copy(update={"main": main})

    def begin(self, validation: Any) -> list[str]:
        """Prepare the network for training, and say what was found, a line each.

        Args:
            validation: the batches of validation.
        """
        del validation
        return []

    def finish(self, validation: Any) -> list[str]:
        """Complete the network after training, and say what was found, a line each.

        Args:
            validation: the batches of validation.
        """
        del validation
        return []

    @abstractmethod
    def _scores(self, table: Table, training: Table | None) -> Scores: ...

    def scores_with_guess(
        self,
        table: Table,
        main: str | None,
        training: Table | None,
        origins: int | None = None,
    ) -> Scores:
        """Measure predictions, and the best plain guess beside them; see `scores`."""
        scores = self.scores(table, main=main, training=training, origins=origins)
        return self.with_plain_guess(scores, table, training or table)

    def with_plain_guess(self, scores: Scores, table: Table, training: Table) -> Scores:
        """Add the scores of the best plain guess to those of a table.

        Args:
            scores: of the table.
            table: with the columns of input and target.
            training: the rows that the guess is made from: those of training, or, where they are
                not at hand, the table itself.

        Returns:
            Scores with `details["plain_guess"]`; the same where no guess is made, as for a
            forecast, which has the naive ones in its own details.
        """
        del table, training
        return scores

    def _scores_from(self, table: Table, training: Table | None, origins: int) -> Scores:
        """Measure forecasts from so many origins of each series; other predictors refuse."""
        del table, training
        raise OptionError(
            f"origins = {origins} are those of forecasts, and this model does not forecast series "
            f"over a horizon: its task is {self.task.sentence}. Leave --origins out."
        )

    def column_scores(self, table: Table, training: Table | None = None) -> Scores:
        """Measure a table that has a column shuffled; see `scores`."""
        return self.scores(table, main=self.experiment.score, training=training)

    def scores_of_targets(self, scores: Scores) -> tuple[str, ...]:
        """Name the scores that a column can contribute to: one of each target, the main one first.

        Args:
            scores: of some rows.
        """
        return (scores.main,)

    def columns(
        self,
        table: Table | None,
        *,
        probabilities: bool = False,
        seed: int | None = None,
        decoding: Mapping[str, Any] | None = None,
        horizon: int | None = None,
        quantiles: Sequence[float] | None = None,
        paths: int | None = None,
    ) -> dict[str, Any]:
        """Predict rows and return them with their predictions.

        Args:
            table: rows; None where the predictor needs none.
            probabilities: whether to add a column for the probability of every class or label,
                `p(NAME)`, or `p(TARGET=NAME)` where several targets have names; of a model that
                writes, for the log-probability of each output, `log p(TARGET)`.
            seed: of sampling.
            decoding: options of decoding, see `elman.networks.decoding.DecodingOptions`.
            horizon: steps ahead, of a forecast.
            quantiles: levels of a forecast's quantiles.
            paths: number of a forecast's sampled paths.

        Returns:
            Name of a column → its values: those of the table, then the predictions, one column a
            target, named after it, or `predicted TARGET` where the table has such a column. The
            second best output of a model that writes is `TARGET 2`, empty in a row that has none.

        Raises:
            OptionError: an option has no meaning here.
        """
        given = {"seed": seed, "horizon": horizon, "quantiles": quantiles, "paths": paths}
        for name, value in (given | dict(decoding or {})).items():
            if value is not None:
                self.refuse(name)
        assert table is not None, "a predictor of rows needs rows"
        predictions = self.predict(table)
        columns = self._with_predictions(table, predictions)
        return columns | (self._probabilities(predictions) if probabilities else {})

    def _with_predictions(self, table: Table, predictions: Predictions) -> dict[str, Any]:
        """Return the columns of a table, and those of the predictions."""
        columns, name = self._table_columns(table)
        return {**columns, name: list(map(self.task.target.as_in_file, predictions.values))}

    def _table_columns(self, table: Table) -> tuple[dict[str, Any], str]:
        """Return the columns of a table, and a name for the column of predictions."""
        columns = {name: list(table.written(name)) for name in table.columns}
        name = ", ".join(self.task.target_columns)
        return columns, f"{PREDICTED}{name}" if name in columns else name

    def _probabilities(self, predictions: Predictions) -> dict[str, list[float]]:
        """Return a column of the probability of each class or label."""
        target = self.task.target
        if predictions.probabilities is None or not target.predicts_names or target.has_steps:
            self._refuse_probabilities()
        return columns_of_names(target.names, predictions.probabilities, "")

    def arrays(self, predictions: Predictions) -> list[Any]:
        """Return the probabilities of each row as arrays, (n,) or (T, n).

        Raises:
            OptionError: the objective gives none.
        """
        if predictions.probabilities is None:
            raise OptionError(
                f"the objective {self.task.objective['name']!r} gives no probabilities; leave "
                "probabilities out."
            )
        return [each.numpy() for each in predictions.probabilities]

    def notes_of(self, table: Table) -> list[str]:
        """Return notes on rows that are about to be predicted, a sentence each."""
        del table
        return []

    def refuse(self, option: str) -> NoReturn:
        """Refuse an option that has no meaning here.

        Raises:
            OptionError: always.
        """
        name = option.removeprefix("--")
        if name in {"horizon", "quantiles", "paths"}:
            self._refuse_forecast()
        if name == "probabilities":
            self._refuse_probabilities()
        raise OptionError(
            f"{option} is for a model that decodes a sequence; this model's task is "
            f"{self.task.sentence}."
        )

    def _refuse_probabilities(self) -> NoReturn:
        raise OptionError(
            "probabilities are given for classes and labels, one target a row; this model's "
            f"task is {self.task.sentence}."
        )

    def _refuse_forecast(self) -> NoReturn:
        raise OptionError(
            f"this model does not forecast: its task is {self.task.sentence}. A model that "
            "forecasts is trained with a horizon."
        )

    def write(
        self, table: Table, *, seed: int | None = None, **decoding: Any
    ) -> list[list[Written]]:
        """Write one or several sequences for each row; refused by a model that writes none."""
        del table, seed, decoding
        raise OptionError(
            f"this model writes no sequences: its task is {self.task.sentence}; use predict."
        )

    def attention(self, table: Table, **decoding: Any) -> list[AttentionMap]:
        """Write a sequence for every row, and return what each of its symbols attended to."""
        self.write(table, **decoding)
        return []

    def forecast(
        self, table: Table | None, horizon: int | None, quantiles: Any, seed: int, paths: int = 0
    ) -> dict[str, list[Any]]:
        """Forecast what comes after the last known value of every series."""
        del table, horizon, quantiles, seed, paths
        self._refuse_forecast()

    def generate(self, steps: int, seed: int, *, prime: Any, temperature: float) -> Any:
        """Continue a sequence by sampling; refused where no next step is predicted."""
        del steps, seed, prime, temperature
        raise OptionError(
            f"this model does not generate: its task is {self.task.sentence}. A network that "
            "generates is trained with target = next on text, symbols or piano rolls."
        )

    def note_of_prime(self, prime: Any) -> str | None:
        """Say how much of a sequence to continue is unknown; None where nothing is."""
        del prime
        return None


def columns_of_names(
    names: Sequence[Any], probabilities: Sequence[Tensor], target: str
) -> dict[str, list[float]]:
    """Return `p(NAME)`, or of one of several targets `p(TARGET=NAME)` → probability in each row."""
    before = f"{target}=" if target else ""
    return {
        f"p({before}{name})": [float(row[index]) for row in probabilities]
        for index, name in enumerate(names)
    }


def require_targets(task: Task, table: Table) -> None:
    """Refuse, by a DataError, a table without the target columns."""
    for column in task.target_columns:
        if column not in table.columns:
            raise DataError(
                f"{table.source} has no column {column!r}, the target to compare with; "
                f"it has {', '.join(table.columns)}. `predict` needs none."
            )


def check_sampling(*, steps: int, temperature: float, seed: int) -> torch.Generator:
    """Check the options of sampling, and return a generator of the seed.

    Raises:
        OptionError: a number is out of range.
    """
    if steps < 1:
        raise OptionError(f"steps must be at least 1, got {steps}.")
    if not 0 < temperature < float("inf"):
        raise OptionError(f"temperature must be a positive number, got {temperature}.")
    return torch.Generator().manual_seed(checked_seed(seed))
