"""One run of a call: its gradients and, later, how they change along a direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from elman.sequence.derivatives.gru import LinearGRU, LinearResetBefore
from elman.sequence.derivatives.lstm import LinearLSTM
from elman.sequence.derivatives.parts import (
    Adjoint,
    Direction,
    Linear,
    Sources,
    Steps,
    Values,
    Wanted,
    Weights,
    begun,
)
from elman.sequence.derivatives.simple import LinearSimple
from elman.sequence.ragged import real_steps, reverse_rows

LINEAR: Mapping[str, Any] = {
    "simple": LinearSimple,
    "lstm": LinearLSTM,
    "coupled_lstm": LinearLSTM,
    "gru_reset_after": LinearGRU,
    "gru_reset_before": LinearResetBefore,
}
"""Name of a kernel → the coefficients of its cell."""

Gradients = dict[str, Tensor]


class Time(NamedTuple):
    """How rows lie in time.

    Args:
        lengths: (B,), or None where all are T long.
        reverse: whether they run from their ends.
    """

    lengths: Tensor | None
    reverse: bool

    def turned(self, sequence: Tensor) -> Tensor:
        """Turn (T, B, ·) between the order of time and that of the run, or back."""
        return reverse_rows(sequence, self.lengths) if self.reverse else sequence

    def without_padding(self, sequence: Tensor) -> Tensor:
        """Set what lies after a row's end to zeros."""
        alive = self.alive(sequence.size(0))
        return sequence if alive is None else sequence.where(alive, 0)

    def alive(self, steps: int) -> Tensor | None:
        """Mark the steps before each row's end, (T, B, 1) bool; None where there are no lengths."""
        return None if self.lengths is None else real_steps(self.lengths, steps).unsqueeze(-1)

    def at_ends(self, states: Tensor) -> Tensor:
        """Take the states, (T + 1, B, ·), after every row's last step: (B, ·)."""
        if self.lengths is None:
            return states[-1]
        return states[self.lengths, torch.arange(states.size(1))]

    def add_at_ends(self, states: Tensor, ends: Tensor) -> None:
        """Add to the states, (T + 1, B, ·), after every row's last step."""
        if self.lengths is None:
            states[-1] += ends
        else:
            states[self.lengths, torch.arange(states.size(1))] += ends


class Kept(NamedTuple):
    """What the first derivative leaves for the second."""

    linear: Linear
    values: Values
    adjoint: Adjoint


class Outputs(NamedTuple):
    """What belongs to the outputs of a run: y, (T, B, P), h and c at the rows' ends, (B, ·)."""

    y: Tensor | None
    hidden: Tensor | None
    cell: Tensor | None


def first(
    kernel: str,
    nonlinearity: str,
    steps: Steps,
    time: Time,
    weights: Weights,
    grads: Outputs,
    wanted: Wanted,
) -> tuple[Gradients, Kept]:
    """Compute the gradients of a run.

    Args:
        kernel: whose run it is.
        nonlinearity: of the simple cell.
        steps: what the run computed.
        time: how its rows lie in time.
        weights: those of the run.
        grads: gradients of its outputs; None means zeros.
        wanted: names of what gets a gradient.

    Returns:
        The gradients by name, and what `second` needs.
    """
    linear: Linear = LINEAR[kernel].of(steps, weights, nonlinearity)
    hidden, cell = torch.zeros_like(steps.hidden), None
    if grads.y is not None:
        hidden[1:] = time.turned(time.without_padding(grads.y))
    if grads.hidden is not None:
        time.add_at_ends(hidden, grads.hidden)
    if steps.cell is not None:
        cell = torch.zeros_like(steps.cell)
        if grads.cell is not None:
            time.add_at_ends(cell, grads.cell)
    adjoint = linear.adjoint(weights, Sources(hidden, cell, torch.zeros_like(linear.gain)))
    values = linear.values(steps)
    found = linear.products(adjoint, values, weights, wanted)
    return _named(found, adjoint, time, wanted), Kept(linear, values, adjoint)


def second(
    kept: Kept,
    time: Time,
    weights: Weights,
    turns: Mapping[str, Tensor],
    wanted: Wanted,
) -> tuple[Gradients, Outputs]:
    """Compute how gradients and outputs change along a direction.

    Args:
        kept: what `first` left.
        time: how the rows lie in time.
        weights: those of the run.
        turns: the direction: changes by name, none for zeros.
        wanted: names of the gradients whose change is asked for.

    Returns:
        The changes of the gradients by name, and those of y, h and c.
    """
    linear, values, adjoint = kept
    direction = Direction(*[turns.get(name) for name in Direction._fields])
    x, steps = turns.get("x"), adjoint.sums.size(0)
    begin = Values(
        None if x is None else time.turned(time.without_padding(x)),
        begun(turns.get("h0"), steps, adjoint.hidden[0]),
        cell=None if adjoint.cell is None else begun(turns.get("c0"), steps, adjoint.cell[0]),
    )
    tangent = linear.tangent(values, begin, weights, direction)
    sources = linear.change(tangent, adjoint, weights, direction)
    change = linear.adjoint(weights, sources)
    found = linear.products(change, values, weights, wanted)
    for name, more in linear.products(adjoint, tangent.values, direction, wanted).items():
        found[name] = found[name] + more if name in found else more
    hidden, cell = tangent.values.hidden, tangent.values.cell
    outputs = Outputs(
        time.turned(time.without_padding(hidden[1:])),
        time.at_ends(hidden),
        None if cell is None else time.at_ends(cell),
    )
    return _named(found, change, time, wanted), outputs


def _named(found: Gradients, adjoint: Adjoint, time: Time, wanted: Wanted) -> Gradients:
    """Add what is no product to the gradients: those of biases and initial states."""
    makers: dict[str, Callable[[], Tensor]] = {
        "input_bias": lambda: adjoint.input_sums.sum((0, 1)),
        "hidden_bias": lambda: adjoint.sums.sum((0, 1)),
        "h0": adjoint.hidden[0].clone,
    }
    if adjoint.cell is not None:
        makers["c0"] = adjoint.cell[0].clone
    if "x" in found:
        found["x"] = time.turned(found["x"])
    return found | {name: make() for name, make in makers.items() if name in wanted}
