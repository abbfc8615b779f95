"""What a run keeps in memory between two writings, and what it writes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from elman.training import keeping
from elman.training.checkpoint import load_checkpoint
from elman.training.history import EpochRecord, History
from elman.training.keeping import BEST, LAST, METRICS, Keeper, Snapshot


def kept_epochs(keeper: Keeper, count: int) -> torch.Tensor:
    """Keep epochs of one weight, which becomes the number of the epoch in place."""
    weight, history = torch.zeros(1), History()
    for epoch in range(1, count + 1):
        weight.fill_(epoch)
        record = EpochRecord(epoch=epoch, seconds=0, train_loss=1, valid_loss=1, learning_rate=0.1)
        history = history.followed_by(record)
        best = Snapshot({"w": weight}, {"epoch": epoch}) if epoch == 2 else None
        keeper.keep(Snapshot({"w": weight}, {"epoch": epoch}), best, history)
    return weight


def test_fast_epochs_stay_in_memory_and_the_last_of_them_is_written_as_it_was(
    tmp_path: Path,
) -> None:
    keeper = Keeper(tmp_path)
    weight = kept_epochs(keeper, 3)
    assert load_checkpoint(tmp_path / LAST).facts == {"epoch": 1}
    assert not (tmp_path / BEST).exists()
    weight.fill_(torch.nan)  # training goes on, in place
    keeper.write()
    assert load_checkpoint(tmp_path / LAST).tensors["w"].tolist() == [3]
    assert load_checkpoint(tmp_path / BEST).tensors["w"].tolist() == [2]
    assert len((tmp_path / METRICS).read_text().splitlines()) == 3
    assert keeper.last is None


def test_where_writing_is_due_every_epoch_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "WRITE_EVERY", 0.0)
    keeper = Keeper(tmp_path)
    kept_epochs(keeper, 2)
    assert keeper.last is None
    assert load_checkpoint(tmp_path / LAST).facts == {"epoch": 2}
    assert load_checkpoint(tmp_path / BEST).facts == {"epoch": 2}
