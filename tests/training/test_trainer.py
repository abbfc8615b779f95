"""The training loop: what it computes, records and refuses."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import elman
from elman.batches.batching import Batch, BucketedBatches, Example
from elman.errors import ExperimentError, OptionError
from elman.experiment.training import TrainingSettings
from elman.training.checkpoint import load_checkpoint
from elman.training.history import History
from elman.training.keeping import BEST, LAST, METRICS
from elman.training.progress import LineProgress
from elman.training.schedule import learning_rate
from elman.training.trainer import fit
from elman.training.validation import mean_loss
from rolls import evaluation_batches, training_batches
from training.runs import (
    FEATURE,
    assert_same_weights,
    differ,
    network,
    rolls,
    train_in,
    without_seconds,
)


def test_training_lowers_the_loss_on_what_it_learns_from(tmp_path: Path) -> None:
    history = train_in(tmp_path, network(), epochs=6)
    losses = [record.train_loss for record in history.epochs]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 1


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    nets = [network(output_dropout=0.4) for _ in range(3)]
    first, again, other = (
        train_in(tmp_path / str(i), net, seed)
        for i, (net, seed) in enumerate(zip(nets, (1, 1, 2), strict=True))
    )
    assert_same_weights(nets[0], nets[1])
    assert without_seconds(first) == without_seconds(again)
    assert differ(nets[0], nets[2])
    assert without_seconds(first) != without_seconds(other)


def test_every_epoch_is_a_line_of_metrics(tmp_path: Path) -> None:
    history = train_in(tmp_path, network())
    lines = (tmp_path / METRICS).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [r.model_dump() for r in history.epochs]
    assert [record.epoch for record in history.epochs] == [1, 2, 3, 4]
    seconds = [record.seconds for record in history.epochs]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0


def test_the_recorded_learning_rate_is_the_last_update_s(tmp_path: Path) -> None:
    options = {"schedule": "cosine", "warmup_epochs": 2.0, "epochs": 3, "learning_rate": 0.02}
    history = train_in(tmp_path, network(), **options)
    settings = TrainingSettings(**options)
    expected = [learning_rate(settings, t, []) for t in (1.0, 2.0, 3.0)]
    assert [record.learning_rate for record in history.epochs] == pytest.approx(expected)


def test_one_update_of_sgd_is_the_clipped_gradient_times_the_rate(tmp_path: Path) -> None:
    net = network()
    (batch,) = evaluation_batches(rolls(7, 3), FEATURE, 2).epoch(0)
    before = {name: weight.detach().clone() for name, weight in net.named_parameters()}
    outputs, _ = net(batch.input, lengths=batch.lengths)
    FEATURE.loss(outputs, batch.target, batch.lengths).backward()
    gradients = {n: w.grad.clone() for n, w in net.named_parameters() if w.grad is not None}
    norm = torch.cat([gradient.flatten() for gradient in gradients.values()]).norm()
    assert norm > 0.1

    settings = TrainingSettings(
        epochs=1, optimizer="sgd", learning_rate=0.5, clip_norm=0.1, accelerator="cpu"
    )
    one = evaluation_batches(rolls(7, 3), FEATURE, 2)
    fit(net, FEATURE.loss, one, one, settings, directory=tmp_path, seed=1)
    for name, weight in net.named_parameters():
        expected = before[name] - 0.5 * gradients[name] * 0.1 / norm
        torch.testing.assert_close(weight.detach(), expected, rtol=1e-4, atol=1e-6)


def test_each_number_of_a_gradient_is_clipped_before_its_norm(tmp_path: Path) -> None:
    net = network()
    (batch,) = evaluation_batches(rolls(7, 3), FEATURE, 2).epoch(0)
    before = {name: weight.detach().clone() for name, weight in net.named_parameters()}
    outputs, _ = net(batch.input, lengths=batch.lengths)
    FEATURE.loss(outputs, batch.target, batch.lengths).backward()
    limit = 1e-3
    clipped = {
        name: weight.grad.clamp(-limit, limit)
        for name, weight in net.named_parameters()
        if weight.grad is not None
    }
    norm = torch.cat([gradient.flatten() for gradient in clipped.values()]).norm()
    assert any((gradient.abs() == limit).any() for gradient in clipped.values())

    chosen = {"clip_value": limit, "clip_norm": float(norm) / 2, "learning_rate": 0.5}
    settings = TrainingSettings(epochs=1, optimizer="sgd", accelerator="cpu", **chosen)
    one = evaluation_batches(rolls(7, 3), FEATURE, 2)
    fit(net, FEATURE.loss, one, one, settings, directory=tmp_path, seed=1)
    for name, weight in net.named_parameters():
        expected = before[name] - 0.5 * clipped[name] / 2
        torch.testing.assert_close(weight.detach(), expected, rtol=1e-4, atol=1e-6)


def test_a_gradient_that_is_not_a_number_stops_before_it_spoils_the_weights(
    tmp_path: Path,
) -> None:
    def loss(outputs: Tensor, *_: Tensor) -> Tensor:
        return (outputs * 0).sum().sqrt()

    net = network()
    before = {name: weight.clone() for name, weight in net.state_dict().items()}
    batches = evaluation_batches(rolls(7), FEATURE, 2)
    settings = TrainingSettings(epochs=3, accelerator="cpu")
    with pytest.raises(ExperimentError, match=r"epoch 1, step 1: the gradient's norm is nan"):
        fit(net, loss, batches, batches, settings, directory=tmp_path, seed=1)
    for name, weight in net.state_dict().items():
        assert torch.equal(weight, before[name])


def test_a_device_that_is_not_there_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(OptionError, match=r"training\.accelerator = 'cuda' asks for a device"):
        train_in(tmp_path, network(), accelerator="cuda")


def test_bfloat16_arithmetic_trains_too(tmp_path: Path) -> None:
    history = train_in(tmp_path, network(), precision="bf16-mixed", epochs=3)
    assert history.epochs[-1].train_loss < history.epochs[0].train_loss


def test_activation_regularisation_makes_outputs_smaller_and_slower(tmp_path: Path) -> None:
    batch = next(evaluation_batches(rolls(40), FEATURE, 1).epoch(0))

    def size_and_change(**settings: float) -> tuple[float, float]:
        net = network()
        train_in(tmp_path / "-".join(settings), net, epochs=20, patience=0, **settings)
        with torch.no_grad():
            h, _ = net.recurrent(batch.input)
        return float(h.square().mean()), float((h[1:] - h[:-1]).square().mean())

    size, change = size_and_change()
    assert size_and_change(activation_regularisation=500.0)[0] < size / 2
    assert size_and_change(temporal_activation_regularisation=500.0)[1] < change / 2


def test_the_recorded_loss_is_without_the_penalty(tmp_path: Path) -> None:
    plain = train_in(tmp_path / "plain", network(), epochs=1, learning_rate=1e-9)
    options = {"activation_regularisation": 1e4, "learning_rate": 1e-9}
    paid = train_in(tmp_path / "paid", network(), epochs=1, **options)
    assert paid.epochs[0].train_loss == pytest.approx(plain.epochs[0].train_loss, rel=1e-6)


def test_training_stops_when_its_minutes_are_over_and_says_so(tmp_path: Path) -> None:
    said = io.StringIO()
    history = train_in(
        tmp_path, network(), epochs=500, max_minutes=1e-6, progress=LineProgress(said)
    )
    assert len(history.epochs) == 1
    minutes = f"{history.seconds / 60:.1f}"  # 0.0, unless the machine has much else to do
    assert (
        f"stopped after {minutes} minutes, in epoch 1 of 500, because training.max_minutes = 1e-06"
    ) in said.getvalue()
    again = train_in(tmp_path, network(), resume=True, epochs=500, max_minutes=1e-6)
    assert again == history


def test_a_run_that_ends_in_time_says_nothing_of_it(tmp_path: Path) -> None:
    said = io.StringIO()
    train_in(tmp_path, network(), epochs=2, max_minutes=60.0, progress=LineProgress(said))
    assert "minutes" not in said.getvalue()


class LastStep(nn.Module):
    """A GRU whose last state is the answer, one a row."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.recurrent = elman.GRU(3, 2)

    def forward(
        self, x: Tensor, state: Any = None, *, lengths: Tensor | None = None
    ) -> tuple[Tensor, Any]:
        _, state = self.recurrent(x, state, lengths=lengths)
        return state[0], state


class RowLoss(nn.Module):
    """Mean square error over rows, with something of its own to learn."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        del lengths
        return (self.scale * outputs - target).square().mean()


def rows(**options: Any) -> BucketedBatches:
    random = torch.Generator().manual_seed(2)
    examples = [
        Example(torch.randn(n, 3, generator=random), torch.randn(2, generator=random))
        for n in (4, 9, 2, 5, 7)
    ]
    return BucketedBatches(examples, 2, seed=1, targets="row", **options)


def fit_rows(net: nn.Module, directory: Path, **settings: Any) -> History:
    chosen = TrainingSettings(epochs=3, accelerator="cpu", **settings)
    return fit(net, None, rows(), rows(shuffle=False), chosen, directory=directory, seed=1)


def test_rows_with_one_target_each_are_trained_on_with_the_network_s_own_loss(
    tmp_path: Path,
) -> None:
    net = LastStep()
    net.objective = RowLoss()
    history = fit_rows(net, tmp_path)
    losses = [record.train_loss for record in history.epochs]
    assert losses == sorted(losses, reverse=True)
    assert net.objective.scale.item() != 1.0, "what the objective learns is trained, too"


def test_the_average_is_validated_with_the_average_of_what_the_objective_has_learned(
    tmp_path: Path,
) -> None:
    net = LastStep()
    net.objective = RowLoss()
    history = fit_rows(net, tmp_path, average_decay=0.9, learning_rate=0.1)
    found = mean_loss(net, None, rows(shuffle=False).epoch(0))
    assert found == history.best.valid_loss


def test_cutting_what_has_one_target_a_row_is_refused_in_words(tmp_path: Path) -> None:
    net = LastStep()
    net.objective = RowLoss()
    with pytest.raises(OptionError, match="chunk_length = 3 cuts sequences whose every step"):
        fit_rows(net, tmp_path, chunk_length=3)


class Clock:
    """A clock that goes on only as batches take their time."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def perf_counter(self) -> float:
        return self.seconds


class Slow:
    """Batches of which each takes a while, in every epoch a share of that before."""

    def __init__(
        self, batches: BucketedBatches, clock: Clock, seconds: float, share: float = 1.0
    ) -> None:
        self.clock, self.share = clock, share
        self.batches, self.seconds = batches, seconds

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, n: int) -> Iterator[Batch]:
        for batch in self.batches.epoch(n):
            self.clock.seconds += self.seconds
            yield batch
        self.seconds *= self.share


@pytest.fixture
def fit_slowly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., History]:
    """Fit by a clock of its own, which batches alone move: 30 of training, 2 of validation."""
    clock = Clock()
    monkeypatch.setattr("elman.training.trainer.time", clock)

    def fitted(
        *,
        train: float,
        valid: float,
        share: float = 1.0,
        max_minutes: float,
        afterwards: float = 0.0,
    ) -> History:
        chosen = TrainingSettings(
            batch_size=1, accelerator="cpu", epochs=500, max_minutes=max_minutes
        )
        return fit(
            network(),
            FEATURE.loss,
            Slow(training_batches(rolls(*range(3, 33)), FEATURE, chosen, 1), clock, train),
            Slow(evaluation_batches(rolls(6, 9), FEATURE, 1), clock, valid, share),
            chosen,
            directory=tmp_path,
            seed=1,
            afterwards=afterwards,
        )

    return fitted


def test_the_minutes_are_kept_within_an_epoch_and_with_its_validation(
    tmp_path: Path, fit_slowly: Callable[..., History]
) -> None:
    # 30 updates of 20 ms and 2 batches of 50 ms: the third epoch of 0.7 s would end after 2.1 s.
    history = fit_slowly(train=0.02, valid=0.05, max_minutes=1.81 / 60)
    # The last update that leaves 0.1 s to validation is the first after 1.71 s.
    assert history.seconds == pytest.approx(1.4 + 16 * 0.02 + 0.1)
    assert [record.epoch for record in history.epochs] == [1, 2, 3]
    tensors = load_checkpoint(tmp_path / LAST).tensors
    updates = {int(value) for name, value in tensors.items() if name.endswith(".step")}
    assert max(updates) == 30 + 30 + 16  # the last epoch ended early


def test_time_is_left_for_what_follows_training(fit_slowly: Callable[..., History]) -> None:
    # Three validations of 0.1 s each follow, so the third epoch of 0.7 s ends after 11 updates.
    history = fit_slowly(train=0.02, valid=0.05, max_minutes=2.01 / 60, afterwards=3)
    assert history.seconds == pytest.approx(1.4 + 11 * 0.02 + 0.1)
    # 0.3 s after two epochs: there is no time for another.
    shorter = fit_slowly(train=0.02, valid=0.05, max_minutes=1.69 / 60, afterwards=3)
    assert len(shorter.epochs) == 2


def test_time_that_a_faster_validation_leaves_begins_no_epoch(
    fit_slowly: Callable[..., History],
) -> None:
    # The second epoch leaves 0.2 s to its validation, as the first took, and that takes 0.02 s.
    history = fit_slowly(train=0.01, valid=0.1, share=0.1, max_minutes=0.955 / 60)
    assert len(history.epochs) == 2
    assert history.seconds == pytest.approx(0.5 + 26 * 0.01 + 0.02)


def test_an_epoch_that_ends_early_is_validated_and_kept(
    tmp_path: Path, fit_slowly: Callable[..., History]
) -> None:
    history = fit_slowly(train=0.01, valid=0.0, max_minutes=0.105 / 60)
    assert history.seconds == pytest.approx(0.11)
    assert len(history.epochs) == 1
    assert history.best.epoch == 1
    assert (tmp_path / BEST).exists()
    assert (tmp_path / METRICS).read_text().count("\n") == 1


def test_time_that_is_enough_changes_no_number(tmp_path: Path) -> None:
    plain = train_in(tmp_path / "plain", network(), epochs=3)
    timed = train_in(tmp_path / "timed", network(), epochs=3, max_minutes=60.0)
    assert without_seconds(timed) == without_seconds(plain)
