"""One class a step, each step by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor

from elman.layers.options import checked_size
from elman.networks.objectives.classification import CrossEntropy
from elman.networks.objectives.objective import Objective
from elman.networks.objectives.steps import checked_steps, checked_target, cut_rows, flat_steps


class Tagging(Objective):
    """One of n tags a step, by softmax and cross-entropy; see `CrossEntropy`.

    Given the outputs, tags are independent of each other; `CRF` scores whole sequences of them.
    """

    name: ClassVar[str] = "tagging"
    per_step: ClassVar[bool] = True

    def __init__(
        self,
        size: int,
        *,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        """Choose among tags.

        Args:
            size: n, the number of tags.
            class_weights: how much a step of each tag counts; None for 1 each.
            label_smoothing: ε, the share of the truth that is spread over all tags.

        Raises:
            OptionError: a value is out of range, or there is not one weight a tag.
        """
        super().__init__()
        self.output_size = checked_size("size", size)
        self.cross_entropy = CrossEntropy(size, class_weights, label_smoothing)

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean cross-entropy a real step, in nats.

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
        """Return the probability of every tag, (T, n) a row."""
        lengths = checked_steps(outputs, lengths, self.output_size)
        return cut_rows(outputs.softmax(-1), lengths)

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name and options."""
        return {"name": self.name, "size": self.output_size, **self.cross_entropy.to_json()}
