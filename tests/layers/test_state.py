"""How the state of a stack is laid out, and what is said when it is not."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import elman
from elman.errors import OptionError, ShapeError

T, B, I = 4, 5, 3  # noqa: E741 — the axis legend
X = torch.zeros(T, B, I)


def zeros(*shape: int, **options: Any) -> torch.Tensor:
    return torch.zeros(*shape, **options)


def test_a_state_has_a_place_for_every_layer_and_direction() -> None:
    layer = elman.LSTM(I, 7, 2, bidirectional=True, proj_size=2, dtype=torch.float64)
    _, (hidden, cell) = layer(X.double())
    assert hidden.shape == (4, B, 2)
    assert cell.shape == (4, B, 7)
    _, hidden = elman.GRU(I, 7, 2)(X[:, 0])
    assert hidden.shape == (2, 7)


def test_layers_of_sizes_of_their_own_have_a_list_with_one_state_a_layer() -> None:
    layer = elman.LSTM(I, [7, 2], bidirectional=True)
    _, (hidden, cell) = layer(X)
    assert [tuple(part.shape) for part in hidden] == [(2, B, 7), (2, B, 2)]
    assert [tuple(part.shape) for part in cell] == [(2, B, 7), (2, B, 2)]
    _, (hidden, _) = layer(X[:, 0])
    assert [tuple(part.shape) for part in hidden] == [(2, 7), (2, 2)]


@pytest.mark.parametrize("rows", [slice(None), 0], ids=["batched", "unbatched"])
@pytest.mark.parametrize("sizes", [7, [7, 2], [7, 7]])
@pytest.mark.parametrize("layer", [elman.SimpleRNN, elman.LSTM, elman.GRU])
def test_what_a_call_returns_the_next_call_takes(layer: Any, sizes: Any, rows: Any) -> None:
    built = layer(I, sizes, bidirectional=True)
    x = torch.randn(T, B, I)[:, rows]
    once = built(x)[1]
    again = built(x, once)[0]
    assert not torch.equal(again, built(x)[0])


def test_a_state_may_be_a_list_or_a_cells_own_tuple() -> None:
    gru, lstm, x = elman.GRU(I, 7), elman.LSTM(I, 7), torch.randn(T, B, I)
    hidden, cell = torch.randn(2, 1, B, 7)
    assert torch.equal(gru(x, elman.cells.GRUState(hidden))[0], gru(x, hidden)[0])
    state = elman.cells.LSTMState(hidden, cell)
    assert torch.equal(lstm(x, [hidden, cell])[0], lstm(x, state)[0])


@pytest.mark.parametrize(
    ("layer", "x", "state", "words"),
    [
        (
            elman.GRU(I, 7),
            X,
            zeros(B, 1, 7),
            r"^Expected hidden size \(1, 5, 7\), got \[5, 1, 7\]: h0 must be \(L·D, B, H\)\.",
        ),
        (
            elman.GRU(I, 7, 2, bidirectional=True),
            X,
            zeros(2, B, 7),
            r"size \(4, 5, 7\), got \[2, 5",
        ),
        (elman.GRU(I, 7), X, [zeros(1, B, 7)], r"h0 must be .* got a list of 1\."),
        (elman.GRU(I, 7), X, 0.0, r"h0 must be .* got a float\."),
        (
            elman.GRU(I, 7),
            X[:, 0],
            zeros(1, 6),
            r"Expected hidden size \(1, 7\), got \[1, 6\]: h0 must be \(L·D, H\)\.",
        ),
        (
            elman.GRU(I, 7),
            X[:, 0],
            zeros(1, 1, 7),
            "^For unbatched 2-D input, hx should also be 2-D but got 3-D tensor: a state has",
        ),
        (
            elman.LSTM(I, 7),
            X,
            (zeros(1, 7), zeros(1, B, 7)),
            r"^For batched 3-D input, hx and cx should also be 3-D but got \(2-D, 3-D\) tensors: ",
        ),
        (
            elman.LSTM(I, 7),
            X,
            zeros(2, B, 7),
            r"the state must be the pair \(h0, c0\), got \(2, 5, 7\)\.",
        ),
        (elman.LSTM(I, 7), X, (zeros(1, B, 7),), r"the pair \(h0, c0\), got a tuple of 1\."),
        (
            elman.LSTM(I, 7),
            X,
            (zeros(1, B, 7), zeros(1, B, 6)),
            r"^Expected hidden\[1\] size \(1, 5, 7\), got \[1, 5, 6\]: c0 must be \(L·D, B, H\)\.",
        ),
        (elman.LSTM(I, 7), X, (zeros(1, B, 7), None), r"c0 must be .* got a NoneType\."),
        (elman.LSTM(I, 7), X[:, 0], (zeros(1, 7), None), r"c0 must be .* got a NoneType\."),
        (
            elman.LSTM(I, 7, proj_size=2),
            X,
            (zeros(1, B, 7), zeros(1, B, 7)),
            r"^Expected hidden\[0\] size \(1, 5, 2\), got \[1, 5, 7\]: h0 must be \(L·D, B, P\)\.",
        ),
        (
            elman.GRU(I, [7, 2]),
            X,
            zeros(2, B, 7),
            "h0 must be a list of 2 tensors, one per layer, as the layers' sizes differ; "
            r"got \(2, 5",
        ),
        (
            elman.GRU(I, [7, 2]),
            X,
            [zeros(1, B, 7), zeros(1, B, 7)],
            r"Expected hidden size \(1, 5, 2\), got \[1, 5, 7\]: h0\[1\] must be \(D, B, H\)\.",
        ),
    ],
)
def test_a_state_of_wrong_axes_is_refused_with_the_axes_it_should_have(
    layer: Any, x: torch.Tensor, state: Any, words: str
) -> None:
    with pytest.raises(ShapeError, match=words):
        layer(x, state)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"dtype": torch.float64},
            r"h0 is torch\.float64 and the input is torch\.float32; convert one\.",
        ),
        ({"device": "meta"}, "found input tensor at cpu and hidden tensor at meta; move h0 or"),
    ],
)
def test_a_state_of_another_dtype_or_device_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        elman.GRU(I, 7)(X, zeros(1, B, 7, **options))
