"""A search obeys its space, goes on where it was interrupted, and heeds no test row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import elman
from blocks import DOCS, blocks
from elman.errors import ElmanError, ExperimentError, OptionError
from elman.experiment import Experiment, read_experiment
from elman.runs import trials as trials_module
from elman.runs.run import run_experiment
from elman.runs.search import Tuned, tune
from elman.training.progress import NoProgress
from roads import flowers

pytest.importorskip("optuna")

SPACE = {
    "learning_rate": {"low": 1e-3, "high": 3e-2, "log": True},
    "head": [[5], [7, 3]],
    "batch_size": {"low": 5, "high": 9},
}
SHARED: dict[str, Any] = {"target": "species", "accelerator": "cpu", "epochs": 3}


def searched(folder: Path, name: str = "search", **changes: Any) -> Tuned:
    file = folder / "flowers.csv"
    if not file.exists():
        flowers(folder)
    asked = {"trials": 4, "space": SPACE, "pruner": "none"} | SHARED | changes
    return tune(str(file), out=folder / name, progress=NoProgress(), **asked)


def values_of(tuned: Tuned) -> list[Any]:
    return [(t.number, t.state, t.settings, t.score, t.curve) for t in tuned.search.trials]


def test_every_trial_lies_within_the_space_that_is_declared_and_is_trained_so(
    tmp_path: Path,
) -> None:
    tuned = searched(tmp_path)
    assert [trial.number for trial in tuned.search.trials] == [0, 1, 2, 3]
    for trial in tuned.search.trials:
        settings = trial.settings
        assert settings.keys() == {"training.learning_rate", "network.head", "training.batch_size"}
        assert 1e-3 <= settings["training.learning_rate"] <= 3e-2
        assert settings["network.head"] in ([5], [7, 3])
        assert settings["training.batch_size"] in range(5, 10)
        there = read_experiment(
            tmp_path / "search" / f"trial-{trial.number:04}" / "experiment.toml"
        )
        assert there.network.head == settings["network.head"]
        assert there.training.batch_size == settings["training.batch_size"]
        assert there.training.epochs == 3


def test_a_space_in_the_file_is_that_of_the_search_and_of_no_effect_in_a_run(
    tmp_path: Path,
) -> None:
    written = f"""
[data]
files = ["{flowers(tmp_path)}"]
target = ["species"]
[training]
epochs = 1
[tune.space]
training.learning_rate = {{ low = 0.001, high = 0.002 }}
"""
    (tmp_path / "it.toml").write_text(written, encoding="utf-8")
    tuned = tune(str(tmp_path / "it.toml"), trials=2, out=tmp_path / "s", progress=NoProgress())
    assert tuned.search.space == {"training.learning_rate": {"low": 0.001, "high": 0.002}}
    assert all(
        0.001 <= trial.settings["training.learning_rate"] <= 0.002 for trial in tuned.search.trials
    )
    assert not (tmp_path / "s" / "best" / "experiment.toml").read_text().count("tune")
    again = Experiment.from_toml((tmp_path / "s" / "search.toml").read_text())
    assert again.tune.space == {"training.learning_rate": {"low": 0.001, "high": 0.002}}


def test_the_first_trial_is_the_experiment_as_it_is(tmp_path: Path) -> None:
    tuned = searched(tmp_path, space=None, trials=1)
    assert tuned.search.trials[0].settings == tuned.search.default.settings
    alone = elman.train(
        str(tmp_path / "flowers.csv"), out=tmp_path / "alone", progress=NoProgress(), **SHARED
    )
    first = read_experiment(tmp_path / "search" / "trial-0000" / "experiment.toml")
    assert first == alone.experiment


class _Killed(BaseException):
    """As if the process had been killed."""


def test_a_search_that_was_interrupted_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = searched(tmp_path, "whole/search")
    left = iter(range(20))

    class Fatal(trials_module.Pruning):
        def on_epoch(self, record: Any) -> None:
            if next(left) == 7:  # in the second epoch of the third trial
                raise _Killed
            super().on_epoch(record)

    with monkeypatch.context() as patch:
        patch.setattr("elman.runs.search.Pruning", Fatal)
        with pytest.raises(_Killed):
            searched(tmp_path, "parts/search")
    assert len(list((tmp_path / "parts" / "search").glob("trial-*"))) == 3
    assert values_of(searched(tmp_path, "parts/search")) == values_of(whole)


def test_a_search_goes_on_with_more_trials_as_if_it_had_had_them_from_the_first(
    tmp_path: Path,
) -> None:
    searched(tmp_path, "few/search", trials=2)
    more = searched(tmp_path, "few/search", trials=4)
    assert values_of(more) == values_of(searched(tmp_path, "many/search", trials=4))
    assert more.search.best_trial == more.search.finished[0].number


def test_a_trial_whose_files_are_damaged_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = searched(tmp_path, "whole/search")

    def fatal(*_: Any, **__: Any) -> None:
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr("elman.runs.search._Search._tell", fatal)
        with pytest.raises(_Killed):
            searched(tmp_path, "parts/search")
    (tmp_path / "parts" / "search" / "trial-0000" / "result.json").write_text("{", "utf-8")
    assert values_of(searched(tmp_path, "parts/search")) == values_of(whole)


def test_trials_that_do_worse_are_ended_early_and_the_default_one_never(tmp_path: Path) -> None:
    tuned = searched(
        tmp_path,
        trials=7,
        pruner="median",
        epochs=5,
        space={"learning_rate": {"low": 1e-7, "high": 3e-2, "log": True}},
    )
    pruned = [trial for trial in tuned.search.trials if trial.state == "pruned"]
    assert pruned
    assert tuned.search.trials[0].state == "finished"
    for trial in pruned:
        assert trial.score is None
        assert 1 < len(trial.curve) < 5
        assert not (tmp_path / "search" / f"trial-{trial.number:04}" / "result.json").exists()


def test_the_best_run_is_that_of_its_experiment_and_test_rows_are_measured_there_alone(
    tmp_path: Path,
) -> None:
    tuned = searched(tmp_path)
    best = tmp_path / "search" / "best"
    again = run_experiment(
        read_experiment(best / "experiment.toml"), tmp_path / "again", page=False
    )
    weights = Path("model", "weights.safetensors")
    assert (best / weights).read_bytes() == (tmp_path / "again" / weights).read_bytes()
    assert tuned.search.best.scores["test"] == again.result.scores["test"].value
    finished = tuned.search.finished
    assert tuned.search.best_trial == finished[0].number
    assert tuned.search.best.scores["valid"] == finished[0].score
    for folder in (tmp_path / "search").glob("trial-*"):
        assert "test" not in json.loads((folder / "result.json").read_text())["scores"]


def test_settings_that_do_not_go_together_fail_in_words_and_the_search_goes_on(
    tmp_path: Path,
) -> None:
    space = {"learning_rate": [1e-3, 5e-3], "minimum_learning_rate": [0.0, 2e-3]}
    tuned = searched(tmp_path, space=space, trials=8, epochs=1, schedule="cosine")
    failed = [trial for trial in tuned.search.trials if trial.state == "failed"]
    assert failed
    assert all("minimum_learning_rate = 0.002 must lie below" in trial.why for trial in failed)
    assert "minimum_learning_rate = 0.002 must lie below" in tuned.report.read_text(
        encoding="utf-8"
    )


def test_another_search_in_the_same_directory_is_refused_and_so_is_other_data(
    tmp_path: Path,
) -> None:
    searched(tmp_path, trials=1)
    with pytest.raises(ExperimentError, match=r"another search: here training\.epochs = 2"):
        searched(tmp_path, trials=1, epochs=2)
    with pytest.raises(ExperimentError, match=r"another search: here tune\.space\.network\.head"):
        searched(tmp_path, trials=1, space=SPACE | {"head": [[5], [8]]})
    with (tmp_path / "flowers.csv").open("a", encoding="utf-8") as file:
        file.write("1.0,0.5,red,rose\n")
    with pytest.raises(ExperimentError, match="data is no longer what the search"):
        searched(tmp_path, trials=1)


def test_a_shared_database_counts_the_trials_of_other_directories(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/shared.db"
    searched(tmp_path, "here/search", trials=2, storage=storage)
    tuned = searched(tmp_path, "there/search", trials=3, storage=storage)
    assert [trial.number for trial in tuned.search.trials] == [0, 1, 2]
    folders = {path.name for path in (tmp_path / "there" / "search").iterdir() if path.is_dir()}
    assert "trial-0002" in folders
    assert "trial-0001" not in folders


@pytest.mark.parametrize("storage", ["nonsense", "sqlite:////no/such/folder/x.db", "pg://a:b@c/d"])
def test_a_database_that_cannot_be_opened_is_said_without_its_password(
    tmp_path: Path, storage: str
) -> None:
    with pytest.raises(OptionError, match="--storage is no database that a search can use"):
        searched(tmp_path, storage=storage)


def test_wrong_calls_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="at least 1 trial, got 0"):
        searched(tmp_path, trials=0)
    with pytest.raises(ElmanError, match="unknown pruner 'medium'; did you mean 'median'"):
        searched(tmp_path, pruner="medium")
    assert not (tmp_path / "search").exists()


def test_the_program_of_the_page_on_searching_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"a {word} film,{word}\n" * 15 for word in ("fine", "dull"))
    (tmp_path / "reviews.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (program,) = blocks(DOCS / "tune.md", "python")
    short = program.text.replace("trials=20", "trials=2, epochs=1, hidden_size=3")
    exec(compile(short, "tune.md", "exec"), {})
    assert (tmp_path / "runs" / "tune-reviews" / "best" / "experiment.toml").is_file()
