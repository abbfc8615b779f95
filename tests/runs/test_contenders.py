"""The networks of a comparison: each cell's own, all of the same number of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from elman.errors import OptionError
from elman.experiment import Experiment
from elman.runs.contenders import Contender, contender_for, find_budget
from elman.runs.run import Prepared, prepare
from roads import NEXT_CHARACTER, ROADS, WRITTEN_ROADS, Road, experiment_of

READING, TAGGING = ROADS["text to a class"], ROADS["tokens to tags"]
TRANSLATING = WRITTEN_ROADS["a sentence to another"]
CELLS = ("simple", "gru", "lstm")
NEWER = ("mingru", "minlstm", "lru", "slstm")


def contenders(
    road: Road, folder: Path, cells: Sequence[str] = CELLS, **changes: Any
) -> tuple[Experiment, Prepared, dict[str, Contender]]:
    """Size a network of every cell for a road's own budget."""
    asked = experiment_of(road, folder).override(changes)
    prepared = prepare(asked)
    budget = find_budget(prepared)
    return asked, prepared, {c: contender_for(c, asked, prepared, budget) for c in cells}


@pytest.mark.parametrize(
    ("road", "changes"),
    [
        (READING, {"hidden_size": 20, "head": [9]}),
        (READING, {"hidden_size": 20, "num_layers": 2, "bidirectional": True}),
        (TAGGING, {"hidden_size": 17, "cell": "lstm"}),
        (TRANSLATING, {"hidden_size": 21, "attention": "additive"}),
        (WRITTEN_ROADS["a language to names"], {"hidden_size": 30}),
        (NEXT_CHARACTER, {"hidden_size": 40, "cell": "simple", "embedding_size": 11}),
    ],
    ids=["a head", "two layers, both ways", "tags", "an encoder-decoder", "one-to-many", "next"],
)
def test_every_cell_has_as_many_parameters_as_the_network_of_the_experiment(
    road: Road, changes: dict[str, Any], tmp_path: Path
) -> None:
    _, prepared, of = contenders(road, tmp_path, **changes)
    own = prepared.experiment.network.cell
    budget = of[own].parameters
    assert of[own].hidden_size == changes["hidden_size"]
    assert of["simple"].hidden_size > of["gru"].hidden_size > of["lstm"].hidden_size
    for contender in of.values():
        assert abs(contender.parameters - budget) < 0.05 * budget, contender.cell


def test_a_budget_says_whose_network_it_comes_from(tmp_path: Path) -> None:
    asked = experiment_of(TRANSLATING, tmp_path, hidden_size=[6, 4], **{"decoder.cell": "gru"})
    budget = find_budget(prepare(asked))
    assert budget.origin == (
        "as many as the network of the experiment has: LSTM, hidden size 6 + 4, decoder GRU"
    )
    given = find_budget(prepare(asked.override({"parameters": 5_000})))
    assert given == (5_000, True, "")


def test_parameters_that_are_given_are_every_cell_s_budget(tmp_path: Path) -> None:
    _, _, of = contenders(READING, tmp_path, parameters=2_000)
    for cell, contender in of.items():
        assert contender.changes == {"network.cell": cell}
        assert abs(contender.parameters - 2_000) < 100


def test_layers_of_unlike_sizes_keep_their_proportion(tmp_path: Path) -> None:
    _, _, of = contenders(READING, tmp_path, hidden_size=[20, 10], cell="lstm")
    assert of["lstm"].hidden_size == [20, 10]
    first, second = of["simple"].hidden_size
    assert first > 20
    assert second == round(first / 2)


def test_a_decoder_follows_the_encoder_in_cell_and_size(tmp_path: Path) -> None:
    changes = {"hidden_size": 20, "decoder.hidden_size": 40, "decoder.cell": "gru"}
    _, _, of = contenders(TRANSLATING, tmp_path, **changes)
    for cell, contender in of.items():
        size = contender.changes["network.hidden_size"]
        assert contender.changes["decoder.cell"] == cell
        assert contender.changes["decoder.hidden_size"] == 2 * size
    assert of["simple"].changes["network.hidden_size"] > 20


def test_a_tied_embedding_follows_the_last_layer(tmp_path: Path) -> None:
    tied = {"tie_embeddings": True, "cell": "lstm"}
    changes = {**tied, "hidden_size": [20, 10], "network.embedding_size": 10}
    _, _, of = contenders(NEXT_CHARACTER, tmp_path, **changes)
    assert of["lstm"].changes["network.embedding_size"] == 10
    first, second = of["simple"].changes["network.hidden_size"]
    assert first > 20
    assert of["simple"].changes["network.embedding_size"] == second

    changes = {**tied, "hidden_size": 20, "decoder.embedding_size": 20}
    _, _, of = contenders(TRANSLATING, tmp_path, **changes)
    size = of["simple"].changes["network.hidden_size"]
    assert size > 20
    assert of["simple"].changes["decoder.embedding_size"] == size


def test_an_option_of_another_cell_is_left_out_and_said(tmp_path: Path) -> None:
    options = {"chrono": 12, "peephole": True, "residual": False}
    changes = {"hidden_size": 20, "cell": "lstm", "network.cell_options": options}
    _, _, of = contenders(READING, tmp_path, **changes)
    assert "network.cell_options" not in of["lstm"].changes
    assert of["gru"].changes["network.cell_options"] == {"chrono": 12, "residual": False}
    assert of["simple"].changes["network.cell_options"] == {"residual": False}
    assert of["lstm"].notes == []
    assert of["simple"].notes == [
        "chrono = 12 has no meaning for the simple cell, which is trained without it.",
        "peephole = true has no meaning for the simple cell, which is trained without it.",
    ]


@pytest.mark.parametrize("road", [READING, TRANSLATING, NEXT_CHARACTER], ids=lambda r: r.category)
def test_cells_with_parallel_time_and_exponential_gates_meet_the_budget_too(
    road: Road, tmp_path: Path
) -> None:
    _, prepared, of = contenders(road, tmp_path, NEWER, hidden_size=24)
    budget = find_budget(prepared).parameters
    for contender in of.values():
        assert abs(contender.parameters - budget) < 0.06 * budget, contender.cell


def test_options_of_a_network_that_a_cell_has_no_place_for_are_left_out_and_said(
    tmp_path: Path,
) -> None:
    options = {"recurrent_dropout": 0.2, "weight_dropout": 0.1, "zoneout": 0.1}
    cells = ("gru", "mingru", "slstm")
    _, _, of = contenders(READING, tmp_path, cells, hidden_size=12, **options)
    rest = "has no meaning for the minGRU cell, which is trained without it."
    assert of["gru"].notes == []
    assert of["mingru"].notes == [f"recurrent_dropout = 0.2 {rest}", f"weight_dropout = 0.1 {rest}"]
    assert of["mingru"].changes["network.weight_dropout"] == 0
    assert of["slstm"].notes == [
        "zoneout = 0.1 has no meaning for the sLSTM cell, which is trained without it."
    ]


def test_an_option_that_no_cell_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="unknown gru option 'peephol'"):
        contenders(READING, tmp_path, **{"network.cell_options": {"peephol": True}})


def test_a_projection_stays_below_the_hidden_size(tmp_path: Path) -> None:
    changes = {"hidden_size": 12, "cell": "lstm", "network.cell_options": {"proj_size": 5}}
    _, _, of = contenders(READING, tmp_path, **changes)
    assert of["lstm"].hidden_size == 12
    assert of["gru"].changes["network.cell_options"] == {}


def test_a_network_without_a_cell_is_refused(tmp_path: Path) -> None:
    prepared = prepare(experiment_of(ROADS["measurements to a class"], tmp_path))
    with pytest.raises(OptionError) as caught:
        find_budget(prepared)
    assert str(caught.value) == (
        "a comparison needs a network with a recurrent cell, and this task is input: 2 numbers "
        "and 1 category; target: one of 3 classes → one-to-one: its network has only dense layers, "
        "because no input or target has steps. Train it with elman train."
    )
