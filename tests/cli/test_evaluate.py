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


def test_evaluate_measures_on_a_file_that_holds_the_truth(
    reviews_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ["a fine film", "a dull plot", "great", "weak and loud"]
    right = elman.load(reviews_run).predict(texts)
    wrong = {"good": "bad", "bad": "good"}
    labels = [wrong[right[0]], *right[1:]]
    rows = "".join(f"{text},{label}\n" for text, label in zip(texts, labels, strict=True))
    path = tmp_path / "new.csv"
    path.write_text(f"text,label\n{rows}", encoding="utf-8")
    assert run(["evaluate", str(reviews_run), str(path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["data"], answer["split"]) == (str(path), None)
    assert answer["accuracy"] == 0.75
    assert answer["rows"] == 4
    assert run(["evaluate", str(reviews_run), str(path)]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading == str(path)
    assert ["Accuracy", "0.7500"] in [line.split() for line in lines]
    assert ["rows", "4"] in [line.split() for line in lines]


def test_a_score_that_is_a_whole_number_is_still_a_score(
    reviews_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (label,) = elman.load(reviews_run).predict(["a fine film"])
    path = tmp_path / "new.csv"
    path.write_text(f"text,label\na fine film,{label}\n", encoding="utf-8")
    assert run(["evaluate", str(reviews_run), str(path)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["Accuracy", "1.0000"] in lines
    assert ["rows", "1"] in lines


def test_a_name_unseen_in_training_counts_as_wrong(
    reviews_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.csv"
    path.write_text("text,label\na fine film,odd\na dull plot,odd\n", encoding="utf-8")
    assert run(["evaluate", str(reviews_run), str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("text\na fine film\n", "has no column 'label', the target to compare with"),
        ("txt,label\na fine film,good\n", "unknown column 'text'; did you mean 'txt'?"),
        ("text,label\n", "header"),
        ("", "is empty"),
    ],
)
def test_a_file_that_cannot_be_measured_on_is_refused_in_words(
    reviews_run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
    words: str,
) -> None:
    path = tmp_path / "new.csv"
    path.write_text(content, encoding="utf-8")
    assert run(["evaluate", str(reviews_run), str(path)]) in {1, 2}
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert words in stderr


def test_a_file_that_is_not_there_is_refused(
    reviews_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(reviews_run), "gone.csv"]) == 1
    assert "there is no file gone.csv" in capsys.readouterr().err
