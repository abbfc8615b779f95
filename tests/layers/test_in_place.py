"""Outputs changed in place before the backward pass: never another gradient, never an error."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

import elman
from battery import LENGTHS, B, H, I, T, assert_near, assert_same_bits
from elman.sequence import kernel_run

Change = Callable[[Tensor], Any]
PAIRS: dict[str, tuple[type[nn.Module], type[nn.Module]]] = {
    "simple": (elman.SimpleRNN, nn.RNN),
    "lstm": (elman.LSTM, nn.LSTM),
    "gru": (elman.GRU, nn.GRU),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "one layer": {},
    "two layers": {"num_layers": 2},
    "batch first": {"batch_first": True},
    "both ways": {"bidirectional": True, "num_layers": 2},
}
OWN: dict[str, dict[str, Any]] = {
    "residual": {"num_layers": 2, "residual": True},
    "zoneout": {"zoneout": 0.3},
    "layer norm": {"layer_norm": True},
    "learned start": {"learn_initial_state": True},
    "reference": {"backend": "reference"},
}
CHANGES: dict[str, tuple[Change, Change]] = {
    "add_": (lambda y: y.add_(y.detach().cos()), lambda y: y + y.detach().cos()),
    "relu": (lambda y: F.relu(y, inplace=True), F.relu),
    "masked_fill_": (
        lambda y: y.masked_fill_(y.detach() > 0.1, 0.5),
        lambda y: y.masked_fill(y.detach() > 0.1, 0.5),
    ),
    "a slice": (lambda y: y[1:].mul_(3), lambda y: torch.cat([y[:1], 3 * y[1:]])),
    "dropout": (lambda y: F.dropout(y, 0.5, inplace=True), lambda y: F.dropout(y, 0.5)),
}


class Listening(TorchDispatchMode):
    """Under which layers call operators."""

    def __torch_dispatch__(self, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def answers(layer: nn.Module, x: Tensor, change: Change, *, given: Any = None) -> list[Tensor]:
    """Change the output, then return it and the gradient of everything."""
    torch.manual_seed(5)
    leaf = x.clone().requires_grad_()
    y, state = layer(leaf, **(given or {}))
    changed = change(y)
    y = y if changed is None or changed.shape != y.shape else changed
    parts = state if isinstance(state, tuple) else (state,)
    total = (y * y.detach().cos()).sum() + sum(part.square().sum() for part in parts)
    return [y.detach(), *torch.autograd.grad(total, [leaf, *layer.parameters()])]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("cell", PAIRS)
def test_a_change_in_place_gives_the_gradients_of_torch_nn(
    cell: str, options: str, change: str
) -> None:
    ours, theirs = (kind(I, H, **OPTIONS[options]).double() for kind in PAIRS[cell])
    theirs.load_state_dict(ours.state_dict())
    x, (in_place, apart) = torch.randn(T, B, I).double(), CHANGES[change]
    found, wanted = answers(ours, x, in_place), answers(theirs, x, apart)
    for number, (a, b) in enumerate(zip(found, wanted, strict=True)):
        assert_near(a, b, f"tensor {number}")


@pytest.mark.sampled(5)
@pytest.mark.parametrize("listened", [False, True], ids=["direct", "operator"])
@pytest.mark.parametrize("given", [{}, {"lengths": LENGTHS}], ids=["dense", "ragged"])
@pytest.mark.parametrize("options", [*OPTIONS, *OWN])
@pytest.mark.parametrize("cell", PAIRS)
def test_a_change_in_place_gives_the_gradients_of_one_apart(
    cell: str, options: str, given: dict[str, Any], listened: bool
) -> None:
    layer = PAIRS[cell][0](I, H, **(OPTIONS | OWN)[options]).eval()
    x = torch.randn(B, T, I) if options == "batch first" else torch.randn(T, B, I)
    for in_place, apart in CHANGES.values():
        wanted = answers(layer, x, apart, given=given)
        if listened:
            with Listening():
                found = answers(layer, x, in_place, given=given)
        else:
            found = answers(layer, x, in_place, given=given)
        for number, (a, b) in enumerate(zip(found, wanted, strict=True)):
            assert_same_bits(a, b, f"tensor {number}")


@pytest.mark.parametrize("cell", PAIRS)
def test_what_the_outputs_follow_from_may_not_be_changed_as_in_torch_nn(cell: str) -> None:
    for kind in PAIRS[cell]:
        layer, x = kind(I, H), torch.randn(T, B, I)
        y = layer(x)[0]
        x.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


def test_a_state_changed_after_it_was_passed_on_is_an_error() -> None:
    layer, x = elman.GRU(I, H), torch.randn(T, B, I)
    _, h = layer(x)
    y, _ = layer(x, h)
    h.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_second_derivatives_too_are_those_of_the_output_as_it_was() -> None:
    found = []
    for change in CHANGES["relu"]:
        torch.manual_seed(1)
        layer, x = elman.LSTM(I, H).double(), torch.randn(T, B, I).double().requires_grad_()
        y = change(layer(x)[0])
        (first,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
        found.append(torch.autograd.grad(first.square().sum(), [x, *layer.parameters()]))
    for a, b in zip(*found, strict=True):
        assert_same_bits(a, b, "gradient")


@pytest.mark.parametrize("cell", PAIRS)
def test_the_kernels_run_again_only_where_an_output_was_changed(
    cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, x, runs = PAIRS[cell][0](I, H, 2), torch.randn(T, B, I), []
    forward = kernel_run.forward

    def counted(*given: Any, **named: Any) -> Any:
        runs.append(1)
        return forward(*given, **named)

    monkeypatch.setattr(kernel_run, "forward", counted)
    layer(x)[0].sum().backward()
    assert len(runs) == 2
    y = layer(x)[0]
    y.add_(1)
    y.sum().backward()
    assert len(runs) == 5


@pytest.mark.parametrize("cell", PAIRS)
def test_an_output_is_freed_with_its_last_name(cell: str) -> None:
    layer = PAIRS[cell][0](I, H)
    gc.disable()
    try:
        y = layer(torch.randn(T, B, I))[0]
        alive = weakref.ref(y.grad_fn)
        del y
        assert alive() is None, "a cycle keeps the graph"
    finally:
        gc.enable()


@pytest.mark.parametrize("cell", PAIRS)
def test_what_is_kept_passes_through_hooks_of_saved_tensors(cell: str) -> None:
    layer, x = PAIRS[cell][0](I, H), torch.randn(T, B, I)
    wanted = answers(layer, x, lambda y: y)
    shapes = []

    def pack(tensor: Tensor) -> Tensor:
        shapes.append(tuple(tensor.shape))
        return tensor.clone()

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        found = answers(layer, x, lambda y: y)
    assert (T, B, H) in shapes
    for a, b in zip(found, wanted, strict=True):
        assert_same_bits(a, b, "tensor")
