"""Derivatives of the kernels' derivatives: by hand, else by differentiating the reference twice.

`Gradient` computes the gradients of a call once more in a form whose derivative is known, see
`derivatives/`. What that lacks, and derivatives of third order, are left to the reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any

import torch
from torch import Tensor

from elman.cells import Cell, cell
from elman.sequence import reference
from elman.sequence.batched import each_gradient
from elman.sequence.derivatives.call import (
    first_of,
    flattened,
    grouped,
    joined,
    names_of,
    second_of,
)
from elman.sequence.derivatives.run import LINEAR, Kept
from elman.sequence.kernel_call import (
    RUN_TENSORS,
    SHARED_TENSORS,
    Call,
    Run,
    Tensors,
    is_zoned,
    of_run,
    spread,
)
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


def asked_of(node: Any, needed: Sequence[bool]) -> list[bool]:
    """Tell which gradients of a node PyTorch asks for now: `autograd.grad` wants those of some.

    Args:
        node: the node of the graph, while it runs backward.
        needed: for each of its tensors, whether it requires a gradient.
    """
    return [flag and _runs(edge[0]) for flag, edge in zip(needed, node.next_functions, strict=True)]


def _runs(node: Any) -> bool:
    """Tell whether PyTorch runs a node of the graph, or takes the gradient that reaches it."""
    try:
        found: bool = torch._C._will_engine_execute_node(node)
    except RuntimeError:  # it refuses to answer for leaves whose gradients are taken
        return True
    return found


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
                names = names_of(wanted, i)
                gradients, left = first_of(call, i, tensors, outputs, grads, names)
                found += [gradients[name] for name in RUN_TENSORS if name in names]
                kept.append(left)
        ctx.call, ctx.wanted, ctx.count = call, wanted, count
        ctx.types = [type(left.linear) for left in kept]
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*given, *flattened(kept))
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *turns: Tensor | None) -> tuple[Tensor | None, ...]:
        """Compute how gradients and outputs change along the directions given."""
        needed = ctx.needs_input_grad[4:]
        given, saved = ctx.saved_tensors[: len(needed)], ctx.saved_tensors[len(needed) :]
        tensors, grads = given[: ctx.count], given[ctx.count :]
        present = [tensor is not None for tensor in given]
        flags = spread(asked_of(ctx, [*compress(needed, present)]), present)
        asked = [flag or False for flag in flags]

        def backward(turns: Tensors) -> list[Tensor | None]:
            if torch.is_grad_enabled() or is_transformed():
                return _by_reference_again(tensors, grads, ctx.call, ctx.wanted, turns, asked)
            kept = grouped(ctx.types, saved)
            return _changes(ctx.call, tensors, kept, spread(turns, ctx.wanted), asked)

        return None, None, None, None, *each_gradient(backward, turns)


def _changes(
    call: Call, tensors: Tensors, kept: Sequence[Kept], turns: Tensors, asked: Sequence[bool]
) -> list[Tensor | None]:
    """Compute how the gradients of tensors change, then the outputs, as far as they are asked for.

    Args:
        call: what was run.
        tensors: those of the call.
        kept: what `Gradient` kept of every run.
        turns: for each tensor its change; None means zeros.
        asked: for each tensor and each output, whether its change is asked for.
    """
    with torch.autocast("cpu", enabled=False):
        found = [
            second_of(call, i, tensors, kept[i], turns, names_of(asked, i))
            for i in range(len(call.runs))
        ]
    changes = [gradients.get(name) for gradients, _ in found for name in RUN_TENSORS]
    changes += [None] * len(SHARED_TENSORS)
    for change in joined([outputs for _, outputs in found]):
        changes.append(change if asked[len(changes)] else None)
    return changes


def _by_reference_again(
    tensors: Tensors,
    grads: Tensors,
    call: Call,
    wanted: Sequence[bool],
    turns: Tensors,
    asked: Sequence[bool],
) -> list[Tensor | None]:
    """Differentiate the reference's gradients, again differentiably where autograd records.

    Args:
        tensors: those of the call.
        grads: gradients of y, h and c of every run.
        call: what was run.
        wanted: for each tensor, whether its gradient is a function's value.
        turns: gradients of these values.
        asked: for each of tensors and grads, whether its gradient is asked for.
    """
    records = torch.is_grad_enabled()
    with torch.enable_grad():
        own = [
            tensor.view_as(tensor) if tensor is not None and flag else tensor
            for tensor, flag in zip([*tensors, *grads], asked, strict=True)
        ]
        values = by_reference(own[: len(tensors)], own[len(tensors) :], call, wanted)
    present = [value for value, flag in zip(values, wanted, strict=True) if flag]
    pairs = [
        (value, turn)
        for value, turn in zip(present, turns, strict=True)
        if value is not None and turn is not None and value.requires_grad
    ]
    inputs = [t for t, flag in zip(own, asked, strict=True) if flag and t is not None]
    gradients = iter(
        torch.autograd.grad(
            [value for value, _ in pairs],
            inputs,
            [turn for _, turn in pairs],
            create_graph=records,
            allow_unused=True,
        )
    )
    return [next(gradients) if flag else None for flag in asked]


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
