"""The simple cell's coefficients: a small change of a, and what becomes of it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from elman.sequence.derivatives.parts import (
    Adjoint,
    Direction,
    Sources,
    Steps,
    Tangent,
    Values,
    Wanted,
    Weights,
    added,
    by_step,
    gated,
    outer,
    products_with_x,
    shifted,
)


class LinearSimple(NamedTuple):
    """h′ = g(a) along a run.

    Args:
        gain: g′(a), (T, B, 1, H), zeros after a row's end.
        bend: g″(a) / g′(a), (T, B, H); None where g is straight.
    """

    gain: Tensor
    bend: Tensor | None

    @classmethod
    def of(cls, steps: Steps, _: Weights, nonlinearity: str) -> LinearSimple:
        """Compute the coefficients of a run from its states."""
        h = steps.hidden[1:]
        bend = None
        if nonlinearity == "tanh":
            slope, bend = 1 - h * h, -2 * h
        elif nonlinearity == "sigmoid":
            slope, bend = h * (1 - h), 1 - 2 * h
        elif nonlinearity == "relu":
            slope = (h > 0).to(h.dtype)
        else:
            slope = torch.ones_like(h)
        slope = slope if steps.alive is None else slope * steps.alive
        return cls(slope.unsqueeze(2), bend)

    def values(self, steps: Steps) -> Values:
        """Return x and h."""
        return Values(steps.x, steps.hidden)

    def adjoint(self, weights: Weights, sources: Sources) -> Adjoint:
        """Carry gradients back: δa = g′ ⊙ δh, δh(t−1) = Rᵀ δa."""
        sums, hidden, matrix = sources.sums.squeeze(2), sources.hidden, weights.hidden
        steps = by_step(self.gain.squeeze(2), sums, hidden[:-1], hidden[1:])
        for slope, own, before, after in reversed(steps):
            own.addcmul_(slope, after)
            before.addmm_(own, matrix)
        return Adjoint(sums, sums, hidden)

    def tangent(
        self, values: Values, begin: Values, weights: Weights, direction: Direction
    ) -> Tangent:
        """Carry changes on: ȧ = W ẋ + R ḣ(t−1) + …, ḣ = g′ ⊙ ȧ."""
        total = added(None, begin.x, weights.input)
        total = added(total, values.x, direction.input)
        total = added(total, values.hidden[:-1], direction.hidden)
        biases = [direction.input_bias, direction.hidden_bias]
        sums = gated(total, biases, self.gain)
        back = weights.hidden.t()
        hidden = begin.hidden
        steps = by_step(
            self.gain.squeeze(2),
            sums.squeeze(2),
            hidden[:-1],
            hidden[1:],
        )
        for slope, own, before, after in steps:
            own.addmm_(before, back)
            torch.mul(slope, own, out=after)
        return Tangent(Values(begin.x, hidden), sums)

    def change(
        self, tangent: Tangent, adjoint: Adjoint, _: Weights, direction: Direction
    ) -> Sources:
        """Compute the sources: ġ′ ⊙ δh at the sums, Ṙᵀ δa at h."""
        if self.bend is None:
            sums = torch.zeros_like(adjoint.sums)
        else:
            sums = self.bend * tangent.values.hidden[1:] * adjoint.hidden[1:]
        if direction.hidden is None:
            hidden = torch.zeros_like(adjoint.hidden)
        else:
            hidden = shifted(adjoint.sums @ direction.hidden, adjoint.hidden)
        return Sources(hidden, None, sums.unsqueeze(2))

    def products(
        self,
        adjoint: Adjoint,
        values: Values,
        weights: Weights | Direction,
        wanted: Wanted,
    ) -> dict[str, Tensor]:
        """Compute the gradients of x, W and R."""
        found = products_with_x(adjoint, values, weights, wanted)
        if "hidden" in wanted:
            found["hidden"] = outer(adjoint.sums, values.hidden[:-1])
        return found
