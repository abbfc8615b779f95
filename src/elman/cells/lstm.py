"""Long short-term memory, with peepholes, coupled gates and projection."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from elman.cells.entry import Cell, CellFamily, Kernel
from elman.cells.products import LAYER_NORM_EPSILON, masked, product

GATES = ("i", "f", "g", "o")
COUPLED_GATES = ("i", "g", "o")


class LSTMWeights(NamedTuple):
    """Weights of the LSTM; G gates: i f g o, or i g o where the gates are coupled.

    Args:
        input: W, (G·H, I).
        hidden: R, (G·H, P).
        input_bias: (G·H,), or None.
        hidden_bias: a second bias, as torch.nn has it; it adds to the first, (G·H,), or None.
        projection: maps o ⊙ tanh(c) to the hidden state, (P, H); None where P = H.
        peephole: p_i, p_f, p_o, (3·H,); p_i, p_o, (2·H,), where coupled; or None.
        input_gain: layer norm's γ of W x, (G·H,), or None.
        hidden_gain: layer norm's γ of R h, (G·H,), or None.
        cell_gain: layer norm's γ of c before the output, (H,), or None.
        cell_bias: layer norm's β of c before the output, (H,), or None.
        hidden_mask: recurrent dropout of h(t−1) inside R h, (B, P), or None.
    """

    input: Tensor
    hidden: Tensor
    input_bias: Tensor | None = None
    hidden_bias: Tensor | None = None
    projection: Tensor | None = None
    peephole: Tensor | None = None
    input_gain: Tensor | None = None
    hidden_gain: Tensor | None = None
    cell_gain: Tensor | None = None
    cell_bias: Tensor | None = None
    hidden_mask: Tensor | None = None


class LSTMState(NamedTuple):
    """State of the LSTM: hidden h, (B, P), and cell c, (B, H)."""

    hidden: Tensor
    cell: Tensor


class LSTMGates(NamedTuple):
    """The gates after their activation, each (B, H); f = 1 − i where the gates are coupled."""

    i: Tensor
    f: Tensor
    g: Tensor
    o: Tensor


def lstm_step(x: Tensor, state: LSTMState, weights: LSTMWeights) -> tuple[LSTMState, LSTMGates]:
    """Advance an LSTM by one time step.

        i  = σ(W_i x + R_i h + b_i + p_i ⊙ c)             input gate
        f  = σ(W_f x + R_f h + b_f + p_f ⊙ c)             forget gate
        g  = tanh(W_g x + R_g h + b_g)                    candidate
        c′ = f ⊙ c + i ⊙ g                                cell state
        o  = σ(W_o x + R_o h + b_o + p_o ⊙ c′)            output gate
        h′ = P (o ⊙ tanh(c′))                             hidden state

    The terms with p appear only with peepholes, and P only with a projection. With layer norm, W x
    and R h are normalised over all gates together, and tanh reads the normalised c′.

    Args:
        x: input at time t, (B, I).
        state: hidden and cell state at time t−1, (B, P) and (B, H).
        weights: gates stacked i, f, g, o.

    Returns:
        State at time t, and the gates.

    Source: Hochreiter & Schmidhuber 1997; forget gate and peepholes of Gers et al. 2000 and 2002;
    projection of Sak et al. 2014, arXiv:1402.1128; layer norm of Ba et al. 2016, eqs. 20–22.
    """
    i, f, g, o = _gate_sums(x, state.hidden, weights, gates=4).chunk(4, dim=-1)
    p_i, p_f, p_o = _peepholes(weights, 3)
    i = torch.sigmoid(_peep(i, p_i, state.cell))
    f = torch.sigmoid(_peep(f, p_f, state.cell))
    g = torch.tanh(g)
    c = f * state.cell + i * g
    o = torch.sigmoid(_peep(o, p_o, c))
    return LSTMState(_hidden(o, c, weights), c), LSTMGates(i, f, g, o)


def lstm_coupled_step(
    x: Tensor, state: LSTMState, weights: LSTMWeights
) -> tuple[LSTMState, LSTMGates]:
    """Advance an LSTM whose forget gate is coupled to its input gate: f = 1 − i.

        i  = σ(W_i x + R_i h + b_i + p_i ⊙ c)             input gate
        g  = tanh(W_g x + R_g h + b_g)                    candidate
        c′ = (1 − i) ⊙ c + i ⊙ g                          cell state
        o  = σ(W_o x + R_o h + b_o + p_o ⊙ c′)            output gate
        h′ = P (o ⊙ tanh(c′))                             hidden state

    Args:
        x: input at time t, (B, I).
        state: hidden and cell state at time t−1, (B, P) and (B, H).
        weights: gates stacked i, g, o.

    Returns:
        State at time t, and the gates, f among them.

    Source: Greff et al. 2017, arXiv:1503.04069, "CIFG"; `input_forget` of ONNX.
    """
    i, g, o = _gate_sums(x, state.hidden, weights, gates=3).chunk(3, dim=-1)
    p_i, p_o = _peepholes(weights, 2)
    i = torch.sigmoid(_peep(i, p_i, state.cell))
    f = 1 - i
    g = torch.tanh(g)
    c = f * state.cell + i * g
    o = torch.sigmoid(_peep(o, p_o, c))
    return LSTMState(_hidden(o, c, weights), c), LSTMGates(i, f, g, o)


def _gate_sums(x: Tensor, h: Tensor, weights: LSTMWeights, *, gates: int) -> Tensor:
    """Sum W x + R h + b of every gate, (B, G·H)."""
    w = weights
    from_input = product(x, w.input, w.input_bias, w.input_gain, (gates,))
    h = masked(h, w.hidden_mask)
    return from_input + product(h, w.hidden, w.hidden_bias, w.hidden_gain, (gates,))


def _peepholes(weights: LSTMWeights, count: int) -> tuple[Tensor | None, ...]:
    return (None,) * count if weights.peephole is None else weights.peephole.chunk(count)


def _peep(gate: Tensor, peephole: Tensor | None, cell: Tensor) -> Tensor:
    return gate if peephole is None else gate + peephole * cell


def _hidden(o: Tensor, c: Tensor, weights: LSTMWeights) -> Tensor:
    """Compute the hidden state: P (o ⊙ tanh(c))."""
    if weights.cell_gain is not None:
        shape = c.shape[-1:]
        c = F.layer_norm(c, shape, weights.cell_gain, weights.cell_bias, LAYER_NORM_EPSILON)
    h = o * torch.tanh(c)
    return h if weights.projection is None else F.linear(h, weights.projection)


_PLAIN = Kernel("lstm", lstm_step, LSTMGates, kept=GATES)
_COUPLED = Kernel(
    "coupled_lstm", lstm_coupled_step, LSTMGates, kept=COUPLED_GATES, complements={"f": "i"}
)


def _build(*, peephole: bool, coupled_gates: bool) -> Cell:
    gates = COUPLED_GATES if coupled_gates else GATES
    return Cell(
        "lstm",
        {"peephole": peephole, "coupled_gates": coupled_gates},
        gates,
        lstm_coupled_step if coupled_gates else lstm_step,
        LSTMState,
        LSTMWeights,
        vectors={"peephole": len(gates) - 1} if peephole else {},
        kernel=_COUPLED if coupled_gates else _PLAIN,
        torch_function=None if peephole or coupled_gates else "lstm",
        torch_lacks="peephole" if peephole else "coupled gates",
    )


LSTM = CellFamily(
    "lstm",
    {"peephole": False, "coupled_gates": False},
    _build,
    layer="elman.layers.lstm:LSTM",
    kernels=({"coupled_gates": False}, {"coupled_gates": True}),
)
