"""The GRU's coefficients, in both forms: small changes of its gates, and what becomes of them."""

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


class LinearGRU(NamedTuple):
    """A GRU that resets after the product, along a run; q = R_n h(t−1) + b′_n.

        ḣ = z ⊙ ḣ(t−1) + gain_r ⊙ ȧ_r + gain_z ⊙ ȧ_z + gain_n ⊙ q̇ + gain_x ⊙ ẋ_n

    with a_r, a_z the sums of W x and R h, and x_n = W_n x + b_n.

    Args:
        gain: of r, z and q, (T, B, 3, H).
        gain_x: (T, B, H).
        gates: r z n q, (T, B, 4, H).
        hidden: h before every step, (T, B, H).
    """

    gain: Tensor
    gain_x: Tensor
    gates: Tensor
    hidden: Tensor

    @classmethod
    def of(cls, steps: Steps, _: Weights, __: str) -> LinearGRU:
        """Compute the coefficients of a run from its gates and states."""
        gates, hidden = steps.gates, steps.hidden[:-1]
        assert gates is not None
        r, z, n, q = gates.unbind(2)
        gain_x = (1 - z) * (1 - n * n)
        gain = torch.empty_like(gates[:, :, :3])
        torch.mul(gain_x * q, r * (1 - r), out=gain[:, :, 0])
        torch.mul(hidden - n, z * (1 - z), out=gain[:, :, 1])
        torch.mul(gain_x, r, out=gain[:, :, 2])
        return cls(gain, gain_x, gates, hidden)

    def values(self, steps: Steps) -> Values:
        """Return x and h."""
        return Values(steps.x, steps.hidden)

    def adjoint(self, weights: Weights, sources: Sources) -> Adjoint:
        """Carry gradients back: δa = gain ⊙ δh, δh(t−1) = z ⊙ δh + Rᵀ δa."""
        hidden, sums, matrix = sources.hidden, sources.sums, weights.hidden
        steps = by_step(
            self.gain,
            self.gates[:, :, 1],
            sums,
            sums.flatten(2),
            hidden[:-1],
            hidden[1:],
            hidden[1:].unsqueeze(2),
        )
        for gain, z, own, every, before, after, wide in reversed(steps):
            own.addcmul_(gain, wide)
            before.addcmul_(z, after).addmm_(every, matrix)
        of_input = sums.clone()
        torch.mul(self.gain_x, hidden[1:], out=of_input[:, :, 2])
        if sources.input_candidate is not None:
            of_input[:, :, 2] += sources.input_candidate
        return Adjoint(sums.flatten(2), of_input.flatten(2), hidden)

    def tangent(
        self, values: Values, begin: Values, weights: Weights, direction: Direction
    ) -> Tangent:
        """Carry changes on, the recurrence that the class states."""
        of_input = added(added(None, begin.x, weights.input), values.x, direction.input)
        of_input = gated(of_input, [direction.input_bias], self.gain)
        sums = gated(
            added(None, values.hidden[:-1], direction.hidden), [direction.hidden_bias], self.gain
        )
        sums[:, :, :2] += of_input[:, :, :2]
        x_n = of_input[:, :, 2]
        hidden, back = begin.hidden, weights.hidden.t()
        torch.mul(self.gain_x, x_n, out=hidden[1:])
        scratch, total = torch.empty_like(self.gain[0]), torch.empty_like(self.hidden[0])
        steps = by_step(
            self.gain,
            self.gates[:, :, 1],
            sums,
            sums.flatten(2),
            hidden[:-1],
            hidden[1:],
        )
        for gain, z, own, every, before, after in steps:
            every.addmm_(before, back)
            torch.mul(gain, own, out=scratch)
            torch.sum(scratch, 1, out=total)
            after.addcmul_(z, before).add_(total)
        return Tangent(Values(begin.x, hidden), sums, x_n)

    def change(
        self, tangent: Tangent, adjoint: Adjoint, _: Weights, direction: Direction
    ) -> Sources:
        """Compute the sources: how gain and z change, times the gradient of h."""
        r, z, n, q = self.gates.unbind(2)
        grad, x_n, before = adjoint.hidden[1:], tangent.input_candidate, tangent.values.hidden[:-1]
        assert x_n is not None
        slope_r, slope_z, slope_n = r * (1 - r), z * (1 - z), 1 - n * n
        r_dot, z_dot = slope_r * tangent.sums[:, :, 0], slope_z * tangent.sums[:, :, 1]
        q_dot = tangent.sums[:, :, 2]
        n_dot = slope_n * (x_n + r_dot * q + r * q_dot)
        gain_x = -z_dot * slope_n - 2 * (1 - z) * n * n_dot
        gain = torch.empty_like(self.gain)
        gain[:, :, 0] = (gain_x * q + self.gain_x * q_dot) * slope_r
        gain[:, :, 0] += self.gain_x * q * (1 - 2 * r) * r_dot
        gain[:, :, 1] = (before - n_dot) * slope_z + (self.hidden - n) * (1 - 2 * z) * z_dot
        gain[:, :, 2] = gain_x * r + self.gain_x * r_dot
        gain *= grad.unsqueeze(2)
        hidden = z_dot * grad
        if direction.hidden is not None:
            hidden += adjoint.sums @ direction.hidden
        return Sources(shifted(hidden, adjoint.hidden), None, gain, gain_x * grad)

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


class LinearResetBefore(NamedTuple):
    """A GRU that resets before the product, along a run; m = r ⊙ h(t−1).

        ṁ = r ⊙ ḣ(t−1) + gain_r ⊙ ȧ_r
        ḣ = z ⊙ ḣ(t−1) + gain_z ⊙ ȧ_z + gain_n ⊙ ȧ_n

    and back:

        δa_n = gain_n ⊙ δh        δm = R_nᵀ δa_n
        δa_z = gain_z ⊙ δh        δa_r = gain_r ⊙ δm
        δh(t−1) = z ⊙ δh + r ⊙ δm + Rᵀ δa of r and z

    with a the sums of the gates, that of n with R_n m.

    Args:
        gain: of r, z and n, (T, B, 3, H).
        gates: r z n, (T, B, 3, H).
        hidden: h before every step, (T, B, H).
    """

    gain: Tensor
    gates: Tensor
    hidden: Tensor

    @classmethod
    def of(cls, steps: Steps, _: Weights, __: str) -> LinearResetBefore:
        """Compute the coefficients of a run from its gates and states."""
        gates, hidden = steps.gates, steps.hidden[:-1]
        assert gates is not None
        r, z, n = gates.unbind(2)
        gain = torch.empty_like(gates)
        torch.mul(hidden, r * (1 - r), out=gain[:, :, 0])
        torch.mul(hidden - n, z * (1 - z), out=gain[:, :, 1])
        torch.mul(1 - z, 1 - n * n, out=gain[:, :, 2])
        return cls(gain, gates, hidden)

    def values(self, steps: Steps) -> Values:
        """Return x, h and r ⊙ h(t−1)."""
        return Values(steps.x, steps.hidden, self._middle())

    def _middle(self) -> Tensor:
        return self.gates[:, :, 0] * self.hidden

    def adjoint(self, weights: Weights, sources: Sources) -> Adjoint:
        """Carry gradients back, as the class states."""
        hidden, sums = sources.hidden, sources.sums
        matrix, matrix_n = _parted(weights.hidden)
        middle = torch.zeros_like(self.hidden) if sources.middle is None else sources.middle
        size = 2 * self.hidden.size(-1)
        steps = by_step(
            *self.gain.unbind(2),
            *self.gates[:, :, :2].unbind(2),
            *sums.unbind(2),
            sums.flatten(2)[:, :, :size],
            middle,
            hidden[:-1],
            hidden[1:],
        )
        for gain_r, gain_z, gain_n, r, z, a_r, a_z, a_n, both, m, before, after in reversed(steps):
            a_n.addcmul_(gain_n, after)
            m.addmm_(a_n, matrix_n)
            a_z.addcmul_(gain_z, after)
            a_r.addcmul_(gain_r, m)
            before.addcmul_(z, after).addcmul_(r, m).addmm_(both, matrix)
        return Adjoint(sums.flatten(2), sums.flatten(2), hidden, middle)

    def tangent(
        self, values: Values, begin: Values, weights: Weights, direction: Direction
    ) -> Tangent:
        """Carry changes on, the recurrence that the class states."""
        total = added(added(None, begin.x, weights.input), values.x, direction.input)
        sums = gated(total, [direction.input_bias, direction.hidden_bias], self.gain)
        size = 2 * self.hidden.size(-1)
        if direction.hidden is not None:
            turn, turn_n = _parted(direction.hidden)
            sums.flatten(2)[:, :, :size] += values.hidden[:-1] @ turn.t()
            sums[:, :, 2] += self._middle() @ turn_n.t()
        matrix, matrix_n = _parted(weights.hidden)
        back, back_n = matrix.t(), matrix_n.t()
        hidden, middle = begin.hidden, torch.empty_like(self.hidden)
        steps = by_step(
            *self.gain.unbind(2),
            *self.gates[:, :, :2].unbind(2),
            *sums.unbind(2),
            sums.flatten(2)[:, :, :size],
            middle,
            hidden[:-1],
            hidden[1:],
        )
        for gain_r, gain_z, gain_n, r, z, a_r, a_z, a_n, both, m, before, after in steps:
            both.addmm_(before, back)
            torch.mul(r, before, out=m)
            m.addcmul_(gain_r, a_r)
            a_n.addmm_(m, back_n)
            torch.mul(z, before, out=after)
            after.addcmul_(gain_z, a_z).addcmul_(gain_n, a_n)
        return Tangent(Values(begin.x, hidden, middle), sums)

    def change(
        self, tangent: Tangent, adjoint: Adjoint, _: Weights, direction: Direction
    ) -> Sources:
        """Compute the sources: how gain, r and z change, times the gradients of h and m."""
        r, z, n = self.gates.unbind(2)
        grad, grad_m, before = adjoint.hidden[1:], adjoint.middle, tangent.values.hidden[:-1]
        assert grad_m is not None
        slope_r, slope_z, slope_n = r * (1 - r), z * (1 - z), 1 - n * n
        sum_r, sum_z, sum_n = tangent.sums.unbind(2)
        r_dot, z_dot, n_dot = slope_r * sum_r, slope_z * sum_z, slope_n * sum_n
        gain = torch.empty_like(self.gain)
        gain[:, :, 0] = before * slope_r + self.hidden * (1 - 2 * r) * r_dot
        gain[:, :, 0] *= grad_m
        gain[:, :, 1] = (before - n_dot) * slope_z + (self.hidden - n) * (1 - 2 * z) * z_dot
        gain[:, :, 2] = -z_dot * slope_n - 2 * (1 - z) * n * n_dot
        gain[:, :, 1:] *= grad.unsqueeze(2)
        hidden, middle = z_dot * grad + r_dot * grad_m, None
        if direction.hidden is not None:
            turn, turn_n = _parted(direction.hidden)
            hidden += adjoint.sums[:, :, : turn.size(0)] @ turn
            middle = adjoint.sums[:, :, turn.size(0) :] @ turn_n
        return Sources(shifted(hidden, adjoint.hidden), None, gain, middle=middle)

    def products(
        self,
        adjoint: Adjoint,
        values: Values,
        weights: Weights | Direction,
        wanted: Wanted,
    ) -> dict[str, Tensor]:
        """Compute the gradients of x, W and R."""
        found = products_with_x(adjoint, values, weights, wanted)
        if "hidden" in wanted and values.middle is not None:
            size = 2 * self.hidden.size(-1)
            of_r_and_z = outer(adjoint.sums[:, :, :size], values.hidden[:-1])
            of_n = outer(adjoint.sums[:, :, size:], values.middle)
            found["hidden"] = torch.cat([of_r_and_z, of_n])
        return found


def _parted(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Part R, gates r z n, into the rows of r and z and those of n."""
    size = matrix.size(0) // 3 * 2
    return matrix[:size], matrix[size:]
