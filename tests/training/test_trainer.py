"""The training loop: what it computes, selects, saves and resumes."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

import elman
from elman.data.batching import Batch, BucketedBatches, Example
from elman.data.streams import StreamBatches, windows
from elman.errors import CheckpointError, ExperimentError, OptionError
from elman.features.roll import RollFeature
from elman.layers.weight_dropout import apply_weight_dropout
from elman.networks import ManyToMany, many_to_many
from elman.training.checkpoint import load_checkpoint, save_checkpoint
from elman.training.history import History
from elman.training.preparation import evaluation_batches, training_batches
from elman.training.progress import LineProgress, Progress
from elman.training.schedule import learning_rate
from elman.training.settings import TrainingSettings
from elman.training.trainer import BEST, LAST, METRICS, Score, fit
from elman.training.validation import mean_loss

FEATURE = RollFeature()


def rolls(*lengths: int, seed: int = 3) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [(random.random((length, 88)) < 0.05).astype(np.uint8) for length in lengths]


def network(cell: str = "gru", **options: Any) -> ManyToMany:
    torch.manual_seed(11)
    sizes = {"input_size": 88, "output_size": 88, "hidden_size": 5}
    return many_to_many(cell=cell, **sizes | options)


def train_in(
    directory: Path,
    net: ManyToMany,
    seed: int = 1,
    *,
    resume: bool = False,
    score: Score | None = None,
    progress: Progress | None = None,
    **settings: Any,
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
        score=score,
        progress=progress,
    )


def loudness(net: nn.Module) -> float:
    """A score that has nothing to do with the loss."""
    return float(sum(weight.abs().sum() for weight in net.parameters()))


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


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "adamw", "weight_decay": 0.1, "schedule": "cosine", "warmup_epochs": 1.5},
        {"optimizer": "rmsprop", "momentum": 0.5, "average_decay": 0.7, "learning_rate": 1e-3},
        {"optimizer": "sgd", "momentum": 0.9, "schedule": "plateau", "plateau_patience": 1},
        {"optimizer": "sgd", "chunk_length": 4, "augment_transpose": 3, "weight_noise": 0.1},
        {"average_patience": 1, "learning_rate": 0.3},  # averages from the fourth epoch on
        {"activation_regularisation": 0.5, "temporal_activation_regularisation": 0.5},
        {"select": "score", "schedule": "plateau", "plateau_patience": 1},
        {"weight_decay": 0.3, "decay_embeddings": False},
    ],
    ids=lambda settings: "-".join(settings) or "defaults",
)
@pytest.mark.parametrize("interrupted_in", [3, 4])
def test_an_interrupted_and_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    tmp_path: Path,
    settings: dict[str, Any],
    interrupted_in: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {"epochs": 5, **settings}

    def fresh_network() -> ManyToMany:
        net = network("lstm", output_dropout=0.3, zoneout=0.2)
        apply_weight_dropout(net, 0.2)
        return net

    whole, parts = fresh_network(), fresh_network()
    expected = train_in(tmp_path / "whole", whole, score=loudness, **settings)

    monkeypatch.setattr(InterruptedIn, "epoch_to_interrupt", interrupted_in)
    with pytest.raises(KeyboardInterrupt):
        train_in(tmp_path / "parts", parts, score=loudness, **settings)
    assert len((tmp_path / "parts" / METRICS).read_text().splitlines()) == interrupted_in
    fresh = fresh_network()
    torch.manual_seed(999)
    resumed = train_in(tmp_path / "parts", fresh, resume=True, score=loudness, **settings)

    assert without_seconds(resumed) == without_seconds(expected)
    assert_same_weights(fresh, whole)
    last = [load_checkpoint(tmp_path / run / LAST) for run in ("whole", "parts")]
    averaged = any("average_" in name for name in settings)
    assert averaged == any(name.startswith("average.") for name in last[0].tensors)
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
    valid = [record.valid_loss for record in history.epochs]
    assert history.best.valid_loss == min(valid) < valid[-1]
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
    assert history.epochs[-1].train_loss < history.epochs[0].train_loss


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


def test_a_score_that_is_not_a_number_stops_in_words(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="the score of epoch 1 is nan"):
        train_in(tmp_path, network(), score=lambda _: math.nan)


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
    assert "stopped after 0.0 minutes, in epoch 1 of 500, as training.max_minutes = 1e-06" in (
        said.getvalue()
    )
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


def test_a_stream_is_trained_on_with_its_state_carried_from_chunk_to_chunk(tmp_path: Path) -> None:
    torch.manual_seed(8)
    stream = torch.from_numpy(rolls(60)[0]).float()
    net, by_hand = (network("lstm") for _ in range(2))
    settings = TrainingSettings(
        epochs=1,
        optimizer="sgd",
        learning_rate=0.5,
        clip_norm=0.0,
        chunk_length=7,
        accelerator="cpu",
    )
    batches = StreamBatches(stream, 2, 7, seed=3, vary_cuts=True)
    valid = StreamBatches(stream, 1, 7)
    fit(net, FEATURE.loss, batches, valid, settings, directory=tmp_path, seed=1)

    state = None
    for chunk in batches.epoch(0):
        by_hand.zero_grad()
        outputs, state = by_hand(chunk.input, state, lengths=chunk.lengths)
        FEATURE.loss(outputs, chunk.target, chunk.lengths).backward()
        with torch.no_grad():
            for weight in by_hand.parameters():
                assert weight.grad is not None
                weight -= 0.5 * weight.grad
        state = tree_map(torch.detach, state)
    for name, weight in by_hand.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], weight)


def test_a_stream_begins_every_chunk_anew_where_no_state_is_to_be_carried(tmp_path: Path) -> None:
    stream = torch.from_numpy(rolls(40)[0]).float()
    batches = StreamBatches(stream, 2, 7)
    anew = [batch._replace(continues=False) for batch in batches.epoch(0)]

    class Anew:
        def __len__(self) -> int:
            return len(anew)

        def epoch(self, n: int) -> Iterator[Batch]:  # noqa: ARG002
            return iter(anew)

    nets = [network() for _ in range(3)]
    for net, train, carry_state in (
        (nets[0], batches, False),
        (nets[1], Anew(), True),
        (nets[2], batches, True),
    ):
        settings = TrainingSettings(
            epochs=1, chunk_length=7, carry_state=carry_state, accelerator="cpu"
        )
        directory = tmp_path / str(nets.index(net))
        fit(net, FEATURE.loss, train, batches, settings, directory=directory, seed=1)
    assert_same_weights(nets[0], nets[1])
    assert differ(nets[0], nets[2])


def test_the_learning_rate_moves_within_a_batch_that_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments: list[float] = []

    def recorded(settings: TrainingSettings, time: float, losses: list[float]) -> float:
        moments.append(time)
        return learning_rate(settings, time, losses)

    monkeypatch.setattr("elman.training.trainer.learning_rate", recorded)
    settings = TrainingSettings(epochs=2, chunk_length=3, accelerator="cpu")
    one = evaluation_batches(rolls(12), FEATURE, 1)
    fit(network(), FEATURE.loss, one, one, settings, directory=tmp_path, seed=1)
    assert moments == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]
