"""Derivatives of the kernels' derivatives: by hand they are those of the reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradgradcheck

import elman
from battery import (
    LENGTHS,
    Named,
    T,
    Variant,
    assert_all_near,
    assert_near,
    both_directions,
    draw,
    draw_recurrence,
    every_kernel_variant,
    leaves_of,
    to_dtype,
)
from elman.cells import cell
from elman.sequence import Recurrence, run, second_order
from elman.sequence.kernel_call import Call, Run, Tensors

LSTM = Variant(cell("lstm", peephole=True), True)
GRU = Variant(cell("gru"), False)
LAYERS: dict[str, tuple[Callable[..., nn.Module], Callable[..., nn.Module]]] = {
    "simple": (elman.SimpleRNN, nn.RNN),
    "lstm": (elman.LSTM, nn.LSTM),
    "gru": (elman.GRU, nn.GRU),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "resets": {"lengths": LENGTHS, "cuts": True},
    "zoneout": {"zoneout": "probabilities"},
    "zoneout's masks": {"zoneout": "masks"},
    "recurrent dropout": {"mask": True},
}


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an error of every derivative that the reference computes."""

    def refuse(*_: Any) -> Any:
        raise AssertionError("the reference was differentiated")

    monkeypatch.setattr(second_order, "by_reference", refuse)


def derivatives(
    r: Recurrence, backend: str, asked: Callable[[str], bool] = lambda _: True, order: int = 2
) -> Named:
    """Differentiate outputs and final states, the results again, and so on; name what comes out.

    Args:
        r: the recurrence.
        backend: what runs it.
        asked: tells by its name whether a leaf is differentiated by.
        order: how often.
    """
    mask = r.weights.hidden_mask
    changed, leaves = leaves_of(r)
    changed = replace(changed, weights=changed.weights._replace(hidden_mask=mask))
    result = run(changed, backend)
    values = [result.output, *result.state]
    by = {
        name: leaf
        for name, leaf in leaves.items()
        if asked(name) and "mask" not in name and (r.resets is not None or "fresh" not in name)
    }
    found: Named = {}
    generator = torch.Generator().manual_seed(3)
    for number in range(1, order + 1):
        shapes = [value.shape for value in values]
        cotangents = [
            torch.randn(shape, generator=generator, dtype=torch.float64).to(r.x.dtype)
            for shape in shapes
        ]
        by |= {f"cotangent {number} {i}": c.requires_grad_() for i, c in enumerate(cotangents)}
        if number == order:
            cotangents = [c.detach() for c in cotangents]
        values = list(
            torch.autograd.grad(
                values,
                list(by.values()),
                cotangents,
                create_graph=number < order,
                materialize_grads=True,
            )
        )
        found |= {f"order {number}, {n}": v for n, v in zip(by, values, strict=True)}
    return {name: value.detach() for name, value in found.items()}


@pytest.mark.sampled(3)
@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize("time", [{}, {"lengths": LENGTHS}], ids=["dense", "ragged"])
@both_directions
@every_kernel_variant
def test_by_hand_they_are_those_of_the_reference(
    variant: Variant, reverse: bool, time: dict[str, Any]
) -> None:
    r = draw_recurrence(variant, reverse=reverse, **time)
    assert_all_near(derivatives(r, "native"), derivatives(r, "reference"))


@pytest.mark.sampled(3)
@pytest.mark.usefixtures("by_hand")
@both_directions
@every_kernel_variant
def test_in_float32_they_are_near_the_truth(variant: Variant, reverse: bool) -> None:
    r = draw_recurrence(variant, reverse=reverse, lengths=LENGTHS)
    found = derivatives(to_dtype(r, torch.float32), "native")
    truth = derivatives(r, "reference")
    assert_all_near(found, truth, "truth")


@pytest.mark.sampled(3)
@pytest.mark.usefixtures("by_hand")
@both_directions
@every_kernel_variant
def test_they_are_those_of_finite_differences(variant: Variant, reverse: bool) -> None:
    r = draw_recurrence(variant, steps=3, rows=3, inputs=2, hidden=3, reverse=reverse)
    r, leaves = leaves_of(replace(r, lengths=torch.tensor([3, 0, 2])))
    used = [leaf for name, leaf in leaves.items() if "fresh" not in name]

    def values(*_: Tensor) -> tuple[Tensor, ...]:
        result = run(r, "native")
        return (result.output, *result.state)

    assert "relu" in str(variant) or gradgradcheck(values, used, fast_mode=True)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("asked", ["x", "weights", "state"])
@pytest.mark.usefixtures("by_hand")
@every_kernel_variant
def test_by_some_of_the_leaves_alone(variant: Variant, asked: str) -> None:
    def is_asked(name: str) -> bool:
        return name.startswith(asked)

    r = draw_recurrence(variant, lengths=LENGTHS)
    found, wanted = (derivatives(r, backend, is_asked) for backend in ("native", "reference"))
    assert_all_near(found, wanted)


@pytest.mark.sampled(3)
@both_directions
@every_kernel_variant
def test_third_derivatives_are_those_of_the_reference(variant: Variant, reverse: bool) -> None:
    r = draw_recurrence(variant, reverse=reverse, steps=3, lengths=[2, 0, 3, 1, 2])
    found, wanted = (derivatives(r, each, order=3) for each in ("native", "reference"))
    assert_all_near(found, wanted)


@pytest.mark.parametrize("option", OPTIONS)
@every_kernel_variant
def test_what_is_not_derived_by_hand_is_the_reference(variant: Variant, option: str) -> None:
    r = draw_recurrence(variant, **OPTIONS[option])
    found, wanted = (derivatives(r, backend) for backend in ("native", "reference"))
    assert_all_near(found, wanted)


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("resets", "there are resets"),
        ("zoneout", "there is zoneout"),
        ("zoneout's masks", "there is zoneout"),
        ("recurrent dropout", "there is recurrent dropout"),
    ],
)
def test_what_is_not_derived_by_hand_is_said(
    monkeypatch: pytest.MonkeyPatch, option: str, reason: str
) -> None:
    said: list[str | None] = []
    ask = second_order.why_not

    def listen(tensors: Tensors, call: Call) -> str | None:
        said.append(ask(tensors, call))
        return said[-1]

    monkeypatch.setattr(second_order, "why_not", listen)
    derivatives(draw_recurrence(GRU), "native")
    derivatives(draw_recurrence(GRU, **OPTIONS[option]), "native")
    assert said == [None, reason]


def test_a_kernel_without_coefficients_is_left_to_the_reference() -> None:
    call = Call((Run("lru", "tanh", reverse=False, rates=(0.0, 0.0)),), "gradient")
    words = "nobody has derived the coefficients of lru"
    assert second_order.why_not([None] * 16, call) == words


@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize("name", LAYERS)
def test_a_stack_in_both_directions_has_those_of_torch_nn(name: str) -> None:
    options = {"num_layers": 2, "bidirectional": True}
    ours, theirs = (kind(3, 4, **options).double() for kind in LAYERS[name])
    theirs.load_state_dict(ours.state_dict())
    x, first = draw(5, 3, 3), draw(4, 3, 4)
    found, wanted = (_penalty(layer, x, first) for layer in (ours, theirs))
    for place, (mine, peers) in enumerate(zip(found, wanted, strict=True)):
        assert_near(mine, peers, f"gradient {place}")


def _penalty(layer: nn.Module, x: Tensor, first: Tensor) -> Sequence[Tensor]:
    """Differentiate a penalty of the gradients by x, h0 and the weights by all of them."""
    leaves = [x.clone().requires_grad_(), first.clone().requires_grad_()]
    state = (leaves[1], leaves[1] / 2) if "LSTM" in type(layer).__name__ else leaves[1]
    y, last = layer(leaves[0], state)
    last = last if isinstance(last, Tensor) else last[0] * last[1]
    by = [*leaves, *layer.parameters()]
    slopes = torch.autograd.grad(y.square().sum() + last.sin().sum(), by, create_graph=True)
    return torch.autograd.grad(sum(slope.square().sum() for slope in slopes), by)  # type: ignore[arg-type, union-attr]


@pytest.mark.usefixtures("by_hand")
def test_an_output_changed_in_place_between_two_derivatives_changes_neither() -> None:
    found = []
    for change in (False, True):
        torch.manual_seed(2)
        r, leaves = leaves_of(draw_recurrence(LSTM, lengths=LENGTHS))
        y = run(r, "native").output
        cotangent = draw(*y.shape).requires_grad_()
        (slope,) = torch.autograd.grad(y, leaves["x"], cotangent, create_graph=True)
        if change:
            y.data.mul_(2)
        by = [leaves["weights.hidden"], cotangent]
        found.append(torch.autograd.grad(slope.nan_to_num().square().sum(), by))
    for mine, other in zip(*found, strict=True):
        assert_near(mine, other, "gradient")


@pytest.mark.usefixtures("by_hand")
def test_a_graph_that_is_kept_gives_the_same_twice() -> None:
    r, leaves = leaves_of(draw_recurrence(GRU))
    y = run(r, "native").output
    (slope,) = torch.autograd.grad(y.sum(), leaves["x"], create_graph=True)
    penalty, by = slope.square().sum(), list(leaves.values())[:4]
    first = torch.autograd.grad(penalty, by, retain_graph=True)
    for mine, other in zip(torch.autograd.grad(penalty, by), first, strict=True):
        assert torch.equal(mine, other)


@pytest.mark.usefixtures("by_hand")
def test_a_padded_gradient_and_autocast_change_nothing() -> None:
    r, leaves = leaves_of(draw_recurrence(LSTM, lengths=LENGTHS))
    y = run(r, "native").output
    ended = torch.arange(T).unsqueeze(1) >= torch.tensor(LENGTHS)
    found = []
    for filled, cast in ((0.0, False), (torch.nan, True)):
        torch.manual_seed(4)
        cotangent = draw(*y.shape)
        cotangent[ended] = filled
        with torch.autocast("cpu", torch.bfloat16, enabled=cast):
            (slope,) = torch.autograd.grad(y, leaves["x"], cotangent, create_graph=True)
            turn = draw(*slope.shape)
            turn[ended] = filled
            found += torch.autograd.grad(slope, leaves["weights.hidden"], turn)
    assert torch.equal(*found)


@pytest.mark.usefixtures("by_hand")
def test_what_would_grow_without_bounds_after_a_rows_end_does_not() -> None:
    r = draw_recurrence(Variant(cell("simple", nonlinearity="identity"), False), steps=400)
    large = r.weights._replace(hidden=10 * r.weights.hidden)
    r = replace(r, weights=large, lengths=torch.tensor([2, 0, 1, 2, 2]))
    assert_all_near(derivatives(r, "native"), derivatives(r, "reference"))


def test_only_what_is_asked_for_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[str]] = []
    compute = second_order.first_of

    def listen(*arguments: Any) -> Any:
        asked.append(arguments[-1])
        return compute(*arguments)

    monkeypatch.setattr(second_order, "first_of", listen)
    layer, x = elman.LSTM(3, 4), torch.randn(5, 2, 3, requires_grad=True)
    y = layer(x)[0].sum()
    for by in ([x], [layer.weight_hh_l0, layer.bias_ih_l0], [x, *layer.parameters()]):
        torch.autograd.grad(y, by, create_graph=True)
    everything = ["x", "input", "hidden", "input_bias", "hidden_bias"]
    assert asked == [["x"], ["hidden", "input_bias"], everything]
