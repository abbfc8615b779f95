"""From the words of a specification to a network, and from a budget to its hidden size."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import elman
from elman.errors import OptionError
from elman.layers import parameter_count
from elman.networks import hidden_size_for, many_to_many

SIZES: dict[str, Any] = {"input_size": 3, "output_size": 2}
SPECIFICATIONS: list[dict[str, Any]] = [
    {"cell": "simple"},
    {"cell": "gru", "bidirectional": True, "layer_norm": True},
    {"cell": "lstm", "num_layers": 2, "cell_options": {"peephole": True, "proj_size": 4}},
]


def test_every_word_reaches_its_place() -> None:
    network = many_to_many(
        cell="lstm",
        hidden_size=[7, 5],
        bidirectional=True,
        delay=2,
        dropout=0.1,
        output_dropout=0.2,
        recurrent_dropout=0.3,
        zoneout=0.4,
        layer_norm=True,
        cell_options={"coupled_gates": True, "learn_initial_state": True},
        backend="reference",
        **SIZES,
    )
    assert repr(network.recurrent) == (
        "LSTM(3, [7, 5], peephole=False, coupled_gates=True, num_layers=2, dropout=0.1, "
        "bidirectional=True, recurrent_dropout=0.3, zoneout=0.4, layer_norm=True, "
        f"learn_initial_state=True, backend='reference', "
        f"parameters={parameter_count(network.recurrent)})"
    )
    assert network.head.extra_repr() == "[10, 2], activation='tanh', dropout=0.2, parameters=22"
    assert network.delay == 2


@pytest.mark.parametrize(
    ("cell", "layer"), [("simple", elman.SimpleRNN), ("lstm", elman.LSTM), ("gru", elman.GRU)]
)
def test_a_cells_name_is_its_layer(cell: str, layer: type) -> None:
    assert type(many_to_many(cell=cell, hidden_size=5, **SIZES).recurrent) is layer


def test_an_output_bias_is_where_the_dense_layer_begins() -> None:
    bias = torch.tensor([0.5, -2.0])
    network = many_to_many(cell="gru", hidden_size=5, output_bias=bias, **SIZES)
    assert torch.equal(network.head.layers[0].bias, bias)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cell": "gru2"}, "unknown cell 'gru2'; did you mean 'gru'"),
        (
            {"cell": "gru", "cell_options": {"reset_befor": True}},
            "unknown gru option 'reset_befor'; did you mean 'reset_after'",
        ),
        ({"cell": "gru", "cell_options": {"peephole": True}}, r"unknown gru option 'peephole'\."),
        ({"cell": "gru", "cell_options": {"zoneout": 0.1}}, "unknown gru option 'zoneout'"),
        ({"cell": "gru", "delay": -1}, "delay must be a whole number of at least 0, got -1"),
        ({"cell": "gru", "output_dropout": 1}, r"dropout must lie in \[0, 1\), got 1"),
    ],
)
def test_a_wrong_word_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        many_to_many(hidden_size=5, **SIZES, **options)


@pytest.mark.parametrize("parameters", [300, 1000, 20_000, 300_000])
@pytest.mark.parametrize("specification", SPECIFICATIONS, ids=lambda words: words["cell"])
def test_the_hidden_size_is_the_one_whose_count_comes_nearest(
    specification: dict[str, Any], parameters: int
) -> None:
    def distance(size: int) -> int:
        network = many_to_many(hidden_size=size, device="meta", **SIZES, **specification)
        return abs(parameter_count(network) - parameters)

    found = hidden_size_for(parameters, **SIZES, **specification)
    smallest = 1 + specification.get("cell_options", {}).get("proj_size", 0)
    assert found >= smallest
    assert distance(found) <= distance(found + 1)
    assert found == smallest or distance(found) <= distance(found - 1)


def test_a_budget_below_the_smallest_network_is_refused() -> None:
    words = "parameters=10 is too small a budget: a network with hidden_size=1 learns 29 numbers"
    with pytest.raises(OptionError, match=words):
        hidden_size_for(10, cell="gru", **{**SIZES, "output_size": 4, "input_size": 4})


def test_a_budget_beyond_every_size_is_refused() -> None:
    with pytest.raises(OptionError, match=r"parameters=10{15} asks for a hidden_size above 65536"):
        hidden_size_for(10**15, cell="gru", **SIZES)


def test_the_solver_draws_no_random_number() -> None:
    before = torch.get_rng_state()
    hidden_size_for(1000, cell="lstm", **SIZES)
    assert torch.equal(torch.get_rng_state(), before)
