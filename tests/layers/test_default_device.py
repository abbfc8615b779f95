"""A default device other than the layer's changes nothing: what a call makes is made where x is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence
from torch.utils import _pytree as pytree

import elman
from battery import B, H, I, T, assert_same_bits

LENGTHS = [4, 0, 6, 1, 4]
CPU_LENGTHS = torch.tensor(LENGTHS)
RESETS = [[(step + row) % 4 == 0 for row in range(B)] for step in range(T)]
PLAIN: dict[str, Callable[..., nn.Module]] = {
    "simple": elman.SimpleRNN,
    "lstm": elman.LSTM,
    "gru": elman.GRU,
}
STACKS: dict[str, Callable[[], nn.Module]] = {
    **{name: lambda layer=layer: layer(I, H) for name, layer in PLAIN.items()},
    **{
        f"{name} of two layers, both ways": lambda layer=layer: layer(I, H, 2, bidirectional=True)
        for name, layer in PLAIN.items()
    },
    "learned start, residual": lambda: elman.GRU(I, H, 2, learn_initial_state=True, residual=True),
    "layer norm": lambda: elman.LSTM(I, H, layer_norm=True),
    "noise": lambda: elman.LSTM(I, H, 2, dropout=0.2, recurrent_dropout=0.3, zoneout=0.3),
    "locked dropout": lambda: elman.SimpleRNN(I, H, 2, locked_dropout=0.2),
    "reference": lambda: elman.GRU(I, H, backend="reference"),
    "torch": lambda: elman.GRU(I, H, backend="torch"),
    "two cells": lambda: elman.Bidirectional(elman.LSTM(I, H), elman.GRU(I, H)),
    "two cells in turn": lambda: elman.Bidirectional(elman.LSTM(I, H, 2), elman.GRU(I, H)),
}
WAYS: dict[str, Callable[[nn.Module, Tensor], Any]] = {
    "dense": lambda layer, x: layer(x),
    "lengths": lambda layer, x: layer(x, lengths=LENGTHS),
    "lengths as a tensor": lambda layer, x: layer(x, lengths=CPU_LENGTHS),
    "resets": lambda layer, x: layer(x, lengths=LENGTHS, resets=RESETS),
    "trace": lambda layer, x: layer(x, return_trace=True),
    "packed": lambda layer, x: layer(
        pack_padded_sequence(x[:, [0, 2, 3]], [4, 6, 1], enforce_sorted=False)
    ),
}
NOT_OF_TORCH = ("resets", "trace")
CASES = [
    (stack, way) for stack in STACKS for way in WAYS if stack != "torch" or way not in NOT_OF_TORCH
]


def answers(layer: nn.Module, way: str, x: Tensor, *, records: bool) -> list[Tensor]:
    """Return everything that a call gives, and the gradient of everything it was given."""
    with torch.set_grad_enabled(records), torch.random.fork_rng():
        torch.manual_seed(5)
        given = x.clone().requires_grad_(records)
        found = [v for v in pytree.tree_leaves(WAYS[way](layer, given)) if isinstance(v, Tensor)]
        if not records:
            return found
        values = [value for value in found if value.requires_grad]
        total = sum((value * value.detach().cos()).sum() for value in values)
        weights = list(layer.parameters())
        asked = torch.autograd.grad(total, [given, *weights], materialize_grads=True)  # type: ignore[arg-type]
    return [*found, *asked]


@pytest.mark.parametrize("records", [True, False], ids=["gradients", "no_grad"])
@pytest.mark.sampled(4)
@pytest.mark.parametrize(("stack", "way"), CASES)
def test_a_call_and_its_gradients_are_the_same_under_another_default_device(
    stack: str, way: str, records: bool
) -> None:
    torch.manual_seed(0)
    layer, x = STACKS[stack](), torch.randn(T, B, I)
    wanted = answers(layer, way, x, records=records)
    with torch.device("meta"):
        found = answers(layer, way, x, records=records)
    for number, (a, b) in enumerate(zip(found, wanted, strict=True)):
        assert_same_bits(a, b, f"tensor {number}")


def test_gradients_may_be_asked_for_under_another_default_device_alone() -> None:
    layer, x = elman.LSTM(I, H, 2), torch.randn(T, B, I)
    layer(x, lengths=LENGTHS)[0].sum().backward()
    wanted = [weight.grad for weight in layer.parameters()]
    layer.zero_grad()
    total = layer(x, lengths=LENGTHS)[0].sum()
    with torch.device("meta"):
        total.backward()
    for weight, grad in zip(layer.parameters(), wanted, strict=True):
        assert weight.grad is not None
        assert grad is not None
        assert_same_bits(weight.grad, grad, "gradient")


@pytest.mark.parametrize("name", PLAIN)
def test_a_stepper_is_made_set_and_run_under_another_default_device(name: str) -> None:
    layer = PLAIN[name](I, H, 2, learn_initial_state=True)
    x = torch.randn(T, I)
    expected, state = layer(x)
    with torch.device("meta"):
        stepper = layer.stepper()
        found = [stepper.step(row).copy() for row in x.numpy()]
        stepper.state = stepper.state
        after = stepper.state
        stepper.reset()
    assert_same_bits(torch.from_numpy(found[-1]), expected[-1], "output")
    for a, b in zip(pytree.tree_leaves(after), pytree.tree_leaves(state), strict=True):
        assert_same_bits(torch.from_numpy(a)[:, 0], b, "state")


def test_a_layer_built_under_another_default_device_lies_there_as_torch_nns_does() -> None:
    with torch.device("meta"):
        for layer, peer in ((elman.LSTM(I, H), nn.LSTM(I, H)), (elman.GRU(I, H), nn.GRU(I, H))):
            assert layer.weight_hh_l0.is_meta
            y = layer(torch.zeros(T, B, I))[0]
            assert (y.device, y.shape) == (peer(torch.zeros(T, B, I))[0].device, (T, B, H))
