"""One cell over time, in one layer and one direction: what a backend takes and returns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from torch import Tensor

from elman.cells import Cell


class Trace(NamedTuple):
    """Everything a cell computed over time; zeros after a row's end.

    Args:
        state: the NamedTuple of the cell's state, each part (T, B, H), h (T, B, P).
        gates: the NamedTuple of the cell's gates, each (T, B, H).
    """

    state: Any
    gates: Any


class Result(NamedTuple):
    """What a recurrence returns.

    Args:
        output: h of every step, (T, B, P); zeros after a row's end.
        state: the state at each row's own end, parts (B, ·).
        trace: every state and gate, where it was asked for.
    """

    output: Tensor
    state: Any
    trace: Trace | None


class LayerResult(NamedTuple):
    """What the recurrences of a layer return together.

    Args:
        output: their outputs side by side, (T, B, ΣP).
        states: the state of each, parts (1, B, ·).
        traces: the trace of each, None where it was not asked for.
    """

    output: Tensor
    states: list[Any]
    traces: list[Trace | None]


@dataclass(frozen=True, eq=False)
class Recurrence:
    """One cell over time.

        state(t) = step(x(t), state(t−1), weights)        t = 1 … length of the row

    Args:
        cell: the equation.
        x: inputs, (T, B, I); what lies after a row's end is never read.
        state: the state before the first step, the cell's NamedTuple, parts (B, ·); None means
            zeros.
        weights: the cell's NamedTuple of weights, recurrent dropout's mask among them.
        fresh: the state a reset starts from, parts (B, ·); None means zeros.
        lengths: steps of each row, (B,) int64, 0 … T in any order; None means T for all.
        resets: where a row is cut between t−1 and t, (T, B) bool; None means nowhere.
        reverse: run from each row's own end to its beginning.
        zoneout: for each part of the state the share of the old state that is kept: random zeros
            and ones, (T, B, ·), in training; the probability itself in evaluation; None for none.
        trace: keep every state and gate.

    Source of zoneout: Krueger et al. 2017, arXiv:1606.01305.
    """

    cell: Cell
    x: Tensor
    state: Any
    weights: Any
    fresh: Any
    lengths: Tensor | None = None
    resets: Tensor | None = None
    reverse: bool = False
    zoneout: tuple[Tensor | float, ...] | None = None
    trace: bool = False

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The sizes of the parts of the state: P of h, and of every other part, H of most."""
        units = self.weights.input.size(0) // len(self.cell.gates)
        outputs = self.weights.hidden.size(1) if self.cell.reads_hidden else units
        return self.cell.state_sizes(units, outputs)


def with_states(recurrence: Recurrence) -> Recurrence:
    """Write out the zeros that a state of None means."""
    r = recurrence
    if r.state is not None and r.fresh is not None:
        return r
    zeros = r.cell.state(*[r.x.new_zeros(r.x.size(1), size) for size in r.state_sizes])
    return replace(
        r,
        state=zeros if r.state is None else r.state,
        fresh=zeros if r.fresh is None else r.fresh,
    )
