"""The LSTM's coefficients: small changes of its gates' sums and of c, and what becomes of them."""

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


class LinearLSTM(NamedTuple):
    """An LSTM along a run, in gates i f g o, or i g o where they are coupled.

        ċ = keep ⊙ ċ(t−1) + Σ gain ⊙ ȧ                    over all gates but o
        ṁ = show ⊙ ċ + gain_o ⊙ ȧ_o                       m = o ⊙ tanh(c)

    and back:

        δm = Pᵀ δh                δc += show ⊙ δm
        δa = gain ⊙ δc            δa_o = gain_o ⊙ δm
        δc(t−1) = keep ⊙ δc       δh(t−1) = Rᵀ δa

    Peepholes are in keep and show; ȧ are the changes of the sums without them.

    Args:
        gain: (T, B, G, H).
        keep: (T, B, H).
        show: (T, B, H).
        gates: (T, B, G, H).
        cell: c before every step and after the last, (T + 1, B, H).
        bounded: tanh(c), (T, B, H).
    """

    gain: Tensor
    keep: Tensor
    show: Tensor
    gates: Tensor
    cell: Tensor
    bounded: Tensor

    @classmethod
    def of(cls, steps: Steps, weights: Weights, _: str) -> LinearLSTM:
        """Compute the coefficients of a run from its gates and cells."""
        gates, cell = steps.gates, steps.cell
        assert gates is not None
        assert cell is not None
        i, *f, g, o = gates.unbind(2)
        before, bounded = cell[:-1], torch.tanh(cell[1:])
        gain = torch.empty_like(gates)
        torch.mul(g if f else g - before, i * (1 - i), out=gain[:, :, 0])
        if f:
            torch.mul(before, f[0] * (1 - f[0]), out=gain[:, :, 1])
        torch.mul(i, 1 - g * g, out=gain[:, :, -2])
        torch.mul(bounded, o * (1 - o), out=gain[:, :, -1])
        keep = f[0].contiguous() if f else 1 - i
        show = o * (1 - bounded * bounded)
        if weights.peephole is not None:
            *gates_before, output = weights.peephole.chunk(gates.size(2) - 1)
            for place, peephole in enumerate(gates_before):
                keep = keep + gain[:, :, place] * peephole
            show += gain[:, :, -1] * output
        return cls(gain, keep, show, gates, cell, bounded)

    def values(self, steps: Steps) -> Values:
        """Return x, h, o ⊙ tanh(c) and c."""
        return Values(steps.x, steps.hidden, self.gates[:, :, -1] * self.bounded, self.cell)

    def adjoint(self, weights: Weights, sources: Sources) -> Adjoint:
        """Carry gradients back, as the class states."""
        hidden, cell, sums = sources.hidden, sources.cell, sources.sums
        matrix, projection = weights.hidden, weights.projection
        assert cell is not None
        middle = hidden[1:]
        if projection is not None:
            middle = torch.zeros_like(self.show) if sources.middle is None else sources.middle
        steps = by_step(
            self.gain[:, :, :-1],
            self.gain[:, :, -1],
            self.keep,
            self.show,
            sums[:, :, :-1],
            sums[:, :, -1],
            sums.flatten(2),
            middle,
            hidden[:-1],
            hidden[1:],
            cell[:-1],
            cell[1:],
            cell[1:].unsqueeze(2),
        )
        for gain, gain_o, keep, show, own, own_o, every, m, h_old, h, c_old, c, wide in reversed(
            steps
        ):
            if projection is not None:
                m.addmm_(h, projection)
            c.addcmul_(show, m)
            own.addcmul_(gain, wide)
            own_o.addcmul_(gain_o, m)
            c_old.addcmul_(keep, c)
            h_old.addmm_(every, matrix)
        return Adjoint(sums.flatten(2), sums.flatten(2), hidden, middle, cell)

    def tangent(
        self, values: Values, begin: Values, weights: Weights, direction: Direction
    ) -> Tangent:
        """Carry changes on, as the class states, with ḣ = P ṁ + Ṗ m."""
        sums = self._hoisted(values, begin, weights, direction)
        hidden, cell = begin.hidden, begin.cell
        back, projection = weights.hidden.t(), weights.projection
        assert cell is not None
        middle = hidden[1:]
        if projection is not None:
            middle = torch.empty_like(self.show)
            changed = added(None, values.middle, direction.projection)
            hidden[1:] = 0 if changed is None else changed.view_as(hidden[1:])
        scratch = torch.empty_like(self.gain[0])
        scratch_c, scratch_o = scratch[:, :-1], scratch[:, -1]
        steps = by_step(
            self.gain,
            self.keep,
            self.show,
            sums,
            sums.flatten(2),
            middle,
            hidden[:-1],
            hidden[1:],
            cell[:-1],
            cell[1:],
        )
        for gain, keep, show, own, every, m, h_old, h, c_old, c in steps:
            every.addmm_(h_old, back)
            torch.mul(gain, own, out=scratch)
            torch.sum(scratch_c, 1, out=c)
            c.addcmul_(keep, c_old)
            torch.addcmul(scratch_o, show, c, out=m)
            if projection is not None:
                h.addmm_(m, projection.t())
        if weights.peephole is not None:
            _peep(sums, weights.peephole, cell)
        return Tangent(Values(begin.x, hidden, middle, cell), sums)

    def _hoisted(
        self, values: Values, begin: Values, weights: Weights, direction: Direction
    ) -> Tensor:
        """Compute what does not wait for ḣ: W ẋ + Ẇ x + Ṙ h(t−1) + ḃ + ṗ ⊙ c, (T, B, G, H)."""
        total = added(None, begin.x, weights.input)
        total = added(total, values.x, direction.input)
        total = added(total, values.hidden[:-1], direction.hidden)
        sums = gated(total, [direction.input_bias, direction.hidden_bias], self.gain)
        if direction.peephole is not None:
            _peep(sums, direction.peephole, self.cell)
        return sums

    def change(
        self, tangent: Tangent, adjoint: Adjoint, weights: Weights, direction: Direction
    ) -> Sources:
        """Compute the sources: how gain, keep and show change, times the gradients."""
        gain, keep, show = self._changes(tangent.values.cell, tangent.sums, weights, direction)
        grad_c, grad_m = adjoint.cell, adjoint.middle
        assert grad_c is not None
        assert grad_m is not None
        cell = shifted(keep * grad_c[1:], grad_c)
        cell[1:].addcmul_(show, grad_m)
        gain[:, :, :-1] *= grad_c[1:].unsqueeze(2)
        gain[:, :, -1] *= grad_m
        hidden = torch.zeros_like(adjoint.hidden)
        if direction.hidden is not None:
            hidden = shifted(adjoint.sums @ direction.hidden, hidden)
        middle = None
        if direction.projection is not None:
            middle = adjoint.hidden[1:] @ direction.projection
        return Sources(hidden, cell, gain, middle=middle)

    def _changes(
        self, cell: Tensor | None, sums: Tensor, weights: Weights, direction: Direction
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Compute how gain, keep and show change.

        Args:
            cell: how c changes, (T + 1, B, H).
            sums: how the gates' sums change, (T, B, G, H).
            weights: those of the run.
            direction: how they change.
        """
        assert cell is not None
        i, *f, g, o = self.gates.unbind(2)
        before, bounded = self.cell[:-1], self.bounded
        slope_i, slope_g, slope_o = i * (1 - i), 1 - g * g, o * (1 - o)
        i_dot, g_dot = slope_i * sums[:, :, 0], slope_g * sums[:, :, -2]
        o_dot = slope_o * sums[:, :, -1]
        bounded_slope = 1 - bounded * bounded
        bounded_dot = bounded_slope * cell[1:]
        gain = torch.empty_like(self.gain)
        if f:
            slope_f = f[0] * (1 - f[0])
            f_dot = slope_f * sums[:, :, 1]
            gain[:, :, 0] = g_dot * slope_i + g * (1 - 2 * i) * i_dot
            gain[:, :, 1] = cell[:-1] * slope_f + before * (1 - 2 * f[0]) * f_dot
            keep = f_dot
        else:
            gain[:, :, 0] = (g_dot - cell[:-1]) * slope_i + (g - before) * (1 - 2 * i) * i_dot
            keep = -i_dot
        gain[:, :, -2] = i_dot * slope_g - 2 * i * g * g_dot
        gain[:, :, -1] = bounded_dot * slope_o + bounded * (1 - 2 * o) * o_dot
        show = o_dot * bounded_slope - 2 * o * bounded * bounded_dot
        for peephole, factor in ((weights.peephole, gain), (direction.peephole, self.gain)):
            if peephole is not None:
                *gates_before, output = peephole.chunk(factor.size(2) - 1)
                for place, own in enumerate(gates_before):
                    keep = keep + factor[:, :, place] * own
                show = show + factor[:, :, -1] * output
        return gain, keep, show

    def products(
        self,
        adjoint: Adjoint,
        values: Values,
        weights: Weights | Direction,
        wanted: Wanted,
    ) -> dict[str, Tensor]:
        """Compute the gradients of x, W, R, of the projection and the peepholes."""
        found = products_with_x(adjoint, values, weights, wanted)
        if "hidden" in wanted:
            found["hidden"] = outer(adjoint.sums, values.hidden[:-1])
        if "projection" in wanted and values.middle is not None:
            found["projection"] = outer(adjoint.hidden[1:], values.middle)
        if "peephole" in wanted and values.cell is not None:
            sums = adjoint.sums.view_as(self.gain)
            parts = [sums[:, :, place] * values.cell[:-1] for place in range(sums.size(2) - 2)]
            parts.append(sums[:, :, -1] * values.cell[1:])
            found["peephole"] = torch.cat([part.sum((0, 1)) for part in parts])
        return found


def _peep(sums: Tensor, peephole: Tensor, cell: Tensor) -> None:
    """Add p ⊙ c to the sums of the gates, (T, B, G, H): c(t−1) but for o, which reads c(t)."""
    *before, output = peephole.chunk(sums.size(2) - 1)
    for place, own in enumerate(before):
        sums[:, :, place] += own * cell[:-1]
    sums[:, :, -1] += output * cell[1:]
