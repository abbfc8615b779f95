"""What Keras' own tests ask of its recurrent layers, asked of Elman's.

README.md lists every test of theirs. Their numbers are the oracle: what Keras computes of 0, 1, 2 …
with all weights constant. The weights come in through `elman.convert.from_keras_weights`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import elman
from elman.convert import from_keras_weights, to_keras_weights
from elman.errors import ShapeError
from elman.layers import RecurrentLayer

GATES = {"simple": 1, "lstm": 4, "gru": 3}
HOLES = [[True, True, False, True], [True, False, False, True]]
Rows = Sequence[Sequence[float]]


def constant(
    cell: str, inputs: int, units: int, values: tuple[float, float, float] | None = None,
    *, use_bias: bool = True, unit_forget_bias: bool = True, **options: Any,
) -> RecurrentLayer:  # fmt: skip
    """Build the layer of a Keras layer whose kernel, recurrent kernel and bias are constant."""
    kernel, recurrent, bias = values or (0.01, 0.02, 0.03)
    wide = GATES[cell] * units
    arrays = [np.full((inputs, wide), kernel), np.full((units, wide), recurrent)]
    if use_bias:
        two = cell == "gru" and options.get("reset_after", True)
        arrays.append(np.full((2, wide) if two else (wide,), bias))
        if cell == "lstm" and unit_forget_bias:
            arrays[-1][units : 2 * units] = 1
    return from_keras_weights(cell, [a.astype(np.float32) for a in arrays], **options)


def counted(*shape: int) -> Tensor:
    """Count 0, 1, 2 … through a tensor, (B, T, I)."""
    return torch.arange(float(torch.Size(shape).numel())).reshape(shape)


def both_ways(forward: RecurrentLayer, backward: RecurrentLayer | None = None) -> Any:
    """Join a layer and one that goes backwards: by default its like."""
    if backward is None:
        backward = from_keras_weights(
            forward.options.cell.name, to_keras_weights(forward)[0], **forward.options.cell.options
        )
    return elman.Bidirectional(forward, backward)


def last(state: Any) -> Tensor:
    """Give what Keras returns without return_sequences: the last output, (B, H)."""
    return (state[0] if isinstance(state, tuple) else state)[-1].detach()


def backwards(layer: RecurrentLayer, x: Tensor, state: Any = None, **arguments: Any) -> Tensor:
    """Give what a Keras layer with go_backwards returns."""
    _, (_, ended) = both_ways(layer)(x, (None, state), **arguments)
    return last(ended)


def unmasked(x: Tensor, mask: Sequence[Sequence[bool]]) -> dict[str, Any]:
    """Take out the steps that a mask leaves out; each row is then as long as its mask has steps."""
    rows = [row[torch.tensor(steps)] for row, steps in zip(x, mask, strict=True)]
    return {
        "input": nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=torch.nan),
        "lengths": [len(row) for row in rows],
    }


def assert_keras(actual: Tensor, expected: Any) -> None:
    """Assert Keras' numbers, to the digits that its tests have."""
    numbers = torch.tensor(expected, dtype=torch.float32)
    numbers = numbers.reshape(*actual.shape[:-1], -1).expand(actual.shape)
    torch.testing.assert_close(actual.detach(), numbers, atol=2e-6, rtol=2e-6)


# One layer


@pytest.mark.parametrize(
    ("cell", "shape", "units", "options", "forward", "backward"),
    [
        ("lstm", (3, 6, 4), 3, {}, [0.6288687, 0.86899155, 0.9460773],
         [0.35622165, 0.74789524, 0.8872726]),
        ("lstm", (3, 6, 4), 3, {"unit_forget_bias": False}, [0.57019705, 0.8661914, 0.9459622],
         None),
        ("lstm", (3, 6, 4), 3, {"use_bias": False}, [0.54986924, 0.86226785, 0.9443936], None),
        ("gru", (3, 6, 4), 3, {}, [0.5217289, 0.6371659, 0.39384964],
         [0.24406259, 0.611516, 0.3928808]),
        ("gru", (3, 6, 4), 3, {"reset_after": False}, [0.51447755, 0.6426879, 0.40208298], None),
        ("gru", (3, 6, 4), 3, {"use_bias": False}, [0.49988455, 0.64701194, 0.4103359], None),
        ("simple", (2, 3, 4), 4, {}, [0.405432, 0.73605347], [0.11144729, 0.5528889]),
    ],
)  # fmt: skip
def test_the_last_outputs_are_keras_numbers(
    cell: str, shape: tuple[int, ...], units: int, options: dict[str, Any],
    forward: list[float], backward: list[float] | None,
) -> None:  # fmt: skip
    # lstm, gru, simple_rnn: test_correctness; gru: test_legacy_implementation_argument
    layer = constant(cell, shape[-1], units, **options)
    assert_keras(last(layer(counted(*shape))[1]), forward)
    if backward is not None:
        assert_keras(backwards(layer, counted(*shape)), backward)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("lstm", [0.3124785, 0.6863672]),
        ("gru", [0.29542392, 0.5885018]),
        ("simple", [0.40559256, 0.7361247]),
    ],
)
def test_a_state_carried_on_is_a_stateful_layer(cell: str, expected: list[float]) -> None:
    # lstm, gru, simple_rnn: test_statefulness
    layer, x = constant(cell, 4, 4), counted(2, 3, 4)
    for _ in range(2):  # without a state the layer has forgotten, as after reset_state
        _, state = layer(x)
        assert_keras(last(layer(x, state)[1]), expected)


@pytest.mark.parametrize(
    ("cell", "units", "forward", "backward"),
    [
        ("lstm", 2, [[0.20574439, 0.3558822], [0.64930826, 0.66276]],
         [[0.13281618, 0.2790356], [0.5839337, 0.5992567]]),
        ("gru", 2, [[0.23774096, 0.33508456], [0.83659905, 1.0227708]],
         [[0.13486053, 0.23261218], [0.78257304, 0.9691353]]),
        ("simple", 4, [[0.33621645], [0.6262637]], [[0.07344437], [0.43043602]]),
    ],
)  # fmt: skip
def test_a_state_that_is_given_is_where_a_layer_starts(
    cell: str, units: int, forward: Rows, backward: Rows
) -> None:
    # lstm, gru, simple_rnn: test_pass_initial_state; gru: test_pass_return_state
    layer, x, h = constant(cell, 3, units), counted(2, 4, 3), counted(1, 2, units)
    state = (h, h) if cell == "lstm" else h
    y, ended = layer(x, state)
    assert_keras(last(ended), forward)
    assert torch.equal(y[:, -1], last(ended))
    assert_keras(backwards(layer, x, state), backward)


def test_steps_after_the_end_of_a_row_are_masked_in_an_lstm() -> None:
    # lstm: test_masking
    layer, x = constant("lstm", 3, 2), counted(2, 4, 3)
    x[0, 3:] = x[1, 2:] = torch.nan
    y, state = layer(x, lengths=[3, 2])
    assert_keras(last(state), [0.11755939, 0.28556206])
    assert_keras(y[0], [0.01588910, 0.05552048, 0.11755939, 0.0])
    assert_keras(y[1], [0.14185596, 0.28556206, 0.0, 0.0])
    mask = [[False, True, True, True], [False, False, True, True]]
    rows = unmasked(counted(2, 4, 3), mask)
    found = backwards(layer, rows["input"], lengths=rows["lengths"])
    assert_keras(found, [0.15341201, 0.3844719])


@pytest.mark.parametrize(
    ("cell", "units", "ends", "outputs", "backward"),
    [
        ("gru", 2, [0.19393763, 0.30818558],
         [[0.03606692, 0.09497581, 0.19393763], [0.16051409, 0.30818558, 0]],
         [0.11669192, 0.28380975]),
        ("simple", 4, [0.32951632, 0.61799484], None, [0.07376196, 0.43645123]),
        ("simple", 2, [0.32394567, 0.608085],
         [[0.0599281, 0.15122814, 0.32394567], [0.3969304, 0.608085, 0]], None),
    ],
)  # fmt: skip
def test_steps_taken_out_of_a_row_are_masked(
    cell: str, units: int, ends: list[float], outputs: Rows | None, backward: list[float] | None
) -> None:
    # gru, simple_rnn: test_masking. A mask with holes is no lengths: its steps are taken out.
    layer, rows = constant(cell, 3, units), unmasked(counted(2, 4, 3), HOLES)
    y, state = layer(**rows)
    assert_keras(last(state), ends)
    if outputs is not None:
        assert_keras(y, outputs)
    if backward is not None:
        assert_keras(backwards(layer, rows["input"], lengths=rows["lengths"]), backward)


@pytest.mark.parametrize("build", [elman.SimpleRNN, elman.LSTM, elman.GRU])
@pytest.mark.parametrize("options", [{}, {"recurrent_dropout": 0.5}])
def test_a_layer_has_three_weights_and_one_output_a_unit(build: Any, options: Any) -> None:
    # lstm, gru, simple_rnn: test_basics, without dropout of inputs and regularisers
    layer = build(4, 3, batch_first=True, **options)
    y, state = layer(torch.randn(3, 2, 4))
    assert (y.shape, last(state).shape) == ((3, 2, 3), (3, 3))
    assert len(to_keras_weights(layer)[0]) == 3


# Bidirectional


def test_both_ways_merge_to_keras_numbers() -> None:
    # bidirectional: test_correctness
    forward, x = constant("simple", 4, 2), counted(2, 3, 4)
    ahead, back = map(last, both_ways(forward)(x)[1])  # merge_mode=None
    assert_keras(ahead, [0.39687276, 0.7237238])
    assert_keras(back, [0.10004295, 0.53391594])
    assert_keras((ahead + back) / 2, [0.24845785, 0.6288199])  # merge_mode="ave"
    other = constant("simple", 4, 2, (0.03, 0.02, 0.01))
    ahead, back = map(last, both_ways(forward, other)(x)[1])
    assert_keras(ahead * back, [0.08374989, 0.6740834])  # merge_mode="mul"
    summed = both_ways(constant("gru", 4, 2))
    summed.merge = "sum"
    expected = [[0.20937867, 0.34462988, 0.40290534], [0.59829646, 0.6734641, 0.6479671]]
    assert_keras(summed(x)[0], expected)


def test_states_of_both_ways_are_carried_on_and_given() -> None:
    # bidirectional: test_statefulness, test_pass_initial_state, test_return_state
    layer, x = both_ways(constant("lstm", 3, 2)), counted(2, 4, 3)
    _, states = layer(x)
    (h1, c1), (h2, c2) = states
    assert_keras(h1[0], [0.1990008, 0.52335435])
    assert_keras(c1[0], [0.35567185, 1.0492687])
    assert_keras(h2[0], [0.12659755, 0.44717982])
    assert_keras(c2[0], [0.2501858, 0.941473])
    ahead, back = map(last, layer(x, states)[1])
    assert_keras(ahead, [0.26234663, 0.6137073])
    assert_keras(back, [0.16959146, 0.5381646])
    one = counted(1, 2, 2)
    ahead, back = map(last, layer(x, ((one, 2 * one), (3 * one, 4 * one)))[1])
    assert_keras(ahead, [[0.20794602, 0.4577124], [0.6682636, 0.6711909]])
    assert_keras(back, [[0.14046375, 0.48191673], [0.60943645, 0.60950446]])


def test_masked_steps_are_left_out_both_ways() -> None:
    # bidirectional: test_masking
    _, states = both_ways(constant("gru", 3, 2))(**unmasked(counted(2, 4, 3), HOLES))
    ahead, back = map(last, states)
    assert_keras(ahead, [0.19393763, 0.30818558])
    assert_keras(back, [0.11669192, 0.28380975])


@pytest.mark.parametrize(("merge", "size"), [("concat", 4), ("mean", 2), ("mul", 2), ("sum", 2)])
def test_the_size_of_merged_outputs_is_told_before_a_call(merge: str, size: int) -> None:
    # bidirectional: test_basics, test_output_shape
    layer = both_ways(elman.LSTM(2, 2, batch_first=True))
    layer.merge = merge
    x = torch.tensor([[[101.0, 202.0], [303.0, 404.0]]])
    assert layer.output_size == size
    assert layer(x)[0].shape == (1, 2, size)
    assert len(list(layer.parameters())) == 8


# A cell without a nonlinearity whose weights are ones, and stacks of it


def summing(inputs: int, *units: int) -> RecurrentLayer:
    """Build a stack of h(t) = Σ x(t) + Σ h(t−1)."""
    layer = elman.SimpleRNN(
        inputs, list(units), nonlinearity="identity", bias=False, batch_first=True
    )
    for weight in layer.parameters():
        nn.init.ones_(weight)
    return layer


def test_sums_over_time_are_keras_numbers() -> None:
    # rnn: test_basics, test_forward_pass_single_state, test_passing_initial_state_single_state,
    # test_statefulness_single_state, test_go_backwards
    y, h = summing(3, 2)(torch.ones(1, 2, 3))
    assert_keras(y, [[3, 9]])
    assert_keras(h, [[9]])
    assert_keras(summing(3, 2)(torch.ones(1, 2, 3), h)[1], [[45]])
    assert_keras(summing(2, 2)(torch.ones(2, 3, 2), torch.ones(1, 2, 2))[1], [[22, 22]])
    layer, x = summing(4, 2), counted(2, 3, 4)
    _, (_, back) = elman.Bidirectional(layer, summing(4, 2))(x)
    assert_keras(back, [[202, 538]])
    assert_keras(layer(x, layer(x)[1])[1], [[954, 3978]])


def test_sums_end_where_rows_do() -> None:
    # rnn: test_masking
    y, h = summing(3, 2)(counted(2, 4, 3), lengths=[3, 2])
    assert_keras(h, [[57, 126]])
    assert_keras(y, [[3, 18, 57, 0], [39, 126, 0, 0]])


def test_a_state_of_other_rows_is_refused() -> None:
    # rnn: test_stateful_batch_size_mismatch_raises
    layer = elman.LSTM(3, 2, batch_first=True)
    _, state = layer(torch.randn(4, 5, 3))
    with pytest.raises(ShapeError, match=r"\(L·D, B, H\)"):
        layer(torch.randn(1, 5, 3), state)


def test_a_stack_of_unlike_sizes_sums_to_keras_numbers() -> None:
    # stacked_rnn_cells: test_correctness_single_state_stack,
    # test_statefullness_single_state_stack
    layer, x = summing(4, 3, 2), counted(2, 3, 4)
    y, states = layer(x)
    assert_keras(y, [[18, 156, 786], [162, 1020, 4386]])
    assert_keras(states[0], [[158, 782]])
    assert_keras(states[1], [[786, 4386]])
    assert_keras(layer(x, states)[0][:, -1], [34092, 173196])


@pytest.mark.parametrize("build", [elman.SimpleRNN, elman.LSTM, elman.GRU])
def test_a_stack_has_an_output_and_a_state_a_layer(build: Any) -> None:
    # stacked_rnn_cells: test_basics, test_return_state_stacked_lstm_cell
    layer = build(4, [3, 4, 5], batch_first=True, dropout=0.1, recurrent_dropout=0.1)
    y, state = layer(torch.zeros(2, 3, 4))
    assert y.shape == (2, 3, 5)
    for part in state if isinstance(state, tuple) else (state,):
        assert [h.shape for h in part] == [(1, 2, 3), (1, 2, 4), (1, 2, 5)]


def test_a_stack_of_lstms_ends_where_rows_do() -> None:
    # stacked_rnn_cells: test_stacked_lstm_cell_mask
    layer = elman.LSTM(4, 1, 2, batch_first=True)
    for name, weight in layer.named_parameters():
        nn.init.constant_(weight, 1.0 if "weight" in name else 0.0)
    with torch.no_grad():
        layer.bias_ih_l0[1] = layer.bias_ih_l1[1] = 1  # type: ignore[index]
    _, (h, _) = layer(torch.ones(2, 3, 4), lengths=[3, 2])
    torch.testing.assert_close(h[-1], torch.tensor([[0.7793], [0.5998]]), atol=1e-4, rtol=0)
