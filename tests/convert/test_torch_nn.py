"""Layers from and to torch.nn: same numbers to the last bit, every option, every refusal."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import elman
from battery import DRAWN, assert_near, assert_same_bits
from elman.convert import from_torch, to_torch
from elman.errors import OptionError
from elman.layers import RecurrentLayer

pytestmark = pytest.mark.filterwarnings(
    # PyTorch says so of nn.LSTM itself; no other warning is let through.
    "ignore:LSTM with projections is not supported with oneDNN:UserWarning"
)

KINDS: dict[str, tuple[type[nn.RNNBase], type[RecurrentLayer], dict[str, Any]]] = {
    "tanh": (nn.RNN, elman.SimpleRNN, {}),
    "relu": (nn.RNN, elman.SimpleRNN, {"nonlinearity": "relu"}),
    "lstm": (nn.LSTM, elman.LSTM, {}),
    "projected lstm": (nn.LSTM, elman.LSTM, {"proj_size": 3}),
    "gru": (nn.GRU, elman.GRU, {}),
}
OPTIONS = st.fixed_dictionaries(
    {
        "num_layers": st.integers(1, 3),
        "bias": st.booleans(),
        "batch_first": st.booleans(),
        "bidirectional": st.booleans(),
        "dtype": st.sampled_from([torch.float32, torch.float64]),
    }
)
FEW = settings(DRAWN, max_examples=20)  # a kind; there are five
every_kind = pytest.mark.parametrize("kind", KINDS)


def build(kind: str, **options: Any) -> nn.RNNBase:
    torch_class, _, own = KINDS[kind]
    return torch_class(5, 7, **own, **options)


def run(module: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Name outputs, final state and the gradient of x and of every weight."""
    x = x.clone().requires_grad_()
    y, state = module(x)
    parts = state if isinstance(state, tuple) else (state,)
    values = {"y": y} | {f"state {place}": part for place, part in enumerate(parts)}
    generator = torch.Generator().manual_seed(3)
    total = sum(
        (value * torch.randn(value.shape, generator=generator).to(value)).sum()
        for value in values.values()
    )
    named = {"x": x} | dict(module.named_parameters())
    gradients = torch.autograd.grad(total, list(named.values()))  # type: ignore[arg-type]
    return values | {f"gradient of {n}": g for n, g in zip(named, gradients, strict=True)}


def assert_same_weights(one: nn.Module, other: nn.Module) -> None:
    ours, theirs = one.state_dict(), other.state_dict()
    assert list(ours) == list(theirs)
    for name, weight in theirs.items():
        assert_same_bits(ours[name], weight, name)


@every_kind
@FEW
@given(options=OPTIONS)
def test_a_layer_from_torch_gives_the_same_values_and_gradients_one_way_to_the_last_bit(
    kind: str, options: dict[str, Any]
) -> None:
    """Reversed rows are multiplied, and their gradients added, in another order: near, no more."""
    module = build(kind, **options)
    layer = from_torch(module, backend="torch")
    x = torch.randn(3, 4, 5, dtype=options["dtype"])
    theirs = run(module, x)
    for name, value in run(layer, x).items():
        if options["bidirectional"]:
            assert_near(value, theirs[name], name)
        else:
            assert_same_bits(value, theirs[name], name)


@every_kind
@FEW
@given(options=OPTIONS)
def test_to_torch_gives_back_the_module_that_from_torch_was_given(
    kind: str, options: dict[str, Any]
) -> None:
    module = build(kind, **options)
    layer = from_torch(module)
    assert type(layer) is KINDS[kind][1]
    back = to_torch(layer)
    assert type(back) is type(module)
    assert back.__dict__.keys() == module.__dict__.keys()
    for name, value in vars(module).items():
        if not name.startswith("_"):
            assert getattr(back, name) == value, name
    assert_same_weights(back, module)
    assert_same_weights(from_torch(back), layer)
    x = torch.randn(3, 4, 5, dtype=options["dtype"])
    assert_same_bits(back(x)[0], module(x)[0], "outputs")


@every_kind
def test_dropout_mode_and_frozen_weights_come_along_both_ways(kind: str) -> None:
    module = build(kind, num_layers=2, dropout=0.3).eval()
    module.get_parameter("weight_hh_l1").requires_grad_(False)
    layer = from_torch(module)
    for converted in (layer, to_torch(layer)):
        assert converted.dropout == 0.3
        assert not converted.training
        frozen = [name for name, w in converted.named_parameters() if not w.requires_grad]
        assert frozen == ["weight_hh_l1"]


@every_kind
def test_the_weights_are_copies_and_can_be_trained_apart(kind: str) -> None:
    module = build(kind)
    layer = from_torch(module)
    back = to_torch(layer)
    before = back.state_dict()["weight_ih_l0"].clone()
    with torch.no_grad():
        layer.get_parameter("weight_ih_l0").add_(1)
    assert_same_bits(module.get_parameter("weight_ih_l0"), before, "module")
    assert_same_bits(back.get_parameter("weight_ih_l0"), before, "back")


def test_converting_draws_no_random_numbers() -> None:
    module = nn.LSTM(5, 7)
    before = torch.get_rng_state()
    to_torch(from_torch(module))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_layer_stays_on_its_device() -> None:
    layer = from_torch(nn.GRU(5, 7, device="meta"))
    assert {weight.device.type for weight in layer.parameters()} == {"meta"}
    assert {weight.device.type for weight in to_torch(layer).parameters()} == {"meta"}


def test_the_backend_of_the_layer_can_be_chosen() -> None:
    assert from_torch(nn.GRU(5, 7), backend="reference").backend == "reference"
    with pytest.raises(OptionError, match="unknown backend 'refernce'; did you mean 'reference'"):
        from_torch(nn.GRU(5, 7), backend="refernce")


def test_a_layer_with_forget_bias_and_orthogonal_weights_is_a_torch_layer_all_the_same() -> None:
    layer = elman.LSTM(5, 7, forget_bias=1.0, recurrent_init="orthogonal")
    assert_same_weights(to_torch(layer), layer)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (
            lambda: elman.LSTM(5, 7, peephole=True),
            "torch.nn has no peepholes (peephole=True).",
        ),
        (
            lambda: elman.LSTM(5, 7, coupled_gates=True),
            "torch.nn has no coupled gates (coupled_gates=True).",
        ),
        (
            lambda: elman.GRU(5, 7, reset_after=False),
            "torch.nn has no GRU that resets before the product (reset_after=False).",
        ),
        (
            lambda: elman.SimpleRNN(5, 7, nonlinearity="sigmoid"),
            "torch.nn has no nonlinearity 'sigmoid'.",
        ),
        (
            lambda: elman.SimpleRNN(5, 7, nonlinearity="identity"),
            "torch.nn has no nonlinearity 'identity'.",
        ),
        (
            lambda: elman.GRU(5, 7, layer_norm=True),
            "torch.nn has no layer norm (layer_norm=True).",
        ),
        (
            lambda: elman.GRU(5, 7, zoneout=0.1),
            "torch.nn has no zoneout (zoneout=0.1), by which units keep a share of their old state "
            "in evaluation too.",
        ),
        (
            lambda: elman.GRU(5, 7, 2, residual=True),
            "torch.nn has no residual connections (residual=True).",
        ),
        (
            lambda: elman.GRU(5, 7, learn_initial_state=True),
            "torch.nn has no learned initial state (learn_initial_state=True).",
        ),
        (
            lambda: elman.GRU(5, 7, recurrent_dropout=0.2),
            "torch.nn has no recurrent dropout (recurrent_dropout=0.2), a regulariser of training; "
            "the state_dict fits a layer without it.",
        ),
        (
            lambda: elman.GRU(5, [7, 11]),
            "torch.nn has no stack of unequal sizes (hidden_size=[7, 11]).",
        ),
    ],
)
def test_to_torch_refuses_what_torch_has_not(layer: Any, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        to_torch(layer())
    advice = "Keep the elman layer, which is an nn.Module as well, or build one without it."
    assert str(caught.value) == f"{words} {advice}"


def test_other_modules_are_refused_by_name() -> None:
    with pytest.raises(OptionError, match=r"takes nn\.RNN, nn\.LSTM or nn\.GRU, got a LSTMCell"):
        from_torch(nn.LSTMCell(5, 7))  # type: ignore[arg-type]
    with pytest.raises(
        OptionError, match=r"elman\.SimpleRNN, elman\.LSTM or elman\.GRU, got a Bidirectional"
    ):
        to_torch(elman.Bidirectional(elman.GRU(5, 7), elman.GRU(5, 7)))  # type: ignore[arg-type]
