"""The interface of objectives: the loss, the predictions and the probabilities of outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from torch import Tensor, nn

from elman.batches.batching import Batch, Targets


class Objective(nn.Module, ABC):
    """What a network's outputs are trained for: from outputs to a loss and to predictions.

    It is a module, because a conditional random field has parameters. Outputs are (T, B, O) where
    there is one prediction per step, else (B, O); targets are encoded by the target's feature.
    """

    name: ClassVar[str]
    """Its name in `to_json`."""
    per_step: ClassVar[bool]
    """Whether there is one output per step."""
    targets: ClassVar[Targets]
    """Whether it needs one target per step, one per row, or a sequence of its own length."""
    score_kind: ClassVar[str]
    """The kind of scores that measure its predictions, see `evaluation.scores.KINDS`."""
    loss_unit: ClassVar[str]
    """The unit of its loss: `nats per row`."""
    suits: ClassVar[tuple[str, ...]] = ()
    """Kinds of target that it suits on request, besides those that name it."""
    of_names: ClassVar[bool] = False
    """Whether probabilities are those of the target's classes or tags, and scored with them."""
    can_be_cut: ClassVar[bool] = True
    """Whether a sequence may end at any step and still have a loss."""
    output_size: int
    """O, number of outputs of the network, per step or per row."""

    @property
    def output_sizes(self) -> list[int]:
        """O of each target, of which there is one in most objectives."""
        return [self.output_size]

    @abstractmethod
    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean loss over real steps, or rows.

        Padding is never read: NaN there changes neither the loss nor a gradient.

        Args:
            outputs: (T, B, O), or (B, O).
            target: (T, B, …), or (B, …); for CTC (S, B), padded with −1.
            lengths: real steps of each row, (B,); all 1 where there are no steps.
        """

    def weight(self, batch: Batch) -> int:
        """Return the number of terms in the mean loss of a batch: real steps, or rows."""
        return batch.weight

    @abstractmethod
    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return each row's prediction, encoded as its feature's `decode` takes it."""

    @abstractmethod
    def probabilities(self, outputs: Tensor, lengths: Tensor) -> list[Any] | None:
        """Return each row's probabilities, (n,) or (T, n); None where there are none.

        With several targets a row has a tuple of them.
        """

    def mean(self, outputs: Tensor) -> Tensor:
        """Return outputs that predict what several networks do on average.

        Args:
            outputs: of M networks, (M, B, O).

        Returns:
            (B, O): their mean.
        """
        return outputs.mean(0)

    def base_rates(self, targets: Iterable[Tensor]) -> Tensor | None:
        """Return the outputs that predict how often each class or label occurs, (O,).

        An output layer whose bias starts there need not learn first how rare a class is.

        Args:
            targets: the encoded targets of the training rows.

        Returns:
            The outputs; None where predictions are not of classes or labels.
        """
        del targets
        return None

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name and options."""
