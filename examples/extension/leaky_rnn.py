"""A cell for Elman: a leaky integrator, each unit with a rate of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from elman.cells import Cell, CellFamily
from elman.layers import RecurrentLayer, RecurrentOptions

SQUASHINGS = {"tanh": torch.tanh, "sin": torch.sin}


class LeakyWeights(NamedTuple):
    """Weights of the leaky integrator: W (H, I), R (H, H), biases and leak a (H,)."""

    input: Tensor
    hidden: Tensor
    input_bias: Tensor | None = None
    hidden_bias: Tensor | None = None
    leak: Tensor | None = None
    hidden_mask: Tensor | None = None


class LeakyState(NamedTuple):
    """State of the leaky integrator: hidden h, (B, H)."""

    hidden: Tensor


class LeakyGates(NamedTuple):
    """What the step computes beside the state: candidate n, (B, H)."""

    n: Tensor


def leaky_sum(x: Tensor, h: Tensor, w: LeakyWeights) -> Tensor:
    """Compute W x + R h + b."""
    kept = h if w.hidden_mask is None else h * w.hidden_mask
    return F.linear(x, w.input, w.input_bias) + F.linear(kept, w.hidden, w.hidden_bias)


def build(squashing: str) -> Cell:
    """Build the cell: h′ = (1 − σ(a)) ⊙ h + σ(a) ⊙ g(W x + R h + b)."""

    def step(x: Tensor, state: LeakyState, weights: LeakyWeights) -> tuple[LeakyState, LeakyGates]:
        assert weights.leak is not None
        share = torch.sigmoid(weights.leak)
        n = SQUASHINGS[squashing](leaky_sum(x, state.hidden, weights))
        return LeakyState((1 - share) * state.hidden + share * n), LeakyGates(n)

    return Cell(
        "leaky",
        {"squashing": squashing},
        ("n",),
        step,
        LeakyState,
        LeakyWeights,
        vectors={"leak": 1},
    )


LEAKY = CellFamily("leaky", {"squashing": "tanh"}, build, layer="leaky_rnn:Leaky")


class Leaky(RecurrentLayer):
    """A stack of leaky integrators."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int | Sequence[int],
        num_layers: int = 1,
        *,
        squashing: str = "tanh",
        backend: str = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        **options: Any,
    ) -> None:
        """Build the layer; `options` are those of `RecurrentOptions`."""
        super().__init__(
            RecurrentOptions(
                cell=LEAKY.variant(squashing=squashing),
                input_size=input_size,
                hidden_size=hidden_size,
                num_layers=num_layers,
                **options,
            ),
            backend=backend,
            device=device,
            dtype=dtype,
        )
