"""A run: from an experiment to a directory that holds all there is to know of it."""

from __future__ import annotations

import csv
import json
import math
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import elman
from elman.batches.batching import BucketedBatches
from elman.errors import CheckpointError, DataError, ExperimentError, OptionError
from elman.experiment import Experiment, read_experiment
from elman.experiment.overrides import flat
from elman.report.facts.page import write_page
from elman.runs.run import RunResult, run_experiment
from elman.runs.train import default_directory, train_run
from elman.training.keeping import BEFORE, BEST, LAST
from elman.training.progress import NoProgress
from roads import NEXT_CHARACTER, ROADS, Road, travelled

SMALL = "title = 'small'\n[data]\nname = 'chorales'\n[network]\nhidden_size = 3\n"


def small(**overrides: Any) -> Experiment:
    settings = {"cell": "simple", "epochs": 2, "batch_size": 64, "accelerator": "cpu"}
    return Experiment.from_toml(SMALL).override(settings | overrides)


class Heard(NoProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, sentence: str) -> None:
        self.said.append(sentence)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs") / "small"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("elman.report.facts.write_page", write_page)
        run_experiment(small(), directory)
    return directory


def test_a_run_s_directory_holds_all_there_is_to_know(finished: Path) -> None:
    files = {str(path.relative_to(finished)) for path in finished.rglob("*") if path.is_file()}
    assert files == {
        ".lock",
        "data.json",
        "experiment.toml",
        str(BEFORE),
        str(BEST),
        str(LAST),
        "metrics.jsonl",
        "model/model.json",
        "model/rows.safetensors",
        "model/weights.safetensors",
        "report.html",
        "result.json",
    }
    recorded = read_experiment(finished / "experiment.toml")
    assert recorded.override(flat(small().model_dump(exclude_unset=True))) == recorded
    assert (recorded.network.cell, recorded.network.hidden_size) == ("simple", 3)
    assert (recorded.data.input, recorded.data.target) == (["roll"], ["next"])
    result = RunResult.model_validate_json((finished / "result.json").read_text())
    lines = (finished / "metrics.jsonl").read_text().splitlines()
    assert [record.model_dump() for record in result.curve] == [json.loads(x) for x in lines]
    assert result.epochs == len(lines) == 2


def test_the_result_is_what_the_saved_model_measures(finished: Path) -> None:
    result = RunResult.model_validate_json((finished / "result.json").read_text())
    model = elman.load(finished)
    assert list(result.scores) == ["train", "valid", "test"]
    for part, scores in result.scores.items():
        measured = model.evaluate(part)
        assert measured.pop(scores.unit) == scores.count
        assert measured == scores.values
    best = min(record.valid_loss for record in result.curve)
    assert result.scores["valid"].value == pytest.approx(best, rel=1e-6)
    assert result.rows == {"train": 229, "valid": 76, "test": 77}


def test_a_finished_run_is_loaded_rather_than_trained_again(finished: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    run = run_experiment(small(), finished)
    assert run.result.model_dump_json(indent=2) + "\n" == (finished / "result.json").read_text()
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before


def test_a_run_interrupted_after_training_ends_with_the_same_result(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("elman.models.model.Model.save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_experiment(small(), tmp_path / "small")
    assert not (tmp_path / "small" / "result.json").exists()
    resumed = train_run(small(), tmp_path / "small", resume=True)
    expected = RunResult.model_validate_json((finished / "result.json").read_text())
    assert resumed.result.scores == expected.scores
    for name, weight in elman.load(finished).network.state_dict().items():
        assert torch.equal(weight, resumed.model.network.state_dict()[name])


def test_a_run_is_neither_overwritten_nor_resumed_by_mistake(
    finished: Path, tmp_path: Path
) -> None:
    words = (
        r"small already holds a run; resume it \(--resume, or resume=True in Python\), or choose"
    )
    with pytest.raises(ExperimentError, match=words):
        train_run(small(), finished)
    with pytest.raises(ExperimentError, match="holds no run to resume"):
        train_run(small(), tmp_path / "none", resume=True)


def test_a_run_of_another_experiment_is_refused_with_the_difference(finished: Path) -> None:
    with pytest.raises(ExperimentError, match=r"training\.epochs = 3, there 2\. Choose another"):
        run_experiment(small(epochs=3), finished)


def test_a_result_that_cannot_be_read_is_a_checkpoint_error(finished: Path, tmp_path: Path) -> None:
    for path in finished.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(finished)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    (tmp_path / "result.json").write_text('{"seed": 1}')
    with pytest.raises(CheckpointError, match=r"result\.json is damaged, or not a run's result"):
        run_experiment(small(), tmp_path)


@pytest.mark.sampled(2)
@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("road", [*ROADS.values(), NEXT_CHARACTER], ids=[*ROADS, "next"])
def test_every_kind_of_file_is_trained_on_and_measured(road: Road, tmp_path: Path) -> None:
    model, result = travelled(road, tmp_path, epochs=1)
    assert (model.task.category, model.task.objective["name"]) == (road.category, road.objective)
    assert result.sentence == road.sentence
    assert list(result.scores) == ["valid", "test"]
    for scores in result.scores.values():
        assert scores.main == road.chief
        assert math.isfinite(scores.value)
        assert scores.count > 0
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000


@pytest.mark.sampled(3)
@pytest.mark.parametrize("road", [*ROADS.values(), NEXT_CHARACTER], ids=[*ROADS, "next"])
def test_a_run_trained_again_from_its_own_experiment_has_the_same_weights(
    road: Road, tmp_path: Path
) -> None:
    first = (
        travelled(road, tmp_path, input_dropout=0.2)
        if road.category != "one-to-one"
        else (travelled(road, tmp_path))
    )
    recorded = read_experiment(tmp_path / "run" / "experiment.toml")
    again = train_run(recorded, tmp_path / "again")
    assert again.result.scores == first.result.scores
    weights = again.model.network.state_dict()
    for name, weight in first.model.network.state_dict().items():
        assert torch.equal(weight, weights[name])
    assert read_experiment(tmp_path / "again" / "experiment.toml") == recorded


def test_how_a_column_is_read_is_seen_once_and_written_down(tmp_path: Path) -> None:
    stems = ["".join(letters) for letters in permutations("bcdefg", 3)]
    names = [stem + ending for stem in stems for ending in "ao"]
    rows = [f"{name},{'m' if name.endswith('o') else 'f'}\n" for name in names]
    (tmp_path / "names.csv").write_text("name,gender\n" + "".join(rows), encoding="utf-8")
    elman.train(tmp_path / "names.csv", target="gender", epochs=1, out=tmp_path / "run")
    recorded = read_experiment(tmp_path / "run" / "experiment.toml")
    assert recorded.data.input_options["level"] == "character"
    again = train_run(recorded, tmp_path / "again")
    assert again.model.task.to_json() == elman.load(tmp_path / "run").task.to_json()


@pytest.mark.parametrize(
    "name",
    [
        "text to a class",
        "tokens to tags",
        "measurements to a class",
        "tokens to several targets",
    ],
)
def test_a_run_interrupted_between_epochs_goes_on_to_the_same_weights(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = travelled(ROADS[name], tmp_path, epochs=3)
    epochs: list[int] = []

    def stop_in_the_second(self: object, n: int) -> Any:
        epochs.append(n)
        if n == 1:
            raise KeyboardInterrupt
        return own_epoch(self, n)

    own_epoch = BucketedBatches.epoch
    experiment = read_experiment(tmp_path / "run" / "experiment.toml")
    with monkeypatch.context() as patch:
        patch.setattr(BucketedBatches, "epoch", stop_in_the_second)
        with pytest.raises(KeyboardInterrupt):
            train_run(experiment, tmp_path / "broken")
    assert epochs[-1] == 1
    resumed = train_run(experiment, tmp_path / "broken", resume=True)
    assert resumed.result.scores == whole.result.scores
    for one, other in zip(
        whole.model.network.parameters(), resumed.model.network.parameters(), strict=True
    ):
        assert torch.equal(one, other)


def test_values_in_memory_are_trained_on_like_a_file(tmp_path: Path) -> None:
    road = ROADS["text to a class"]
    from_file = travelled(road, tmp_path)
    with (tmp_path / "reviews.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {name: [row[name] for row in rows] for name in ("text", "label")}
    for source in (rows, columns):
        out = tmp_path / str(type(source))
        model = elman.train(source, out=out, progress=NoProgress(), **road.settings)
        probabilities = model.predict(columns["text"], probabilities=True)[1]
        expected = from_file.model.predict(columns["text"], probabilities=True)[1]
        assert np.array_equal(probabilities, expected)


def test_what_is_chosen_for_a_task_is_written_down_and_what_is_given_stays(
    tmp_path: Path,
) -> None:
    travelled(ROADS["text to a class"], tmp_path, pooling="mean")
    recorded = read_experiment(tmp_path / "run" / "experiment.toml")
    assert recorded.data.input == ["text"]
    assert (recorded.data.input_kind, recorded.data.target_kind) == ("text", "category")
    assert recorded.network.category == "many-to-one"
    assert recorded.network.pooling == "mean"
    assert recorded.network.cell == "lstm" or recorded.network.cell == "gru"
    assert recorded.training.optimizer == "adamw"


def test_a_network_that_waits_is_not_taken_to_see_the_whole_sequence(tmp_path: Path) -> None:
    road = ROADS["tokens to tags"]
    for delay, bidirectional in ((0, True), (2, False)):
        (tmp_path / str(delay)).mkdir()
        travelled(road, tmp_path / str(delay), delay=delay, epochs=1)
        recorded = read_experiment(tmp_path / str(delay) / "run" / "experiment.toml")
        assert recorded.network.bidirectional is bidirectional


def test_weights_can_be_selected_by_the_score(tmp_path: Path) -> None:
    run = travelled(ROADS["text to a class"], tmp_path, select="score", epochs=3)
    scores = [record.score for record in run.result.curve]
    assert run.result.scores["valid"].value == max(score for score in scores if score is not None)


def test_what_was_understood_is_said_before_training(tmp_path: Path) -> None:
    progress = Heard()
    run_experiment(small(epochs=1, seed=17), tmp_path / "x", progress=progress)
    assert progress.said == [
        "column  role   kind  missing  distinct  example                   why",
        "roll    input  roll        0         2  [[0, 0, 0, 0, 0, 0, ...…  given",
        "input: piano rolls; target: the next one → many-to-many",
        "229 training, 76 validation and 77 test rows",
        "x: seed 17",
    ]


def test_a_network_that_sees_what_it_is_asked_for_says_so(tmp_path: Path) -> None:
    progress = Heard()
    experiment = small(epochs=1, bidirectional=True)
    run_experiment(experiment, tmp_path / "x", progress=progress)
    assert "sees the step it is to predict: its loss measures memory" in progress.said[-1]


def test_train_takes_a_recipe_and_settings_by_name(tmp_path: Path) -> None:
    model = elman.train(
        "chorales",
        out=tmp_path / "x",
        progress=NoProgress(),
        cell="simple",
        hidden_size=3,
        epochs=1,
        batch_size=64,
    )
    assert model.experiment.network.hidden_size == 3
    assert model.experiment.network.cell == "simple"
    assert elman.load(tmp_path / "x").evaluate() == model.evaluate()


def test_a_run_is_named_after_data_cell_and_seed() -> None:
    assert default_directory(small(seed=4)) == Path("runs/chorales-simple-seed4")


def test_a_cell_that_is_not_given_is_not_in_the_name() -> None:
    experiment = Experiment.from_toml("[data]\nfiles = 'a/reviews.csv'\n")
    assert default_directory(experiment) == Path("runs/reviews-seed1")


def test_what_cannot_be_built_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"unknown cell 'gur'; did you mean 'gru'\?"):
        run_experiment(small(cell="gur"), tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_what_cannot_be_regularised_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    pairs = {"a": ["one two", "three"] * 9, "b": ["un deux", "trois"] * 9}
    settings = {"input": "a", "target": "b", "input_kind": "text", "target_kind": "text"}
    with pytest.raises(OptionError, match="or an encoder and a decoder"):
        elman.train(pairs, out=tmp_path / "x", activation_regularisation=1.0, **settings)
    assert not (tmp_path / "x").exists()


def test_a_row_without_a_target_is_left_out_of_every_part_and_said(tmp_path: Path) -> None:
    rows = "\n".join(f"{n},{2 * n if n % 10 else ''}" for n in range(40))
    (tmp_path / "known.csv").write_text(f"x,y\n{rows}\n")
    (tmp_path / "asked.csv").write_text("x,y\n1,2\n2,\n3,6\n")
    data = {"files": [str(tmp_path / "known.csv")], "test_files": [str(tmp_path / "asked.csv")]}
    settings = {"data": data | {"target": "y"}, "training": {"epochs": 1}}
    run = run_experiment(Experiment.from_values(settings, origin="it"), tmp_path / "run")
    assert run.result.rows == {"train": 32, "valid": 4, "test": 2}
    assert "4 of 40 rows of known.csv have no y: they are left out." in run.result.notes
    assert "1 of 3 rows of asked.csv has no y: it is left out." in run.result.notes
    assert run.model.scores("test").count == 2


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_a_row_that_cannot_be_measured_by_is_named_and_leaves_no_run(
    part: str, tmp_path: Path
) -> None:
    good = {"tokens": ["He", "reckons"], "tags": ["P", "V"]}
    bad = {"tokens": [], "tags": []}
    files = {}
    for name in ("train", "valid", "test"):
        rows = [good] * 30 + [bad] * (name == part)
        files[name] = str(tmp_path / f"{name}.jsonl")
        Path(files[name]).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    settings = {"valid_files": files["valid"], "test_files": files["test"], "target": "tags"}
    for _ in range(2):  # what was refused is in nobody's way
        with pytest.raises(DataError, match=rf"{part}\.jsonl, line 31: tokens has no steps"):
            elman.train(files["train"], out=tmp_path / "run", **settings)
    assert not (tmp_path / "run" / "experiment.toml").exists()


def test_a_score_that_a_task_has_not_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    rows = "\n".join(f"{n},{2 * n}" for n in range(40))
    (tmp_path / "known.csv").write_text(f"x,y\n{rows}\n")
    data = {"files": [str(tmp_path / "known.csv")], "target": "y"}
    experiment = Experiment.from_values({"data": data, "score": "rmes"}, origin="it")
    with pytest.raises(OptionError, match=r"unknown score 'rmes'; did you mean 'rmse'\?"):
        run_experiment(experiment, tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoints").exists()
