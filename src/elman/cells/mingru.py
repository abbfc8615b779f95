"""The minimal GRU: a GRU whose gates read the input alone."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn import init

from elman.cells.entry import Cell, CellFamily, Scan

GATES = ("z", "n")


class MinGRUWeights(NamedTuple):
    """Weights of the minimal GRU, gates stacked z n.

    Args:
        input: W, (2·H, I).
        input_bias: b, (2·H,), or None.
    """

    input: Tensor
    input_bias: Tensor | None = None


class MinGRUState(NamedTuple):
    """State of the minimal GRU: hidden h, (B, H)."""

    hidden: Tensor


class MinGRUGates(NamedTuple):
    """The update gate after its activation and the candidate, each (B, H)."""

    z: Tensor
    n: Tensor


def gate_sums(x: Tensor, weights: NamedTuple) -> Tensor:
    """Compute W x + b of every gate, (…, G·H), for inputs (…, I)."""
    matrix, bias = weights
    return F.linear(x, matrix, bias)


def mingru_terms(sums: Tensor, _: MinGRUWeights | None) -> tuple[Tensor, Tensor, MinGRUGates]:
    """Compute what a step multiplies h(t−1) by and adds to it, given the sums, and the gates."""
    z, n = sums.chunk(2, dim=-1)
    z = torch.sigmoid(z)
    return z, (1 - z) * n, MinGRUGates(z, n)


def mingru_step(
    x: Tensor, state: MinGRUState, weights: MinGRUWeights
) -> tuple[MinGRUState, MinGRUGates]:
    """Advance a minimal GRU by one time step.

        z  = σ(W_z x + b_z)                               update gate
        n  = W_n x + b_n                                  candidate
        h′ = (1 − z) ⊙ n + z ⊙ h                          z = 1 keeps the old state

    No gate reads h, so h(t) = z(t) ⊙ h(t−1) + (1 − z(t)) ⊙ n(t) with all z and n known beforehand.
    Worked for one unit, W_z = 0, b_z = ln 3, W_n = 1, b_n = 0: z = 3/4. From h = 2, the inputs 6
    and 2 give h′ = 6/4 + 3/4 · 2 = 3, then 2/4 + 3/4 · 3 = 11/4.

    Args:
        x: input at time t, (B, I).
        state: hidden state at time t−1, (B, H).
        weights: gates stacked z, n.

    Returns:
        State at time t, and the gates.

    Source: Feng et al. 2024, "Were RNNs All We Needed?", arXiv:2410.01201, the plain form, with a
    candidate that is linear in x; their form in logarithms passes it through a positive function
    instead. Their z is 1 − z here, as in our GRU.
    """
    keep, add, gates = mingru_terms(gate_sums(x, weights), weights)
    return MinGRUState(keep * state.hidden + add), gates


@torch.no_grad()
def initialise_dense(weights: NamedTuple) -> None:
    """Fill W and b with samples of U(−1/√I, 1/√I), as a dense layer of torch.nn has them."""
    matrix: Tensor = weights[0]
    bound = 1 / math.sqrt(matrix.size(1))
    for weight in weights:
        if weight is not None:
            init.uniform_(weight, -bound, bound)


def _build() -> Cell:
    return Cell(
        "mingru",
        {},
        GATES,
        mingru_step,
        MinGRUState,
        MinGRUWeights,
        initialise=initialise_dense,
        scan=Scan(gate_sums, mingru_terms, kernel="mingru"),
    )


MINGRU = CellFamily("mingru", {}, _build, layer="elman.layers.mingru:MinGRU")
