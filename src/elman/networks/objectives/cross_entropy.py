"""Softmax and cross-entropy: the loss, and the base of the objectives that use it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import OptionError
from elman.layers.options import checked_probability, checked_size
from elman.networks.objectives.base_rates import class_rates
from elman.networks.objectives.objective import Objective


class CrossEntropy(nn.Module):
    """The mean cross-entropy of classes, weighted and smoothed.

        loss = (1/N) Σₙ Σₖ w(k) q(n, k) · (− log p(n, k)),   p = softmax of the outputs
        q(n, k) = (1 − ε) [k = y(n)] + ε / K

    The mean is over N, where torch.nn.CrossEntropyLoss divides by Σ w(y(n)): a mean over batches
    is then the mean over the data, whatever the classes in a batch.

    Source: label smoothing: Szegedy et al. 2016, arXiv:1512.00567, §7.
    """

    weights: Tensor | None

    def __init__(
        self, classes: int, class_weights: Sequence[float] | None, label_smoothing: float
    ) -> None:
        """Set the weights and the smoothing.

        Args:
            classes: K.
            class_weights: w, one per class, at least 0; None for 1 each.
            label_smoothing: ε, the share of the target that is spread over all classes.

        Raises:
            OptionError: a value is out of range, or there is not one weight a class.
        """
        super().__init__()
        self.class_weights = None if class_weights is None else list(class_weights)
        self.label_smoothing = checked_probability("label_smoothing", label_smoothing)
        weights = checked_weights("class_weights", self.class_weights, classes)
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Return the loss of outputs (N, K) and target (N,), ids; zero where N is zero."""
        weights = None if self.weights is None else self.weights.to(outputs.dtype)
        total = F.cross_entropy(
            outputs,
            target,
            weight=weights,
            label_smoothing=self.label_smoothing,
            reduction="sum",
        )
        return total / max(1, target.numel())

    def to_json(self) -> dict[str, Any]:
        """Describe the options."""
        return {"class_weights": self.class_weights, "label_smoothing": self.label_smoothing}


class CrossEntropyObjective(Objective):
    """The options that classification and tagging share, and their JSON."""

    def __init__(
        self,
        size: int,
        *,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        """Set the number of classes, their weights and the smoothing.

        Args:
            size: n, the number of classes, or of tags.
            class_weights: weight of a row or a step of each class; None for 1 each.
            label_smoothing: ε, the share of the target that is spread over all classes.

        Raises:
            OptionError: a value is out of range, or there is not one weight a class.
        """
        super().__init__()
        self.output_size = checked_size("size", size)
        self.cross_entropy = CrossEntropy(size, class_weights, label_smoothing)

    def base_rates(self, targets: Iterable[Tensor]) -> Tensor:
        """Return the logits of how often each class is right, (n,)."""
        return class_rates(targets, self.output_size)

    def mean(self, outputs: Tensor) -> Tensor:
        """Return the logarithms of the mean probabilities of several networks, (B, n)."""
        return outputs.log_softmax(-1).logsumexp(0) - math.log(len(outputs))

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name and options."""
        return {"name": self.name, "size": self.output_size, **self.cross_entropy.to_json()}


def checked_weights(name: str, weights: Sequence[float] | None, size: int) -> Tensor | None:
    """Return weights as a tensor, (n,).

    Raises:
        OptionError: there is not one each, one is negative or not a number, or all are zero.
    """
    if weights is None:
        return None
    if len(weights) != size:
        raise OptionError(f"{name} must be one per class, {size} numbers; got {len(weights)}.")
    wrong = [weight for weight in weights if not (math.isfinite(weight) and weight >= 0)]
    if wrong or not any(weights):
        raise OptionError(
            f"{name} must be numbers of at least 0, not all 0; got {(wrong or weights)[0]!r}."
        )
    return torch.tensor(weights, dtype=torch.float64)
