"""Initial values of the weights of a recurrent layer."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import init

RECURRENT_INITS = ("uniform", "orthogonal", "identity")


def uniform_(weight: Tensor, hidden_size: int) -> None:
    """Fill with samples of U(−1/√H, 1/√H), as torch.nn does."""
    bound = 1 / math.sqrt(hidden_size)
    init.uniform_(weight, -bound, bound)


def recurrent_(weight: Tensor, kind: str, gates: int) -> None:
    """Fill the recurrent matrix of every gate, (G·H, P), with an orthogonal or identity matrix.

    Source: Saxe et al. 2014, arXiv:1312.6120 (orthogonal); Le et al. 2015, arXiv:1504.00941
    (identity). `uniform` leaves the weight as it is.
    """
    for block in weight.detach().chunk(gates):
        if kind == "orthogonal":
            init.orthogonal_(block)
        elif kind == "identity":
            init.eye_(block)


def gate_bias_(first: Tensor, second: Tensor | None, gate: int, gates: int, value: Tensor) -> None:
    """Set the whole bias of one gate: its first bias becomes the value, a second one zero."""
    first.chunk(gates)[gate].copy_(value)
    if second is not None:
        second.chunk(gates)[gate].zero_()


def chrono_bias(longest: int, like: Tensor) -> Tensor:
    """Sample b = log u, u ~ U(1, T − 1): units that forget over 1 … T steps, (H,).

    Args:
        longest: T, the longest dependency expected, in steps; at least 3.
        like: gives shape, dtype and device, (H,).

    Source: Tallec & Ollivier 2018, arXiv:1804.11188, eq. 16.
    """
    return torch.empty_like(like).uniform_(1, longest - 1).log()
