"""minGRU, minLSTM, LRU and sLSTM: two steps worked by hand, limits, and their first weights."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import assert_near, draw
from elman.cells import (
    LRUState,
    LRUWeights,
    MinGRUState,
    MinGRUWeights,
    MinLSTMState,
    MinLSTMWeights,
    SLSTMState,
    SLSTMWeights,
    lru_step,
    mingru_step,
    minlstm_step,
    slstm_step,
)
from elman.errors import OptionError, ShapeError
from elman.networks.components import make_layer

LN3 = math.log(3)
PARALLEL: dict[str, Any] = {"mingru": elman.MinGRU, "minlstm": elman.MinLSTM, "lru": elman.LRU}
ALL = {**PARALLEL, "slstm": elman.SLSTM}


def numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def column(*values: float) -> Tensor:
    return numbers(*values).unsqueeze(1)


def assert_is(found: Tensor, *worked: float) -> None:
    assert_near(found.flatten(), numbers(*worked), "a value worked by hand")


def test_two_steps_of_a_minimal_gru_worked_by_hand() -> None:
    """σ(ln 3) = 3/4 keeps three quarters of h; the candidate is x."""
    weights = MinGRUWeights(column(0, 1), numbers(LN3, 0))
    state, gates = mingru_step(column(6), MinGRUState(column(2)), weights)
    assert_is(gates.z, 3 / 4)
    assert_is(gates.n, 6)
    assert_is(state.hidden, 3)
    state, _ = mingru_step(column(2), state, weights)
    assert_is(state.hidden, 11 / 4)


def test_two_steps_of_a_minimal_lstm_worked_by_hand() -> None:
    """i = 1/2 and f = 3/4 share one as 2/5 and 3/5; the candidate is x."""
    weights = MinLSTMWeights(column(0, 0, 1), numbers(0, LN3, 0))
    state, gates = minlstm_step(column(5), MinLSTMState(column(5)), weights)
    assert_is(gates.i, 2 / 5)
    assert_is(gates.f, 3 / 5)
    assert_is(state.hidden, 5)
    state, _ = minlstm_step(column(10), state, weights)
    assert_is(state.hidden, 7)


def test_two_steps_of_a_linear_recurrent_unit_worked_by_hand() -> None:
    """λ = i/2, B = 2, C = 1 − i, D = 3: c = 4 turns and halves."""
    weights = LRUWeights(
        input=column(2, 0),
        decay=numbers(math.log(math.log(2))),
        phase=numbers(math.log(math.pi / 2)),
        scale=numbers(0),
        output=numbers(1, 1).unsqueeze(0),
        skip=column(3),
    )
    state = LRUState(column(9), numbers(4, 0).unsqueeze(0))
    state, gates = lru_step(column(1), state, weights, activation="identity")
    assert_is(gates.real, 2)
    assert_is(gates.imaginary, 0)
    assert_is(state.cell, 2, 2)
    assert_is(state.hidden, 7)
    state, _ = lru_step(column(0), state, weights, activation="identity")
    assert_is(state.cell, -1, 1)
    assert_is(state.hidden, 0)


def test_gelu_is_applied_to_what_the_linear_recurrent_unit_reads() -> None:
    plain, bent = elman.LRU(3, 5, activation="identity"), elman.LRU(3, 5)
    bent.load_state_dict(plain.state_dict())
    x = torch.randn(4, 2, 3)
    y, (_, c) = plain(x)
    z, (_, d) = bent(x)
    assert torch.equal(z, torch.nn.functional.gelu(y))
    assert torch.equal(c, d)


def test_two_steps_of_an_slstm_worked_by_hand() -> None:
    """i = 3, f = 1/2, tanh(ln 3) = 4/5 and o = 1/2: equal candidates give equal outputs."""
    zeros = torch.zeros(4, 1, dtype=torch.float64)
    weights = SLSTMWeights(zeros, zeros, numbers(LN3, 0, LN3, 0))
    state = SLSTMState(*[column(0)] * 4)
    state, gates = slstm_step(column(1), state, weights)
    assert_is(gates.i, 1)
    assert_is(state.cell, 4 / 5)
    assert_is(state.normaliser, 1)
    assert_is(state.stabiliser, LN3)
    assert_is(state.hidden, 2 / 5)
    state, gates = slstm_step(column(1), state, weights)
    assert_is(gates.f, 1 / 2)
    assert_is(state.cell, 6 / 5)
    assert_is(state.normaliser, 3 / 2)
    assert_is(state.hidden, 2 / 5)


def plain_slstm(x: Tensor, weights: SLSTMWeights) -> Tensor:
    """Run the sLSTM as its paper first writes it, without a stabiliser."""
    size = weights.hidden.size(1)
    h, c, n = (x.new_zeros(x.size(1), size) for _ in range(3))
    outputs = []
    for step in x:
        sums = step @ weights.input.t() + h @ weights.hidden.t() + weights.input_bias
        i, f, g, o = sums.chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.exp(i) * torch.tanh(g)
        n = torch.sigmoid(f) * n + torch.exp(i)
        h = torch.sigmoid(o) * c / n
        outputs.append(h)
    return torch.stack(outputs)


def test_the_stabiliser_of_the_slstm_changes_no_output() -> None:
    layer = elman.SLSTM(3, 7, dtype=torch.float64)
    weights = SLSTMWeights(
        layer.weight_ih_l0.detach(), layer.weight_hh_l0.detach(), layer.bias_ih_l0.detach()
    )
    x = draw(6, 5, 3, scale=1.0)
    assert_near(layer(x)[0], plain_slstm(x, weights), "h")


@pytest.mark.parametrize("size", [-300.0, 300.0])
def test_an_exponential_gate_far_beyond_the_range_of_floats_gives_finite_numbers(
    size: float,
) -> None:
    layer = elman.SLSTM(3, 5)
    with torch.no_grad():
        layer.bias_ih_l0[:5] = size
    x = torch.randn(6, 2, 3, requires_grad=True)
    y, state = layer(x)
    (y.sum() + sum(part.sum() for part in state)).backward()
    assert bool(y.isfinite().all())
    assert bool((y != 0).all())
    for tensor in (x, *layer.parameters()):
        assert bool(tensor.grad.isfinite().all())


def test_an_slstm_starts_from_any_state_that_another_network_may_compute() -> None:
    layer = elman.SLSTM(3, 5)
    state = tuple(torch.tanh(torch.randn(1, 2, 5)) for _ in range(4))
    y, _ = layer(torch.randn(6, 2, 3), state)
    assert bool((y.abs() <= 10).all())


def test_a_minimal_gru_keeps_its_state_when_the_update_gate_is_one() -> None:
    layer = elman.MinGRU(3, 5)
    with torch.no_grad():
        layer.bias_ih_l0[:5] = 1e3
    h = torch.randn(1, 2, 5)
    y, last = layer(torch.randn(4, 2, 3), h)
    assert torch.equal(last, h)
    assert torch.equal(y, h.expand(4, 2, 5))


def test_a_minimal_lstm_stays_within_its_candidates_however_long_the_sequence() -> None:
    layer = elman.MinLSTM(3, 5)
    with torch.no_grad():
        y, _, [[trace]] = layer(torch.randn(500, 2, 3), return_trace=True)
    assert float(y.abs().max()) <= float(trace.gates.g.abs().max())
    assert_near(trace.gates.i + trace.gates.f, torch.ones(500, 2, 5), "the shares")


def test_gates_of_a_minimal_lstm_that_are_both_shut_still_share_one() -> None:
    layer = elman.MinLSTM(3, 5)
    with torch.no_grad():
        layer.bias_ih_l0[:10] = -200.0
    x = torch.zeros(2, 1, 3, requires_grad=True)
    y, _, [[trace]] = layer(x, return_trace=True)
    y.sum().backward()
    assert_near(trace.gates.f, torch.full((2, 1, 5), 0.5), "f")
    assert bool(layer.weight_ih_l0.grad.isfinite().all())


@pytest.mark.parametrize("name", ["mingru", "minlstm"])
def test_minimal_cells_begin_as_dense_layers_of_torch_do(name: str) -> None:
    torch.manual_seed(0)
    layer = PARALLEL[name](4, 300)
    for weight in (layer.weight_ih_l0.detach(), layer.bias_ih_l0.detach()):
        assert 0.49 < float(weight.abs().max()) <= 0.5
        assert abs(float(weight.std()) - 0.5 / math.sqrt(3)) < 0.02


def test_the_poles_of_an_lru_are_uniform_on_the_ring_and_its_input_is_scaled_to_them() -> None:
    torch.manual_seed(0)
    layer = elman.LRU(4, 4000, r_min=0.5, r_max=0.9, max_phase=1.0)
    size = torch.exp(-torch.exp(layer.weight_decay_l0.detach()))
    angle = torch.exp(layer.weight_phase_l0.detach())
    assert 0.5 <= float(size.min()) < 0.51
    assert 0.89 < float(size.max()) <= 0.9
    share = (size**2 - 0.25) / (0.81 - 0.25)  # uniform on the ring: |λ|² is uniform
    for values in (share, angle):
        assert abs(float(values.mean()) - 0.5) < 0.02
        assert abs(float(values.std()) - 1 / math.sqrt(12)) < 0.02
    scale = torch.exp(layer.weight_scale_l0)
    assert_near(scale**2 + size**2, torch.ones(4000), "γ² + |λ|²")


def test_the_state_of_an_lru_is_as_large_as_white_noise_however_near_to_one_its_poles() -> None:
    torch.manual_seed(0)
    layer = elman.LRU(3, 400, r_min=0.9, r_max=0.99)
    with torch.no_grad():
        _, (_, c) = layer(torch.randn(400, 20, 3))
    assert 0.45 < float(c.square().mean()) < 0.55  # each of the two parts of B x has 1/2


def test_the_forget_gates_of_an_slstm_begin_open_unless_told_otherwise() -> None:
    f = elman.SLSTM(3, 7, 2).bias_ih_l1.chunk(4)[1]
    assert_near(f, torch.linspace(3, 6, 7), "the biases")
    f = elman.SLSTM(3, 7, forget_bias=1.5).bias_ih_l0.chunk(4)[1]
    assert bool((f == 1.5).all())


def test_forget_bias_and_chrono_set_the_one_bias_of_a_minimal_cell() -> None:
    f = elman.MinLSTM(3, 7, forget_bias=2.0).bias_ih_l0.chunk(3)[1]
    assert bool((f == 2).all())
    z = elman.MinGRU(3, 7, chrono=100).bias_ih_l0.chunk(2)[0]
    assert bool((z > 0).all())
    assert bool((z < math.log(99)).all())


@pytest.mark.parametrize("name", PARALLEL)
def test_there_are_no_recurrent_weights_and_nothing_acts_on_them(name: str) -> None:
    layer = PARALLEL[name](3, 5)
    assert not [n for n, _ in layer.named_parameters() if "hh" in n]
    with pytest.raises(OptionError, match=f"the {name} cell has no recurrent matrix: rec"):
        layer.recurrent_dropout = 0.5
    with pytest.raises(OptionError, match=f"recurrent weights, and the {name} cell has none"):
        elman.apply_weight_dropout(layer, 0.5)


@pytest.mark.parametrize("name", ["lru", "slstm"])
def test_parts_of_a_state_that_belong_together_refuse_zoneout(name: str) -> None:
    layer = ALL[name](3, 5)
    with pytest.raises(OptionError, match=f"the {name} cell has no zoneout"):
        layer.zoneout = 0.5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"r_min": 0.9, "r_max": 0.5}, "0 ≤ r_min < r_max ≤ 1, got 0.9, 0.5"),
        ({"max_phase": 7.0}, "at most 2 π, got 7.0"),
        ({"activation": "glu"}, "unknown activation 'glu'; did you mean 'gelu'"),
    ],
)
def test_an_lru_refuses_options_out_of_range(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        elman.LRU(3, 5, **options)


def test_a_network_says_that_a_cell_has_no_place_for_one_of_its_options() -> None:
    options = {"input_size": 3, "hidden_size": 5, "layer_norm": False}
    assert make_layer("mingru", {}, recurrent_dropout=0.0, **options).input_size == 3
    with pytest.raises(OptionError, match=r"the lru cell has no zoneout, got 0\.1; leave it out"):
        make_layer("lru", {}, zoneout=0.1, **options)


def test_a_state_of_four_parts_is_asked_for_by_their_names() -> None:
    h = torch.zeros(1, 2, 5)
    with pytest.raises(ShapeError, match=r"the tuple \(h0, c0, n0, m0\), got a tuple"):
        elman.SLSTM(3, 5)(torch.zeros(4, 2, 3), (h, h))
    with pytest.raises(ShapeError, match=r"got \[1, 2, 5\]: c0 must be \(L·D, B, 2·H\)"):
        elman.LRU(3, 5)(torch.zeros(4, 2, 3), (h, h))
