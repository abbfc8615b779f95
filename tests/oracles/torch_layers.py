"""torch.nn's recurrent layers with the weights of ours, in float64."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

import elman
from battery import assert_near

LAYERS = {"SimpleRNN": elman.SimpleRNN, "LSTM": elman.LSTM, "GRU": elman.GRU}
THEIRS = {"SimpleRNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}


def pair(name: str, *sizes: int, **options: Any) -> tuple[Any, Any]:
    """Build a layer and torch.nn's, with the same weights."""
    layer = LAYERS[name](*sizes, **options, dtype=torch.float64)
    theirs = THEIRS[name](*sizes, **options, dtype=torch.float64)
    layer.load_state_dict(theirs.state_dict())
    return layer, theirs


def parts(state: Any) -> list[Tensor]:
    """List the parts of a state: h, or h and c."""
    return list(state) if isinstance(state, tuple) else [state]


def results(layer: nn.Module, *arguments: Any) -> list[Tensor]:
    """Run a layer; list outputs, h and c, the outputs without a PackedSequence around them."""
    y, state = layer(*arguments)
    return [y.data if isinstance(y, PackedSequence) else y, *parts(state)]


def assert_each_near(ours: list[Tensor], theirs: list[Tensor]) -> None:
    """Assert that all values are as near as the same equations are, wherever they lie."""
    for number, (actual, expected) in enumerate(zip(ours, theirs, strict=True)):
        assert_near(actual.detach().cpu(), expected.detach(), f"value {number}")
