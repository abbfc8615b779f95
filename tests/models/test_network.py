"""A network before training: the same seed, the same weights; where it begins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from elman.data.table import Table
from elman.errors import ExperimentError
from elman.experiment import read_experiment
from elman.models.network import completed_network, untrained_network
from roads import ROADS, untrained
from rolls import roll_task


def test_the_outputs_of_an_untrained_network_begin_at_the_base_rates_unless_drawn() -> None:
    rolls = [np.eye(20, 88, dtype=np.uint8)]
    table, task = Table.from_columns({"roll": rolls}, origin="rolls"), roll_task()
    ready = read_experiment("chorales").override({"hidden_size": 3})
    drawn = ready.override({"output_bias_init": "uniform"})
    biases = [
        untrained_network(experiment, task, table).get_parameter("head.layers.0.bias")
        for experiment in (ready, drawn)
    ]
    feature: Any = task.target
    torch.testing.assert_close(biases[0], feature.log_odds(rolls), rtol=0, atol=0)
    assert biases[1].abs().max().item() <= 1 / 3**0.5


def test_the_same_seed_draws_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["text to a class"], tmp_path)
    one, same, other = (
        untrained_network(model.experiment.override({"seed": seed}), model.task, parts.train)
        for seed in (1, 1, 2)
    )
    weight = "recurrent.weight_hh_l0"
    assert torch.equal(one.get_parameter(weight), same.get_parameter(weight))
    assert not torch.equal(one.get_parameter(weight), other.get_parameter(weight))


def test_a_budget_becomes_a_hidden_size_that_the_network_is_built_with() -> None:
    experiment = read_experiment("chorales").override({"parameters": 3_000})
    spec = completed_network(experiment, roll_task())
    assert (spec.parameters, spec.backend) == (None, experiment.network.backend)
    network = untrained_network(
        experiment, roll_task(), Table.from_columns({"roll": [np.eye(20, 88)]}, origin="rolls")
    )
    assert network.recurrent.hidden_size == spec.hidden_size  # type: ignore[union-attr]


def vectors_file(folder: Path, *words: str) -> str:
    path = folder / "vectors.txt"
    lines = [f"{word} {n}.5 {n}.25 {n}.0 {n}.75" for n, word in enumerate(words)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def test_words_begin_at_their_pretrained_vectors(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["text to a class"], tmp_path)
    experiment = model.experiment.override({"word_vectors": vectors_file(tmp_path, "film", "dull")})
    network: Any = untrained_network(experiment, model.task, parts.train)
    plain: Any = untrained_network(model.experiment, model.task, parts.train)
    table, drawn = network.inputs.tables[0].weight, plain.inputs.tables[0].weight
    film, dull, plot = model.task.input.encode("film dull plot").tolist()
    assert table[film].tolist() == [0.5, 0.25, 0.0, 0.75]
    assert table[dull].tolist() == [1.5, 1.25, 1.0, 1.75]
    assert torch.equal(table[plot], drawn[plot])


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("text to a class", ["Unseen"], "training words has a vector in"),
        ("measurements to a class", ["film"], "the input is of kind 'record'; leave them out."),
    ],
)
def test_vectors_without_a_word_to_begin_at_are_refused(
    name: str, words: list[str], said: str, tmp_path: Path
) -> None:
    model, parts = untrained(ROADS[name], tmp_path)
    experiment = model.experiment.override({"word_vectors": vectors_file(tmp_path, *words)})
    with pytest.raises(ExperimentError, match=re.escape(said)):
        untrained_network(experiment, model.task, parts.train)
