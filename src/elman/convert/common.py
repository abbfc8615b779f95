"""What the three conventions share: the order of gates, arrays, and refusals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from elman.errors import OptionError, ShapeError
from elman.layers import RecurrentLayer
from elman.layers.parameters import Place

Array = NDArray[Any]
Module = TypeVar("Module", bound=nn.Module)

_FLOATS = (np.float16, np.float32, np.float64)


def reordered(packed: Array, gates: Sequence[str], order: Sequence[str]) -> Array:
    """Copy a packed array with its blocks of rows, one per gate, in another order.

    Args:
        packed: one block of H rows per gate, (G·H, …).
        gates: the gates in the order in which they are packed.
        order: the gates in the order of the copy; one that is not packed becomes zeros.
    """
    blocks = dict(zip(gates, np.split(packed, len(gates)), strict=True))
    zeros = np.zeros_like(blocks[gates[0]])
    return np.concatenate([blocks.get(gate, zeros) for gate in order])


def to_array(weight: Tensor) -> Array:
    """Copy a weight into a NumPy array.

    Raises:
        OptionError: NumPy has no such dtype.
    """
    if weight.dtype not in (torch.float16, torch.float32, torch.float64):
        raise OptionError(
            f"the weights are {weight.dtype}, and NumPy has float16, float32 and float64; "
            "convert the layer first: layer.float()."
        )
    return weight.detach().cpu().numpy().copy()


def checked_arrays(kind: str, arrays: Mapping[str, Any]) -> dict[str, Array]:
    """Return weights as NumPy arrays of one floating dtype, or name the one that is not.

    Raises:
        OptionError: an array is not float16, float32 or float64, or two differ.
    """
    checked = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in checked.items():
        if array.dtype not in _FLOATS:
            raise OptionError(
                f"{name} of {kind} must be float16, float32 or float64, got {array.dtype}."
            )
    dtypes = {name: str(array.dtype) for name, array in checked.items()}
    if len(set(dtypes.values())) > 1:
        listing = ", ".join(f"{name} {dtype}" for name, dtype in dtypes.items())
        raise OptionError(f"{kind} must have weights of one dtype, got {listing}.")
    return checked


def check_shape(name: str, array: Array, axes: Sequence[str], shape: Sequence[int]) -> None:
    """Raise ShapeError, with the names of the axes, unless an array has this shape."""
    if array.shape != tuple(shape):
        raise ShapeError(f"{name} must be ({', '.join(axes)}) = {tuple(shape)}, got {array.shape}.")


def load(module: Module, weights: Mapping[str, Tensor]) -> Module:
    """Make tensors the parameters of a module that was built on the device `meta`.

    A module built there has used no random numbers and allocated no memory.
    """
    module.load_state_dict(dict(weights), assign=True)
    return module


def load_arrays(module: Module, weights: Mapping[Place, Mapping[str, Array]]) -> Module:
    """Load arrays that nothing else holds: weight_ih and so on for each place in the stack."""
    tensors = {
        name + place.suffix: torch.from_numpy(np.ascontiguousarray(array))
        for place, arrays in weights.items()
        for name, array in arrays.items()
    }
    return load(module, tensors)


def check_cell(name: str, other: str, cells: Collection[str]) -> None:
    """Raise OptionError unless another convention has a cell."""
    if name not in cells:
        raise OptionError(f"{other} has no cell {name!r}; it has {', '.join(sorted(cells))}.")


def check_expressible(
    layer: RecurrentLayer,
    other: str,
    *,
    cells: Collection[str],
    has: Collection[str],
    advice: str,
) -> None:
    """Raise unless another convention has the cell of a layer and every option in use.

    Args:
        layer: the layer to convert.
        other: name of the other convention, for the sentence.
        cells: the cells that the other convention has.
        has: the options, among those of `_in_use`, that the other convention has.
        advice: what to do instead.

    Raises:
        OptionError: the other convention lacks the cell, or an option; the first one is named.
    """
    check_cell(layer.options.cell.name, other, cells)
    for option, phrase in _in_use(layer).items():
        if option not in has:
            raise OptionError(f"{other} has no {phrase}. {advice}")


def _in_use(layer: RecurrentLayer) -> dict[str, str]:
    """Return each option of a layer that goes beyond the plain cell, with a phrase for it."""
    options, cell = layer.options, layer.options.cell.options
    nonlinearity = cell.get("nonlinearity", "tanh")
    phrases = {
        "peephole": ("peepholes (peephole=True)", cell.get("peephole")),
        "coupled_gates": ("coupled gates (coupled_gates=True)", cell.get("coupled_gates")),
        "reset_before": (
            "GRU that resets before the product (reset_after=False)",
            not cell.get("reset_after", True),
        ),
        nonlinearity: (f"nonlinearity {nonlinearity!r}", nonlinearity != "tanh"),
        "proj_size": (f"projection (proj_size={options.proj_size})", options.proj_size),
        "layer_norm": ("layer norm (layer_norm=True)", options.layer_norm),
        "zoneout": (
            f"zoneout (zoneout={options.zoneout}), by which units keep a share of their old state "
            "in evaluation too",
            any(options.zoneouts),
        ),
        "residual": ("residual connections (residual=True)", options.residual),
        "learn_initial_state": (
            "learned initial state (learn_initial_state=True)",
            options.learn_initial_state,
        ),
        "locked_dropout": (
            f"locked dropout (locked_dropout={options.locked_dropout}), a regulariser of training; "
            "the state_dict fits a layer without it",
            options.locked_dropout,
        ),
        "recurrent_dropout": (
            f"recurrent dropout (recurrent_dropout={options.recurrent_dropout}), a regulariser "
            "of training; the state_dict fits a layer without it",
            options.recurrent_dropout,
        ),
        "unequal_sizes": (
            f"stack of unequal sizes (hidden_size={options.hidden_sizes})",
            len(set(options.hidden_sizes)) > 1,
        ),
    }
    return {option: phrase for option, (phrase, used) in phrases.items() if used}
