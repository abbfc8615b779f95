"""What a layer reads, checked: its axes, dtype and device; refused in torch.nn's words."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from elman.errors import InputTypeError, OptionError, ShapeError
from elman.layers.state import described


def check_axes(x: Any, input_size: int, axes: str, layer: str) -> None:
    """Check that an input is a tensor of a batch or of one row, I wide.

    Args:
        x: the input.
        input_size: I.
        axes: the axes of a batch in front of I, as the layer reads them: `T, B`.
        layer: name of the layer's class.

    Raises:
        InputTypeError: it is no tensor.
        ShapeError: it has other axes.
    """
    form = f"({axes}, I) or (T, I)"
    if not isinstance(x, Tensor):
        raise InputTypeError(
            f"input must be a tensor {form} with I = {input_size}, got {described(x)}."
        )
    if x.dim() not in (2, 3):
        raise ShapeError(
            f"{layer}: Expected input to be 2D or 3D, got {x.dim()}D tensor instead; it must be "
            f"{form}."
        )
    _check_width(x, input_size, form)


def check_input(x: Tensor, input_size: int, weight: Tensor) -> None:
    """Check that an input, (T, B, I), can be multiplied by a weight.

    Raises:
        ShapeError: it is not I wide.
        OptionError: it has another dtype, or lies on another device.
    """
    _check_width(x, input_size, "(T, B, I)")
    if x.dtype != weight.dtype and not torch.is_autocast_enabled(x.device.type):
        ways = f"Convert input: input.to({weight.dtype})"
        if x.dtype.is_floating_point:
            ways += f", or convert model: model.to({x.dtype})"
        raise OptionError(
            f"RNN input dtype ({x.dtype}) does not match weight dtype ({weight.dtype}). {ways}"
        )
    if x.device != weight.device:
        raise OptionError(
            "Input and parameter tensors are not at the same device, found input tensor at "
            f"{x.device} and parameter tensor at {weight.device}; move one of them."
        )


def _check_width(x: Tensor, input_size: int, form: str) -> None:
    if x.size(-1) != input_size:
        raise ShapeError(
            f"input.size(-1) must be equal to input_size. Expected {input_size}, got "
            f"{x.size(-1)}: input must be {form} with I = {input_size}, got {described(x)}."
        )
