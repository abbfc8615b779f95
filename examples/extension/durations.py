"""A kind of column for Elman: durations, written as 1:30 or 90."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from elman.errors import DataError
from elman.features.feature import Encoding, Feature
from elman.features.state import feature_state, restore


class DurationFeature(Feature):
    """Durations in minutes, standardised with the training rows."""

    kind: ClassVar[str] = "duration"
    has_steps: ClassVar[bool] = False
    plural: ClassVar[str] = "durations"
    objectives: ClassVar[tuple[str, ...]] = ("regression",)

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.mean, self.deviation = 0.0, 1.0

    @property
    def encoding(self) -> Encoding:
        """One number."""
        return Encoding(numbers=1)

    @property
    def description(self) -> str:
        """What a value is, in words."""
        return "a duration"

    def fit(self, values: Iterable[Any]) -> DurationFeature:
        """Learn mean and deviation from the training rows."""
        minutes = [minutes_of(value) for value in values]
        if not minutes:
            raise DataError("there is no duration in the training rows.")
        self.mean, self.deviation = float(np.mean(minutes)), float(np.std(minutes)) or 1.0
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn a duration into a float, (1,)."""
        return torch.tensor([(minutes_of(value) - self.mean) / self.deviation])

    def decode(self, encoded: Tensor) -> float:
        """Turn a float, (1,), back into minutes."""
        return float(encoded.detach().cpu().double()) * self.deviation + self.mean

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        learned = {"mean": self.mean, "deviation": self.deviation}
        return feature_state(self.kind, {}, learned)

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> DurationFeature:
        """Restore a feature from `to_json`."""
        feature, learned = restore(cls, state, {"mean": float, "deviation": float})
        feature.mean, feature.deviation = learned["mean"], learned["deviation"]
        return feature


def minutes_of(value: Any) -> float:
    """Read hours and minutes, or minutes."""
    try:
        hours, colon, minutes = str(value).rpartition(":")
        return 60 * float(hours) + float(minutes) if colon else float(minutes)
    except ValueError:
        raise DataError(f"a duration is written as 1:30 or 90, got {value!r}.") from None
