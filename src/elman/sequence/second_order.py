"""Derivatives of the kernels' derivatives: by hand, else by differentiating the reference twice.

`Gradient` computes the gradients of a call once more in a form whose derivative is known, see
`derivatives/`. What that lacks, and derivatives of third order, are left to the reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from elman.cells import Cell, cell
from elman.sequence import reference
from elman.sequence.derivatives.parts import Adjoint, Steps, Values, Weights, begun
from elman.sequence.derivatives.run import LINEAR, Gradients, Kept, Outputs, Time, first, second
from elman.sequence.kernel_call import (
    RUN_TENSORS,
    Call,
    Run,
    Tensors,
    is_zoned,
    kept_widths,
    of_run,
    spread,
)
from elman.sequence.kernel_run import in_time
from elman.sequence.modes import is_traced, is_transformed
from elman.sequence.packing import WEIGHTS
from elman.sequence.ragged import either_way
from elman.sequence.recurrence import Recurrence


def why_not(tensors: Tensors, call: Call) -> str | None:
    """Return the first reason why a call's gradients are not differentiated by hand, or None."""
    if is_traced() or is_transformed():
        return "PyTorch follows or transforms what runs"
    if tensors[-1] is not None:
        return "there are resets"
    for i, run in enumerate(call.runs):
        own = of_run(tensors, i)
        if run.kernel not in LINEAR:
            return f"nobody has derived the coefficients of {run.kernel}"
        if is_zoned(run, own):
            return "there is zoneout"
        if own[RUN_TENSORS.index("mask")] is not None:
            return "there is recurrent dropout"
    return None


def differentiable_gradients(
    tensors: Tensors,
    outputs: Sequence[Tensor],
    grads: Tensors,
    call: Call,
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Compute the gradients of a call so that they can be differentiated again.

    Args:
        tensors: those of the call.
        outputs: y and what was kept.
        grads: gradients of y, h and c of every run; None means zeros.
        call: what was run.
        wanted: for each tensor, whether its gradient is wanted.

    Returns:
        The gradient of each tensor.
    """
    if why_not(tensors, call) is not None:
        return by_reference(tensors, grads, call, wanted)
    found: Sequence[Tensor] = Gradient.apply(  # type: ignore[no-untyped-call]
        call, outputs, wanted, len(tensors), *tensors, *grads
    )
    return spread(found, wanted)


class Gradient(torch.autograd.Function):
    """The gradients of a call that are wanted, as a function of its tensors and of those of y."""

    @staticmethod
    def forward(
        ctx: Any,
        call: Call,
        outputs: Sequence[Tensor],
        wanted: Sequence[bool],
        count: int,
        *given: Tensor | None,
    ) -> tuple[Tensor, ...]:
        """Run every run of the call backward; keep what the second derivative needs."""
        tensors, grads = given[:count], given[count:]
        found: list[Tensor] = []
        kept: list[Kept] = []
        with torch.autocast("cpu", enabled=False):
            for i in range(len(call.runs)):
                names = _wanted_of(wanted, i)
                gradients, left = _first(call, i, tensors, outputs, grads, names)
                found += [gradients[name] for name in RUN_TENSORS if name in names]
                kept.append(left)
        ctx.call, ctx.wanted, ctx.count = call, wanted, count
        ctx.types = [type(left.linear) for left in kept]
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*given, *[part for left in kept for group in left for part in group])
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *turns: Tensor | None) -> tuple[Tensor | None, ...]:
        """Compute how the gradients change along the directions given, and the outputs with them."""
        call, wanted, needed = ctx.call, ctx.wanted, ctx.needs_input_grad[4:]
        given, saved = ctx.saved_tensors[: len(needed)], ctx.saved_tensors[len(needed) :]
        tensors, grads = given[: ctx.count], given[ctx.count :]
        if torch.is_grad_enabled():
            again = _by_reference_again(tensors, grads, call, wanted, turns, needed)
            return None, None, None, None, *again
        groups = _grouped(ctx.types, saved)
        directions = spread([*turns], wanted)
        with torch.autocast("cpu", enabled=False):
            found = [
                _second(call, i, tensors, groups[i], directions, _wanted_of(needed, i))
                for i in range(len(call.runs))
            ]
        changes = [gradients.get(name) for gradients, _ in found for name in RUN_TENSORS]
        changes += [None] * (ctx.count - len(changes))
        for change in _joined([of_one for _, of_one in found]):
            changes.append(change if needed[len(changes)] else None)
        return None, None, None, None, *changes


def _wanted_of(flags: Sequence[bool], i: int) -> list[str]:
    """Name the tensors of a run that have a flag."""
    return [name for name, flag in zip(RUN_TENSORS, of_run(flags, i), strict=True) if flag]


def _first(
    call: Call,
    i: int,
    tensors: Tensors,
    outputs: Sequence[Tensor],
    grads: Tensors,
    wanted: Sequence[str],
) -> tuple[Gradients, Kept]:
    """Compute the gradients of one run; read its part of the outputs of the call."""
    run, earlier = call.runs[i], call.runs[:i]
    named = dict(zip(RUN_TENSORS, of_run(tensors, i), strict=True))
    weights = Weights(*[named[name] for name in WEIGHTS])
    column = sum([_width(tensors, place) for place in range(i)])
    y = outputs[0].narrow(-1, column, _width(tensors, i))
    kept = 1 + sum([_kept(each) for each in earlier])
    time = Time(tensors[-2], run.reverse)
    steps = _steps(named, y, outputs[kept : kept + _kept(run)], time)
    state = 1 + sum([1 + each.has_cell for each in earlier])
    ends = [None if grad is None else grad.squeeze(0) for grad in grads[state : state + 2]]
    grad_y = None if grads[0] is None else grads[0].narrow(-1, column, y.size(-1))
    own_grads = Outputs(grad_y, ends[0], ends[1] if run.has_cell else None)
    return first(run.kernel, run.nonlinearity, steps, time, weights, own_grads, wanted)


def _width(tensors: Tensors, i: int) -> int:
    """Return P of a run."""
    matrix = of_run(tensors, i)[RUN_TENSORS.index("hidden")]
    assert matrix is not None
    return matrix.size(1)


def _kept(run: Run) -> int:
    """Return how many tensors a run keeps."""
    return len(kept_widths(run, "gradient", 1, zoned=False))


def _steps(
    named: Mapping[str, Tensor | None], y: Tensor, kept: Sequence[Tensor], time: Time
) -> Steps:
    """Bring what a run read and kept into the order in which it ran."""
    x = named["x"]
    assert x is not None
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
    x = time.turned(time.without_padding(x))
    return Steps(x, hidden, cell, gates, time.alive(y.size(0)))


def _second(
    call: Call,
    i: int,
    tensors: Tensors,
    kept: Kept,
    directions: Tensors,
    wanted: Sequence[str],
) -> tuple[Gradients, Outputs]:
    """Compute how the gradients of one run change, and its outputs."""
    named = dict(zip(RUN_TENSORS, of_run(tensors, i), strict=True))
    weights = Weights(*[named[name] for name in WEIGHTS])
    turns = {
        name: turn
        for name, turn in zip(RUN_TENSORS, of_run(directions, i), strict=True)
        if turn is not None
    }
    return second(kept, Time(tensors[-2], call.runs[i].reverse), weights, turns, wanted)


def _grouped(types: Sequence[Any], saved: Sequence[Tensor | None]) -> list[Kept]:
    """Read what `Gradient` saved of every run."""
    rest = iter(saved)
    return [
        Kept(*[group(*islice(rest, len(group._fields))) for group in (linear, Values, Adjoint)])
        for linear in types
    ]


def _joined(runs: Sequence[Outputs]) -> list[Tensor]:
    """List y, then h and c of every run, as the outputs of a call are."""
    y = [run.y for run in runs]
    ends = [part.unsqueeze(0) for run in runs for part in run[1:] if part is not None]
    return [y[0] if len(y) == 1 else torch.cat(y, dim=-1), *ends]


def _by_reference_again(
    tensors: Tensors,
    grads: Tensors,
    call: Call,
    wanted: Sequence[bool],
    turns: Tensors,
    needed: Sequence[bool],
) -> list[Tensor | None]:
    """Differentiate the reference's gradients, so that it can be done again.

    Args:
        tensors: those of the call.
        grads: gradients of y, h and c of every run.
        call: what was run.
        wanted: for each tensor, whether its gradient is a function's value.
        turns: gradients of these values.
        needed: for each of tensors and grads, whether its gradient is wanted.
    """
    own = [
        tensor.view_as(tensor) if tensor is not None and flag else tensor
        for tensor, flag in zip([*tensors, *grads], needed, strict=True)
    ]
    values = by_reference(own[: len(tensors)], own[len(tensors) :], call, wanted)
    present = [value for value, flag in zip(values, wanted, strict=True) if flag]
    pairs = [
        (value, turn)
        for value, turn in zip(present, turns, strict=True)
        if value is not None and turn is not None and value.requires_grad
    ]
    inputs = [tensor for tensor, flag in zip(own, needed, strict=True) if flag]
    gradients = iter(
        torch.autograd.grad(
            [value for value, _ in pairs],
            inputs,
            [turn for _, turn in pairs],
            create_graph=True,
            allow_unused=True,
        )
    )
    return [next(gradients) if flag else None for flag in needed]


def by_reference(
    tensors: Tensors, grads: Tensors, call: Call, wanted: Sequence[bool]
) -> list[Tensor | None]:
    """Compute the gradients of a call by differentiating the reference.

    Args:
        tensors: those of the call.
        grads: gradients of y, h and c of every run; None means zeros.
        call: what was run.
        wanted: for each tensor, whether its gradient is wanted.

    Returns:
        The gradient of each tensor, itself differentiable where autograd records.
    """
    records = torch.is_grad_enabled()
    with torch.enable_grad():
        # A tensor may be passed at two places; a view of it at each keeps their gradients apart.
        own = [
            tensor.view_as(tensor) if tensor is not None and flag else tensor
            for tensor, flag in zip(tensors, wanted, strict=True)
        ]
        values = _values(own, call)
    pairs = [(v, g) for v, g in zip(values, grads, strict=True) if g is not None]
    inputs = [
        tensor for tensor, flag in zip(own, wanted, strict=True) if flag and tensor is not None
    ]
    gradients = iter(
        torch.autograd.grad(
            [value for value, _ in pairs],
            inputs,
            [grad for _, grad in pairs],
            create_graph=records,
            allow_unused=True,
        )
    )
    return [next(gradients) if flag else None for flag in wanted]


def _values(tensors: Tensors, call: Call) -> list[Tensor]:
    """Run the reference: y, then h and c of every run, (1, B, ·)."""
    outputs: list[Tensor] = []
    states: list[Tensor] = []
    for i, run in enumerate(call.runs):
        recurrence = _recurrence(run, of_run(tensors, i), tensors[-2], tensors[-1])
        result = either_way(reference.run, recurrence)
        outputs.append(result.output)
        states += [part.unsqueeze(0) for part in result.state]
    return [torch.cat(outputs, dim=-1), *states]


def _recurrence(run: Run, own: Tensors, lengths: Any, resets: Any) -> Recurrence:
    """Describe a run as the recurrence that it came from."""
    named: dict[str, Any] = dict(zip(RUN_TENSORS, own, strict=True))
    variant = _cell(run)
    parts = len(variant.state._fields)
    weights = {name: named[name] for name in WEIGHTS if name in variant.weights._fields}
    shares = zip((named["keep_h"], named["keep_c"]), run.rates, strict=True)
    zoneout = tuple([rate if keep is None else keep for keep, rate in shares])[:parts]
    return Recurrence(
        cell=variant,
        x=named["x"],
        state=_state(variant, named["h0"], named["c0"]),
        weights=variant.weights(**weights, hidden_mask=named["mask"]),
        fresh=_state(variant, named["fresh_h"], named["fresh_c"]),
        lengths=lengths,
        resets=resets,
        reverse=run.reverse,
        zoneout=zoneout if is_zoned(run, own) else None,
    )


def _cell(run: Run) -> Cell:
    computed = run.cell
    if "nonlinearity" not in computed.options:
        return computed
    return cell(computed.name, **{**computed.options, "nonlinearity": run.nonlinearity})


def _state(variant: Cell, hidden: Tensor | None, memory: Tensor | None) -> Any:
    """Build a state of the cell, None where it is zeros."""
    if hidden is None:
        return None
    parts = [hidden] if memory is None else [hidden, memory]
    return variant.state(*parts)
