"""Keras 3 on its PyTorch backend, whose outputs can be differentiated beside ours.

Keras reads which backend to use from the environment when it is imported, and a configuration from
a person's home directory, where it leaves one if there is none; here it finds no such directory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

os.environ["KERAS_BACKEND"] = "torch"
os.environ["KERAS_HOME"] = os.devnull

own_warnings = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
"""Marks a test: Keras' variables on PyTorch do not yet take the argument NumPy 2 wants to pass."""

_DRAWN = {"return_sequences": True, "return_state": True, "dtype": "float64"}
_MASKED = {"zero_output_for_mask": True}


@cache
def library() -> Any:
    """Import Keras where it is first used, as it takes seconds, with products in float64.

    On every backend but TensorFlow Keras takes products of float64 in float32. The truth is
    float64.
    """
    import keras
    from keras.src.backend.common.dtypes import BIT64_TO_BIT32_DTYPE

    BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    return keras


def build(kind: str, units: int, inputs: int, **options: Any) -> Any:
    """Build a Keras layer in float64 with random weights, every gate and bias its own.

    It returns all outputs, zeros after a row's end, and the final state.
    """
    layer = getattr(library().layers, kind)(units, **_DRAWN, **_MASKED, **options)
    return with_random_weights(layer, inputs)


def build_bidirectional(forward: Any, backward: Any, inputs: int, *, merge_mode: str) -> Any:
    """Join two Keras layers, the second of which goes backwards, with random weights."""
    layer = library().layers.Bidirectional(
        forward, merge_mode=merge_mode, backward_layer=backward, dtype="float64"
    )
    return with_random_weights(layer, inputs)


def with_random_weights(layer: Any, inputs: int) -> Any:
    """Build a Keras layer for (B, T, I) and draw its weights, biases included."""
    layer.build((2, None, inputs))  # a stateful layer must know B; the others take any
    layer.set_weights(
        [0.6 * torch.randn(weight.shape, dtype=torch.float64).numpy() for weight in layer.weights]
    )
    return layer


def run(
    layer: Any, x: Tensor, state: Sequence[Tensor] = (), lengths: Sequence[int] | None = None
) -> tuple[Tensor, ...]:
    """Run a Keras layer over x, (B, T, I).

    Args:
        layer: as `build` and `build_bidirectional` give it.
        x: (B, T, I).
        state: the parts of the state before the first step, (B, H) each.
        lengths: steps of each row; Keras takes a mask.

    Returns:
        Outputs, (B, T, ·), and the parts of the final state, (B, H) each.
    """
    mask = None
    if lengths is not None:
        mask = torch.arange(x.size(1)) < torch.tensor(lengths).unsqueeze(1)
    return tuple(layer(x, initial_state=list(state) or None, mask=mask))


def weights_of(layer: Any) -> list[Tensor]:
    """Give the tensors of a Keras layer's weights, which carry the gradients."""
    return [weight.value for weight in layer.weights]
