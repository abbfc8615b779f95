"""What is chosen for a task where nobody has said otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from elman.errors import ExperimentError
from elman.experiment import Experiment
from elman.networks.build import specified_network
from elman.tasks.task import Task
from roads import NEXT_CHARACTER, ROADS, WRITTEN_ROADS, Road, untrained
from rolls import roll_task

EVERY = pytest.mark.parametrize(
    "road",
    [*ROADS.values(), *WRITTEN_ROADS.values(), NEXT_CHARACTER],
    ids=[*ROADS, *WRITTEN_ROADS, "next character"],
)
ROWS = [1, 50, 1_999, 2_000, 20_000, 1_000_000]


def task_of(road: Road, folder: Path) -> Task:
    return untrained(road, folder).model.task


@pytest.mark.sampled(5)
@EVERY
@pytest.mark.parametrize("rows", ROWS)
def test_defaults_are_settings_in_range_for_any_number_of_rows(
    road: Road, rows: int, tmp_path: Path
) -> None:
    chosen = task_of(road, tmp_path).default_settings(rows)
    experiment = Experiment.from_toml("[data]\n").override(chosen)
    assert experiment.network.category == road.category
    assert experiment.training.patience < experiment.training.epochs


@EVERY
def test_a_network_of_the_defaults_can_be_built(road: Road, tmp_path: Path) -> None:
    task = task_of(road, tmp_path)
    spec = Experiment.from_toml("[data]\n").override(task.default_settings(100)).network
    network = specified_network(spec, task.input.encoding, task.make_objective(), decoder={})
    assert sum(weight.numel() for weight in network.parameters()) > 1_000


@EVERY
def test_the_more_rows_the_fewer_epochs_and_the_larger_batches(road: Road, tmp_path: Path) -> None:
    task = task_of(road, tmp_path)
    chosen = [task.default_settings(rows) for rows in ROWS]
    epochs = [settings["training.epochs"] for settings in chosen]
    sizes = [settings["training.batch_size"] for settings in chosen]
    assert epochs == sorted(epochs, reverse=True)
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_a_short_text_is_read_more_often_and_a_long_one_as_often_as_ever(tmp_path: Path) -> None:
    task = task_of(NEXT_CHARACTER, tmp_path)
    feature: Any = task.input
    epochs = []
    for characters in (100, 80_000, 10_000_000):
        feature.fit(["a" * characters])
        epochs.append(task.default_settings(1_000)["training.epochs"])
    assert epochs == [200, 1_000 // (80_000 // 1_600), 20]
    assert roll_task().default_settings(1)["training.epochs"] == 67


@EVERY
def test_what_somebody_has_given_stays(road: Road, tmp_path: Path) -> None:
    given = {"network.output_dropout": 0.05, "training.batch_size": 11}
    experiment = Experiment.from_toml("[data]\n").override(given)
    filled = experiment.with_defaults(task_of(road, tmp_path).default_settings(100))
    assert filled.network.output_dropout == 0.05
    assert filled.training.batch_size == 11


def test_only_what_asks_for_the_next_element_gets_a_network_that_can_go_on(
    tmp_path: Path,
) -> None:
    going_on = [roll_task(), task_of(NEXT_CHARACTER, tmp_path)]
    assert not any(task.default_settings(100).get("network.bidirectional") for task in going_on)
    tags = task_of(ROADS["tokens to tags"], tmp_path)
    assert tags.default_settings(100)["network.bidirectional"]


def test_forecasts_are_not_read_from_the_future_backwards(tmp_path: Path) -> None:
    chosen = task_of(ROADS["windows to the next value"], tmp_path).default_settings(100)
    assert (chosen["network.bidirectional"], chosen["network.pooling"]) == (False, "last")


def test_how_answers_are_searched_for_is_refused_where_none_is_written(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"\[decoding\] says how .* words; target: one of 2"):
        untrained(ROADS["text to a class"], tmp_path, beam_size=5)
