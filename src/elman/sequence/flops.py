"""How many floating-point operations the kernels' operators do, for PyTorch's FlopCounterMode.

As of its own operators, it counts products alone, two operations for every weight and step: W x,
R h and the projection. Steps after a row's end are none, where the values of the lengths are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import register_flop_formula

from elman.sequence.kernel_call import RUN_TENSORS, Tensors, of_run, read, read_flags, spread


def register() -> None:
    """Tell FlopCounterMode, from when it is next made on, of the operators."""
    register_flop_formula(torch.ops.elman.recurrence, get_raw=True)(_forward)
    register_flop_formula(torch.ops.elman.recurrence_backward, get_raw=True)(_backward)


def _forward(present: Sequence[Tensor], text: str, **_: Any) -> int:
    """Count the products of a call: W x, R h, and the projection."""
    call, flags = read(text)
    tensors = spread(present, flags)
    steps, _rows = _steps(tensors)
    sizes = [_sizes(of_run(tensors, i)) for i in range(len(call.runs))]
    return 2 * steps * sum(sum(run.values()) for run in sizes)


def _backward(
    present: Sequence[Tensor],
    outputs: Sequence[Tensor],  # noqa: ARG001 — the operator's own signature
    grads: Sequence[Tensor],  # noqa: ARG001
    text: str,
    grads_given: str,  # noqa: ARG001
    wanted: str,
    **_: Any,
) -> int:
    """Count the products of a call's way back: to each weight and input, and from step to step.

    No product leads from a row's first step to its initial state, unless that wants a gradient.
    """
    call, flags = read(text)
    tensors = spread(present, flags)
    steps, rows = _steps(tensors)
    total = 0
    for i in range(len(call.runs)):
        sizes = _sizes(of_run(tensors, i))
        wants = dict(zip(RUN_TENSORS, of_run(read_flags(wanted), i), strict=True))
        total += steps * sizes["input"] * (wants["x"] + wants["input"])
        total += steps * sizes["projection"] * (1 + wants["projection"])
        total += sizes["hidden"] * (steps * wants["hidden"] + steps - rows * (not wants["h0"]))
    return 2 * total


def _sizes(own: Tensors) -> dict[str, int]:
    """Count the numbers in each matrix of a run."""
    named = dict(zip(RUN_TENSORS, own, strict=True))
    matrices = {name: named[name] for name in ("input", "hidden", "projection")}
    return {name: 0 if each is None else each.numel() for name, each in matrices.items()}


def _steps(tensors: Tensors) -> tuple[int, int]:
    """Count the real steps of all rows, and the rows that have any."""
    x, lengths = tensors[0], tensors[-2]
    assert x is not None
    steps, rows = x.shape[:2]
    if lengths is None or type(lengths) is not Tensor:  # a tensor of a graph has no values
        return steps * rows, rows
    return int(lengths.sum()), int(lengths.count_nonzero())
