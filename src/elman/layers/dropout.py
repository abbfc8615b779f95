"""Dropout with one mask per sequence, for the values between layers."""

from __future__ import annotations

from torch import Tensor, nn

from elman.errors import ShapeError
from elman.layers.noise import recurrent_dropout_mask
from elman.layers.options import checked_probability


class LockedDropout(nn.Module):
    """Variational dropout: a unit that is dropped is dropped at every step of its sequence.

        y(t) = m ⊙ x(t),   m = 0 with probability p, else 1 / (1 − p)

    One m per row and call, in training; in evaluation y = x.

    >>> import torch
    >>> y = LockedDropout(0.5)(torch.ones(7, 2, 5))
    >>> bool((y == y[0]).all())
    True

    Source: Gal & Ghahramani 2016, arXiv:1512.05287, §4; called locked by Merity et al. 2017,
    arXiv:1708.02182. `recurrent_dropout` of a layer does the same to h(t−1) within it.
    """

    def __init__(self, p: float) -> None:
        """Set the share of units that are dropped.

        Args:
            p: the share of units, in [0, 1).

        Raises:
            OptionError: p lies outside.
        """
        super().__init__()
        self.p = checked_probability("p", p)

    def forward(self, x: Tensor) -> Tensor:
        """Drop units out.

        Args:
            x: (T, B, H); or (B, H) without time, where it is ordinary dropout.

        Returns:
            As x. Zeros stay zeros.

        Raises:
            ShapeError: x has other axes.
        """
        if x.dim() not in (2, 3):
            raise ShapeError(f"input must be (T, B, H) or (B, H), got {tuple(x.shape)}.")
        if not (self.training and self.p):
            return x
        return x * recurrent_dropout_mask(x.new_empty(x.shape[-2:]), self.p)

    def extra_repr(self) -> str:
        """Show p."""
        return f"p={self.p:g}"
