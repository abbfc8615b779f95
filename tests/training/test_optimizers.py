"""The update rule, and which weights it decays."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import elman
from elman.experiment.training import TrainingSettings
from elman.training.optimizers import optimizer_for


class Speller(nn.Module):
    """An embedding, a recurrent layer, and an output layer that may share the embedding."""

    def __init__(self, *, tied: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, 5)
        self.recurrent = elman.GRU(5, 5, layer_norm=True)
        self.output = nn.Linear(5, 7)
        if tied:
            self.output.weight = self.embedding.weight


def decayed(network: nn.Module, **settings: Any) -> set[str]:
    """Name the weights that shrink at an update whose gradient is zero."""
    for weight in network.parameters():
        weight.grad = torch.zeros_like(weight)
    chosen = TrainingSettings(optimizer="sgd", weight_decay=0.5, learning_rate=0.1, **settings)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    optimizer_for(network, chosen).step()
    changed = set()
    for name, weight in network.named_parameters():
        if not torch.equal(weight, before[name]):
            torch.testing.assert_close(weight.detach(), before[name] * 0.95)
            changed.add(name)
    return changed


MATRICES = {"recurrent.weight_ih_l0", "recurrent.weight_hh_l0"}


def test_matrices_are_decayed_and_biases_and_gains_are_not() -> None:
    expected = MATRICES | {"embedding.weight", "output.weight"}
    assert decayed(Speller(tied=False)) == expected


def test_embeddings_can_be_spared() -> None:
    spared = decayed(Speller(tied=False), decay_embeddings=False)
    assert spared == MATRICES | {"output.weight"}


def test_an_output_layer_tied_to_the_embedding_is_spared_with_it() -> None:
    assert decayed(Speller(tied=True), decay_embeddings=False) == MATRICES


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("adam", torch.optim.Adam, {}),
        ("adamw", torch.optim.AdamW, {}),
        ("rmsprop", torch.optim.RMSprop, {"momentum": 0.25}),
        ("sgd", torch.optim.SGD, {"momentum": 0.25}),
    ],
)
def test_every_name_is_the_rule_it_names_with_its_options(
    name: str, kind: type[torch.optim.Optimizer], options: dict[str, float]
) -> None:
    settings = TrainingSettings(optimizer=name, learning_rate=0.125, **options)
    optimizer = optimizer_for(nn.Linear(3, 2), settings)
    assert type(optimizer) is kind
    for group in optimizer.param_groups:
        assert group["lr"] == 0.125
        assert {key: group[key] for key in options} == options
