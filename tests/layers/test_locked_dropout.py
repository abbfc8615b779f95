"""Dropout between the layers of a stack, one mask a sequence."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import draw
from elman.convert import to_torch
from elman.errors import OptionError

T, B, H = 6, 5, 7
LAYERS = {"SimpleRNN": elman.SimpleRNN, "LSTM": elman.LSTM, "GRU": elman.GRU}
every_layer = pytest.mark.parametrize("name", LAYERS)


def stack(name: str, **options: Any) -> Any:
    return LAYERS[name](3, H, 2, locked_dropout=0.5, dtype=torch.float64, **options)


def read_by_the_second_layer(layer: Any, x: Tensor) -> Tensor:
    seen = []
    own = layer._below

    def watched(level: int, values: Tensor) -> Tensor:
        seen.append(own(level, values))
        return seen[-1]

    layer._below = watched
    layer(x)
    return seen[1]


@every_layer
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_unit_is_dropped_at_every_step_of_a_row_or_at_none(
    name: str, bidirectional: bool
) -> None:
    layer = stack(name, bidirectional=bidirectional)
    x = draw(T, B, 3)
    kept = read_by_the_second_layer(layer, x) != 0
    assert bool((kept == kept[0]).all())
    assert bool((kept[0, 0] != kept[0, 1]).any())
    assert 0 < int(kept[0].sum()) < kept[0].numel()


@every_layer
def test_what_stays_is_scaled_up(name: str) -> None:
    layer, x = stack(name), draw(T, B, 3)
    read = read_by_the_second_layer(layer, x)
    lower = LAYERS[name](3, H, dtype=torch.float64)
    lower.load_state_dict({n: w for n, w in layer.state_dict().items() if n.endswith("_l0")})
    whole = lower(x)[0]
    torch.testing.assert_close(read[read != 0], 2 * whole[read != 0])


@every_layer
def test_evaluation_drops_nothing(name: str) -> None:
    layer, x = stack(name), draw(T, B, 3)
    plain = LAYERS[name](3, H, 2, dtype=torch.float64)
    plain.load_state_dict(layer.state_dict())
    assert torch.equal(layer.eval()(x)[0], plain(x)[0])
    with torch.no_grad():
        assert torch.equal(layer(x)[0], plain(x)[0])
        assert not torch.equal(layer.train()(x)[0], plain(x)[0])


def test_an_empty_batch_passes() -> None:
    assert stack("GRU")(draw(0, B, 3))[0].shape == (0, B, H)


def test_one_layer_has_nothing_between() -> None:
    with pytest.warns(
        UserWarning, match=r"locked_dropout=0\.5 acts between layers, and there is only one"
    ):
        elman.GRU(3, H, locked_dropout=0.5)


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(OptionError, match=r"locked_dropout must lie in \[0, 1\), got 1"):
        elman.LSTM(3, H, 2, locked_dropout=1)


def test_torch_nn_has_no_such_dropout() -> None:
    with pytest.raises(OptionError, match=r"torch\.nn has no locked dropout"):
        to_torch(stack("GRU"))
