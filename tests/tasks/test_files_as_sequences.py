"""Files of steps are a sequence each: no window or forecast runs from one into another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elman.experiment import DataSpec
from elman.models.model import Model
from elman.runs.run import TrainedRun, run_experiment
from elman.runs.train import experiment_for
from elman.tasks.dividing import Parts
from elman.tasks.layout import layout_of
from roads import write_csv

STEPS = 60


def runs(folder: Path, names: str = "abc") -> Path:
    """Files whose numbers say which of them a step comes from."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        rows = [[step, 1000 * number + step, f"{name}{step}"] for step in range(STEPS)]
        write_csv(folder / f"{name}.csv", ["t", "level", "remark"], rows)
    return folder


def labelled_runs(folder: Path, rows: int = 24) -> Path:
    """Runs that rise or fall, of several lengths, with a table that says which."""
    folder.mkdir()
    random = np.random.default_rng(5)
    for run in range(rows):
        steps = 6 + run % 4
        values = (1 if run % 2 else -1) * np.arange(steps) + random.normal(0, 0.1, steps)
        lines = [[step, round(float(v), 3)] for step, v in enumerate(values)]
        write_csv(folder / f"run{run}.csv", ["t", "level"], lines)
    listed = [[f"run{run}.csv", "up" if run % 2 else "down", "m1"] for run in range(rows)]
    write_csv(folder / "labels.csv", ["name", "way", "machine"], listed)
    return folder


def parts_of(source: Any, **data: Any) -> Parts:
    spec = DataSpec.model_validate({"files": source, **data})
    return layout_of(layout_of(spec).with_known_columns()).parts(1)


def trained(source: Any, out: Path, **settings: Any) -> TrainedRun:
    sizes = {"network.hidden_size": 3, "training.epochs": 2, "training.accelerator": "cpu"}
    experiment, values = experiment_for(source, {**sizes, **settings})
    return run_experiment(experiment, out, source=values, page=False)


@pytest.mark.parametrize("listed", [False, True], ids=["folder", "list"])
def test_no_window_runs_from_one_file_into_the_next(tmp_path: Path, listed: bool) -> None:
    folder = runs(tmp_path / "runs")
    source = [str(path) for path in sorted(folder.iterdir())] if listed else str(folder)
    parts = parts_of(source, window=5, target="level", input="level")
    tables = [part for part in parts[:3] if part is not None]
    windows = [np.asarray(window) for part in tables for window in part.column("level")]
    after = [value for part in tables for value in part.column("next_level")]
    assert len(windows) > 100
    for window, value in zip(windows, after, strict=True):
        assert np.array_equal(np.diff([*window, value]), np.ones(5))
    assert any("3 files, a sequence each" in note for note in parts.notes)


def test_a_file_is_a_series_of_its_own_in_a_forecast(tmp_path: Path) -> None:
    parts = parts_of(str(runs(tmp_path / "runs")), horizon=4, target="level", input="t")
    assert list(parts.train.column("file")) == ["a", "b", "c"]
    assert [len(series) for series in parts.test.column("level")] == [STEPS] * 3  # type: ignore[union-attr]


def test_rows_in_the_order_of_time_are_a_sequence_for_each_file(tmp_path: Path) -> None:
    folder = runs(tmp_path / "runs", "abcdefgh")
    parts = parts_of(str(folder), time="t", target="level")
    steps = [len(level) for part in parts[:3] if part for level in part.column("level")]
    assert steps == [STEPS] * 8


def test_files_are_joined_where_the_settings_say_so(tmp_path: Path) -> None:
    folder = runs(tmp_path / "runs")
    for setting in ({"window": 5}, {"horizon": 4}):
        parts = parts_of(str(folder), join_files=True, target="level", input="level", **setting)
        assert "file" not in parts.train.columns
    steps = [step for series in parts.test.column("level") for step in series]  # type: ignore[union-attr]
    assert len(steps) == 3 * STEPS
    with pytest.raises(ValueError, match="leave one of them out"):
        DataSpec(files=["a"], join_files=True, sequence_id="who")


def test_plain_rows_of_several_files_are_still_one_table(tmp_path: Path) -> None:
    parts = parts_of(str(runs(tmp_path / "runs")), target="level", input="t")
    assert sum(len(part) for part in parts[:3] if part is not None) == 3 * STEPS
    assert "file" not in parts.train.columns


def test_a_sequence_id_that_is_given_wins(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    for name in "ab":
        rows = [[who, step] for who in "xy" for step in range(30)]
        write_csv(folder / f"{name}.csv", ["who", "level"], rows)
    parts = parts_of(str(folder), horizon=3, sequence_id="who", target="level")
    assert list(parts.train.column("who")) == ["x", "y"]


def test_the_file_is_the_id_where_one_asks_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    for number in range(12):
        rows = [[step + number, "ab"[number % 2]] for step in range(5)]
        write_csv(folder / f"r{number}.csv", ["level", "kind"], rows)
    parts = parts_of(str(folder), sequence_id="file", target="kind")
    assert set(parts.train.column("kind")) == {"a", "b"}
    assert all(len(level) == 5 for level in parts.train.column("level"))


def test_a_model_of_labelled_files_reads_a_folder_a_file_and_unlabelled_files_alike(
    tmp_path: Path,
) -> None:
    folder = labelled_runs(tmp_path / "runs")
    run = trained(str(folder), tmp_path / "out", target="way")
    assert run.model.task.category == "many-to-one"
    assert run.model.task.input_columns == ("t", "level")
    assert any("machine" in note and "left out" in note for note in run.result.notes)
    model = Model.load(tmp_path / "out")
    of_folder = model.predict(str(folder))
    assert len(of_folder) == 24
    assert model.predict(str(folder / "run3.csv")) == of_folder[3:4]
    (folder / "labels.csv").unlink()
    table = model.table(str(folder), with_targets=False)
    order = [int(name.removeprefix("run")) for name in table.column("file")]
    assert model.predict(table) == [of_folder[run] for run in order]


def test_subfolders_are_the_labels_if_the_target_is_label(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    for label in ("slow", "fast"):
        (folder / label).mkdir(parents=True)
        for number in range(8):
            rows = [[step * (1 if label == "slow" else 5)] for step in range(6 + number)]
            write_csv(folder / label / f"{number}.csv", ["level"], rows)
    run = trained(str(folder), tmp_path / "out", target="label")
    assert run.model.task.category == "many-to-one"
    assert len(run.model.predict(str(folder))) == 16
    assert len(run.model.predict(str(folder / "slow" / "3.csv"))) == 1


def test_a_model_of_several_files_forecasts_one_of_them(tmp_path: Path) -> None:
    folder = runs(tmp_path / "runs")
    run = trained(str(folder), tmp_path / "out", target="level", input="t", horizon=3)
    forecast = run.model.forecast(str(folder / "b.csv"))
    assert forecast["file"] == ["b"] * 3
    whole = run.model.forecast(str(folder))
    assert whole["file"] == [name for name in "abc" for _ in range(3)]


def test_a_file_has_the_same_id_alone_as_in_its_labelled_folder(tmp_path: Path) -> None:
    folder = labelled_runs(tmp_path / "runs", 4)
    for number in range(4):
        rows = [[step, number + step % 3] for step in range(40)]
        write_csv(folder / f"run{number}.csv", ["t", "level"], rows)
    run = trained(str(folder), tmp_path / "out", target="level", input="t", horizon=3)
    table = run.model.table(str(folder / "run2.csv"), with_targets=False)
    assert run.model.predictor.notes_of(table) == []
    assert run.model.forecast(table)["file"] == ["run2"] * 3


def test_values_in_memory_are_one_sequence_to_a_model_of_files(tmp_path: Path) -> None:
    run = trained(
        str(runs(tmp_path / "runs")), tmp_path / "out", target="level", input="level", window=5
    )
    rows = {"level": list(range(9)), "remark": list("abcdefghi")}
    assert len(run.model.predict(rows)) == 5
    assert run.model.experiment.data.sequence_id == "file"


CASES = Path(__file__).parents[2].parent / "shared" / "cases"


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
def test_the_case_of_two_runs_has_no_window_across_them() -> None:
    parts = parts_of(str(CASES / "runs_window"), window=10, target="vibration")
    rows = sum(len(part) for part in parts[:3] if part is not None)
    assert rows == 2 * (59 - 10)
    assert set(parts.train.column("file")) == {"a", "b"}
