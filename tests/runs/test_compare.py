"""Cells on equal terms."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import mido
import numpy as np
import pytest

from elman.data import catalog
from elman.errors import ExperimentError, OptionError
from elman.evaluation.measures import measure_of
from elman.evaluation.scores import Scores
from elman.experiment import Experiment, read_experiment
from elman.models.model import Model
from elman.report.comparison.results import Comparison
from elman.report.facts.comparison import roll_flows
from elman.runs import compare as module
from elman.runs.compare import Compared, compare
from elman.runs.run import RunResult, prepare
from elman.runs.train import experiment_for
from elman.training.progress import NoProgress
from roads import NEXT_CHARACTER, ROADS, WRITTEN_ROADS, Road, experiment_of


def small(**overrides: Any) -> Experiment:
    settings = {"parameters": 700, "epochs": 1, "batch_size": 64, "accelerator": "cpu"}
    return read_experiment("chorales").override(settings | overrides)


@pytest.fixture
def _without_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the seconds that drawing takes where a test is about something else."""
    monkeypatch.setattr(module, "_report", lambda *told: told[-1] / "report.html")


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
        assert result.seeds[0].value("test") != result.seeds[1].value("test")
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

    monkeypatch.setattr("elman.runs.fitting.fit", refuse)
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

    def record(experiment: Experiment, directory: Path, **_: object) -> Any:
        del experiment
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
        ([], [1], {}, "a comparison needs at least one cell, got none."),
        (["gru"], [], {}, "a comparison needs at least one seed, got none."),
        (["gru", "lstm", "gru"], [1], {}, "cells must each be given once, got 'gru' twice."),
        (["simple", "gur"], [1], {}, "unknown cell 'gur'; did you mean 'gru'?"),
        (["gru"], [1], {"parameters": 5}, "parameters=5 is too small a budget"),
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
    parts = prepare(small()).parts
    before, after = roll_flows(Model.load(out / "lstm-seed1"), parts)
    again, _ = roll_flows(Model.load(out / "lstm-seed1"), parts)
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


COMPARED = {
    name: road
    for name, road in [*ROADS.items(), *WRITTEN_ROADS.items(), ("next", NEXT_CHARACTER)]
    if road.category != "one-to-one"
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("road", COMPARED.values(), ids=COMPARED)
def test_cells_are_compared_on_every_kind_of_file(road: Road, tmp_path: Path) -> None:
    experiment = experiment_of(road, tmp_path, epochs=1)
    comparison, report = compare(experiment, ["simple", "lstm"], [1], tmp_path / "out")
    assert comparison.score == road.chief
    assert comparison.task == road.sentence
    for result in comparison.results:
        assert list(result.seeds[0].scores) == ["valid", "test"]
        assert result.published is None
    assert Comparison.model_validate_json((tmp_path / "out" / "compare.json").read_text()) == (
        comparison
    )
    page = report.read_text(encoding="utf-8")
    assert measure_of(road.chief).title in page
    assert "The music" not in page
    assert "88 keys" not in page
    has_flow = road.category != "one-to-many"
    assert ("The vanishing gradient" in page) == has_flow


def test_forecasts_are_compared_of_values_in_memory(tmp_path: Path) -> None:
    days = range(60)
    values = {"day": list(days), "sold": [10.0 + day % 7 + day * day % 5 for day in days]}
    asked = {"data.target": ["sold"], "data.time": "day", "data.horizon": 3, "epochs": 1}
    experiment, source = experiment_for(values, {**asked, "hidden_size": 4})
    comparison, report = compare(experiment, ["gru", "lstm"], [1], tmp_path / "out", source=source)
    assert comparison.kind == "forecast"
    assert comparison.measure.title == "MASE"
    assert comparison.results[0].hidden_size == 4
    page = report.read_text(encoding="utf-8")
    assert "the next 3" in page
    assert "1 series; the last values of each are for validation and test." in page
    assert "The vanishing gradient" not in page


def test_without_a_test_part_the_validation_part_decides(tmp_path: Path) -> None:
    road = ROADS["text to a class"]
    experiment = experiment_of(road, tmp_path, epochs=1, test_fraction=0.0)
    comparison, report = compare(experiment, ["simple", "gru"], [1], tmp_path / "out")
    assert comparison.part == "valid"
    assert comparison.headings()[3:] == ("valid accuracy", "seconds", "s/epoch")
    assert "There are no test rows" in report.read_text(encoding="utf-8")


@pytest.mark.usefixtures("_without_a_report")
def test_a_comparison_of_any_file_is_resumed_and_not_mixed_with_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = experiment_of(ROADS["a series to a class"], tmp_path, epochs=1)
    first, _ = compare(experiment, ["simple"], [1], tmp_path / "out")

    with pytest.raises(ExperimentError, match=r"network\.hidden_size = 9, there 6"):
        compare(experiment.override({"hidden_size": 5}), ["simple"], [1], tmp_path / "out")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("elman.runs.fitting.fit", refuse)
    again, _ = compare(experiment, ["simple"], [1], tmp_path / "out")
    assert again.results == first.results


def test_where_the_budget_comes_from_is_said_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(Exception):
        pass

    def stop(*_: object, **__: object) -> None:
        raise Stop

    said: list[str] = []

    class Heard(NoProgress):
        def say(self, sentence: str) -> None:
            said.append(sentence)

    monkeypatch.setattr(module, "run_experiment", stop)
    experiment = experiment_of(
        ROADS["a series to a class"], tmp_path, **{"network.cell_options": {"reset_after": False}}
    )
    with pytest.raises(Stop):
        compare(experiment, ["gru", "lstm"], [1], tmp_path / "out", progress=Heard())
    assert said == [
        "the budget is 122 parameters, as many as the network of the experiment has: GRU, hidden "
        "size 3.",
        "gru: hidden size 3, 122 parameters",
        "lstm: hidden size 2, 90 parameters",
        "note: reset_after = false has no meaning for the LSTM cell, which is trained without it.",
    ]


def test_the_example_in_python_of_the_guide_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = Path(__file__).parents[2] / "docs" / "comparing.md"
    (example,) = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, str(guide), "exec"), {})  # the guide is ours
    assert "| cell | hidden | parameters | valid accuracy | test accuracy |" in (
        capsys.readouterr().out
    )
