"""`elman runs`: the runs in a folder, and in what two of them differ."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

import elman
from elman.cli.main import run
from elman.files import locked
from elman.training.callbacks import Callback, StepRecord
from elman.training.stopping import StoppedError

SETTINGS: dict[str, Any] = {
    "input": "x",
    "target": "y",
    "hidden_size": 3,
    "epochs": 2,
    "folds": 0,
    "patience": 0,
    "accelerator": "cpu",
}


class Stop(Callback):
    """Asks for the end of the training in its second epoch."""

    def on_step(self, record: StepRecord) -> None:
        if record.epoch == 2:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: two finished ones, and one that was stopped."""
    here = tmp_path_factory.mktemp("runs")
    x = [[float(n % 7), float(n % 3)] for n in range(40)]
    rows = {"x": x, "y": ["up" if a > b else "down" for a, b in x]}
    elman.train(rows, out=here / "gru", cell="gru", **SETTINGS)
    elman.train(rows, out=here / "lstm", cell="lstm", seed=2, **SETTINGS)
    with pytest.raises(StoppedError):
        elman.train(rows, out=here / "stopped", cell="gru", callbacks=[Stop()], **SETTINGS)
    return here


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["runs", *arguments, "--json"]) == 0
    return {Path(each["directory"]).name: each for each in json.loads(capsys.readouterr().out)}


def test_runs_are_listed_with_state_epochs_and_scores(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = listed(capsys, str(folder))
    assert {name: each["state"] for name, each in runs.items()} == {
        "gru": "finished",
        "lstm": "finished",
        "stopped": "unfinished",
    }
    assert [runs[name]["epochs"] for name in ("gru", "lstm", "stopped")] == [2, 2, 1]
    assert runs["gru"]["cell"] == "gru"
    result = json.loads((folder / "gru" / "result.json").read_text())
    scores = result["scores"]
    assert runs["gru"]["validation"] == scores["valid"]["values"][runs["gru"]["score"]]
    assert runs["gru"]["test"] == scores["test"]["values"][runs["gru"]["score"]]
    assert runs["stopped"]["validation"] is None
    first = json.loads((folder / "stopped" / "metrics.jsonl").read_text().splitlines()[0])
    assert runs["stopped"]["best_loss"] == first["valid_loss"]


def test_a_run_that_a_process_holds_is_training(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with locked(folder / "stopped"):
        assert listed(capsys, str(folder))["stopped"]["state"] == "training"


def test_without_a_verb_the_folder_runs_is_listed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    (folder.parent / "runs").symlink_to(folder)
    assert run(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        *["run", "data", "cell", "state", "epochs", "validation", "test", "age"]
    ]
    assert [line.split()[0] for line in lines[1:]] == ["stopped", "lstm", "gru"]  # the last first
    (folder.parent / "runs").unlink()
    assert run(["runs"]) == 1
    assert "there is no folder runs" in capsys.readouterr().err


def test_the_best_score_comes_first_and_runs_without_one_last(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = list(listed(capsys, str(folder), "--by", "score").values())
    scores = [each["validation"] for each in runs]
    assert scores[-1] is None
    assert scores[0] >= scores[1]
    assert run(["runs", str(folder), "--by", "size"]) == 2


def test_a_damaged_run_is_listed_as_such(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "experiment.toml").write_text("[data\n")
    assert listed(capsys, str(tmp_path))["run"]["state"] == "damaged"
    (tmp_path / "run" / "experiment.toml").write_text(
        (folder / "gru" / "experiment.toml").read_text()
    )
    (tmp_path / "run" / "metrics.jsonl").write_text("{}\n")
    assert listed(capsys, str(tmp_path))["run"]["state"] == "damaged"


def test_what_differs_is_shown_side_by_side(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["runs", "diff", str(folder / "gru"), str(folder / "lstm"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["settings"]["network.cell"] == ["gru", "lstm"]
    assert found["settings"]["seed"] == [1, 2]
    assert "training.epochs" not in found["settings"]
    assert found["scores"]["epochs"] == [2, 2]
    assert run(["runs", "diff", str(folder / "gru"), str(folder / "stopped")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("The settings are the same.")
    assert "–" in said
    assert run(["runs", "diff", str(folder / "gru"), str(folder)]) == 1
    assert "it has no experiment.toml" in capsys.readouterr().err
