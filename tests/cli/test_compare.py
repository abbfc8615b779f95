"""`elman compare`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from elman.cli.main import run
from elman.report.comparison.results import Comparison
from roads import ROADS

TINY = ["--epochs", "1", "--set", "batch_size=64", "--set", "accelerator=cpu"]


@pytest.fixture
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the seconds that drawing takes: the pages are those of `runs/test_compare.py`."""
    monkeypatch.setattr("elman.runs.compare._report", lambda *told: told[-1] / "report.html")


@pytest.mark.usefixtures("_undrawn")
def test_compare_prints_the_table_and_where_the_report_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "compared"
    arguments = ["--cells", "simple, lstm", "--parameters", "700", *TINY, "--out", str(out)]
    assert run(["compare", "chorales", *arguments]) == 0
    stdout, stderr = capsys.readouterr()
    comparison = Comparison.model_validate_json((out / "compare.json").read_text())
    for row in comparison.rows():
        (line,) = [line for line in stdout.splitlines() if line.strip().startswith(row[0])]
        assert all(cell in line for cell in row)
    assert stdout.splitlines()[-1] == str(out / "report.html")
    assert "Published, on the test split: Chung et al. 2014" in stdout
    assert max(map(len, stdout.splitlines())) <= max(100, len(str(out / "report.html")))
    assert "simple: hidden size 3," in stderr
    assert "compared: 2/2 lstm-seed1: test" in stderr

    assert run(["compare", "chorales", *arguments, "--json"]) == 0
    stdout, stderr = capsys.readouterr()
    again = Comparison.model_validate_json(stdout)
    assert again.results == comparison.results
    assert stderr.splitlines()[-1] == str(out / "report.html")


@pytest.mark.usefixtures("_undrawn")
def test_compare_takes_a_file_and_what_is_asked_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    walks = ROADS["a long table to a class"].write(tmp_path)
    columns = ["--sequence-id", "walker", "--time", "step", "--target", "pace"]
    small = ["--epochs", "1", "--set", "hidden_size=4", "--cells", "gru,lstm"]
    assert run(["compare", str(walks), *columns, *small]) == 0
    stdout, stderr = capsys.readouterr()
    directory = Path("runs", f"compare-{walks.stem}")
    assert stdout.splitlines()[-1] == str(directory / "report.html")
    comparison = Comparison.model_validate_json((directory / "compare.json").read_text())
    assert [result.cell for result in comparison.results] == ["gru", "lstm"]
    assert "test accuracy" in stdout
    assert "published" not in stdout.lower()
    assert "as many as the network of the experiment has: GRU, hidden size 4." in stderr
    assert f"compare-{walks.stem}: 2/2 lstm-seed1: test accuracy" in stderr


def test_compare_and_train_take_the_same_options_of_the_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = {}
    for verb in ("train", "compare"):
        assert run([verb, "--help"]) == 0
        shown[verb] = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    only_of_train = {"--cell", "--seed", "--resume"}
    assert shown["train"] - shown["compare"] == only_of_train
    assert shown["compare"] - shown["train"] == {"--cells", "--seeds", "--parameters"}


def test_compare_names_what_is_missing_or_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reviews = str(ROADS["text to a class"].write(tmp_path))
    flowers = str(ROADS["measurements to a class"].write(tmp_path))
    wrong = {
        (reviews, "--input", "text"): "--target COLUMN (data.target), one of",
        (reviews, "--target", "lable"): "unknown column 'lable'; did you mean 'label'?",
        (flowers, "--target", "species"): "its network has only dense layers",
        (reviews, "--target", "label", "--cells", "gru,gru"): "got 'gru' twice.",
    }
    for arguments, words in wrong.items():
        assert run(["compare", *arguments, "--out", str(tmp_path / "x")]) in {1, 2}
        stdout, stderr = capsys.readouterr()
        assert stdout == ""
        assert words in stderr.splitlines()[-1]
        assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chorales", "--seeds", "0"], "--seeds is the number of random seeds, at least 1;"),
        (["chorales", "--parameters", "5"], "parameters=5 is too small a budget"),
        (["chorales", "--parameters", "0"], "network.parameters must be greater than or equal"),
        (["chorales", "--cells", "simple,gur"], "unknown cell 'gur'; did you mean 'gru'?"),
        (["chorales", "--cells", ","], "a comparison needs at least one cell, got none."),
        (["chorale"], "unknown recipe 'chorale'; did you mean 'chorales'?"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["compare", *arguments, "--out", str(tmp_path / "x")]) in {1, 2}
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert words in stderr.splitlines()[-1]
    assert not (tmp_path / "x").exists()


def test_an_interrupted_comparison_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("elman.runs.fitting.fit", interrupt)
    assert run(["compare", "chorales", *TINY, "--out", str(tmp_path / "x")]) == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == (
        "elman compare: interrupted: the same command goes on from the last checkpoint."
    )
