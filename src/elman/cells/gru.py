"""The gated recurrent unit, in both published forms."""

from __future__ import annotations

from typing import NamedTuple, overload

import torch
from torch import Tensor

from elman.cells.entry import Cell, CellFamily, Kernel
from elman.cells.products import masked, product

GATES = ("r", "z", "n")
_NORM_GROUPS = (2, 1)


class GRUWeights(NamedTuple):
    """Weights of the GRU, gates stacked r z n.

    Args:
        input: W, (3·H, I).
        hidden: R, (3·H, H).
        input_bias: b, (3·H,), or None.
        hidden_bias: b′, (3·H,), or None.
        input_gain: layer norm's γ of W x, (3·H,), or None.
        hidden_gain: layer norm's γ of R h, (3·H,), or None.
        hidden_mask: recurrent dropout of h(t−1) inside R h, (B, H), or None.
    """

    input: Tensor
    hidden: Tensor
    input_bias: Tensor | None = None
    hidden_bias: Tensor | None = None
    input_gain: Tensor | None = None
    hidden_gain: Tensor | None = None
    hidden_mask: Tensor | None = None


class GRUState(NamedTuple):
    """State of the GRU: hidden h, (B, H)."""

    hidden: Tensor


class GRUGates(NamedTuple):
    """The gates after their activation, each (B, H)."""

    r: Tensor
    z: Tensor
    n: Tensor


def gru_step(x: Tensor, state: GRUState, weights: GRUWeights) -> tuple[GRUState, GRUGates]:
    """Advance a GRU by one time step; the reset gate acts after the recurrent product.

        r  = σ(W_r x + b_r + R_r h + b′_r)                reset gate
        z  = σ(W_z x + b_z + R_z h + b′_z)                update gate
        n  = tanh(W_n x + b_n + r ⊙ (R_n h + b′_n))       candidate
        h′ = (1 − z) ⊙ n + z ⊙ h                          z = 1 keeps the old state

    With layer norm, W x and R h are normalised over r and z together, and over n.

    Args:
        x: input at time t, (B, I).
        state: hidden state at time t−1, (B, H).
        weights: gates stacked r, z, n.

    Returns:
        State at time t, and the gates.

    Source: Cho et al. 2014, arXiv:1406.1078, §2.3, with the reset after the product, as in cuDNN
    and torch.nn.GRU; `gru_reset_before_step` is the paper's own form. Layer norm: Ba et al. 2016.
    """
    w, h = weights, state.hidden
    from_input = product(x, w.input, w.input_bias, w.input_gain, _NORM_GROUPS)
    from_hidden = product(
        masked(h, w.hidden_mask), w.hidden, w.hidden_bias, w.hidden_gain, _NORM_GROUPS
    )
    x_r, x_z, x_n = from_input.chunk(3, dim=-1)
    h_r, h_z, h_n = from_hidden.chunk(3, dim=-1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return GRUState((1 - z) * n + z * h), GRUGates(r, z, n)


def gru_reset_before_step(
    x: Tensor, state: GRUState, weights: GRUWeights
) -> tuple[GRUState, GRUGates]:
    """Advance a GRU by one time step; the reset gate acts before the recurrent product.

        r  = σ(W_r x + b_r + R_r h + b′_r)                reset gate
        z  = σ(W_z x + b_z + R_z h + b′_z)                update gate
        n  = tanh(W_n x + b_n + R_n (r ⊙ h) + b′_n)       candidate
        h′ = (1 − z) ⊙ n + z ⊙ h                          z = 1 keeps the old state

    Args:
        x: input at time t, (B, I).
        state: hidden state at time t−1, (B, H).
        weights: gates stacked r, z, n.

    Returns:
        State at time t, and the gates.

    Source: Cho et al. 2014, arXiv:1406.1078, eqs. 5–8; `linear_before_reset = 0` of ONNX,
    `reset_after=False` of Keras.
    """
    w, h = weights, state.hidden
    kept = masked(h, w.hidden_mask)
    hidden_rz, hidden_n = _split_gates(w.hidden)
    bias_rz, bias_n = _split_gates(w.hidden_bias)
    gain_rz, gain_n = _split_gates(w.hidden_gain)
    from_input = product(x, w.input, w.input_bias, w.input_gain, _NORM_GROUPS)
    x_r, x_z, x_n = from_input.chunk(3, dim=-1)
    h_r, h_z = product(kept, hidden_rz, bias_rz, gain_rz, (2,)).chunk(2, dim=-1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + product(r * kept, hidden_n, bias_n, gain_n, (1,)))
    return GRUState((1 - z) * n + z * h), GRUGates(r, z, n)


@overload
def _split_gates(packed: Tensor) -> tuple[Tensor, Tensor]: ...
@overload
def _split_gates(packed: None) -> tuple[None, None]: ...
def _split_gates(packed: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """Split weights packed r z n into the part of r and z and the part of n."""
    if packed is None:
        return None, None
    size = packed.size(0) // 3
    return packed[: 2 * size], packed[2 * size :]


_AFTER = Kernel("gru_reset_after", gru_step, GRUGates, kept=(*GATES, "R_n h"))
_BEFORE = Kernel("gru_reset_before", gru_reset_before_step, GRUGates, kept=GATES)


def _build(*, reset_after: bool) -> Cell:
    return Cell(
        "gru",
        {"reset_after": reset_after},
        GATES,
        gru_step if reset_after else gru_reset_before_step,
        GRUState,
        GRUWeights,
        kernel=_AFTER if reset_after else _BEFORE,
        torch_function="gru" if reset_after else None,
        torch_lacks="GRU that resets before the product",
    )


GRU = CellFamily(
    "gru",
    {"reset_after": True},
    _build,
    layer="elman.layers.gru:GRU",
    kernels=({"reset_after": True}, {"reset_after": False}),
)
