"""Rows of a table become batches: each row once, with what its task says is asked of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from elman.data.table import Table
from elman.errors import DataError
from elman.experiment import DataSpec, NetworkSpec
from elman.experiment.training import TrainingSettings
from elman.tasks.find import find_task
from elman.tasks.next_step import NextStepTask
from elman.tasks.task import Task
from roads import NEXT_CHARACTER, ROADS, WRITTEN_ROADS, Road, untrained
from rolls import roll_task

ALL = ROADS | WRITTEN_ROADS
EVERY = pytest.mark.parametrize("road", ALL.values(), ids=ALL)


def rows_of(batches: Any, epoch: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Input and target of every row of all batches, without padding."""
    found = []
    for batch in batches.epoch(epoch):
        for row, length in enumerate(batch.lengths.tolist()):
            x = batch.input[:length, row] if batches.inputs.has_steps else batch.input[row]
            if batches.targets == "row":
                target = batch.target[row]
            else:
                target = batch.target[:, row]
                target = target[:length] if batches.targets == "step" else target[target >= 0]
            found.append((x, target))
    return found


def key(pair: tuple[Tensor, Tensor]) -> str:
    return json.dumps([x.tolist() for x in pair])


def expected_rows(task: Task, table: Table) -> list[tuple[Tensor, Tensor]]:
    inputs, targets = table.values(task.input_columns), table.values(task.target_columns)
    return [
        (task.input.encode(x), task.target.encode(y)) for x, y in zip(inputs, targets, strict=True)
    ]


@EVERY
def test_every_row_is_in_one_batch_of_every_epoch_with_its_target(
    road: Road, tmp_path: Path
) -> None:
    model, parts = untrained(road, tmp_path)
    settings = TrainingSettings(batch_size=7)
    batches = model.task.training_batches(parts.train, settings, seed=3)
    expected = sorted(map(key, expected_rows(model.task, parts.train)))
    orders = [[key(pair) for pair in rows_of(batches, epoch)] for epoch in (0, 1)]
    assert sorted(orders[0]) == sorted(orders[1]) == expected
    assert orders[0] != orders[1]


@EVERY
def test_evaluation_takes_every_row_in_the_same_order_each_time(road: Road, tmp_path: Path) -> None:
    model, parts = untrained(road, tmp_path)
    batches = model.task.evaluation_batches(parts.valid, 3)
    orders = [[key(pair) for pair in rows_of(batches, epoch)] for epoch in (0, 1)]
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == sorted(map(key, expected_rows(model.task, parts.valid)))


@EVERY
def test_what_was_encoded_is_kept_in_a_folder_and_is_the_same(road: Road, tmp_path: Path) -> None:
    model, parts = untrained(road, tmp_path)
    settings, cache = TrainingSettings(batch_size=7), tmp_path / "encoded"
    held = model.task.training_batches(parts.train, settings, seed=3)
    for _ in range(2):
        kept = model.task.training_batches(parts.train, settings, 3, cache)
        assert list(map(key, rows_of(kept))) == list(map(key, rows_of(held)))
    assert list(cache.rglob("*.npy"))


@EVERY
def test_inputs_come_with_the_row_of_the_table_that_each_is(road: Road, tmp_path: Path) -> None:
    model, parts = untrained(road, tmp_path)
    batches, order = model.task.input_batches(parts.train, 4)
    assert sorted(order) == list(range(len(parts.train)))
    encoded = [x for x, _ in expected_rows(model.task, parts.train)]
    rows = iter(order)
    lengths = []
    for batch in batches:
        for column, length in enumerate(batch.lengths.tolist()):
            x = batch.input[:length, column] if model.task.input.has_steps else batch.input[column]
            assert torch.equal(x, encoded[next(rows)])
            lengths.append(length)
    assert lengths == sorted(lengths)


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("text to a class", "row"),
        ("measurements to a number", "row"),
        ("tokens to tags", "step"),
        ("numbers to numbers, step by step", "step"),
        ("sounds to letters", "sequence"),
    ],
)
def test_a_target_belongs_to_a_row_a_step_or_to_itself(
    name: str, targets: str, tmp_path: Path
) -> None:
    task = untrained(ROADS[name], tmp_path).model.task
    assert task.targets == targets
    assert not isinstance(task, NextStepTask)


def test_rows_of_text_follow_each_other_as_one_stream(tmp_path: Path) -> None:
    model, parts = untrained(NEXT_CHARACTER, tmp_path)
    assert isinstance(model.task, NextStepTask)
    settings = TrainingSettings(batch_size=3, chunk_length=11)
    batches = model.task.training_batches(parts.train, settings, seed=3)
    text = torch.cat([model.task.input.encode(value) for value in parts.train.values(["text"])])
    read: list[list[int]] = [[], [], []]
    asked: list[list[int]] = [[], [], []]
    for batch in batches.epoch(0):
        assert len(batch.input) <= 11
        for row, length in enumerate(batch.lengths.tolist()):
            read[row] += batch.input[:length, row].tolist()
            asked[row] += batch.target[:length, row].tolist()
    assert [*read[0], *read[1], *read[2]] == text[:-1].tolist()
    assert [*asked[0], *asked[1], *asked[2]] == text[1:].tolist()


def test_chunks_that_begin_anew_hold_every_step_once(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["tokens to tags"], tmp_path)
    settings = TrainingSettings(batch_size=7, chunk_length=3, carry_state=False)
    batches = model.task.training_batches(parts.train, settings, seed=3)
    found = rows_of(batches)
    assert max(len(x) for x, _ in found) == 3
    whole = expected_rows(model.task, parts.train)
    assert sorted(int(i) for _, y in found for i in y) == sorted(
        int(i) for _, y in whole for i in y
    )


def recording(steps: int) -> tuple[Task, Table]:
    dry = torch.sin(torch.arange(steps) / 3).tolist()
    wet = [2 * x + 1 for x in dry]
    table = Table.from_columns({"dry": [dry], "wet": [wet]}, origin="pedal")
    data = DataSpec(input=["dry"], target=["wet"], input_kind="series", target_kind="series")
    return find_task(data, NetworkSpec(), table), table


def test_one_long_recording_is_read_in_rows_side_by_side() -> None:
    task, table = recording(steps=100)
    settings = TrainingSettings(batch_size=3, chunk_length=20)
    batches = task.training_batches(table, settings, seed=3)
    read: list[list[tuple[float, float]]] = [[], [], []]
    for number, batch in enumerate(batches.epoch(0)):
        assert (batch.continues, len(batch.input) <= 20) == (number > 0, True)
        for row, length in enumerate(batch.lengths.tolist()):
            pairs = zip(batch.input[:length, row, 0], batch.target[:length, row, 0], strict=True)
            read[row] += [(float(x), float(y)) for x, y in pairs]
    ((dry, wet),) = expected_rows(task, table)
    assert [len(row) for row in read] == [34, 33, 33]
    assert [*read[0], *read[1], *read[2]] == list(
        zip(dry[:, 0].tolist(), wet[:, 0].tolist(), strict=True)
    )


@pytest.mark.parametrize(
    ("steps", "settings"),
    [
        (59, TrainingSettings(batch_size=3, chunk_length=20)),
        (100, TrainingSettings(batch_size=3)),
    ],
)
def test_a_short_recording_and_one_that_is_not_cut_stay_whole(
    steps: int, settings: TrainingSettings
) -> None:
    task, table = recording(steps)
    (batch,) = task.training_batches(table, settings, seed=3).epoch(0)
    assert batch.lengths.tolist() == [steps]


def test_rolls_are_moved_by_semitones_anew_in_every_epoch() -> None:
    roll = torch.zeros(5, 88)
    roll[:, 40] = 1
    table = Table.from_columns({"roll": [roll.numpy().astype("uint8")] * 8}, origin="rolls")
    settings = TrainingSettings(batch_size=8, augment_transpose=4)
    batches = roll_task().training_batches(table, settings, seed=3)
    keys = []
    for epoch in (0, 1):
        (batch,) = batches.epoch(epoch)
        keys.append(batch.target[0].argmax(-1).tolist())
        assert set(keys[-1]) <= set(range(36, 45))
    assert len(set(keys[0])) > 1
    assert keys[0] != keys[1]


TAGGED = {"tokens": [["the", "big", "big", "cat"]] * 9, "tags": [["D", "A", "A", "N"]] * 9}


@pytest.mark.parametrize(
    ("tokens", "tags", "words"),
    [
        (["a", "b"], ["D"], r"more, row 1: tokens has 2 steps and tags has 1, and they must have"),
        ([], [], r"more, row 1: tokens has no steps, so there is nothing to predict\. Fill it in"),
    ],
)
def test_a_row_without_a_target_for_each_step_is_named(
    tokens: list[str], tags: list[str], words: str
) -> None:
    data = DataSpec(input=["tokens"], target=["tags"])
    task = find_task(data, NetworkSpec(), Table.from_columns(TAGGED, origin="train"))
    more = {"tokens": [["the"], tokens], "tags": [["D"], tags]}
    table = Table.from_columns(more, origin="more")
    with pytest.raises(DataError, match=words):
        task.evaluation_batches(table, 3)
    with pytest.raises(DataError, match=words):
        task.training_batches(table, TrainingSettings(), seed=1)


def test_a_roll_without_frames_has_no_next_frame_and_is_named() -> None:
    table = Table.from_columns({"roll": [np.ones((2, 88)), np.ones((0, 88))]}, origin="more")
    with pytest.raises(DataError, match="more, row 1: roll has no steps"):
        roll_task().evaluation_batches(table, 3)
