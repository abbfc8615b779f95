"""The kernels as PyTorch operators: opcheck, compile to one graph, export with dynamic sizes."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounterWithBackend
from torch.export import Dim
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

import elman
from battery import (
    KERNEL_VARIANTS,
    LENGTHS,
    B,
    H,
    I,
    T,
    Variant,
    assert_all_near,
    assert_near,
    assert_same_bits,
    draw,
    draw_recurrence,
    every_kernel_variant,
    gradients,
    leaves_of,
    values_of,
)
from elman.cells import cell
from elman.sequence import Recurrence, native, run
from elman.sequence.kernel_call import Call, read, spell, spell_flags, spread

pytestmark = [
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated"),
]
SHAPES = [(T, B), (T + 4, B + 2)]
LAYERS: dict[str, Callable[[], nn.Module]] = {
    "simple": lambda: elman.SimpleRNN(I, H, 2),
    "lstm": lambda: elman.LSTM(I, H, 2, bidirectional=True, peephole=True, proj_size=4),
    "gru": lambda: elman.GRU(I, [H, 5], learn_initial_state=True, reset_after=False),
    "noisy": lambda: elman.LSTM(I, H, 2, dropout=0.2, recurrent_dropout=0.3, zoneout=0.3),
    "batch first": lambda: elman.GRU(I, H, batch_first=True, residual=False),
    "two cells": lambda: elman.Bidirectional(elman.LSTM(I, H, 2), elman.GRU(I, 5, 2)),
}


@pytest.fixture(autouse=True)
def _fresh_compiler() -> None:
    torch._dynamo.reset()


def call_of(*recurrences: Recurrence, keep: str) -> tuple[list[Tensor], str]:
    """Return what the operator is given for the recurrences of a layer."""
    tensors = [tensor for r in recurrences for tensor in native.tensors_of(r)]
    tensors += [recurrences[0].lengths, recurrences[0].resets]
    call = Call(tuple([native.run_of(r) for r in recurrences]), keep)
    return [tensor for tensor in tensors if tensor is not None], spell(call, tensors)


def inputs(steps: int, rows: int, *, batch_first: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Draw inputs with their lengths and resets."""
    x, lengths = torch.randn(steps, rows, I), torch.randint(0, steps + 1, (rows,))
    resets = torch.rand(steps, rows) < 0.3
    return (x.transpose(0, 1), lengths, resets.t()) if batch_first else (x, lengths, resets)


class WithLengths(nn.Module):
    """A layer called with its lengths and resets by place."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, lengths: Tensor, resets: Tensor) -> Any:
        return self.layer(x, lengths=lengths, resets=resets)


@pytest.mark.sampled(4)
@every_kernel_variant
def test_opcheck_finds_nothing(variant: Variant) -> None:
    ragged: dict[str, Any] = {"lengths": LENGTHS, "cuts": True}
    time = ragged if KERNEL_VARIANTS.index(variant) % 2 else {}
    ahead, _ = leaves_of(draw_recurrence(variant, zoneout="probabilities", **time))
    back, _ = leaves_of(draw_recurrence(variant, reverse=True, **time))
    torch.library.opcheck(torch.ops.elman.recurrence.default, call_of(ahead, back, keep="gradient"))


@pytest.mark.parametrize("keep", ["", "trace"])
def test_opcheck_finds_nothing_without_gradients(keep: str) -> None:
    for variant in KERNEL_VARIANTS[::4]:
        r = draw_recurrence(variant, lengths=LENGTHS, mask=True, zoneout="masks")
        torch.library.opcheck(torch.ops.elman.recurrence.default, call_of(r, keep=keep))


def test_the_way_back_is_an_operator_without_derivatives_of_its_own() -> None:
    r = draw_recurrence(KERNEL_VARIANTS[0], lengths=LENGTHS)
    tensors, text = call_of(r, keep="gradient")
    outputs = torch.ops.elman.recurrence(tensors, text)
    _, given = read(text)
    wanted = spell_flags([flag and place < 5 for place, flag in enumerate(given)])
    arguments = (tensors, outputs[:1], outputs[:2], text, "11", wanted)
    torch.library.opcheck(
        torch.ops.elman.recurrence_backward.default,
        arguments,
        test_utils=("test_schema", "test_faketensor"),
    )


@every_kernel_variant
def test_the_operator_gives_what_the_direct_call_gives(variant: Variant) -> None:
    r, leaves = leaves_of(draw_recurrence(variant, lengths=LENGTHS, cuts=True))
    direct = values_of(run(r, "native"))
    tensors, text = call_of(r, keep="gradient")
    y, *states = torch.ops.elman.recurrence(tensors, text)[: len(direct)]
    through = dict(zip(direct, [y, *[part.squeeze(0) for part in states]], strict=True))
    assert_all_near(through | gradients(through, leaves), direct | gradients(direct, leaves))


def test_a_call_is_read_as_it_was_spelled() -> None:
    r = draw_recurrence(Variant(cell("simple", nonlinearity="relu"), False), reverse=True)
    tensors = [*native.tensors_of(r), None, None]
    call = Call((native.run_of(r), native.run_of(r)._replace(rates=(0.1, 0.25))), "gradient")
    read_call, flags = read(spell(call, tensors))
    assert read_call == call
    given = [tensor for tensor in tensors if tensor is not None]
    spread_out = spread(given, flags)
    assert all(a is b for a, b in zip(spread_out, tensors, strict=True))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("name", "training"),
    [
        ("simple", False),
        ("lstm", True),
        ("gru", False),
        ("noisy", True),
        ("batch first", False),
        ("two cells", False),
    ],
)
def test_a_layer_compiles_once_to_one_graph_for_all_sizes(name: str, training: bool) -> None:
    layer = LAYERS[name]().train(training)
    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(WithLengths(layer), fullgraph=True, dynamic=True, backend=counter)
    weights, counts = list(layer.parameters()), set[int]()
    for steps, rows in SHAPES:
        given = inputs(steps, rows, batch_first=name == "batch first")
        answers = []
        for model in (compiled, WithLengths(layer)):
            torch.manual_seed(3)
            x = given[0].clone().requires_grad_(training)
            values = pytree.tree_leaves(model(x, *given[1:]))
            if training:
                total = sum((value * value.detach().cos()).sum() for value in values)
                values += torch.autograd.grad(total, [x, *weights])
            answers.append(values)
        for number, (found, expected) in enumerate(zip(*answers, strict=True)):
            assert_same_bits(found, expected, f"{number}")
        counts.add(counter.frame_count)
    assert len(counts) == 1, "another size was compiled again"
    called = [node.target for graph in counter.graphs for node in graph.graph.nodes]
    assert torch.ops.elman.recurrence in called


def test_a_traced_layer_compiles_too() -> None:
    layer = elman.LSTM(I, H, coupled_gates=True, bidirectional=True).eval()
    x, lengths, _ = inputs(T, B)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    with torch.no_grad():
        found = compiled(x, lengths=lengths, return_trace=True)
        expected = layer(x, lengths=lengths, return_trace=True)
    for a, b in zip(pytree.tree_leaves(found), pytree.tree_leaves(expected), strict=True):
        assert_same_bits(a, b, "a part")


def test_in_a_graph_the_kernel_checks_the_lengths() -> None:
    compiled = torch.compile(elman.GRU(I, H), fullgraph=True, backend="aot_eager")
    with pytest.raises(ValueError, match=f"lengths must lie in 0 … T = {T}, got {T + 1} at row 0"):
        compiled(torch.zeros(T, B, I), lengths=torch.full((B,), T + 1))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("name", "strict"), [*[(name, False) for name in LAYERS], ("lstm", True)])
def test_a_layer_is_exported_saved_and_loaded_for_all_sizes(name: str, strict: bool) -> None:
    model, first = WithLengths(LAYERS[name]().eval()), name == "batch first"
    steps, rows = Dim("T"), Dim("B")
    by_axis = {0: rows, 1: steps} if first else {0: steps, 1: rows}
    with torch.no_grad():
        program = torch.export.export(
            model,
            inputs(T, B, batch_first=first),
            dynamic_shapes=(by_axis, {0: rows}, by_axis),
            strict=strict,
        )
        file = io.BytesIO()
        torch.export.save(program, file)
        file.seek(0)
        loaded = torch.export.load(file).module()
        for shape in SHAPES:
            given = inputs(*shape, batch_first=first)
            found, expected = loaded(*given), model(*given)
            for a, b in zip(pytree.tree_leaves(found), pytree.tree_leaves(expected), strict=True):
                assert_same_bits(a, b, "a part")


class Listener(TorchDispatchMode):
    """Notes every operator that is called."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


def test_whoever_listens_to_operators_hears_one_a_layer() -> None:
    layer, x = elman.GRU(I, H, 2, bidirectional=True), draw(T, B, I, dtype=torch.float32)
    expected = layer(x)[0]
    with Listener() as listener:
        assert_same_bits(layer(x)[0], expected, "output")
    assert listener.seen.count("elman.recurrence.default") == 2


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore:.torch.jit.trace")
def test_a_traced_graph_of_torch_jit_has_the_operator() -> None:
    layer, x = elman.GRU(I, H).requires_grad_(False), draw(T, B, I, dtype=torch.float32)
    with torch.no_grad():
        traced = torch.jit.trace(lambda given: layer(given)[0], x)
        assert "elman::recurrence" in str(traced.graph)
        other = draw(T, B, I, dtype=torch.float32)
        assert_same_bits(traced(other), layer(other)[0], "output")


@pytest.mark.slow
def test_transforms_inside_a_graph_are_left_to_the_reference() -> None:
    layer, many = elman.GRU(I, H), torch.randn(2, T, B, I)

    def output(x: Tensor) -> Tensor:
        found: Tensor = layer(x)[0]
        return found

    transformed: dict[str, Callable[[Tensor], Tensor]] = {
        "vmap": torch.func.vmap(output),
        "grad": torch.func.vmap(torch.func.grad(lambda x: output(x).sum())),
        "jvp": lambda x: torch.func.jvp(output, (x.mean(0),), (x.sum(0),))[1],
    }
    for name, function in transformed.items():
        compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
        assert_near(compiled(many), function(many), name)
