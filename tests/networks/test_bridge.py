"""From an encoder's last state to a decoder's first, against the states taken apart by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import assert_near, assert_same_bits, draw
from elman.errors import OptionError, ShapeError
from elman.networks.bridge import Bridge, InitialState

T, B, I = 4, 5, 3  # noqa: E741 — the axis legend
LENGTHS = [4, 0, 2, 1, 3]
CELLS: dict[str, Any] = {"simple": elman.SimpleRNN, "lstm": elman.LSTM, "gru": elman.GRU}
every_encoder = pytest.mark.parametrize("encoder", CELLS)
every_decoder = pytest.mark.parametrize("decoder", CELLS)


def parts_of(state: Any) -> list[Any]:
    return list(state) if isinstance(state, tuple) else [state]


def ended(encoder: Any) -> Any:
    return encoder(draw(T, B, encoder.input_size), lengths=LENGTHS)[1]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("sizes", [[7], [7, 7], [7, 4]], ids=str)
def test_a_state_of_the_same_cell_and_sizes_passes_as_it_is(cell: str, sizes: list[int]) -> None:
    encoder, decoder = (CELLS[cell](inputs, sizes, dtype=torch.float64) for inputs in (I, 2))
    bridge = Bridge(encoder, decoder)
    assert not list(bridge.parameters())
    state = ended(encoder)
    for part, its in zip(parts_of(bridge(state)), parts_of(state), strict=True):
        for ours, theirs in zip(part, its, strict=True):
            assert_same_bits(ours, theirs, "state")


@every_encoder
@every_decoder
@pytest.mark.parametrize("bidirectional", [False, True])
def test_any_decoder_begins_at_what_any_encoder_ends_with(
    encoder: str, decoder: str, bidirectional: bool
) -> None:
    reads = CELLS[encoder](I, 7, num_layers=2, bidirectional=bidirectional, dtype=torch.float64)
    writes = CELLS[decoder](2, 4, num_layers=2, dtype=torch.float64)
    bridge = Bridge(reads, writes).double()
    state = ended(reads)
    h = parts_of(state)[0]
    made = parts_of(bridge(state))
    assert len(made) == (2 if decoder == "lstm" else 1)
    directions = 1 + bidirectional
    for layer in range(2):
        read = torch.cat(list(h[layer * directions : (layer + 1) * directions]), -1)
        for part, dense in zip(made, bridge.dense[str(layer)].parts, strict=True):
            expected = torch.tanh(read @ dense.weight.t() + dense.bias)
            assert_near(part[layer], expected, f"layer {layer}")
    writes(draw(T, B, 2), bridge(state))


def test_the_last_layers_stand_beside_each_other_and_lower_ones_at_the_first() -> None:
    encoder = elman.GRU(I, [7, 4], dtype=torch.float64)
    decoder = elman.GRU(2, [6, 7, 4], dtype=torch.float64)
    bridge = Bridge(encoder, decoder).double()
    state = ended(encoder)
    assert list(bridge.dense) == ["0"]
    made = bridge(state)
    dense = bridge.dense["0"].parts[0]
    assert_near(made[0], torch.tanh(state[0] @ dense.weight.t() + dense.bias), "layer 0")
    assert_same_bits(made[1], state[0], "layer 1")
    assert_same_bits(made[2], state[1], "layer 2")


def test_of_more_encoder_layers_the_last_are_read() -> None:
    encoder, decoder = elman.LSTM(I, 7, num_layers=3), elman.LSTM(2, 7)
    h, c = encoder(draw(T, B, I).float())[1]
    begun = Bridge(encoder, decoder)((h, c))
    assert_same_bits(begun[0], h[-1:], "h")
    assert_same_bits(begun[1], c[-1:], "c")


def test_two_unlike_layers_and_a_projection_are_bridged_by_their_own_sizes() -> None:
    encoder = elman.Bidirectional(
        elman.LSTM(I, 7, proj_size=2, dtype=torch.float64),
        elman.GRU(I, 4, num_layers=2, dtype=torch.float64),
    )
    decoder = elman.LSTM(2, 9, proj_size=5, dtype=torch.float64)
    bridge = Bridge(encoder, decoder).double()
    state = encoder(draw(T, B, I), lengths=LENGTHS)[1]
    (h, _), backward = state
    begun = bridge(state)
    for part, dense in zip(begun, bridge.dense["0"].parts, strict=True):
        read = torch.cat([h[-1], backward[-1]], -1)
        assert_near(part[0], torch.tanh(read @ dense.weight.t() + dense.bias), "state")
    decoder(draw(T, B, 2), begun)


def test_an_lstm_of_another_projection_is_not_the_same() -> None:
    same = Bridge(elman.LSTM(I, 7, proj_size=4), elman.LSTM(I, 7, proj_size=4))
    other = Bridge(elman.LSTM(I, 7, proj_size=4), elman.LSTM(I, 8, proj_size=4))
    assert not list(same.parameters())
    assert list(other.parameters())


@every_decoder
def test_a_vector_becomes_the_state_of_every_layer(decoder: str) -> None:
    stack = CELLS[decoder](2, [7, 4], dtype=torch.float64)
    begins, vector = InitialState(I, stack).double(), draw(B, I)
    made = parts_of(begins(vector))
    for number, part in enumerate(made):
        for layer, size in enumerate([7, 4]):
            dense = begins.layers[layer].parts[number]
            expected = torch.tanh(vector @ dense.weight.t() + dense.bias)
            assert_near(part[layer], expected.unsqueeze(0), f"part {number}, layer {layer}")
            assert part[layer].shape == (1, B, size)
    stack(draw(T, B, 2), begins(vector))


def test_every_dense_layer_learns() -> None:
    encoder = elman.GRU(I, 7, bidirectional=True, dtype=torch.float64)
    decoder = elman.LSTM(2, 4, num_layers=2, dtype=torch.float64)
    bridge = Bridge(encoder, decoder).double()
    state = ended(encoder).detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda s, *_: bridge(s), (state, *bridge.parameters()))


def test_a_decoder_that_reads_from_both_ends_is_refused() -> None:
    both = elman.GRU(2, 4, bidirectional=True)
    with pytest.raises(OptionError, match="runs from the first step to the last"):
        Bridge(elman.GRU(I, 4), both)


def test_both_directions_of_every_layer_begin_at_a_state_of_their_own() -> None:
    stack = elman.LSTM(2, 4, num_layers=2, bidirectional=True, dtype=torch.float64)
    begins, vector = InitialState(I, stack).double(), draw(B, I)
    hidden, memory = begins(vector)
    for place, dense in enumerate(begins.layers):
        for part, made in zip(dense.parts, (hidden, memory), strict=True):
            expected = torch.tanh(vector @ part.weight.t() + part.bias)
            assert_near(made[place], expected, f"place {place}")
    stack(draw(T, B, 2), (hidden, memory))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "the state must be an encoder's last one, got a NoneType"),
        ([], "the state must be an encoder's last one, got a list of 0"),
        (torch.zeros(1, B, 5), r"size \(1, 5, 7\), got \[1, 5, 5\]: h0 must be \(L·D, B, H\)"),
    ],
)
def test_what_is_no_state_of_the_encoder_is_refused(state: Any, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        Bridge(elman.GRU(I, 7), elman.GRU(I, 4))(state)


def test_half_a_pair_of_states_is_refused() -> None:
    both = elman.Bidirectional(elman.GRU(I, 7), elman.GRU(I, 7))
    with pytest.raises(ShapeError, match=r"must be the pair .* got \(1, 5, 7\)"):
        Bridge(both, elman.GRU(I, 4))(torch.zeros(1, B, 7))


def test_a_vector_of_another_size_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"must be \(B, size\) with size = 3, got \(5, 4\)"):
        InitialState(I, elman.GRU(2, 4))(torch.zeros(B, 4))


def test_rows_without_steps_are_bridged_as_zeros() -> None:
    encoder = elman.GRU(I, 7, dtype=torch.float64)
    begun: Tensor = Bridge(encoder, elman.GRU(2, 7, dtype=torch.float64))(ended(encoder))
    assert bool((begun[:, 1] == 0).all())
    assert bool((begun[:, [0, 2, 3, 4]] != 0).any(-1).all())
