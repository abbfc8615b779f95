"""Names, order, shapes and beginnings of the parameters, and their way to and from torch.nn."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import elman
from battery import assert_near, assert_same_bits

I, H, P = 3, 9, 7  # noqa: E741 — the axis legend
UNITS = 600
TWINS: dict[str, tuple[type[nn.Module], type[nn.Module], dict[str, Any]]] = {
    "SimpleRNN": (elman.SimpleRNN, nn.RNN, {}),
    "LSTM": (elman.LSTM, nn.LSTM, {}),
    "LSTM projected": (elman.LSTM, nn.LSTM, {"proj_size": P}),
    "GRU": (elman.GRU, nn.GRU, {}),
}
STACKS: list[dict[str, Any]] = [
    {},
    {"bias": False, "num_layers": 2},
    {"num_layers": 3, "bidirectional": True, "dtype": torch.float64},
]
every_twin = pytest.mark.parametrize("twin", TWINS)
every_stack = pytest.mark.parametrize("stack", STACKS, ids=str)


def gates(weight: Tensor, count: int) -> tuple[Tensor, ...]:
    """Split what is packed by gate."""
    return weight.detach().chunk(count)


@every_stack
@every_twin
def test_the_same_seed_gives_torch_nns_parameters_by_name_order_and_bit(
    twin: str, stack: dict[str, Any]
) -> None:
    ours, theirs, own = TWINS[twin]
    torch.manual_seed(5)
    expected = theirs(I, H, **own, **stack).state_dict()
    torch.manual_seed(5)
    found = ours(I, H, **own, **stack).state_dict()
    assert list(found) == list(expected)
    for name, weight in expected.items():
        assert_same_bits(found[name], weight, name)


@every_stack
@every_twin
def test_weights_go_from_torch_nn_and_back_without_a_change(
    twin: str, stack: dict[str, Any]
) -> None:
    ours, theirs, own = TWINS[twin]
    layer, peer = ours(I, H, **own, **stack), theirs(I, H, **own, **stack)
    before = {name: weight.clone() for name, weight in peer.state_dict().items()}
    layer.load_state_dict(peer.state_dict())
    with torch.no_grad():
        for weight in peer.parameters():
            weight.zero_()
    peer.load_state_dict(layer.state_dict())
    for name, weight in before.items():
        assert_same_bits(peer.state_dict()[name], weight, name)


def test_every_option_brings_its_parameters_after_torch_nns() -> None:
    layer = elman.LSTM(
        I, H, 2, proj_size=P, peephole=True, layer_norm=True, learn_initial_state=True
    )
    shapes = {name: tuple(weight.shape) for name, weight in layer.named_parameters()}
    assert list(shapes.items())[:12] == [
        ("weight_ih_l0", (4 * H, I)),
        ("weight_hh_l0", (4 * H, P)),
        ("bias_ih_l0", (4 * H,)),
        ("bias_hh_l0", (4 * H,)),
        ("weight_hr_l0", (P, H)),
        ("weight_peephole_l0", (3 * H,)),
        ("gain_ih_l0", (4 * H,)),
        ("gain_hh_l0", (4 * H,)),
        ("gain_cell_l0", (H,)),
        ("bias_cell_l0", (H,)),
        ("initial_hidden_l0", (P,)),
        ("initial_cell_l0", (H,)),
    ]
    assert len(shapes) == 24
    assert shapes["weight_ih_l1"] == (4 * H, P)


def test_coupled_gates_have_three_blocks_and_two_peepholes() -> None:
    layer = elman.LSTM(I, H, coupled_gates=True, peephole=True)
    assert layer.get_parameter("weight_ih_l0").shape == (3 * H, I)
    assert layer.get_parameter("weight_peephole_l0").shape == (2 * H,)


def test_with_a_size_for_each_layer_every_layer_reads_what_the_one_below_writes() -> None:
    layer = elman.GRU(I, [5, 7, 4], bidirectional=True)
    shapes = [tuple(layer.get_parameter(f"weight_ih_l{k}_reverse").shape) for k in range(3)]
    assert shapes == [(15, 3), (21, 10), (12, 14)]


def test_gains_begin_at_one_and_initial_states_and_the_cells_bias_at_zero() -> None:
    layer = elman.LSTM(I, H, layer_norm=True, learn_initial_state=True)
    for name, weight in layer.named_parameters():
        if name.startswith("gain"):
            assert bool((weight == 1).all()), name
        elif name.startswith(("initial", "bias_cell")):
            assert bool((weight == 0).all()), name
        else:
            assert float(weight.detach().abs().max()) <= 1 / math.sqrt(H), name


@pytest.mark.parametrize("second", [0, 1])
def test_the_forget_bias_is_the_whole_bias_of_the_forget_gate_alone(second: int) -> None:
    suffix = f"_l{second}_reverse"
    torch.manual_seed(5)
    plain = elman.LSTM(I, H, 2, bidirectional=True)
    torch.manual_seed(5)
    layer = elman.LSTM(I, H, 2, bidirectional=True, forget_bias=1.5)
    for name, value in (("bias_ih", 1.5), ("bias_hh", 0.0)):
        i, f, g, o = gates(layer.get_parameter(name + suffix), 4)
        before = gates(plain.get_parameter(name + suffix), 4)
        assert f.tolist() == [value] * H
        for gate, old in ((i, before[0]), (g, before[2]), (o, before[3])):
            assert_same_bits(gate, old, f"another gate of {name}")


def test_a_forget_bias_of_zero_is_set_too() -> None:
    layer = elman.LSTM(I, H, forget_bias=0.0)
    assert gates(layer.get_parameter("bias_ih_l0"), 4)[1].tolist() == [0.0] * H


def test_with_coupled_gates_the_forget_bias_is_minus_that_of_the_input_gate() -> None:
    layer = elman.LSTM(I, H, coupled_gates=True, forget_bias=2.0)
    assert gates(layer.get_parameter("bias_ih_l0"), 3)[0].tolist() == [-2.0] * H
    assert gates(layer.get_parameter("bias_hh_l0"), 3)[0].tolist() == [0.0] * H


@pytest.mark.parametrize(
    ("build", "count", "keeps", "against"),
    [
        (lambda: elman.LSTM(I, UNITS, chrono=50), 4, 1, 0),
        (lambda: elman.LSTM(I, UNITS, chrono=50, coupled_gates=True), 3, None, 0),
        (lambda: elman.GRU(I, UNITS, chrono=50), 3, 1, None),
    ],
    ids=["lstm", "coupled", "gru"],
)
def test_chrono_lets_units_forget_over_times_drawn_evenly_up_to_the_longest(
    build: Any, count: int, keeps: int | None, against: int | None
) -> None:
    layer = build()
    first, second = (layer.get_parameter(name) for name in ("bias_ih_l0", "bias_hh_l0"))
    bias = gates(first, count)
    keep = bias[keeps] if keeps is not None else -bias[against or 0]
    times = keep.exp()
    assert 1 <= float(times.min()) < 1.5
    assert 48.5 < float(times.max()) <= 49.001
    assert abs(float(times.mean()) - 25) < 5 * 48 / math.sqrt(12 * UNITS)
    if against is not None:
        assert_same_bits(bias[against], -keep, "input gate")
    for gate in {keeps, against} - {None}:
        assert bool((gates(second, count)[gate or 0] == 0).all())


@pytest.mark.parametrize("layer", [elman.SimpleRNN, elman.LSTM, elman.GRU])
def test_orthogonal_makes_every_gates_recurrent_matrix_orthogonal(layer: Any) -> None:
    built = layer(I, H, 2, bidirectional=True, recurrent_init="orthogonal", dtype=torch.float64)
    weight = built.get_parameter("weight_hh_l1_reverse")
    blocks = gates(weight, weight.size(0) // H)
    for block in blocks:
        assert_near(block @ block.t(), torch.eye(H, dtype=torch.float64), "R Rᵀ")
    assert len(blocks) == 1 or not torch.equal(blocks[0], blocks[1])


def test_identity_makes_the_recurrent_matrix_the_identity() -> None:
    weight = elman.SimpleRNN(I, H, recurrent_init="identity").get_parameter("weight_hh_l0")
    assert_same_bits(weight.detach(), torch.eye(H), "R")


def test_resetting_the_parameters_draws_them_anew_with_what_the_options_ask() -> None:
    layer = elman.LSTM(I, H, forget_bias=1.0)
    before = layer.get_parameter("weight_ih_l0").detach().clone()
    with torch.no_grad():
        layer.get_parameter("bias_ih_l0").zero_()
    layer.reset_parameters()
    assert not torch.equal(layer.get_parameter("weight_ih_l0"), before)
    assert gates(layer.get_parameter("bias_ih_l0"), 4)[1].tolist() == [1.0] * H
