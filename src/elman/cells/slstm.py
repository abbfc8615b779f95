"""The sLSTM: an LSTM with exponential gates, kept in range by a normaliser and a stabiliser."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from elman.cells.entry import Cell, CellFamily
from elman.cells.products import masked

GATES = ("i", "f", "g", "o")
FORGET_BIASES = (3.0, 6.0)


class SLSTMWeights(NamedTuple):
    """Weights of the sLSTM, gates stacked i f g o.

    Args:
        input: W, (4·H, I).
        hidden: R, (4·H, H).
        input_bias: b, (4·H,), or None.
        hidden_mask: recurrent dropout of h(t−1) inside R h, (B, H), or None.
    """

    input: Tensor
    hidden: Tensor
    input_bias: Tensor | None = None
    hidden_mask: Tensor | None = None


class SLSTMState(NamedTuple):
    """State of the sLSTM: hidden h, cell c, normaliser n and stabiliser m, each (B, H).

    c and n are kept divided by exp(m). n is a sum of weights; where it is not above zero, nothing
    was read yet, and c and m do not count.
    """

    hidden: Tensor
    cell: Tensor
    normaliser: Tensor
    stabiliser: Tensor


class SLSTMGates(NamedTuple):
    """The stabilised gates i′ and f′, the candidate and the output gate, each (B, H)."""

    i: Tensor
    f: Tensor
    g: Tensor
    o: Tensor


def slstm_step(
    x: Tensor, state: SLSTMState, weights: SLSTMWeights
) -> tuple[SLSTMState, SLSTMGates]:
    """Advance an sLSTM by one time step.

        î  = W_i x + R_i h + b_i                          ln of the input gate, i = exp(î)
        f̂  = ln σ(W_f x + R_f h + b_f)                    ln of the forget gate
        g  = tanh(W_g x + R_g h + b_g)                    candidate
        o  = σ(W_o x + R_o h + b_o)                       output gate
        m′ = max(f̂ + m, î)                                stabiliser; m = −∞ where n = 0
        i′ = exp(î − m′),   f′ = exp(f̂ + m − m′)          gates, the larger of them 1
        c′ = f′ ⊙ c + i′ ⊙ g                              cell state
        n′ = f′ ⊙ n + i′                                  normaliser, from the first step on ≥ 1
        h′ = o ⊙ c′ / n′                                  hidden state

    h does not depend on m: it stands for factors that c and n have in common. So h is o times a
    weighted mean of the candidates, and a later step can outweigh all before it. Worked for one
    unit, W = R = 0 but b_i = ln 3, b_f = 0, tanh(b_g) = 4/5 with b_g = ln 3, σ(b_o) = 1/2 with
    b_o = 0: from nothing the first step has i′ = 1, c′ = 4/5, n′ = 1, h′ = 2/5; the second
    f′ = 1/2, i′ = 1, c′ = 6/5, n′ = 3/2 and, as all candidates are the same, h′ = 2/5 again.

    Args:
        x: input at time t, (B, I).
        state: h, c, n and m at time t−1, each (B, H).
        weights: gates stacked i, f, g, o.

    Returns:
        State at time t, and the gates.

    Source: Beck et al. 2024, "xLSTM: Extended Long Short-Term Memory", arXiv:2405.04517, eqs.
    8–17, with one head and the sigmoid as forget gate. From a state of zeros their m(0) = 0 gives
    the same h as m(0) = −∞, unless i underflows beside it.
    """
    w = weights
    sums = F.linear(x, w.input, w.input_bias) + F.linear(
        masked(state.hidden, w.hidden_mask), w.hidden
    )
    log_i, f, g, o = sums.chunk(4, dim=-1)
    log_f = (F.logsigmoid(f) + state.stabiliser).where(state.normaliser > 0, -torch.inf)
    g = torch.tanh(g)
    o = torch.sigmoid(o)
    m = torch.maximum(log_f, log_i)
    i = torch.exp(log_i - m)
    f = torch.exp(log_f - m)
    c = f * state.cell + i * g
    n = f * state.normaliser + i
    return SLSTMState(o * c / n, c, n, m), SLSTMGates(i, f, g, o)


@torch.no_grad()
def initialise_slstm(weights: SLSTMWeights) -> None:
    """Open the forget gates: their biases are spread evenly over 3 … 6, σ(b) = 0.95 … 0.998."""
    if weights.input_bias is not None:
        f = weights.input_bias.chunk(4)[1]
        f.copy_(torch.linspace(*FORGET_BIASES, f.numel(), dtype=f.dtype, device=f.device))


def _build() -> Cell:
    return Cell(
        "slstm",
        {},
        GATES,
        slstm_step,
        SLSTMState,
        SLSTMWeights,
        initialise=initialise_slstm,
        has_zoneout=False,
    )


SLSTM = CellFamily("slstm", {}, _build, layer="elman.layers.slstm:SLSTM")
