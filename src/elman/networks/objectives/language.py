"""The next element of a sequence: language models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional as F

from elman.batches.batching import Targets
from elman.layers.options import checked_size
from elman.networks.objectives.base_rates import class_rates
from elman.networks.objectives.objective import Objective
from elman.networks.objectives.steps import (
    checked_steps,
    checked_target,
    count,
    cut_rows,
    without_padding,
)
from elman.sequence.ragged import has_padding


class LanguageModel(Objective):
    """The next of the V elements of a vocabulary, at every step.

        nll(t)     = − log p(x(t+1) | x(1) … x(t)),   p = softmax of the outputs
        perplexity = exp( Σ nll / number of steps )

    There are no class weights and no smoothing: with them the loss would not be the likelihood
    that perplexity and bits per character are computed from.
    """

    name: ClassVar[str] = "language-model"
    per_step: ClassVar[bool] = True
    targets: ClassVar[Targets] = "step"
    score_kind: ClassVar[str] = "language"
    loss_unit: ClassVar[str] = "nats per symbol"

    def __init__(self, size: int) -> None:
        """Set the vocabulary's size.

        Args:
            size: V, size of the vocabulary, the unknown element included.

        Raises:
            OptionError: V is not a size.
        """
        super().__init__()
        self.output_size = checked_size("size", size)

    def step_nll(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the negative log-likelihood of every step in nats, (T, B); zero in the padding.

        Args:
            outputs: (T, B, V).
            target: ids of the next elements, (T, B).
            lengths: real steps of each row, (B,).
        """
        lengths = checked_steps(outputs, lengths, self.output_size)
        target = checked_target(target, "T, B", (*outputs.shape[:2],), ids=True)
        if has_padding(lengths, len(outputs)):
            outputs, target = without_padding(outputs, lengths), without_padding(target, lengths)
        nll = F.cross_entropy(outputs.flatten(0, 1), target.flatten(), reduction="none")
        return without_padding(nll.reshape(target.shape), lengths)

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean negative log-likelihood per real step, in nats; as for `step_nll`."""
        return self.step_nll(outputs, target, lengths).sum() / count(lengths).to(outputs.device)

    def perplexity(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the perplexity of a batch: the exponential of its loss."""
        return self.loss(outputs, target, lengths).exp()

    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return the most likely next element at each of a row's steps, ids, (T,)."""
        lengths = checked_steps(outputs, lengths, self.output_size)
        return cut_rows(outputs.argmax(-1), lengths)

    def probabilities(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return the probability of every next element, (T, V) per row."""
        lengths = checked_steps(outputs, lengths, self.output_size)
        return cut_rows(outputs.softmax(-1), lengths)

    def base_rates(self, targets: Iterable[Tensor]) -> Tensor:
        """Return the logits of how often each element is right, (n,)."""
        return class_rates(targets, self.output_size)

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name and options."""
        return {"name": self.name, "size": self.output_size}
