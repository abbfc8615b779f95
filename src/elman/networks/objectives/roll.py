"""The next frame of a piano roll, at every step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from torch import Tensor

from elman.batches.batching import Targets
from elman.features.roll import KEYS, RollFeature
from elman.networks.objectives.objective import Objective
from elman.networks.objectives.steps import checked_steps, cut_rows


class Roll(Objective):
    """One frame of a piano roll a step: 88 independent keys; see `RollFeature.loss`."""

    name: ClassVar[str] = "roll"
    per_step: ClassVar[bool] = True
    targets: ClassVar[Targets] = "step"
    score_kind: ClassVar[str] = "roll"
    loss_unit: ClassVar[str] = "nats per frame"
    output_size = KEYS

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the negative log-likelihood per real frame, in nats, summed over the keys.

        Args:
            outputs: logits, (T, B, 88).
            target: zeros and ones, (T, B, 88).
            lengths: real frames of each row, (B,).
        """
        return RollFeature().loss(outputs, target, lengths)

    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return each row's keys with a probability above ½, zeros and ones, (T, 88)."""
        lengths = checked_steps(outputs, lengths, self.output_size)
        return cut_rows((outputs > 0).to(outputs.dtype), lengths)

    def probabilities(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return the probability that each key sounds, (T, 88) a row."""
        lengths = checked_steps(outputs, lengths, self.output_size)
        return cut_rows(outputs.sigmoid(), lengths)

    def base_rates(self, targets: Iterable[Tensor]) -> Tensor:
        """Return the log-odds of how often each key sounds, (88,)."""
        return RollFeature().log_odds(frames.numpy() for frames in targets)

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name."""
        return {"name": self.name}
