"""Layers under torch.compile, torch.export and torch.jit.trace give what they give alone."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounterWithBackend
from torch.utils import _pytree as pytree

import elman
from battery import B, H, I, T, assert_same_bits
from elman.errors import BackendError

pytestmark = [
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.:FutureWarning"),
    pytest.mark.filterwarnings(
        "ignore:.torch.jit.(trace|script|trace_method|save|load). is deprecated"
    ),
]
LAYERS: dict[str, type[nn.Module]] = {
    "simple": elman.SimpleRNN,
    "lstm": elman.LSTM,
    "gru": elman.GRU,
}
DTYPES: dict[str, tuple[torch.dtype, torch.dtype | None]] = {
    "bfloat16": (torch.bfloat16, None),
    "float16": (torch.float16, None),
    "autocast to bfloat16": (torch.float32, torch.bfloat16),
    "autocast to float16": (torch.float32, torch.float16),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


@pytest.fixture(autouse=True)
def _fresh_compiler() -> None:
    torch._dynamo.reset()


class Ragged(nn.Module):
    """A layer called with its lengths by place."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, lengths: Any) -> Any:
        return self.layer(x, lengths=lengths)


def answers(
    model: nn.Module, *given: Any, training: bool, cast: torch.dtype | None = None
) -> list[Tensor]:
    """Return everything that a call gives and, in training, the gradient of everything."""
    x = given[0].clone().requires_grad_(training)
    with (
        torch.set_grad_enabled(training),
        torch.autocast("cpu", cast or torch.bfloat16, enabled=cast is not None),
    ):
        found = pytree.tree_leaves(model(x, *given[1:]))
    if not training:
        return found
    total = sum(value.double().square().sum() for value in found)
    found = [value.detach() for value in found]
    return [*found, *torch.autograd.grad(total, [x, *model.parameters()])]  # type: ignore[arg-type]


def assert_rounded_alike(found: list[Tensor], wanted: list[Tensor], dtype: torch.dtype) -> None:
    """Assert that tensors differ by roundings to a dtype alone."""
    for number, (a, b) in enumerate(zip(found, wanted, strict=True)):
        assert a.dtype is b.dtype
        allowed = 8 * torch.finfo(dtype).eps * max(1.0, float(b.abs().max()))
        difference = float((a.double() - b.double()).abs().max())
        assert difference <= allowed, f"tensor {number}: off by {difference}"


@pytest.mark.slow
@pytest.mark.parametrize("ragged", [False, True], ids=["dense", "ragged"])
@pytest.mark.parametrize("training", [True, False], ids=["training", "no_grad"])
@pytest.mark.parametrize("dtype", DTYPES)
@every_layer
def test_a_layer_in_half_precision_compiles_to_one_graph_and_gives_what_it_gives_alone(
    name: str, dtype: str, training: bool, ragged: bool
) -> None:
    own, cast = DTYPES[dtype]
    model = Ragged(LAYERS[name](I, H).to(own))
    x, lengths = torch.randn(T, B, I, dtype=own), torch.tensor([4, 0, 6, 1, 4]) if ragged else None
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    found, wanted = (
        answers(each, x, lengths, training=training, cast=cast) for each in (compiled, model)
    )
    assert_rounded_alike(found, wanted, cast or own)


@pytest.mark.slow
def test_an_lstm_trains_in_bfloat16_in_one_graph() -> None:
    model, x = elman.LSTM(I, H).bfloat16(), torch.randn(T, B, I, dtype=torch.bfloat16)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    found, wanted = (answers(each, x, training=True) for each in (compiled, model))
    assert_rounded_alike(found, wanted, torch.bfloat16)


@pytest.mark.slow
@pytest.mark.parametrize("training", [True, False], ids=["training", "no_grad"])
@pytest.mark.parametrize("backend", ["torch", "reference", "native"])
@every_layer
def test_a_backend_asked_for_by_name_compiles_to_one_graph(
    name: str, backend: str, training: bool
) -> None:
    layer = LAYERS[name](I, H, 2, bidirectional=True, backend=backend).double()
    x = torch.randn(T, B, I).double()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    found, wanted = (answers(each, x, training=training) for each in (compiled, layer))
    assert_rounded_alike(found, wanted, torch.float64)


def test_pytorchs_kernels_say_that_a_graph_has_no_lengths_for_them() -> None:
    compiled = torch.compile(Ragged(elman.GRU(I, H, backend="torch")), backend="aot_eager")
    with pytest.raises(BackendError, match=r"no lengths inside a graph .* Use backend='auto'"):
        compiled(torch.zeros(T, B, I), torch.full((B,), T))


@pytest.mark.sampled(6)
@every_layer
@pytest.mark.parametrize("training", [True, False], ids=["training", "no_grad"])
def test_lists_of_lengths_are_compiled_anew_only_once(name: str, training: bool) -> None:
    model, counter = Ragged(LAYERS[name](I, H)), CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(model, fullgraph=True, backend=counter)
    for lengths in ([6, 3, 4], [2, 6, 5], [0, 1, 1], [6, 6, 6], [5, 0, 2], [1, 4, 3]):
        x = torch.randn(T, 3, I)
        found, wanted = (answers(each, x, lengths, training=training) for each in (compiled, model))
        for a, b in zip(found, wanted, strict=True):
            assert_same_bits(a, b, str(lengths))
    assert counter.frame_count <= 2


@pytest.mark.parametrize("ragged", [False, True], ids=["dense", "ragged"])
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
@every_layer
def test_a_layer_traced_with_gradients_recorded_runs_and_trains_at_other_sizes(
    name: str, ragged: bool
) -> None:
    model = Ragged(LAYERS[name](I, H, 2, bidirectional=True))
    first = torch.tensor([3, 4]) if ragged else None
    example = (torch.randn(4, 2, I), first) if ragged else (torch.randn(4, 2, I),)
    traced = torch.jit.trace(model if ragged else model.layer, example)
    file = io.BytesIO()
    torch.jit.save(traced, file)
    file.seek(0)
    given = (torch.randn(T, B, I), *([torch.tensor([4, 0, 6, 1, 4])] if ragged else []))
    wanted = answers(model if ragged else model.layer, *given, training=True)
    for program in (traced, torch.jit.load(file)):
        found = answers(program, *given, training=True)
        for a, b in zip(found, wanted, strict=True):
            assert_same_bits(a, b, "a part")


@every_layer
def test_a_layer_exported_with_gradients_recorded_keeps_nothing_for_them(name: str) -> None:
    layer, x = LAYERS[name](I, H), torch.randn(T, B, I)
    program = torch.export.export(layer, (x,))
    (call,) = [
        node for node in program.graph.nodes if node.target == torch.ops.elman.recurrence.default
    ]
    assert call.args[1].startswith("|"), "the text of a call that keeps nothing"
    found, wanted = (answers(each, x, training=True) for each in (program.module(), layer))
    for a, b in zip(found, wanted, strict=True):
        assert_same_bits(a, b, "a part")
