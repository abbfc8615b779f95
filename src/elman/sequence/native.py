"""Elman's own kernels on the CPU: what they cannot run, and how they run the rest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from elman import _kernels
from elman.cells import KERNELS, Cell, Kernel
from elman.errors import OptionError
from elman.sequence import kernel_run
from elman.sequence.kernel_call import Call, Run, Tensors
from elman.sequence.modes import is_recorded, is_traced, is_transformed
from elman.sequence.operators import Differentiable, call_operator
from elman.sequence.packing import DTYPES
from elman.sequence.ragged import real_steps
from elman.sequence.recurrence import LayerResult, Recurrence, Trace


def why_not(recurrence: Recurrence) -> str | None:
    """Return the first reason why Elman's kernels cannot run a recurrence, or None."""
    lack = _lack(recurrence) or _lack_now(recurrence)
    return None if lack is None else f"Elman's kernels have {lack}"


def _lack(r: Recurrence) -> str | None:
    """Name what the recurrence needs and the kernels lack."""
    if not hasattr(_kernels, "Packed"):
        return "not been built into this install: elman._kernels is an older one; build it again"
    if kernel_of(r.cell) is None:
        return f"no equation for the step of {r.cell.name}"
    if r.weights.hidden_gain is not None:
        return "no layer norm"
    if not r.x.is_cpu:
        return f"no device but the CPU, and this is on {r.x.device}"
    if r.x.dtype not in DTYPES:
        return f"no dtype but float32, float64 and bfloat16, and this is {r.x.dtype}"
    if r.weights.input.dtype is not r.x.dtype:
        return f"no inputs of {r.x.dtype} for weights of {r.weights.input.dtype}"
    if 0 in r.x.shape[:2]:
        return "no sequences of T = 0 steps or B = 0 rows"
    return "no sizes of 0" if r.x.size(2) == 0 else None


def _lack_now(r: Recurrence) -> str | None:
    """Name what PyTorch is asked for during this call and the kernels lack."""
    if is_transformed():
        return "no rules for torch.func's transforms and forward-mode derivatives"
    if not is_traced():
        for tensor in (r.x, *r.weights):
            if tensor is not None and type(tensor) not in (Tensor, Parameter):
                return f"no tensors of class {type(tensor).__name__}"
    if torch.is_autocast_enabled("cpu"):
        return "no autocast"
    if not needs_gradient(r):
        return None
    if r.x.dtype is torch.bfloat16:
        return "no gradients in bfloat16"
    if r.trace:
        return "no gradients through a trace"
    if any(_requires_grad(mask) for mask in (r.weights.hidden_mask, *(r.zoneout or ()))):
        return "no gradients of the masks of recurrent dropout and zoneout"
    return None


def needs_gradient(r: Recurrence) -> bool:
    """Tell whether autograd records and a tensor of the recurrence requires a gradient.

    A program that is recorded to run later keeps nothing for its gradients: where they are wanted
    of it, its backward pass computes the gates again.
    """
    if not torch.is_grad_enabled() or is_recorded():
        return False
    values = (r.x, *r.weights, *(r.state or ()), *_fresh(r), *(r.zoneout or ()))
    return any(map(_requires_grad, values))


def _requires_grad(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def kernel_of(cell: Cell) -> Kernel | None:
    """Return a cell's kernel; a step function other than the kernel's own has none."""
    computed = None if cell.kernel is None else KERNELS.get(cell.kernel.name)
    kernel = None if computed is None else computed.kernel
    step = cell.step.func if isinstance(cell.step, partial) else cell.step
    return kernel if kernel is not None and kernel.step is step else None


def run(recurrences: Sequence[Recurrence]) -> LayerResult:
    """Run the recurrences of a layer at once, forward or reversed."""
    shared = recurrences[0]
    tensors = [tensor for r in recurrences for tensor in tensors_of(r)]
    tensors += [shared.lengths, shared.resets]
    keep = "gradient" if any(map(needs_gradient, recurrences)) else ""
    if any(r.trace for r in recurrences):
        keep = "trace"
    call = Call(tuple([run_of(r) for r in recurrences]), keep)
    outputs = _call_kernels(tensors, call)
    states, place = [], 1
    for r in recurrences:
        parts = len(r.cell.state._fields)
        states.append(r.cell.state(*outputs[place : place + parts]))
        place += parts
    traces: list[Trace | None] = [None] * len(recurrences)
    if keep == "trace":
        traces = _traces(recurrences, outputs[0], list(outputs[place:]))
    return LayerResult(outputs[0], states, traces)


def _call_kernels(tensors: Tensors, call: Call) -> Sequence[Tensor]:
    """Call the kernels: as an operator where PyTorch follows operators, else directly."""
    if is_traced():
        return call_operator(tensors, call)
    if call.keep == "gradient":
        flags = [tensor is not None for tensor in tensors]
        present = [tensor for tensor in tensors if tensor is not None]
        outputs: tuple[Tensor, ...] = Differentiable.apply(call, flags, *present)  # type: ignore[no-untyped-call]
        return outputs
    return kernel_run.forward(tensors, call, kernel_run.lay_out_all(tensors, call))


def run_of(r: Recurrence) -> Run:
    """Describe a recurrence to the kernels, without its tensors.

    Raises:
        OptionError: there is no kernel for its cell.
    """
    kernel = kernel_of(r.cell)
    if kernel is None:
        raise OptionError(f"Elman's kernels have no equation for the step of {r.cell.name}.")
    rates = [0.0 if isinstance(kept, Tensor) else kept for kept in r.zoneout or ()]
    rate_h, rate_c = [*rates, 0.0, 0.0][:2]
    return Run(kernel.name, r.cell.options.get("nonlinearity", "tanh"), r.reverse, (rate_h, rate_c))


def tensors_of(r: Recurrence) -> list[Tensor | None]:
    """List the `RUN_TENSORS` of a recurrence."""
    w = r.weights
    listed: list[Tensor | None] = [r.x, w.input, w.hidden, w.input_bias, w.hidden_bias]
    listed += [getattr(w, "projection", None), getattr(w, "peephole", None), w.hidden_mask]
    masks = [kept if isinstance(kept, Tensor) else None for kept in r.zoneout or ()]
    for pair in (r.state or (), _fresh(r), masks):
        listed += [*pair, None, None][:2]
    return listed


def _fresh(r: Recurrence) -> Any:
    """Return the state that a reset starts from; nothing where there are no resets."""
    return () if r.resets is None or r.fresh is None else r.fresh


def _traces(
    recurrences: Sequence[Recurrence], output: Tensor, kept: list[Tensor]
) -> list[Trace | None]:
    """Read the traces of a layer from what the kernels kept, (T, B, ·) in the order of time."""
    traces: list[Trace | None] = []
    column = 0
    for r in recurrences:
        kernel, size = kernel_of(r.cell), r.state_sizes[0]
        assert kernel is not None, "run_of has seen to it"
        states, kept_gates = [output.narrow(-1, column, size)], kept.pop(0)
        if r.cell.has_cell_state:
            states.append(kept.pop(0))
        blocks = kept_gates.split(states[-1].size(-1), dim=-1)
        named = dict(zip(kernel.kept, blocks, strict=True))
        for gate, other in kernel.complements.items():
            named[gate] = _complement(named[other], r.lengths)
        gates = kernel.gates(*[named[gate] for gate in kernel.gates._fields])
        traces.append(Trace(r.cell.state(*states), gates))
        column += size
    return traces


def _complement(gate: Tensor, lengths: Tensor | None) -> Tensor:
    """Compute 1 − i, the forget gate of coupled gates, zeros after a row's end."""
    left = 1 - gate
    return left if lengths is None else left.where(real_steps(lengths, left.size(0))[..., None], 0)
