"""One run of a call: its part of the tensors, in the order in which it ran, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from elman.sequence.derivatives.parts import Adjoint, Steps, Values, Weights, begun
from elman.sequence.derivatives.run import Gradients, Kept, Outputs, Time, first, second
from elman.sequence.kernel_call import RUN_TENSORS, Call, Run, Tensors, kept_widths, of_run
from elman.sequence.kernel_run import in_time
from elman.sequence.packing import WEIGHTS


def names_of(flags: Sequence[bool], i: int) -> list[str]:
    """Name the tensors of a run that have a flag."""
    return [name for name, flag in zip(RUN_TENSORS, of_run(flags, i), strict=True) if flag]


def _named(tensors: Tensors, i: int) -> dict[str, Any]:
    """Name the tensors of a run."""
    return dict(zip(RUN_TENSORS, of_run(tensors, i), strict=True))


def first_of(
    call: Call,
    i: int,
    tensors: Tensors,
    outputs: Sequence[Tensor],
    grads: Tensors,
    wanted: Sequence[str],
) -> tuple[Gradients, Kept]:
    """Compute the gradients of one run; read its part of the outputs of the call."""
    run, earlier = call.runs[i], call.runs[:i]
    named = _named(tensors, i)
    weights = Weights(*[named[name] for name in WEIGHTS])
    column = sum([_named(tensors, place)["hidden"].size(1) for place in range(i)])
    y = outputs[0].narrow(-1, column, weights.hidden.size(1))
    kept = 1 + sum([_kept(each) for each in earlier])
    time = Time(tensors[-2], run.reverse)
    steps = _steps(named, y, outputs[kept : kept + _kept(run)], time)
    state = 1 + sum([1 + each.has_cell for each in earlier])
    ends = [None if grad is None else grad.squeeze(0) for grad in grads[state : state + 2]]
    grad_y = None if grads[0] is None else grads[0].narrow(-1, column, y.size(-1))
    own_grads = Outputs(grad_y, ends[0], ends[1] if run.has_cell else None)
    return first(run.kernel, run.nonlinearity, steps, time, weights, own_grads, wanted)


def _kept(run: Run) -> int:
    """Return how many tensors a run keeps."""
    return len(kept_widths(run, "gradient", 1, zoned=False))


def _steps(named: Mapping[str, Any], y: Tensor, kept: Sequence[Tensor], time: Time) -> Steps:
    """Bring what a run read and kept into the order in which it ran."""
    hidden = begun(named["h0"], y.size(0), y[0])
    hidden[1:] = time.turned(y)
    gates, cell = None, None
    rows = [in_time(part, y, time.lengths, reverse=False) for part in kept]
    if rows:
        units = rows[-1].size(-1) if len(rows) == 2 else y.size(-1)
        gates = rows[0].unflatten(-1, (-1, units))
    if len(rows) == 2:
        cell = begun(named["c0"], y.size(0), rows[1][0])
        cell[1:] = rows[1]
    x = time.turned(time.without_padding(named["x"]))
    return Steps(x, hidden, cell, gates, time.alive(y.size(0)))


def second_of(
    call: Call,
    i: int,
    tensors: Tensors,
    kept: Kept,
    directions: Tensors,
    wanted: Sequence[str],
) -> tuple[Gradients, Outputs]:
    """Compute how the gradients of one run change, and its outputs."""
    named = _named(tensors, i)
    weights = Weights(*[named[name] for name in WEIGHTS])
    turns = {name: turn for name, turn in _named(directions, i).items() if turn is not None}
    return second(kept, Time(tensors[-2], call.runs[i].reverse), weights, turns, wanted)


def flattened(kept: Sequence[Kept]) -> list[Tensor | None]:
    """List the tensors that are kept of every run."""
    groups: list[Any] = [group for left in kept for group in left]
    return [tensor for group in groups for tensor in group]


def grouped(linear: Sequence[Any], saved: Sequence[Any]) -> list[Kept]:
    """Read what `flattened` listed, given the class of every run's coefficients."""
    rest = iter(saved)
    read: list[Kept] = []
    for own in linear:
        groups: list[Any] = [own, Values, Adjoint]
        read.append(Kept(*[group(*islice(rest, len(group._fields))) for group in groups]))
    return read


def joined(runs: Sequence[Outputs]) -> list[Tensor]:
    """List y, then h and c of every run, as the outputs of a call are."""
    y = [run.y for run in runs if run.y is not None]
    ends = [part.unsqueeze(0) for run in runs for part in run[1:] if part is not None]
    return [y[0] if len(y) == 1 else torch.cat(y, dim=-1), *ends]
