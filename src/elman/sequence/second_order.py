"""Derivatives of the kernels' derivatives: the reference is run again and differentiated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from elman.cells import Cell, cell
from elman.sequence import reference
from elman.sequence.kernel_call import RUN_TENSORS, Call, Run, Tensors, is_zoned, of_run
from elman.sequence.packing import WEIGHTS
from elman.sequence.ragged import either_way
from elman.sequence.recurrence import Recurrence


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
