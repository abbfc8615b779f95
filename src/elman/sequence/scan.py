"""Cells whose gates do not read their state: all steps at once, and one scan over time.

p    = sums(x, weights)                               all steps: one large product
a, b = terms(p, weights)                              all steps, or with the scan in one kernel
s(t) = a(t) ⊙ s(t−1) + b(t)                           `linear_scan`
h    = output(s, x, weights)                          all steps, where h is not s itself
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from elman.sequence.linear_scan import LinearScan, linear_scan
from elman.sequence.ragged import real_steps
from elman.sequence.recurrence import Recurrence, Result, Trace


def why_not(recurrence: Recurrence) -> str | None:
    """Return the first reason why a recurrence is no scan, or None."""
    r = recurrence
    if r.cell.scan is None:
        return f"the gates of the {r.cell.name} cell read the state before them, step by step"
    if r.zoneout is not None and r.cell.scan.output is not None:
        return f"a scan keeps no old state of the {r.cell.name} cell by zoneout"
    if 0 in r.x.shape:
        return "a scan needs at least one step, one row and one input"
    return None


def run(recurrence: Recurrence) -> Result:
    """Run a recurrence, forward or reversed.

    Zoneout is a scan, too: s(t) = (k + (1 − k) ⊙ a) ⊙ s(t−1) + (1 − k) ⊙ b.

    Returns:
        Outputs, the state at each row's own end, and the trace where asked for.
    """
    r = recurrence
    form = r.cell.scan
    assert form is not None, "why_not has seen to it"
    alive = None if r.lengths is None else real_steps(r.lengths, r.x.size(0)).unsqueeze(-1)
    x = r.x if alive is None else r.x.where(alive, 0)
    sums = form.sums(x, r.weights).to(x.dtype)  # autocast has its own
    scan, gates = _scan_of(r, sums)
    states, last = linear_scan(scan)
    if form.output is None:
        return Result(states, r.cell.state(last), _trace(r, (states,), gates, alive))
    output = form.output(states, x, r.weights)
    output = output if alive is None else output.where(alive, 0)
    ended = r.cell.state(_at_end(output, r), last)
    return Result(output, ended, _trace(r, (output, states), gates, alive))


def _scan_of(r: Recurrence, sums: Tensor) -> tuple[LinearScan, Any]:
    """Describe the scan that is left to do, and return the gates where they were computed."""
    form = r.cell.scan
    assert form is not None, "why_not has seen to it"
    place = r.cell.state._fields.index(form.part)
    start, fresh = (None if s is None else s[place].to(sums.dtype) for s in (r.state, r.fresh))
    scan = LinearScan(None, sums, start, fresh, r.lengths, r.resets, r.reverse)
    if form.kernel is not None and not r.trace and r.zoneout is None:
        return scan._replace(kind=form.kernel), None
    a, b, gates = form.terms(sums, r.weights)
    if r.zoneout is not None:
        keep = r.zoneout[0]
        a, b = keep + (1 - keep) * a, (1 - keep) * b
    a = a.to(b.dtype).reshape(*(1,) * (3 - a.dim()), *a.shape)
    return scan._replace(a=a, b=b, kind="complex" if form.is_complex else "real"), gates


def _at_end(output: Tensor, r: Recurrence) -> Tensor:
    """Return h at each row's own end; a row of no steps keeps the one it came with."""
    if r.lengths is None:
        return output[0 if r.reverse else -1]
    ends = torch.zeros_like(r.lengths) if r.reverse else (r.lengths - 1).clamp(min=0)
    last = output[ends, torch.arange(output.size(1), device=output.device)]
    before = torch.zeros_like(last) if r.state is None else r.state.hidden
    return torch.where((r.lengths > 0).unsqueeze(-1), last, before)


def _trace(
    r: Recurrence, states: tuple[Tensor, ...], gates: Any, alive: Tensor | None
) -> Trace | None:
    """Build the trace, zeros after a row's end, where it is asked for."""
    if not r.trace:
        return None
    shown = gates if alive is None else [gate.where(alive, 0) for gate in gates]
    return Trace(r.cell.state(*states), type(gates)(*shown))
