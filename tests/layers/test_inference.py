"""The short way of a call without gradients gives what the long way gives, to the bit."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

import elman
from elman.layers.recurrent import RecurrentLayer

STACKS: dict[str, tuple[type[RecurrentLayer], dict[str, Any]]] = {
    "simple": (elman.SimpleRNN, {"nonlinearity": "relu"}),
    "lstm": (elman.LSTM, {}),
    "two layers both ways": (elman.LSTM, {"num_layers": 2, "bidirectional": True}),
    "projection": (elman.LSTM, {"num_layers": 3, "proj_size": 3}),
    "peephole, coupled": (elman.LSTM, {"peephole": True, "coupled_gates": True}),
    "gru": (elman.GRU, {"num_layers": 2}),
    "gru, reset before": (elman.GRU, {"reset_after": False, "bidirectional": True}),
    "no bias": (elman.GRU, {"bias": False}),
    "batch first": (elman.LSTM, {"batch_first": True, "bidirectional": True}),
}


def flat(value: Any) -> list[Tensor]:
    """List the tensors of nested tuples."""
    return [value] if isinstance(value, Tensor) else [t for part in value for t in flat(part)]


def assert_same(found: Any, wanted: Any) -> None:
    for a, b in zip(flat(found), flat(wanted), strict=True):
        assert a.shape == b.shape
        assert torch.equal(a, b)


def long_way(layer: RecurrentLayer, *given: Any) -> Any:
    """Run a layer as where gradients are wanted, and drop them."""
    y, state = layer(*given)
    return y.detach(), state


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("stack", STACKS)
def test_a_call_without_gradients_gives_the_bits_of_one_with_them(
    stack: str, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    kind, options = STACKS[stack]
    layer = kind(5, 7, **options).to(dtype)
    x = torch.randn(3, 4, 5, dtype=dtype)
    wanted = long_way(layer, x)
    with torch.no_grad():
        found = layer(x)
        assert layer._inference is not None
        assert_same(found, wanted)
        state = found[1]
    wanted = long_way(layer, x, state)
    with torch.no_grad():
        assert_same(layer(x, state), wanted)


@pytest.mark.parametrize("change", ["step", "data", "load", "to", "assign"])
def test_changed_weights_are_seen(change: str) -> None:
    torch.manual_seed(0)
    layer, other, x = elman.LSTM(5, 7), elman.LSTM(5, 7), torch.randn(3, 2, 5)
    with torch.no_grad():
        before, _ = layer(x)
    if change == "step":
        layer(x)[0].sum().backward()
        torch.optim.SGD(layer.parameters(), lr=0.1).step()
    elif change == "data":
        for mine, its in zip(layer.parameters(), other.parameters(), strict=True):
            mine.data.copy_(its.data)
    elif change == "load":
        layer.load_state_dict(other.state_dict())
    elif change == "to":
        layer.to(torch.float64).to(torch.float32)
        layer.bias_ih_l0.data[7:14] += 1
    else:
        layer.weight_hh_l0 = nn.Parameter(other.weight_hh_l0.detach().clone())
    wanted = long_way(layer, x)
    with torch.no_grad():
        assert_same(layer(x), wanted)
        assert not torch.equal(layer(x)[0], before)


def test_copies_bring_their_own_layout() -> None:
    layer, x = elman.GRU(5, 7), torch.randn(3, 2, 5)
    with torch.no_grad():
        wanted = layer(x)
        twin = copy.deepcopy(layer)
        assert_same(twin(x), wanted)
        twin.weight_hh_l0.mul_(2)
        assert not torch.equal(twin(x)[0], wanted[0])
        assert_same(layer(x), wanted)


def test_parametrized_weights_take_the_long_way() -> None:
    class Halved(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return weight / 2

    layer, x = elman.GRU(5, 7), torch.randn(3, 2, 5)
    with torch.no_grad():
        before, _ = layer(x)
        parametrize.register_parametrization(layer, "weight_hh_l0", Halved())
        halved, _ = layer(x)
        parametrize.remove_parametrizations(layer, "weight_hh_l0", leave_parametrized=False)
        after, _ = layer(x)
    assert not torch.equal(halved, before)
    assert torch.equal(after, before)


def test_dropout_in_training_is_not_skipped() -> None:
    layer, x = elman.LSTM(5, 7, num_layers=2, dropout=0.5), torch.randn(3, 2, 5)
    with torch.no_grad():
        assert not torch.equal(layer(x)[0], layer(x)[0])
        layer.eval()
        assert torch.equal(layer(x)[0], layer(x)[0])


def test_a_state_that_does_not_fit_is_refused_in_the_words_of_the_long_way() -> None:
    layer, x = elman.GRU(5, 7), torch.randn(3, 2, 5)
    with torch.no_grad(), pytest.raises(elman.errors.ShapeError, match=r"\(1, 2, 7\)"):
        layer(x, torch.zeros(1, 3, 7))


def test_strided_inputs_are_read_where_they_lie() -> None:
    layer = elman.LSTM(5, 7)
    whole = torch.randn(2, 3, 10)
    x = whole.transpose(0, 1)[..., :5]
    with torch.no_grad():
        assert_same(layer(x), layer(x.contiguous()))


def test_weights_made_in_inference_mode_run() -> None:
    with torch.inference_mode():
        layer, x = elman.LSTM(5, 7), torch.randn(3, 2, 5)
        before, _ = layer(x)
        layer.weight_hh_l0.mul_(2)
        assert not torch.equal(layer(x)[0], before)


def test_weights_that_are_not_on_the_cpu_are_left_to_others() -> None:
    layer, x = elman.LSTM(5, 7, device="meta"), torch.randn(3, 2, 5, device="meta")
    with torch.no_grad():
        assert layer(x)[0].shape == (3, 2, 7)
