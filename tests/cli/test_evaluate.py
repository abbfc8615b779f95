"""`elman evaluate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import elman
from elman.cli.main import run


def test_evaluate_prints_the_metrics_of_the_test_split(
    trained_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = elman.load(trained_run).evaluate("test")
    assert run(["evaluate", str(trained_run)]) == 0
    out, err = capsys.readouterr()
    heading, *rows = out.splitlines()
    assert heading == "chorales, test"
    assert [row.rsplit(None, 1) for row in rows] == [
        ["Negative log-likelihood", f"{metrics['nll']:.4f}"],
        ["Accuracy", f"{metrics['accuracy']:.4f}"],
        ["F1", f"{metrics['f1']:.4f}"],
        ["frames", "4,725"],
    ]
    assert err == ""


def test_evaluate_prints_json_for_programs(
    trained_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(trained_run), "--split", "valid", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    expected = elman.load(trained_run).evaluate("valid")
    assert answer == {"data": "chorales", "split": "valid", **expected}


def test_evaluate_refuses_in_words(
    trained_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(trained_run), "--split", "tst"]) == 2
    assert "elman evaluate: unknown split 'tst'; did you mean 'test'?" in capsys.readouterr().err
    assert run(["evaluate", str(tmp_path)]) == 1
    assert "there is no model in" in capsys.readouterr().err
