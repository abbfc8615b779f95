"""FlopCounterMode counts the products of the kernels: those of the reference, and by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import elman
from battery import LENGTHS, B, H, I, P, T

GATES: dict[str, tuple[type[nn.Module], int]] = {
    "simple": (elman.SimpleRNN, 1),
    "lstm": (elman.LSTM, 4),
    "gru": (elman.GRU, 3),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "one layer": {},
    "two layers, both ways": {"num_layers": 2, "bidirectional": True},
}


def counted(layer: nn.Module, x: Tensor, *, state: Tensor | None = None) -> tuple[int, int]:
    """Count forward, and backward; the counter of the way back sees nothing of the way there."""
    with FlopCounterMode(display=False) as ahead:
        layer(x, state)
    total = layer(x, state)[0].sum()
    with FlopCounterMode(display=False) as back:
        total.backward()
    with FlopCounterMode(display=False) as both:
        layer(x, state)[0].sum().backward()
    assert both.get_total_flops() == ahead.get_total_flops() + back.get_total_flops()
    return ahead.get_total_flops(), back.get_total_flops()


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", GATES)
def test_the_kernels_do_the_products_of_the_reference(name: str, options: str) -> None:
    kind, _ = GATES[name]
    for wants in (False, True):
        x = torch.randn(T, B, I).requires_grad_(wants)
        native, reference = (
            counted(kind(I, H, backend=backend, **OPTIONS[options]), x)
            for backend in ("native", "reference")
        )
        assert native == reference


def test_a_projection_is_counted_too() -> None:
    x = torch.randn(T, B, I, requires_grad=True)
    layers = [elman.LSTM(I, H, proj_size=P, backend=name) for name in ("native", "reference")]
    assert counted(layers[0], x) == counted(layers[1], x)


@pytest.mark.parametrize("name", GATES)
def test_the_products_are_those_counted_by_hand(name: str) -> None:
    kind, gates = GATES[name]
    layer, x = kind(I, H), torch.randn(T, B, I, requires_grad=True)
    ahead, back = counted(layer, x)
    assert ahead == 2 * T * B * gates * H * (I + H)
    assert back == 2 * gates * H * (2 * T * B * I + T * B * H + (T - 1) * B * H)


def test_an_initial_state_that_wants_a_gradient_takes_one_product_more() -> None:
    layer, x = elman.GRU(I, H), torch.randn(T, B, I)
    _, without = counted(layer, x, state=torch.zeros(1, B, H))
    _, with_one = counted(layer, x, state=torch.zeros(1, B, H, requires_grad=True))
    assert with_one - without == 2 * B * 3 * H * H


def test_weights_that_want_no_gradient_take_no_product() -> None:
    layer, x = elman.GRU(I, H), torch.randn(T, B, I)
    layer.weight_ih_l0.requires_grad_(False)
    assert counted(layer, x)[1] == 2 * 3 * H * H * (2 * T - 1) * B


def test_steps_after_the_ends_of_rows_are_not_counted() -> None:
    layer, x = elman.GRU(I, H), torch.randn(T, B, I)
    with FlopCounterMode(display=False) as counter:
        total = layer(x, lengths=LENGTHS)[0].sum()
    steps, rows = sum(LENGTHS), sum(length > 0 for length in LENGTHS)
    assert counter.get_total_flops() == 2 * steps * 3 * H * (I + H)
    with FlopCounterMode(display=False) as counter:
        total.backward()
    assert counter.get_total_flops() == 2 * 3 * H * (steps * (I + 2 * H) - rows * H)


def test_no_step_at_all_is_no_product() -> None:
    layer, x = elman.GRU(I, H), torch.randn(T, B, I)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        layer(x, lengths=[0] * B)
    assert counter.get_total_flops() == 0
