"""How the state of a stack is laid out for its caller: as torch.nn's tensors, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from elman.errors import InputTypeError, OptionError, ShapeError
from elman.layers.options import RecurrentOptions

_LETTERS = {"stabiliser": "m"}
"""Part of a state → the letter of its equations, where it is not the first of its name."""


class StateLayout:
    """Splits the state of a stack into one cell's state per place, and joins it again.

    A caller sees one tensor per part, (L·D, B, ·), as torch.nn has it: h alone, the pair (h, c), or
    as many as the cell has.
    Where the layers' sizes differ, a part is a list with one (D, B, ·) per layer. Without a batch
    axis there is no B.
    """

    def __init__(self, options: RecurrentOptions) -> None:
        self._state = options.cell.state
        self._directions = options.num_directions
        cell, fields = options.cell, self._state._fields
        names = [f"{_LETTERS.get(field, field[0])}0" for field in fields]
        layers = zip(options.hidden_sizes, options.output_sizes, strict=True)
        sizes = zip(*[cell.state_sizes(*each) for each in layers], strict=True)
        self._sizes = dict(zip(names, map(list, sizes), strict=True))
        axes = ["P" if options.proj_size else "H"]
        axes += [_blocks(cell.state_blocks.get(field, 1)) for field in fields[1:]]
        self._last_axes = dict(zip(names, axes, strict=True))
        self._even = all(len(set(layers)) == 1 for layers in self._sizes.values())

    def split(self, state: Any, x: Tensor, *, batched: bool = True) -> list[Any]:
        """Split a caller's state into one cell's state per layer and direction.

        Args:
            state: the caller's state.
            x: the inputs, (T, B, I), which give B, dtype and device.
            batched: whether the caller's tensors have the axis B.

        Raises:
            ShapeError: a part is missing, or its axes are wrong; the sentence names them.
            OptionError: a part has another dtype or lies on another device than the inputs.
        """
        parts = self._parts(state)
        if self._even:
            _check_dimensions(parts, 3 if batched else 2)
        places = [
            self._split_part(name, part, x, batched)
            for name, part in zip(self._sizes, parts, strict=True)
        ]
        return [self._state(*part) for part in zip(*places, strict=True)]

    def join(self, states: list[Any], *, batched: bool = True) -> Any:
        """Join the states of all places, parts (1, B, ·), into the caller's state."""
        parts = [self._join_part(list(part)) for part in zip(*states, strict=True)]
        if not batched:
            parts = [_each(part, lambda v: v.squeeze(-2)) for part in parts]
        return parts[0] if len(parts) == 1 else tuple(parts)

    def _parts(self, state: Any) -> list[Any]:
        """Return the parts of a state: h alone, h and c, or more."""
        if len(self._sizes) == 1:
            return [state[0] if isinstance(state, tuple) and len(state) == 1 else state]
        if not isinstance(state, Sequence) or len(state) != len(self._sizes):
            error = ShapeError if isinstance(state, Tensor | Sequence) else InputTypeError
            what = "pair" if len(self._sizes) == 2 else "tuple"
            raise error(
                f"the state must be the {what} ({', '.join(self._sizes)}), got {described(state)}."
            )
        return list(state)

    def _split_part(self, name: str, part: Any, x: Tensor, batched: bool) -> list[Tensor]:
        sizes, directions, last = self._sizes[name], self._directions, self._last_axes[name]
        theirs = "hidden" if len(self._sizes) == 1 else f"hidden[{list(self._sizes).index(name)}]"

        def split(named: str, tensor: Any, first: str, places: int, size: int) -> list[Tensor]:
            if batched:
                _check(named, theirs, tensor, (first, "B", last), (places, x.size(1), size), x)
                return [tensor.squeeze(0)] if places == 1 else list(tensor.unbind(0))
            _check(named, theirs, tensor, (first, last), (places, size), x)
            return list(tensor.unsqueeze(1).unbind(0))

        if self._even:
            return split(name, part, "L·D", len(sizes) * directions, sizes[0])
        if not isinstance(part, Sequence) or len(part) != len(sizes):
            raise ShapeError(
                f"{name} must be a list of {len(sizes)} tensors, one per layer, as the layers' "
                f"sizes differ; got {described(part)}."
            )
        layers = enumerate(zip(part, sizes, strict=True))
        return [
            row
            for layer, (tensor, size) in layers
            for row in split(f"{name}[{layer}]", tensor, "D", directions, size)
        ]

    def _join_part(self, rows: list[Tensor]) -> Tensor | list[Tensor]:
        if self._even:
            return rows[0] if len(rows) == 1 else torch.cat(rows)
        step = self._directions
        return [torch.cat(rows[i : i + step]) for i in range(0, len(rows), step)]


def _check_dimensions(parts: list[Any], dimensions: int) -> None:
    """Raise, in torch.nn's words, where one of state and input has the axis B."""
    found = [part.dim() if isinstance(part, Tensor) else dimensions for part in parts]
    if set(found) == {dimensions}:
        return
    names = "hx" if len(parts) == 1 else "hx and cx"
    numbers = f"{found[0]}-D tensor"
    if len(parts) > 1:
        numbers = f"({', '.join(f'{number}-D' for number in found)}) tensors"
    raise ShapeError(
        f"For {'batched' if dimensions == 3 else 'unbatched'} {dimensions}-D input, {names} should "
        f"also be {dimensions}-D but got {numbers}: a state has the axis B where the input has it."
    )


def _blocks(count: int) -> str:
    """Name the axis of a part of so many blocks of H numbers."""
    return "H" if count == 1 else f"{count}·H"


def _check(
    name: str, theirs: str, tensor: Any, axes: tuple[str, ...], shape: tuple[int, ...], x: Tensor
) -> None:
    """Check one part of a state; torch.nn calls it hidden, or hidden[0] and hidden[1]."""
    if not isinstance(tensor, Tensor):
        raise InputTypeError(
            f"{name} must be a tensor ({', '.join(axes)}) = {shape}, got {described(tensor)}."
        )
    if tuple(tensor.shape) != shape:
        raise ShapeError(
            f"Expected {theirs} size {shape}, got {list(tensor.shape)}: {name} must be "
            f"({', '.join(axes)})."
        )
    if tensor.dtype != x.dtype and not torch.is_autocast_enabled(x.device.type):
        raise OptionError(f"{name} is {tensor.dtype} and the input is {x.dtype}; convert one.")
    if tensor.device != x.device:
        raise OptionError(
            "Input and hidden tensors are not at the same device, found input tensor at "
            f"{x.device} and hidden tensor at {tensor.device}; move {name} or the input."
        )


def described(value: Any) -> str:
    """Describe a wrong value: the axes of a tensor, the type of anything else."""
    if isinstance(value, Tensor):
        return str(tuple(value.shape))
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def _each(part: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Change a tensor, or every tensor of a list."""
    return change(part) if isinstance(part, Tensor) else [change(tensor) for tensor in part]
