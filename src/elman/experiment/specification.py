"""Everything that determines a training run, checked, and as TOML."""

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
from elman.experiment.overrides import RIVALS, complete_name, flat
from elman.experiment.training import GREATEST_SEED, TrainingSettings
from elman.experiment.words import first_error, in_words

_SECTIONS: dict[str, type[BaseModel]] = {
    "forecast": ForecastSpec,
    "decoder": DecoderSpec,
    "decoding": DecodingSpec,
    "data": DataSpec,
    "network": NetworkSpec,
    "training": TrainingSettings,
}
"""Section → its model; a setting's last part alone means that of the last section that has it."""


class Experiment(BaseModel):
    """Everything that determines a training run.

    Attributes:
        title: what it is, in a few words.
        seed: of initial weights, order of batches, dropout masks and random splits.
        score: name of the score that counts, for `training.select = "score"` and in what is said;
            none for what the task is commonly measured by.
        data: what is learned from.
        network: what learns.
        training: how it learns.
        decoder: the part of the network that writes, where the answer is a sequence of its own
            length.
        decoding: how such an answer is searched for.
        forecast: how the next values of series are forecast, where `data.horizon` asks for them.
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

    @model_validator(mode="after")
    def _refuse_sections_of_other_tasks(self) -> Experiment:
        if self.data.horizon:
            for section in ("decoder", "decoding"):
                if section in self.model_fields_set:
                    raise ValueError(
                        f"[{section}] is for symbols that are written, and data.horizon = "
                        f"{self.data.horizon} asks for numbers; leave it out"
                    )
        elif "forecast" in self.model_fields_set:
            raise ValueError(
                "[forecast] is for the next values of series; say how many: data.horizon"
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
        """Return every setting, defaults too, as nested values; those not given are left out.

        So is what only a network that writes, or forecasts, has, where this one does not.
        """
        values = self.model_dump(exclude_none=True)
        writes = self.network.category in WRITERS and not self.data.horizon
        for section in ("decoder", "decoding"):
            if not writes and not self.model_fields_set & {section}:
                del values[section]
        if not self.data.horizon:
            del values["forecast"]
        return values

    def to_toml(self) -> str:
        """Write the specification out, every default too."""
        return tomli_w.dumps(self.to_values())

    def override(self, overrides: Mapping[str, Any]) -> Experiment:
        """Return the experiment with some settings changed.

        Args:
            overrides: setting → value; a setting is named in full, `training.epochs`, or by its
                last part, `epochs`. A `hidden_size` takes the place of `parameters`, and the
                other way round.

        Raises:
            ExperimentError: a setting is unknown, or its value is wrong.
        """
        values = self.model_dump(exclude_none=True, exclude_unset=True)
        asked = {full_name(name): value for name, value in overrides.items()}
        for name in asked:
            rival = RIVALS.get(name)
            if rival and rival not in asked:
                section, key = rival.split(".")
                values.get(section, {}).pop(key, None)
        for name, value in asked.items():
            *sections, key = name.split(".")
            table = values
            for section in sections:
                table = table.setdefault(section, {})
            table[key] = value
        return Experiment.from_values(values, origin="the experiment")

    def with_defaults(self, defaults: Mapping[str, Any]) -> Experiment:
        """Return the experiment with some settings filled in that nobody has given.

        Args:
            defaults: setting in full → value. A size is not filled in beside its rival.
        """
        given = flat(self.model_dump(exclude_none=True, exclude_unset=True))
        absent = {
            name: value
            for name, value in defaults.items()
            if name not in given and RIVALS.get(name, "") not in given
        }
        return self.override(absent)

    def differences(self, other: Experiment) -> list[str]:
        """Name the settings in which another experiment differs, with both values."""
        here, there = flat(self.to_values()), flat(other.to_values())
        return [
            f"{name} = {here.get(name, 'not given')!r}, there {there.get(name, 'not given')!r}"
            for name in sorted(here.keys() | there.keys())
            if here.get(name) != there.get(name)
        ]


def full_name(name: str) -> str:
    """Complete a setting's name with its section.

    Raises:
        ExperimentError: no setting is called that; a near miss is offered.

    >>> full_name("epochs")
    'training.epochs'
    """
    nested = [f"{name}.{key}" for name, model in _SECTIONS.items() for key in model.model_fields]
    return complete_name(name, ["title", "seed", "score", *nested])
