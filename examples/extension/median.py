"""An objective for Elman: the median of a number, by its absolute error."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from elman.batches.batching import Targets
from elman.networks.objectives import Objective


class Median(Objective):
    """The mean of |y − ŷ|, which the median minimises; for numbers and durations."""

    name: ClassVar[str] = "median"
    per_step: ClassVar[bool] = False
    targets: ClassVar[Targets] = "row"
    score_kind: ClassVar[str] = "regression"
    loss_unit: ClassVar[str] = "loss, of scaled targets"
    suits: ClassVar[tuple[str, ...]] = ("number", "duration")

    def __init__(self, size: int) -> None:
        """Predict n numbers a row."""
        super().__init__()
        self.output_size = size

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean absolute error of outputs and target, (B, n)."""
        del lengths
        return (outputs - target).abs().mean()

    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return each row's numbers, (n,), as they are."""
        del lengths
        return list(outputs)

    def probabilities(self, outputs: Tensor, lengths: Tensor) -> None:
        """Return None: there is no distribution."""

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name and options."""
        return {"name": self.name, "size": self.output_size}
