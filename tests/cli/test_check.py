"""`elman check`: a line a column, then what was found; and what the other verbs say of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from elman.cli.main import run
from roads import write_csv

ROWS = 120


def shop(folder: Path) -> Path:
    header = ["id", "plan", "fee", "left"]
    rows = [[f"C-{n:05}", "abc"[n % 3], n % 7 + 0.5, ("yes", "no")[n % 2]] for n in range(ROWS)]
    return write_csv(folder / "shop.csv", header, rows)


def test_a_table_and_then_the_findings_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", str(shop(tmp_path)), "--target", "left"]) == 0
    stdout, stderr = capsys.readouterr()
    assert stdout.splitlines() == [
        "column  role      kind       missing  distinct  example  why",
        "id      left out  text:char        0       120  C-00000  strings of one word, most of "
        "them different",
        "plan    input     category         0         3  a        3 different names, repeated",
        "fee     input     number           0         7  0.5      7 different numbers",
        "left    target    category         0         2  yes      2 different names, repeated",
        "",
        "96 training, 12 validation and 12 test rows",
        "- id has a value of its own in each row, as an identifier has: it is left out; to read "
        "it, say --read id.",
        "- the validation part has 12 rows, too few to choose weights by; scores will differ from "
        "seed to seed, so train with several (--seed 2); give more rows, or a larger share of them "
        "(--set valid_fraction=0.2).",
    ]
    assert stderr == ""


def test_the_advice_of_a_finding_is_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["check", str(shop(tmp_path)), "--target", "left", "--read", "id"]
    assert run(arguments) == 0
    stdout = capsys.readouterr().out
    assert stdout.splitlines()[1].startswith("id      input")
    assert "as an identifier has" not in stdout


def test_json_has_the_columns_and_the_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["check", str(shop(tmp_path)), "--target", "left", "--ignore", "fee", "--json"]
    assert run(arguments) == 0
    check = json.loads(capsys.readouterr().out)
    assert [each["role"] for each in check["columns"]] == ["left out", "input", "ignored", "target"]
    assert [each["code"] for each in check["findings"]] == ["identifiers", "validation"]
    assert check["parts"] == {"train": 96, "valid": 12, "test": 12}
    assert check["problem"] == ""


def test_strictness_fails_after_the_table_with_what_was_assumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["check", str(shop(tmp_path)), "--target", "left", "--strict"]
    assert run(arguments) == 1
    stdout, stderr = capsys.readouterr()
    assert stdout.startswith("column")
    assert stderr == (
        "elman check: data.strict (--strict) refuses what would be assumed about shop.csv: (1) id "
        "has a value of its own in each row, as an identifier has: say --ignore id or --read id.\n"
    )
    assert run([*arguments, "--ignore", "id"]) == 0


@pytest.mark.parametrize("verb", ["train", "compare"])
def test_strictness_refuses_a_run_before_it_begins(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    arguments = [verb, str(shop(tmp_path)), "--target", "left", "--strict", "--out", str(out)]
    assert run(arguments) == 1
    assert "refuses what would be assumed about shop.csv" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ignore", "fees"], "unknown column 'fees'; did you mean 'fee'?"),
        (["--ignore", "left"], "column 'left' is ignored (data.ignore, --ignore) and named by"),
        (["--read", "idd"], "unknown column 'idd'; did you mean 'id'?"),
        (["--target", "lef"], "unknown column 'lef'; did you mean 'left'?"),
    ],
)
def test_a_wrong_name_is_refused_in_one_sentence(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = [] if "--target" in arguments else ["--target", "left"]
    assert run(["check", str(shop(tmp_path)), *named, *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("elman check: ")
    assert words in line


@pytest.mark.parametrize(
    ("header", "rows", "words"),
    [
        (["x", "y"], [[1, "a"]], "t.csv has 1 row, too few for 3 parts."),
        (
            ["day", "y"],
            [[f"2024-01-{n % 28 + 1:02}", n + 0.5] for n in range(ROWS)],
            "no input column is left: the table has day, y. To forecast y, say --time day "
            "--horizon STEPS; to predict it from the calendar, --read day:date.",
        ),
        (["x", "y"], [[n, f"2024-01-{n % 28 + 1:02}"] for n in range(ROWS)], "holds "),
    ],
)
def test_what_training_would_refuse_is_refused_after_the_table(
    header: list[str],
    rows: list[list[object]],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_csv(tmp_path / "t.csv", header, rows)
    out = tmp_path / "run"
    assert run(["check", str(path), "--target", "y"]) == 1
    stdout, refusal = capsys.readouterr()
    assert stdout.startswith("column")
    assert words in refusal
    assert run(["train", str(path), "--target", "y", "--out", str(out)]) == 1
    assert capsys.readouterr().err == refusal.replace("elman check", "elman train")


def test_what_only_a_sample_of_the_rows_lacks_is_no_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("elman.runs.check.TRIED", 1)
    rows: list[list[object]] = [[n + 0.5, "a" if n else "b"] for n in range(2 * ROWS)]
    path = write_csv(tmp_path / "t.csv", ["x", "y"], rows)
    assert run(["check", str(path), "--target", "y"]) == 0


def test_training_begins_with_the_table_of_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    columns = [f"c{n}" for n in range(40)]
    rows = [[*((n * k) % 41 for k in range(1, 41)), "ab"[n % 2]] for n in range(60)]
    path = write_csv(tmp_path / "wide.csv", [*columns, "y"], rows)
    settings = ["--epochs", "1", "--set", "hidden_size=4", "--ignore", "c39"]
    out = ["--out", str(tmp_path / "run")]
    assert run(["train", str(path), "--target", "y", *settings, *out]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[1].startswith("c0")
    assert lines[31] == (
        "… and 11 more columns: 9 input of kind number, 1 ignored, 1 target of kind category"
    )
    assert lines[32].startswith("input: ")
