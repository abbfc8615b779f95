"""Layers from and to torch.nn, whose names, shapes and order of weights are Elman's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from elman.convert.common import Module, check_expressible, load
from elman.errors import OptionError
from elman.layers import RecurrentLayer, layer_class

_SHARED = (
    "input_size",
    "hidden_size",
    "num_layers",
    "bias",
    "batch_first",
    "dropout",
    "bidirectional",
)
_TORCH: dict[str, tuple[type[nn.RNNBase], tuple[str, ...]]] = {
    "simple": (nn.RNN, (*_SHARED, "nonlinearity")),
    "lstm": (nn.LSTM, (*_SHARED, "proj_size")),
    "gru": (nn.GRU, _SHARED),
}
"""Cell → torch.nn's class, and the arguments that both layers have."""

_ADVICE = "Keep the elman layer, which is an nn.Module as well, or build one without it."


def from_torch(module: nn.RNNBase, *, backend: str = "auto") -> RecurrentLayer:
    """Build the elman layer that does what a torch.nn layer does, with a copy of its weights.

    On the backend `torch` a layer of one direction gives the same outputs, states and gradients to
    the last bit. With two directions, the backward one takes its steps in another order than
    torch.nn, and its sums agree up to rounding.

    Args:
        module: nn.RNN, nn.LSTM or nn.GRU, with any of its options, on any device.
        backend: backend of the layer: auto, or a backend's name.

    Returns:
        SimpleRNN, LSTM or GRU: same dtype and device, same mode (train or eval), and the same
            weights frozen (requires_grad).

    Raises:
        OptionError: the module is none of the three.

    >>> import torch
    >>> from_torch(torch.nn.LSTM(3, 5, bidirectional=True))
    LSTM(3, 5, peephole=False, coupled_gates=False, bidirectional=True, parameters=400)
    """
    for cell_name, (theirs, arguments) in _TORCH.items():
        if isinstance(module, theirs):
            build: Callable[..., RecurrentLayer] = layer_class(cell_name)
            options = {name: getattr(module, name) for name in arguments}
            layer = build(**options, backend=backend, device="meta")
            return _with_weights_of(module, layer)
    raise OptionError(f"from_torch takes nn.RNN, nn.LSTM or nn.GRU, got a {type(module).__name__}.")


def to_torch(layer: RecurrentLayer) -> nn.RNNBase:
    """Build the torch.nn layer that does what an elman layer does, with a copy of its weights.

    Args:
        layer: SimpleRNN, LSTM or GRU, with no option that torch.nn lacks.

    Returns:
        nn.RNN, nn.LSTM or nn.GRU: same dtype, device, mode and frozen weights.

    Raises:
        OptionError: torch.nn lacks an option of the layer: peepholes, coupled gates, the reset
            before the product, a nonlinearity other than tanh and relu, layer norm, zoneout,
            locked or recurrent dropout, residual connections, a learned initial state, or unequal
            sizes.
    """
    if not isinstance(layer, RecurrentLayer):
        raise OptionError(
            "to_torch takes elman.SimpleRNN, elman.LSTM or elman.GRU, got a "
            f"{type(layer).__name__}."
        )
    check_expressible(layer, "torch.nn", cells=_TORCH, has=("relu", "proj_size"), advice=_ADVICE)
    theirs, arguments = _TORCH[layer.options.cell.name]
    options = {name: _option(layer, name) for name in arguments}
    return _with_weights_of(layer, theirs(**options, device="meta"))


def _with_weights_of(source: nn.Module, module: Module) -> Module:
    """Copy weights, mode and what is frozen into a module built on the device `meta`."""
    load(module, {name: weight.clone() for name, weight in source.state_dict().items()})
    for name, weight in source.named_parameters():
        module.get_parameter(name).requires_grad_(weight.requires_grad)
    return module.train(source.training)


def _option(layer: RecurrentLayer, name: str) -> Any:
    if name == "nonlinearity":
        return layer.options.cell.options[name]
    return getattr(layer, name)
