"""Advice can be followed: what a message proposes is run, and the message is gone."""

from __future__ import annotations

import datetime
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet
import pytest

from elman.cli.main import run
from roads import write_csv, write_json_lines

TINY = ["--epochs", "1"]
for setting in ("hidden_size=4", "batch_size=8", "accelerator=cpu"):
    TINY += ["--set", setting]

WORDS = ["good", "bad", "nice", "dull", "warm"]


class Advice(NamedTuple):
    """A command whose message proposes something.

    Attributes:
        write: writes a file into a folder.
        arguments: of `elman train`, after the file.
        says: what the message proposes: a command line to run as it stands, or words with
            placeholders.
        filled: what is run in place of words with placeholders; `FOLDER` is the folder.
    """

    write: Callable[[Path], Path]
    arguments: Sequence[str]
    says: str
    filled: Sequence[str] = ()


def text(k: int) -> str:
    return " ".join(WORDS[(k * step + k // 3) % 5] for step in (1, 2, 3, 4, 7, 9)) + f" {k}"


def reviews(folder: Path) -> Path:
    rows = [[text(k), "yes no"[4 * (k % 2) :][:3].strip()] for k in range(60)]
    return write_csv(folder / "reviews.csv", ["the text", "label"], rows)


def table(*names: str, **makers: Callable[[int], Any]) -> Callable[[Path], Path]:
    """Write a CSV of sixty rows, its columns made by functions of the row."""
    columns = dict(zip(names, makers.values(), strict=True))

    def write(folder: Path) -> Path:
        rows = [[make(k) for make in columns.values()] for k in range(60)]
        return write_csv(folder / "table.csv", list(columns), rows)

    return write


def lines(**makers: Callable[[int], Any]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        rows = [{name: make(k) for name, make in makers.items()} for k in range(60)]
        return write_json_lines(folder / "rows.jsonl", rows)

    return write


def steps(folder: Path) -> Path:
    """A long table: ten series of six steps."""
    rows = [[f"S {k // 6}", k % 6, WORDS[k % 5], 1.5 * k, k] for k in range(60)]
    return write_csv(folder / "steps.csv", ["the series", "step", "word", "x", "no"], rows)


def poem(folder: Path) -> Path:
    path = folder / "poem.txt"
    path.write_text("".join(f"{text(k)}\n" for k in range(200)))
    return path


def named_text(folder: Path) -> Path:
    path = folder / "poem.text"
    path.write_text("".join(f"{text(k)}\n" for k in range(200)))
    return path


def glossary(folder: Path) -> Path:
    rows = [[f"word {k}", f"Wort {k}"] for k in range(16)]
    return write_csv(folder / "glossary.csv", ["EN", "DE word"], rows)


def two_rows(folder: Path) -> Path:
    write_csv(folder / "others.csv", ["x", "label"], [[text(k), "ab"[k % 2]] for k in range(20)])
    return write_csv(folder / "two.csv", ["x", "label"], [[text(0), "a"]])


def dated(folder: Path) -> Path:
    day = datetime.date(2024, 1, 1)
    columns = {
        "day": [day + datetime.timedelta(k) for k in range(60)],
        "x": [k % 7 + 0.5 for k in range(60)],
        "y": ["up", "down"] * 30,
    }
    pyarrow.parquet.write_table(pa.table(columns), folder / "dated.parquet")
    return folder / "dated.parquet"


def sounds(folder: Path) -> Path:
    rows = [
        {"x": [[float(k % 3), step * 0.1 + k] for step in range(6)], "y": "ab"[k % 2] + "cc"}
        for k in range(60)
    ]
    return write_json_lines(folder / "sounds.jsonl", [row | {"y": list(row["y"])} for row in rows])


ADVICE: dict[str, Advice] = {
    "no target": Advice(reviews, [], "--target COLUMN", ["--target", "label"]),
    "no target, or the next element": Advice(
        reviews, ["--input", "the text"], "--target next", ["--target", "next"]
    ),
    "an empty column": Advice(
        table("a", "b", "y", a=text, b=lambda _: "", c=lambda k: "uv"[k % 2]),
        ["--target", "y", "--input", "a", "--input", "b"],
        "leave it out: --ignore b in place of naming it",
        ["--input", "a", "--ignore", "b"],
    ),
    "times among the inputs, named as the time": Advice(
        dated,
        ["--target", "y", "--input", "day"],
        "name it as the time (--time on the command line)",
        ["--time", "day", "--window", "3", "--input", "x"],
    ),
    "times among the inputs, left out": Advice(
        dated,
        ["--target", "y", "--input", "day"],
        "or leave it out",
        ["--input", "x"],
    ),
    "times among the inputs, read by their calendar": Advice(
        dated,
        ["--target", "y", "--input", "day"],
        "--input day:date",
    ),
    "thousands or decimals": Advice(
        table("x", "label", x=lambda k: f"{k % 9 + 1},{100 + k}", label=lambda k: "ab"[k % 2]),
        ["--target", "label"],
        "--set decimal=,",
    ),
    "the next of a name": Advice(
        steps,
        ["--input", "word:category", "--target", "next"],
        "--sequence-id COLUMN",
        ["--sequence-id", "the series", "--input", "word"],
    ),
    "the next of a number": Advice(
        steps,
        ["--input", "x", "--target", "next"],
        "name the column as the target and say --window STEPS",
        ["--target", "x", "--window", "3"],
    ),
    "one long sequence, in windows": Advice(
        steps, ["--time", "no", "--target", "x"], "--window N", ["--window", "3", "--input", "x"]
    ),
    "one long sequence, forecast": Advice(
        steps, ["--time", "no", "--target", "x"], "--horizon N", ["--horizon", "2"]
    ),
    "one long sequence that is several": Advice(
        steps,
        ["--time", "no", "--target", "x", "--input", "step"],
        "--sequence-id COLUMN",
        ["--sequence-id", "the series"],
    ),
    "nothing to forecast": Advice(
        steps, ["--time", "no", "--horizon", "2"], "--target COLUMN", ["--target", "x"]
    ),
    "too few rows": Advice(
        two_rows,
        ["--target", "label"],
        "separate files for the parts (valid_files and test_files)",
        ["--valid", "FOLDER/others.csv", "--test", "FOLDER/others.csv"],
    ),
    "a suffix that is no format": Advice(
        named_text, ["--target", "next", "--input", "text"], "--set format=lines"
    ),
    "names of lines": Advice(poem, ["--target", "next"], "--set split_order=random"),
    "texts that repeat": Advice(
        table("a", "y", a=lambda k: text(k % 20), b=lambda k: "uv"[k % 2]),
        ["--target", "y"],
        "--set duplicates=apart",
    ),
    "names with a comma": Advice(
        table("a", "home town", a=text, b=lambda k: ["Ulm, D", "Bonn, D", "Linz, A"][k % 3]),
        ["--input", "a", "--target", "home town"],
        "--target 'home town:labels'",
    ),
    "labels with a comma": Advice(
        table("a", "my tags", a=text, b=lambda k: ["u", "v", "u,v", "v,u"][k % 4]),
        ["--input", "a", "--target", "my tags"],
        "--target 'my tags:category'",
    ),
    "lists of labels": Advice(
        lines(a=text, b=lambda k: [["u"], ["u", "v"], ["v"]][k % 3]),
        ["--input", "a", "--target", "b"],
        "--target b:symbols",
    ),
    "lists with repetitions": Advice(
        lines(a=text, b=lambda k: [["u", "u"], ["u", "v"], ["v"]][k % 3]),
        ["--input", "a", "--target", "b"],
        "--target b:labels",
    ),
    "zeros and ones": Advice(
        lines(a=text, b=lambda k: [k % 2, 1, int(k % 3 == 0)]),
        ["--input", "a", "--target", "b"],
        "--target b:symbols",
    ),
    "zeros and a one for each step": Advice(
        lines(a=lambda k: text(k).split()[:3], b=lambda k: [int(k % 3 == j) for j in range(3)]),
        ["--input", "a", "--target", "b"],
        "--target b:onehot",
    ),
    "texts that may be classes": Advice(
        table("a", "b", a=text, b=lambda k: text(k % 9 + 7)),
        ["--input", "a", "--target", "b"],
        "--target b:category",
    ),
    "classes that may be texts": Advice(
        table("a", "b", a=text, b=lambda k: f"nice number {k % 22}"),
        ["--input", "a", "--target", "b"],
        "--target b:text",
    ),
    "a transcription": Advice(
        sounds, ["--target", "y", "--input", "x"], "--set objective=ctc"
    ),
    "whole numbers that may be measurements": Advice(
        lines(
            a=lambda k: [k % 3, k % 2, 1, 1, 2, 0],
            b=lambda k: [k % 2, k % 3, k % 2, 1],
        ),
        ["--input", "a", "--target", "b:symbols"],
        "--input a:series",
    ),
    "a name with a colon beside one without": Advice(
        table("doc", "doc:text", "y", a=text, b=text, c=lambda k: "uv"[k % 2]),
        ["--input", "doc:text", "--target", "y"],
        "--input doc --set input_kind=text",
    ),
    "a list as text": Advice(
        lines(a=lambda k: text(k).split(), b=lambda k: "uv"[k % 2]),
        ["--input", "a:text", "--target", "b"],
        "use kind 'symbols'",
        ["--input", "a:symbols"],
    ),
    "a measurement as category": Advice(
        lines(a=lambda k: k + 0.5, b=lambda k: k % 4 + 0.5),
        ["--input", "a", "--target", "b:category"],
        "use kind 'number'",
        ["--target", "b:number"],
    ),
    "a number as labels": Advice(
        lines(a=text, b=lambda k: k % 3),
        ["--input", "a", "--target", "b:labels"],
        "use kind 'category'",
        ["--target", "b:category"],
    ),
    "many ones as one class": Advice(
        lines(a=text, b=lambda k: [k % 2, 1, int(k % 3 == 0)]),
        ["--input", "a", "--target", "b:onehot"],
        "use kind 'labels'",
        ["--target", "b:labels"],
    ),
    "rare words": Advice(
        table("a", "y", a=lambda k: f"w{k} v{k} u{k}", b=lambda k: "uv"[k % 2]),
        ["--input", "a:text:word", "--target", "y"],
        "lower min_count",
        ["--set", "data.input_options.min_count=1"],
    ),
    "a glossary": Advice(
        glossary,
        ["--input", "EN", "--target", "DE word"],
        "--target 'DE word:text:char'",
    ),
    "a stream read backwards": Advice(
        poem,
        ["--target", "next", "--set", "bidirectional=true"],
        "--set chunk_length=100 --set carry_state=false",
    ),
    "a season without a window": Advice(
        steps, ["--input", "x", "--target", "x", "--set", "season=3"], "set one of them",
        ["--window", "4"],
    ),
    "known without a horizon": Advice(
        steps, ["--target", "x", "--known", "step", "--time", "no"], "set horizon, the steps ahead",
        ["--horizon", "2"],
    ),
    "an identifier": Advice(
        table("an id", "size", "y", a=lambda k: 3 * k, b=lambda k: k % 7, c=lambda k: "uv"[k % 2]),
        ["--target", "y"],
        "--read 'an id'",
    ),
    "dates beside numbers": Advice(
        dated,
        ["--target", "y"],
        "--set split_order=time",
        ["--set", "split_order=time", "--ignore", "day"],
    ),
    "dates with two readings": Advice(
        table("when", "x", "y", a=lambda k: f"{k % 12 + 1:02}/{k * 5 % 12 + 1:02}/2023",
              b=lambda k: k % 7, c=lambda k: "uv"[k % 2]),
        ["--target", "y"],
        "--read when:date:%d/%m/%Y",
    ),
    "dates with two readings, to split by": Advice(
        table("when", "x", "y", a=lambda k: f"{k % 12 + 1:02}/{k * 5 % 12 + 1:02}/2023",
              b=lambda k: k % 7, c=lambda k: "uv"[k % 2]),
        ["--target", "y", "--set", "split_order=time", "--read", "x"],
        "--set data.time_format=%d/%m/%Y",
    ),
    "a date as target": Advice(
        table("due", "x", a=lambda k: f"2024-{k // 28 + 1:02}-{k % 28 + 1:02}", b=lambda k: k % 7),
        ["--target", "due"],
        "--time due --horizon N",
        ["--target", "x", "--time", "due", "--horizon", "2"],
    ),
    "a column that repeats the target": Advice(
        table("flag", "size", "y", a=lambda k: k % 2, b=lambda k: k % 7, c=lambda k: "uv"[k % 2]),
        ["--target", "y"],
        "--read flag",
    ),
    "a column that gives the target away": Advice(
        table("state", "size", "y", a=lambda k: f"s{k % 4}", b=lambda k: k % 7,
              c=lambda k: "uv"[k % 2]),
        ["--target", "y"],
        "--ignore state",
    ),
    "codes": Advice(
        table("zip", "y", a=lambda k: f"{k % 13:03}", c=lambda k: "uv"[k // 2 % 2]),
        ["--target", "y"],
        "--read zip:number",
    ),
    "few words among amounts, as numbers": Advice(
        table("v", "y", a=lambda k: "tbd" if k == 9 else f"${k % 7}.5",
              c=lambda k: "uv"[k // 2 % 2]),
        ["--target", "y"],
        "--read v:number",
    ),
    "many words among amounts, as a category": Advice(
        table("v", "y", a=lambda k: "tbd" if k % 4 == 1 else f"${k % 7}.5",
              c=lambda k: "uv"[k // 2 % 2]),
        ["--target", "y"],
        "--read v:category",
    ),
    "an identifier that repeats, as a group": Advice(
        table("shop_id", "size", "y", a=lambda k: k % 30, b=lambda k: k % 7,
              c=lambda k: "uv"[k // 4 % 2]),
        ["--target", "y"],
        "--group shop_id",
    ),
    "an identifier that repeats, as a category": Advice(
        table("shop_id", "size", "y", a=lambda k: k % 30, b=lambda k: k % 7,
              c=lambda k: "uv"[k // 4 % 2]),
        ["--target", "y"],
        "--read shop_id:category",
    ),
    "the other columns of a class": Advice(
        table("is a", "is b", "is c", "x", a=lambda k: int(k % 3 == 0),
              b=lambda k: int(k % 3 == 1), c=lambda k: int(k % 3 == 2), d=lambda k: k % 7),
        ["--target", "is a"],
        "--read 'is b' --read 'is c'",
    ),
    "other labels": Advice(
        table("tag_a", "tag_b", "tag_c", "x", a=lambda k: k % 2, b=lambda k: k // 2 % 2,
              c=lambda k: k // 3 % 2, d=lambda k: k % 7),
        ["--target", "tag_a"],
        "--ignore tag_b --ignore tag_c",
    ),
    "columns of a sequence without an id": Advice(
        steps, ["--target", "word", "--input", "x", "--set", "per_sequence=['no']"],
        "set sequence_id too",
        ["--sequence-id", "no"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("advice", ADVICE.values(), ids=ADVICE)
def test_what_a_message_proposes_can_be_run(
    advice: Advice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = advice.write(tmp_path)
    before = _train(path, advice.arguments, tmp_path / "before", capsys)
    assert advice.says in before, before
    (sentence,) = (line for line in before.splitlines() if advice.says in line)
    given = advice.filled or shlex.split(advice.says)
    followed = [each.replace("FOLDER", str(tmp_path)) for each in given]
    after = _train(path, _changed(advice.arguments, followed), tmp_path / "after", capsys)
    assert sentence not in after
    assert after.startswith("done"), after


def test_no_message_proposes_an_option_that_does_not_exist(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = Path(__file__).parents[2] / "src" / "elman"
    sources = {path: path.read_text() for path in sorted(root.rglob("*.py"))}
    proposed = {
        option
        for path, source in sources.items()
        if path.parent.name != "convert"
        for option in re.findall(r"[\"' (](--[a-z][a-z-]+)", source)
    } - {"--lenpen"}
    known: set[str] = {"--help", "--version", "--debug"}
    verbs = ["train", "tune", "evaluate", "predict", "generate", "compare", "runs list"]
    for verb in (*verbs, "data list", "data show"):
        run([*verb.split(), "--help"])
        known |= set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))
    assert proposed <= known


def test_a_run_that_is_there_is_resumed_as_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", str(reviews(tmp_path)), "--target", "label", *TINY]
    arguments += ["--out", str(tmp_path / "run")]
    assert run(arguments) == 0
    assert run(arguments) == 1
    assert "resume it (--resume, or resume=True in Python)" in capsys.readouterr().err
    assert run([*arguments, "--resume"]) == 0
    (tmp_path / "run" / "result.json").unlink()
    for each in (tmp_path / "run" / "model").iterdir():
        each.unlink()
    assert run(["evaluate", str(tmp_path / "run")]) == 1
    assert "resume it with the same command and --resume" in capsys.readouterr().err
    assert run([*arguments, "--resume"]) == 0
    assert run(["evaluate", str(tmp_path / "run")]) == 0


@pytest.mark.parametrize("setting", ["network.bidirectional", "network.delay"])
def test_a_network_that_cannot_generate_says_how_to_train_one(
    setting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = {"network.bidirectional": "true", "network.delay": "2"}[setting]
    path = lines(a=lambda k: text(k).split())(tmp_path)
    arguments = ["train", str(path), "--input", "a", "--target", "next", *TINY]
    arguments += ["--set", "carry_state=false", "--set", "chunk_length=20", "--set"]
    code = run([*arguments, f"{setting}={value}", "--out", str(tmp_path / "one")])
    if code == 0:
        code = run(["generate", str(tmp_path / "one"), "--steps", "3"])
    message = capsys.readouterr().err
    assert code
    (proposal,) = re.findall(rf"{setting} = \w+ to generate", message) or [""]
    assert proposal, message
    followed = proposal.removesuffix(" to generate")
    assert run([*arguments, followed, "--out", str(tmp_path / "other")]) == 0
    assert run(["generate", str(tmp_path / "other"), "--steps", "3"]) == 0


def test_a_longer_horizon_is_trained_as_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", str(steps(tmp_path)), "--target", "x", "--time", "no", *TINY]
    one, other, third = (str(tmp_path / name) for name in ("one", "other", "third"))
    assert (
        run([*arguments, "--horizon", "2", "--set", "forecast.feedback=false", "--out", one]) == 0
    )
    assert run(["predict", one, "--horizon", "4"]) == 2
    message = capsys.readouterr().err
    assert "train it with --horizon 4, or with forecast.feedback = true" in message
    assert run([*arguments, "--horizon", "4", "--out", other]) == 0
    assert run(["predict", other, "--horizon", "4"]) == 0
    assert (
        run([*arguments, "--horizon", "2", "--set", "forecast.feedback = true", "--out", third])
        == 0
    )
    assert run(["predict", third, "--horizon", "4"]) == 0


def _train(
    path: Path, arguments: Sequence[str], out: Path, capsys: pytest.CaptureFixture[str]
) -> str:
    """Run `elman train`; return its messages, after `done` where it ended well."""
    capsys.readouterr()
    code = run(["train", str(path), *arguments, *TINY, "--out", str(out)])
    return f"{'done' if code == 0 else 'failed'}\n{capsys.readouterr().err}"


def _changed(arguments: Sequence[str], changes: Sequence[str]) -> list[str]:
    """Return arguments with some options in the place of their former values."""
    replaced = {option for option in changes if option in {"--input", "--target"}}
    kept = [
        (option, value)
        for option, value in zip(arguments[::2], arguments[1::2], strict=True)
        if option not in replaced
    ]
    return [*(each for pair in kept for each in pair), *changes]
