"""The space of a search: which settings it varies, and within which bounds.

A space is declared, in `[tune.space]` of an experiment or in Python, or drawn around the settings
that a run of the experiment would have.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from elman.errors import ExperimentError, unknown
from elman.experiment import Experiment, full_name
from elman.experiment.categories import CATEGORIES

CELLS = ("gru", "lstm")
"""Cells that are tried by default, beside the one that suits the task."""

POOLINGS = ("last", "mean", "max", "attention")
"""Poolings that are tried by default."""

LEAST_UNITS = 4
"""Smallest layer that is tried by default."""

DROPOUTS = (
    "output_dropout",
    "dropout",
    "input_dropout",
    "embedding_dropout",
    "word_dropout",
    "convolution_dropout",
    "recurrent_dropout",
    "weight_dropout",
)
"""Dropout probabilities that are varied by default, where they are not zero; the first always."""

MOST_DROPOUT = 0.7
"""Greatest dropout probability that is tried by default."""

_KEYS = ("low", "high", "log")
"""Keys of a range."""

_SAME_FOR_ALL = ("data.", "tune.", "title", "score", "training.select", "training.folds")
"""Beginnings of settings that all trials share, for what is measured depends on them."""


class Range(NamedTuple):
    """Numbers between two bounds, both included."""

    low: float
    high: float
    log: bool = False
    """Whether a factor is as likely wherever it lies, as between 1e-4 and 1e-3."""
    whole: bool = False

    def draw(self, trial: Any, name: str) -> Any:
        """Take a value that an Optuna trial suggests."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def holds(self, value: Any) -> bool:
        """Tell whether a value lies in the range."""
        kinds = int if self.whole else int | float
        is_number = isinstance(value, kinds) and not isinstance(value, bool)
        return is_number and self.low <= value <= self.high

    def stored(self, value: Any) -> Any:
        """Return a value as a study holds it."""
        return value

    def read(self, stored: Any) -> Any:
        """Return the value that a study holds."""
        return stored

    def to_value(self) -> dict[str, Any]:
        """Return what declares the range in TOML."""
        kind = int if self.whole else float
        bounds = {"low": kind(self.low), "high": kind(self.high)}
        return bounds | ({"log": True} if self.log else {})

    def ends(self) -> list[Any]:
        """Return values that show whether all of them are accepted."""
        return [self.low, self.high]


class Choice(NamedTuple):
    """Some values, none nearer to one than to another."""

    values: tuple[Any, ...]

    def draw(self, trial: Any, name: str) -> Any:
        """Take a value that an Optuna trial suggests."""
        stored = [self.stored(value) for value in self.values]
        return self.read(trial.suggest_categorical(name, stored))

    def holds(self, value: Any) -> bool:
        """Tell whether a value is one of them."""
        return any(
            each == value and isinstance(each, bool) == isinstance(value, bool)
            for each in self.values
        )

    def stored(self, value: Any) -> Any:
        """Return a value as a study holds it: a list, which it does not hold, as a text."""
        return value if isinstance(value, str | int | float) else json.dumps(value)

    def read(self, stored: Any) -> Any:
        """Return the value that a study holds."""
        return next(value for value in self.values if self.stored(value) == stored)

    def to_value(self) -> list[Any]:
        """Return what declares the choice in TOML."""
        return list(self.values)

    def ends(self) -> list[Any]:
        """Return values that show whether all of them are accepted."""
        return list(self.values)


Dimension = Range | Choice
Space = Mapping[str, Dimension]
"""Full name of a setting → the values to try."""


def declared_space(declared: Mapping[str, Any], experiment: Experiment) -> dict[str, Dimension]:
    """Read a space that is declared.

    Args:
        declared: setting → a list of values, or a table with `low`, `high` and `log`.
        experiment: whose settings are varied; every bound and value must suit it.

    Raises:
        ExperimentError: a setting is unknown or cannot be varied, or its values are wrong; it is
            named.
    """
    space: dict[str, Dimension] = {}
    for name, values in _named(declared):
        full = full_name(name)
        if full.startswith(_SAME_FOR_ALL):
            raise ExperimentError(
                f"tune.space: {full} cannot be searched, for trials are compared by the same "
                "score of the same validation rows; leave it out of the space."
            )
        if full in space:
            raise ExperimentError(f"tune.space names {full} twice; say it once.")
        is_list = isinstance(values, list | tuple)
        space[full] = _choice(full, values) if is_list else _range(full, values)
        for value in space[full].ends():
            try:
                experiment.override({full: value})
            except ExperimentError as error:
                raise ExperimentError(
                    f"tune.space: {full} cannot be {value!r}: "
                    f"{str(error).removeprefix('the experiment: ')}"
                ) from error
    return space


def _named(declared: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Name what is declared by its path, for in TOML `network.cell` is a table in a table."""
    for name, values in declared.items():
        if isinstance(values, Mapping) and not values.keys() & set(_KEYS):
            if not values:
                raise ExperimentError(
                    f"tune.space: {prefix}{name} is empty; {_how(f'{prefix}{name}')}"
                )
            yield from _named(values, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", values


def _how(name: str) -> str:
    return (
        f"write a list of values, {name} = [1, 2], or a range, "
        f"{name} = {{ low = 1, high = 8, log = true }}."
    )


def _choice(name: str, values: Any) -> Choice:
    if not values:
        raise ExperimentError(f"tune.space: {name} has no values; {_how(name)}")
    repeated = [value for index, value in enumerate(values) if value in values[:index]]
    if repeated:
        raise ExperimentError(f"tune.space: {name} has {repeated[0]!r} twice; say it once.")
    return Choice(tuple(values))


def _range(name: str, values: Any) -> Range:
    if not isinstance(values, Mapping):
        raise ExperimentError(
            f"tune.space: {name} = {values!r} is one value; {_how(name)} A setting that all trials "
            "share stands in its own section, or after --set."
        )
    for key in values:
        if key not in _KEYS:
            raise unknown(f"key of tune.space.{name}", key, _KEYS, error=ExperimentError)
    for key in ("low", "high"):
        value = values.get(key)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is None or not is_number or not math.isfinite(value):
            raise ExperimentError(
                f"tune.space: {name} needs numbers low and high; {key} is "
                f"{'missing' if value is None else repr(value)}."
            )
    low, high, log = values["low"], values["high"], values.get("log", False)
    if not isinstance(log, bool):
        raise ExperimentError(f"tune.space: log of {name} must be true or false, got {log!r}.")
    if low >= high:
        raise ExperimentError(
            f"tune.space: {name} must have low < high, got low = {low!r} and high = {high!r}."
        )
    if log and low <= 0:
        raise ExperimentError(
            f"tune.space: {name} has log = true, so that low must be positive; got {low!r}."
        )
    whole = isinstance(low, int) and isinstance(high, int) and not _is_real(name)
    return Range(low, high, log, whole)


def _is_real(name: str) -> bool:
    """Tell whether a setting takes numbers that are not whole."""
    annotation: Any = Experiment
    for part in name.split("."):
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return True  # an option of a cell, of which only the cell knows more
        annotation = annotation.model_fields[part].annotation
    return float in _members(annotation)


def _members(annotation: Any) -> set[Any]:
    inner = {member for each in get_args(annotation) for member in _members(each)}
    return {annotation, *inner} if isinstance(annotation, type) else inner


def default_space(complete: Experiment, fixed: Collection[str] = ()) -> dict[str, Dimension]:
    """Draw a space around the settings of a run: cell, sizes, dropout, learning rate, batches.

    Sizes and rates are varied by factors, on a logarithmic scale; whatever has no meaning in the
    network, or is bound to another setting, stays as it is.

    Args:
        complete: an experiment with every setting filled in.
        fixed: full names of settings that stay as they are.
    """
    space = {**_of_layers(complete), **_of_dropout(complete), **_of_training(complete)}
    meaningless = _meaningless(complete)
    return {name: each for name, each in space.items() if name not in {*fixed, *meaningless}}


def _meaningless(complete: Experiment) -> set[str]:
    """Name the settings of the network that its category does not have."""
    category = CATEGORIES.get(complete.network.category or "")
    options = category.meaningless if category else frozenset()
    if category and not category.recurrent:
        options |= {"cell", "num_layers"}
    return {f"network.{name}" for name in options}


def _of_layers(complete: Experiment) -> dict[str, Dimension]:
    network = complete.network
    space: dict[str, Dimension] = {}
    bound_to_cell = network.cell_options or isinstance(network.zoneout, tuple)
    if not bound_to_cell:
        space["network.cell"] = Choice(tuple(dict.fromkeys([network.cell, *CELLS])))
    if isinstance(network.hidden_size, int):
        space["network.hidden_size"] = _sizes(network.hidden_size, below=4, above=2)
        space["network.num_layers"] = Range(1, network.num_layers + 1, whole=True)
    elif network.parameters is not None:
        space["network.parameters"] = _sizes(network.parameters, below=4, above=2)
    bound_to_vocabulary = network.word_vectors is not None or network.tie_embeddings
    if network.embedding_size is not None and not bound_to_vocabulary:
        space["network.embedding_size"] = _sizes(network.embedding_size, below=2, above=2)
    if network.category == "many-to-one" and not complete.data.horizon:
        space["network.pooling"] = Choice(tuple(dict.fromkeys([network.pooling, *POOLINGS])))
    return space


def _sizes(size: int, *, below: int, above: int) -> Range:
    low = min(size, max(LEAST_UNITS, size // below))
    return Range(low, max(size * above, low + 1), log=True, whole=True)


def _of_dropout(complete: Experiment) -> dict[str, Dimension]:
    always, *others = DROPOUTS
    network = complete.network
    varied = [always, *[name for name in others if getattr(network, name)]]
    return {
        f"network.{name}": Range(0.0, max(MOST_DROPOUT, getattr(network, name))) for name in varied
    }


def _of_training(complete: Experiment) -> dict[str, Dimension]:
    training = complete.training
    rate, batch, decay = training.learning_rate, training.batch_size, training.weight_decay
    lowest = max(rate / 10, min(2 * training.minimum_learning_rate, rate))
    space: dict[str, Dimension] = {"training.learning_rate": Range(lowest, 5 * rate, log=True)}
    space["training.batch_size"] = Choice(tuple(sorted({max(1, batch // 2), batch, 2 * batch})))
    if decay:
        space["training.weight_decay"] = Range(decay / 10, 10 * decay, log=True)
    return space


def differences(here: Space, there: Space) -> list[str]:
    """List the settings whose values to try differ, with both."""
    values = [{name: each.to_value() for name, each in space.items()} for space in (here, there)]
    return [
        f"tune.space.{name} = {values[0].get(name, 'not given')!r}, there "
        f"{values[1].get(name, 'not given')!r}"
        for name in sorted({*here, *there})
        if values[0].get(name) != values[1].get(name)
    ]
