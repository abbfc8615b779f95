"""What PyTorch's own tests ask of dropout and weights in its recurrent layers, asked of Elman's.

README.md lists every test of theirs. torch.nn with the same weights, in float64, is the oracle.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import elman
from battery import assert_same_bits, draw
from oracles.torch_layers import LAYERS, assert_each_near, pair, results

every_layer = pytest.mark.parametrize("name", LAYERS)
T, B, I, H, P = 7, 6, 3, 5, 2  # noqa: E741 — the axis legend


# Dropout


@pytest.mark.parametrize("p", [0, 0.276, 0.731, 1])
@pytest.mark.parametrize("training", [True, False])
def test_dropout_lies_between_the_layers_and_scales_what_it_keeps(p: float, training: bool) -> None:
    # test_nn: test_RNN_dropout
    width = 200
    layer = elman.SimpleRNN(10, width, 2, "relu", bias=False, dropout=p, dtype=torch.float64)
    for weight in layer.parameters():
        nn.init.ones_(weight)
    layer.train(training)
    y, h = layer(torch.ones(1, 1, 10, dtype=torch.float64))
    value = y[0, 0, 0].item()
    assert torch.equal(y, torch.full_like(y, value))
    assert torch.equal(h, torch.stack([torch.full_like(h[0], 10), y[0]]))
    if p == 0 or not training:
        assert value == 10 * width
    elif p == 1:
        assert value == 0
    else:
        kept = value * (1 - p) / 10
        assert kept == pytest.approx(round(kept), abs=1e-6)
        assert 0.8 * width * (1 - p) < round(kept) < 1.2 * width * (1 - p)


@every_layer
@pytest.mark.parametrize("p", [0, 0.1234])
@pytest.mark.parametrize("training", [True, False])
def test_calls_and_copies_differ_only_where_dropout_draws(
    name: str, p: float, training: bool
) -> None:
    # test_nn: test_RNN_dropout_state; test_modules: test_if_train_and_eval_modes_differ
    layer, _ = pair(name, 10, 50, 2, dropout=p)
    layer.train(training)
    x = draw(1, 1, 10)
    twin = copy.deepcopy(layer)
    twin.flatten_parameters()
    first = results(layer, x)
    for module in (layer, twin):
        again = results(module, x)
        for index in (0, 1):  # all outputs, and h with that of the layer above
            assert torch.equal(again[index], first[index]) == (p == 0 or not training)


@every_layer
@pytest.mark.parametrize("training", [True, False])
def test_dropout_that_is_changed_is_obeyed_at_once(name: str, training: bool) -> None:
    # test_nn: test_RNN_change_dropout
    layer, _ = pair(name, 10, 40, 2)
    layer.train(training)
    x = draw(3, 2, 10)
    before = None
    for p in (0, 0.5, 0, 0.7, 0.2, 1, 0.2, 0):
        layer.dropout = p
        first, second = results(layer, x), results(layer, x)
        assert torch.equal(first[0], second[0]) == (p in {0, 1} or not training)
        if before is not None:
            assert torch.equal(first[0], before) == (not training)
        before = first[0]


# Weights


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize(
    ("name", "weight"), [*[(name, "weight_hh_l0") for name in LAYERS], ("LSTM", "weight_hr_l0")]
)
def test_a_weight_norm_by_a_hook_changes_no_values_and_comes_off(name: str, weight: str) -> None:
    # test_nn: test_rnn_weight_norm, test_RNN_cudnn_weight_norm
    options = {"proj_size": P} if weight == "weight_hr_l0" else {}
    layer, _ = pair(name, I, H, 2, **options)
    x = draw(T, B, I)
    expected, count = results(layer, x), len(list(layer.parameters()))
    nn.utils.weight_norm(layer, name=weight)
    assert len(list(layer.parameters())) == count + 1
    assert_each_near(results(layer, x), expected)
    with torch.no_grad():
        getattr(layer, f"{weight}_g").mul_(2)
        assert not torch.equal(layer(x)[0], expected[0])
        getattr(layer, f"{weight}_g").div_(2)
    nn.utils.remove_weight_norm(layer, name=weight)
    assert len(list(layer.parameters())) == count
    assert_each_near(results(layer, x), expected)


@every_layer
def test_a_layer_is_converted_while_one_of_its_weights_is_away(name: str) -> None:
    # test_nn: test_partial_flat_weights
    layer, theirs = pair(name, I, H, 2)
    x = draw(T, B, I, dtype=torch.float32)
    for module in (layer, theirs):
        weight = module.weight_hh_l0
        del module.weight_hh_l0
        assert not hasattr(module, "weight_hh_l0")
        module.float()
        module.weight_hh_l0 = weight.float()
    assert_each_near(results(layer, x), results(theirs, x))


@every_layer
def test_a_pruned_weight_is_no_parameter_and_one_again_when_pruning_is_removed(name: str) -> None:
    # test_pruning: test_rnn_pruning
    layer, _ = pair(name, I, H)

    def kept() -> int:
        return sum(isinstance(weight, nn.Parameter) for weight in layer._flat_weights)

    prune.l1_unstructured(layer, "weight_ih_l0", 0.5)
    assert kept() == 3
    half = layer.weight_ih_l0.numel() // 2
    assert int((layer.weight_ih_l0 == 0).sum()) == pytest.approx(half, abs=1)
    prune.remove(layer, "weight_ih_l0")
    assert kept() == 4
    assert layer._parameters["weight_ih_l0"] is layer.weight_ih_l0
    assert {"weight_ih_l0_orig", "weight_ih_l0_mask"}.isdisjoint(layer.state_dict())


@every_layer
def test_a_layer_takes_the_attributes_of_another(name: str) -> None:
    # test_nn: test_save_lstm_compatibility, without the version that had no projection
    layer, other = LAYERS[name](2, 3), LAYERS[name](2, 3)
    x = torch.randn(8, 5, 2)
    with torch.no_grad():
        expected = results(layer, x)
        results(other, x)
        other.__setstate__(layer.__dict__)
        for ours, value in zip(results(other, x), expected, strict=True):
            assert_same_bits(ours, value, "value")


@every_layer
def test_parameters_have_the_dtype_and_device_asked_for(name: str) -> None:
    # test_modules: test_factory_kwargs, test_device_ctx_init
    def kinds(layer: nn.Module) -> set[tuple[torch.dtype, str]]:
        return {(weight.dtype, weight.device.type) for weight in layer.parameters()}

    assert kinds(LAYERS[name](I, H, device="meta", dtype=torch.float64)) == {
        (torch.float64, "meta")
    }
    with torch.device("meta"):
        assert kinds(LAYERS[name](I, H, 2)) == {(torch.float32, "meta")}


@every_layer
@pytest.mark.parametrize(
    "setting",
    ["set_overwrite_module_params_on_conversion", "set_swap_module_params_on_conversion"],
)
def test_conversions_by_new_and_by_swapped_parameters_are_obeyed(name: str, setting: str) -> None:
    # test_modules: test_to, test_multiple_device_transfer
    change: Callable[[bool], None] = getattr(torch.__future__, setting)
    layer, theirs = pair(name, I, H, 2)
    x = draw(T, B, I)
    change(True)
    try:
        for dtype in (torch.float32, torch.float64):
            results(layer, x.to(layer.weight_ih_l0.dtype))
            assert_each_near(
                results(layer.to(dtype), x.to(dtype)), results(theirs.to(dtype), x.to(dtype))
            )
    finally:
        change(False)


@every_layer
def test_a_layer_shows_its_sizes_and_options(name: str) -> None:
    # test_modules: test_repr
    shown = repr(LAYERS[name](I, H, 2, dropout=0.5, bidirectional=True))
    for part in (f"{name}({I}, {H},", "num_layers=2", "dropout=0.5", "bidirectional=True"):
        assert part in shown
