"""One tag a step, scored as a whole sequence: a linear-chain conditional random field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from elman.batches.batching import Targets
from elman.errors import DataError, OptionError
from elman.layers.options import checked_size
from elman.networks.objectives.base_rates import class_rates
from elman.networks.objectives.objective import Objective
from elman.networks.objectives.schemes import Allowed, allowed_by, everything
from elman.networks.objectives.steps import (
    checked_steps,
    checked_target,
    count,
    cut_rows,
    without_padding,
)
from elman.sequence.ragged import real_steps

_FORBIDDEN = -1e30
"""The score of forbidden tags. It is finite, so that no sum of them is NaN; e to it is 0."""


class CRF(Objective):
    """A linear-chain conditional random field over n tags.

        s(x, y)  = a(y(1)) + Σₜ e(t, y(t)) + Σₜ A(y(t−1), y(t)) + b(y(T))
        log Z(x) = log Σ_y exp s(x, y)                    over all sequences of tags
        nll      = log Z(x) − s(x, y)

    e are the network's outputs; a, A and b are learned, and start at zero, where steps are
    independent. The loss is the negative log-likelihood per real step: Σ nll over the rows,
    divided by their steps, so that it compares with the loss of `Tagging`.

    Z is exact, by the forward recursion in log space; the prediction is the sequence of the
    greatest score, by Viterbi's algorithm; the probabilities are the marginals p(y(t) = k | x),
    which are ∂ log Z / ∂ e(t, k). With a scheme, ill-formed sequences have probability 0.

    Source: Lafferty, McCallum & Pereira 2001, ICML; on a recurrent network: Huang, Xu & Yu 2015,
    arXiv:1508.01991; constrained in training too: Papay et al. 2022, arXiv:2106.07306.
    """

    name: ClassVar[str] = "crf"
    per_step: ClassVar[bool] = True
    targets: ClassVar[Targets] = "step"
    score_kind: ClassVar[str] = "tagging"
    loss_unit: ClassVar[str] = "nats per step"
    of_names: ClassVar[bool] = True
    can_be_cut: ClassVar[bool] = False  # tags may not end anywhere
    first_allowed: Tensor
    next_allowed: Tensor
    last_allowed: Tensor

    def __init__(
        self, size: int, *, names: Sequence[str] | None = None, scheme: str | None = None
    ) -> None:
        """Set the tags and the scheme.

        Args:
            size: n, the number of tags.
            names: the tags in the order of their ids; needed where there is a scheme.
            scheme: BIO, IOB2 or BIOES; None allows every tag everywhere.

        Raises:
            OptionError: n is not a size, the scheme is unknown, or the tags do not fit it.
        """
        super().__init__()
        self.output_size = checked_size("size", size)
        self.names = None if names is None else list(names)
        self.scheme = scheme
        allowed = self._allowed()
        self.register_buffer("first_allowed", allowed.first, persistent=False)
        self.register_buffer("next_allowed", allowed.next, persistent=False)
        self.register_buffer("last_allowed", allowed.last, persistent=False)
        self.first = nn.Parameter(torch.zeros(size))
        self.transitions = nn.Parameter(torch.zeros(size, size))
        self.last = nn.Parameter(torch.zeros(size))

    def _allowed(self) -> Allowed:
        names, size = self.names, self.output_size
        if names is not None and len(names) != size:
            raise OptionError(f"names must be one per tag, {size}; got {len(names)}.")
        if self.scheme is None:
            return everything(size)
        if names is None:
            raise OptionError(f"scheme={self.scheme!r} needs the names of the tags; give names.")
        return allowed_by(self.scheme, names)

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the negative log-likelihood per real step, in nats.

        Args:
            outputs: e, (T, B, n).
            target: ids of tags, (T, B).
            lengths: real steps of each row, (B,).

        Raises:
            DataError: the scheme forbids a row's tags; the first such row is named.
        """
        lengths = checked_steps(outputs, lengths, self.output_size)
        target = checked_target(target, "T, B", (*outputs.shape[:2],), ids=True)
        if len(outputs) == 0:
            return outputs.sum()
        nll = self.log_partition(outputs, lengths) - self.scores(outputs, target, lengths)
        return nll.sum() / count(lengths)

    def log_partition(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Return log Z of every row, (B,); 0 for a row without steps.

        Args:
            outputs: e, (T, B, n), T at least 1.
            lengths: real steps of each row, (B,), on the device of the outputs.
        """
        emissions = self._emissions(outputs, lengths)
        first, transitions, last = self._constrained()
        going = real_steps(lengths, len(outputs)).unsqueeze(2)
        alpha = first + emissions[0]
        for emission, goes in zip(emissions[1:].unbind(), going[1:].unbind(), strict=True):
            onward = (alpha.unsqueeze(2) + transitions).logsumexp(1) + emission
            alpha = torch.where(goes, onward, alpha)
        return (alpha + last).logsumexp(1).where(lengths > 0, 0)

    def scores(self, outputs: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """Return s of every row and its tags, (B,); 0 for a row without steps.

        Args:
            outputs: e, (T, B, n), T at least 1.
            tags: ids, (T, B); not read after a row's end.
            lengths: real steps of each row, (B,), on the device of the outputs.

        Raises:
            DataError: the scheme forbids the tags.
        """
        emissions, tags = self._emissions(outputs, lengths), without_padding(tags, lengths)
        self._check_allowed(tags, lengths)
        emitted = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)
        moved = without_padding(self.transitions[tags[:-1], tags[1:]], (lengths - 1).clamp(min=0))
        ends = tags.gather(0, (lengths - 1).clamp(min=0).unsqueeze(0)).squeeze(0)
        score = self.first[tags[0]] + emitted.sum(0) + moved.sum(0) + self.last[ends]
        return score.where(lengths > 0, 0)

    @torch.no_grad()
    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return each row's sequence of tags with the greatest score, ids, (T,).

        Source: Viterbi 1967, doi:10.1109/TIT.1967.1054010.
        """
        lengths = checked_steps(outputs, lengths, self.output_size)
        if len(outputs) == 0:
            return cut_rows(outputs.new_empty(outputs.shape[:2], dtype=torch.int64), lengths)
        emissions = self._emissions(outputs, lengths)
        first, transitions, last = self._constrained()
        going = real_steps(lengths, len(outputs)).unsqueeze(2)
        score, stays = first + emissions[0], torch.arange(self.output_size, device=lengths.device)
        came_from = []
        for emission, goes in zip(emissions[1:].unbind(), going[1:].unbind(), strict=True):
            best, before = (score.unsqueeze(2) + transitions).max(1)
            score = torch.where(goes, best + emission, score)
            # After a row's end its last tag is passed on unchanged.
            came_from.append(torch.where(goes, before, stays))
        path = [(score + last).argmax(1)]
        for before in reversed(came_from):
            path.append(before.gather(1, path[-1].unsqueeze(1)).squeeze(1))
        return cut_rows(torch.stack(path[::-1]), lengths)

    def probabilities(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return the marginal probability of every tag at every step, (T, n) a row."""
        lengths = checked_steps(outputs, lengths, self.output_size)
        if len(outputs) == 0:
            return cut_rows(outputs, lengths)
        with torch.inference_mode(False), torch.enable_grad():
            emissions = outputs.detach().clone().requires_grad_()
            total = self.log_partition(emissions, lengths.clone()).sum()
            (marginals,) = torch.autograd.grad(total, emissions)
        return cut_rows(marginals, lengths)

    def base_rates(self, targets: Iterable[Tensor]) -> Tensor:
        """Return the logits of how often each tag is right, (n,)."""
        return class_rates(targets, self.output_size)

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name and options."""
        return {
            "name": self.name,
            "size": self.output_size,
            "names": self.names,
            "scheme": self.scheme,
        }

    def _emissions(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Return the outputs with zeroed padding, in the precision of the transitions."""
        return without_padding(outputs.to(self.transitions.dtype), lengths)

    def _constrained(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return a, A and b with forbidden tags masked."""
        return (
            self.first.masked_fill(~self.first_allowed, _FORBIDDEN),
            self.transitions.masked_fill(~self.next_allowed, _FORBIDDEN),
            self.last.masked_fill(~self.last_allowed, _FORBIDDEN),
        )

    def _check_allowed(self, tags: Tensor, lengths: Tensor) -> None:
        """Refuse tags that the scheme forbids."""
        if self.scheme is None or self.names is None:
            return
        last = tags.gather(0, (lengths - 1).clamp(min=0).unsqueeze(0)).squeeze(0)
        moves = self.next_allowed[tags[:-1], tags[1:]] | ~real_steps(lengths, len(tags))[1:]
        allowed = self.first_allowed[tags[0]] & moves.all(0) & self.last_allowed[last]
        wrong = (~allowed & (lengths > 0)).nonzero().flatten()
        if wrong.numel():
            row = int(wrong[0])
            names = [self.names[tag] for tag in tags[: int(lengths[row]), row].tolist()]
            raise DataError(
                f"the tags of row {row} of the batch do not follow scheme {self.scheme}: "
                f"{' '.join(names)}. Correct them, or leave scheme out."
            )
