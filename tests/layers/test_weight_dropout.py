"""Weight dropout: single weights of R are dropped, for all rows and steps of a call alike."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

import elman
from elman.errors import OptionError
from elman.layers.recurrent import RecurrentLayer
from elman.layers.weight_dropout import apply_weight_dropout

T, B, H = 4, 3, 60
CELLS = {"simple": elman.SimpleRNN, "lstm": elman.LSTM, "gru": elman.GRU}
every_cell = pytest.mark.parametrize("cell", CELLS)


class Seen:
    """What R was at every call of a layer."""

    def __init__(self, layer: RecurrentLayer) -> None:
        self.weights: list[dict[str, Tensor]] = []
        layer.register_forward_pre_hook(self.look)

    def look(self, layer: nn.Module, _: Any) -> None:
        self.weights.append({name: w.detach().clone() for name, w in layer._parameters.items()})


def dropping(cell: str = "gru", p: float = 0.4, **options: Any) -> RecurrentLayer:
    torch.manual_seed(2)
    layer = CELLS[cell](5, H, **options)
    apply_weight_dropout(layer, p)
    return layer


@every_cell
def test_the_recurrent_matrices_lose_their_share_and_the_rest_is_scaled(cell: str) -> None:
    layer = dropping(cell, 0.4, num_layers=2, bidirectional=True)
    seen = Seen(layer)
    layer(torch.randn(T, B, 5))
    for name, own in layer.named_parameters():
        used = seen.weights[0][name]
        if not name.startswith("weight_hh"):
            assert torch.equal(used, own), name
            continue
        share = float((used == 0).double().mean())
        assert abs(share - 0.4) < 5 * math.sqrt(0.24 / own.numel()), name
        kept = used != 0
        torch.testing.assert_close(used[kept], own.detach()[kept] / 0.6)


@every_cell
def test_a_call_computes_with_the_matrix_it_has_drawn_at_every_step_and_in_every_row(
    cell: str,
) -> None:
    layer = dropping(cell)
    seen = Seen(layer)
    x = torch.randn(T, B, 5)
    y, _ = layer(x)
    plain = CELLS[cell](5, H)
    plain.load_state_dict(seen.weights[0])
    torch.testing.assert_close(y, plain(x)[0])
    layer(x)
    assert not torch.equal(seen.weights[0]["weight_hh_l0"], seen.weights[1]["weight_hh_l0"])


def test_the_gradient_of_a_dropped_weight_is_zero_and_reaches_the_layers_own() -> None:
    layer = dropping()
    seen = Seen(layer)
    layer(torch.randn(T, B, 5))[0].square().sum().backward()
    gradient = layer.get_parameter("weight_hh_l0").grad
    dropped = seen.weights[0]["weight_hh_l0"] == 0
    assert gradient is not None
    assert not gradient[dropped].any()
    assert bool((gradient[~dropped] != 0).all())


def test_between_calls_and_after_an_error_the_layer_holds_its_own_parameters() -> None:
    layer = dropping()
    own = layer.get_parameter("weight_hh_l0")
    names = list(layer.state_dict())
    layer(torch.randn(T, B, 5))
    with pytest.raises(elman.errors.ShapeError):
        layer(torch.randn(T, B, 7))
    assert layer._parameters["weight_hh_l0"] is own
    assert list(layer.state_dict()) == names == list(elman.GRU(5, H).state_dict())


def test_in_evaluation_nothing_is_dropped() -> None:
    layer = dropping().eval()
    plain = elman.GRU(5, H).eval()
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(T, B, 5)
    with torch.no_grad():
        assert torch.equal(layer(x)[0], plain(x)[0])
        in_training = layer.train()(x)[0]
    assert not torch.equal(in_training, plain(x)[0])


def test_a_copy_drops_its_own_weights() -> None:
    layer = dropping()
    other = copy.deepcopy(layer)
    with torch.no_grad():
        other.get_parameter("weight_hh_l0").zero_()
    x = torch.randn(T, B, 5)
    layer(x)
    other(x)
    assert not other.get_parameter("weight_hh_l0").any()
    assert bool(layer.get_parameter("weight_hh_l0").any())


def test_every_layer_within_a_network_drops_masks_of_its_own() -> None:
    pair = elman.Bidirectional(elman.LSTM(5, H), elman.GRU(5, H))
    apply_weight_dropout(pair, 0.5)
    seen = [Seen(pair.forward_layer), Seen(pair.backward_layer)]
    pair(torch.randn(T, B, 5), lengths=torch.tensor([4, 2, 3]))
    for record in seen:
        assert bool((record.weights[0]["weight_hh_l0"] == 0).any())


def test_a_share_of_zero_changes_nothing() -> None:
    layer = dropping(p=0.0)
    assert not layer._forward_pre_hooks
    apply_weight_dropout(layer, 0.5)


def test_what_it_cannot_act_on_is_refused_in_words() -> None:
    with pytest.raises(OptionError, match=r"weight_dropout must lie in \[0, 1\), got 1.5"):
        apply_weight_dropout(elman.GRU(5, 7), 1.5)
    with pytest.raises(OptionError, match="acts on recurrent layers, and this Linear has none"):
        apply_weight_dropout(nn.Linear(3, 2), 0.5)
    with pytest.raises(OptionError, match="was applied to this layer before"):
        apply_weight_dropout(dropping(), 0.5)
    computed = elman.GRU(5, 7)
    parametrize.register_parametrization(computed, "weight_hh_l0", nn.Identity())
    with pytest.raises(OptionError, match="remove their parametrizations first"):
        apply_weight_dropout(computed, 0.5)
