"""The simple recurrent cell of Elman 1990."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from elman.cells.entry import Cell, CellFamily, Kernel
from elman.cells.products import masked, product
from elman.errors import unknown

GATES = ("a",)
NONLINEARITIES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda a: a,
}


class SimpleWeights(NamedTuple):
    """Weights of the simple cell.

    Args:
        input: W, (H, I).
        hidden: R, (H, H).
        input_bias: b, (H,), or None.
        hidden_bias: a second bias, as torch.nn has it; it adds to b, (H,), or None.
        input_gain: layer norm's γ of W x, (H,), or None.
        hidden_gain: layer norm's γ of R h, (H,), or None.
        hidden_mask: recurrent dropout of h(t−1) inside R h, (B, H), or None.
    """

    input: Tensor
    hidden: Tensor
    input_bias: Tensor | None = None
    hidden_bias: Tensor | None = None
    input_gain: Tensor | None = None
    hidden_gain: Tensor | None = None
    hidden_mask: Tensor | None = None


class SimpleState(NamedTuple):
    """State of the simple cell: hidden h, (B, H)."""

    hidden: Tensor


class SimpleGates(NamedTuple):
    """What the step computes before the nonlinearity: preactivation a, (B, H)."""

    a: Tensor


def simple_step(
    x: Tensor, state: SimpleState, weights: SimpleWeights, *, nonlinearity: str = "tanh"
) -> tuple[SimpleState, SimpleGates]:
    """Advance the simple recurrent cell by one time step.

        a  = W x + R h + b                                preactivation
        h′ = g(a)                                         g is tanh by default

    Args:
        x: input at time t, (B, I).
        state: hidden state at time t−1, (B, H).
        weights: one block of rows.
        nonlinearity: g: tanh, relu, sigmoid or identity.

    Returns:
        State at time t, and the preactivation.

    Source: Elman 1990, "Finding Structure in Time", Cognitive Science 14. The sum is the same as
    one product of the stacked matrix (W | R) with the stacked vector (x; h).
    """
    w = weights
    a_x = product(x, w.input, w.input_bias, w.input_gain, (1,))
    a_h = product(masked(state.hidden, w.hidden_mask), w.hidden, w.hidden_bias, w.hidden_gain, (1,))
    a = a_x + a_h
    return SimpleState(NONLINEARITIES[nonlinearity](a)), SimpleGates(a)


_KERNEL = Kernel("simple", simple_step, SimpleGates, kept=GATES, follows_from_output=True)
_TORCH_FUNCTIONS = {"tanh": "rnn_tanh", "relu": "rnn_relu"}


def _build(nonlinearity: str) -> Cell:
    if nonlinearity not in NONLINEARITIES:
        raise unknown("nonlinearity", nonlinearity, NONLINEARITIES)
    return Cell(
        "simple",
        {"nonlinearity": nonlinearity},
        GATES,
        partial(simple_step, nonlinearity=nonlinearity),
        SimpleState,
        SimpleWeights,
        kernel=_KERNEL,
        torch_function=_TORCH_FUNCTIONS.get(nonlinearity),
        torch_lacks="nonlinearity but tanh and relu",
    )


SIMPLE = CellFamily(
    "simple",
    {"nonlinearity": "tanh"},
    _build,
    layer="elman.layers.simple_rnn:SimpleRNN",
    kernels=({},),
)
