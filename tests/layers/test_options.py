"""What a layer takes and refuses, and what it says of itself."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from torch import nn

import elman
from elman.errors import OptionError

LAYERS = {"SimpleRNN": elman.SimpleRNN, "LSTM": elman.LSTM, "GRU": elman.GRU}
every_layer = pytest.mark.parametrize("name", LAYERS)


@pytest.mark.parametrize(
    ("name", "theirs", "arguments"),
    [
        ("SimpleRNN", nn.RNN, (3, 5, 2, "relu", False, True, 0.5, True)),
        ("LSTM", nn.LSTM, (3, 5, 2, False, True, 0.5, True, 2)),
        ("GRU", nn.GRU, (3, 5, 2, False, True, 0.5, True)),
    ],
)
def test_positional_arguments_mean_what_they_mean_in_torch_nn(
    name: str, theirs: type[nn.Module], arguments: tuple[Any, ...]
) -> None:
    ours, peer = LAYERS[name](*arguments), theirs(*arguments)
    attributes = ["input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout"]
    attributes += ["bidirectional", "proj_size"]
    for attribute in attributes:
        assert getattr(ours, attribute) == getattr(peer, attribute), attribute
    if name == "SimpleRNN":
        assert ours.options.cell.options == {"nonlinearity": peer.nonlinearity}


@pytest.mark.parametrize(("name", "theirs"), [("SimpleRNN", nn.RNN), ("GRU", nn.GRU)])
def test_defaults_are_those_of_torch_nn(name: str, theirs: type[nn.Module]) -> None:
    ours, peer = LAYERS[name](3, 5), theirs(3, 5)
    for attribute in ("num_layers", "bias", "batch_first", "dropout", "bidirectional"):
        assert getattr(ours, attribute) == getattr(peer, attribute), attribute


def test_an_lstms_signature_begins_as_torch_nns_documents_it() -> None:
    names = list(inspect.signature(elman.LSTM).parameters)
    expected = "input_size hidden_size num_layers bias batch_first dropout bidirectional proj_size"
    assert names[:8] == expected.split()
    assert {"device", "dtype"} <= set(names)


PROBABILITY = r"must lie in \[0, 1\), got"
DROPOUT = r"should be a number in range \[0, 1\] representing .* of an element being zeroed, got"
TYPE = "should be of type int, got:"


@every_layer
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dropout": 1.1, "num_layers": 2}, rf"^dropout {DROPOUT} 1\.1\."),
        ({"dropout": -0.1, "num_layers": 2}, rf"^dropout {DROPOUT} -0\.1\."),
        ({"dropout": "0.5", "num_layers": 2}, rf"^dropout {DROPOUT} '0\.5'\."),
        ({"dropout": True, "num_layers": 2}, rf"^dropout {DROPOUT} True\."),
        ({"recurrent_dropout": 1}, rf"recurrent_dropout {PROBABILITY} 1\."),
        ({"recurrent_dropout": float("nan")}, rf"recurrent_dropout {PROBABILITY} nan\."),
        ({"zoneout": 2.0}, rf"zoneout {PROBABILITY} 2\.0\."),
        ({"num_layers": 0}, "num_layers must be greater than zero, got 0"),
        ({"num_layers": 2.0}, rf"num_layers {TYPE} float 2\.0"),
        ({"input_size": -3}, "input_size must be greater than zero, got -3"),
        ({"input_size": True}, f"input_size {TYPE} bool True"),
        ({"hidden_size": 0}, "hidden_size must be greater than zero, got 0"),
        ({"hidden_size": 5.5}, rf"hidden_size {TYPE} float 5\.5"),
        ({"hidden_size": "5"}, f"hidden_size {TYPE} str '5'"),
        ({"hidden_size": None}, f"hidden_size {TYPE} NoneType None"),
        ({"hidden_size": [5, 0]}, r"hidden_size\[1\] must be greater than zero, got 0"),
        ({"hidden_size": []}, "hidden_size gives 0 layers and num_layers 1"),
        (
            {"hidden_size": [5, 4], "num_layers": 3},
            "hidden_size gives 2 layers and num_layers 3. Give one size per layer and leave num_",
        ),
        (
            {"recurrent_init": "ortogonal"},
            "unknown recurrent_init 'ortogonal'; did you mean 'orthogonal'",
        ),
        ({"backend": "reference "}, "unknown backend 'reference '; did you mean 'reference'"),
        (
            {"residual": True},
            "residual=True adds what a layer reads to what it writes from the second layer on; "
            "there is one layer.",
        ),
        (
            {"residual": True, "hidden_size": [5, 4]},
            "residual=True needs layers of one size; layer 1 reads 5 values and writes 4.",
        ),
        (
            {"residual": True, "hidden_size": [4, 8], "bidirectional": True},
            "layer 1 reads 8 values and writes 16.",
        ),
    ],
)
def test_an_option_out_of_range_is_refused_in_words(
    name: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        LAYERS[name](**{"input_size": 3, "hidden_size": 5, **options})


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (
            lambda: elman.SimpleRNN(3, 5, nonlinearity="tahn"),
            "unknown nonlinearity 'tahn'; did you mean 'tanh'?",
        ),
        (
            lambda: elman.LSTM(3, 5, proj_size=5),
            r"proj_size has to be smaller than hidden_size = 5, got 5\.",
        ),
        (lambda: elman.LSTM(3, [7, 4], proj_size=4), "smaller than hidden_size = 4, got 4"),
        (
            lambda: elman.LSTM(3, 5, proj_size=-1),
            "proj_size should be a positive integer or zero to disable projections, got -1",
        ),
        (lambda: elman.LSTM(3, 5, proj_size=None), f"proj_size {TYPE} NoneType None"),  # type: ignore[arg-type]
        (lambda: elman.LSTM(3, 5, zoneout=(0.1, 1.5)), rf"zoneout\[1\] {PROBABILITY} 1\.5"),
        (
            lambda: elman.GRU(3, 5, zoneout=(0.1, 0.2)),  # type: ignore[arg-type]
            r"zoneout of the gru cell takes one number, or one each for hidden; got \(0\.1, 0\.2\)",
        ),
        (
            lambda: elman.LSTM(3, 5, zoneout=(0.1, 0.1, 0.1)),  # type: ignore[arg-type]
            "one each for hidden and cell; got",
        ),
        (
            lambda: elman.LSTM(3, 5, bias=False, forget_bias=1.0),
            "forget_bias and chrono set biases, and bias=False leaves none",
        ),
        (lambda: elman.GRU(3, 5, bias=False, chrono=9), "bias=False leaves none"),
        (
            lambda: elman.LSTM(3, 5, forget_bias=1.0, chrono=9),
            "forget_bias and chrono both set the forget gate; choose one",
        ),
        (
            lambda: elman.LSTM(3, 5, forget_bias="1"),  # type: ignore[arg-type]
            "forget_bias must be a number, got '1'",
        ),
        (lambda: elman.LSTM(3, 5, forget_bias=float("nan")), "must be a number, got nan"),
        (
            lambda: elman.GRU(3, 5, chrono=2),
            "chrono must be the longest dependency in steps, a whole number of at least 3, got 2",
        ),
        (lambda: elman.LSTM(3, 5, chrono=9.5), r"at least 3, got 9\.5"),  # type: ignore[arg-type]
    ],
)
def test_an_option_of_one_cell_out_of_range_is_refused_in_words(build: Any, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        build()


@every_layer
def test_dropout_on_one_layer_warns_where_the_layer_is_built(name: str) -> None:
    words = r"dropout=0\.5 acts between layers, and there is only one layer"
    with pytest.warns(UserWarning, match=words) as caught:
        LAYERS[name](3, 5, dropout=0.5)
    assert caught[0].filename == __file__
    line = inspect.currentframe().f_lineno - 2  # type: ignore[union-attr]
    assert caught[0].lineno == line


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (
            elman.LSTM(3, 5),
            "LSTM(3, 5, peephole=False, coupled_gates=False, parameters=200)",
        ),
        (
            elman.GRU(3, [5, 4], dropout=0.5, reset_after=False, layer_norm=True),
            "GRU(3, [5, 4], reset_after=False, num_layers=2, dropout=0.5, layer_norm=True, "
            "parameters=336)",
        ),
        (
            elman.SimpleRNN(3, 5, 2, "relu", False, True, 0.1, True, backend="reference"),
            "SimpleRNN(3, 5, nonlinearity='relu', num_layers=2, bias=False, batch_first=True, "
            "dropout=0.1, bidirectional=True, backend='reference', parameters=230)",
        ),
        (
            elman.LSTM(
                3, 5, 2, proj_size=2, zoneout=(0.1, 0.2), residual=True, learn_initial_state=True,
                forget_bias=1.0, recurrent_init="orthogonal", recurrent_dropout=0.2, peephole=True,
            ),
            "LSTM(3, 5, peephole=True, coupled_gates=False, num_layers=2, proj_size=2, "
            "recurrent_dropout=0.2, zoneout=(0.1, 0.2), residual=True, learn_initial_state=True, "
            "recurrent_init='orthogonal', forget_bias=1.0, parameters=324)",
        ),
    ],
)  # fmt: skip
def test_a_layer_says_its_sizes_and_every_option_that_is_not_at_its_default(
    layer: nn.Module, said: str
) -> None:
    assert repr(layer) == said
    assert f"parameters={sum(weight.numel() for weight in layer.parameters())})" in said


def test_hidden_sizes_of_one_number_are_that_number() -> None:
    assert elman.GRU(3, [5, 5]).hidden_size == 5
    assert elman.GRU(3, [5, 4]).hidden_size == [5, 4]
    assert elman.GRU(3, [5, 4], bidirectional=True).output_size == 8
    assert elman.LSTM(3, 5, proj_size=2).output_size == 2


def test_a_frozen_parameter_is_not_counted() -> None:
    layer = elman.GRU(3, 5)
    layer.get_parameter("bias_hh_l0").requires_grad_(False)
    assert elman.layers.parameter_count(layer) == 3 * 5 * (3 + 5) + 15


def test_the_dtype_asked_for_is_the_dtype_of_everything() -> None:
    layer = elman.LSTM(3, 5, learn_initial_state=True, layer_norm=True, dtype=torch.float64)
    assert {weight.dtype for weight in layer.parameters()} == {torch.float64}
    output, (hidden, cell) = layer(torch.zeros(2, 4, 3, dtype=torch.float64))
    assert {output.dtype, hidden.dtype, cell.dtype} == {torch.float64}
