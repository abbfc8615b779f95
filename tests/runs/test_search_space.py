"""The space of a search: declared and refused in words, or drawn to suit the task."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from elman.errors import ElmanError
from elman.experiment import Experiment
from elman.models.network import untrained_network
from elman.runs.run import prepare
from elman.runs.search_space import Choice, Range, Space, declared_space, default_space
from elman.runs.train import experiment_for
from roads import NEXT_CHARACTER, ROADS, WRITTEN_ROADS, Road

DRAWS = 6
SIZES = ("hidden_size", "embedding_size", "epochs", "batch_size", "head")
"""Settings by which the roads are made small; the space is drawn around the defaults instead."""


class Drawn:
    """As a trial of Optuna, by a generator."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def suggest_int(self, _: str, low: int, high: int, *, log: bool) -> int:
        return low if log and self._random.random() < 0.2 else self._random.randint(low, high)

    def suggest_float(self, _: str, low: float, high: float, *, log: bool) -> float:
        return low if log and self._random.random() < 0.2 else self._random.uniform(low, high)

    def suggest_categorical(self, _: str, choices: list[Any]) -> Any:
        return self._random.choice(choices)


def accepts_all(experiment: Experiment, source: Any = None) -> Space:
    """Build networks with settings drawn from the default space; return the space."""
    prepared = prepare(experiment, source)
    space = default_space(prepared.experiment)
    for seed in range(DRAWS):
        trial = Drawn(seed)
        settings = {name: each.draw(trial, name) for name, each in space.items()}
        complete, task, parts = prepare(experiment.override(settings), source)
        untrained_network(complete, task, parts.train)
    return space


@pytest.mark.parametrize(
    "road", [*ROADS.values(), *WRITTEN_ROADS.values(), NEXT_CHARACTER], ids=lambda r: r.sentence
)
def test_the_default_space_of_every_kind_of_task_draws_settings_that_it_accepts(
    road: Road, tmp_path: Path
) -> None:
    asked = {n: v for n, v in road.settings.items() if n.rpartition(".")[2] not in SIZES}
    experiment, _ = experiment_for(road.write(tmp_path), asked)
    space = accepts_all(experiment)
    assert {"training.learning_rate", "training.batch_size"} <= space.keys()
    assert ("network.cell" in space) == (road.category != "one-to-one")


def test_the_default_space_of_a_forecast_and_of_piano_rolls_is_accepted() -> None:
    days = {"day": list(range(90)), "y": [float(day % 7) for day in range(90)]}
    forecast, values = experiment_for(days, {"time": "day", "target": "y", "horizon": 4})
    assert {"network.cell", "network.hidden_size"} <= accepts_all(forecast, values).keys()
    rolls = accepts_all(Experiment.from_toml("[data]\nname = 'chorales'"))
    assert {"network.cell", "network.parameters"} <= rolls.keys()


def test_the_defaults_lie_in_the_space_and_what_is_given_does_not_vary(tmp_path: Path) -> None:
    experiment, _ = experiment_for(ROADS["text to a class"].write(tmp_path), {"target": "label"})
    complete = prepare(experiment).experiment
    space = default_space(complete, {"training.learning_rate", "network.cell"})
    assert "training.learning_rate" not in space
    assert "network.cell" not in space
    assert space["network.hidden_size"].holds(complete.network.hidden_size)
    assert space["network.hidden_size"] == Range(32, 256, log=True, whole=True)
    assert space["network.pooling"] == Choice(("max", "last", "mean", "attention"))


def test_a_range_of_whole_bounds_is_one_of_real_numbers_where_the_setting_is() -> None:
    experiment = Experiment.from_toml("[data]\nname = 'chorales'")
    declared = {
        "weight_decay": {"low": 0, "high": 1},
        "network": {"num_layers": {"low": 1, "high": 3}, "cell": ["lstm", "gru"]},
    }
    assert declared_space(declared, experiment) == {
        "training.weight_decay": Range(0, 1),
        "network.num_layers": Range(1, 3, whole=True),
        "network.cell": Choice(("lstm", "gru")),
    }


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"lerning_rate": [1e-3]}, "unknown setting 'lerning_rate'; did you mean 'learning_rate'"),
        ({"learning_rate": {"low": 1e-3}}, "training.learning_rate needs numbers low and high"),
        ({"learning_rate": {"low": 1.0, "high": 0.1}}, "training.learning_rate must have low <"),
        ({"dropout": {"low": 0, "high": 1, "log": True}}, "network.dropout has log = true"),
        ({"dropout": {"low": 0.0, "high": 1.5}}, "network.dropout cannot be 1.5"),
        ({"dropout": {"low": 0.0, "hihg": 0.5}}, "unknown key of tune.space.network.dropout"),
        ({"num_layers": [1, "two"]}, "network.num_layers cannot be 'two'"),
        ({"num_layers": [1, 1]}, "network.num_layers has 1 twice"),
        ({"num_layers": []}, "network.num_layers has no values"),
        ({"num_layers": 2}, "network.num_layers = 2 is one value"),
        ({"files": [["a.csv"]]}, "data.files cannot be searched"),
        ({"score": ["mae"]}, "score cannot be searched"),
        ({"dropout": [0.1], "network.dropout": [0.2]}, "names network.dropout twice"),
    ],
)
def test_what_is_declared_wrongly_is_refused_by_its_name(
    declared: dict[str, Any], words: str
) -> None:
    with pytest.raises(ElmanError) as refused:
        declared_space(declared, Experiment.from_toml("[data]\nname = 'chorales'"))
    assert words in str(refused.value)
