"""The training loop: losses and gradients that are no longer finite, and how a run goes on."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from elman.errors import ExperimentError
from elman.experiment.training import TrainingSettings
from elman.networks import ManyToMany
from elman.training.history import History
from elman.training.progress import LineProgress
from elman.training.trainer import fit
from rolls import evaluation_batches
from training.runs import FEATURE, assert_same_weights, differ, network, rolls, without_seconds

UPDATES = 3
"""Updates of an epoch of five rolls, two at a time."""


class Breaking:
    """The loss of rolls, not finite at some of the calls in training, or in validation.

    `at` takes the number of the call, from 0: every attempt at an epoch counts on.
    """

    def __init__(self, at: Callable[[int], bool], *, validation: bool = False) -> None:
        self.at = at
        self.validation = validation
        self.calls = 0

    def __call__(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        loss = FEATURE.loss(outputs, target, lengths)
        if torch.is_grad_enabled() is self.validation:
            return loss
        self.calls += 1
        return loss * math.nan if self.at(self.calls - 1) else loss


def fitted(
    directory: Path, net: ManyToMany, loss: Any, *, said: io.StringIO | None = None, **settings: Any
) -> History:
    chosen = TrainingSettings(
        **{"epochs": 3, "batch_size": 2, "learning_rate": 0.02, "accelerator": "cpu"} | settings
    )
    batches = evaluation_batches(rolls(7, 3, 5, 6, 4), FEATURE, 2)
    progress = LineProgress(said or io.StringIO())
    resume = {"resume": True, "directory": directory, "seed": 1, "progress": progress}
    return fit(net, loss, batches, batches, chosen, **resume)


def test_a_loss_that_is_no_number_goes_back_an_epoch_with_half_the_rate(tmp_path: Path) -> None:
    said = io.StringIO()
    loss = Breaking(lambda call: call == UPDATES + 1)
    history = fitted(tmp_path, network(output_dropout=0.4), loss, said=said)
    assert [record.epoch for record in history.epochs] == [1, 2, 3]
    assert [record.learning_rate for record in history.epochs] == [0.02, 0.01, 0.01]
    assert history.halvings == 1
    assert (
        "training diverged in epoch 2, step 2: the loss is nan; it goes on from the weights after "
        "epoch 1 with half the learning rate (0.01 instead of 0.02), 1 of at most 3 times."
    ) in said.getvalue()
    assert history.notes == [
        "training diverged once, and went on with half the learning rate each time."
    ]


def test_what_the_broken_epoch_did_leaves_no_trace(tmp_path: Path) -> None:
    """The second epoch, repeated, is that of a run whose rate is half from then on."""
    options = {"average_decay": 0.7, "weight_noise": 0.1}
    early, late = (network(output_dropout=0.4) for _ in range(2))
    one = fitted(tmp_path / "1", early, Breaking(lambda call: call == UPDATES), **options)
    other = fitted(tmp_path / "2", late, Breaking(lambda call: call == UPDATES + 2), **options)
    assert without_seconds(one) == without_seconds(other)
    assert_same_weights(early, late)


def test_divergence_in_the_first_epoch_goes_back_to_the_initial_weights(tmp_path: Path) -> None:
    said = io.StringIO()
    broken, halved = network(output_dropout=0.4), network(output_dropout=0.4)
    one = fitted(tmp_path / "1", broken, Breaking(lambda call: call == 2), said=said)
    other = fitted(tmp_path / "2", halved, FEATURE.loss, learning_rate=0.01)
    assert without_seconds(one) == without_seconds(other)
    assert_same_weights(broken, halved)
    assert "goes on from the initial weights" in said.getvalue()


def test_a_validation_loss_that_is_no_number_goes_back_too(tmp_path: Path) -> None:
    loss = Breaking(lambda call: call == UPDATES, validation=True)
    history = fitted(tmp_path, network(), loss)
    assert history.halvings == 1
    assert len(history.epochs) == 3


def test_a_gradient_that_is_no_number_goes_back_too(tmp_path: Path) -> None:
    calls = 0

    def loss(outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        nonlocal calls
        calls += torch.is_grad_enabled()
        broken = (outputs * 0).sum().sqrt() if calls == 2 and torch.is_grad_enabled() else 0.0
        return FEATURE.loss(outputs, target, lengths) + broken

    said = io.StringIO()
    assert fitted(tmp_path, network(), loss, said=said).halvings == 1
    assert "in epoch 1, step 2: the gradient's norm is nan" in said.getvalue()


def test_the_fourth_divergence_ends_a_run_that_keeps_its_best_weights(tmp_path: Path) -> None:
    said = io.StringIO()
    net, short = network(), network()
    history = fitted(tmp_path / "1", net, Breaking(lambda call: call >= 2 * UPDATES), said=said)
    expected = fitted(tmp_path / "2", short, FEATURE.loss, epochs=2)
    assert without_seconds(history) == without_seconds(expected)
    assert_same_weights(net, short)
    assert said.getvalue().count("half the learning rate (") == 3
    assert history.notes[1].startswith(
        "training diverged in epoch 3, step 1: the loss is nan, with the learning rate halved 3 "
        "times too, and ended after epoch 2 of 3; the best weights until then are kept."
    )


def test_without_an_epoch_the_fourth_divergence_is_an_error(tmp_path: Path) -> None:
    loss = Breaking(lambda _: True)
    with pytest.raises(ExperimentError, match="diverged in epoch 1, step 1: the loss is nan, with"):
        fitted(tmp_path, network(), loss)
    assert loss.calls == 4


def test_a_resumed_run_keeps_the_halved_rate(tmp_path: Path) -> None:
    whole, parts = network(output_dropout=0.4), network(output_dropout=0.4)
    expected = fitted(tmp_path / "1", whole, Breaking(lambda call: call == 1), epochs=4)

    def interrupted(outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        if breaking.calls == 2 + 2 * UPDATES:
            raise KeyboardInterrupt
        return breaking(outputs, target, lengths)

    breaking = Breaking(lambda call: call == 1)
    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path / "2", parts, interrupted, epochs=4)
    history = fitted(tmp_path / "2", parts, FEATURE.loss, epochs=4)
    assert without_seconds(history) == without_seconds(expected)
    assert history.halvings == 1
    assert_same_weights(whole, parts)
    assert differ(whole, network())


def test_time_lost_by_a_divergence_counts(tmp_path: Path) -> None:
    history = fitted(
        tmp_path, network(), Breaking(lambda call: call == 0), epochs=500, max_minutes=1e-6
    )
    assert len(history.epochs) == 1
    assert history.halvings == 1
