"""What Flax's own tests ask of its recurrent layers, asked of Elman's.

README.md lists every test of theirs. The oracle is theirs, too: a cell applied step by step, here
torch.nn's cells with the same weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import elman
from battery import assert_near, assert_same_bits, draw
from elman.sequence.ragged import reverse_rows
from oracles.torch_layers import LAYERS, assert_each_near, parts

CELLS = {"SimpleRNN": nn.RNNCell, "LSTM": nn.LSTMCell, "GRU": nn.GRUCell}
every_layer = pytest.mark.parametrize("name", LAYERS)
T, B, I, H = 4, 3, 5, 6  # noqa: E741 — the axis legend
LENGTHS = [3, 1, 4]


def build(name: str, *, batch_first: bool = True, **options: Any) -> Any:
    """Build a layer in float64; batch first, as Flax is unless time_major is set."""
    return LAYERS[name](I, H, batch_first=batch_first, dtype=torch.float64, **options)


def by_steps(layer: Any, x: Tensor, state: Any = None) -> tuple[Tensor, list[list[Tensor]]]:
    """Apply torch.nn's cell with the layer's weights to the steps of x, (B, T, I).

    Returns:
        Outputs, (B, T, H), and the parts of the state after every step.
    """
    cell = CELLS[type(layer).__name__](I, H, dtype=torch.float64)
    weights = layer.state_dict().items()
    cell.load_state_dict({key.removesuffix("_l0"): weight for key, weight in weights})
    carries = []
    for step in x.unbind(1):
        state = cell(step, state)
        carries.append(parts(state))
    return torch.stack([carry[0] for carry in carries], 1), carries


def turned(name: str) -> tuple[Any, Any]:
    """Build a Bidirectional and its backward layer: that is Flax's reverse=True."""
    layer = build(name)
    return elman.Bidirectional(build(name), layer), layer


# One layer


@every_layer
def test_a_layer_is_its_cell_applied_step_by_step(name: str) -> None:
    # linen: test_rnn_basic_forward, test_numerical_equivalence;
    # nnx: test_rnn_with_lstm_cell, test_rnn_with_gru_cell, test_lstm_sequence
    layer, x = build(name), draw(B, T, I)
    y, state = layer(x)
    expected, carries = by_steps(layer, x)
    assert_near(y.detach(), expected.detach(), "y")
    assert_each_near([part[0] for part in parts(state)], carries[-1])
    gates = layer.weight_ih_l0.shape[0] // H
    assert [tuple(weight.shape) for weight in layer.parameters()] == [
        (gates * H, I),
        (gates * H, H),
        (gates * H,),
        (gates * H,),
    ]


@every_layer
def test_a_carry_is_the_state_at_the_end_of_its_row(name: str) -> None:
    # linen: test_numerical_equivalence_with_mask, test_basic_seq_lengths;
    # nnx: test_rnn_with_seq_lengths, test_lstm_with_variable_sequence_length
    layer, x = build(name), draw(B, T, I)
    expected, carries = by_steps(layer, x)
    padded = x.clone()
    for row, length in enumerate(LENGTHS):
        padded[row, length:] = torch.nan
    y, state = layer(padded, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        assert_near(y[row, :length].detach(), expected[row, :length].detach(), f"row {row}")
        assert not y[row, length:].any()
        ended = [part[row] for part in carries[length - 1]]
        assert_each_near([part[0, row] for part in parts(state)], ended)


@every_layer
def test_a_row_of_a_batch_is_the_row_alone_bit_for_bit(name: str) -> None:
    # linen: test_numerical_equivalence_single_batch, _nn_scan, _jax_scan;
    # nnx: test_rnn_with_variable_batch_size
    layer, x = build(name), draw(B, T, I)
    y, state = layer(x)
    for row in range(B):
        alone, ended = layer(x[row : row + 1])
        assert_same_bits(alone[0], y[row], f"row {row}")
        for part, many in zip(parts(ended), parts(state), strict=True):
            assert_same_bits(part[:, 0], many[:, row], f"state of row {row}")


@every_layer
def test_two_axes_of_rows_are_read_as_one(name: str) -> None:
    # linen: test_rnn_multiple_batch_dims. Elman has one batch axis; the others are flattened.
    layer, x = build(name), draw(2, B, T, I)
    y, _ = layer(x.flatten(0, 1))
    for number, rows in enumerate(x):
        assert_near(y.unflatten(0, (2, B))[number].detach(), layer(rows)[0].detach(), "rows")
    with pytest.raises(RuntimeError, match="Expected input to be 2D or 3D, got 4D"):
        layer(x)


@every_layer
def test_time_may_come_first(name: str) -> None:
    # linen, nnx: test_rnn_time_major
    layer, time_first = build(name), build(name, batch_first=False)
    time_first.load_state_dict(layer.state_dict())
    x = draw(B, T, I)
    y, state = layer(x)
    turned_y, turned_state = time_first(x.transpose(0, 1))
    assert_each_near([turned_y.transpose(0, 1), *parts(turned_state)], [y, *parts(state)])
    assert all(part.shape == (1, B, H) and part.any() for part in parts(turned_state))


@every_layer
def test_a_carry_of_ones_is_where_a_layer_starts(name: str) -> None:
    # nnx: test_lstm_initialize_carry; linen: initial_carry
    layer, x, one = build(name), draw(B, T, I), torch.ones(1, B, H, dtype=torch.float64)
    y, _ = layer(x, (one, one) if name == "LSTM" else one)
    begun = (one[0], one[0]) if name == "LSTM" else one[0]
    assert_near(y.detach(), by_steps(layer, x, begun)[0].detach(), "y")


@every_layer
def test_a_carry_goes_from_call_to_call(name: str) -> None:
    # nnx: test_lstm_stateful
    layer, x = build(name), draw(B, T, I)
    y, state = layer(x)
    first, carried = layer(x[:, :1])
    rest, ended = layer(x[:, 1:], carried)
    assert_same_bits(torch.cat([first, rest], 1), y, "y")
    for part, whole in zip(parts(ended), parts(state), strict=True):
        assert_same_bits(part, whole, "state")


@every_layer
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_outputs_have_the_dtype_of_the_layer(name: str, dtype: torch.dtype) -> None:
    # nnx: test_lstm_with_different_dtypes, test_rnn_with_different_dtypes
    layer, x = build(name), draw(B, T, I)
    expected, _ = layer(x)
    y, state = layer.to(dtype)(x.to(dtype))
    assert {y.dtype, *[part.dtype for part in parts(state)]} == {dtype}
    torch.testing.assert_close(y.double(), expected, atol=0.02, rtol=0.02)


@every_layer
def test_recurrent_dropout_draws_anew_at_each_call_and_stops_in_evaluation(name: str) -> None:
    # nnx: test_recurrent_dropout
    layer, x = build(name, recurrent_dropout=0.5), draw(B, T, I)
    first, second = layer(x)[0], layer(x)[0]
    assert torch.equal(first[:, 0], second[:, 0])  # h(−1) is zero: nothing to drop
    assert not torch.equal(first, second)
    assert_near(layer.eval()(x)[0].detach(), by_steps(layer, x)[0].detach(), "y")


# Reversed


@every_layer
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["dense", "ragged"])
def test_reversed_rows_are_read_from_their_ends(name: str, lengths: Sequence[int] | None) -> None:
    # linen: test_reverse, test_reverse_but_keep_order;
    # nnx: test_rnn_reverse, test_rnn_with_keep_order
    layer, backward = turned(name)
    x = draw(B, T, I)
    y, (_, state) = layer(x, lengths=lengths)
    kept = y[..., H:]  # keep_order=True
    for row, length in enumerate(lengths or [T] * B):
        expected, carries = by_steps(backward, x[row : row + 1, :length].flip(1))
        found = kept[row, :length].flip(0)  # keep_order=False
        assert_near(found.detach(), expected[0].detach(), f"row {row}")
        ended = [part[0] for part in carries[-1]]
        assert_each_near([part[0, row] for part in parts(state)], ended)


@pytest.mark.parametrize("features", [(), (3,)])
def test_rows_are_flipped_within_their_lengths(features: tuple[int, ...]) -> None:
    # linen: test_flip_sequence, test_flip_sequence_more_feature_dims,
    # test_flip_sequence_time_major, test_flip_sequence_time_major_more_feature_dims
    x = torch.arange(10.0).reshape(2, 5, *[1] * len(features)).expand(2, 5, *features)
    flipped = reverse_rows(x.transpose(0, 1), torch.tensor([4, 2])).transpose(0, 1)
    expected = torch.tensor([[3.0, 2, 1, 0, 4], [6, 5, 7, 8, 9]])
    assert torch.equal(flipped, expected.reshape(2, 5, *[1] * len(features)).expand_as(x))


# Bidirectional


@every_layer
def test_two_ways_give_both_outputs_and_both_carries(name: str) -> None:
    # linen: test_bidirectional, test_return_carry
    layer, backward = turned(name)
    x = draw(B, T, I)
    y, states = layer(x)
    ahead, ahead_carries = by_steps(layer.forward_layer, x)
    back, back_carries = by_steps(backward, x.flip(1))
    assert_near(y.detach(), torch.cat([ahead, back.flip(1)], -1).detach(), "y")
    for state, carries in zip(states, (ahead_carries, back_carries), strict=True):
        assert_each_near([part[0] for part in parts(state)], carries[-1])


@every_layer
def test_two_ways_are_summed(name: str) -> None:
    # linen: test_custom_merge_fn. Elman's merges have names: concat, sum, mean and mul.
    layer, _ = turned(name)
    x = draw(B, T, I)
    ahead, back = layer(x)[0].chunk(2, dim=-1)
    layer.merge = "sum"
    y, _ = layer(x)
    assert y.shape == (B, T, H)
    assert_near(y.detach(), (ahead + back).detach(), "y")


@every_layer
def test_two_ways_share_weights_and_their_gradients_but_not_one_layer(name: str) -> None:
    # linen: test_shared_cell
    layer, backward = turned(name)
    for key, weight in layer.forward_layer.named_parameters():
        setattr(backward, key, weight)
    x = draw(B, T, I)
    y, _ = layer(x)
    (ahead, _), (back, _) = by_steps(backward, x), by_steps(backward, x.flip(1))
    assert_near(y.detach(), torch.cat([ahead, back.flip(1)], -1).detach(), "y")
    weights = list(layer.parameters())
    assert len(weights) == 4
    shared = torch.autograd.grad(y.sum(), weights)
    one_way = [torch.autograd.grad(backward(values)[0].sum(), weights) for values in (x, x.flip(1))]
    assert_each_near(list(shared), [sum(pair) for pair in zip(*one_way, strict=True)])  # type: ignore[misc]
    with pytest.raises(ValueError, match="Bidirectional needs two layers"):
        elman.Bidirectional(backward, backward)
