"""The reference: a loop over the step function, differentiable as often as you like."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor
from torch.jit._trace import TracerWarning

from elman.sequence.modes import is_jit_traced
from elman.sequence.ragged import real_steps
from elman.sequence.recurrence import Recurrence, Result, Trace, with_states


def why_not(_: Recurrence) -> str | None:
    """Return why the reference cannot run a recurrence: it runs them all."""
    return None


def run(recurrence: Recurrence) -> Result:
    """Run a forward recurrence, one step function after another.

        cut       state ← fresh                           where resets[t]
        step      new ← step(x(t), state, weights)
        zoneout   new ← k ⊙ state + (1 − k) ⊙ new         k = 1 keeps the old state
        end       new ← state                             where t ≥ length

    Args:
        recurrence: cell, inputs, state, weights; `reverse` is the caller's work.

    Returns:
        Outputs, the state at each row's own end, and the trace where asked for.
    """
    r = with_states(recurrence)
    state: Any = r.state
    states: list[Any] = []
    gates: list[Any] = []
    steps = r.x.size(0)
    if is_jit_traced():
        warnings.warn(
            "torch.jit.trace writes the steps of this call down one by one: the traced program "
            "is right for this number of steps alone. layer.backends() says why no kernel runs "
            "the layer; what a kernel runs is traced for any number of steps.",
            TracerWarning,
            stacklevel=2,
        )
    alive = None if r.lengths is None else real_steps(r.lengths, steps).unsqueeze(-1)
    cuts = None if r.resets is None else r.resets.unsqueeze(-1)
    if cuts is not None and alive is not None:
        cuts = cuts & alive
    for t in range(steps):
        x = r.x[t] if alive is None else r.x[t].where(alive[t], 0)
        if cuts is not None:
            state = _where(cuts[t], r.fresh, state)
        new, step_gates = r.cell.step(x, state, r.weights)
        if r.zoneout is not None:
            new = _zone_out(r.zoneout, t, new, state)
        state = new if alive is None else _where(alive[t], new, state)
        states.append(state)
        gates.append(step_gates)
    output = _stack([s.hidden for s in states], like=state.hidden)
    return Result(
        output if alive is None else output.where(alive, 0),
        state,
        _trace(r, states, gates, alive) if r.trace else None,
    )


def _where(condition: Tensor, yes: Any, no: Any) -> Any:
    """Choose between two states, row by row, in the dtype of the first: autocast changes it."""
    return type(no)(*[a.where(condition, b.to(a.dtype)) for a, b in zip(yes, no, strict=True)])


def _zone_out(zoneout: tuple[Tensor | float, ...], t: int, new: Any, old: Any) -> Any:
    """Keep a share of the old state in each of its parts."""
    kept = [k[t] if isinstance(k, Tensor) else k for k in zoneout]
    return type(new)(*[k * b + (1 - k) * a for k, a, b in zip(kept, new, old, strict=True)])


def _stack(parts: list[Tensor], *, like: Tensor) -> Tensor:
    """Stack (B, ·) over time; no steps at all give (0, B, ·)."""
    return torch.stack(parts) if parts else like.new_zeros(0, *like.shape)


def _trace(
    recurrence: Recurrence, states: list[Any], gates: list[Any], alive: Tensor | None
) -> Trace:
    """Stack every state and gate over time, zeros after a row's end."""
    if not states:
        empty, step_gates = recurrence.cell.step(
            recurrence.x.new_zeros(recurrence.x.shape[1:]), recurrence.state, recurrence.weights
        )
        none = [
            type(part)(*[v.new_zeros(0, *v.shape) for v in part]) for part in (empty, step_gates)
        ]
        return Trace(*none)
    parts = []
    for history in (states, gates):
        stacked = [torch.stack(values) for values in zip(*history, strict=True)]
        shown = stacked if alive is None else [values.where(alive, 0) for values in stacked]
        parts.append(type(history[0])(*shown))
    return Trace(*parts)
