"""The specification of a run: its sections, checked, and as TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from elman.errors import ExperimentError
from elman.experiment.categories import WRITERS
from elman.experiment.data import DataSpec
from elman.experiment.decoder import DecoderSpec, DecodingSpec
from elman.experiment.forecast import ForecastSpec
from elman.experiment.network import NetworkSpec
from elman.experiment.overrides import RIVALS, complete_name, flat, path_of
from elman.experiment.training import GREATEST_SEED, TrainingSettings
from elman.experiment.tune import TuneSpec
from elman.experiment.words import first_error, in_words

_SECTIONS: dict[str, type[BaseModel]] = {
    "tune": TuneSpec,
    "forecast": ForecastSpec,
    "decoder": DecoderSpec,
    "decoding": DecodingSpec,
    "data": DataSpec,
    "network": NetworkSpec,
    "training": TrainingSettings,
}
"""Section → its model; a short name means the setting of the last section that has it."""


class Experiment(BaseModel):
    """Everything that determines a training run.

    Attributes:
        title: title of the run.
        seed: random seed of initial weights, order of batches, dropout, random splits and
            sampling.
        score: main score, named first in reports and used by `training.select = "score"`; by
            default the usual one for the task. Of one of several targets: `accuracy of priority`.
        data: the data, its columns and its split.
        network: the network.
        training: the training settings.
        decoder: the decoder, for networks that write.
        decoding: how such networks decode a sequence.
        forecast: how series are forecast, if `data.horizon` is set.
        tune: what a search for better settings varies.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    title: str = ""
    seed: int = Field(default=1, ge=0, le=GREATEST_SEED)
    score: str | None = None
    data: DataSpec
    network: NetworkSpec = NetworkSpec()
    training: TrainingSettings = TrainingSettings()
    decoder: DecoderSpec = DecoderSpec()
    decoding: DecodingSpec = DecodingSpec()
    forecast: ForecastSpec = ForecastSpec()
    tune: TuneSpec = TuneSpec()

    @model_validator(mode="after")
    def _refuse_carried_states_of_networks_that_look_ahead(self) -> Experiment:
        looking_ahead = {"bidirectional": self.network.bidirectional, "delay": self.network.delay}
        for name, value in looking_ahead.items():
            if value and self.training.chunk_length and self.training.carry_state:
                raise ValueError(
                    f"a network with {name} = {str(value).lower()} reads a sequence's future, so "
                    "a chunk cannot continue from the state of the chunk before it; say --set "
                    f"chunk_length={self.training.chunk_length} --set carry_state=false on the "
                    "command line (training.chunk_length and training.carry_state)"
                )
        return self

    @model_validator(mode="after")
    def _refuse_sections_of_other_tasks(self) -> Experiment:
        if self.data.horizon:
            for section in ("decoder", "decoding"):
                if section in self.model_fields_set:
                    raise ValueError(
                        f"[{section}] is for networks that write, and data.horizon = "
                        f"{self.data.horizon} asks for a forecast; leave [{section}] out"
                    )
        elif "forecast" in self.model_fields_set:
            raise ValueError(
                "[forecast] needs data.horizon, the number of steps ahead; set it, or leave "
                "[forecast] out"
            )
        return self

    @classmethod
    def from_values(cls, values: Mapping[str, Any], *, origin: str) -> Experiment:
        """Check nested values, as a TOML file holds them.

        Raises:
            ExperimentError: a key is unknown or missing, or a value is wrong; the first is named.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise in_words(first_error(error), origin, cls, _SECTIONS) from error

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
        """Return every setting, defaults too, as nested values; those without a value are left out.

        So are the sections for networks that write, or forecast, where this one does not, and that
        of a search where nothing is said of one.
        """
        values = self.model_dump(exclude_none=True)
        writes = self.network.category in WRITERS and not self.data.horizon
        for section in ("decoder", "decoding"):
            if not writes and not self.model_fields_set & {section}:
                del values[section]
        if not self.data.horizon:
            del values["forecast"]
        if not self.tune.space:
            del values["tune"]
        return values

    def to_toml(self) -> str:
        """Write the specification out, every default too."""
        return tomli_w.dumps(self.to_values())

    def override(self, overrides: Mapping[str, Any]) -> Experiment:
        """Return the experiment with some settings changed.

        Args:
            overrides: setting → value. A setting has its full name, `training.epochs`, or its
                last part, `epochs`. A `hidden_size` replaces `parameters`, and the other way
                round. An empty table of a column leaves one that is there as it is.

        Raises:
            ExperimentError: a setting is unknown, or its value is wrong.
        """
        values = self.model_dump(exclude_none=True, exclude_unset=True)
        changes = {full_name(name): value for name, value in overrides.items()}
        for name in changes:
            rival = RIVALS.get(name)
            if rival and rival not in changes:
                section, key = rival.split(".")
                values.get(section, {}).pop(key, None)
        for name, value in changes.items():
            *sections, key = path_of(name)
            table = values
            for section in sections:
                table = table.setdefault(section, {})
            nothing_said = value == {} and name.startswith("data.columns.")
            table[key] = table.get(key, {}) if nothing_said else value
        return Experiment.from_values(values, origin="the experiment")

    def with_defaults(self, defaults: Mapping[str, Any]) -> Experiment:
        """Return the experiment with defaults for settings that were not given.

        Args:
            defaults: full name of a setting → value. `hidden_size` is not set where `parameters`
                is given, nor the other way round.
        """
        present = flat(self.model_dump(exclude_none=True, exclude_unset=True))
        absent = {
            name: value
            for name, value in defaults.items()
            if name not in present and RIVALS.get(name, "") not in present
        }
        return self.override(absent)

    def without_tune(self) -> Experiment:
        """Return the experiment without what a search varies."""
        values = self.model_dump(exclude_none=True, exclude_unset=True)
        values.pop("tune", None)
        return Experiment.from_values(values, origin="the experiment")

    def differences(self, other: Experiment) -> list[str]:
        """List the settings in which another experiment differs, with both values."""
        return [
            f"{name} = {_said(here)!r}, there {_said(there)!r}"
            for name, here, there in self.different_values(other)
        ]

    def different_values(self, other: Experiment) -> list[tuple[str, Any, Any]]:
        """List the settings in which another experiment differs: name, this one's value, its."""
        here, there = flat(self.to_values()), flat(other.to_values())
        return [
            (name, here.get(name), there.get(name))
            for name in sorted(here.keys() | there.keys())
            if here.get(name) != there.get(name)
        ]


def _said(value: Any) -> Any:
    return "not given" if value is None else value


def full_name(name: str) -> str:
    """Complete a setting's name with its section.

    Raises:
        ExperimentError: there is no such setting; the nearest name is offered.

    >>> full_name("epochs")
    'training.epochs'
    """
    nested = [f"{name}.{key}" for name, model in _SECTIONS.items() for key in model.model_fields]
    return complete_name(name, ["title", "seed", "score", *nested])
