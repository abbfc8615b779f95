"""One class a step, independent of the other steps."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from elman.batches.batching import Targets
from elman.networks.objectives.cross_entropy import CrossEntropyObjective
from elman.networks.objectives.steps import checked_steps, checked_target, cut_rows, flat_steps


class Tagging(CrossEntropyObjective):
    """One of n tags a step, with softmax and cross-entropy; see `cross_entropy.CrossEntropy`.

    Given the outputs, tags are independent of each other; `CRF` scores whole sequences of them.
    """

    name: ClassVar[str] = "tagging"
    per_step: ClassVar[bool] = True
    targets: ClassVar[Targets] = "step"
    score_kind: ClassVar[str] = "tagging"
    loss_unit: ClassVar[str] = "nats per step"
    of_names: ClassVar[bool] = True

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean cross-entropy per real step, in nats.

        Args:
            outputs: (T, B, n).
            target: ids of tags, (T, B).
            lengths: real steps of each row, (B,).
        """
        lengths = checked_steps(outputs, lengths, self.output_size)
        target = checked_target(target, "T, B", (*outputs.shape[:2],), ids=True)
        loss: Tensor = self.cross_entropy(flat_steps(outputs, lengths), flat_steps(target, lengths))
        return loss

    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return each row's most likely tags, ids, (T,)."""
        lengths = checked_steps(outputs, lengths, self.output_size)
        return cut_rows(outputs.argmax(-1), lengths)

    def probabilities(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return the probability of every tag, (T, n) per row."""
        lengths = checked_steps(outputs, lengths, self.output_size)
        return cut_rows(outputs.softmax(-1), lengths)
