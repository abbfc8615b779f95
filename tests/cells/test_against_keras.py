"""The cells against Keras 3 in float64: values, final states and every gradient.

The weights are drawn in Keras' own layout and come in through `elman.convert.from_keras`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from battery import assert_near, draw
from elman.convert import from_keras, to_keras_weights
from elman.layers import RecurrentLayer
from oracles import keras_layers

pytestmark = keras_layers.own_warnings

T, B, I, H = 7, 5, 3, 11  # noqa: E741 — the axis legend
LENGTHS = [4, 7, 0, 6, 1]
LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "simple": ("SimpleRNN", {}),
    "simple, relu": ("SimpleRNN", {"activation": "relu"}),
    "simple, sigmoid": ("SimpleRNN", {"activation": "sigmoid"}),
    "simple, identity": ("SimpleRNN", {"activation": "linear"}),
    "lstm": ("LSTM", {}),
    "gru that resets before": ("GRU", {"reset_after": False}),
    "gru that resets after": ("GRU", {"reset_after": True}),
}
ragged_too = pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["dense", "ragged"])


def draw_leaves(parts: int, size: int = H) -> tuple[Tensor, list[Tensor]]:
    """Draw x, (B, T, I), and the parts of a state, (B, H), each to be differentiated."""
    x = draw(B, T, I, scale=1.0).requires_grad_()
    return x, [draw(B, size).requires_grad_() for _ in range(parts)]


def run_elman(
    layer: RecurrentLayer, x: Tensor, state: Sequence[Tensor], lengths: Sequence[int] | None
) -> tuple[Tensor, ...]:
    """Run an elman layer of one direction with Keras' shapes of the state."""
    parts = [part.unsqueeze(0) for part in state]
    y, final = layer(x, tuple(parts) if len(parts) > 1 else parts[0], lengths=lengths)
    return y, *[part[0] for part in (final if isinstance(final, tuple) else [final])]


def gradients(values: Sequence[Tensor], leaves: Sequence[Tensor]) -> list[Tensor]:
    """Differentiate all values, weighted by a random cotangent that is the same at every call."""
    generator = torch.Generator().manual_seed(7)
    weighted = [
        (value * torch.randn(value.shape, generator=generator, dtype=torch.float64)).sum()
        for value in values
    ]
    return list(torch.autograd.grad(sum(weighted, torch.zeros(())), leaves, materialize_grads=True))


def as_keras(layer: RecurrentLayer, found: Sequence[Tensor], *, one_bias: bool) -> list[Tensor]:
    """Lay the gradients of an elman layer's parameters out as Keras has its weights."""
    carrier = copy.deepcopy(layer)
    for (name, parameter), gradient in zip(carrier.named_parameters(), found, strict=True):
        second = one_bias and name.startswith("bias_hh")
        parameter.data = torch.zeros_like(gradient) if second else gradient
    return [torch.from_numpy(array) for array in to_keras_weights(carrier)[0]]


def assert_each_near(ours: Sequence[Tensor], theirs: Sequence[Tensor], name: str) -> None:
    for place, (actual, expected) in enumerate(zip(ours, theirs, strict=True)):
        assert_near(actual.detach(), expected.detach(), f"{name} {place}")


@ragged_too
@pytest.mark.parametrize("bias", [True, False], ids=["biases", "no biases"])
@pytest.mark.parametrize("kind", LAYERS)
def test_values_states_and_every_gradient_are_those_of_keras(
    kind: str, bias: bool, lengths: list[int] | None
) -> None:
    name, options = LAYERS[kind]
    theirs = keras_layers.build(name, H, I, use_bias=bias, **options)
    ours = from_keras(theirs, backend="reference")
    assert isinstance(ours, RecurrentLayer)
    x, state = draw_leaves(2 if name == "LSTM" else 1)
    our_values = run_elman(ours, x, state, lengths)
    their_values = keras_layers.run(theirs, x, state, lengths)
    assert_each_near(our_values, their_values, "value")
    parameters = list(ours.parameters())
    our_gradients = gradients(our_values, [x, *state, *parameters])
    their_gradients = gradients(their_values, [x, *state, *keras_layers.weights_of(theirs)])
    inputs = 1 + len(state)
    one_bias = not options.get("reset_after")
    laid_out = as_keras(ours, our_gradients[inputs:], one_bias=one_bias)
    assert_each_near(our_gradients[:inputs] + laid_out, their_gradients, "gradient")


@ragged_too
@pytest.mark.parametrize("merge_mode", ["concat", "sum", "ave", "mul"])
@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        ("lstm", "gru that resets before"),
        ("gru that resets after", "simple, relu"),
        ("lstm", "lstm"),
    ],
)
def test_two_layers_of_unlike_types_read_both_ways_as_in_keras(
    forward: str, backward: str, merge_mode: str, lengths: list[int] | None
) -> None:
    sizes = (H, H - 4 if merge_mode == "concat" else H)
    (ahead, ahead_options), (back, back_options) = LAYERS[forward], LAYERS[backward]
    theirs = keras_layers.build_bidirectional(
        keras_layers.build(ahead, sizes[0], I, **ahead_options),
        keras_layers.build(back, sizes[1], I, go_backwards=True, **back_options),
        I,
        merge_mode=merge_mode,
    )
    ours = from_keras(theirs)
    x, _ = draw_leaves(0)
    y, states = ours(x, lengths=lengths)
    final = [part[0] for s in states for part in (s if isinstance(s, tuple) else [s])]
    their_values = keras_layers.run(theirs, x, lengths=lengths)
    assert_each_near([y, *final], their_values, "value")
    assert_each_near(gradients([y, *final], [x]), gradients(their_values, [x]), "gradient of x")
