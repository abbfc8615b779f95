"""The specification of an experiment: TOML ↔ pydantic, recipes, overrides.

PyTorch is imported only where a network is built, so that a wrong specification is refused at once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from elman.errors import ElmanError, ExperimentError, unknown
from elman.training.settings import GREATEST_SEED, TrainingSettings

if TYPE_CHECKING:
    from torch import Tensor

    from elman.networks import ManyToMany

Units = Annotated[int, Field(ge=1)]
"""Units of a layer."""

CellOption = bool | int | float | str

_RIVALS = {
    "network.hidden_size": "network.parameters",
    "network.parameters": "network.hidden_size",
}
"""Settings of which exactly one is given."""

_KINDS = {
    "network.hidden_size": "must be a whole number from 1 up, or a list with one a layer",
    "network.cell_options": "must be true, false, a number or a text",
}
"""What values of several types may be, in words."""


class DataSpec(BaseModel):
    """What is learned from: the next frame of every piece of a data set.

    Attributes:
        name: of the data set, in `elman.data.catalog`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str


class NetworkSpec(BaseModel):
    """The network: recurrent layers, and one dense layer that reads them.

    Exactly one of `hidden_size` and `parameters` is given.

    Attributes:
        cell: of every recurrent layer.
        hidden_size: units of every recurrent layer, or a list with one number a layer.
        parameters: a budget; the hidden size is the one whose network comes nearest to it.
        num_layers: recurrent layers; to be left out where `hidden_size` is a list.
        bidirectional: whether a second stack reads every sequence backwards.
        delay: steps of look-ahead before an output is read.
        dropout: between recurrent layers.
        output_dropout: on the last recurrent layer's output.
        recurrent_dropout: on h(t−1) inside the recurrence, one mask a sequence.
        zoneout: probability that a unit keeps its old value.
        layer_norm: in the recurrence.
        output_bias_init: what the dense layer's bias begins at: `base-rate`, the log-odds of each
            output in the training split, or `uniform`, drawn like a weight.
        cell_options: of this cell alone, as its layer takes them: `reset_after` of the GRU,
            `peephole` and `coupled_gates` of the LSTM, `nonlinearity` of the simple cell, ….
        backend: which implementation runs it; `auto` takes the fastest that can.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    cell: str = "gru"
    hidden_size: Units | list[Units] | None = None
    parameters: int | None = Field(default=None, ge=1)
    num_layers: int = Field(default=1, ge=1)
    bidirectional: bool = False
    delay: int = Field(default=0, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    output_dropout: float = Field(default=0.0, ge=0, lt=1)
    recurrent_dropout: float = Field(default=0.0, ge=0, lt=1)
    zoneout: float = Field(default=0.0, ge=0, lt=1)
    layer_norm: bool = False
    output_bias_init: Literal["base-rate", "uniform"] = "base-rate"
    cell_options: dict[str, CellOption] = {}
    backend: str = "auto"

    @model_validator(mode="after")
    def _ask_for_one_size(self) -> NetworkSpec:
        if (self.hidden_size is None) == (self.parameters is None):
            given = "neither" if self.hidden_size is None else "both"
            raise ValueError(f"give hidden_size or parameters, one of the two; got {given}")
        if isinstance(self.hidden_size, list) and self.num_layers != 1:
            raise ValueError(
                f"hidden_size = {self.hidden_size} says how many layers there are; "
                "leave num_layers out"
            )
        return self

    def build(self, size: int, *, output_bias: Tensor | None = None) -> ManyToMany:
        """Build the network for `size` inputs and as many outputs, with new weights.

        Args:
            size: inputs of the network, and outputs.
            output_bias: what the dense layer's bias begins at, (size,); None draws it.

        Raises:
            OptionError: an unknown cell or option, or a value out of range.
        """
        from elman.networks import many_to_many

        return many_to_many(
            hidden_size=self.solve_hidden_size(size),
            output_bias=output_bias,
            **self._arguments(size),
        )

    def solve_hidden_size(self, size: int) -> int | list[int]:
        """Return the hidden size, the one whose network comes nearest to `parameters` if given.

        Args:
            size: inputs of the network, and outputs.

        Raises:
            OptionError: no network is that small or that large.
        """
        from elman.networks import hidden_size_for

        if self.hidden_size is not None:
            return self.hidden_size
        return hidden_size_for(self.parameters or 0, **self._arguments(size))

    def _arguments(self, size: int) -> dict[str, Any]:
        sizes = {"input_size": size, "output_size": size}
        left_out = {"hidden_size", "parameters", "output_bias_init"}
        if isinstance(self.hidden_size, list):
            left_out.add("num_layers")
        return sizes | self.model_dump(exclude=left_out)


_SECTIONS: dict[str, type[BaseModel]] = {
    "data": DataSpec,
    "network": NetworkSpec,
    "training": TrainingSettings,
}


class Experiment(BaseModel):
    """Everything that determines a training run.

    Attributes:
        title: what it is, in a few words.
        seed: of initial weights, order of batches and dropout masks.
        data: what is learned from.
        network: what learns.
        training: how it learns.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    title: str = ""
    seed: int = Field(default=1, ge=0, le=GREATEST_SEED)
    data: DataSpec
    network: NetworkSpec
    training: TrainingSettings = TrainingSettings()

    @model_validator(mode="after")
    def _refuse_to_carry_what_has_seen_the_future(self) -> Experiment:
        seeing = {"bidirectional": self.network.bidirectional, "delay": self.network.delay}
        for name, value in seeing.items():
            if value and self.training.chunk_length and self.training.carry_state:
                raise ValueError(
                    f"a network with {name} = {str(value).lower()} reads a sequence's future, so "
                    "no chunk can go on from the state of the one before it; set "
                    "training.carry_state = false"
                )
        return self

    @classmethod
    def from_values(cls, values: Mapping[str, Any], *, origin: str) -> Experiment:
        """Check nested values as a TOML file holds them.

        Raises:
            ExperimentError: a key is unknown or missing, or a value is wrong; the first is named.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            # An unknown key comes first: a misspelt one is often reported as missing, too.
            errors = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
            raise _in_words(errors[0], origin) from error

    @classmethod
    def from_toml(cls, text: str, *, origin: str = "experiment") -> Experiment:
        """Read a specification.

        Raises:
            ExperimentError: the text is not TOML, or as for `from_values`.
        """
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ExperimentError(f"{origin} is not TOML: {error}.") from error
        return cls.from_values(values, origin=origin)

    def to_values(self) -> dict[str, Any]:
        """Return every setting, defaults too, as nested values; those not given are left out."""
        return self.model_dump(exclude_none=True)

    def to_toml(self) -> str:
        """Write the specification out, every default too."""
        return tomli_w.dumps(self.to_values())

    def solved(self, size: int) -> Experiment:
        """Return the experiment with a hidden size in place of a parameter budget."""
        found = {"hidden_size": self.network.solve_hidden_size(size), "parameters": None}
        network = self.network.model_copy(update=found)
        return self.model_copy(update={"network": network})

    def override(self, overrides: Mapping[str, Any]) -> Experiment:
        """Return the experiment with some settings changed.

        Args:
            overrides: setting → value; a setting is named in full, `training.epochs`, or by its
                last part, `epochs`. A `hidden_size` takes the place of `parameters`, and the
                other way round.

        Raises:
            ExperimentError: a setting is unknown, or its value is wrong.
        """
        values = self.to_values()
        asked = {full_name(name): value for name, value in overrides.items()}
        for name in asked:
            rival = _RIVALS.get(name)
            if rival and rival not in asked:
                values["network"].pop(rival.removeprefix("network."), None)
        for name, value in asked.items():
            *sections, key = name.split(".")
            table = values
            for section in sections:
                table = table.setdefault(section, {})
            table[key] = value
        return Experiment.from_values(values, origin="the experiment")

    def differences(self, other: Experiment) -> list[str]:
        """Name the settings in which another experiment differs, with both values."""
        here, there = _flat(self.to_values()), _flat(other.to_values())
        return [
            f"{name} = {here.get(name, 'not given')!r}, there {there.get(name, 'not given')!r}"
            for name in sorted(here.keys() | there.keys())
            if here.get(name) != there.get(name)
        ]


def read_experiment(source: str | Path) -> Experiment:
    """Read a TOML file, or a recipe that Elman ships.

    Args:
        source: a path that ends in `.toml`, or the name of a recipe.

    Raises:
        ExperimentError: there is no such file or recipe, or its content is wrong.
    """
    if Path(source).suffix == ".toml":
        try:
            text = Path(source).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise ExperimentError(f"there is no experiment file {source}.") from error
        return Experiment.from_toml(text, origin=str(source))
    if source not in recipes():
        raise unknown("recipe", str(source), recipes(), error=ExperimentError)
    text = resources.files("elman.recipes").joinpath(f"{source}.toml").read_text(encoding="utf-8")
    return Experiment.from_toml(text, origin=f"recipe {source}")


def recipes() -> list[str]:
    """List the recipes that Elman ships."""
    files = resources.files("elman.recipes").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def parse_overrides(assignments: Iterable[str]) -> dict[str, Any]:
    """Read `setting=value` texts, each value written as in TOML.

    A single word needs no quotes.

    Raises:
        ExperimentError: a text is no assignment, or its value is not TOML.

    >>> parse_overrides(["network.hidden_size=[64, 32]", "cell=lstm"])
    {'network.hidden_size': [64, 32], 'cell': 'lstm'}
    """
    overrides = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise ExperimentError(
                f"a setting is written name=value, as in training.epochs=100; got {assignment!r}."
            )
        overrides[name.strip()] = _parse_value(value.strip(), assignment)
    return overrides


def full_name(name: str) -> str:
    """Complete a setting's name with its section.

    Raises:
        ExperimentError: no setting is called that; a near miss is offered.

    >>> full_name("epochs")
    'training.epochs'
    """
    known = _setting_names()
    if name in known or name.startswith("network.cell_options."):
        return name
    short = {full.rsplit(".", 1)[-1]: full for full in known}
    if name in short:
        return short[name]
    raise unknown("setting", name, known if "." in name else short, error=ExperimentError)


def _setting_names() -> list[str]:
    nested = [f"{name}.{key}" for name, model in _SECTIONS.items() for key in model.model_fields]
    return ["title", "seed", *nested]


def _parse_value(text: str, assignment: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        if re.fullmatch(r"[A-Za-z][\w.-]*", text):
            return text
        raise ExperimentError(
            f"the value in {assignment!r} must be written as in TOML: 0.1, 100, true, "
            f'"text" or [64, 32]; got {text!r}.'
        ) from error


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Name every value by its path: {"a": {"b": 1}} gives {"a.b": 1}."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _in_words(error: ErrorDetails, origin: str) -> ElmanError:
    """Turn pydantic's account of what is wrong into a sentence."""
    path = [str(part) for part in error["loc"]]
    name, kind, got = ".".join(path), error["type"], error["input"]
    for several, words in _KINDS.items():
        if name.startswith(several):
            return ExperimentError(f"{origin}: {several} {words}, got {got!r}.")
    model, key = (_SECTIONS.get(path[0]), path[-1]) if len(path) > 1 else (Experiment, name)
    if kind == "extra_forbidden" and model:
        what = f"{path[0]} key" if len(path) > 1 else "key"
        wrong = unknown(what, key, model.model_fields, error=ExperimentError)
        return ExperimentError(f"{origin}: {wrong}")
    if kind == "literal_error" and model:
        choices = get_args(model.model_fields[key].annotation)
        return ExperimentError(f"{origin}: {unknown(key, got, choices)}")
    if kind == "missing":
        return ExperimentError(f"{origin} lacks {name}; it has no default.")
    if kind == "value_error":
        where = f"{origin}: {name}" if name else origin
        return ExperimentError(f"{where}: {error['ctx']['error']}.")
    message = error["msg"].replace("Input should be", "must be", 1)
    return ExperimentError(f"{origin}: {name} {message}, got {got!r}.")
