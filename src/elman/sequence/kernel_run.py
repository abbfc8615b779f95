"""Elman's kernels called with tensors: addresses go in, outputs come back, without autograd.

An address is valid only while its tensor lives: `held` keeps the copies that are made for the
kernels until they are done.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from elman import _kernels
from elman.errors import OptionError, ShapeError
from elman.sequence.kernel_call import (
    RUN_TENSORS,
    SHARED_TENSORS,
    Call,
    Tensors,
    is_zoned,
    kept_widths,
    of_run,
)
from elman.sequence.packing import WEIGHTS, Layout, laid_out, lay_out


def lay_out_all(
    tensors: Tensors, call: Call, wanted: Sequence[bool | None] | None = None
) -> list[Layout]:
    """Lay out the weights of every run, as cheaply as its steps allow.

    Args:
        tensors: those of `forward`.
        call: what is run.
        wanted: for each tensor, whether its gradient may be wanted; None for all of them.
    """
    weights = [
        (run.kernel, run.nonlinearity, of_run(tensors, i)[1:7]) for i, run in enumerate(call.runs)
    ]
    x = tensors[0]
    assert x is not None
    if call.keep != "gradient":
        return [laid_out(*each, steps=x.size(0)) for each in weights]
    form = "frozen"
    if wanted is not None and x.size(0) <= _kernels.DIRECT_STEPS and tensors[-1] is None:
        form = "step_to_inputs" if wanted[0] else "step"
        before = RUN_TENSORS.index("h0")
        if any(of_run(wanted, i)[before] for i in range(len(call.runs))):
            form = "frozen"
    return [lay_out(*each, gradient=form == "frozen", form=form) for each in weights]


def forward(
    tensors: Tensors, call: Call, layouts: Sequence[Layout], *, padded: bool = False
) -> list[Tensor]:
    """Run a call forward.

    Args:
        tensors: `RUN_TENSORS` of every run, then `SHARED_TENSORS`.
        call: what is run.
        layouts: layouts of the weights of every run.
        padded: give the kept gates and cells T·B rows, zeros after the last real one, so that their
            size does not depend on the values of the lengths.

    Returns:
        y, (T, B, P₁ + P₂); h and c of every run, (1, B, ·); gates and cells of every run where
        they are kept.

    Raises:
        ShapeError: the tensors do not fit together; the sentence names the values.
        OptionError: a tensor has another dtype or device than x.
        ValueError: a length lies outside 0 … T.
    """
    x = tensors[0]
    assert x is not None
    if x.dtype is torch.bfloat16:
        outputs = forward(_widened(tensors, call), call, layouts, padded=padded)
        return [output.to(torch.bfloat16) for output in outputs]
    steps, rows, _ = x.shape
    width = layouts[0].outputs if len(layouts) == 1 else sum([each.outputs for each in layouts])
    y = x.new_empty(steps, rows, width)
    kept = [_room(tensors, call, i, layouts[i], padded=padded) for i in range(len(layouts))]
    outputs, runs, held, column = [y], [], list[Tensor](), 0
    for i, layout in enumerate(layouts):
        states = [x.new_empty(1, rows, size) for size in layout.state_sizes]
        runs.append(_describe(tensors, call, i, layout, y, column, states, kept[i], held))
        outputs += states
        column += layout.outputs
    _kernels.forward(runs, torch.get_num_threads())
    for run, parts in zip(call.runs, kept, strict=True):
        if call.keep == "trace":
            parts = [in_time(part, y, tensors[-2], reverse=run.reverse) for part in parts]
        outputs += parts
    return outputs


def backward(
    tensors: Tensors,
    outputs: Sequence[Tensor],
    grads: Tensors,
    call: Call,
    layouts: Sequence[Layout],
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Run a call backward.

    Args:
        tensors: those of `forward`.
        outputs: y and what was kept.
        grads: gradients of y, h and c of every run; None means zeros.
        call: what was run, with keep="gradient".
        layouts: layouts of the weights of every run.
        wanted: for each tensor, whether its gradient is wanted.

    Returns:
        The gradient of each tensor, or None where it is not wanted.
    """
    y, *kept = outputs
    contiguous = [None if grad is None else grad.contiguous() for grad in grads]
    # Padding has no gradient. Where the default device is another one, these are of the tensor's.
    allocate = torch.empty_like if tensors[-2] is None else torch.zeros_like
    gradients: list[Tensor | None] = []
    forwards, runs, held, column, state, first = [], [], list[Tensor](), 0, 1, 0
    for i, layout in enumerate(layouts):
        last = first + len(_widths(tensors, call, i, layout))
        described = _describe(tensors, call, i, layout, y, column, [], kept[first:last], held)
        pairs = zip(of_run(tensors, i), of_run(wanted, i), strict=True)
        own_gradients = [
            allocate(t, memory_format=torch.contiguous_format) if t is not None and flag else None
            for t, flag in pairs
        ]
        end = state + len(layout.state_sizes)
        grad_states = contiguous[state:end]
        runs.append(_differentiate(described, contiguous[0], column, grad_states, own_gradients))
        forwards.append(described)
        gradients += own_gradients
        column, state, first = column + layout.outputs, end, last
    _kernels.backward(runs, torch.get_num_threads())
    return [*gradients, *[None] * len(SHARED_TENSORS)]


def _widths(tensors: Tensors, call: Call, i: int, layout: Layout) -> list[int]:
    """Return the widths of what a run keeps: gates and cells, where they are kept."""
    run = call.runs[i]
    return kept_widths(run, call.keep, layout.units, zoned=is_zoned(run, of_run(tensors, i)))


def _room(tensors: Tensors, call: Call, i: int, layout: Layout, *, padded: bool) -> list[Tensor]:
    """Allocate what a run keeps, (N, ·)."""
    if not call.keep:
        return []
    x, lengths = tensors[0], tensors[-2]
    assert x is not None
    count, widths = x.size(0) * x.size(1), _widths(tensors, call, i, layout)
    if lengths is not None and padded:
        return [x.new_zeros(count, width) for width in widths]
    if lengths is not None:
        count = max(1, int(lengths.sum()))  # an address even where there is not a single step
    return [x.new_empty(count, width) for width in widths]


def _describe(
    tensors: Tensors,
    call: Call,
    i: int,
    layout: Layout,
    y: Tensor,
    column: int,
    states: list[Tensor],
    kept: list[Tensor],
    held: list[Tensor],
) -> _kernels.Forward:
    """Check the tensors of a run and describe it to the kernels.

    Args:
        tensors: tensors of the call.
        call: whose run it is.
        i: the run's number.
        layout: its weights.
        y: (T, B, P₁ + P₂), of which the run writes P from `column` on.
        column: where its outputs begin.
        states: h and, where there is one, c at the rows' ends; none in the backward pass.
        kept: gates and cells, where they are kept.
        held: takes the copies that the kernels read.
    """
    run, own = call.runs[i], of_run(tensors, i)
    x, *_, mask, h0, c0, fresh_h, fresh_c, keep_h, keep_c = own
    lengths, resets = tensors[-2:]
    assert x is not None
    steps, rows, inputs = x.shape
    if inputs != layout.inputs or (steps, rows) != y.shape[:2]:
        raise ShapeError(
            f"x must be (T, B, I) = {(*y.shape[:2], layout.inputs)}, got {tuple(x.shape)}."
        )
    if x.dtype is not layout.real:
        raise OptionError(f"x must be {layout.real} as the weights ask, got {x.dtype}.")
    if not x.is_contiguous() and x.stride(2) != 1:
        x = x.contiguous()
        held.append(x)
    x_step, x_row, _ = x.stride()
    y_step, y_row, _ = y.stride()
    real, hidden_shape, cell_shape = layout.real, (rows, layout.outputs), (rows, layout.units)
    # In the backward pass the states at the rows' ends are not written; any address will do.
    hidden, cell = [*[state.data_ptr() for state in states], *[y.data_ptr()] * 2][:2]
    return _kernels.Forward(
        layout.packed,
        steps,
        rows,
        run.reverse,
        x.data_ptr(),
        x_step,
        x_row,
        y.data_ptr() + column * y.element_size(),
        y_step,
        y_row,
        0 if lengths is None else _address("lengths", lengths, (rows,), torch.int64, held),
        0 if resets is None else _address("resets", resets, (steps, rows), torch.bool, held),
        0 if h0 is None else _address("h0", h0, hidden_shape, real, held),
        0 if c0 is None else _address("c0", c0, cell_shape, real, held),
        0 if fresh_h is None else _address("fresh_h", fresh_h, hidden_shape, real, held),
        0 if fresh_c is None else _address("fresh_c", fresh_c, cell_shape, real, held),
        hidden,
        cell,
        0 if mask is None else _address("mask", mask, hidden_shape, real, held),
        0 if keep_h is None else _address("keep_h", keep_h, (steps, *hidden_shape), real, held),
        0 if keep_c is None else _address("keep_c", keep_c, (steps, *cell_shape), real, held),
        *run.rates,
        kept[0].data_ptr() if len(kept) > run.has_cell else 0,
        kept[-1].data_ptr() if kept and run.has_cell else 0,
    )


def _address(
    name: str, tensor: Tensor, shape: tuple[int, ...], dtype: torch.dtype, held: list[Tensor]
) -> int:
    """Check a tensor and return the address of its contiguous form."""
    if tensor.shape != shape:
        raise ShapeError(f"{name} must be {shape}, got {tuple(tensor.shape)}.")
    if tensor.dtype is not dtype or not tensor.is_cpu:
        raise OptionError(
            f"{name} must be {dtype} on the CPU, got {tensor.dtype} on {tensor.device}."
        )
    if not tensor.is_contiguous():
        tensor = tensor.contiguous()
        held.append(tensor)
    return tensor.data_ptr()


def _differentiate(
    described: _kernels.Forward,
    grad_y: Tensor | None,
    column: int,
    grads: Tensors,
    gradients: Tensors,
) -> _kernels.Backward:
    """Describe the backward pass of a run to the kernels.

    Args:
        described: the run.
        grad_y: gradient of y, contiguous; None means zeros.
        column: where the outputs of the run begin in y.
        grads: gradients of h and c at the rows' ends; None means zeros.
        gradients: where the gradients of the `RUN_TENSORS` are written; None is not wanted.
    """

    def at(tensor: Tensor | None) -> int:
        return 0 if tensor is None else tensor.data_ptr()

    grad_x, *grad_weights = gradients[: 1 + len(WEIGHTS)]
    states = gradients[len(RUN_TENSORS) - 6 : len(RUN_TENSORS) - 2]
    y_at, y_step, y_row = 0, 0, 0
    if grad_y is not None:
        y_at = grad_y.data_ptr() + column * grad_y.element_size()
        y_step, y_row, _ = grad_y.stride()
    x_step, x_row = (0, 0) if grad_x is None else grad_x.stride()[:2]
    return _kernels.Backward(
        described,
        y_at,
        y_step,
        y_row,
        at(grads[0]),
        at(grads[1]) if len(grads) == 2 else 0,
        at(grad_x),
        x_step,
        x_row,
        *[0 if each is None else each.data_ptr() for each in (*states, *grad_weights)],
    )


def _widened(tensors: Tensors, call: Call) -> list[Tensor | None]:
    """Convert bfloat16 to float32, except the weights: the kernels sum in float32."""
    weights = {
        i * len(RUN_TENSORS) + RUN_TENSORS.index(name)
        for i in range(len(call.runs))
        for name in WEIGHTS
    }
    return [
        tensor.float()
        if tensor is not None and tensor.is_floating_point() and i not in weights
        else tensor
        for i, tensor in enumerate(tensors)
    ]


def in_time(kept: Tensor, like: Tensor, lengths: Tensor | None, *, reverse: bool) -> Tensor:
    """Bring what a run kept into the order of time, zeros after a row's end.

    Args:
        kept: (N, ·), in the order in which the kernel computed the rows.
        like: gives T and B.
        lengths: (B,), or None.
        reverse: whether the rows were run from their ends.
    """
    steps, rows, _ = like.shape
    if lengths is None:
        dense = kept.view(steps, rows, -1)
        return dense.flip(0) if reverse else dense
    step, row = torch.from_numpy(_kernels.packed_rows(steps, lengths.numpy())).unbind(1)
    time = lengths[row] - 1 - step if reverse else step
    placed = kept.new_zeros(steps, rows, kept.size(1))
    placed[time, row] = kept[: step.size(0)]
    return placed
