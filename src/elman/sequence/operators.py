"""What the kernels' PyTorch operators do, which compile, export and autograd can follow.

    elman::recurrence(tensors, call) → outputs
    elman::recurrence_backward(tensors, outputs, grads, call, given, wanted) → gradients

`call` is the text of a `Call`, see `kernel_call.spell`; `given` and `wanted` are one 0 or 1 a
gradient. Of a call that kept nothing, the backward pass computes the gates again. An operator costs
more than a short call of the kernels: where nothing follows operators, the kernels are called
directly, and `Differentiable` is their place in autograd. `elman.ops` makes the operators known.

The backward pass reads y, which the caller may change in place before, as torch.nn's GRU allows.
So a call keeps y without PyTorch's check that nobody wrote to it, and a tensor that shares the
count of writes: where there were any, the call is run again. No write to y is lost, none is an
error, and a call whose y stays as it is pays nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from elman import ops
from elman.sequence import flops, kernel_run
from elman.sequence.batched import each, each_gradient
from elman.sequence.kernel_call import (
    Call,
    Tensors,
    is_zoned,
    kept_widths,
    of_run,
    read,
    read_flags,
    spell,
    spell_flags,
    spread,
)
from elman.sequence.kernel_run import lay_out_all
from elman.sequence.modes import is_onnx_export, is_traced, is_transformed
from elman.sequence.second_order import asked_of, by_reference, differentiable_gradients

ops.register()
flops.register()

_NO_NUMBERS = torch.empty(0, device="cpu")

_ONNX = "elman.convert.onnx_export"  # by name: its room stands above this one


def call_operator(tensors: Tensors, call: Call) -> list[Tensor]:
    """Run a call through PyTorch's dispatcher, where compile, export and autograd see it."""
    present = [tensor for tensor in tensors if tensor is not None]
    text = spell(call, tensors)
    outputs: list[Tensor] | None = None
    if is_onnx_export():
        outputs = importlib.import_module(_ONNX).record(present, text)
    return torch.ops.elman.recurrence(present, text) if outputs is None else outputs


class Differentiable(torch.autograd.Function):
    """A call outside a graph, with its gradients: y, then h and c of every run.

    It takes the tensors that are present and, for every place of a call's tensors, whether one is.
    """

    @staticmethod
    def forward(
        ctx: Any, call: Call, flags: Sequence[bool], *present: Tensor
    ) -> tuple[Tensor, ...]:
        """Run the call; keep what its backward pass needs."""
        tensors = spread(present, flags)
        layouts = lay_out_all(tensors, call, spread(ctx.needs_input_grad[2:], flags))
        outputs = kernel_run.forward(tensors, call, layouts)
        shown = call.values
        ctx.call, ctx.flags, ctx.layouts = call, flags, layouts
        ctx.writes = _count_of_writes(outputs[0])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*present, outputs[0].data, *outputs[shown:])
        return tuple(outputs[:shown])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        """Run the call backward."""
        call, flags, saved, needed = (
            ctx.call,
            ctx.flags,
            ctx.saved_tensors,
            ctx.needs_input_grad[2:],
        )
        tensors, outputs = spread(saved, flags), saved[len(needed) :]
        wanted = [want or False for want in spread(needed, flags)]
        if ctx.writes._version:
            again = kernel_run.forward(tensors, call, ctx.layouts)
            outputs = [again[0], *again[call.values :]]

        def backward(grads: Tensors) -> list[Tensor | None]:
            if torch.is_grad_enabled():
                asked = [want or False for want in spread(asked_of(ctx, needed), flags)]
                return differentiable_gradients(tensors, outputs, grads, call, asked)
            if is_traced() or is_transformed():
                return call_backward_operator(tensors, outputs, grads, call, wanted)
            return kernel_run.backward(tensors, outputs, grads, call, ctx.layouts, wanted)

        return None, None, *_present(each_gradient(backward, grads), flags)


def _count_of_writes(y: Tensor) -> Tensor:
    """Return a tensor without numbers whose `_version` counts the in-place writes to y."""
    count = y.detach()
    count.data = _NO_NUMBERS
    return count


def _present(gradients: Tensors, flags: Sequence[bool]) -> list[Tensor | None]:
    """Return the gradients of the tensors that are present."""
    return [grad for grad, flag in zip(gradients, flags, strict=True) if flag]


def call_backward_operator(
    tensors: Tensors,
    outputs: Sequence[Tensor],
    grads: Tensors,
    call: Call,
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Run a call backward through PyTorch's dispatcher; see `kernel_run.backward`."""
    computed: list[Tensor] = torch.ops.elman.recurrence_backward(
        [tensor for tensor in tensors if tensor is not None],
        outputs,
        [grad for grad in grads if grad is not None],
        spell(call, tensors),
        spell_flags([grad is not None for grad in grads]),
        spell_flags(wanted),
    )
    return spread(computed, wanted)


def recurrence(present: Sequence[Tensor], text: str) -> list[Tensor]:
    """Run a call; what is kept has T·B rows, whatever the lengths."""
    call, flags = read(text)
    tensors = spread(present, flags)
    return kernel_run.forward(tensors, call, lay_out_all(tensors, call), padded=True)


def recurrence_shapes(present: Sequence[Tensor], text: str) -> list[Tensor]:
    """Return tensors of the shapes that `recurrence` returns, without computing anything."""
    call, flags = read(text)
    tensors = spread(present, flags)
    x = present[0]
    steps, rows = x.shape[:2]
    lead = (steps, rows) if call.keep == "trace" else (steps * rows,)
    outputs, states, kept = 0, [], []
    for i, run in enumerate(call.runs):
        own = of_run(tensors, i)
        matrix, recurrent = own[1], own[2]
        assert matrix is not None
        assert recurrent is not None
        units, size = matrix.size(0) // run.gates, recurrent.size(1)
        outputs += size
        states += [x.new_empty(1, rows, part) for part in (size, units)[: 1 + run.has_cell]]
        widths = kept_widths(run, call.keep, units, zoned=is_zoned(run, own))
        kept += [x.new_empty(*lead, width) for width in widths]
    return [x.new_empty(steps, rows, outputs), *states, *kept]


def recurrence_backward(
    present: Sequence[Tensor],
    outputs: list[Tensor],
    grads: Sequence[Tensor],
    text: str,
    grads_given: str,
    wanted: str,
) -> list[Tensor]:
    """Run a call backward; return the gradients that are wanted."""
    call, flags = read(text)
    tensors = spread(present, flags)
    gradients = kernel_run.backward(
        tensors,
        outputs,
        spread(grads, read_flags(grads_given)),
        call,
        lay_out_all(tensors, call),
        read_flags(wanted),
    )
    return [grad for grad in gradients if grad is not None]


def recurrence_backward_shapes(
    present: Sequence[Tensor],
    outputs: list[Tensor],  # noqa: ARG001 — the operator's own signature
    grads: Sequence[Tensor],  # noqa: ARG001
    text: str,
    grads_given: str,  # noqa: ARG001
    wanted: str,
) -> list[Tensor]:
    """Return tensors of the shapes that `recurrence_backward` returns, computing nothing."""
    tensors = spread(present, read(text)[1])
    pairs = zip(tensors, read_flags(wanted), strict=True)
    return [t.new_empty(t.shape) for t, flag in pairs if t is not None and flag]


def recurrence_each(
    info: Any, in_dims: Any, present: Sequence[Tensor], text: str
) -> tuple[Any, Any]:
    """Run `recurrence` under torch.vmap."""
    return each(torch.ops.elman.recurrence, info, in_dims, (present, text))


def recurrence_backward_each(info: Any, in_dims: Any, *arguments: Any) -> tuple[Any, Any]:
    """Run `recurrence_backward` under torch.vmap: batches of gradients."""
    return each(torch.ops.elman.recurrence_backward, info, in_dims, arguments)


def set_up(ctx: Any, inputs: tuple[Sequence[Tensor], str], output: list[Tensor]) -> None:
    """Keep what the operator's backward pass needs."""
    present, ctx.text = inputs
    call, _ = read(ctx.text)
    y, kept = output[0], output[call.values :]
    ctx.set_materialize_grads(False)
    ctx.mark_non_differentiable(*kept)
    if call.keep != "gradient":
        ctx.save_for_backward(*present)
        return
    ctx.writes = None  # a graph has its own y, which nobody outside can write to
    if type(y) is Tensor:
        ctx.writes, y = y.detach(), y.data
    ctx.save_for_backward(*present, y, *kept)


def differentiate(ctx: Any, grads: list[Tensor | None]) -> tuple[list[Tensor | None], None]:
    """Run the operator's backward pass, itself an operator."""
    call, flags = read(ctx.text)
    saved, needed = ctx.saved_tensors, ctx.needs_input_grad[0]
    present, outputs = list(saved[: len(needed)]), list(saved[len(needed) :])
    wanted = [want or False for want in spread(needed, flags)]
    tensors = spread(present, flags)

    def backward(grads: Tensors) -> list[Tensor | None]:
        if torch.is_grad_enabled() or present[0].dtype is torch.bfloat16:
            return by_reference(tensors, grads, call, wanted)
        full, kept = call, outputs
        if call.keep != "gradient" or (ctx.writes is not None and ctx.writes._version):
            full = call._replace(keep="gradient")
            again = call_operator(tensors, full)
            kept = [again[0], *again[call.values :]]
        return call_backward_operator(tensors, kept, grads, full, wanted)

    return _present(each_gradient(backward, grads[: call.values]), flags), None
