"""Cells on equal terms."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import mido
import numpy as np
import pytest

from elman.data import catalog
from elman.errors import ExperimentError, OptionError
from elman.evaluation.scores import Scores
from elman.experiment import Experiment, read_experiment
from elman.models.model import Model
from elman.report.comparison.results import Comparison
from elman.runs import compare as module
from elman.runs.compare import Compared, compare, gradient_flows
from elman.runs.run import RunResult
from elman.training.progress import NoProgress


def small(**overrides: Any) -> Experiment:
    settings = {"parameters": 700, "epochs": 1, "batch_size": 64, "accelerator": "cpu"}
    return read_experiment("chorales").override(settings | overrides)


@pytest.fixture
def _without_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the seconds that drawing takes where a test is about something else."""
    monkeypatch.setattr(module, "_report", lambda _, __, out: out / "report.html")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Compared]:
    out = tmp_path_factory.mktemp("runs") / "compared"
    return out, compare(small(), ["simple", "lstm"], [1, 2], out, command="elman compare x")


def test_every_cell_meets_the_budget_and_is_trained_with_every_seed(
    finished: tuple[Path, Compared],
) -> None:
    _, (comparison, _) = finished
    assert [result.cell for result in comparison.results] == ["simple", "lstm"]
    for result in comparison.results:
        assert abs(result.parameters - 700) < 200
        assert [seed.seed for seed in result.seeds] == [1, 2]
        assert result.seeds[0].test_nll != result.seeds[1].test_nll
    sizes = [result.hidden_size for result in comparison.results]
    assert sizes[0] > sizes[1]


def test_all_runs_share_everything_but_cell_and_seed(finished: tuple[Path, Compared]) -> None:
    out, _ = finished
    runs = sorted(path.parent for path in out.glob("*/experiment.toml"))
    assert [run.name for run in runs] == [
        "lstm-seed1",
        "lstm-seed2",
        "simple-seed1",
        "simple-seed2",
    ]
    for run in runs:
        cell, seed = run.name.split("-seed")
        experiment = read_experiment(run / "experiment.toml")
        assert (experiment.network.cell, experiment.seed) == (cell, int(seed))
        assert experiment.network == small(cell=cell, category="many-to-many").network
        assert experiment.training == small().training


def test_the_comparison_says_where_its_numbers_come_from(
    finished: tuple[Path, Compared],
) -> None:
    out, (comparison, report) = finished
    assert Comparison.model_validate_json((out / "compare.json").read_text()) == comparison
    assert comparison.parameters == 700
    assert comparison.dataset == "chorales"
    assert comparison.command == "elman compare x"
    assert comparison.threads == 1
    assert comparison.machine
    assert [result.published for result in comparison.results] == [9.10, 8.67]
    assert (out / "compare.md").read_text() == comparison.to_markdown()
    assert report == out / "report.html"
    assert "<html" in report.read_text()


def test_every_cell_leaves_a_composition_a_player_opens(finished: tuple[Path, Compared]) -> None:
    out, _ = finished
    for cell in ("simple", "lstm"):
        assert mido.MidiFile(out / f"{cell}.mid").length > 0


@pytest.mark.usefixtures("_without_a_report")
def test_a_finished_comparison_is_not_trained_again(
    finished: tuple[Path, Compared], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, (comparison, _) = finished

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("elman.runs.run.fit", refuse)
    again = compare(small(), ["lstm"], [2, 1], out)
    assert again.comparison.results[0].seeds == comparison.results[1].seeds[::-1]


def test_a_directory_of_another_comparison_is_refused(finished: tuple[Path, Compared]) -> None:
    out, _ = finished
    with pytest.raises(ExperimentError, match=r"training\.epochs = 2, there 1"):
        compare(small(epochs=2), ["simple"], [1], out)


def test_cells_take_turns_within_every_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(Exception):
        pass

    order = []

    def record(experiment: Experiment, directory: Path, *, progress: object) -> Any:
        del experiment, progress
        order.append(directory.name)
        if len(order) == 4:
            raise Stop
        return cast("Model", None), RESULT

    monkeypatch.setattr(module, "run_experiment", record)
    with pytest.raises(Stop):
        compare(small(), ["simple", "gru"], [1, 2], tmp_path)
    assert order == ["simple-seed1", "gru-seed1", "simple-seed2", "gru-seed2"]


NLL = Scores(kind="roll", main="nll", values={"nll": 9.0}, count=1, unit="frames")
RESULT = RunResult(
    seed=1,
    sentence="",
    notes=[],
    rows={},
    scores=dict.fromkeys(("train", "valid", "test"), NLL),
    best_epoch=1,
    epochs=1,
    seconds=1.0,
    curve=[],
)


@pytest.mark.parametrize(
    ("cells", "seeds", "overrides", "words"),
    [
        ([], [1], {}, "a comparison needs at least one of cells, got none."),
        (["gru"], [], {}, "a comparison needs at least one of seeds, got none."),
        (["gru", "lstm", "gru"], [1], {}, "cells must each be given once, got 'gru' twice."),
        (["simple", "gur"], [1], {}, "unknown cell 'gur'; did you mean 'gru'?"),
        (["gru"], [1], {"parameters": 5}, "parameters=5 is too small a budget"),
        (["gru"], [1], {"data.files": ["a.csv"]}, "cells are compared on the corpora chorales, "),
    ],
)
def test_a_comparison_that_cannot_be_is_refused_before_anything_is_trained(
    tmp_path: Path, cells: list[str], seeds: list[int], overrides: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError) as caught:
        compare(small(**overrides), cells, seeds, tmp_path / "out")
    assert words in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("_without_a_report")
def test_hidden_sizes_are_said_before_training(
    finished: tuple[Path, Compared],
) -> None:
    said = []

    class Heard(NoProgress):
        def say(self, sentence: str) -> None:
            said.append(sentence)

    out, (comparison, _) = finished
    compare(small(), ["simple"], [1], out, progress=Heard())
    first = comparison.results[0]
    assert said == [f"simple: hidden size {first.hidden_size}, {first.parameters} parameters"]


def test_gradients_are_followed_before_and_after_training(
    finished: tuple[Path, Compared],
) -> None:
    out, _ = finished
    splits = catalog.load("chorales")
    before, after = gradient_flows(Model.load(out / "lstm-seed1"), splits)
    again, _ = gradient_flows(Model.load(out / "lstm-seed1"), splits)
    assert len(before.distance) == sorted(map(len, splits.valid))[-16] < 100
    assert before.rows == 16
    assert np.array_equal(before.hidden, again.hidden)
    assert not np.array_equal(before.hidden, after.hidden)


def test_networks_that_see_the_future_are_compared_without_composing(tmp_path: Path) -> None:
    compared = compare(small(bidirectional=True), ["simple"], [1], tmp_path / "out")
    says = "sees the step it is to predict: its loss measures memory, not prediction"
    assert says in compared.report.read_text(encoding="utf-8")
    assert says in compared.comparison.circumstances()
    assert compared.comparison.results[0].published is None
    assert list((tmp_path / "out").glob("*.mid")) == []
