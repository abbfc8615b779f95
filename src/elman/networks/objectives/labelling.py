"""Any of several labels a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional as F

from elman.batches.batching import Targets
from elman.layers.options import checked_size
from elman.networks.objectives.base_rates import label_rates
from elman.networks.objectives.cross_entropy import checked_weights
from elman.networks.objectives.objective import Objective
from elman.networks.objectives.steps import checked_rows, checked_target


class Labelling(Objective):
    """Any of n labels a row: independent Bernoulli variables.

        p(k)  = σ(output(k))
        nll   = − Σₖ [ w(k) y(k) log p(k) + (1 − y(k)) log(1 − p(k)) ]

    in nats per row, w = 1 unless given. A label is predicted where p > ½.
    """

    name: ClassVar[str] = "labelling"
    per_step: ClassVar[bool] = False
    targets: ClassVar[Targets] = "row"
    score_kind: ClassVar[str] = "labels"
    loss_unit: ClassVar[str] = "nats per row"
    of_names: ClassVar[bool] = True
    weights: Tensor | None

    def __init__(self, size: int, *, label_weights: Sequence[float] | None = None) -> None:
        """Set the number of labels and their weights.

        Args:
            size: n, the number of labels.
            label_weights: w, weight of a row with a label relative to one without; None for 1
                each.

        Raises:
            OptionError: n is not a size, or the weights are negative or not one per label.
        """
        super().__init__()
        self.output_size = checked_size("size", size)
        self.label_weights = None if label_weights is None else list(label_weights)
        weights = checked_weights("label_weights", self.label_weights, size)
        self.register_buffer("weights", weights, persistent=False)

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean negative log-likelihood per row, in nats.

        Args:
            outputs: (B, n).
            target: zeros and ones, (B, n).
            lengths: (B,), all 1 where there are no steps.
        """
        outputs = checked_rows(outputs, lengths, self.output_size)
        target = checked_target(target, "B, n", (*outputs.shape,), ids=False)
        weights = None if self.weights is None else self.weights.to(outputs.dtype)
        total = F.binary_cross_entropy_with_logits(
            outputs, target, pos_weight=weights, reduction="sum"
        )
        return total / max(1, len(outputs))

    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return each row's predicted labels, zeros and ones, (n,)."""
        outputs = checked_rows(outputs, lengths, self.output_size)
        return list((outputs > 0).to(outputs.dtype))

    def probabilities(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return the probability of every label, (n,) per row."""
        return list(checked_rows(outputs, lengths, self.output_size).sigmoid())

    def base_rates(self, targets: Iterable[Tensor]) -> Tensor:
        """Return the logits of how often each label is right, (n,)."""
        return label_rates(targets, self.output_size)

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name and options."""
        return {"name": self.name, "size": self.output_size, "label_weights": self.label_weights}
