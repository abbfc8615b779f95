"""Gradients of many cotangents at once, by both of PyTorch's vmaps, are those of one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import hessian, jacobian
from torch.utils._python_dispatch import TorchDispatchMode

import elman
from battery import (
    LENGTHS,
    Variant,
    assert_near,
    assert_same_bits,
    both_directions,
    draw,
    draw_recurrence,
    every_kernel_variant,
    leaves_of,
)
from elman.cells import cell
from elman.sequence import run

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch.func's
TIMES: dict[str, dict[str, Any]] = {
    "dense": {},
    "ragged, reset": {"lengths": LENGTHS, "cuts": True},
}
LAYERS: dict[str, tuple[Callable[..., nn.Module], Callable[..., nn.Module]]] = {
    "simple": (elman.SimpleRNN, nn.RNN),
    "lstm": (elman.LSTM, nn.LSTM),
    "gru": (elman.GRU, nn.GRU),
}
T, B, I, H = 3, 2, 2, 3  # noqa: E741 — small: a Jacobian has T·B·H rows


class Listening(TorchDispatchMode):
    """Under which layers call operators."""

    def __torch_dispatch__(self, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def ways(outputs: Sequence[Tensor], leaves: Sequence[Tensor], **options: bool) -> dict[str, Any]:
    """Name the ways to differentiate by many cotangents."""

    def one(cotangents: Sequence[Tensor]) -> tuple[Tensor, ...]:
        return torch.autograd.grad(outputs, leaves, cotangents, retain_graph=True, **options)

    def in_turn(cotangents: Sequence[Tensor]) -> list[Tensor]:
        found = [one(member) for member in zip(*cotangents, strict=True)]
        return [torch.stack(parts) for parts in zip(*found, strict=True)]

    def at_once(cotangents: Sequence[Tensor]) -> tuple[Tensor, ...]:
        return torch.autograd.grad(
            outputs,
            leaves,
            cotangents,
            is_grads_batched=True,
            retain_graph=True,
            **options,
        )

    return {"in turn": in_turn, "at once": at_once, "torch.func": torch.func.vmap(one)}


def drawn(variant: Variant, **options: Any) -> tuple[list[Tensor], list[Tensor]]:
    """Run a recurrence; return its outputs, and the leaves that they follow from."""
    r, leaves = leaves_of(draw_recurrence(variant, **options))
    result = run(r, "native")
    used = [leaf for name, leaf in leaves.items() if options.get("cuts") or "fresh" not in name]
    return [result.output, *result.state], used


@pytest.mark.sampled(7)
@pytest.mark.parametrize("create_graph", [False, True], ids=["once", "again differentiable"])
@pytest.mark.parametrize("time", TIMES)
@both_directions
@every_kernel_variant
def test_a_batch_of_cotangents_gives_the_gradients_of_each(
    variant: Variant, reverse: bool, time: str, create_graph: bool
) -> None:
    outputs, leaves = drawn(variant, reverse=reverse, **TIMES[time])
    known = ways(outputs, leaves, create_graph=create_graph)
    cotangents = [draw(4, *output.shape) for output in outputs]
    wanted = known.pop("in turn")(cotangents)
    for way, differentiate in known.items():
        for place, (found, expected) in enumerate(
            zip(differentiate(cotangents), wanted, strict=True)
        ):
            assert_near(found, expected, f"{way}, leaf {place}")
            assert create_graph or torch.equal(found, expected), way


def test_cotangents_of_some_outputs_alone_and_a_batch_of_one() -> None:
    outputs, leaves = drawn(Variant(cell("lstm"), True), lengths=LENGTHS)
    for some, size in (([0], 3), ([1], 1), ([0, 2], 1), ([2], 2)):
        chosen = [outputs[place] for place in some]
        known = ways(chosen, leaves)
        cotangents = [draw(size, *output.shape) for output in chosen]
        wanted = known.pop("in turn")(cotangents)
        for way, differentiate in known.items():
            for found, expected in zip(differentiate(cotangents), wanted, strict=True):
                assert_same_bits(found, expected, f"{way}, outputs {some}")


def test_batches_of_batches_of_cotangents() -> None:
    outputs, leaves = drawn(Variant(cell("gru"), False), lengths=LENGTHS)
    cotangents = draw(2, 3, *outputs[0].shape)

    def one(cotangent: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad(outputs[0], leaves, cotangent, retain_graph=True)

    found = torch.func.vmap(torch.func.vmap(one))(cotangents)
    for row in range(2):
        for column in range(3):
            for a, b in zip(found, one(cotangents[row, column]), strict=True):
                assert_same_bits(a[row, column], b, "gradient")


def test_an_output_changed_in_place_before_a_batch_of_cotangents() -> None:
    r, leaves = leaves_of(draw_recurrence(Variant(cell("gru"), False), lengths=LENGTHS))
    found = []
    for change in (lambda y: y.mul_(2), lambda y: y * 2):
        y = change(run(r, "native").output)
        known = ways([y], [leaves["x"], leaves["weights.hidden"]])
        found.append(known["at once"]([torch.ones(2, *y.shape, dtype=y.dtype)]))
    for a, b in zip(*found, strict=True):
        assert_same_bits(a, b, "gradient")


@pytest.mark.parametrize("listened", [False, True], ids=["direct", "operator"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layers_jacobian_is_that_of_torch_nn(name: str, listened: bool) -> None:
    options = {"num_layers": 2, "bidirectional": True}
    ours, theirs = (kind(I, H, **options).double() for kind in LAYERS[name])
    theirs.load_state_dict(ours.state_dict())
    x = draw(T, B, I)

    def by(layer: nn.Module) -> Callable[[Tensor], Tensor]:
        def output(x: Tensor) -> Tensor:
            y: Tensor = layer(x)[0]
            return y

        return output

    wanted = jacobian(by(theirs), x)
    found = {
        "vectorize": lambda: jacobian(by(ours), x, vectorize=True),
        "create_graph": lambda: jacobian(by(ours), x, vectorize=True, create_graph=True),
    }
    for way, differentiate in found.items():
        if listened:
            with Listening():
                value = differentiate()
        else:
            value = differentiate()
        assert_near(value.detach(), wanted, way)
    if not listened:
        forward = jacobian(by(ours), x, vectorize=True, strategy="forward-mode")
        assert_near(forward, wanted, "forward-mode")
        assert_near(torch.func.jacrev(by(ours))(x), wanted, "jacrev")
        assert_near(torch.func.jacfwd(by(ours))(x), wanted, "jacfwd")


@pytest.mark.parametrize("name", LAYERS)
def test_a_layers_hessian_is_that_of_torch_nn(name: str) -> None:
    ours, theirs = (kind(I, H).double() for kind in LAYERS[name])
    theirs.load_state_dict(ours.state_dict())
    x = draw(T, B, I)
    wanted = hessian(lambda x: theirs(x)[0].square().sum(), x)
    found = hessian(lambda x: ours(x)[0].square().sum(), x, vectorize=True)
    assert_near(found, wanted, "hessian")


def test_an_operator_of_a_program_runs_under_vmap() -> None:
    layer, many = elman.GRU(I, H), torch.randn(4, T, B, I)
    with torch.no_grad():
        program = torch.export.export(layer, (many[0],)).module()
        found = torch.func.vmap(lambda x: program(x)[0])(many)
        for a, x in zip(found, many, strict=True):
            assert_same_bits(a, layer(x)[0], "output")
