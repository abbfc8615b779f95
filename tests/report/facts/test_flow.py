"""The gradient flow of a run: of every task with recurrent layers, on rows that have one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from elman.data.table import Table
from elman.inspection.model_flow import model_gradient_flow
from elman.report.facts import flow
from elman.report.facts.flow import flow_of
from roads import NEXT_CHARACTER, ROADS, WRITTEN_ROADS, Road, untrained

WITH_STEPS = {name: road for name, road in ROADS.items() if road.category != "one-to-one"} | {
    "the next character": NEXT_CHARACTER
}


@pytest.mark.parametrize("name", WITH_STEPS)
def test_every_task_with_recurrent_layers_has_a_flow(name: str, tmp_path: Path) -> None:
    model, parts = untrained(WITH_STEPS[name], tmp_path)

    found = flow_of(model, parts.valid)

    assert found is not None
    both = model.experiment.network.bidirectional
    assert list(found.directions) == ["forward", "backward"][: 1 + both]
    assert found.per_step == (model.task.category == "many-to-many")
    for each in found.directions.values():
        assert len(each.distance) >= flow.FEWEST_STEPS
        assert each.hidden.isfinite().all()
        assert 1 <= each.rows <= max(flow.ROWS, 10)


@pytest.mark.parametrize("attention", ["none", "general"])
def test_the_flow_of_a_network_that_writes_is_that_of_its_encoder(
    attention: str, tmp_path: Path
) -> None:
    road = WRITTEN_ROADS["a sentence to another"]
    model, parts = untrained(road, tmp_path, **{"decoder.attention": attention, "cell": "gru"})
    found = flow_of(model, parts.valid)
    assert found is not None
    assert found.of_encoder
    assert found.pooling == {"none": "last", "general": "attention"}[attention]
    assert not found.per_step


def test_what_reads_no_sequence_has_none(tmp_path: Path) -> None:
    model, parts = untrained(WRITTEN_ROADS["a language to names"], tmp_path)
    assert flow_of(model, parts.valid) is None


@pytest.mark.parametrize("name", [n for n, road in ROADS.items() if road.category == "one-to-one"])
def test_what_has_no_recurrent_layers_has_none(name: str, tmp_path: Path) -> None:
    model, parts = untrained(ROADS[name], tmp_path)
    assert flow_of(model, parts.valid) is None


def table_of(road: Road, folder: Path, texts: list[str]) -> tuple[Any, Table]:
    model, _ = untrained(road, folder)
    columns = {"text": texts, "label": ["good"] * len(texts)}
    return model, Table.from_columns(columns, origin="rows")


def test_rows_without_steps_or_too_few_leave_it_out(tmp_path: Path) -> None:
    model, table = table_of(ROADS["text to a class"], tmp_path, ["", "film", "a film", ""])
    assert flow_of(model, table) is None


def test_short_rows_among_longer_ones_are_not_read(tmp_path: Path) -> None:
    texts = ["", "film", "the plot", "a film with the plot", "great cast and a moving film"]
    model, table = table_of(ROADS["text to a class"], tmp_path, texts)
    found = flow_of(model, table)
    assert found is not None
    assert {each.rows for each in found.directions.values()} == {2}
    assert {len(each.distance) for each in found.directions.values()} == {5}


def test_long_rows_are_fewer_or_read_from_their_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[list[int]] = []

    def spy(network: Any, batch: Any) -> Any:
        lengths.append(batch.lengths.tolist())
        return model_gradient_flow(network, batch)

    monkeypatch.setattr(flow, "model_gradient_flow", spy)
    monkeypatch.setattr(flow, "MOST_STEPS", 20)
    monkeypatch.setattr(flow, "CUT", 4)
    words = " ".join(["film"] * 9)
    model, table = table_of(ROADS["text to a class"], tmp_path, [words] * 5)
    flow_of(model, table)
    model, parts = untrained(ROADS["numbers to numbers, step by step"], tmp_path)
    flow_of(model, parts.valid)
    assert lengths[0] == [9, 9]
    assert set(lengths[1]) == {4}


def test_a_network_that_diverged_has_no_flow_to_show(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["text to a class"], tmp_path)
    with torch.no_grad():
        next(model.network.recurrent.parameters()).fill_(float("nan"))
    assert flow_of(model, parts.valid) is None


def test_measuring_draws_no_random_number_and_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["tokens to tags"], tmp_path)
    weights = {name: value.clone() for name, value in model.network.state_dict().items()}
    state = torch.get_rng_state()
    first, again = (flow_of(model, parts.valid) for _ in range(2))
    assert first is not None
    assert again is not None
    for way, found in first.directions.items():
        assert torch.equal(found.hidden, again.directions[way].hidden)
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in model.network.state_dict().items():
        assert torch.equal(value, weights[name])
