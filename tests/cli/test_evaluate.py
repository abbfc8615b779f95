"""`elman evaluate`."""

from __future__ import annotations

import json
import re
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
        ["  plain guess, the frequencies of training", "11.0602"],
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
    guess = answer.pop("plain_guess")
    assert guess["words"] == "the frequencies of training"
    assert guess["scores"]["nll"] == pytest.approx(10.9505, abs=1e-3)
    assert answer == {"data": "chorales", "split": "valid", **expected, "notes": []}


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
    out, err = capsys.readouterr()
    said = (
        "2 of 2 rows have classes that the model never learned ('odd' 2: new.csv, line 2, …); they "
        "count as errors."
    )
    assert err == f"note: {said}\n"
    answer = json.loads(out, parse_constant=pytest.fail)
    assert answer["accuracy"] == 0
    assert answer["notes"] == [said]
    assert answer["never_learned"] == [{"name": "odd", "times": 2, "row": 0, "near": None}]
    assert answer["log_loss"] is None
    assert "2 of 2 true names were never learned" in answer["not_computed"]["log_loss"]
    assert run(["evaluate", str(reviews_run), str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["Accuracy", "0.0000"]
    assert any(re.match("Log loss +not computed: 2 of 2 true names", line) for line in lines)


def test_a_name_that_differs_in_case_or_spaces_alone_is_offered(
    reviews_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.jsonl"
    rows = [{"text": "a fine film", "label": label} for label in ("Good", "g ood", "bad")]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    assert run(["evaluate", str(reviews_run), str(path)]) == 0
    err = capsys.readouterr().err
    assert "'Good' 1: new.jsonl, line 1, where it learned 'good'" in err
    assert "2 of 3 rows" in err


def test_a_row_without_a_target_is_left_out_and_said(
    reviews_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (label,) = elman.load(reviews_run).predict(["a fine film"])
    path = tmp_path / "new.csv"
    path.write_text(f"text,label\na fine film,{label}\na dull plot,\nfine,\n", encoding="utf-8")
    assert run(["evaluate", str(reviews_run), str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["accuracy"], json.loads(out)["rows"]) == (1, 1)
    assert "2 of 3 rows have no label and cannot be measured (new.csv, line 3, …)." in err
    path.write_text("text,label\na dull plot,\n", encoding="utf-8")
    assert run(["evaluate", str(reviews_run), str(path)]) == 1
    assert "label is missing in every row" in capsys.readouterr().err


def test_evaluate_says_what_was_assumed_while_reading(
    reviews_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.csv"
    path.write_bytes("text;label\nein schöner Film;good\n;bad\n".encode("cp1252"))
    assert run(["evaluate", str(reviews_run), str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert "note: new.csv is not UTF-8" in err
    assert "new.csv, line 3: text is empty" in err
    assert json.loads(out)["notes"] == [line[6:] for line in err.splitlines()]


def test_a_part_is_also_named_in_place_of_the_file(
    trained_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(trained_run), "valid", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["data"], answer["split"]) == ("chorales", "valid")


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


def test_origins_are_of_forecasts_alone(
    reviews_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(reviews_run), "--origins", "20"]) == 2
    assert "does not forecast series over a horizon" in capsys.readouterr().err
