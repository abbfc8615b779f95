"""The linear recurrent unit: complex numbers that turn and fade, each by a rate of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn import init

from elman.cells.entry import Cell, CellFamily, Columns, Scan
from elman.cells.products import complex_product
from elman.errors import OptionError, unknown

GATES = ("real", "imaginary")
ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "identity": lambda a: a,
}


class LRUWeights(NamedTuple):
    """Weights of the linear recurrent unit; of complex ones the real part comes first.

    Args:
        input: B, (2·H, I).
        decay: ln of −ln |λ|, the paper's ν, (H,).
        phase: ln of the angle of λ, the paper's θ, (H,).
        scale: ln of what B x is multiplied by, the paper's γ, (H,).
        output: C as (Re C | −Im C), which multiplies (Re c; Im c), (H, 2·H).
        skip: D, (H, I).
    """

    input: Tensor
    decay: Tensor
    phase: Tensor
    scale: Tensor
    output: Tensor
    skip: Tensor


class LRUState(NamedTuple):
    """State of the linear recurrent unit: hidden h, (B, H), and cell c, real parts before
    imaginary ones, (B, 2·H); h does not act on the next step.
    """

    hidden: Tensor
    cell: Tensor


class LRUGates(NamedTuple):
    """What a step adds to λ ⊙ c, γ ⊙ (B x), its two parts (B, H); there are no gates."""

    real: Tensor
    imaginary: Tensor


def lru_sums(x: Tensor, weights: LRUWeights) -> Tensor:
    """Compute exp(γ) ⊙ (B x), (…, 2·H), of inputs (…, I)."""
    scale = torch.exp(weights.scale).repeat(2).unsqueeze(1)
    return F.linear(x, weights.input * scale)


def lru_terms(sums: Tensor, weights: LRUWeights) -> tuple[Tensor, Tensor, LRUGates]:
    """Compute λ, (2·H,); the sums are what is added."""
    size, angle = torch.exp(-torch.exp(weights.decay)), torch.exp(weights.phase)
    pole = torch.cat([size * torch.cos(angle), size * torch.sin(angle)])
    return pole, sums, LRUGates(*sums.chunk(2, dim=-1))


def lru_output(cell: Tensor, x: Tensor, weights: LRUWeights, *, activation: str) -> Tensor:
    """Compute h = g(Re(C c) + D x), (…, H), of states (…, 2·H) and inputs (…, I)."""
    read = F.linear(cell, weights.output) + F.linear(x, weights.skip)
    return ACTIVATIONS[activation](read)


def lru_step(
    x: Tensor, state: LRUState, weights: LRUWeights, *, activation: str = "gelu"
) -> tuple[LRUState, LRUGates]:
    """Advance a linear recurrent unit by one time step.

        λ  = exp(−exp(ν) + i exp(θ))                      one complex number a unit, |λ| < 1
        c′ = λ ⊙ c + exp(γ) ⊙ (B x)                       state, complex
        h′ = g(Re(C c′) + D x)                            output

    λ does not depend on x, so all B x can be computed beforehand. Worked for one unit with
    |λ| = 1/2, angle π/2, γ = 0, B = 2, C = 1 − i, D = 3 and g the identity: from c = 4, the inputs
    1 and 0 give c′ = i/2 · 4 + 2 = 2 + 2i and h′ = Re((1 − i)(2 + 2i)) + 3 = 7, then
    c′ = i/2 · (2 + 2i) = −1 + i and h′ = Re((1 − i)(−1 + i)) = 0.

    Args:
        x: input at time t, (B, I).
        state: h, which is not read, and c at time t−1.
        weights: B, ν, θ, γ, C and D.
        activation: g: gelu or identity.

    Returns:
        State at time t, and γ ⊙ (B x).

    Source: Orvieto et al. 2023, "Resurrecting Recurrent Neural Networks for Long Sequences",
    arXiv:2303.06349, §3. There g is the identity, and a block of dense layers follows; here a
    GELU stands for it, for layers that are linear stay linear however many are stacked. D is a
    matrix, for I and H may differ.
    """
    pole, add, gates = lru_terms(lru_sums(x, weights), weights)
    cell = complex_product(pole, state.cell) + add
    return LRUState(lru_output(cell, x, weights, activation=activation), cell), gates


@torch.no_grad()
def initialise_lru(weights: LRUWeights, *, r_min: float, r_max: float, max_phase: float) -> None:
    """Draw λ uniformly from a ring, and B, C, D as Glorot does.

        |λ|² ~ U(r_min², r_max²),   angle ~ U(0, max_phase)
        γ    = ln √(1 − |λ|²)                             |c| as large as |B x|

    Source: Orvieto et al. 2023, lemma 3.2, §3.4 and appendix A.
    """
    w = weights
    edge = 1e-6  # neither λ = 0 nor |λ| = 1
    squared = torch.empty_like(w.decay).uniform_(r_min**2, r_max**2).clamp(edge, 1 - edge)
    w.decay.copy_(torch.log(-0.5 * torch.log(squared)))
    w.phase.copy_(torch.empty_like(w.phase).uniform_(edge, 1).mul(max_phase).log())
    w.scale.copy_(0.5 * torch.log1p(-squared))
    inputs, units = w.input.size(1), w.decay.size(0)
    init.normal_(w.input, std=1 / math.sqrt(2 * inputs))
    init.normal_(w.output, std=1 / math.sqrt(units))
    init.normal_(w.skip, std=1 / math.sqrt(inputs))


def _build(*, activation: str, r_min: float, r_max: float, max_phase: float) -> Cell:
    if activation not in ACTIVATIONS:
        raise unknown("activation", activation, ACTIVATIONS)
    if not 0 <= r_min < r_max <= 1:
        raise OptionError(f"r_min and r_max must be 0 ≤ r_min < r_max ≤ 1, got {r_min}, {r_max}.")
    if not 0 < max_phase <= 2 * math.pi:
        raise OptionError(f"max_phase must be above 0 and at most 2 π, got {max_phase}.")
    return Cell(
        "lru",
        {"activation": activation, "r_min": r_min, "r_max": r_max, "max_phase": max_phase},
        GATES,
        partial(lru_step, activation=activation),
        LRUState,
        LRUWeights,
        vectors={"decay": 1, "phase": 1, "scale": 1},
        matrices={"output": Columns("units", 2), "skip": Columns("inputs")},
        state_blocks={"cell": 2},
        has_zoneout=False,
        initialise=partial(initialise_lru, r_min=r_min, r_max=r_max, max_phase=max_phase),
        scan=Scan(
            lru_sums,
            lru_terms,
            part="cell",
            output=partial(lru_output, activation=activation),
            is_complex=True,
        ),
    )


LRU = CellFamily(
    "lru",
    {"activation": "gelu", "r_min": 0.0, "r_max": 1.0, "max_phase": 2 * math.pi},
    _build,
    layer="elman.layers.lru:LRU",
)
