"""A linear recurrence over time: by Elman's kernel, or in log₂ T products on any device.

    s(t) = a(t) ⊙ s(t−1) + b(t)

What a scan is given, T steps of B rows of W numbers, is a `LinearScan`. Complex numbers have their
real parts before the imaginary ones. The gradient of a scan is a scan in the other direction, which
the kernel does too; derivatives of that are taken through `by_doubling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Parameter

from elman import _kernels, ops
from elman.cells import SCAN_KERNELS
from elman.cells.products import complex_product
from elman.sequence.batched import each_gradient
from elman.sequence.kernel_call import Tensors
from elman.sequence.modes import is_traced, is_transformed
from elman.sequence.ragged import real_steps, reverse_resets, reverse_rows

ops.register()

_DTYPES = {torch.float32: "float32", torch.float64: "float64"}


class LinearScan(NamedTuple):
    """What a scan is given.

    Args:
        a: (T, B, W); an axis of steps or rows that is 1 stands for all of them. None where the kind
            is that of a cell.
        b: (T, B, W), or the sums of a cell's G gates, (T, B, G·W).
        start: s before the first step, (B, W); None for zeros.
        fresh: what a reset starts from, (B, W); None for zeros.
        lengths: (B,) int64, 0 … T in any order; None for all T.
        resets: (T, B) bool, a cut between t−1 and t; None for none.
        reverse: run each row from its own end to its beginning.
        kind: real or complex; or one of `elman.cells.SCAN_KERNELS`, whose gates give a and b.
    """

    a: Tensor | None
    b: Tensor
    start: Tensor | None = None
    fresh: Tensor | None = None
    lengths: Tensor | None = None
    resets: Tensor | None = None
    reverse: bool = False
    kind: str = "real"

    @property
    def width(self) -> int:
        """W."""
        blocks = len(SCAN_KERNELS[self.kind].gates) if self.kind in SCAN_KERNELS else 1
        return self.b.size(-1) // blocks

    @property
    def tensors(self) -> tuple[Tensor | None, ...]:
        """What can have a gradient."""
        return self[:4]

    def with_tensors(self, tensors: Sequence[Tensor | None]) -> LinearScan:
        """Put other tensors in the place of `tensors`."""
        a, b, start, fresh = tensors
        assert b is not None, "every scan has a b"
        return self._replace(a=a, b=b, start=start, fresh=fresh)


def linear_scan(scan: LinearScan) -> tuple[Tensor, Tensor]:
    """Run a scan on the kernel where it can, else by doubling; half precision runs in float32.

    Returns:
        s of every step, (T, B, W), zeros after a row's end; s at each row's own end, (B, W).
    """
    dtype = scan.b.dtype
    if dtype in (torch.bfloat16, torch.float16):
        tensors = [None if t is None else t.float() for t in scan.tensors]
        states, last = linear_scan(scan.with_tensors(tensors))
        return states.to(dtype), last.to(dtype)
    if not has_kernel(scan):
        return by_doubling(scan)
    if is_traced():
        traced: tuple[Tensor, Tensor] = torch.ops.elman.scan(*scan)
        return traced
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in scan.tensors):
        recorded: tuple[Tensor, Tensor] = _Differentiable.apply(*scan)  # type: ignore[no-untyped-call]
        return recorded
    return forward(scan)


def has_kernel(scan: LinearScan) -> bool:
    """Tell whether Elman's kernel runs a scan as PyTorch asks for it now."""
    if scan.b.dtype not in _DTYPES or not scan.b.is_cpu or is_transformed():
        return False
    if not hasattr(_kernels, "scan"):  # elman._kernels is an older one
        return False
    present = [tensor for tensor in scan.tensors if tensor is not None]
    if not is_traced() and any(type(tensor) not in (Tensor, Parameter) for tensor in present):
        return False
    return all(tensor.dtype is scan.b.dtype for tensor in present)


def by_doubling(scan: LinearScan) -> tuple[Tensor, Tensor]:
    """Run a scan in log₂ T products over all steps: k steps at a time, k = 1, 2, 4 ….

        b(t) ← b(t) + a(t) ⊙ b(t−k),   a(t) ← a(t) ⊙ a(t−k)

    Every operation is PyTorch's, so it runs on every device, and is differentiable as often as you
    like.

    Returns:
        As `linear_scan`.

    Source: Hillis & Steele 1986, "Data Parallel Algorithms", CACM 29.
    """
    a, b = _folded(scan)
    steps, shift = b.size(0), 1
    while shift < steps:
        b = torch.cat([b[:shift], b[shift:] + _times(scan, a[shift:], b[:-shift])])
        a = torch.cat([a[:shift], _times(scan, a[shift:], a[:-shift])])
        shift *= 2
    last = b[-1]
    if scan.lengths is not None:
        b = b.where(real_steps(scan.lengths, steps).unsqueeze(-1), 0)
    return reverse_rows(b, scan.lengths) if scan.reverse else b, last


def _times(scan: LinearScan, a: Tensor, b: Tensor) -> Tensor:
    return complex_product(a, b) if scan.kind == "complex" else a * b


def _folded(scan: LinearScan) -> tuple[Tensor, Tensor]:
    """Fold direction, ends, cuts and initial state into a and b of a plain scan from zeros."""
    given, b, lengths, resets = scan.a, scan.b, scan.lengths, scan.resets
    if given is None:
        form = SCAN_KERNELS[scan.kind].scan
        assert form is not None, "a cell of SCAN_KERNELS has one"
        given, b, _ = form.terms(b, None)
    a = given.expand(b.shape)
    if scan.reverse:
        a, b = reverse_rows(a, lengths), reverse_rows(b, lengths)
        resets = None if resets is None else reverse_resets(resets, lengths)
    if lengths is not None:
        alive = real_steps(lengths, b.size(0)).unsqueeze(-1)
        a, b = torch.where(alive, a, _one(scan)), b.where(alive, 0)
        resets = None if resets is None else resets & alive.squeeze(-1)
    if resets is not None:
        cuts = resets.unsqueeze(-1)
        if scan.fresh is not None:
            b = torch.where(cuts, b + _times(scan, a, scan.fresh.expand(b.shape)), b)
        a = a.masked_fill(cuts, 0)
    if scan.start is not None:
        b = torch.cat([b[:1] + _times(scan, a[:1], scan.start.unsqueeze(0)), b[1:]])
    return a, b


def _one(scan: LinearScan) -> Tensor:
    """Return the number 1, (W,)."""
    one = scan.b.new_ones(scan.width)
    if scan.kind == "complex":
        one[one.numel() // 2 :] = 0
    return one


def forward(scan: LinearScan) -> tuple[Tensor, Tensor]:
    """Run a scan on Elman's kernel, without autograd.

    Raises:
        ValueError: a length lies outside 0 … T.
    """
    steps, rows, _ = scan.b.shape
    states, last = (scan.b.new_empty(*lead, scan.width) for lead in ((steps, rows), (rows,)))
    described, _held = _described(scan)
    written = [states.data_ptr(), last.data_ptr()]
    arguments = [*described, *written, torch.get_num_threads()]
    _kernels.scan(*arguments)
    return states, last


def backward(
    scan: LinearScan, states: Tensor, grad_states: Tensor | None, grad_last: Tensor | None
) -> list[Tensor]:
    """Run a scan backward on Elman's kernel.

    Args:
        scan: the scan.
        states: s of every step.
        grad_states: the gradient of s of every step; None for zeros.
        grad_last: that of s at each row's own end; None for zeros.

    Returns:
        The gradients of a, b, start and fresh; those of what is None mean nothing.
    """
    described, _held = _described(scan)
    grads = [states.new_empty(shape) for shape in _gradient_shapes(scan, rows=states.size(1))]
    given = [None if grad is None else grad.contiguous() for grad in (grad_states, grad_last)]
    addresses = [states.data_ptr(), *map(_address, given), *map(_address, grads)]
    arguments = [*described, *addresses, torch.get_num_threads()]
    _kernels.scan_backward(*arguments)
    if scan.a is not None and scan.a.size(1) == 1 < states.size(1):
        grads[0] = grads[0].sum(1, keepdim=True)
    return grads


def _gradient_shapes(scan: LinearScan, rows: int) -> list[tuple[int, ...]]:
    """Return the shapes of the gradients of a, for so many rows of it, of b, start and fresh."""
    factors = (0, 0, 0) if scan.a is None else (scan.a.size(0), rows, scan.width)
    state = (scan.b.size(1), scan.width)
    return [factors, tuple(scan.b.shape), state, state]


def _described(scan: LinearScan) -> tuple[list[Any], list[Tensor]]:
    """Describe what a scan is given to the kernel; also return the copies that it reads."""
    (steps, rows, _), strides = scan.b.shape, [0, 0]
    a = scan.a
    if a is not None:
        if a.stride(-1) != 1 or (a.size(0) != 1 and a.stride(0) == 0):
            a = a.contiguous()  # where a is expanded, its gradients are apart
        strides = [0 if a.size(axis) == 1 else a.stride(axis) for axis in (0, 1)]
    given = (scan.b, scan.lengths, scan.resets, scan.start, scan.fresh)
    dense = [None if tensor is None else tensor.contiguous() for tensor in given]
    sizes = [_DTYPES[scan.b.dtype], scan.kind, scan.reverse, steps, rows, scan.width]
    held = [tensor for tensor in (a, *dense) if tensor is not None]
    return [*sizes, _address(a), *strides, *map(_address, dense)], held


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


class _Differentiable(torch.autograd.Function):
    """A scan on the kernel outside a graph, with its gradients."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> tuple[Tensor, Tensor]:
        """Run the scan; keep what its backward pass needs."""
        states, last = forward(LinearScan(*given))
        set_up(ctx, given, (states, last))
        return states, last

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        """Run the scan backward."""
        return differentiate(ctx, *grads)


def set_up(ctx: Any, inputs: Sequence[Any], output: Sequence[Tensor]) -> None:
    """Keep what the backward pass of a scan needs."""
    *tensors, ctx.reverse, ctx.kind = inputs
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*tensors, output[0])


def differentiate(
    ctx: Any, grad_states: Tensor | None, grad_last: Tensor | None
) -> tuple[Tensor | None, ...]:
    """Run the backward pass of a scan; by doubling where that is to be differentiated again."""
    *tensors, states = ctx.saved_tensors
    given = [*tensors, ctx.reverse, ctx.kind]
    scan = LinearScan(*given)
    wanted = ctx.needs_input_grad[:4]

    def run(given: Tensors) -> list[Tensor | None]:
        if torch.is_grad_enabled() or is_transformed():
            return _second_order(scan, given, wanted)
        if is_traced():
            return list(torch.ops.elman.scan_backward(*scan, states, *given))
        return [*backward(scan, states, *given)]

    grads = each_gradient(run, (grad_states, grad_last))
    kept = [grad if want else None for grad, want in zip(grads, wanted, strict=True)]
    return (*kept, None, None, None, None)


def _second_order(
    scan: LinearScan, grads: Sequence[Tensor | None], wanted: Sequence[bool]
) -> list[Tensor | None]:
    """Compute gradients that are themselves differentiable."""
    is_recorded = torch.is_grad_enabled()
    with torch.enable_grad():  # under torch.func's vmap a backward pass may not record
        # A tensor may be passed at two places; a view of it at each keeps their gradients apart.
        own = [
            t.view_as(t) if t is not None and want else t
            for t, want in zip(scan.tensors, wanted, strict=True)
        ]
        values = by_doubling(scan.with_tensors(own))
    pairs = [(v, g) for v, g in zip(values, grads, strict=True) if g is not None]
    inputs = [t for t, want in zip(own, wanted, strict=True) if want and t is not None]
    found = iter(
        torch.autograd.grad(
            [value for value, _ in pairs],
            inputs,
            [grad for _, grad in pairs],
            create_graph=is_recorded,
            allow_unused=True,
        )
    )
    return [next(found) if want else None for want in wanted]


def scan(*given: Any) -> tuple[Tensor, Tensor]:
    """Run the operator `elman::scan`; its arguments are the fields of `LinearScan`."""
    return forward(LinearScan(*given))


def scan_shapes(*given: Any) -> tuple[Tensor, Tensor]:
    """Return tensors of the shapes that `scan` returns, computing nothing."""
    scan = LinearScan(*given)
    steps, rows, _ = scan.b.shape
    return scan.b.new_empty(steps, rows, scan.width), scan.b.new_empty(rows, scan.width)


def scan_backward(*given: Any) -> tuple[Tensor, ...]:
    """Run the operator `elman::scan_backward`: the fields of `LinearScan`, states, gradients."""
    return tuple(backward(LinearScan(*given[:8]), *given[8:]))


def scan_backward_shapes(*given: Any) -> tuple[Tensor, ...]:
    """Return tensors of the shapes that `scan_backward` returns, computing nothing."""
    scan = LinearScan(*given[:8])
    rows = 1 if scan.a is None else scan.a.size(1)
    return tuple([scan.b.new_empty(shape) for shape in _gradient_shapes(scan, rows)])
