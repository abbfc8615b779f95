"""The step functions: what every option adds to the equations, their derivatives, their errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from battery import (
    VARIANTS,
    Variant,
    assert_near,
    assert_same_bits,
    draw_recurrence,
    every_variant,
)
from elman.cells import (
    CELLS,
    GRUState,
    LRUState,
    LSTMState,
    MinGRUState,
    MinLSTMState,
    SimpleState,
    SLSTMState,
    cell,
)
from elman.errors import OptionError
from elman.sequence import Recurrence, run

I, H, B = 3, 7, 5  # noqa: E741 — the axis legend
KNOWN = "gru, lru, lstm, mingru, minlstm, simple, slstm"
RECURRENT = [variant for variant in VARIANTS if variant.cell.reads_hidden]


def one_step(name: str, *, options: dict[str, Any] | None = None, **drawn: Any) -> Recurrence:
    """Draw what one step of a cell is given."""
    variant = Variant(cell(name, **(options or {})), drawn.pop("projected", False))
    return draw_recurrence(variant, steps=1, rows=B, inputs=I, hidden=H, **drawn)


def step(r: Recurrence, **weights: Any) -> tuple[Any, Any]:
    """Take the step, some of the weights replaced."""
    return r.cell.step(r.x[0], r.state, r.weights._replace(**weights))


def _differentiable(r: Recurrence) -> tuple[list[Tensor], Any]:
    """Return the tensors of a recurrence and a function of them that gives all its values."""
    kinds = (type(r.state), type(r.weights))
    tensors = [r.x, *r.state, *[w for w in r.weights if w is not None]]

    def values(x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        rest = iter(others)
        state = kinds[0](*[next(rest) for _ in r.state])
        weights = kinds[1](*[None if w is None else next(rest) for w in r.weights])
        result = run(Recurrence(r.cell, x, state, weights, state, lengths=r.lengths), "reference")
        return (result.output, *result.state)

    return [tensor.clone().requires_grad_() for tensor in tensors], values


@pytest.mark.sampled(3)
@pytest.mark.parametrize("layer_norm", [False, True], ids=["plain", "layer norm"])
@every_variant
def test_first_and_second_derivatives_are_those_of_finite_differences(
    variant: Variant, layer_norm: bool
) -> None:
    r = draw_recurrence(
        variant, steps=2, rows=2, inputs=2, hidden=3, lengths=[2, 1], layer_norm=layer_norm
    )
    tensors, values = _differentiable(replace(r, x=r.x.nan_to_num(0.5)))
    assert gradcheck(values, tensors)
    assert gradgradcheck(values, tensors, fast_mode=True)


def test_the_simple_cell_is_one_product_of_the_stacked_matrix_with_the_stacked_vector() -> None:
    r = one_step("simple")
    w = r.weights
    stacked_matrix = torch.cat([w.input, w.hidden], dim=1)
    stacked_vector = torch.cat([r.x[0], r.state.hidden], dim=1)
    (hidden,), gates = step(r)
    a = stacked_vector @ stacked_matrix.t() + (w.input_bias + w.hidden_bias)
    assert_near(gates.a, a, "a")
    assert_near(hidden, torch.tanh(a), "h")


@pytest.mark.parametrize(
    ("name", "g"),
    [
        ("tanh", torch.tanh),
        ("relu", lambda a: a.clamp(min=0)),
        ("sigmoid", lambda a: 1 / (1 + torch.exp(-a))),
        ("identity", lambda a: a),
    ],
)
def test_a_nonlinearity_is_applied_to_the_preactivation(name: str, g: Any) -> None:
    (hidden,), gates = step(one_step("simple", options={"nonlinearity": name}))
    assert_near(hidden, g(gates.a), "h")


@pytest.mark.parametrize("reset_after", [True, False])
def test_a_gru_keeps_its_state_when_the_update_gate_is_one(reset_after: bool) -> None:
    r = one_step("gru", options={"reset_after": reset_after})
    bias = r.weights.input_bias.clone()
    bias[H : 2 * H] = 1e3
    (hidden,), gates = step(r, input_bias=bias)
    assert bool((gates.z == 1).all())
    assert_same_bits(hidden, r.state.hidden, "h")


@pytest.mark.parametrize("reset_after", [True, False])
def test_a_gru_takes_the_candidate_when_the_update_gate_is_zero(reset_after: bool) -> None:
    r = one_step("gru", options={"reset_after": reset_after})
    bias = r.weights.input_bias.clone()
    bias[H : 2 * H] = -1e3
    (hidden,), gates = step(r, input_bias=bias)
    assert_same_bits(hidden, gates.n, "h")


def test_the_reset_gate_acts_after_the_product_or_before_it() -> None:
    after, before = one_step("gru"), one_step("gru", options={"reset_after": False})
    w, h, x = after.weights, after.state.hidden, after.x[0]
    bias = w.input_bias.clone()
    bias[:H] = -1e3
    closed = {"input_bias": bias}
    from_x = F.linear(x, w.input[2 * H :], bias[2 * H :])
    for form in (after, before):
        _, gates = form.cell.step(x, after.state, w._replace(**closed))
        assert bool((gates.r == 0).all())
        own = 0 if form is after else w.hidden_bias[2 * H :]
        assert_near(gates.n, torch.tanh(from_x + own), "n of a closed reset gate")
    _, open_after = after.cell.step(x, after.state, w)
    _, open_before = before.cell.step(x, after.state, w)
    r, recurrent = open_after.r, w.hidden[2 * H :]
    own = w.hidden_bias[2 * H :]
    from_x = F.linear(x, w.input[2 * H :], w.input_bias[2 * H :])
    assert_near(open_after.n, torch.tanh(from_x + r * F.linear(h, recurrent, own)), "n after")
    assert_near(open_before.n, torch.tanh(from_x + F.linear(r * h, recurrent, own)), "n before")


@pytest.mark.parametrize("peephole", [True, False])
def test_an_lstm_keeps_its_cell_when_it_forgets_nothing_and_takes_in_nothing(
    peephole: bool,
) -> None:
    r = one_step("lstm", options={"peephole": peephole})
    bias = r.weights.input_bias.clone()
    bias[:H], bias[H : 2 * H] = -1e3, 1e3
    state, gates = step(r, input_bias=bias)
    assert bool((gates.f == 1).all())
    assert bool((gates.i == 0).all())
    assert_same_bits(state.cell, r.state.cell, "c")
    assert_near(state.hidden, gates.o * torch.tanh(r.state.cell), "h")


def test_coupled_gates_forget_what_the_input_gate_leaves() -> None:
    r = one_step("lstm", options={"coupled_gates": True, "peephole": True})
    state, gates = step(r)
    assert_near(gates.f, 1 - gates.i, "f")
    assert_near(state.cell, r.state.cell + gates.i * (gates.g - r.state.cell), "c")


@pytest.mark.parametrize("coupled", [False, True])
def test_peepholes_of_zero_are_no_peepholes_and_each_feeds_its_own_gate(coupled: bool) -> None:
    r = one_step("lstm", options={"coupled_gates": coupled, "peephole": True})
    plain_state, plain = step(r, peephole=None)
    zero = torch.zeros_like(r.weights.peephole)
    assert_same_bits(step(r, peephole=zero)[0].cell, plain_state.cell, "c")
    for place, name in enumerate("io" if coupled else "ifo"):
        peephole = zero.clone()
        peephole[place * H : (place + 1) * H] = 0.7
        state, gates = step(r, peephole=peephole)
        read = state.cell if name == "o" else r.state.cell
        expected = torch.sigmoid(torch.logit(getattr(plain, name)) + 0.7 * read)
        if name == "o":
            assert_near(getattr(gates, name), expected, name)
            assert_same_bits(state.cell, plain_state.cell, "c")
        else:
            assert_near(getattr(gates, name), expected, name)
            assert_same_bits(gates.g, plain.g, "g")


def test_a_projection_maps_the_output_of_the_cell_to_h() -> None:
    r = one_step("lstm", projected=True)
    state, gates = step(r)
    assert state.hidden.shape == (B, H - 2)
    assert_near(state.hidden, (gates.o * torch.tanh(state.cell)) @ r.weights.projection.t(), "h")


def _normed(a: Tensor) -> Tensor:
    centred = a - a.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()


def test_layer_norm_of_the_simple_cell_norms_each_product_by_itself() -> None:
    r = one_step("simple", layer_norm=True)
    w = r.weights
    from_x = w.input_gain * _normed(r.x[0] @ w.input.t()) + w.input_bias
    from_h = w.hidden_gain * _normed(r.state.hidden @ w.hidden.t()) + w.hidden_bias
    assert_near(step(r)[1].a, from_x + from_h, "a")


def test_layer_norm_of_the_lstm_norms_all_gates_together_and_the_cell_before_the_output() -> None:
    r = one_step("lstm", layer_norm=True)
    w = r.weights
    from_x = w.input_gain * _normed(r.x[0] @ w.input.t()) + w.input_bias
    from_h = w.hidden_gain * _normed(r.state.hidden @ w.hidden.t()) + w.hidden_bias
    i, f, g, o = (from_x + from_h).chunk(4, -1)
    c = torch.sigmoid(f) * r.state.cell + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(w.cell_gain * _normed(c) + w.cell_bias)
    state, _ = step(r)
    assert_near(state.cell, c, "c")
    assert_near(state.hidden, h, "h")


@pytest.mark.parametrize("reset_after", [True, False])
def test_layer_norm_of_the_gru_norms_r_and_z_together_and_n_by_itself(reset_after: bool) -> None:
    r = one_step("gru", options={"reset_after": reset_after}, layer_norm=True)
    w, h = r.weights, r.state.hidden

    def parts(product: Tensor, gain: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        rz, n = product.split([2 * H, H], dim=-1)
        return (
            gain[: 2 * H] * _normed(rz) + bias[: 2 * H],
            gain[2 * H :] * _normed(n) + bias[2 * H :],
        )

    x_rz, x_n = parts(r.x[0] @ w.input.t(), w.input_gain, w.input_bias)
    h_rz, h_n = parts(h @ w.hidden.t(), w.hidden_gain, w.hidden_bias)
    reset, update = torch.sigmoid(x_rz + h_rz).chunk(2, -1)
    if not reset_after:
        product = torch.cat([h @ w.hidden[: 2 * H].t(), (reset * h) @ w.hidden[2 * H :].t()], -1)
        _, h_n = parts(product, w.hidden_gain, w.hidden_bias)
    n = torch.tanh(x_n + (reset * h_n if reset_after else h_n))
    (hidden,), _ = step(r)
    assert_near(hidden, n + update * (h - n), "h")


@pytest.mark.parametrize("variant", RECURRENT, ids=str)
def test_recurrent_dropout_reaches_the_recurrent_product_and_nothing_else(
    variant: Variant,
) -> None:
    r = draw_recurrence(variant, steps=1, mask=True)
    mask = r.weights.hidden_mask
    state, gates = step(r)
    dropped = r.state._replace(hidden=r.state.hidden * mask)
    expected, expected_gates = r.cell.step(r.x[0], dropped, r.weights._replace(hidden_mask=None))
    for name, gate, its in zip(gates._fields, gates, expected_gates, strict=True):
        assert_near(gate, its, name)
    if variant.cell.name == "gru":  # z ⊙ h still carries the whole of h
        carried = expected.hidden + gates.z * (r.state.hidden - dropped.hidden)
        assert_near(state.hidden, carried, "h")
    else:
        assert_near(state.hidden, expected.hidden, "h")


def test_a_cells_options_and_gates_are_told_in_their_order() -> None:
    assert str(cell("gru")) == "gru(reset_after=True)"
    assert str(cell("lstm", peephole=True)) == "lstm(peephole=True, coupled_gates=False)"
    assert str(cell("simple")) == "simple(nonlinearity='tanh')"
    assert cell("simple").gates == ("a",)
    assert cell("lstm").gates == ("i", "f", "g", "o")
    assert cell("lstm", coupled_gates=True).gates == ("i", "g", "o")
    assert cell("gru").gates == ("r", "z", "n")
    assert cell("mingru").gates == ("z", "n")
    assert cell("minlstm").gates == ("i", "f", "g")
    assert cell("slstm").gates == ("i", "f", "g", "o")
    states = {
        "simple": SimpleState,
        "lstm": LSTMState,
        "gru": GRUState,
        "mingru": MinGRUState,
        "minlstm": MinLSTMState,
        "lru": LRUState,
        "slstm": SLSTMState,
    }
    assert {name: family.variant().state for name, family in CELLS.items()} == states
    assert len({str(variant) for variant in VARIANTS}) == len(VARIANTS) == 19


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("gur", {}, rf"unknown cell 'gur'; did you mean 'gru'\? Known cells: {KNOWN}\."),
        ("transformer", {}, rf"unknown cell 'transformer'\. Known cells: {KNOWN}\."),
        (
            "lstm",
            {"peepholes": True},
            "unknown lstm option 'peepholes'; did you mean 'peephole'\\? "
            r"Known lstm options: coupled_gates, peephole\.",
        ),
        (
            "gru",
            {"peephole": True},
            r"unknown gru option 'peephole'\. Known gru options: reset_after\.",
        ),
        (
            "simple",
            {"nonlinearity": "relo"},
            r"unknown nonlinearity 'relo'; did you mean 'relu'\? Known nonlinearities: ",
        ),
    ],
)
def test_an_unknown_cell_option_or_value_is_refused_and_the_near_miss_offered(
    name: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        cell(name, **options)
