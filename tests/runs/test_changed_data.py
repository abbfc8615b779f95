"""A run knows its data: other data is refused, and rows that parts share are said."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import elman
from elman.errors import DataError, ExperimentError
from elman.runs.train import experiment_for, train_run
from elman.training.progress import NoProgress

KEPT = Path(__file__).parents[2].parent / "shared" / "cases" / "hostile" / "keepn.csv"
SETTINGS: dict[str, Any] = {
    "target": "label",
    "input_kind": "text",
    "epochs": 2,
    "hidden_size": 3,
    "patience": 0,
}


class Heard(NoProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, sentence: str) -> None:
        self.said.append(sentence)


def lines(count: int, first: int = 0) -> list[str]:
    names = ("good", "bad")
    return [f"a {names[n % 2]} film {n},{names[n % 2]}" for n in range(first, first + count)]


def written(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    return path


def run_in(directory: Path, data: Path, *, resume: bool = False, **settings: Any) -> Any:
    experiment, _ = experiment_for(data, SETTINGS | settings)
    return train_run(experiment, directory, resume=resume)


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose process was stopped after training, before its model was saved."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("elman.models.model.Model.save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_in(tmp_path / "run", written(tmp_path / "d.csv", lines(60)))
    return tmp_path / "run"


def replaced(rows: list[str]) -> list[str]:
    return [*rows[:4], "another text,good", *rows[5:]]


CHANGES: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "a row more": (lambda rows: [*rows, "one more,good"], "60 rows then, 61 now; other training"),
    "a row fewer": (lambda rows: rows[:-1], "60 rows then, 59 now; other training"),
    "a row replaced": (replaced, "60 rows, as many as then; other"),
    "another order": (lambda rows: rows[::-1], "60 rows, as many as then; other"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_run_on_changed_data_is_not_resumed(name: str, interrupted: Path, tmp_path: Path) -> None:
    change, words = CHANGES[name]
    data = written(tmp_path / "d.csv", change(lines(60)))
    with pytest.raises(ExperimentError, match=f"d.csv is no longer what the run in .*{words}"):
        run_in(interrupted, data, resume=True)


def test_a_run_is_resumed_on_a_file_that_was_touched_or_has_another_column_that_is_not_read(
    interrupted: Path, tmp_path: Path
) -> None:
    os.utime(tmp_path / "d.csv", (1e9, 1e9))
    assert run_in(interrupted, tmp_path / "d.csv", resume=True).result.rows["train"] == 48


def test_a_run_of_an_earlier_version_is_resumed(interrupted: Path, tmp_path: Path) -> None:
    (interrupted / "data.json").unlink()
    assert run_in(interrupted, tmp_path / "d.csv", resume=True).result.rows["train"] == 48


def test_a_run_of_numbers_of_an_earlier_version_is_resumed(tmp_path: Path) -> None:
    rows = "".join(f"${n},{n * 2.5}\n" for n in range(60))
    data = tmp_path / "n.csv"
    data.write_text(f"d,y\n{rows}", encoding="utf-8")
    settings = {"target": "y", "input_kind": "number", "epochs": 1}
    run_in(tmp_path / "run", data, **settings)
    path = tmp_path / "run" / "experiment.toml"
    kept = path.read_text(encoding="utf-8")
    path.write_text(kept.replace('[data.units]\nd = "$"\n', ""), encoding="utf-8")
    assert "units" not in path.read_text(encoding="utf-8")
    resumed = run_in(tmp_path / "run", data, resume=True, **settings)
    assert resumed.result.rows["train"] == 48
    path.write_text(kept.replace('d = "$"', 'd = "€"'), encoding="utf-8")
    with pytest.raises(ExperimentError, match=r"data\.units"):
        run_in(tmp_path / "run", data, resume=True, **settings)


def test_another_seed_is_not_taken_for_other_data(interrupted: Path, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"another experiment: here seed = 2, there 1"):
        run_in(interrupted, tmp_path / "d.csv", resume=True, seed=2)


def test_a_part_of_changed_data_is_not_measured(tmp_path: Path) -> None:
    data = written(tmp_path / "d.csv", lines(60))
    model = run_in(tmp_path / "run", data).model
    before = model.evaluate("test")
    assert elman.load(tmp_path / "run").evaluate("test") == before
    written(data, [*lines(60), "one more,good"])
    for part in ("train", "valid", "test"):
        with pytest.raises(DataError, match=r"d\.csv is no longer what this model was trained on"):
            elman.load(tmp_path / "run").evaluate(part)
    with pytest.raises(ExperimentError, match="60 rows then, 61 now"):
        run_in(tmp_path / "run", data, resume=True)


def test_a_test_file_that_has_changed_is_measured_and_it_is_said(tmp_path: Path) -> None:
    data = written(tmp_path / "d.csv", lines(60))
    test = written(tmp_path / "t.csv", lines(10, first=100))
    model = run_in(tmp_path / "run", data, test_files=str(test)).model
    before = model.scores("test").notes
    written(test, lines(12, first=100))
    scores = model.scores("test")
    assert scores.count == 12
    said = "the data is no longer what it was at training: 10 test rows then, 12 now."
    assert said in scores.notes
    assert said not in before


def test_given_parts_that_hold_training_rows_are_said(tmp_path: Path) -> None:
    data = written(tmp_path / "d.csv", lines(60))
    parts = {
        "valid_files": str(written(tmp_path / "v.csv", lines(10, first=100))),
        "test_files": str(written(tmp_path / "t.csv", lines(10, first=55))),
    }
    experiment, _ = experiment_for(data, SETTINGS | parts)
    progress = Heard()
    run = train_run(experiment, tmp_path / "run", progress=progress)
    said = "5 of 10 test rows are training rows of this model; scores on what it was trained on "
    assert [line for line in progress.said if "training rows of" in line] == [
        f"note: {said}say little of what is new to it."
    ]
    assert any(note.startswith(said) for note in run.result.notes)


def test_parts_of_a_column_that_hold_training_rows_are_said(tmp_path: Path) -> None:
    parts = ["train"] * 40 + ["valid"] * 10 + ["test"] * 10
    rows = [f"{row},{part}" for row, part in zip(lines(60), parts, strict=True)]
    rows[55] = rows[3].replace("train", "test")
    path = tmp_path / "d.csv"
    path.write_text("\n".join(["text,label,part", *rows]) + "\n", encoding="utf-8")
    result = run_in(tmp_path / "run", path, split_column="part", input="text").result
    assert [note for note in result.notes if note.startswith("1 of 10 test rows is a training row")]


@pytest.mark.skipif(not KEPT.is_file(), reason="the shared cases are not here")
def test_the_case_of_a_row_more_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "d.csv"
    data.write_text(KEPT.read_text())
    run_in(tmp_path / "run", data, epochs=1)
    with data.open("a") as file:
        file.write("red dog great,pos\n")
    with pytest.raises(ExperimentError, match="500 rows then, 501 now"):
        run_in(tmp_path / "run", data, epochs=1, resume=True)
    with pytest.raises(DataError, match="no longer what this model was trained on"):
        elman.load(tmp_path / "run").evaluate("test")
