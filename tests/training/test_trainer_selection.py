"""The training loop: which weights are kept, averaged or not, and when it stops."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from elman.batches.batching import Batch
from elman.errors import OptionError
from elman.experiment.training import TrainingSettings
from elman.training.checkpoint import load_checkpoint
from elman.training.keeping import BEST, METRICS
from elman.training.trainer import fit
from elman.training.validation import mean_loss
from rolls import evaluation_batches, training_batches
from training.runs import FEATURE, InterruptedIn, assert_same_weights, network, rolls, train_in


def test_the_network_is_left_with_the_weights_that_validation_prefers(tmp_path: Path) -> None:
    net = network()
    history = train_in(tmp_path, net, epochs=25, learning_rate=0.2)
    valid = [record.valid_loss for record in history.epochs]
    assert history.best.valid_loss == min(valid) < valid[-1]
    batches = evaluation_batches(rolls(6, 9, 4, seed=4), FEATURE, 2)
    assert mean_loss(net, FEATURE.loss, batches.epoch(0)) == min(valid)
    assert load_checkpoint(tmp_path / BEST).facts == {"epoch": history.best.epoch}


def test_training_stops_when_validation_has_waited_long_enough(tmp_path: Path) -> None:
    history = train_in(tmp_path, network(), epochs=60, learning_rate=0.2, patience=4)
    assert len(history.epochs) == history.best.epoch + 4 < 60


def test_the_network_is_left_with_the_weights_of_the_highest_score_where_that_selects(
    tmp_path: Path,
) -> None:
    scores = iter([0.2, 0.9, 0.5, 0.9])
    seen: list[dict[str, Tensor]] = []

    def score(net: nn.Module) -> float:
        assert not net.training
        assert not torch.is_grad_enabled()
        seen.append({name: weight.clone() for name, weight in net.state_dict().items()})
        return next(scores)

    net = network()
    history = train_in(tmp_path, net, score=score, select="score")
    assert [record.score for record in history.epochs] == [0.2, 0.9, 0.5, 0.9]
    assert history.best.epoch == 2 != min(history.epochs, key=lambda r: r.valid_loss).epoch
    for name, weight in net.state_dict().items():
        assert torch.equal(weight, seen[1][name]), name


def test_a_score_is_kept_beside_the_loss_that_selects(tmp_path: Path) -> None:
    plain, scored = network(), network()
    first = train_in(tmp_path / "plain", plain)
    second = train_in(tmp_path / "scored", scored, score=lambda _: -1.0)
    assert [record.score for record in first.epochs] == [None] * 4
    assert [record.score for record in second.epochs] == [-1.0] * 4
    assert [r.valid_loss for r in first.epochs] == [r.valid_loss for r in second.epochs]
    assert_same_weights(plain, scored)


def test_patience_waits_for_a_better_score_where_that_selects(tmp_path: Path) -> None:
    scores = iter([0.5, 0.6, 0.6, 0.55, 0.58])
    history = train_in(
        tmp_path, network(), epochs=60, score=lambda _: next(scores), select="score", patience=3
    )
    assert len(history.epochs) == 5


def test_selecting_by_a_score_without_one_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"training\.select = 'score' needs a score"):
        train_in(tmp_path, network(), select="score")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_ends_no_run_and_selects_no_epoch(
    value: float, tmp_path: Path
) -> None:
    scores = iter([value, 0.5, value, 0.4])
    history = train_in(tmp_path, network(), score=lambda _: next(scores), select="score")
    assert [record.score for record in history.epochs] == [None, 0.5, None, 0.4]
    assert history.best.epoch == 2
    for line in (tmp_path / METRICS).read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)
    resumed = train_in(tmp_path, network(), score=lambda _: 0.0, select="score", resume=True)
    assert resumed == history


def test_averaged_weights_are_the_exponential_mean_of_those_after_every_update(
    tmp_path: Path,
) -> None:
    net = network("simple")
    seen: list[Tensor] = []

    class Watched(InterruptedIn):
        def epoch(self, n: int) -> Iterator[Batch]:
            for batch in self.batches.epoch(n):
                yield batch
                seen.append(net.head.state_dict()["layers.0.weight"].clone())

    settings = TrainingSettings(
        epochs=1, average_decay=0.75, batch_size=2, learning_rate=0.05, accelerator="cpu"
    )
    batches = training_batches(rolls(7, 3, 11, 8, 5), FEATURE, settings, 1)
    valid = evaluation_batches(rolls(6), FEATURE, 2)
    fit(net, FEATURE.loss, Watched(batches), valid, settings, directory=tmp_path, seed=1)

    assert len(seen) == 3
    mean = seen[0]
    for weight in seen[1:]:
        mean = 0.75 * mean + 0.25 * weight
    torch.testing.assert_close(net.head.state_dict()["layers.0.weight"], mean)


def test_stuck_validation_begins_the_mean_of_all_weights_since(tmp_path: Path) -> None:
    scores = iter([5.0, 4.0, 4.5, 4.6, 9.0])  # stuck after the third epoch
    net = network("simple")
    seen: list[Tensor] = []
    scored: list[Tensor] = []

    class Watched(InterruptedIn):
        def epoch(self, n: int) -> Iterator[Batch]:
            for batch in self.batches.epoch(n):
                yield batch
                seen.append(net.head.state_dict()["layers.0.weight"].clone())

    def score(selected: nn.Module) -> float:
        scored.append(selected.get_parameter("head.layers.0.weight").detach().clone())
        return next(scores)

    settings = TrainingSettings(
        epochs=5, average_patience=1, select="score", learning_rate=0.05, accelerator="cpu"
    )
    batches = evaluation_batches(rolls(7, 3, 11, 8, 5), FEATURE, 2)
    valid = evaluation_batches(rolls(6), FEATURE, 2)
    watched = Watched(batches)
    fit(net, FEATURE.loss, watched, valid, settings, directory=tmp_path, seed=1, score=score)
    assert len(seen) == 15
    for epoch in range(3):
        assert torch.equal(scored[epoch], seen[3 * epoch + 2])
    torch.testing.assert_close(scored[3], torch.stack(seen[9:12]).mean(dim=0))
    torch.testing.assert_close(scored[4], torch.stack(seen[9:]).mean(dim=0))
    assert torch.equal(net.head.state_dict()["layers.0.weight"], scored[4])
