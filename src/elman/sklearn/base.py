"""The base class of the estimators: parameters, X to columns, and training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import (
    check_is_fitted,
    check_random_state,
    validate_data,
)

from elman.data.sources.frames import is_frame
from elman.data.table import Table
from elman.errors import DataError, OptionError
from elman.experiment import full_name
from elman.experiment.training import checked_seed
from elman.models.directory import EXPERIMENT
from elman.models.model import Model
from elman.runs.run import RunResult, run_experiment
from elman.runs.train import experiment_for
from elman.sklearn import columns
from elman.sklearn.columns import Inputs
from elman.training.progress import NoProgress, progress_on_stderr
from elman.training.seeds import generator_state, restore_generators

SETTING_OF = {
    "cell": "network.cell",
    "hidden_size": "network.hidden_size",
    "num_layers": "network.num_layers",
    "bidirectional": "network.bidirectional",
    "dropout": "network.dropout",
    "epochs": "training.epochs",
    "learning_rate": "training.learning_rate",
    "batch_size": "training.batch_size",
    "patience": "training.patience",
    "validation_fraction": "data.valid_fraction",
    "input_kind": "data.input_kind",
    "random_state": "seed",
}
"""Parameter of an estimator → full name of its setting."""

_DATA_SETTINGS = ("data.input_options", "data.target_options", "data.max_rows", "data.split_order")
"""Data settings that also apply to X and y."""

_SEEDS = 2**31 - 1
"""Upper bound of a seed that is sampled from a generator."""


class SequenceEstimator(BaseEstimator):  # type: ignore[misc]
    """The base class of the estimators: parameters, X to columns, and training."""

    _reads_rows = True
    """Whether each row of a 2-D array is a row of a table; if not, it is a sequence."""

    def __init__(
        self,
        *,
        cell: str | None = None,
        hidden_size: int | Sequence[int] | None = None,
        num_layers: int | None = None,
        bidirectional: bool | None = None,
        dropout: float | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        patience: int | None = None,
        validation_fraction: float = 0.1,
        input_kind: str | None = None,
        settings: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
        directory: str | Path | None = None,
        verbose: bool = False,
    ) -> None:
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.input_kind = input_kind
        self.settings = settings
        self.random_state = random_state
        self.directory = directory
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags

    def _train(self, inputs: Inputs, targets: Mapping[str, Any], target_kind: str) -> None:
        """Train a model and keep it with its scores.

        Args:
            inputs: X as columns.
            targets: name of each target column → its values, checked.
            target_kind: kind of the target columns.
        """
        renamed = {_free_name(name, inputs.columns): values for name, values in targets.items()}
        table = Table.from_columns({**inputs.columns, **renamed}, origin="the data")
        settings = self._settings(inputs) | {
            "data.input": list(inputs.columns),
            "data.target": list(renamed),
            "data.target_kind": target_kind,
            "data.test_fraction": 0.0,
        }
        experiment, source = experiment_for(table, settings)
        progress = progress_on_stderr() if self.verbose else NoProgress()
        with _unchanged_generators(), self._run_directory() as directory:
            run = run_experiment(
                experiment,
                directory,
                source=source,
                progress=progress,
                page=self.directory is not None,
            )
        self.model_: Model = run.model
        self.result_: RunResult = run.result
        feature: Any = self.model_.task.input
        if feature.kind == "series" and not hasattr(self, "n_features_in_"):
            self.n_features_in_ = len(feature.scaling.mean)

    def _settings(self, inputs: Inputs) -> dict[str, Any]:
        """Collect the settings that were given, by their full names."""
        if not 0 < self.validation_fraction < 1:
            raise OptionError(
                f"validation_fraction must lie between 0 and 1, got {self.validation_fraction}."
            )
        parameters = {
            setting: _plain(getattr(self, name))
            for name, setting in SETTING_OF.items()
            if getattr(self, name) is not None
        }
        inferred: dict[str, Any] = {"data.input_options": dict(inputs.options)}
        if inputs.kind is not None:
            inferred["data.input_kind"] = inputs.kind
        for name, value in (self.settings or {}).items():
            setting = full_name(name)
            self._refuse_setting(name, setting)
            if setting == "data.input_options" and isinstance(value, Mapping):
                value = {**inputs.options, **value}
            parameters[setting] = _plain(value)
        return inferred | parameters | {"seed": self._seed()}

    def _refuse_setting(self, name: str, setting: str) -> None:
        """Refuse a setting that is a parameter, or that has no effect if X and y are passed."""
        for parameter, known in SETTING_OF.items():
            if setting == known:
                raise OptionError(
                    f"settings holds {name!r}, which is a parameter: use "
                    f"{type(self).__name__}({parameter}=…)."
                )
        if setting.startswith("data.") and not setting.startswith(_DATA_SETTINGS):
            raise OptionError(
                f"settings holds {name!r}, which has no effect if X and y are passed; leave it out."
            )

    def _seed(self) -> int:
        """Return `random_state` if it is a seed; sample one from it if it is a generator."""
        if isinstance(self.random_state, int | np.integer):
            return checked_seed(int(self.random_state), "random_state")
        return int(check_random_state(self.random_state).randint(_SEEDS))

    @contextmanager
    def _run_directory(self) -> Iterator[Path]:
        """Yield `directory`, or a temporary directory that is deleted afterwards.

        Raises:
            OptionError: `directory` already holds a run.
        """
        if self.directory is None:
            with TemporaryDirectory(prefix="elman-") as temporary:
                yield Path(temporary, type(self).__name__)
            return
        if Path(self.directory, EXPERIMENT).exists():
            raise OptionError(
                f"directory={str(self.directory)!r} already holds a run, and every fit is a new "
                "run; choose another directory, or directory=None, which keeps no files. "
                "Cross-validation fits many times and needs None."
            )
        yield Path(self.directory)

    def _inputs(self, X: Any) -> Inputs:
        """Turn the X of `fit` into columns."""
        for attribute in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, attribute):
                delattr(self, attribute)
        X = columns.without_wrapper(X)
        if is_frame(X):
            validate_data(self, X, skip_check_array=True)
            return Inputs(
                columns.frame_columns(X, [str(c) for c in X.columns]), self.input_kind, {}
            )
        if columns.is_rows(X, self.input_kind) and self._reads_rows:
            return columns.row_inputs(self._checked_rows(X, fitting=True), self.input_kind)
        return columns.sequence_inputs(X, self.input_kind)

    def _predict(self, X: Any, *, probabilities: bool = False) -> Any:
        """Predict with `Model.predict`.

        Raises:
            NotFittedError: the estimator is not fitted.
            DataError: X is of another type than in `fit`, or a value cannot be read.
        """
        check_is_fitted(self, "model_")
        return self.model_.predict(self._table(X), probabilities=probabilities)

    def _table(self, X: Any) -> Table:
        """Turn the X of `predict` into the columns that the model was trained on."""
        names = self.model_.task.input_columns
        if hasattr(self, "feature_names_in_") and columns.is_one_column(X, names):
            values = columns.column_values(X, names[0])
            return Table.from_columns({names[0]: values}, origin="X")
        X = columns.without_wrapper(X)
        of_sequences = names == (columns.SEQUENCES,) and not hasattr(self, "feature_names_in_")
        if is_frame(X):
            if of_sequences:
                raise DataError(
                    "X was a list or an array of sequences in fit, and is a data frame now; pass "
                    "its column: X[name]."
                )
            validate_data(self, X, skip_check_array=True, reset=False)
            inputs = columns.frame_columns(X, names)
        elif of_sequences:
            inputs = {columns.SEQUENCES: columns.sequences(X, columns.SEQUENCES)}
        else:
            inputs = columns.row_columns(self._checked_rows(X, fitting=False), names)
        return Table.from_columns(inputs, origin="X")

    def _checked_rows(self, X: Any, *, fitting: bool) -> NDArray[Any]:
        """Check a 2-D array of numbers, NaN where missing, as scikit-learn does."""
        least = columns.LEAST if fitting else 1
        checked: NDArray[Any] = validate_data(
            self, X, reset=fitting, ensure_all_finite="allow-nan", ensure_min_samples=least
        )
        return checked


def refuse_no_target(estimator: BaseEstimator, y: Any) -> None:
    """Refuse to train without a target.

    Raises:
        DataError: y is None.
    """
    if y is None:
        raise DataError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None; give "
            "a target for every sample of X."
        )


def refuse_several_targets(estimator: BaseEstimator, y: Any) -> None:
    """Refuse several columns of targets where one is predicted.

    Raises:
        DataError: y has several.
    """
    shape: tuple[int, ...] = getattr(y, "shape", ())
    if len(shape) > 1 and shape[1] > 1:
        raise DataError(
            f"{type(estimator).__name__} predicts one target, and y has {shape[1]} columns; fit an "
            "estimator for each, or one model of all with elman.train(data, target=[…])."
        )


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    """Change the name of a target column until no column of X has it."""
    while name in taken:
        name += "_"
    return name


def _plain(value: Any) -> Any:
    """Turn NumPy's numbers, which a parameter search may pass, into Python's."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


@contextmanager
def _unchanged_generators() -> Iterator[None]:
    """Restore the global generators of Python, NumPy and PyTorch afterwards."""
    state = generator_state()
    try:
        yield
    finally:
        restore_generators(*state)
