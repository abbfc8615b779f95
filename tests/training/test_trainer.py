"""The training loop: what it computes, selects, saves and resumes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from elman.data.batching import Batch, BucketedBatches
from elman.errors import CheckpointError, ExperimentError, OptionError
from elman.features.roll import RollFeature
from elman.networks import ManyToMany, many_to_many
from elman.training.checkpoint import load_checkpoint, save_checkpoint
from elman.training.history import History
from elman.training.preparation import evaluation_batches, training_batches
from elman.training.schedule import learning_rate
from elman.training.settings import TrainingSettings
from elman.training.trainer import BEST, LAST, METRICS, fit, mean_loss, windows

FEATURE = RollFeature()


def rolls(*lengths: int, seed: int = 3) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [(random.random((length, 88)) < 0.05).astype(np.uint8) for length in lengths]


def network(cell: str = "gru", **options: Any) -> ManyToMany:
    torch.manual_seed(11)
    sizes = {"input_size": 88, "output_size": 88, "hidden_size": 5}
    return many_to_many(cell=cell, **sizes | options)


def train_in(
    directory: Path, net: ManyToMany, seed: int = 1, *, resume: bool = False, **settings: Any
) -> History:
    chosen = TrainingSettings(
        **{"epochs": 4, "batch_size": 2, "learning_rate": 0.02, "accelerator": "cpu"} | settings
    )
    return fit(
        net,
        FEATURE.loss,
        InterruptedIn(training_batches(rolls(7, 3, 11, 8, 5), FEATURE, chosen, seed)),
        evaluation_batches(rolls(6, 9, 4, seed=4), FEATURE, 2),
        chosen,
        directory=directory,
        seed=seed,
        resume=resume,
    )


class InterruptedIn:
    """Batches during which someone presses Ctrl-C, once, in the epoch `epoch_to_interrupt`."""

    epoch_to_interrupt: int | None = None

    def __init__(self, batches: BucketedBatches) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, n: int) -> Iterator[Batch]:
        for index, batch in enumerate(self.batches.epoch(n)):
            if n == type(self).epoch_to_interrupt and index == 1:
                type(self).epoch_to_interrupt = None
                raise KeyboardInterrupt
            yield batch


def without_seconds(history: History) -> list[dict[str, float]]:
    return [record.model_dump(exclude={"seconds"}) for record in history.epochs]


def assert_same_weights(one: ManyToMany, other: ManyToMany) -> None:
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, other.state_dict()[name]), name


def differ(one: ManyToMany, other: ManyToMany) -> bool:
    there = other.state_dict()
    return any(not torch.equal(weight, there[name]) for name, weight in one.state_dict().items())


def test_training_lowers_the_loss_on_what_it_learns_from(tmp_path: Path) -> None:
    history = train_in(tmp_path, network(), epochs=6)
    losses = [record.train_nll for record in history.epochs]
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


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "adamw", "weight_decay": 0.1, "schedule": "cosine", "warmup_epochs": 1.5},
        {"optimizer": "rmsprop", "momentum": 0.5, "average_decay": 0.7, "learning_rate": 1e-3},
        {"optimizer": "sgd", "momentum": 0.9, "schedule": "plateau", "plateau_patience": 1},
        {"optimizer": "sgd", "chunk_length": 4, "augment_transpose": 3, "weight_noise": 0.1},
    ],
    ids=lambda settings: settings.get("optimizer", "adam"),
)
def test_an_interrupted_and_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = (network("lstm", output_dropout=0.3, zoneout=0.2) for _ in range(2))
    expected = train_in(tmp_path / "whole", whole, **settings)

    monkeypatch.setattr(InterruptedIn, "epoch_to_interrupt", 2)
    with pytest.raises(KeyboardInterrupt):
        train_in(tmp_path / "parts", parts, **settings)
    assert len((tmp_path / "parts" / METRICS).read_text().splitlines()) == 2
    fresh = network("lstm", output_dropout=0.3, zoneout=0.2)
    torch.manual_seed(999)
    resumed = train_in(tmp_path / "parts", fresh, resume=True, **settings)

    assert without_seconds(resumed) == without_seconds(expected)
    assert_same_weights(fresh, whole)
    last = [load_checkpoint(tmp_path / run / LAST) for run in ("whole", "parts")]
    assert last[0].tensors.keys() == last[1].tensors.keys()
    for name, tensor in last[0].tensors.items():
        assert torch.equal(tensor, last[1].tensors[name]), name
    assert last[0].facts["optimizer"] == last[1].facts["optimizer"]
    assert last[0].facts["generators"] == last[1].facts["generators"]


def test_resuming_a_finished_run_trains_no_further(tmp_path: Path) -> None:
    net, again = network(), network()
    history = train_in(tmp_path, net)
    assert train_in(tmp_path, again, resume=True) == history
    assert_same_weights(net, again)


def test_resuming_with_other_settings_is_refused(tmp_path: Path) -> None:
    train_in(tmp_path, network())
    with pytest.raises(CheckpointError, match=r"learning_rate = 0\.02, and this run has 0\.5"):
        train_in(tmp_path, network(), resume=True, learning_rate=0.5)
    with pytest.raises(CheckpointError, match=r"seed = 1, and this run has 2"):
        train_in(tmp_path, network(), 2, resume=True)


def test_resuming_with_another_network_names_the_weight_that_does_not_fit(tmp_path: Path) -> None:
    train_in(tmp_path, network())
    with pytest.raises(CheckpointError, match="does not fit this network"):
        train_in(tmp_path, network("simple"), resume=True)


def test_resuming_from_a_truncated_checkpoint_says_so(tmp_path: Path) -> None:
    train_in(tmp_path, network())
    content = (tmp_path / LAST).read_bytes()
    (tmp_path / LAST).write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match="truncated or corrupt"):
        train_in(tmp_path, network(), resume=True)


def test_a_checkpoint_that_lacks_a_part_says_which(tmp_path: Path) -> None:
    train_in(tmp_path, network())
    tensors, facts, _ = load_checkpoint(tmp_path / LAST)
    save_checkpoint(tmp_path / LAST, tensors, {k: v for k, v in facts.items() if k != "history"})
    with pytest.raises(
        CheckpointError, match="no checkpoint of a training run: it lacks 'history'"
    ):
        train_in(tmp_path, network(), resume=True)


def test_the_network_is_left_with_the_weights_that_validation_prefers(tmp_path: Path) -> None:
    net = network()
    history = train_in(tmp_path, net, epochs=25, learning_rate=0.2)
    valid = [record.valid_nll for record in history.epochs]
    assert history.best.valid_nll == min(valid) < valid[-1]
    batches = evaluation_batches(rolls(6, 9, 4, seed=4), FEATURE, 2)
    assert mean_loss(net, FEATURE.loss, batches.epoch(0)) == min(valid)
    assert load_checkpoint(tmp_path / BEST).facts == {"epoch": history.best.epoch}


def test_training_stops_when_validation_has_waited_long_enough(tmp_path: Path) -> None:
    history = train_in(tmp_path, network(), epochs=60, learning_rate=0.2, patience=4)
    assert len(history.epochs) == history.best.epoch + 4 < 60


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


@pytest.mark.parametrize("sizes", [5, [7, 3]])
def test_chunks_carry_their_state_but_no_gradient(tmp_path: Path, sizes: int | list[int]) -> None:
    net, by_hand = (network("lstm", hidden_size=sizes) for _ in range(2))
    settings = TrainingSettings(
        epochs=1,
        optimizer="sgd",
        learning_rate=0.5,
        clip_norm=0.0,
        chunk_length=4,
        accelerator="cpu",
    )
    batches = evaluation_batches(rolls(11, 6), FEATURE, 2)
    fit(net, FEATURE.loss, batches, batches, settings, directory=tmp_path, seed=1)

    state = None
    (batch,) = batches.epoch(0)
    for window in windows(batch, 4):
        by_hand.zero_grad()
        outputs, state = by_hand(window.input, state, lengths=window.lengths)
        FEATURE.loss(outputs, window.target, window.lengths).backward()
        with torch.no_grad():
            for weight in by_hand.parameters():
                assert weight.grad is not None
                weight -= 0.5 * weight.grad
        state = tree_map(torch.detach, state)
    for name, weight in by_hand.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], weight)


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


def test_a_loss_that_is_not_a_number_stops_with_epoch_step_and_advice(tmp_path: Path) -> None:
    calls = 0

    def loss(outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        nonlocal calls
        calls += torch.is_grad_enabled()
        broken = calls == 5 and torch.is_grad_enabled()
        return FEATURE.loss(outputs, target, lengths) * (math.nan if broken else 1.0)

    settings = TrainingSettings(epochs=3, batch_size=2, accelerator="cpu")
    batches = evaluation_batches(rolls(7, 3, 5, 6, 4), FEATURE, 2)
    with pytest.raises(ExperimentError) as caught:
        fit(network(), loss, batches, batches, settings, directory=tmp_path, seed=1)
    assert str(caught.value) == (
        "training diverged in epoch 2, step 2: the loss is nan. Try a lower "
        "training.learning_rate (now 0.003) or a lower training.clip_norm (now 1)."
    )


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
    assert history.epochs[-1].train_nll < history.epochs[0].train_nll


@pytest.mark.parametrize("cell", ["simple", "gru", "lstm"])
@pytest.mark.parametrize("length", [1, 4, 10, 30])
def test_windows_with_carried_state_compute_what_the_whole_batch_does(
    cell: str, length: int
) -> None:
    net = network(cell).eval()
    (batch,) = evaluation_batches(rolls(3, 11, 8), FEATURE, 3).epoch(0)
    whole, final = net(batch.input, lengths=batch.lengths)
    parts, state = [], None
    for window in windows(batch, length):
        outputs, state = net(window.input, state, lengths=window.lengths)
        parts.append(outputs)
    torch.testing.assert_close(torch.cat(parts), whole)
    torch.testing.assert_close(state, final)
    assert sum(int(window.lengths.sum()) for window in windows(batch, length)) == 22


def test_the_mean_loss_weighs_every_frame_alike() -> None:
    net = network()
    pieces = rolls(3, 11, 8)
    apart = [
        mean_loss(net, FEATURE.loss, evaluation_batches([piece], FEATURE, 1).epoch(0))
        for piece in pieces
    ]
    together = mean_loss(net, FEATURE.loss, evaluation_batches(pieces, FEATURE, 2).epoch(0))
    expected = sum(loss * len(piece) for loss, piece in zip(apart, pieces, strict=True)) / 22
    assert together == pytest.approx(expected, rel=1e-6)
