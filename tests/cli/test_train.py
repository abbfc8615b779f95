"""`elman train`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import elman
from elman.batches.batching import BucketedBatches
from elman.cli.main import run
from elman.experiment import read_experiment
from roads import ROADS, reviews, sentences, tickets, write_csv

TINY = ["--set", "hidden_size=3", "--set", "batch_size=64", "--set", "accelerator=cpu"]


@pytest.mark.usefixtures("pages")
def test_train_trains_one_model_and_says_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    arguments = ["train", "chorales", "--cell", "lstm", "--seed", "3", "--epochs", "1", *TINY]
    assert run([*arguments, "--out", str(out)]) == 0
    stdout, stderr = capsys.readouterr()
    assert stdout.startswith("valid ")
    number = r"[\d.]+( \(no better than the frequencies of training, [\d.]+\))?"
    assert re.match(
        rf"valid nll {number} · test nll {number}, from epoch 1 of 1, 1,468 para", stdout
    )
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

    monkeypatch.setattr("elman.runs.fitting.fit", interrupt)
    assert run(["train", "chorales", "--out", str(tmp_path / "x"), *TINY]) == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == (
        "elman train: interrupted: the same command with --resume goes on from the last checkpoint."
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


def options(**settings: object) -> list[str]:
    """Write settings as `--set` takes them."""
    return [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]


SMALL = [*options(hidden_size=3, batch_size=7, accelerator="cpu"), "--epochs", "1"]


@pytest.mark.parametrize(
    ("name", "arguments", "category"),
    [
        ("text to a class", ["--target", "label"], "many-to-one"),
        ("text to a class", ["-i", "text:char", "-t", "label:category"], "many-to-one"),
        ("text to a class", ["-i", "text:text:word", "-t", "label"], "many-to-one"),
        ("text to several labels", ["--target", "topics"], "many-to-one"),
        (
            "a long table to a class",
            ["--sequence-id", "walker", "--time", "step", "--target", "pace"],
            "many-to-one",
        ),
        (
            "windows to the next value",
            ["--time", "day", "--window", "6", "--target", "celsius"],
            "many-to-one",
        ),
        ("tokens to tags", ["--target", "tags", *options(objective="crf")], "many-to-many"),
        ("measurements to a class", ["--target", "species"], "one-to-one"),
        ("measurements to a number", ["-i", "rooms", "-i", "area", "-t", "price"], "one-to-one"),
    ],
)
def test_a_file_is_trained_on_as_it_is(
    name: str,
    arguments: list[str],
    category: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, out = ROADS[name].write(tmp_path), tmp_path / "run"
    assert run(["train", str(path), *arguments, *SMALL, "--out", str(out), "--json"]) == 0
    stdout, stderr = capsys.readouterr()
    answer = json.loads(stdout)
    assert (answer["run"], answer["seed"], answer["best_epoch"]) == (str(out), 1, 1)
    assert list(answer["scores"]) == ["valid", "test"]
    head, *lines = stderr.splitlines()
    assert head.split() == ["column", "role", "kind", "missing", "distinct", "example", "why"]
    (sentence,) = (line for line in lines if line.startswith("input: "))
    assert sentence.endswith(f"→ {category}")
    assert " training, " in stderr
    recorded = read_experiment(out / "experiment.toml")
    assert recorded.network.category == category
    if "text:char" in arguments:
        assert recorded.data.input_options["level"] == "character"
    measured = elman.load(out).evaluate("test")
    assert {name: measured[name] for name in answer["scores"]["test"]} == answer["scores"]["test"]


def test_the_main_score_of_each_of_several_targets_is_said_and_each_is_predicted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tickets(tmp_path), tmp_path / "run"
    asked = ["-i", "text", "-t", "priority", "-t", "hours", "-t", "topics"]
    asked += options(**{"loss_weights.hours": 0.5, "score": "micro_f1 of topics"})
    assert run(["train", str(path), *asked, *SMALL, "--out", str(out)]) == 0
    number = r"[\d.]+(, macro f1 [\d.]+)?( \(no better than always ([^()]|\([^()]+\))+\))?"
    said = rf"micro f1 of topics {number}, accuracy of priority {number}, rmse of hours {number}"
    assert re.match(rf"valid {said} · test {said}, from epoch 1", capsys.readouterr().out)
    recorded = read_experiment(out / "experiment.toml")
    assert recorded.network.loss_weights == {"hours": 0.5}
    assert recorded.data.columns["topics"] == {
        "kind": "labels",
        "separator": ";",
        "multi_hot": False,
    }
    assert run(["evaluate", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rmse of hours"] > 0
    assert run(["predict", str(out), str(path), "--format", "jsonl"]) == 0
    row = json.loads(capsys.readouterr().out.splitlines()[0])
    assert list(row)[-3:] == ["predicted priority", "predicted hours", "predicted topics"]


def test_a_run_without_a_name_is_put_where_its_data_and_seed_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reviews(tmp_path)
    monkeypatch.chdir(tmp_path)
    arguments = ["train", "reviews.csv", "--target", "label", "--seed", "4", *SMALL]
    assert run(arguments) == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert last == str(Path("runs", "reviews-seed4"))
    assert Path(last, "result.json").is_file()


def test_files_for_validation_and_test_may_hold_names_that_training_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, other = reviews(tmp_path), tmp_path / "other.csv"
    other.write_text("text,label\na film with a plot and a cast,odd\na fine film,good\n")
    files = ["--valid", str(other), "--test", str(other)]
    arguments = ["train", str(path), "--target", "label", *files, *SMALL]
    assert run([*arguments, "--out", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scores"]["test"]["accuracy"] in {0.0, 0.5}


def test_a_run_interrupted_in_an_epoch_is_resumed_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt_the_second(self: BucketedBatches, n: int) -> Any:
        if n == 1:
            raise KeyboardInterrupt
        return own_epoch(self, n)

    own_epoch = BucketedBatches.epoch
    arguments = ["train", str(reviews(tmp_path)), "--target", "label", *SMALL, "--epochs", "3"]
    assert run([*arguments, "--out", str(tmp_path / "whole")]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(BucketedBatches, "epoch", interrupt_the_second)
        assert run([*arguments, "--out", str(tmp_path / "broken")]) == 130
    assert "the same command with --resume goes on from" in capsys.readouterr().err.splitlines()[-1]
    assert run(["evaluate", str(tmp_path / "broken")]) == 0
    assert "has not finished: these are the weights of epoch 1, the" in capsys.readouterr().err
    assert run([*arguments, "--out", str(tmp_path / "broken"), "--resume"]) == 0
    weights = [
        (tmp_path / name / "model" / "weights.safetensors").read_bytes()
        for name in ("whole", "broken")
    ]
    assert weights[0] == weights[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say which column to predict: --target COLUMN (data.target), one of text, la"),
        (["--target", "lable"], "unknown column 'lable'; did you mean 'label'?"),
        (["--target", "label", "--input", "txt"], "unknown column 'txt'; did you mean 'text'?"),
        (["--target", "label:categry"], "unknown kind of column 'categry'; did you mean 'category"),
        (["--target", "label", "-i", "text:txt"], "kind of column 'txt'; did you mean 'text'?"),
        (
            ["--target", "label", "--set", "network.hiden_size=3"],
            "did you mean 'network.hidden_siz",
        ),
        (
            ["--target", "label", "--set", "category=many-to-many"],
            "which is many-to-one. Leave cat",
        ),
        (
            ["--target", "label", "--set", "objective=crf"],
            "does not suit the target, which is one ",
        ),
        (["--target", "label", "--set", "delay=2"], "delay"),
        (["--target", "label", "--set", "per_sequence=text"], "set sequence_id too"),
        (["--target", "next", "--input", "label:category"], "holds no sequences but one category"),
        (["--target", "label", "--group", "who"], "unknown column 'who'"),
        (["--target", "label", "--valid", "gone.csv"], "there is no file gone.csv"),
        (["--target", "label", "--epochs", "0"], "training.epochs must be greater than or equal t"),
    ],
)
def test_what_contradicts_a_file_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    path, out = reviews(tmp_path), tmp_path / "run"
    assert run(["train", str(path), *arguments, "--out", str(out)]) in {1, 2}
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    (line,) = stderr.splitlines()
    assert line.startswith("elman train: ")
    assert words in line
    assert not out.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "bad.csv is empty"),
        ("text,label\n", "bad.csv has a header"),
        ("text,label\na b c d,x\n", "bad.csv has 1 row, too few for 2 parts"),
        ("text,label\n" + "a b c d,x\n" * 40, "all 40 training values"),
        ("text,label\n" + "a b c d,x\n" * 40 + "a b c d\n", "bad.csv, line 42"),
        ("text,text\n" + "a b c d,x\n" * 40, "text"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    path, out = tmp_path / "bad.csv", tmp_path / "run"
    path.write_text(content, encoding="utf-8")
    arguments = ["--target", "label", *options(test_fraction=0.0, seed=2)]
    assert run(["train", str(path), *arguments, *SMALL, "--out", str(out)]) == 1
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    (line,) = stderr.splitlines()
    assert line.startswith("elman train: ")
    assert "bad.csv" in line
    assert words in line
    assert not out.exists()


def test_tags_and_words_of_unequal_number_are_refused_with_their_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = sentences(tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    row = json.loads(lines[6])
    lines[6] = json.dumps({**row, "tags": row["tags"][:-1]})
    path.write_text("\n".join(lines), encoding="utf-8")
    arguments = ["train", str(path), "--target", "tags", *SMALL, "--out", str(tmp_path / "run")]
    assert run(arguments) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert "sentences.jsonl, line 7: tokens has" in last
    assert "they must have equally many. Correct or remove the row." in last


def test_a_text_beside_a_number_is_read_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [[2 * (n % 9), f"please help me with number {n} today", "ab"[n % 2]] for n in range(40)]
    path = write_csv(tmp_path / "tickets.csv", ["paid", "message", "team"], rows)
    arguments = ["train", str(path), "--target", "team", *SMALL, "--out", str(tmp_path / "run")]
    assert run(arguments) == 0
    assert "input: message (words), paid (number); target: one of 2" in capsys.readouterr().err


def test_questions_in_squads_form_are_read_with_their_passages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [{"text": "Ada", "answer_start": 3}]
    questions = [
        {"id": f"q{n}", "question": f"who came at {n} ?", "answers": answers} for n in range(40)
    ]
    paragraphs = [
        {"context": f"and {n} said that Ada had come", "qas": [question]}
        for n, question in enumerate(questions)
    ]
    articles = [{"title": "ab"[n % 2], "paragraphs": [p]} for n, p in enumerate(paragraphs)]
    path = tmp_path / "dev.json"
    path.write_text(json.dumps({"data": articles}), encoding="utf-8")
    arguments = ["train", str(path), "--target", "title", *SMALL, "--out", str(tmp_path / "run")]
    assert run(arguments) == 0
    said = capsys.readouterr().err
    assert "context (words)" in said
    assert "question (words)" in said


def test_a_forecast_worse_than_the_seasonal_naive_one_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{n},{n % 7 + (n * 37 % 11) / 100}\n" for n in range(120))
    (tmp_path / "sales.csv").write_text(f"day,sales\n{rows}")
    options = ["--target", "sales", "--time", "day", "--horizon", "7", "--set", "season=7"]
    arguments = [
        *options,
        "--epochs",
        "1",
        "--set",
        "hidden_size=3",
        "--set",
        "fallback=false",
        "--set",
        "naive=drift",
        "--set",
        "learning_rate=1e-9",
        "--out",
        str(tmp_path / "run"),
    ]
    assert run(["train", str(tmp_path / "sales.csv"), *arguments]) == 0
    summary = capsys.readouterr().out.splitlines()[0]
    worse = r"mase [\d.]+ \((worse|no better) than the value 7 steps before, [\d.]+\)"
    assert re.match(f"valid {worse} · test {worse}, from epoch 1 of 1", summary)
    assert run(["evaluate", str(tmp_path / "run"), "--origins", "3"]) == 0
    said = capsys.readouterr()
    assert "MASE of naive forecasts of the same values: the value 7 steps before" in said.err
    assert "3 origins of 1 series; forecasts of 7 steps" in said.err
    assert re.search(r"^MASE of the value 7 steps before +[\d.]+$", said.out, re.MULTILINE)
    assert run(["evaluate", str(tmp_path / "run"), "--origins", "0"]) == 2
    assert "origins must be at least 1, got 0." in capsys.readouterr().err


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("select", ["loss", "score"])
def test_a_run_whose_scores_are_infinite_finishes_and_is_read_again(
    select: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"x": "abc"[n % 3] * (1 + n % 4), "y": ["p", "q", "r"][: n % 3]} for n in range(12)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    out = tmp_path / "run"
    options = ["--input", "x", "--target", "y:symbols", "--epochs", "2", "--set", "hidden_size=6"]
    options += ["--set", "learning_rate=1e6", "--set", f"select={select}", "--out", str(out)]
    assert run(["train", str(path), *options, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert facts["scores"]["valid"]["perplexity"] is None
    assert "infinite" in facts["not_computed"]["valid"]["perplexity"]
    for name in ("result.json", "data.json"):
        json.loads((out / name).read_text(), parse_constant=pytest.fail)
    assert "Perplexity is not computed: it is infinite" in (out / "report.html").read_text()
    assert run(["train", str(path), *options, "--resume"]) == 0
    capsys.readouterr()
    assert run(["evaluate", str(out)]) == 0
    assert re.search(r"Perplexity +not computed: it is infinite, e to", capsys.readouterr().out)


CASES = Path(__file__).parents[2].parent / "shared" / "cases"


@pytest.mark.usefixtures("pages")
@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
def test_the_case_of_an_infinite_score_finishes(tmp_path: Path) -> None:
    path, out = CASES / "hostile" / "inf_score.jsonl", str(tmp_path / "run")
    options = ["--input", "x", "--target", "y", "--epochs", "2", "--set", "hidden_size=16"]
    assert run(["train", str(path), *options, "--set", "learning_rate=1e6", "--out", out]) == 0
    assert run(["evaluate", out, "--json"]) == 0


@pytest.mark.usefixtures("pages")
@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
def test_the_case_of_a_class_never_learned_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--target", "label", "--epochs", "1", "--set", "hidden_size=3"]
    out = str(tmp_path / "run")
    assert run(["train", str(CASES / "lab_yesno.csv"), *options, "--out", out]) == 0
    assert run(["evaluate", out, str(CASES / "lab_ja.csv")]) == 0
    said = "100 of 200 rows have classes that the model never learned ('ja' 100: lab_ja.csv, line 2"
    assert said in capsys.readouterr().err
