"""The minimal LSTM: an LSTM whose gates read the input alone, and share one between them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from elman.cells.entry import Cell, CellFamily, Scan
from elman.cells.mingru import gate_sums, initialise_dense

GATES = ("i", "f", "g")


class MinLSTMWeights(NamedTuple):
    """Weights of the minimal LSTM, gates stacked i f g.

    Args:
        input: W, (3·H, I).
        input_bias: b, (3·H,), or None.
    """

    input: Tensor
    input_bias: Tensor | None = None


class MinLSTMState(NamedTuple):
    """State of the minimal LSTM: hidden h, (B, H); it has no cell state beside it."""

    hidden: Tensor


class MinLSTMGates(NamedTuple):
    """The shares i′ and f′ = 1 − i′ that act, and the candidate, each (B, H)."""

    i: Tensor
    f: Tensor
    g: Tensor


def minlstm_terms(sums: Tensor, _: MinLSTMWeights | None) -> tuple[Tensor, Tensor, MinLSTMGates]:
    """Compute what a step multiplies h(t−1) by and adds to it, given the sums, and the gates.

    f / (f + i) = σ(ln f − ln i), which neither overflows nor divides by zero.
    """
    i, f, g = sums.chunk(3, dim=-1)
    ratio = F.logsigmoid(f) - F.logsigmoid(i)
    f = torch.sigmoid(ratio)
    i = torch.sigmoid(-ratio)
    return f, i * g, MinLSTMGates(i, f, g)


def minlstm_step(
    x: Tensor, state: MinLSTMState, weights: MinLSTMWeights
) -> tuple[MinLSTMState, MinLSTMGates]:
    """Advance a minimal LSTM by one time step.

        i  = σ(W_i x + b_i)                               input gate
        f  = σ(W_f x + b_f)                               forget gate
        g  = W_g x + b_g                                  candidate
        f′ = f / (f + i),   i′ = i / (f + i)              shares that sum to one
        h′ = f′ ⊙ h + i′ ⊙ g                              hidden state

    The shares make h a weighted mean of the candidates: its size does not depend on the length of
    the sequence. No gate reads h, so all of them are known beforehand. Worked for one unit, W_i =
    W_f = 0, b_i = 0, b_f = ln 3, W_g = 1, b_g = 0: i = 1/2, f = 3/4, so f′ = 3/5 and i′ = 2/5.
    From h = 5, the inputs 5 and 10 give h′ = 3 + 2 = 5, then 3 + 4 = 7.

    Args:
        x: input at time t, (B, I).
        state: hidden state at time t−1, (B, H).
        weights: gates stacked i, f, g.

    Returns:
        State at time t, and the gates: the shares and the candidate.

    Source: Feng et al. 2024, "Were RNNs All We Needed?", arXiv:2410.01201, the form whose scale
    does not depend on the length, with a candidate that is linear in x; their form in logarithms
    passes it through a positive function instead.
    """
    keep, add, gates = minlstm_terms(gate_sums(x, weights), weights)
    return MinLSTMState(keep * state.hidden + add), gates


def _build() -> Cell:
    return Cell(
        "minlstm",
        {},
        GATES,
        minlstm_step,
        MinLSTMState,
        MinLSTMWeights,
        initialise=initialise_dense,
        scan=Scan(gate_sums, minlstm_terms, kernel="minlstm"),
    )


MINLSTM = CellFamily("minlstm", {}, _build, layer="elman.layers.minlstm:MinLSTM")
