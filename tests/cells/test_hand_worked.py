"""Every cell against numbers worked from its equations in plain Python: no tensors, no torch.

H = I = 2, or H = 3 and P = 2 with a projection. Each gate and unit has numbers of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from battery import DRAWN, assert_near, draw
from elman.cells import (
    GRUState,
    GRUWeights,
    LSTMState,
    LSTMWeights,
    SimpleState,
    SimpleWeights,
    gru_reset_before_step,
    gru_step,
    lstm_coupled_step,
    lstm_step,
    simple_step,
)

Vector = Sequence[float]
Matrix = Sequence[Vector]

# What every cell below reads.
x = [0.7, -1.2]
h = [0.5, -0.3]
c = [0.9, -0.4]

# One gate a line: W, R, b and b′.
W_1, R_1, b_1, B_1 = [[0.3, -0.5], [0.8, 0.2]], [[-0.4, 0.6], [0.1, 0.9]], [0.11, -0.13], [0.2, 0.3]
W_2, R_2, b_2, B_2 = (
    [[-0.7, 0.4], [0.5, 0.6]],
    [[0.7, -0.2], [-0.8, 0.3]],
    [-0.23, 0.17],
    [0.1, -0.4],
)
W_3, R_3, b_3, B_3 = [[0.9, 0.1], [-0.3, 0.7]], [[0.2, 0.5], [0.6, -0.1]], [0.29, 0.31], [-0.5, 0.6]
W_4, R_4, b_4, B_4 = (
    [[-0.2, 0.8], [0.4, -0.6]],
    [[-0.9, 0.4], [0.3, 0.8]],
    [-0.37, 0.41],
    [0.7, -0.8],
)

# Gains of layer norm, one gate a line: of W x and of R h.
G_1, K_1 = [1.1, 0.7], [0.6, 1.3]
G_2, K_2 = [0.9, 1.2], [1.4, 0.8]
G_3, K_3 = [0.5, 1.5], [1.2, 0.4]
G_4, K_4 = [1.3, 0.6], [0.7, 1.1]


def dot(row: Vector, vector: Vector) -> float:
    return sum(a * b for a, b in zip(row, vector, strict=True))


def times(matrix: Matrix, vector: Vector) -> list[float]:
    return [dot(row, vector) for row in matrix]


def plus(*vectors: Vector) -> list[float]:
    return [sum(parts) for parts in zip(*vectors, strict=True)]


def each(a: Vector, b: Vector) -> list[float]:
    """Multiply unit by unit: a ⊙ b."""
    return [p * q for p, q in zip(a, b, strict=True)]


def sigmoid(a: Vector) -> list[float]:
    return [1 / (1 + math.exp(-v)) for v in a]


def tanh(a: Vector) -> list[float]:
    return [math.tanh(v) for v in a]


def rest(a: Vector) -> list[float]:
    """What is left to one: 1 − a."""
    return [1 - v for v in a]


def normed(values: Vector) -> list[float]:
    """Subtract the mean and divide by the standard deviation, ε = 1e−5 under the root."""
    mean = sum(values) / len(values)
    variance = sum((v - mean) ** 2 for v in values) / len(values)
    return [(v - mean) / math.sqrt(variance + 1e-5) for v in values]


def tensor(*rows: Sequence[float] | Matrix) -> Tensor:
    """Stack the rows, or the numbers, of all gates."""
    return torch.tensor([row for gate in rows for row in gate], dtype=torch.float64)


def row(vector: Vector) -> Tensor:
    """Make a batch of one."""
    return torch.tensor([vector], dtype=torch.float64)


def assert_is(actual: Tensor, worked: Vector, name: str) -> None:
    assert_near(actual, row(worked), name)


@pytest.mark.parametrize(
    ("nonlinearity", "g"),
    [
        ("tanh", tanh),
        ("sigmoid", sigmoid),
        ("relu", lambda a: [max(0.0, v) for v in a]),
        ("identity", lambda a: a),
    ],
)
def test_the_simple_cell_is_g_of_w_x_plus_r_h_plus_b(
    nonlinearity: str, g: Callable[[Vector], list[float]]
) -> None:
    a = [
        0.3 * 0.7 + -0.5 * -1.2 + 0.11 + -0.4 * 0.5 + 0.6 * -0.3 + 0.2,
        0.8 * 0.7 + 0.2 * -1.2 + -0.13 + 0.1 * 0.5 + 0.9 * -0.3 + 0.3,
    ]
    weights = SimpleWeights(tensor(W_1), tensor(R_1), tensor(b_1), tensor(B_1))
    state, gates = simple_step(row(x), SimpleState(row(h)), weights, nonlinearity=nonlinearity)
    assert_is(gates.a, a, "a")
    assert_is(state.hidden, g(a), "h")


def test_relu_of_the_simple_cell_cuts_a_negative_sum_to_zero() -> None:
    a = [
        -0.7 * 0.7 + 0.4 * -1.2 + -0.23 + 0.7 * 0.5 + -0.2 * -0.3,
        0.5 * 0.7 + 0.6 * -1.2 + 0.17 + -0.8 * 0.5 + 0.3 * -0.3,
    ]
    weights = SimpleWeights(tensor(W_2), tensor(R_2), tensor(b_2))
    state, gates = simple_step(row(x), SimpleState(row(h)), weights, nonlinearity="relu")
    assert_is(gates.a, a, "a")
    assert max(a) < 0
    assert state.hidden.tolist() == [[0.0, 0.0]]


def test_the_simple_cell_with_layer_norm_norms_w_x_and_r_h_each_on_its_own() -> None:
    a = plus(each(G_1, normed(times(W_1, x))), b_1, each(K_1, normed(times(R_1, h))), B_1)
    weights = SimpleWeights(
        tensor(W_1), tensor(R_1), tensor(b_1), tensor(B_1), tensor(G_1), tensor(K_1)
    )
    state, _ = simple_step(row(x), SimpleState(row(h)), weights)
    assert_is(state.hidden, tanh(a), "h")


@DRAWN
@given(inputs=st.integers(1, 11), hidden=st.integers(1, 11), rows=st.integers(1, 5))
def test_the_simple_cell_is_one_product_of_the_stacked_matrix_and_the_stacked_vector(
    inputs: int, hidden: int, rows: int
) -> None:
    """The lecture's form: W x + R h + b = (W | R) (x; h) + b."""
    w, r, b = draw(hidden, inputs), draw(hidden, hidden), draw(hidden)
    inputs_drawn, state = draw(rows, inputs), draw(rows, hidden)
    stacked_matrix = torch.cat([w, r], dim=1)
    stacked_vector = torch.cat([inputs_drawn, state], dim=1)
    _, gates = simple_step(inputs_drawn, SimpleState(state), SimpleWeights(w, r, b))
    assert_near(gates.a, stacked_vector @ stacked_matrix.T + b, "a")


def test_the_lecture_form_of_the_simple_cell_in_numbers() -> None:
    stacked_matrix = [[*W_1[0], *R_1[0]], [*W_1[1], *R_1[1]]]
    stacked_vector = [*x, *h]
    a = plus(times(stacked_matrix, stacked_vector), b_1)
    _, gates = simple_step(
        row(x), SimpleState(row(h)), SimpleWeights(tensor(W_1), tensor(R_1), tensor(b_1))
    )
    assert_is(gates.a, a, "a")


def lstm_weights() -> LSTMWeights:
    """Gates i f g o: 1 2 3 4."""
    return LSTMWeights(
        tensor(W_1, W_2, W_3, W_4),
        tensor(R_1, R_2, R_3, R_4),
        tensor(b_1, b_2, b_3, b_4),
        tensor(B_1, B_2, B_3, B_4),
    )


def test_the_lstm_is_its_equations() -> None:
    i = sigmoid(plus(times(W_1, x), times(R_1, h), b_1, B_1))
    f = sigmoid(plus(times(W_2, x), times(R_2, h), b_2, B_2))
    g = tanh(plus(times(W_3, x), times(R_3, h), b_3, B_3))
    o = sigmoid(plus(times(W_4, x), times(R_4, h), b_4, B_4))
    cell = plus(each(f, c), each(i, g))
    state, gates = lstm_step(row(x), LSTMState(row(h), row(c)), lstm_weights())
    for name, worked in {"i": i, "f": f, "g": g, "o": o}.items():
        assert_is(getattr(gates, name), worked, name)
    assert_is(state.cell, cell, "c")
    assert_is(state.hidden, each(o, tanh(cell)), "h")


def test_peepholes_let_i_and_f_read_the_old_cell_and_o_the_new_one() -> None:
    p_i, p_f, p_o = [0.6, -0.9], [-0.7, 0.5], [1.1, 0.8]
    i = sigmoid(plus(times(W_1, x), times(R_1, h), b_1, B_1, each(p_i, c)))
    f = sigmoid(plus(times(W_2, x), times(R_2, h), b_2, B_2, each(p_f, c)))
    g = tanh(plus(times(W_3, x), times(R_3, h), b_3, B_3))
    cell = plus(each(f, c), each(i, g))
    o = sigmoid(plus(times(W_4, x), times(R_4, h), b_4, B_4, each(p_o, cell)))
    weights = lstm_weights()._replace(peephole=tensor(p_i, p_f, p_o))
    state, _ = lstm_step(row(x), LSTMState(row(h), row(c)), weights)
    assert_is(state.cell, cell, "c")
    assert_is(state.hidden, each(o, tanh(cell)), "h")


@pytest.mark.parametrize("peephole", [False, True])
def test_coupled_gates_forget_what_the_input_gate_leaves(peephole: bool) -> None:
    p_i, p_o = ([0.6, -0.9], [1.1, 0.8]) if peephole else ([0.0, 0.0], [0.0, 0.0])
    i = sigmoid(plus(times(W_1, x), times(R_1, h), b_1, B_1, each(p_i, c)))
    g = tanh(plus(times(W_2, x), times(R_2, h), b_2, B_2))
    cell = plus(each(rest(i), c), each(i, g))
    o = sigmoid(plus(times(W_3, x), times(R_3, h), b_3, B_3, each(p_o, cell)))
    weights = LSTMWeights(
        tensor(W_1, W_2, W_3),
        tensor(R_1, R_2, R_3),
        tensor(b_1, b_2, b_3),
        tensor(B_1, B_2, B_3),
        peephole=tensor(p_i, p_o) if peephole else None,
    )
    state, gates = lstm_coupled_step(row(x), LSTMState(row(h), row(c)), weights)
    assert_is(gates.f, rest(i), "f")
    assert_is(state.cell, cell, "c")
    assert_is(state.hidden, each(o, tanh(cell)), "h")


def test_a_projection_maps_what_the_output_gate_lets_through() -> None:
    cell_before = [0.9, -0.4, 0.2]
    w_i, r_i = [[0.3, -0.5], [0.8, 0.2], [-0.6, 0.1]], [[-0.4, 0.6], [0.1, 0.9], [0.5, -0.2]]
    w_f, r_f = [[-0.7, 0.4], [0.5, 0.6], [0.2, 0.9]], [[0.7, -0.2], [-0.8, 0.3], [0.4, 0.6]]
    w_g, r_g = [[0.9, 0.1], [-0.3, 0.7], [0.4, -0.8]], [[0.2, 0.5], [0.6, -0.1], [-0.7, 0.3]]
    w_o, r_o = [[-0.2, 0.8], [0.4, -0.6], [0.7, 0.5]], [[-0.9, 0.4], [0.3, 0.8], [0.1, -0.5]]
    projection = [[0.5, -0.4, 0.9], [0.3, 0.8, -0.6]]
    i = sigmoid(plus(times(w_i, x), times(r_i, h)))
    f = sigmoid(plus(times(w_f, x), times(r_f, h)))
    g = tanh(plus(times(w_g, x), times(r_g, h)))
    o = sigmoid(plus(times(w_o, x), times(r_o, h)))
    cell = plus(each(f, cell_before), each(i, g))
    hidden = times(projection, each(o, tanh(cell)))
    weights = LSTMWeights(
        tensor(w_i, w_f, w_g, w_o), tensor(r_i, r_f, r_g, r_o), projection=tensor(projection)
    )
    state, _ = lstm_step(row(x), LSTMState(row(h), row(cell_before)), weights)
    assert_is(state.cell, cell, "c")
    assert_is(state.hidden, hidden, "h")


def test_layer_norm_of_the_lstm_spans_all_gates_and_the_cell_it_reads() -> None:
    gain_c, bias_c = [1.2, 0.7], [0.3, -0.2]
    w_x = normed([*times(W_1, x), *times(W_2, x), *times(W_3, x), *times(W_4, x)])
    r_h = normed([*times(R_1, h), *times(R_2, h), *times(R_3, h), *times(R_4, h)])
    i = sigmoid(plus(each(G_1, w_x[0:2]), b_1, each(K_1, r_h[0:2]), B_1))
    f = sigmoid(plus(each(G_2, w_x[2:4]), b_2, each(K_2, r_h[2:4]), B_2))
    g = tanh(plus(each(G_3, w_x[4:6]), b_3, each(K_3, r_h[4:6]), B_3))
    o = sigmoid(plus(each(G_4, w_x[6:8]), b_4, each(K_4, r_h[6:8]), B_4))
    cell = plus(each(f, c), each(i, g))
    hidden = each(o, tanh(plus(each(gain_c, normed(cell)), bias_c)))
    weights = lstm_weights()._replace(
        input_gain=tensor(G_1, G_2, G_3, G_4),
        hidden_gain=tensor(K_1, K_2, K_3, K_4),
        cell_gain=tensor(gain_c),
        cell_bias=tensor(bias_c),
    )
    state, _ = lstm_step(row(x), LSTMState(row(h), row(c)), weights)
    assert_is(state.cell, cell, "c, which the next step reads without the norm")
    assert_is(state.hidden, hidden, "h")


def gru_weights() -> GRUWeights:
    """Gates r z n: 1 2 3."""
    return GRUWeights(
        tensor(W_1, W_2, W_3), tensor(R_1, R_2, R_3), tensor(b_1, b_2, b_3), tensor(B_1, B_2, B_3)
    )


def test_the_gru_that_resets_after_the_product_is_its_equations() -> None:
    r = sigmoid(plus(times(W_1, x), b_1, times(R_1, h), B_1))
    z = sigmoid(plus(times(W_2, x), b_2, times(R_2, h), B_2))
    n = tanh(plus(times(W_3, x), b_3, each(r, plus(times(R_3, h), B_3))))
    state, gates = gru_step(row(x), GRUState(row(h)), gru_weights())
    for name, worked in {"r": r, "z": z, "n": n}.items():
        assert_is(getattr(gates, name), worked, name)
    assert_is(state.hidden, plus(each(rest(z), n), each(z, h)), "h")


def test_the_gru_that_resets_before_the_product_is_its_equations() -> None:
    r = sigmoid(plus(times(W_1, x), b_1, times(R_1, h), B_1))
    z = sigmoid(plus(times(W_2, x), b_2, times(R_2, h), B_2))
    n = tanh(plus(times(W_3, x), b_3, times(R_3, each(r, h)), B_3))
    state, gates = gru_reset_before_step(row(x), GRUState(row(h)), gru_weights())
    for name, worked in {"r": r, "z": z, "n": n}.items():
        assert_is(getattr(gates, name), worked, name)
    assert_is(state.hidden, plus(each(rest(z), n), each(z, h)), "h")


@pytest.mark.parametrize("reset_after", [True, False])
def test_layer_norm_of_the_gru_spans_r_and_z_together_and_n_alone(reset_after: bool) -> None:
    rz_x, rz_h = normed([*times(W_1, x), *times(W_2, x)]), normed([*times(R_1, h), *times(R_2, h)])
    r = sigmoid(plus(each(G_1, rz_x[0:2]), b_1, each(K_1, rz_h[0:2]), B_1))
    z = sigmoid(plus(each(G_2, rz_x[2:4]), b_2, each(K_2, rz_h[2:4]), B_2))
    n_x = plus(each(G_3, normed(times(W_3, x))), b_3)
    if reset_after:
        n = tanh(plus(n_x, each(r, plus(each(K_3, normed(times(R_3, h))), B_3))))
    else:
        n = tanh(plus(n_x, each(K_3, normed(times(R_3, each(r, h)))), B_3))
    weights = gru_weights()._replace(
        input_gain=tensor(G_1, G_2, G_3), hidden_gain=tensor(K_1, K_2, K_3)
    )
    step = gru_step if reset_after else gru_reset_before_step
    state, _ = step(row(x), GRUState(row(h)), weights)
    assert_is(state.hidden, plus(each(rest(z), n), each(z, h)), "h")


def test_numbers_that_need_no_machine() -> None:
    """σ(ln 3) = 3/4 and tanh(ln 3) = 4/5, so a GRU and an LSTM can be worked on paper."""
    ln3 = math.log(3)
    gru = GRUWeights(tensor([[0.0]] * 3), tensor([[0.0]] * 3), tensor([ln3, ln3, ln3]))
    state, _ = gru_step(row([1.0]), GRUState(row([2.0])), gru)
    assert_is(state.hidden, [1 / 4 * 4 / 5 + 3 / 4 * 2], "h of the GRU")
    lstm = LSTMWeights(tensor([[0.0]] * 4), tensor([[0.0]] * 4), tensor([ln3, -ln3, ln3, ln3]))
    cell_state, _ = lstm_step(row([1.0]), LSTMState(row([0.0]), row([2.0])), lstm)
    assert_is(cell_state.cell, [1 / 4 * 2 + 3 / 4 * 4 / 5], "c of the LSTM")
