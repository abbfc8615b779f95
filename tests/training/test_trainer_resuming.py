"""The training loop: a run that was interrupted, and goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from elman.errors import CheckpointError
from elman.layers.weight_dropout import apply_weight_dropout
from elman.networks import ManyToMany
from elman.training.checkpoint import load_checkpoint, save_checkpoint
from elman.training.keeping import BEFORE, LAST, METRICS
from training.runs import InterruptedIn, assert_same_weights, network, train_in, without_seconds


def loudness(net: nn.Module) -> float:
    """A score that has nothing to do with the loss."""
    return float(sum(weight.abs().sum() for weight in net.parameters()))


@pytest.mark.sampled(2)
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
    with pytest.raises(CheckpointError, match=r"optimizer = 'adam', and this run has 'sgd'"):
        train_in(tmp_path, network(), resume=True, optimizer="sgd")
    with pytest.raises(CheckpointError, match=r"seed = 1, and this run has 2"):
        train_in(tmp_path, network(), 2, resume=True)


def test_resuming_with_another_network_names_the_weight_that_does_not_fit(tmp_path: Path) -> None:
    train_in(tmp_path, network())
    with pytest.raises(CheckpointError, match="does not fit this network"):
        train_in(tmp_path, network("simple"), resume=True)


def test_resuming_from_a_truncated_checkpoint_says_so(tmp_path: Path) -> None:
    train_in(tmp_path, network())
    (tmp_path / BEFORE).unlink(missing_ok=True)
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
