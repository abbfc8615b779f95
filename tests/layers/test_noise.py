"""Dropout between layers and inside the recurrence, and zoneout: in training and in evaluation."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import assert_near, assert_same_bits
from elman.layers.noise import recurrent_dropout_mask, zoneout_mask
from elman.layers.recurrent import RecurrentLayer

T, B, H = 4, 7, 600
CELLS = {"simple": elman.SimpleRNN, "lstm": elman.LSTM, "gru": elman.GRU}
every_cell = pytest.mark.parametrize("cell", CELLS)


def assert_share(share: float, probability: float, count: int) -> None:
    """Assert that a share of so many draws is within five standard deviations of a probability."""
    assert abs(share - probability) < 5 * math.sqrt(probability * (1 - probability) / count)


def passing_on(layers: int = 1, **options: Any) -> RecurrentLayer:
    """Build h(t) = h(t−1), and in the layers above the first h(t) = x(t)."""
    layer = elman.SimpleRNN(H, H, layers, "identity", bias=False, **options)
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            above = not name.endswith("_l0")
            torch.nn.init.zeros_(weight)
            if name.startswith("weight_ih") == above:
                torch.nn.init.eye_(weight)
    return layer


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_a_recurrent_dropout_mask_drops_its_share_and_keeps_the_mean(probability: float) -> None:
    mask = recurrent_dropout_mask(torch.empty(200, 300, dtype=torch.float64), probability)
    assert mask.dtype == torch.float64
    assert_share(float((mask == 0).double().mean()), probability, mask.numel())
    kept = mask[mask != 0]
    assert_near(kept, torch.full_like(kept, 1 / (1 - probability)), "what is kept")


@pytest.mark.parametrize("probability", [0.1, 0.5])
def test_a_zoneout_mask_keeps_its_share_and_is_drawn_anew_at_every_step(
    probability: float,
) -> None:
    mask = zoneout_mask(torch.empty(100, 60), probability, 9)
    assert mask.shape == (9, 100, 60)
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert_share(float(mask.mean()), probability, mask.numel())
    both = float((mask[1:] * mask[:-1]).mean())
    assert_share(both, probability**2, mask[1:].numel())


def test_recurrent_dropout_uses_one_mask_a_sequence_and_scales_what_is_left() -> None:
    layer = passing_on(recurrent_dropout=0.2)
    output = layer(torch.zeros(T, B, H), torch.ones(1, B, H))[0]
    dropped = output[0] == 0
    assert_share(float(dropped.float().mean()), 0.2, B * H)
    assert not bool((dropped == dropped[:1]).all()), "every row has a mask of its own"
    for t in range(T):
        expected = torch.where(dropped, 0.0, 1.25 ** (t + 1))
        assert_near(output[t], expected, f"step {t}")


def test_every_call_draws_another_mask() -> None:
    layer, h0 = passing_on(recurrent_dropout=0.2), torch.ones(1, B, H)
    x = torch.zeros(T, B, H)
    assert not torch.equal(layer(x, h0)[0], layer(x, h0)[0])


def test_the_two_directions_have_masks_of_their_own() -> None:
    layer = passing_on(recurrent_dropout=0.2, bidirectional=True)
    with torch.no_grad():
        torch.nn.init.eye_(layer.get_parameter("weight_hh_l0_reverse"))
        torch.nn.init.zeros_(layer.get_parameter("weight_ih_l0_reverse"))
    ahead, back = layer(torch.zeros(1, B, H), torch.ones(2, B, H))[0].chunk(2, dim=-1)
    assert not torch.equal(ahead == 0, back == 0)


@every_cell
@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
def test_dropout_is_off_in_evaluation(cell: str, name: str) -> None:
    noisy = CELLS[cell](3, 5, 2, **{name: 0.5}).eval()
    quiet = CELLS[cell](3, 5, 2)
    quiet.load_state_dict(noisy.state_dict())
    x = torch.randn(T, B, 3)
    assert_near(noisy(x)[0], quiet(x)[0], "output")
    assert not torch.equal(noisy.train()(x)[0], quiet(x)[0])


def test_dropout_acts_between_layers_and_not_on_the_last_outputs() -> None:
    layer = passing_on(2, dropout=0.2)
    output = layer(torch.zeros(T, B, H), torch.ones(2, B, H))[0]
    assert set(output.unique().tolist()) == {0.0, 1.25}
    assert_share(float((output == 0).float().mean()), 0.2, output.numel())
    assert not torch.equal(output[0], output[1]), "drawn anew at every step"
    assert bool((passing_on(2, dropout=0.2).eval()(torch.zeros(T, B, H))[0] == 0).all())


def test_zoneout_in_training_keeps_units_at_random_and_in_evaluation_their_expectation() -> None:
    layer = elman.SimpleRNN(H, H, nonlinearity="identity", bias=False, zoneout=0.5)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.zero_()
    x, h0 = torch.zeros(T, B, H), torch.ones(1, B, H)
    output = layer(x, h0)[0]
    for t in range(T):
        assert set(output[t].unique().tolist()) <= {0.0, 1.0}
        assert_share(float(output[t].detach().mean()), 0.5 ** (t + 1), B * H)
    expectation = layer.eval()(x, h0)[0]
    for t in range(T):
        assert_same_bits(expectation[t], torch.full((B, H), 0.5 ** (t + 1)), f"step {t}")


def test_zoneout_of_a_pair_is_that_of_h_and_that_of_c() -> None:
    layer = elman.LSTM(3, 5, zoneout=(0.25, 0.5), dtype=torch.float64).eval()
    plain = elman.LSTM(3, 5, dtype=torch.float64)
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(1, B, 3, dtype=torch.float64)
    state = (torch.randn(1, B, 5).double(), torch.randn(1, B, 5).double())
    new, found = plain(x, state)[1], layer(x, state)[1]
    for kept, before, after, value in zip((0.25, 0.5), state, new, found, strict=True):
        assert_near(value, kept * before + (1 - kept) * after, f"zoneout {kept}")


@every_cell
def test_the_masks_a_layer_draws_are_the_ones_its_cells_are_given(
    cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Tensor] = []

    def recorded(draw: Any) -> Any:
        def draw_and_record(*arguments: Any) -> Tensor:
            drawn.append(draw(*arguments))
            return drawn[-1]

        return draw_and_record

    monkeypatch.setattr(
        "elman.layers.recurrent.recurrent_dropout_mask", recorded(recurrent_dropout_mask)
    )
    monkeypatch.setattr("elman.layers.recurrent.zoneout_mask", recorded(zoneout_mask))
    options = {"recurrent_dropout": 0.5, "zoneout": 0.5, "dtype": torch.float64}
    layer = CELLS[cell](3, 5, **options)
    x = torch.randn(T, B, 3, dtype=torch.float64)
    output, _, trace = layer(x, return_trace=True)
    mask, *zoneouts = drawn
    parts = len(layer.options.cell.state._fields)
    assert [tuple(kept.shape) for kept in zoneouts] == [(T, B, 5)] * parts

    weights = {
        field: layer.get_parameter(f"{name}_l0")
        for field, name in (
            ("input", "weight_ih"),
            ("hidden", "weight_hh"),
            ("input_bias", "bias_ih"),
            ("hidden_bias", "bias_hh"),
        )
    }
    packed = layer.options.cell.weights(**weights, hidden_mask=mask)
    state = layer.options.cell.state(*[x.new_zeros(B, 5)] * parts)
    for t in range(T):
        new, _ = layer.options.cell.step(x[t], state, packed)
        kept = [share[t].bool() for share in zoneouts]
        state = type(new)(*map(torch.where, kept, state, new))
        assert_near(output[t], state.hidden, f"step {t}")
        for traced, part in zip(trace[0][0].state, state, strict=True):
            assert_near(traced[t], part, f"trace at step {t}")
