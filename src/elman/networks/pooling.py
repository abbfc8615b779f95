"""Pooling: from one vector a step to one vector a row, over the real steps."""

from __future__ import annotations

from typing import get_args

import torch
from torch import Tensor, nn

from elman.errors import OptionError, unknown
from elman.experiment.network import Pooling
from elman.layers.bidirectional import Bidirectional
from elman.layers.options import checked_size
from elman.layers.recurrent import RecurrentLayer
from elman.sequence.ragged import real_steps

POOLINGS: tuple[str, ...] = get_args(Pooling)
"""Names of the ways to make one vector of all steps."""


class LastPooling(nn.Module):
    """The output of each direction of a recurrent part after it has read the whole row.

        pooled = (forward h(T), backward h(1))

    T is the row's own length; a row without steps gives zeros.
    """

    def __init__(self, forward_size: int) -> None:
        """Set the output size of the forward direction.

        Args:
            forward_size: number of forward outputs, which come first; the others are backward.
        """
        super().__init__()
        self.forward_size = checked_size("forward_size", forward_size)

    def forward(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        """Pool (T, B, H) over the first `lengths` steps of each row, (B,), into (B, H)."""
        if len(hidden) == 0:
            return hidden.sum(0)
        ends = (lengths - 1).clamp(min=0)
        ahead = hidden[ends, torch.arange(hidden.size(1), device=hidden.device)]
        pooled = torch.cat([ahead[:, : self.forward_size], hidden[0, :, self.forward_size :]], 1)
        return pooled.where((lengths > 0).unsqueeze(1), 0)

    def extra_repr(self) -> str:
        """Return the size of the forward direction."""
        return f"forward_size={self.forward_size}"


class MeanPooling(nn.Module):
    """The mean over the steps: pooled = (1/T) Σₜ h(t); a row without steps gives zeros."""

    def forward(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        """Pool (T, B, H) over the first `lengths` steps of each row, (B,), into (B, H)."""
        real = real_steps(lengths, len(hidden)).unsqueeze(2)
        return hidden.where(real, 0).sum(0) / lengths.clamp(min=1).unsqueeze(1)


class MaxPooling(nn.Module):
    """The greatest value of each unit: pooled = maxₜ h(t); a row without steps gives zeros.

    Source: Collobert et al. 2011, arXiv:1103.0398, §3.3.2.
    """

    def forward(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        """Pool (T, B, H) over the first `lengths` steps of each row, (B,), into (B, H)."""
        if len(hidden) == 0:
            return hidden.sum(0)
        real = real_steps(lengths, len(hidden)).unsqueeze(2)
        greatest = hidden.where(real, -torch.inf).amax(0)
        return greatest.where((lengths > 0).unsqueeze(1), 0)


class AttentionPooling(nn.Module):
    """A mean over the steps with learned weights: additive attention with one query.

        e(t)   = vᵀ tanh(W h(t) + b)
        α(t)   = exp e(t) / Σₛ exp e(s)                   over real steps
        pooled = Σₜ α(t) h(t)

    A row without steps gives zeros.

    Source: Yang et al. 2016, doi:10.18653/v1/N16-1174, eqs. 5–7; v is their context vector u_w.
    """

    def __init__(self, size: int, *, device: torch.device | str | None = None) -> None:
        """Initialise W, b and v.

        Args:
            size: H, size of the vectors.
            device: device of the parameters.
        """
        super().__init__()
        checked_size("size", size)
        self.key = nn.Linear(size, size, device=device)
        self.query = nn.Linear(size, 1, bias=False, device=device)

    def weights(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        """Return the weights α, (T, B); zero after a row's end."""
        real = real_steps(lengths, len(hidden))
        hidden = hidden.where(real.unsqueeze(2), 0)
        energies: Tensor = self.query(torch.tanh(self.key(hidden))).squeeze(2)
        return energies.masked_fill(~real, -torch.inf).softmax(0).where(real, 0)

    def forward(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        """Pool (T, B, H) over the first `lengths` steps of each row, (B,), into (B, H)."""
        real = real_steps(lengths, len(hidden)).unsqueeze(2)
        return (self.weights(hidden, lengths).unsqueeze(2) * hidden.where(real, 0)).sum(0)


def pooling(
    kind: str,
    recurrent: RecurrentLayer | Bidirectional,
    *,
    device: torch.device | str | None = None,
) -> nn.Module:
    """Build a pooling of the outputs of a recurrent part.

    Args:
        kind: last, mean, max or attention.
        recurrent: the layers whose outputs are pooled.
        device: device of the parameters, where there are any.

    Raises:
        OptionError: the kind is unknown, or `last` where the directions' outputs are mixed.
    """
    if kind == "last":
        return LastPooling(_forward_size(recurrent))
    if kind == "mean":
        return MeanPooling()
    if kind == "max":
        return MaxPooling()
    if kind == "attention":
        return AttentionPooling(recurrent.output_size, device=device)
    raise unknown("pooling", kind, POOLINGS)


def _forward_size(recurrent: RecurrentLayer | Bidirectional) -> int:
    """Return the number of outputs of the forward direction, which come first."""
    if isinstance(recurrent, RecurrentLayer):
        return recurrent.options.output_sizes[-1]
    if recurrent.merge != "concat":
        raise OptionError(
            "pooling='last' reads the forward direction's last output and the backward direction's "
            f"first, and merge={recurrent.merge!r} mixes the two; use merge='concat', or another "
            "pooling."
        )
    return recurrent.forward_layer.output_size
