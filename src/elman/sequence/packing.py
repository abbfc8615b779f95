"""Weights laid out for the kernels: those that are there at every call, whoever wrote them.

A run of a single step reads the weights where they lie, and nothing is copied (`direct`); but for
bfloat16, which takes longer to rearrange. Any other runs on a layout, a copy in the kernels' order,
which is kept with a plain copy of the weights (`watched`): at every call all of them are compared
with it, and what differs is laid out anew. So no run has other weights than those that are there,
also where they were written through `.data`, a NumPy view or another process. Where gradients are
wanted, weights are laid out at every call; a single step has only what leads back laid out, where
that is wanted. A stepper alone keeps weights as they were (`frozen`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from weakref import ref

import torch
from torch import Tensor

from elman import _kernels
from elman.cells import cell_of_kernel
from elman.errors import OptionError, ShapeError

WEIGHTS = ("input", "hidden", "input_bias", "hidden_bias", "projection", "peephole")
DTYPES = {torch.float32: "float32", torch.float64: "float64", torch.bfloat16: "bfloat16"}

Weights = Sequence[Tensor | None]
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Weights laid out for the kernels, with their sizes.

    Args:
        packed: the kernels' own copy, or where they read.
        inputs: I.
        units: H.
        outputs: P.
        state_sizes: sizes of h and, where there is one, c.
        real: the dtype of everything but the weights; theirs, or float32 for bfloat16.
        held: the weights, which a direct layout reads.
    """

    packed: _kernels.Packed
    inputs: int
    units: int
    outputs: int
    state_sizes: tuple[int, ...]
    real: torch.dtype
    held: Weights


class _Entry(NamedTuple):
    layout: Layout
    dtype: torch.dtype
    owners: tuple[ref[Tensor], ...]  # while they live, so do the keys


_cache: dict[Key, _Entry] = {}


def laid_out(kernel: str, nonlinearity: str, weights: Weights, steps: int) -> Layout:
    """Return weights as they are now, laid out for a run of so many steps without gradients.

    Raises:
        ShapeError: the weights do not fit together.
        OptionError: their dtypes differ, they are not on the CPU, or there is no such kernel.
    """
    assert weights[0] is not None
    if steps <= _kernels.DIRECT_STEPS and weights[0].dtype is not torch.bfloat16:
        return lay_out(kernel, nonlinearity, weights, form="direct")
    key: Key = (kernel, nonlinearity, *map(id, weights))
    entry = _cache.get(key)
    if entry is not None:
        sizes, held = _checked(kernel, weights)
        layout = entry.layout
        if (layout.inputs, layout.units, layout.outputs, entry.dtype) == sizes:
            layout.packed.refresh(*map(_address, held))
            return layout
    layout = lay_out(kernel, nonlinearity, weights, form="watched")
    owners = [ref(weight, _forgetter(key)) for weight in weights if weight is not None]
    _cache[key] = _Entry(layout, weights[0].dtype, tuple(owners))
    return layout


def _forgetter(key: Key) -> Callable[[ref[Tensor]], None]:
    cache = _cache  # bound here: the module's names may be gone when an interpreter ends

    def forget(_: ref[Tensor]) -> None:
        cache.pop(key, None)

    return forget


def lay_out(
    kernel: str,
    nonlinearity: str,
    weights: Weights,
    *,
    gradient: bool = False,
    form: str = "frozen",
) -> Layout:
    """Check the weights against each other and copy them into the kernels' layout.

    Args:
        kernel: one of `elman.cells.KERNELS`.
        nonlinearity: nonlinearity of the simple cell; tanh for other cells.
        weights: W, R, b, b′, projection and peepholes; None where there is none.
        gradient: whether the layout also holds what a backward pass needs.
        form: frozen, watched, direct, step or step_to_inputs, as `_kernels.Packed` says.

    Raises:
        ShapeError: the weights do not fit together.
        OptionError: their dtypes differ, they are not on the CPU, or there is no such kernel.
    """
    (inputs, units, outputs, dtype), held = _checked(kernel, weights)
    w, r, b, b_hidden, projection, peephole = map(_address, held)
    packed = _kernels.Packed(
        kernel,
        nonlinearity,
        DTYPES[dtype],
        inputs,
        units,
        outputs,
        w,
        r,
        b,
        b_hidden,
        projection,
        peephole,
        gradient,
        form,
    )
    real = torch.float32 if dtype is torch.bfloat16 else dtype
    state_sizes = (outputs, units) if cell_of_kernel(kernel).has_cell_state else (outputs,)
    return Layout(
        packed,
        inputs,
        units,
        outputs,
        state_sizes,
        real,
        () if form in ("frozen", "watched") else held,
    )


def _address(weight: Tensor | None) -> int:
    return 0 if weight is None else weight.data_ptr()


def _checked(kernel: str, weights: Weights) -> tuple[tuple[int, int, int, torch.dtype], Weights]:
    """Return I, H, P and the dtype of weights that fit together, and their contiguous form."""
    matrix, recurrent, *_, projection, _ = weights
    assert matrix is not None
    assert recurrent is not None
    gates = len(cell_of_kernel(kernel).gates)
    rows, inputs = matrix.shape
    units, outputs = rows // gates, recurrent.size(1)
    size = None if projection is None else (outputs, units)
    shapes = ((rows, inputs), (rows, outputs), (rows,), (rows,), size, (rows - units,))
    for name, weight, shape in zip(WEIGHTS, weights, shapes, strict=True):
        if weight is not None and (weight.dtype != matrix.dtype or not weight.is_cpu):
            raise OptionError(
                f"weights.{name} must be {matrix.dtype} on the CPU, as weights.input and x are; "
                f"got {weight.dtype} on {weight.device}."
            )
        if weight is not None and weight.shape != shape:
            raise ShapeError(f"weights.{name} must be {shape}, got {tuple(weight.shape)}.")
    if rows != gates * units or (projection is None and units != outputs):
        raise ShapeError(
            f"the weights of {kernel} must be {gates}·H rows of H recurrent columns, got "
            f"{tuple(recurrent.shape)}."
        )
    held = [None if weight is None else weight.contiguous() for weight in weights]
    return (inputs, units, outputs, matrix.dtype), held
