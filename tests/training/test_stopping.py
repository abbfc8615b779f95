"""Training that is asked to stop, or killed: what it leaves, and how it goes on."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from elman.errors import CheckpointError
from elman.networks import ManyToMany
from elman.training import checkpoint, keeping
from elman.training.callbacks import Callback, StepRecord, StopTraining
from elman.training.checkpoint import load_checkpoint, save_checkpoint
from elman.training.history import EpochRecord, History
from elman.training.keeping import BEFORE, BEST, LAST, METRICS, WITHIN
from elman.training.progress import NoProgress
from elman.training.stopping import StoppedError
from training.runs import assert_same_weights, network, train_in, without_seconds

SETTINGS: list[dict[str, Any]] = [
    {},
    {"optimizer": "rmsprop", "momentum": 0.5, "average_decay": 0.7, "learning_rate": 1e-3},
    {"optimizer": "sgd", "momentum": 0.9, "chunk_length": 4, "augment_transpose": 3},
    {"average_patience": 1, "learning_rate": 0.3, "epochs": 6},
]


class Heard(NoProgress):
    """Progress that keeps what was said."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


class After(Callback):
    """Does something after so many steps, once."""

    def __init__(self, steps: int, action: Callable[[], object]) -> None:
        self.left = steps
        self.action = action

    def on_step(self, record: StepRecord) -> None:  # noqa: ARG002
        self.left -= 1
        if self.left == 0:
            self.action()


def fresh(cell: str = "lstm") -> ManyToMany:
    return network(cell, output_dropout=0.3, zoneout=0.2)


def stopped_by(number: signal.Signals, steps: int) -> After:
    """Return a callback after whose steps this process gets a signal."""
    return After(steps, lambda: os.kill(os.getpid(), number))


@pytest.mark.parametrize("steps", [1, 2, 4, 7])
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda each: "-".join(each) or "defaults")
def test_a_run_stopped_within_an_epoch_goes_on_bit_for_bit(
    tmp_path: Path, settings: dict[str, Any], steps: int
) -> None:
    whole, parts, resumed = fresh(), fresh(), fresh()
    expected = train_in(tmp_path / "whole", whole, **settings)
    with pytest.raises(StoppedError) as stopped:
        train_in(
            tmp_path / "parts", parts, callbacks=[stopped_by(signal.SIGTERM, steps)], **settings
        )
    assert stopped.value.number == signal.SIGTERM
    assert f"in epoch {(steps - 1) // 3 + 1}" in str(stopped.value) or "chunk_length" in settings
    torch.manual_seed(999)
    found = train_in(tmp_path / "parts", resumed, resume=True, **settings)
    assert without_seconds(found) == without_seconds(expected)
    assert_same_weights(resumed, whole)
    assert not (tmp_path / "parts" / WITHIN).exists()
    one, other = (load_checkpoint(tmp_path / run / LAST) for run in ("whole", "parts"))
    assert one.checksum == other.checksum
    assert one.facts["generators"] == other.facts["generators"]


def test_a_run_stopped_again_and_again_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole, resumed = fresh(), fresh()
    expected = train_in(tmp_path / "whole", whole, chunk_length=4)
    found = None
    for _ in range(40):
        resumed = fresh()
        try:
            found = train_in(
                tmp_path / "parts",
                resumed,
                resume=True,
                chunk_length=4,
                callbacks=[stopped_by(signal.SIGINT, 1)],
            )
        except StoppedError:
            continue
        break
    assert found is not None
    assert without_seconds(found) == without_seconds(expected)
    assert_same_weights(resumed, whole)


def test_a_run_stopped_while_it_is_validated_goes_on_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts, resumed = fresh(), fresh(), fresh()
    expected = train_in(tmp_path / "whole", whole)
    from elman.training import trainer

    real, calls = trainer.mean_loss, 0

    def interrupted(*given: Any) -> float:
        nonlocal calls
        calls += 1
        if calls == 2:
            os.kill(os.getpid(), signal.SIGHUP)
        return real(*given)

    monkeypatch.setattr(trainer, "mean_loss", interrupted)
    with pytest.raises(StoppedError, match=r"in epoch 2, after 3 batches"):
        train_in(tmp_path / "parts", parts)
    found = train_in(tmp_path / "parts", resumed, resume=True)
    assert without_seconds(found) == without_seconds(expected)
    assert_same_weights(resumed, whole)


def test_ctrl_c_twice_stops_at_once_and_the_handlers_are_as_before(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    heard = Heard()
    with pytest.raises(KeyboardInterrupt) as stopped:
        train_in(tmp_path, network(), callbacks=[After(2, twice)], progress=heard)
    assert not isinstance(stopped.value, StoppedError)
    assert not (tmp_path / WITHIN).exists()
    assert heard.sentences == [
        "Ctrl-C: finishing this step, then writing a checkpoint; Ctrl-C again stops at once."
    ]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_outside_the_main_thread_signals_are_left_alone(tmp_path: Path) -> None:
    histories: list[History] = []
    thread = threading.Thread(target=lambda: histories.append(train_in(tmp_path, network())))
    thread.start()
    thread.join()
    assert len(histories[0].epochs) == 4


def test_a_checkpoint_is_written_within_an_epoch_when_minutes_have_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    class Told(Callback):
        def on_checkpoint(self, path: Path) -> None:
            written.append(path.name)

    monkeypatch.setattr(keeping, "WRITE_EVERY", 0.0)
    train_in(tmp_path, network(), epochs=1, checkpoint_minutes=1e-9, callbacks=[Told()])
    assert written == [*["within.safetensors"] * 3, "best.safetensors", "last.safetensors"]
    written.clear()
    train_in(tmp_path / "never", network(), epochs=1, checkpoint_minutes=0, callbacks=[Told()])
    assert written == ["best.safetensors", "last.safetensors"]


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-5] ^= 8
    path.write_bytes(content)


@contextmanager
def every_epoch_written(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "WRITE_EVERY", 0.0)
        yield


def test_a_damaged_last_checkpoint_is_said_and_the_one_before_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, resumed, heard = fresh(), fresh(), Heard()
    expected = train_in(tmp_path / "whole", whole)
    with every_epoch_written(monkeypatch):
        train_in(tmp_path / "parts", fresh(), epochs=3)
    damaged(tmp_path / "parts" / LAST)
    found = train_in(tmp_path / "parts", resumed, resume=True, progress=heard)
    assert "last.safetensors is corrupt" in heard.sentences[0]
    assert "before.safetensors, after epoch 2." in heard.sentences[0]
    assert without_seconds(found) == without_seconds(expected)
    assert_same_weights(resumed, whole)


def test_a_damaged_checkpoint_within_an_epoch_is_said_and_the_epoch_begun_anew(
    tmp_path: Path,
) -> None:
    whole, resumed, heard = fresh(), fresh(), Heard()
    train_in(tmp_path / "whole", whole)
    with pytest.raises(StoppedError):
        train_in(tmp_path / "parts", fresh(), callbacks=[stopped_by(signal.SIGTERM, 5)])
    damaged(tmp_path / "parts" / WITHIN)
    train_in(tmp_path / "parts", resumed, resume=True, progress=heard)
    assert "within.safetensors is corrupt" in heard.sentences[0]
    assert "from the end of the epoch before" in heard.sentences[0]
    assert_same_weights(resumed, whole)


def test_where_no_checkpoint_is_sound_the_advice_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, resumed = fresh(), fresh()
    with every_epoch_written(monkeypatch):
        train_in(tmp_path, whole)
    for path in (tmp_path / LAST, tmp_path / BEFORE):
        damaged(path)
    with pytest.raises(CheckpointError, match=r"Or delete .*checkpoints and resume"):
        train_in(tmp_path, fresh(), resume=True)
    for path in (tmp_path / LAST).parent.iterdir():
        path.unlink()
    train_in(tmp_path, resumed, resume=True)
    assert_same_weights(resumed, whole)


def test_damaged_best_weights_are_noticed_before_training_goes_on(tmp_path: Path) -> None:
    train_in(tmp_path, network(), epochs=2)
    damaged(tmp_path / BEST)
    with pytest.raises(CheckpointError, match=r"best\.safetensors is corrupt"):
        train_in(tmp_path, network(), resume=True, epochs=2)


def test_a_checkpoint_within_an_epoch_that_is_over_is_not_taken(tmp_path: Path) -> None:
    whole, resumed = fresh(), fresh()
    train_in(tmp_path / "whole", whole)
    with pytest.raises(StoppedError):
        train_in(tmp_path / "parts", fresh(), callbacks=[stopped_by(signal.SIGTERM, 5)])
    old = (tmp_path / "parts" / WITHIN).read_bytes()
    train_in(tmp_path / "parts", fresh(), resume=True)
    (tmp_path / "parts" / WITHIN).write_bytes(old)
    train_in(tmp_path / "parts", resumed, resume=True)
    assert_same_weights(resumed, whole)


def test_metrics_that_lack_a_line_are_written_again(tmp_path: Path) -> None:
    train_in(tmp_path, network())
    lines = (tmp_path / METRICS).read_text()
    (tmp_path / METRICS).write_text("".join(lines.splitlines(keepends=True)[:-1]))
    train_in(tmp_path, network(), resume=True)
    assert (tmp_path / METRICS).read_text() == lines


def test_what_a_killed_process_left_unfinished_is_removed(tmp_path: Path) -> None:
    train_in(tmp_path, network())
    leftover = (tmp_path / LAST).with_name(".last.safetensors.123.part")
    leftover.write_bytes(b"half")
    train_in(tmp_path, network(), resume=True)
    assert not leftover.exists()


class PowerCutError(Exception):
    """What a test raises in the place of a killed process."""


@pytest.mark.parametrize("call", range(1, 25))
def test_a_run_killed_at_any_write_goes_on_bit_for_bit(
    tmp_path: Path, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, resumed = fresh(), fresh()
    expected = train_in(tmp_path / "whole", whole)
    replace, calls = Path.replace, 0

    def killed(path: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls >= call:  # nothing is written any more
            raise PowerCutError
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(keeping, "WRITE_EVERY", 0.0)
        patch.setattr(Path, "replace", killed)
        try:
            train_in(tmp_path / "parts", fresh(), checkpoint_minutes=1e-9)
        except PowerCutError:
            pass
        else:
            pytest.fail("the run writes fewer files; lower the range of this test")
    found = train_in(tmp_path / "parts", resumed, resume=True)
    assert without_seconds(found) == without_seconds(expected)
    assert_same_weights(resumed, whole)


def test_settings_that_may_change_are_changed_and_recorded(tmp_path: Path) -> None:
    heard = Heard()
    train_in(tmp_path, network(), epochs=2)
    history = train_in(
        tmp_path, network(), resume=True, epochs=3, learning_rate=0.01, progress=heard
    )
    note = (
        "training.epochs = 3 instead of 2, training.learning_rate = 0.01 instead of 0.02 from "
        "epoch 3 on."
    )
    assert history.notes == [note]
    assert heard.sentences == [f"{tmp_path.name}: {note}"]
    assert [record.learning_rate for record in history.epochs] == [0.02, 0.02, 0.01]
    with pytest.raises(CheckpointError, match=r"batch_size = 2, and this run has 3"):
        train_in(tmp_path, network(), resume=True, epochs=3, batch_size=3)


def test_a_checkpoint_reaches_the_disk_before_it_takes_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    flush, replace = os.fsync, Path.replace

    def flushed(descriptor: int) -> None:
        order.append("flush")
        flush(descriptor)

    def replaced(path: Path, target: Path) -> Path:
        order.append("name")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "replace", replaced)
    save_checkpoint(tmp_path / "x.safetensors", {"w": torch.ones(1)}, {})
    assert order == ["flush", "name", "flush"]
    assert checkpoint.load_checkpoint(tmp_path / "x.safetensors").tensors["w"].tolist() == [1]


class Counting(Callback):
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.steps: list[StepRecord] = []
        self.epochs: list[EpochRecord] = []
        self.ended: list[History] = []

    def on_step(self, record: StepRecord) -> None:
        self.steps.append(record)

    def on_epoch(self, record: EpochRecord) -> None:
        self.epochs.append(record)

    def on_end(self, history: History) -> None:
        self.ended.append(history)


def test_callbacks_are_told_of_steps_epochs_and_the_end(tmp_path: Path) -> None:
    told = Counting()
    history = train_in(tmp_path, network(), epochs=2, callbacks=[told])
    assert [(r.epoch, r.step, r.steps) for r in told.steps] == [
        (epoch, step, 3) for epoch in (1, 2) for step in (1, 2, 3)
    ]
    assert all(record.gradient_norm for record in told.steps)
    assert told.epochs == list(history.epochs)
    assert told.ended == [history]


def test_a_callback_may_end_training(tmp_path: Path) -> None:
    class Enough(Counting):
        def on_step(self, record: StepRecord) -> None:
            super().on_step(record)
            if len(self.steps) == 4:
                raise StopTraining

    told = Enough()
    history = train_in(tmp_path, network(), callbacks=[told])
    assert len(told.steps) == 4
    assert len(history.epochs) == 2
    assert told.ended == [history]
