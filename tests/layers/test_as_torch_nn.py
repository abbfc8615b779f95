"""What torch.nn.RNNBase is to other code, the layers are: its type, attributes and arguments."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.ao.quantization import quantize_dynamic
from torch.nn.utils import parametrizations, prune

import elman
from battery import assert_near

LAYERS = {"SimpleRNN": elman.SimpleRNN, "LSTM": elman.LSTM, "GRU": elman.GRU}
THEIRS = {"SimpleRNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
every_layer = pytest.mark.parametrize("name", LAYERS)
every_stack = pytest.mark.parametrize(
    "options", [{}, {"num_layers": 2, "bidirectional": True}, {"num_layers": 2, "bias": False}]
)
X = torch.randn(5, 2, 3)


def pair(name: str, *sizes: int, **options: Any) -> tuple[Any, Any]:
    """Build a layer and torch.nn's with the same weights."""
    layer, theirs = LAYERS[name](*sizes, **options), THEIRS[name](*sizes, **options)
    layer.load_state_dict(theirs.state_dict())
    return layer, theirs


def parts(result: Any) -> list[Tensor]:
    """List the tensors of a layer's result: outputs, h, c."""
    y, state = result
    return [y, *(state if isinstance(state, tuple) else (state,))]


def assert_same(layer: nn.Module, theirs: nn.Module, x: Tensor = X) -> None:
    """Run both with gradients and without; every output and state must agree."""
    for mode in (torch.enable_grad, torch.no_grad):
        with mode():
            for ours, peer in zip(parts(layer(x)), parts(theirs(x)), strict=True):
                assert_near(ours, peer, mode.__name__)


# The type


@every_layer
def test_a_layer_is_an_rnn_base_that_apply_finds(name: str) -> None:
    found: list[nn.Module] = []

    def orthogonal(module: nn.Module) -> None:
        if isinstance(module, nn.RNNBase):
            found.append(module)
            for weight in module.all_weights:
                nn.init.orthogonal_(weight[1])

    model = nn.ModuleList([LAYERS[name](3, 4), nn.Linear(4, 1)]).apply(orthogonal)
    assert found == [model[0]]
    recurrent = model[0].get_parameter("weight_hh_l0")
    assert_near(recurrent.T @ recurrent, torch.eye(4), "RᵀR")


@every_layer
@pytest.mark.filterwarnings("ignore:torch.ao.quantization is deprecated")
def test_a_layer_is_none_of_torch_nns_classes_whose_equation_a_converter_would_assume(
    name: str,
) -> None:
    """`torch.compile` refuses those, and quantisation writes their kernels in their place."""
    layer = LAYERS[name](3, 4)
    assert not isinstance(layer, (nn.RNN, nn.LSTM, nn.GRU))
    kept = quantize_dynamic(nn.Sequential(layer), dtype=torch.qint8)[0]
    assert type(kept) is type(layer)
    torch._dynamo.reset()
    compiled = torch.compile(nn.Sequential(layer), backend="eager", fullgraph=True)
    assert_near(compiled(X)[0], layer(X)[0], "y")


# Attributes


@every_layer
@every_stack
def test_attributes_are_torch_nns(name: str, options: dict[str, Any]) -> None:
    layer, theirs = pair(name, 3, 4, **options)
    names = ["mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout"]
    names += ["bidirectional", "proj_size", "_all_weights", "_flat_weights_names"]
    names += ["nonlinearity"] if name == "SimpleRNN" else []
    for attribute in names:
        assert getattr(layer, attribute) == getattr(theirs, attribute), attribute
    assert [len(weights) for weights in layer.all_weights] == [
        len(weights) for weights in theirs.all_weights
    ]
    for weights, others in zip(layer.all_weights, theirs.all_weights, strict=True):
        for weight, other in zip(weights, others, strict=True):
            assert torch.equal(weight, other)
    for weight, other in zip(layer._flat_weights, theirs._flat_weights, strict=True):
        assert torch.equal(weight, other)


def test_the_weights_of_a_projected_lstm_end_with_the_projection_as_torch_nns() -> None:
    layer, theirs = elman.LSTM(3, 5, 2, proj_size=2), nn.LSTM(3, 5, 2, proj_size=2)
    assert layer._all_weights == theirs._all_weights
    assert [w.shape for w in layer._flat_weights] == [w.shape for w in theirs._flat_weights]


def test_relu_has_torch_nns_mode() -> None:
    layer = elman.SimpleRNN(3, 4, nonlinearity="relu")
    assert (layer.mode, layer.nonlinearity) == ("RNN_RELU", "relu")
    assert elman.SimpleRNN(3, 4, nonlinearity="sigmoid").nonlinearity == "sigmoid"


@every_layer
def test_all_weights_are_the_parameters_that_are_there_now(name: str) -> None:
    layer = LAYERS[name](3, 4)
    assert layer.all_weights[0][1] is layer.weight_hh_l0
    layer.weight_hh_l0 = nn.Parameter(torch.zeros_like(layer.weight_hh_l0))
    assert layer.all_weights[0][1] is layer.weight_hh_l0
    assert layer._flat_weights[1] is layer.weight_hh_l0


@every_layer
def test_a_weight_written_into_flat_weights_is_refused_and_not_lost(name: str) -> None:
    layer = LAYERS[name](3, 4)
    with pytest.raises(TypeError, match="does not support item assignment"):
        layer._flat_weights[1] = torch.zeros(4, 4)
    with pytest.raises(AttributeError, match="_flat_weights"):
        layer._flat_weights = []


@pytest.mark.parametrize(
    "layer",
    [
        elman.LSTM(3, 4, peephole=True),
        elman.LSTM(3, 4, coupled_gates=True),
        elman.LSTM(3, 4, zoneout=(0.0, 0.1)),
        elman.GRU(3, 4, reset_after=False),
        elman.GRU(3, 4, layer_norm=True),
        elman.GRU(3, 4, 2, residual=True),
        elman.GRU(3, [4, 5]),
        elman.SimpleRNN(3, 4, nonlinearity="identity"),
        elman.SimpleRNN(3, 4, learn_initial_state=True),
    ],
    ids=repr,
)
def test_an_equation_that_torch_nn_lacks_has_a_mode_that_torch_nn_lacks(layer: Any) -> None:
    assert layer.mode not in ("LSTM", "GRU", "RNN_TANH", "RNN_RELU")
    assert layer.mode.startswith(f"{layer.options.cell.name}(3, ")
    weights = {id(weight) for place in layer.all_weights for weight in place}
    assert weights == {id(weight) for weight in layer.parameters()}


def test_a_regulariser_of_training_leaves_the_mode() -> None:
    layer = elman.LSTM(3, 4, 2, recurrent_dropout=0.5, locked_dropout=0.5, forget_bias=1.0)
    assert layer.mode == "LSTM"
    layer.zoneout = 0.5
    assert layer.mode != "LSTM"


@pytest.mark.parametrize(
    ("layer", "attributes"),
    [
        (elman.LSTM(3, 4, peephole=True), {"peephole": True, "coupled_gates": False}),
        (elman.GRU(3, 4, reset_after=False), {"reset_after": False}),
    ],
)
def test_options_of_a_cell_are_attributes(layer: Any, attributes: dict[str, bool]) -> None:
    for name, value in attributes.items():
        assert getattr(layer, name) is value


# What PyTorch does to an RNNBase: none of RNNBase's own code may run


def _pruned(module: nn.Module) -> None:
    prune.l1_unstructured(module, "weight_hh_l0", 0.5)


def _pruned_for_good(module: nn.Module) -> None:
    _pruned(module)
    prune.remove(module, "weight_hh_l0")


def _weight_normed(module: nn.Module) -> None:
    parametrizations.weight_norm(module, "weight_hh_l0")
    with torch.no_grad():
        module.parametrizations.weight_hh_l0.original0.mul_(2)  # type: ignore[union-attr, operator]


def _replaced_by_a_tensor(module: Any) -> None:
    """Do as weight dropping code does: the parameter goes, a tensor computed of it comes."""
    weight = module.weight_hh_l0
    del module.weight_hh_l0
    module.register_parameter("weight_hh_l0_raw", nn.Parameter(weight.detach().clone()))
    module.weight_hh_l0 = module.weight_hh_l0_raw * 2
    module.flatten_parameters()
    module._init_flat_weights()


@every_layer
@pytest.mark.parametrize(
    "change", [_pruned, _pruned_for_good, _weight_normed, _replaced_by_a_tensor]
)
def test_a_changed_weight_is_obeyed_as_by_torch_nn(
    name: str, change: Callable[[nn.Module], None]
) -> None:
    layer, theirs = pair(name, 3, 4, 2)
    before = layer(X)[0]
    with torch.no_grad():
        layer(X)
    for module in (layer, theirs):
        change(module)
    assert isinstance(layer, nn.RNNBase)
    assert isinstance(layer, LAYERS[name])
    assert_same(layer, theirs)
    assert not torch.equal(layer(X)[0], before)
    assert torch.equal(layer.all_weights[0][1], theirs.weight_hh_l0)


def _pickled(layer: nn.Module) -> Any:
    return pickle.loads(pickle.dumps(layer))  # noqa: S301 — written on the left


def _saved(layer: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    loaded: nn.Module = torch.load(file, weights_only=False)
    return loaded


@every_layer
@every_stack
@pytest.mark.parametrize("twin", [copy.deepcopy, copy.copy, _pickled, _saved])
def test_a_copy_computes_what_its_original_does(
    name: str, options: dict[str, Any], twin: Callable[[Any], Any]
) -> None:
    layer, theirs = pair(name, 3, 4, **options)
    with torch.no_grad():
        layer(X)
    copied = twin(layer)
    assert isinstance(copied, nn.RNNBase)
    assert_same(copied, theirs)
    assert copied.mode == theirs.mode


def test_a_copy_of_a_projected_lstm_keeps_its_projection() -> None:
    layer = _pickled(elman.LSTM(3, 4, proj_size=2))
    assert (layer.proj_size, layer(X)[0].shape) == (2, (5, 2, 2))


@every_layer
@every_stack
def test_a_layer_made_without_memory_takes_weights_as_torch_nn_does(
    name: str, options: dict[str, Any]
) -> None:
    _, theirs = pair(name, 3, 4, **options)
    weights = theirs.state_dict()
    emptied = LAYERS[name](3, 4, device="meta", **options).to_empty(device="cpu")
    emptied.load_state_dict(weights)
    skipped = nn.utils.skip_init(LAYERS[name], 3, 4, **options)
    skipped.load_state_dict(weights)
    with torch.device("meta"):
        assigned = LAYERS[name](3, 4, **options)
    assigned.load_state_dict(weights, assign=True)
    for layer in (emptied, skipped, assigned):
        assert_same(layer, theirs)
    assert torch.equal(assigned.all_weights[0][0], weights["weight_ih_l0"])


@every_layer
def test_conversions_reach_every_weight(name: str) -> None:
    layer, theirs = pair(name, 3, 4, 2)
    with torch.no_grad():
        layer(X)
    assert_same(layer.double(), theirs.double(), X.double())
    assert {weight.dtype for weight in layer._flat_weights} == {torch.float64}
    assert vars(layer).keys() == vars(LAYERS[name](3, 4, 2)).keys()


@every_layer
def test_a_replica_reads_its_own_weights(name: str) -> None:
    """DataParallel writes tensors into replicas, which share what they do not replace."""
    layer, theirs = pair(name, 3, 4, 2)
    with torch.no_grad():
        layer(X)
    replica = layer._replicate_for_data_parallel()
    doubled = {key: 2 * weight.detach() for key, weight in layer.named_parameters()}
    for key, weight in doubled.items():
        setattr(replica, key, weight)
    assert_same(layer, theirs)
    theirs.load_state_dict(doubled)
    assert_same(replica, theirs)


# Arguments that are numbers


@every_layer
@pytest.mark.parametrize(
    "options",
    [
        {"hidden_size": np.int64(4), "num_layers": np.int32(2)},
        {"input_size": np.int64(3), "dropout": np.float32(0.25), "num_layers": 2},
        {"dropout": np.float64(0.25), "num_layers": 2, "zoneout": np.float32(0.5)},
        {"recurrent_dropout": np.float32(0.25), "bias": np.False_, "batch_first": np.True_},
        {"hidden_size": [np.int64(4), 5], "bidirectional": np.True_},
    ],
)
def test_numbers_of_numpy_are_kept_as_pythons(name: str, options: dict[str, Any]) -> None:
    plain = {
        key: [int(size) for size in value]
        if isinstance(value, list)
        else getattr(value, "item", lambda v=value: v)()
        for key, value in options.items()
    }
    layer = LAYERS[name](**{"input_size": 3, "hidden_size": 4, **options})
    same = LAYERS[name](**{"input_size": 3, "hidden_size": 4, **plain})
    assert repr(layer) == repr(same)
    for key, value in plain.items():
        found = getattr(layer, key)
        if key != "num_layers":
            assert (type(found), found) == (type(value), value), key
    layer.load_state_dict(same.state_dict())
    x = X.transpose(0, 1)
    assert torch.equal(layer.eval()(x)[0], same.eval()(x)[0])


@every_layer
def test_numbers_of_numpy_may_be_set_later(name: str) -> None:
    layer = LAYERS[name](3, 4, 2)
    layer.dropout, layer.batch_first, layer.hidden_size = np.float32(0.5), np.True_, np.int64(4)
    assert (type(layer.dropout), layer.dropout, layer.batch_first) == (float, 0.5, True)


def test_a_chrono_of_numpy_is_taken() -> None:
    assert elman.GRU(3, 4, chrono=np.int64(9)).options.chrono == 9  # type: ignore[arg-type]
    assert elman.LSTM(3, 4, forget_bias=np.float32(1)).options.forget_bias == 1  # type: ignore[arg-type]


@every_layer
@pytest.mark.parametrize("dropout", [1, 1.0, 0])
def test_dropout_may_be_0_and_1_as_in_torch_nn(name: str, dropout: float) -> None:
    layer, theirs = pair(name, 3, 4, 2, dropout=dropout)
    assert_same(layer, theirs)
    for module in (layer, theirs):
        module(X)[0].sum().backward()
    for key, weight in theirs.named_parameters():
        assert_near(layer.get_parameter(key).grad, weight.grad, key)
    layer.dropout = theirs.dropout = 1 - dropout
    assert_same(layer, theirs)
