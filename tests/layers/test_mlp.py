"""Feed-forward layers against the equations written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import assert_all_near, assert_near, draw, gradients
from elman.errors import OptionError, ShapeError
from elman.layers import ACTIVATIONS

BY_HAND: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": lambda a: 1 / (1 + (-a).exp()),
    "tanh": lambda a: (a.exp() - (-a).exp()) / (a.exp() + (-a).exp()),
    "relu": lambda a: a * (a > 0),
    "softmax": lambda a: a.exp() / a.exp().sum(-1, keepdim=True),
    "identity": lambda a: a,
}
every_activation = pytest.mark.parametrize("activation", list(ACTIVATIONS))


@every_activation
@pytest.mark.parametrize("output_activation", list(ACTIVATIONS))
@pytest.mark.parametrize("bias", [True, False])
def test_every_layer_is_its_activation_of_w_h_plus_b(
    activation: str, output_activation: str, bias: bool
) -> None:
    sizes = [3, 7, 5, 2]
    mlp = elman.MLP(
        sizes, activation, output_activation=output_activation, bias=bias, dtype=torch.float64
    )
    x = draw(4, 6, 3).requires_grad_()
    h = x
    for k, layer in enumerate(mlp.layers):
        a = h @ layer.weight.t() + (layer.bias if bias else 0.0)
        h = BY_HAND[output_activation if k == len(sizes) - 2 else activation](a)
    leaves = {"x": x, **dict(mlp.named_parameters())}
    found, expected = {"output": mlp(x)}, {"output": h}
    assert_all_near(found | gradients(found, leaves), expected | gradients(expected, leaves))
    assert sum(p.numel() for p in mlp.parameters()) == 21 + 35 + 10 + (14 if bias else 0)


def test_the_activation_is_tanh_and_the_output_plain_unless_asked_otherwise() -> None:
    mlp = elman.MLP([3, 5, 2], dtype=torch.float64)
    x = draw(3)
    first, last = mlp.layers
    assert_near(mlp(x), last(torch.tanh(first(x))), "output")


def test_dropout_acts_on_what_every_layer_reads_and_in_training_alone() -> None:
    mlp = elman.MLP([500, 500, 500], "identity", dropout=0.2, bias=False)
    for layer in mlp.layers:
        torch.nn.init.eye_(layer.weight)
    output = mlp(torch.ones(40, 500))
    kept = float((output != 0).float().mean())
    assert abs(kept - 0.64) < 0.02
    assert_near(output[output != 0], torch.full_like(output[output != 0], 1.5625), "scale")
    assert bool((mlp.eval()(torch.ones(40, 500)) == 1).all())


def test_it_says_its_sizes_activations_and_parameters() -> None:
    assert elman.MLP([3, 2]).extra_repr() == "[3, 2], activation='tanh', parameters=8"
    mlp = elman.MLP([3, 5, 2], "relu", output_activation="softmax", dropout=0.5)
    assert mlp.extra_repr() == (
        "[3, 5, 2], activation='relu', output_activation='softmax', dropout=0.5, parameters=32"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"activation": "sigmoyd"}, "unknown activation 'sigmoyd'; did you mean 'sigmoid'"),
        ({"output_activation": "soft"}, "unknown activation 'soft'"),
        ({"sizes": [3]}, r"sizes must name an input and an output size, got \[3\]\."),
        ({"sizes": [3, 0]}, r"sizes\[1\] must be a whole number of at least 1, got 0\."),
        ({"sizes": [3, 2.0]}, r"sizes\[1\] must be a whole number of at least 1, got 2\.0\."),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), got 1\.0\."),
    ],
)
def test_wrong_options_are_refused_in_words(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        elman.MLP(**{"sizes": [3, 2], **options})


@pytest.mark.parametrize("shape", [(4,), (3, 4), ()])
def test_a_wrong_input_is_refused_by_its_last_axis(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"input must be \(…, I\) with I = 3, got \("):
        elman.MLP([3, 2])(torch.zeros(shape))
