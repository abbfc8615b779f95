"""Regression: numbers per row, or per step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional as F

from elman.batches.batching import Targets
from elman.errors import unknown
from elman.layers.options import checked_size
from elman.networks.objectives.objective import Objective
from elman.networks.objectives.steps import (
    checked_rows,
    checked_steps,
    checked_target,
    cut_rows,
    flat_steps,
)

ERRORS: Mapping[str, Callable[..., Tensor]] = MappingProxyType(
    {"squared": F.mse_loss, "absolute": F.l1_loss, "huber": F.huber_loss}
)
"""Name of a loss → the loss of outputs and target."""


class Regression(Objective):
    """n numbers a row.

        squared    (y − ŷ)²
        absolute   |y − ŷ|
        huber      ½ (y − ŷ)² where |y − ŷ| < 1, else |y − ŷ| − ½

    each averaged over the n numbers. Targets are scaled by the target's feature to a standard
    deviation of 1, at which Huber's loss changes from quadratic to linear.

    Source: Huber 1964, doi:10.1214/aoms/1177703732.
    """

    name: ClassVar[str] = "regression"
    per_step: ClassVar[bool] = False
    targets: ClassVar[Targets] = "row"
    score_kind: ClassVar[str] = "regression"
    loss_unit: ClassVar[str] = "loss, of scaled targets"

    def __init__(self, size: int, *, loss: str = "squared") -> None:
        """Set the size and the loss.

        Args:
            size: n.
            loss: squared, absolute or huber.

        Raises:
            OptionError: there is no such loss, or n is not a size.
        """
        super().__init__()
        self.output_size = checked_size("size", size)
        self.error = _checked_error(loss)

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean loss per row.

        Args:
            outputs: (B, n).
            target: (B, n).
            lengths: (B,), all 1 where there are no steps.
        """
        outputs = checked_rows(outputs, lengths, self.output_size)
        target = checked_target(target, "B, n", (*outputs.shape,), ids=False)
        return _mean(self.error, outputs, target)

    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return each row's numbers, (n,), unchanged."""
        return list(checked_rows(outputs, lengths, self.output_size))

    def probabilities(self, outputs: Tensor, lengths: Tensor) -> None:
        """Return None: a number is predicted without a distribution."""
        checked_rows(outputs, lengths, self.output_size)

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name and options."""
        return {"name": self.name, "size": self.output_size, "loss": self.error}


class StepRegression(Objective):
    """n numbers a step, with the losses of `Regression`: sensor readings, audio samples."""

    name: ClassVar[str] = "step-regression"
    per_step: ClassVar[bool] = True
    targets: ClassVar[Targets] = "step"
    score_kind: ClassVar[str] = "series"
    loss_unit: ClassVar[str] = "loss, of scaled targets"

    def __init__(self, size: int, *, loss: str = "squared") -> None:
        """Set the size and the loss.

        Args:
            size: n.
            loss: squared, absolute or huber.

        Raises:
            OptionError: there is no such loss, or n is not a size.
        """
        super().__init__()
        self.output_size = checked_size("size", size)
        self.error = _checked_error(loss)

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean loss per real step.

        Args:
            outputs: (T, B, n).
            target: (T, B, n).
            lengths: real steps of each row, (B,).
        """
        lengths = checked_steps(outputs, lengths, self.output_size)
        target = checked_target(target, "T, B, n", (*outputs.shape,), ids=False)
        return _mean(self.error, flat_steps(outputs, lengths), flat_steps(target, lengths))

    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return each row's numbers, (T, n), unchanged."""
        return cut_rows(outputs, checked_steps(outputs, lengths, self.output_size))

    def probabilities(self, outputs: Tensor, lengths: Tensor) -> None:
        """Return None: a number is predicted without a distribution."""
        checked_steps(outputs, lengths, self.output_size)

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name and options."""
        return {"name": self.name, "size": self.output_size, "loss": self.error}


def _checked_error(name: str) -> str:
    if name not in ERRORS:
        raise unknown("loss", name, ERRORS)
    return name


def _mean(error: str, outputs: Tensor, target: Tensor) -> Tensor:
    """Return the mean over all numbers; zero where there are none."""
    return ERRORS[error](outputs, target, reduction="sum") / max(1, outputs.numel())
