"""The training loop: the state that is carried from chunk to chunk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.utils._pytree import tree_map

from elman.batches.batching import Batch
from elman.batches.streams import StreamBatches, windows
from elman.experiment.training import TrainingSettings
from elman.training.schedule import learning_rate
from elman.training.trainer import fit
from rolls import evaluation_batches
from training.runs import FEATURE, assert_same_weights, differ, network, rolls


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

    monkeypatch.setattr("elman.training.run_state.learning_rate", recorded)
    settings = TrainingSettings(epochs=2, chunk_length=3, accelerator="cpu")
    one = evaluation_batches(rolls(12), FEATURE, 1)
    fit(network(), FEATURE.loss, one, one, settings, directory=tmp_path, seed=1)
    assert moments == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]
