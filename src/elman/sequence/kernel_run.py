"""Elman's kernels, given tensors: their addresses out, their outputs in, nothing of autograd."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from elman import _kernels
from elman.errors import OptionError, ShapeError
from elman.sequence.kernel_call import (
    RUN_TENSORS,
    Call,
    Run,
    Tensors,
    is_zoned,
    kept_widths,
    of_run,
)
from elman.sequence.packing import WEIGHTS, packed

_OPTIONAL = ("h0", "c0", "fresh_h", "fresh_c", "mask", "keep_h", "keep_c")
_PLACES = tuple([RUN_TENSORS.index(name) for name in _OPTIONAL])


class Site:
    """One run of a call: its tensors checked, and the addresses at which the kernel finds them.

    Args:
        run: what is run.
        own: the `RUN_TENSORS`.
        lengths: (B,), or None.
        resets: (T, B), or None.
        gradient: whether there is a backward pass.

    Raises:
        ShapeError: the tensors do not fit together; the sentence names the values.
        OptionError: a tensor has another dtype than x.
    """

    def __init__(
        self,
        run: Run,
        own: Tensors,
        lengths: Tensor | None,
        resets: Tensor | None,
        *,
        gradient: bool,
    ) -> None:
        x = own[0]
        assert x is not None
        self.run = run
        self.layout = layout = packed(run.kernel, run.nonlinearity, own[1:7], gradient=gradient)
        steps, rows, inputs = x.shape
        if inputs != layout.inputs or x.dtype is not layout.dtype:
            raise ShapeError(
                f"x must be (T, B, I) with I = {layout.inputs} in {layout.dtype}, got "
                f"{tuple(x.shape)} in {x.dtype}."
            )
        self.steps, self.rows = steps, rows
        self.given, self.real = x.dtype, torch.float32 if x.dtype is torch.bfloat16 else x.dtype
        self._held: list[Tensor] = []  # copies live as long as their addresses are used
        if not (x.dtype is self.real and (x.is_contiguous() or x.stride(2) == 1)):
            x = self._hold(x.to(self.real).contiguous())
        self._x = (x.data_ptr(), x.stride(0), x.stride(1))
        h, c = (rows, layout.outputs), (rows, layout.units)
        shapes = (h, c, h, c, h, (steps, *h), (steps, *c))
        self._optional = [
            self._at(name, own[place], shape, self.given)
            for name, place, shape in zip(_OPTIONAL, _PLACES, shapes, strict=True)
        ]
        self._lengths = self._at("lengths", lengths, (rows,), torch.int64)
        self._resets = self._at("resets", resets, (steps, rows), torch.bool)
        self.zoned = is_zoned(run, own)

    def kept_widths(self, keep: str) -> list[int]:
        """Return the widths of what the run keeps: gates and cells, where they are kept."""
        widths = kept_widths(self.run, keep, self.layout.units, zoned=self.zoned)
        return [width for width in widths if width]

    def describe(
        self, y: Tensor, column: int, states: list[Tensor], kept: list[Tensor]
    ) -> _kernels.Forward:
        """Describe the run to the kernels.

        Args:
            y: (T, B, P₁ + P₂), of which the run writes P from `column` on.
            column: where its outputs begin.
            states: h and, where there is one, c at each row's end; nothing on the way back, where
                they are not written.
            kept: gates and cells, where they are kept.
        """
        h0, c0, fresh_h, fresh_c, mask, keep_h, keep_c = self._optional
        hidden, cell = [*[state.data_ptr() for state in states], *[y.data_ptr()] * 2][:2]
        gates, cells = 0, 0
        if kept and self.run.has_cell:
            cells = kept[-1].data_ptr()
        if len(kept) > self.run.has_cell:
            gates = kept[0].data_ptr()
        return _kernels.Forward(
            self.layout.packed,
            self.steps,
            self.rows,
            self.run.reverse,
            *self._x,
            y.data_ptr() + column * y.element_size(),
            y.size(1) * y.size(2),
            y.size(2),
            self._lengths,
            self._resets,
            h0,
            c0,
            fresh_h,
            fresh_c,
            hidden,
            cell,
            mask,
            keep_h,
            keep_c,
            *self.run.rates,
            gates,
            cells,
        )

    def differentiate(
        self,
        forward: _kernels.Forward,
        grads: Tensors,
        column: int,
        found: Tensors,
    ) -> _kernels.Backward:
        """Describe the run's backward pass to the kernels.

        Args:
            forward: the run.
            grads: of y and of h and c at the rows' ends; None means zeros.
            column: where the outputs of the run begin in y.
            found: where the gradients of the `RUN_TENSORS` are to be written; None is not wanted.
        """
        grad_y, *of_states = grads
        named = dict(zip(RUN_TENSORS, found, strict=True))
        y_at, y_step, y_row = 0, 0, 0
        if grad_y is not None:
            y_at = grad_y.data_ptr() + column * grad_y.element_size()
            y_step, y_row = grad_y.stride(0), grad_y.stride(1)
        hidden, cell = [*[address(grad) for grad in of_states], 0][:2]
        grad_x = named["x"]
        x_step, x_row = (0, 0) if grad_x is None else grad_x.stride()[:2]
        order = ("h0", "c0", "fresh_h", "fresh_c", *WEIGHTS)
        return _kernels.Backward(
            forward,
            y_at,
            y_step,
            y_row,
            hidden,
            cell,
            address(grad_x),
            x_step,
            x_row,
            *[address(named[name]) for name in order],
        )

    def _at(
        self, name: str, tensor: Tensor | None, shape: tuple[int, ...], dtype: torch.dtype
    ) -> int:
        """Check a tensor that may be missing; return the address of its contiguous form, or 0."""
        if tensor is None:
            return 0
        if tensor.shape != shape:
            raise ShapeError(f"{name} must be {shape}, got {tuple(tensor.shape)}.")
        if tensor.dtype is not dtype or not tensor.is_cpu:
            raise OptionError(
                f"{name} must be {dtype} on the CPU, got {tensor.dtype} on {tensor.device}."
            )
        if dtype is torch.bfloat16:
            tensor = self._hold(tensor.to(self.real))
        if not tensor.is_contiguous():
            tensor = self._hold(tensor.contiguous())
        return tensor.data_ptr()

    def _hold(self, tensor: Tensor) -> Tensor:
        self._held.append(tensor)
        return tensor


def address(tensor: Tensor | None) -> int:
    """Return the address of a tensor, 0 where there is none."""
    return 0 if tensor is None else tensor.data_ptr()


def _sites(tensors: Tensors, call: Call) -> list[Site]:
    gradient = call.keep == "gradient"
    return [
        Site(run, of_run(tensors, i), tensors[-2], tensors[-1], gradient=gradient)
        for i, run in enumerate(call.runs)
    ]


def forward(tensors: Tensors, call: Call, *, padded: bool = False) -> list[Tensor]:
    """Run a call forward.

    Args:
        tensors: `RUN_TENSORS` of every run, then `SHARED_TENSORS`.
        call: what is run.
        padded: give what is kept for the backward pass T·B rows, zeros after the last, so that
            its size does not depend on the values of the lengths.

    Returns:
        y; h and c of every run; gates and cells of every run where they are kept.
    """
    sites = _sites(tensors, call)
    first, lengths = sites[0], tensors[-2]
    steps, rows, real = first.steps, first.rows, first.real
    count, allocate = steps * rows, torch.empty
    if lengths is not None and call.keep:
        if padded:
            allocate = torch.zeros
        else:
            count = int(lengths.sum())
    y = torch.empty(steps, rows, sum([site.layout.outputs for site in sites]), dtype=real)
    states, kept, runs, column = [], [], [], 0
    for site in sites:
        sizes = (site.layout.outputs, site.layout.units)[: 1 + site.run.has_cell]
        states.append([torch.empty(rows, size, dtype=real) for size in sizes])
        widths = site.kept_widths(call.keep)
        kept.append([allocate(max(count, 1), width, dtype=real) for width in widths])
        runs.append(site.describe(y, column, states[-1], kept[-1]))
        column += site.layout.outputs
    _kernels.forward(runs, torch.get_num_threads())
    if call.keep == "trace":
        kept = [
            [in_time(part, steps, rows, lengths, reverse=site.run.reverse) for part in parts]
            for site, parts in zip(sites, kept, strict=True)
        ]
    outputs = [y, *[part for parts in (*states, *kept) for part in parts]]
    return outputs if real is first.given else [part.to(first.given) for part in outputs]


def backward(
    tensors: Tensors,
    outputs: list[Tensor],
    grads: Tensors,
    call: Call,
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Run a call backward.

    Args:
        tensors: what `forward` was given.
        outputs: y and what was kept.
        grads: of y, h and c of every run; None means zeros.
        call: what was run, with keep="gradient".
        wanted: for each of the tensors whether its gradient is wanted.

    Returns:
        For each of the tensors its gradient, or None where it is not wanted.
    """
    y, *kept = outputs
    # Sites and gradients stay named until the kernels are done: they own copies that are read.
    sites = _sites(tensors, call)
    contiguous = [None if grad is None else grad.contiguous() for grad in grads]
    allocate = torch.empty if tensors[-2] is None else torch.zeros  # padding has no gradient
    found: list[Tensor | None] = []
    runs, column, state = [], 0, 1
    for i, site in enumerate(sites):
        parts, number = 1 + site.run.has_cell, len(site.kept_widths(call.keep))
        described = site.describe(y, column, [], kept[:number])
        its_grads = [contiguous[0], *contiguous[state : state + parts]]
        its = [
            allocate(tensor.shape, dtype=tensor.dtype) if tensor is not None and flag else None
            for tensor, flag in zip(of_run(tensors, i), of_run(wanted, i), strict=True)
        ]
        runs.append(site.differentiate(described, its_grads, column, its))
        found += its
        kept = kept[number:]
        column += site.layout.outputs
        state += parts
    _kernels.backward(runs, torch.get_num_threads())
    return [*found, None, None]


def in_time(
    kept: Tensor, steps: int, rows: int, lengths: Tensor | None, *, reverse: bool
) -> Tensor:
    """Bring what a run kept, (N, ·) in the order of its computing, into (T, B, ·), zeros after."""
    if lengths is None:
        dense = kept.view(steps, rows, -1)
        return dense.flip(0) if reverse else dense
    step, row = torch.from_numpy(_kernels.packed_rows(steps, lengths.numpy())).unbind(1)
    time = lengths[row] - 1 - step if reverse else step
    placed = kept.new_zeros(steps, rows, kept.size(1))
    placed[time, row] = kept[: step.size(0)]
    return placed
