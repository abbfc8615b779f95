"""What the page of a comparison shows of its networks, for every kind of task."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from elman.report.facts.comparison import WRITTEN_STEPS, flows_of, texts_by
from elman.report.facts.flow import flow_of
from roads import NEXT_CHARACTER, ROADS, WRITTEN_ROADS, untrained

READING = ROADS["text to a class"]


def test_every_cell_s_gradient_is_followed_before_and_after_training(tmp_path: Path) -> None:
    model, parts = untrained(READING, tmp_path, cell="lstm", pooling="last")
    flows = flows_of({"lstm": model}, parts)
    before, after = flows.by_cell["lstm"]
    measured = flow_of(model, parts.valid)
    assert measured is not None
    assert torch.equal(after.hidden, measured.directions["forward"].hidden)
    assert after.cell is not None
    assert before.rows == after.rows
    assert torch.equal(before.distance, after.distance)
    assert not torch.equal(before.hidden, after.hidden)
    again, _ = flows_of({"lstm": model}, parts).by_cell["lstm"]
    assert torch.equal(again.hidden, before.hidden)
    assert flows.reading is not None
    assert flows.reading.pooling == "last"


def test_a_task_whose_gradient_cannot_be_followed_has_none(tmp_path: Path) -> None:
    model, parts = untrained(WRITTEN_ROADS["a language to names"], tmp_path)
    assert flows_of({"gru": model}, parts) == ({}, None)


def test_what_comes_next_in_a_text_is_written_by_every_cell_and_nothing_else_is(
    tmp_path: Path,
) -> None:
    model, _ = untrained(NEXT_CHARACTER, tmp_path)
    (text,) = texts_by({"gru": model}).values()
    assert len(text) == WRITTEN_STEPS
    assert texts_by({"gru": model}) == {"gru": text}
    reading, _ = untrained(READING, tmp_path)
    assert texts_by({"gru": reading}) == {}


def test_a_network_that_needs_the_end_of_a_text_writes_none(tmp_path: Path) -> None:
    model, _ = untrained(NEXT_CHARACTER, tmp_path, bidirectional=True, carry_state=False)
    assert texts_by({"gru": model}) == {}


@pytest.mark.parametrize("name", ["tokens to tags", "numbers to numbers, step by step"])
def test_an_answer_a_step_is_followed_from_the_last_step(name: str, tmp_path: Path) -> None:
    model, parts = untrained(ROADS[name], tmp_path)
    reading = flows_of({"gru": model}, parts).reading
    assert reading is not None
    assert reading.per_step
