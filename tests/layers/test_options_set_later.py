"""Options that are set after a layer is built: obeyed with gradients and without, or refused."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import elman
from battery import assert_same_bits
from elman.errors import BackendError, OptionError

LAYERS = {"SimpleRNN": elman.SimpleRNN, "LSTM": elman.LSTM, "GRU": elman.GRU}
THEIRS = {"SimpleRNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
every_layer = pytest.mark.parametrize("name", LAYERS)
either_way = pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad])
X = torch.randn(2, 5, 3)


def parts(result: Any) -> list[Tensor]:
    """List the tensors of a layer's result: outputs, h, c."""
    y, state = result
    return [y, *(state if isinstance(state, tuple) else (state,))]


def assert_same(found: Any, expected: Any) -> None:
    for a, b in zip(parts(found), parts(expected), strict=True):
        assert_same_bits(a, b, "a part")


@every_layer
@either_way
def test_batch_first_is_obeyed_when_it_is_set_as_in_torch_nn(
    name: str, mode: Callable[[], Any]
) -> None:
    layer, theirs = LAYERS[name](3, 4).eval(), THEIRS[name](3, 4)
    built_so = LAYERS[name](3, 4, batch_first=True)
    for other in (theirs, built_so):
        other.load_state_dict(layer.state_dict())
    with mode():
        layer(X)  # so that a run without gradients is ready for time first
        layer.batch_first = theirs.batch_first = True
        assert_same(layer(X), built_so(X))
        for ours, peer in zip(parts(layer(X)), parts(theirs(X)), strict=True):
            torch.testing.assert_close(ours, peer)
        layer.batch_first = False
        assert parts(layer(X))[1].shape == (1, 5, 4)
    assert "batch_first" not in repr(layer)


@every_layer
@either_way
def test_dropout_is_obeyed_when_it_is_set(name: str, mode: Callable[[], Any]) -> None:
    layer = LAYERS[name](3, 4, 2, dropout=0.5)
    built_so = LAYERS[name](3, 4, 2, dropout=0.25)
    built_so.load_state_dict(layer.state_dict())
    with mode():
        layer(X)
        layer.dropout = 0.25
        assert (layer.dropout, layer.options.dropout) == (0.25, 0.25)
        torch.manual_seed(1)
        found = layer(X)
        torch.manual_seed(1)
        assert_same(found, built_so(X))
        layer.dropout = 0.0
        assert_same(layer(X), layer.eval()(X))
        layer.train().dropout = 0.75
        assert not torch.equal(parts(layer(X))[0], parts(layer(X))[0])


@pytest.mark.parametrize(
    ("option", "value"),
    [("locked_dropout", 0.4), ("recurrent_dropout", 0.4), ("zoneout", 0.4), ("zoneout", (0.3, 0))],
)
@pytest.mark.parametrize("training", [False, True])
@either_way
def test_every_probability_is_obeyed_when_it_is_set(
    option: str, value: Any, training: bool, mode: Callable[[], Any]
) -> None:
    layer = elman.LSTM(3, 4, 2).train(training)
    built_so = elman.LSTM(3, 4, 2, **{option: value}).train(training)
    built_so.load_state_dict(layer.state_dict())
    with mode():
        before = layer(X)
        setattr(layer, option, value)
        assert getattr(layer, option) == value
        torch.manual_seed(1)
        found = layer(X)
        torch.manual_seed(1)
        assert_same(found, built_so(X))
        setattr(layer, option, 0.0)
        assert_same(layer(X), before)


@either_way
def test_a_backend_that_is_set_is_obeyed_with_gradients_and_without(
    mode: Callable[[], Any],
) -> None:
    layer = elman.LSTM(3, 4, peephole=True)
    with mode():
        layer(X)
        with pytest.raises(OptionError, match="unknown backend 'nonsense'"):
            layer.backend = "nonsense"
        assert layer.backend == "auto"
        layer(X)
        layer.backend = "torch"
        with pytest.raises(BackendError, match="have no peephole"):
            layer(X)
        layer.backend = "native"
        layer(X)


@every_layer
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("input_size", 5),
        ("hidden_size", 5),
        ("hidden_size", [4, 5]),
        ("num_layers", 3),
        ("bias", False),
        ("bidirectional", True),
        ("layer_norm", True),
        ("residual", True),
        ("learn_initial_state", True),
        ("recurrent_init", "orthogonal"),
    ],
)
def test_what_is_settled_when_a_layer_is_built_is_refused_later(
    name: str, option: str, value: Any
) -> None:
    layer = LAYERS[name](3, 4, 2)
    before = layer(X)
    with pytest.raises(OptionError, match=f"^{option} is settled when a layer is built: "):
        setattr(layer, option, value)
    assert_same(layer(X), before)


@pytest.mark.parametrize(
    ("layer", "option", "value"),
    [
        (elman.SimpleRNN(3, 4), "nonlinearity", "relu"),
        (elman.LSTM(3, 4), "peephole", True),
        (elman.LSTM(3, 4), "coupled_gates", True),
        (elman.LSTM(3, 4), "proj_size", 2),
        (elman.LSTM(3, 4), "forget_bias", 1.0),
        (elman.LSTM(3, 4), "chrono", 9),
        (elman.GRU(3, 4), "reset_after", False),
    ],
)
def test_an_option_of_one_cell_is_refused_later(layer: Any, option: str, value: Any) -> None:
    with pytest.raises(OptionError, match=f"{option} is settled when a layer is built"):
        setattr(layer, option, value)


def test_what_a_layer_has_already_may_be_set_again() -> None:
    layer = elman.LSTM(3, [4, 5], dropout=0.1)
    layer.hidden_size, layer.num_layers, layer.bias = [4, 5], 2, True
    layer.peephole, layer.recurrent_init = False, "uniform"
    assert layer.num_layers == 2


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("dropout", 1.5, r"dropout should be a number in range \[0, 1\] .*, got 1\.5"),
        ("dropout", "0.5", r"dropout should be a number in range \[0, 1\] .*, got '0\.5'"),
        ("zoneout", (0.1, 0.2, 0.3), "zoneout of the lstm cell takes one number, or one each"),
        ("batch_first", "no", "batch_first should be of type bool, got: str 'no'"),
        ("batch_first", None, "batch_first should be of type bool, got: NoneType"),
    ],
)
def test_a_value_out_of_range_is_refused_and_changes_nothing(
    option: str, value: Any, words: str
) -> None:
    layer = elman.LSTM(3, 4, 2, dropout=0.1)
    before = repr(layer)
    with pytest.raises(OptionError, match=words):
        setattr(layer, option, value)
    assert repr(layer) == before


@pytest.mark.parametrize("option", ["bias", "batch_first", "bidirectional", "residual"])
def test_a_text_is_no_boolean_when_a_layer_is_built(option: str) -> None:
    with pytest.raises(OptionError, match=f"^{option} should be of type bool, got: str 'False'"):
        elman.LSTM(3, 4, 2, **{option: "False"})  # type: ignore[arg-type]


def test_dropout_set_on_one_layer_warns_where_it_is_set_and_only_then() -> None:
    layer = elman.GRU(3, 4)
    with pytest.warns(UserWarning, match="there is only one layer") as caught:
        layer.dropout = 0.5
    assert caught[0].filename == __file__
    assert caught[0].lineno == inspect.currentframe().f_lineno - 2  # type: ignore[union-attr]
    layer.batch_first = True  # a warning here would be an error


def test_a_copy_is_set_apart_from_its_original() -> None:
    layer = elman.GRU(3, 4, 2)
    twin = copy.deepcopy(layer)
    twin.dropout, twin.batch_first = 0.5, True
    assert (layer.dropout, layer.batch_first) == (0.0, False)


def test_a_compiled_layer_obeys_too() -> None:
    layer = elman.LSTM(3, 4)
    torch._dynamo.reset()
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    compiled(X)
    layer.batch_first = True
    assert_same(compiled(X), layer(X))


@either_way
def test_both_layers_of_a_bidirectional_obey(mode: Callable[[], Any]) -> None:
    both = elman.Bidirectional(elman.LSTM(3, 4), elman.LSTM(3, 4))
    with mode():
        both(X)
        both.batch_first = True
        assert both.backward_layer.batch_first
        assert both(X)[1][0][0].shape == (1, 2, 4)
        both.merge = "sum"
        assert both(X)[0].shape == (2, 5, 4)
        both.forward_layer.batch_first = False
        with pytest.raises(OptionError, match="needs both layers batch_first, or neither"):
            both(X)


def test_a_bidirectional_refuses_what_it_cannot_do_when_it_is_set() -> None:
    both = elman.Bidirectional(elman.LSTM(3, 4), elman.LSTM(3, 5))
    with pytest.raises(OptionError, match="unknown merge 'add'"):
        both.merge = "add"
    with pytest.raises(OptionError, match="needs outputs of one size"):
        both.merge = "sum"
    with pytest.raises(OptionError, match="input_size is settled"):
        both.input_size = 4
    assert both.merge == "concat"
