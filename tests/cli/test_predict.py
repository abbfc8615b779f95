"""`elman predict`: rows in, rows with answers out, through files and streams."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pyarrow.parquet
import pytest

import elman
from elman.cli.main import run

ROWS = 'id,text\n7,a fine film\n8,"a dull plot, dull"\n9,great\n'
TEXTS = ["a fine film", "a dull plot, dull", "great"]


class Done(NamedTuple):
    """What the command left."""

    returncode: int
    stdout: str
    stderr: str


def predict(*arguments: str, given: str = ROWS) -> Done:
    """Run the command on rows on standard input."""
    rows = io.TextIOWrapper(io.BytesIO(given.encode()), encoding="utf-8")
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err = io.StringIO()
    with patch("sys.stdin", rows), redirect_stdout(out), redirect_stderr(err):
        code = run(["predict", *arguments])
    out.flush()
    return Done(code, out.buffer.getvalue().decode(), err.getvalue())  # type: ignore[attr-defined]


@pytest.mark.slow
def test_the_command_is_a_filter(reviews_run: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "elman", "predict", str(reviews_run)],
        input=ROWS,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == predict(str(reviews_run)).stdout


def test_csv_goes_in_on_standard_input_and_comes_out_on_standard_output(
    reviews_run: Path,
) -> None:
    done = predict(str(reviews_run))
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["id"] for row in rows] == ["7", "8", "9"]
    assert [row["text"] for row in rows] == TEXTS
    assert [row["label"] for row in rows] == elman.load(reviews_run).predict(TEXTS)


def test_json_lines_go_in_and_come_out_with_probabilities(reviews_run: Path) -> None:
    given = "".join(f"{json.dumps({'text': text})}\n" for text in TEXTS)
    done = predict(str(reviews_run), "-", "--format", "jsonl", "--probabilities", given=given)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    model = elman.load(reviews_run)
    answers, likely = model.predict(TEXTS, probabilities=True)
    assert [row["label"] for row in rows] == answers
    names = model.task.target.names
    for row, chances in zip(rows, likely, strict=True):
        assert [row[f"p({name})"] for name in names] == pytest.approx(chances)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_file_goes_in_and_a_file_of_its_name_s_format_comes_out(
    reviews_run: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given, out = tmp_path / "rows.csv", tmp_path / f"answers.{suffix}"
    given.write_text(ROWS, encoding="utf-8")
    assert run(["predict", str(reviews_run), str(given), "--out", str(out)]) == 0
    assert capsys.readouterr().out == ""
    table = elman.load(reviews_run).table(str(out))
    assert list(table.column("text")) == TEXTS
    assert list(table.column("label")) == elman.load(reviews_run).predict(TEXTS)


def test_parquet_goes_in_and_out(reviews_run: Path, tmp_path: Path) -> None:
    given, out = tmp_path / "rows.parquet", tmp_path / "answers.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": TEXTS}), given)
    assert run(["predict", str(reviews_run), str(given), "--out", str(out)]) == 0
    table = pyarrow.parquet.read_table(out).to_pydict()
    assert table == {"text": TEXTS, "label": elman.load(reviews_run).predict(TEXTS)}


def test_rows_that_hold_the_truth_keep_it(reviews_run: Path, tmp_path: Path) -> None:
    given = tmp_path / "rows.csv"
    given.write_text("text,label\na fine film,odd\n", encoding="utf-8")
    out = tmp_path / "out.jsonl"
    assert run(["predict", str(reviews_run), str(given), "--out", str(out)]) == 0
    (row,) = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert row["label"] == "odd"
    assert row["predicted label"] in {"good", "bad"}


@pytest.mark.parametrize(
    ("content", "arguments", "code", "words"),
    [
        ("txt\na\n", [], 1, "rows.csv: unknown column 'text'; did you mean 'txt'?"),
        ("", [], 1, "is empty"),
        ("text\n", [], 1, "header"),
        ("text\na\n", ["--format", "jsnl"], 2, "unknown format 'jsnl'; did you mean 'jsonl'?"),
        ("text\na\n", ["--out", "a.cvs"], 2, "unknown output suffix '.cvs'; did you mean '.csv'"),
        (
            "text\na\n",
            ["--n-best", "2"],
            2,
            "--n-best is for a model that decodes a sequence; this model's",
        ),
        (
            "text\na\n",
            ["--n-best", "0"],
            2,
            "'--n-best': Input should be greater than or equal to 1",
        ),
        ("text\na\n", ["--seed", "2"], 2, "--seed is for a model that decodes a sequence"),
        ("text\na\n", ["--set", "beam_size=2"], 2, "--set is for a model that decodes a sequence"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_sentence(
    reviews_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: str,
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text(content, encoding="utf-8")
    assert run(["predict", str(reviews_run), "rows.csv", *arguments]) == code
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    (line,) = stderr.splitlines()
    assert line.startswith("elman predict: ")
    assert words in line
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_an_empty_text_is_answered_and_said_beside_the_rows(reviews_run: Path) -> None:
    given = 'id,text\n7,a fine film\n8,""\n9,great\n'
    done = predict(str(reviews_run), given=given)
    assert done.returncode == 0
    assert done.stderr == (
        "note: standard input, line 3: text is empty; predicted all the same, from no input.\n"
    )
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["text"] for row in rows] == ["a fine film", "", "great"]
    assert all(row["label"] in {"good", "bad"} for row in rows)
    assert list(rows[1]) == ["id", "text", "label"]


def test_a_missing_text_is_refused_with_its_place_as_in_training(reviews_run: Path) -> None:
    done = predict(str(reviews_run), given='{"text": "fine"}\n\n{"text": null}\n')
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "elman predict: standard input, line 3, column text: the text is missing; give an empty "
        "string, or leave the row out.\n"
    )


def test_what_was_assumed_of_the_rows_is_said_beside_them(reviews_run: Path) -> None:
    done = predict(str(reviews_run), given="text\nfine\n")
    assert done.stderr == (
        "note: standard input has one column: its first line contains no delimiter.\n"
    )


def test_probabilities_of_a_number_are_refused(
    houses_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "rows.csv"
    given.write_text("rooms,area\n3,80.5\n", encoding="utf-8")
    assert run(["predict", str(houses_run), str(given), "--probabilities"]) == 2
    assert "probabilities are given for classes and labels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("3,inf", "rows.csv, line 3, columns rooms, area: column 'area' is inf"),
        ("3,large", "rows.csv, line 3, column area: 'large' is no number, and the column must"),
    ],
)
def test_a_cell_that_cannot_be_taken_is_named_with_its_row(
    houses_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], row: str, words: str
) -> None:
    given = tmp_path / "rows.csv"
    given.write_text(f"rooms,area\n3,80.5\n{row}\n", encoding="utf-8")
    assert run(["predict", str(houses_run), str(given)]) == 1
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert words in stderr


def test_a_number_that_no_training_row_lacks_is_read_as_the_mean_and_said(
    houses_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "rows.csv"
    given.write_text("rooms,area\n3,80.5\n,70.5\n", encoding="utf-8")
    assert run(["predict", str(houses_run), str(given)]) == 0
    assert (
        "note: 1 of 2 rows has no number in rooms, where no training row lacks one "
        f"({given.name}, line 3); it is read as the mean."
    ) in capsys.readouterr().err


def test_a_missing_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", str(tmp_path / "none"), "-"]) == 1
    assert "there is no model in" in capsys.readouterr().err


def test_predicting_loads_nothing_of_training_or_of_reports(
    reviews_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text(ROWS, encoding="utf-8")
    arguments = ["predict", str(reviews_run), str(tmp_path / "rows.csv")]
    program = f"import sys; from elman.cli.main import run; run({arguments}); "
    program += "heavy = {'lightning_fabric', 'matplotlib', 'jinja2', 'scipy'}; "
    program += "print(*heavy & sys.modules.keys(), end='', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.stderr == b""


def test_spans_go_to_conll_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Train on sentences, predict them into a file, read its spans, and evaluate on it."""
    given, out, trained = tmp_path / "it.conll", tmp_path / "out.conll", tmp_path / "run"
    sentences = ["Ann\tB-PER\nis\tO\n", "# 7\n#\tO\nNew York\tB-LOC\nCity\tI-LOC\n"] * 10
    given.write_text("\n".join(sentences), encoding="utf-8")
    settings = ["--epochs", "1", "--set", "hidden_size=4", "--out", str(trained)]
    assert run(["train", str(given), "--target", "tags", *settings]) == 0
    assert run(["predict", str(trained), str(given), "--out", str(out)]) == 0
    model = elman.load(trained)
    before, after = elman.read_table(given), elman.read_table(out)
    assert after.columns == ["tokens", "tags", "predicted tags"]
    for name in before.columns:
        assert list(after.column(name)) == list(before.column(name))
    tokens = list(before.column("tokens"))
    assert list(after.column("predicted tags")) == model.predict(tokens)
    capsys.readouterr()
    scores = []
    for path in (given, out):
        assert run(["evaluate", str(trained), str(path)]) == 0
        scores.append(capsys.readouterr().out.partition("\n")[2])
    assert scores[0] == scores[1]


def test_rows_without_tokens_are_not_written_to_conll(
    reviews_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, out = tmp_path / "rows.csv", tmp_path / "out.conll"
    given.write_text(ROWS, encoding="utf-8")
    assert run(["predict", str(reviews_run), str(given), "--out", str(out)]) == 1
    assert "conll needs two columns of lists or more" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "tags",
    [
        [["slow app", "login"], ["login"], ["crash", "login"], []],
        [["login"], ["crash", "login"], ["crash"], []],
        [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 0]],
        [[1, 0, 0], [0, 0, 1], [0, 1, 1], [0, 0, 0]],
    ],
)
def test_lists_of_labels_written_to_csv_are_the_labels_they_were(
    tags: list[list[Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"ticket": f"help me with {n}", "tags": tags[n % 4]} for n in range(40)]
    tickets, run_folder, out = tmp_path / "t.jsonl", str(tmp_path / "run"), tmp_path / "out.csv"
    tickets.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    small = ["--target", "tags", "--epochs", "1", "--set", "hidden_size=3", "--out", run_folder]
    assert run(["train", str(tickets), *small]) == 0
    assert run(["predict", run_folder, str(tickets), "--out", str(out)]) == 0
    written = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [json.loads(row["tags"]) for row in written] == [row["tags"] for row in rows]
    assert all(isinstance(json.loads(row["predicted tags"]), list) for row in written)
    scores = []
    for path in (tickets, out):
        capsys.readouterr()
        assert run(["evaluate", run_folder, str(path)]) == 0
        said = capsys.readouterr()
        assert "never learned" not in said.err
        scores.append(said.out.splitlines()[1:])
    assert scores[0] == scores[1]
    kind = "tags:onehot" if tags[2] == [0, 1, 0] else "tags"
    again = ["--input", "ticket", "--target", kind, *small[2:-1], f"{run_folder}2"]
    assert run(["train", str(out), *again]) == 0


@pytest.mark.parametrize("link", [False, True])
def test_predictions_are_not_written_over_the_rows_that_they_are_made_from(
    reviews_run: Path, tmp_path: Path, link: bool
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(ROWS, encoding="utf-8")
    out = tmp_path / "also.csv" if link else rows
    if link:
        out.symlink_to(rows)
    done = predict(str(reviews_run), str(rows), "--out", str(out))
    assert done.returncode == 2
    assert f"--out {out} would overwrite the rows that are read from {rows}" in done.stderr
    assert rows.read_text(encoding="utf-8") == ROWS
