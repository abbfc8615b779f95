"""One class a row."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from elman.batches.batching import Targets
from elman.networks.objectives.cross_entropy import CrossEntropyObjective
from elman.networks.objectives.steps import checked_rows, checked_target


class Classification(CrossEntropyObjective):
    """One of n classes a row, with softmax and cross-entropy; see `cross_entropy.CrossEntropy`."""

    name: ClassVar[str] = "classification"
    per_step: ClassVar[bool] = False
    targets: ClassVar[Targets] = "row"
    score_kind: ClassVar[str] = "classification"
    loss_unit: ClassVar[str] = "nats per row"
    of_names: ClassVar[bool] = True

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean cross-entropy per row, in nats.

        Args:
            outputs: (B, n).
            target: ids of classes, (B,).
            lengths: (B,), all 1 where there are no steps.
        """
        outputs = checked_rows(outputs, lengths, self.output_size)
        target = checked_target(target, "B", (len(outputs),), ids=True)
        loss: Tensor = self.cross_entropy(outputs, target)
        return loss

    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return each row's most likely class, an id, ()."""
        return list(checked_rows(outputs, lengths, self.output_size).argmax(-1))

    def probabilities(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return the probability of every class, (n,) per row."""
        return list(checked_rows(outputs, lengths, self.output_size).softmax(-1))
