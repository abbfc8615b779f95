"""The short way of a call with gradients gives what the long way gives, to the bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.layers.test_inference import STACKS, assert_same, flat
from torch import Tensor, nn
from torch.nn.utils import parametrize

import elman
from elman.layers.recurrent import RecurrentLayer


def values_and_gradients(layer: RecurrentLayer, x: Tensor, state: Any, **way: Any) -> list[Tensor]:
    """Run a layer forward and backward; list outputs, states and every gradient."""
    parts = [] if state is None else [part.clone().requires_grad_() for part in flat(state)]
    x = x.clone().requires_grad_()
    hx: Any = None if state is None else parts[0] if len(parts) == 1 else tuple(parts)
    values = flat(layer(x, hx, **way))
    torch.manual_seed(7)
    loss = sum([(value * torch.randn_like(value)).sum() for value in values], torch.zeros(()))
    wanted = [x, *parts, *layer.parameters()]
    return [*values, *torch.autograd.grad(loss, wanted)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("stack", STACKS)
def test_a_short_call_gives_the_bits_of_the_long_way(
    stack: str, steps: int, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    kind, options = STACKS[stack]
    layer = kind(5, 7, **options).to(dtype)
    rows, long = 3, {"lengths": [steps] * 3}
    x = torch.randn(steps, rows, 5, dtype=dtype)
    if layer.batch_first:
        x = x.transpose(0, 1).contiguous()
    assert_same(values_and_gradients(layer, x, None), values_and_gradients(layer, x, None, **long))
    assert layer._training is not None
    with torch.no_grad():
        state = layer(x)[1]
    assert_same(
        values_and_gradients(layer, x, state), values_and_gradients(layer, x, state, **long)
    )


@pytest.mark.parametrize("of_inputs", [True, False])
@pytest.mark.parametrize("stack", STACKS)
def test_a_single_step_is_laid_out_in_part_and_has_the_bits_of_a_whole_layout(
    stack: str, of_inputs: bool
) -> None:
    torch.manual_seed(0)
    kind, options = STACKS[stack]
    layer = kind(5, 19, **options)
    x = torch.randn(1, 3, 5)
    if layer.batch_first:
        x = x.transpose(0, 1)
    with torch.no_grad():
        zeros = [torch.zeros_like(part) for part in flat(layer(x)[1])]
    found = []
    for wants_state in (False, True):  # a state that wants its gradient has all laid out
        own = x.clone().requires_grad_(of_inputs)
        state = [part.clone().requires_grad_(wants_state) for part in zeros]
        y, ended = layer(own, state[0] if len(state) == 1 else tuple(state))
        torch.manual_seed(7)
        loss = sum([(t * torch.randn_like(t)).sum() for t in (y, *flat(ended))], torch.zeros(()))
        wanted = [*[own] * of_inputs, *layer.parameters()]
        found.append([y, *flat(ended), *torch.autograd.grad(loss, wanted)])
    assert_same(*found)


def test_frozen_weights_have_no_gradient() -> None:
    layer, x = elman.GRU(5, 7), torch.randn(1, 2, 5)
    layer.weight_hh_l0.requires_grad_(False)
    layer(x)[0].sum().backward()
    assert layer.weight_hh_l0.grad is None
    assert layer.weight_ih_l0.grad is not None
    for weight in layer.parameters():
        weight.requires_grad_(False)
    assert not layer(x)[0].requires_grad
    assert layer(x.requires_grad_())[0].requires_grad


def test_parametrized_weights_take_the_long_way() -> None:
    class Halved(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return weight / 2

    layer, x = elman.LSTM(5, 7), torch.randn(1, 2, 5)
    twin = elman.LSTM(5, 7)
    twin.load_state_dict(layer.state_dict())
    with torch.no_grad():
        twin.weight_hh_l0.div_(2)
    layer(x)
    parametrize.register_parametrization(layer, "weight_hh_l0", Halved())
    state = torch.randn(2, 1, 2, 7).unbind()
    assert torch.equal(layer(x, state)[0], twin(x, state)[0])


def test_an_option_set_later_is_obeyed() -> None:
    layer, x = elman.LSTM(5, 7, num_layers=2), torch.randn(3, 2, 5)
    layer(x)
    layer.batch_first = True
    assert layer(x)[1][0].shape == (2, 3, 7)
    layer.dropout = 0.5
    assert not torch.equal(layer(x)[0], layer(x)[0])


@pytest.mark.parametrize("wrong", ["width", "state", "dtype"])
def test_what_does_not_fit_is_refused_in_the_words_of_the_long_way(wrong: str) -> None:
    layer, x = elman.GRU(5, 7), torch.randn(1, 2, 5)
    state = torch.zeros(1, 3, 7) if wrong == "state" else None
    x = x[..., :4] if wrong == "width" else x.double() if wrong == "dtype" else x
    with pytest.raises((elman.errors.ShapeError, elman.errors.OptionError)) as short:
        layer(x, state)
    with pytest.raises((elman.errors.ShapeError, elman.errors.OptionError)) as long:
        layer(x, state, lengths=[1, 1])
    assert str(short.value) == str(long.value)
