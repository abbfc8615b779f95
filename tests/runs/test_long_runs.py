"""Runs that are stopped, killed, changed or begun twice, as whole processes too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

import elman
from elman.errors import CheckpointError, ExperimentError
from elman.files import locked
from elman.training.callbacks import Callback, StepRecord
from elman.training.keeping import BEST, METRICS, WITHIN
from elman.training.stopping import StoppedError

SETTINGS: dict[str, Any] = {
    "input": "x",
    "target": "y",
    "hidden_size": 4,
    "epochs": 6,
    "batch_size": 4,
    "patience": 0,
    "folds": 0,
    "schedule": "constant",
    "select": "loss",
    "accelerator": "cpu",
}


def rows(count: int = 60) -> dict[str, list[Any]]:
    generator = torch.Generator().manual_seed(3)
    x = [torch.randn(5, generator=generator).tolist() for _ in range(count)]
    return {"x": x, "y": ["up" if sum(each) > 0 else "down" for each in x]}


def written(path: Path) -> Path:
    table = rows()
    lines = [json.dumps({"x": x, "y": y}) for x, y in zip(table["x"], table["y"], strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


class Stop(Callback):
    """Asks for the end of the training after a number of steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def on_step(self, record: StepRecord) -> None:  # noqa: ARG002
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGTERM)


def assert_same(one: elman.Model, other: elman.Model) -> None:
    theirs = other.network.state_dict()
    for name, weight in one.network.state_dict().items():
        assert torch.equal(weight, theirs[name]), name


def test_a_run_that_has_not_finished_answers_with_its_best_weights(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        elman.train(rows(), out=tmp_path, callbacks=[Stop(40)], **SETTINGS)
    assert (tmp_path / WITHIN).exists()
    model = elman.load(tmp_path)
    assert "has not finished: these are the weights of epoch" in model.unfinished
    assert set(model.predict(rows(3)["x"])) <= {"up", "down"}
    finished = elman.train(rows(), out=tmp_path, resume=True, **SETTINGS)
    assert finished.unfinished == elman.load(tmp_path).unfinished == ""
    assert_same(finished, elman.train(rows(), out=tmp_path / "whole", **SETTINGS))


def test_a_run_stopped_in_its_first_epoch_has_no_weights_yet_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        elman.train(rows(), out=tmp_path, callbacks=[Stop(1)], **SETTINGS)
    assert not (tmp_path / BEST).exists()
    with pytest.raises(CheckpointError, match=r"no epoch of it is written yet; resume it"):
        elman.load(tmp_path)


def test_a_finished_run_goes_on_with_more_epochs_and_says_so(tmp_path: Path) -> None:
    elman.train(rows(), out=tmp_path, **SETTINGS)
    again = elman.train(rows(), out=tmp_path, resume=True, **SETTINGS | {"epochs": 9})
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["epochs"] == 9
    assert "training.epochs = 9 instead of 6 from epoch 7 on." in result["notes"]
    assert "epochs = 9" in (tmp_path / "experiment.toml").read_text()
    assert_same(again, elman.load(tmp_path))
    with pytest.raises(ExperimentError, match=r"training\.batch_size = 5, there 4"):
        elman.train(rows(), out=tmp_path, resume=True, **SETTINGS | {"batch_size": 5})


def test_two_processes_do_not_train_in_one_directory(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib\nfrom elman.files import locked\n"
            "with locked(pathlib.Path(sys.argv[1])):\n print('in', flush=True)\n sys.stdin.read()",
            str(tmp_path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"in\n"
    with pytest.raises(ExperimentError, match=rf"process {other.pid} on .* is training in"):
        elman.train(rows(), out=tmp_path, **SETTINGS)
    other.kill()
    other.communicate()
    with locked(tmp_path):  # a killed process leaves no lock behind
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_gets_a_signal_can_be_resumed_to_the_same_weights(
    tmp_path: Path, number: signal.Signals
) -> None:
    data = written(tmp_path / "rows.jsonl")
    settings = [f"--set={name}={value}" for name, value in SETTINGS.items() if name not in "xy"]
    settings = [each for each in settings if not each.startswith(("--set=input", "--set=target"))]
    options = ["--input", "x", "--target", "y", *settings, "--set=epochs=4000", "--out"]
    command = [sys.executable, "-m", "elman", "train", str(data), *options, str(tmp_path / "parts")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "parts" / METRICS).exists():
        assert process.poll() is None, "it ended before it was asked to"
        time.sleep(0.02)
    process.send_signal(number)
    said = process.communicate()[1].splitlines()
    assert process.returncode == (-9 if number == signal.SIGKILL else 128 + number)
    if number != signal.SIGKILL:
        assert said[-1].startswith("elman train: interrupted: training stopped in epoch ") or (
            said[-1].startswith("elman train: interrupted: training stopped after epoch ")
        )
        assert said[-1].endswith("; the same command with --resume goes on from there.")
    epochs = 1 + len((tmp_path / "parts" / METRICS).read_text().splitlines())
    more = SETTINGS | {"epochs": epochs}
    resumed = elman.train(str(data), out=tmp_path / "parts", resume=True, **more)
    assert_same(resumed, elman.train(str(data), out=tmp_path / "whole", **more))
