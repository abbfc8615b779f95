"""PyTorch's tools that look into modules find a layer whole, or say in words what to do."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.utils._per_sample_grad import call_for_per_sample_grads

import elman
from battery import B, H, I, T, assert_near, assert_same_bits
from elman.errors import BackendError

LAYERS: dict[str, type[nn.Module]] = {
    "simple": elman.SimpleRNN,
    "lstm": elman.LSTM,
    "gru": elman.GRU,
}
every_layer = pytest.mark.parametrize("name", LAYERS)


class Model(nn.Module):
    """A model with a layer in it, called in every way."""

    def __init__(self, layer: nn.Module, width: int = H) -> None:
        super().__init__()
        self.stack = nn.ModuleDict({"layer": layer})
        self.head = nn.Linear(width, 2)

    def forward(self, x: Tensor, lengths: Tensor) -> Any:
        y, state = self.stack["layer"](x)
        again, _ = self.stack["layer"](y[..., :I], state, lengths=lengths)
        return self.head(again), state


@pytest.mark.parametrize("records", [True, False], ids=["gradients", "no_grad"])
@every_layer
def test_a_symbolic_trace_finds_a_layer_as_a_leaf(name: str, records: bool) -> None:
    model = Model(LAYERS[name](I, H))
    with torch.set_grad_enabled(records):
        traced = torch.fx.symbolic_trace(model)
        calls = [node for node in traced.graph.nodes if node.op == "call_module"]
        assert [node.target for node in calls] == ["stack.layer", "stack.layer", "head"]
        assert [list(node.kwargs) for node in calls] == [[], ["lengths"], []]
        for shape in ((T, B, I), (T + 2, 2, I)):
            x, lengths = torch.randn(shape), torch.randint(0, shape[0] + 1, shape[1:2])
            found, wanted = traced(x, lengths), model(x, lengths)
            assert_same_bits(found[0], wanted[0], "output")
    assert traced.get_submodule("stack.layer") is model.stack["layer"]


def test_a_symbolic_trace_finds_a_pair_of_layers_as_a_leaf() -> None:
    pair = elman.Bidirectional(elman.LSTM(I, H), elman.GRU(I, H))
    model = nn.Sequential(nn.Linear(2, I), pair)
    traced, x = torch.fx.symbolic_trace(model), torch.randn(T, B, 2)
    targets = [node.target for node in traced.graph.nodes if node.op == "call_module"]
    assert targets == ["0", "1"]
    assert_same_bits(traced(x)[0], model(x)[0], "output")


@every_layer
def test_a_script_is_refused_in_words_and_a_trace_is_not(name: str) -> None:
    layer = LAYERS[name](I, H)
    for model in (layer, nn.Sequential(layer), elman.Bidirectional(layer, elman.GRU(I, H))):
        with (
            pytest.warns(DeprecationWarning, match="torch.jit.script"),
            pytest.raises(BackendError, match=r"torch\.jit\.script cannot .* torch\.export"),
        ):
            torch.jit.script(model)


def loss(layer: nn.Module, weights: dict[str, Tensor], x: Tensor, target: Tensor) -> Tensor:
    """Compute the loss of one sample, (T, I), as torch.func's per-sample gradients want it."""
    y, _ = functional_call(layer, weights, (x.unsqueeze(1),))
    return (y.squeeze(1) - target).square().mean()


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch.func's own
@every_layer
def test_per_sample_gradients_are_those_of_each_sample(name: str) -> None:
    layer = LAYERS[name](I, H, 2, bidirectional=True).double()
    x, target = torch.randn(B, T, I).double(), torch.randn(B, T, 2 * H).double()
    weights = {key: value.detach() for key, value in layer.named_parameters()}
    each = vmap(grad(lambda *given: loss(layer, *given)), (None, 0, 0))(weights, x, target)
    for row in range(B):
        layer.zero_grad()
        (layer(x[row].unsqueeze(1))[0].squeeze(1) - target[row]).square().mean().backward()
        for key, weight in layer.named_parameters():
            assert weight.grad is not None
            assert_near(each[key][row], weight.grad, f"{key} of sample {row}")


@every_layer
def test_expanded_weights_are_refused_in_words(name: str) -> None:
    layer = LAYERS[name](I, H, batch_first=True)
    with pytest.raises(BackendError, match=r"knows no Elman layer\. .* torch\.func\.vmap"):
        call_for_per_sample_grads(layer)(torch.randn(B, T, I))


@pytest.mark.filterwarnings("ignore:torch.ao.quantization is deprecated")
@every_layer
def test_quantization_says_that_it_leaves_a_layer_as_it_is(name: str) -> None:
    model, x = nn.Sequential(LAYERS[name](I, H)), torch.randn(T, B, I)
    with pytest.warns(UserWarning, match=rf"no quantized form of elman\.{LAYERS[name].__name__}"):
        quantized = torch.ao.quantization.quantize_dynamic(model, {LAYERS[name]})
    assert_same_bits(quantized(x)[0], model(x)[0], "output")


@pytest.mark.filterwarnings("ignore:torch.ao.quantization is deprecated")
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor, ")  # torch's own, once a process
@every_layer
def test_quantization_of_other_layers_is_silent_about_elmans(name: str) -> None:
    model, x = Model(LAYERS[name](I, H)), torch.randn(T, B, I)
    quantized = torch.ao.quantization.quantize_dynamic(model)
    assert type(quantized.head) is not nn.Linear
    assert type(quantized.stack["layer"]) is LAYERS[name]
    assert_same_bits(quantized.stack["layer"](x)[0], model.stack["layer"](x)[0], "output")
