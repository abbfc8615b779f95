"""`elman train`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from elman.cli.main import run
from elman.experiment import read_experiment

TINY = ["--set", "hidden_size=3", "--set", "batch_size=64", "--set", "accelerator=cpu"]


def test_train_trains_one_model_and_says_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    arguments = ["train", "chorales", "--cell", "lstm", "--seed", "3", "--epochs", "1", *TINY]
    assert run([*arguments, "--out", str(out)]) == 0
    stdout, stderr = capsys.readouterr()
    assert stdout.startswith("valid ")
    assert re.match(r"valid nll [\d.]+ · test nll [\d.]+, from epoch 1 of 1, 1,468 para", stdout)
    assert stdout.endswith(f"{out}\n")
    assert "run: seed 3\n" in stderr
    assert "run: 1/1 train " in stderr
    experiment = read_experiment(out / "experiment.toml")
    assert (experiment.network.cell, experiment.seed, experiment.training.epochs) == ("lstm", 3, 1)
    assert experiment.network.hidden_size == 3
    assert (out / "model" / "weights.safetensors").exists()

    assert run([*arguments, "--out", str(out)]) == 1
    assert "already holds a run; resume it" in capsys.readouterr().err
    assert run([*arguments, "--out", str(out), "--resume"]) == 0
    assert capsys.readouterr().out == stdout


def test_an_option_has_the_last_word_over_a_setting(tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["--epochs", "1", "--set", "training.epochs=9", "--out", str(out)]
    assert run(["train", "chorales", "--cell", "simple", *TINY, *arguments]) == 0
    assert read_experiment(out / "experiment.toml").training.epochs == 1


def test_an_interrupted_run_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("elman.run.fit", interrupt)
    assert run(["train", "chorales", "--out", str(tmp_path / "x"), *TINY]) == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == (
        "elman train: interrupted: the same command with --resume goes on from the last "
        "finished epoch."
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["choral"], "unknown recipe 'choral'; did you mean 'chorales'?"),
        (["chorales", "--cell", "gur"], "unknown cell 'gur'; did you mean 'gru'?"),
        (["chorales", "--epochs", "0"], "training.epochs must be greater than or equal to 1"),
        (["chorales", "--seed", "-1"], "seed must be greater than or equal to 0, got -1."),
        (["chorales", "--set", "lerning_rate=1"], "did you mean 'learning_rate'?"),
        (["chorales", "--set", "epochs"], "a setting is written name=value"),
        (["chorales", "--set", "parameters=5"], "parameters=5 is too small a budget"),
        (["chorales", "--set", "data.name=choral"], "did you mean 'chorales'?"),
        (["chorales", "--resume"], "holds no run to resume"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    assert run(["train", *arguments, "--out", str(tmp_path / "x")]) in {1, 2}
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert stderr.splitlines()[-1].startswith("elman train: ")
    assert words in stderr.splitlines()[-1]
    assert not (tmp_path / "x").exists()
