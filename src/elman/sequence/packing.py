"""Weights laid out for the kernels, and the cache that lays the same weights out once.

A layout is a frozen copy. It stands for its weights while every one of them is the same tensor, at
the same address, with the same version and the same fingerprint: PyTorch counts a version up at
every change in place (an optimiser's step, `copy_`, `load_state_dict`) but not at a write through
`.data`, which the fingerprint is there for. It sees a vector in full, and of a matrix up to 64
numbers spread over its rows and columns. A write through `.data`, or through NumPy's view of
a tensor, to a small part of a matrix may not be seen. Where gradients are wanted,
weights are laid out anew at every call, and every change is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
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


class Mark(NamedTuple):
    """What tells whether a tensor has changed."""

    place: int
    version: int
    bytes: int
    sample: tuple[int, int, int, int]
    fingerprint: int


def marked(weights: Weights) -> tuple[Mark, ...] | None:
    """Mark weights, to tell later whether they changed; None where that cannot be told.

    An inference tensor counts no versions, and only what is contiguous has a fingerprint.
    """
    present = [(place, weight) for place, weight in enumerate(weights) if weight is not None]
    if any(weight.is_inference() or not weight.is_contiguous() for _, weight in present):
        return None
    return tuple([_mark(place, weight) for place, weight in present])


def _mark(place: int, weight: Tensor) -> Mark:
    rows, columns = weight.size(0), weight.size(1) if weight.dim() == 2 else 1
    sample = (weight.data_ptr(), rows, columns, weight.element_size())
    return Mark(place, weight._version, weight.nbytes, sample, _kernels.fingerprint(*sample))


def unchanged(weights: Weights, marks: tuple[Mark, ...]) -> bool:
    """Tell whether the tensors that were marked are unchanged."""
    for place, version, size, sample, fingerprint in marks:
        weight: Any = weights[place]
        if weight._version != version or weight.data_ptr() != sample[0] or weight.nbytes != size:
            return False
        if _kernels.fingerprint(*sample) != fingerprint:
            return False
    return True


@dataclass(frozen=True, slots=True)
class Layout:
    """Weights laid out for the kernels, with their sizes.

    Args:
        packed: the kernels' own copy.
        inputs: I.
        units: H.
        outputs: P.
        state_sizes: sizes of h and, where there is one, c.
        real: the dtype of everything but the weights; theirs, or float32 for bfloat16.
    """

    packed: _kernels.Packed
    inputs: int
    units: int
    outputs: int
    state_sizes: tuple[int, ...]
    real: torch.dtype


class _Entry(NamedTuple):
    layout: Layout
    marks: tuple[Mark, ...]
    owners: tuple[ref[Tensor], ...]  # while they live, so do the keys


_cache: dict[Key, _Entry] = {}


def laid_out(kernel: str, nonlinearity: str, weights: Weights) -> Layout:
    """Return the layout of weights for runs without gradients, cached; see `lay_out`."""
    key: Key = (kernel, nonlinearity, *map(id, weights))
    entry = _cache.get(key)
    if entry is not None and unchanged(weights, entry.marks):
        return entry.layout
    layout = lay_out(kernel, nonlinearity, weights)
    marks = marked(weights)
    if marks is not None:
        owners = [ref(weight, _forgetter(key)) for weight in weights if weight is not None]
        _cache[key] = _Entry(layout, marks, tuple(owners))
    return layout


def _forgetter(key: Key) -> Callable[[ref[Tensor]], None]:
    cache = _cache  # bound here: the module's names may be gone when an interpreter ends

    def forget(_: ref[Tensor]) -> None:
        cache.pop(key, None)

    return forget


def lay_out(kernel: str, nonlinearity: str, weights: Weights, *, gradient: bool = False) -> Layout:
    """Check the weights against each other and copy them into the kernels' layout.

    Args:
        kernel: one of `elman.cells.KERNELS`.
        nonlinearity: nonlinearity of the simple cell; tanh for other cells.
        weights: W, R, b, b′, projection and peepholes; None where there is none.
        gradient: whether the layout also holds what a backward pass needs.

    Raises:
        ShapeError: the weights do not fit together.
        OptionError: their dtypes differ, they are not on the CPU, or there is no such kernel.
    """
    matrix, recurrent, *_, projection, _ = weights
    assert matrix is not None
    assert recurrent is not None
    cell = cell_of_kernel(kernel)
    gates = len(cell.gates)
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
    addresses = [0 if weight is None else weight.data_ptr() for weight in held]
    named = dict(zip(WEIGHTS, addresses, strict=True))
    frozen = _kernels.Packed(
        kernel,
        nonlinearity,
        DTYPES[matrix.dtype],
        inputs,
        units,
        outputs,
        **named,
        gradient=gradient,
    )
    real = torch.float32 if matrix.dtype is torch.bfloat16 else matrix.dtype
    state_sizes = (outputs, units) if cell.has_cell_state else (outputs,)
    return Layout(frozen, inputs, units, outputs, state_sizes, real)
