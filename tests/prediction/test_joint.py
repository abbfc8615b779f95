"""Several targets are predicted in one pass, each as its own model would; and scored by target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import elman
from elman.data.table import Table
from elman.errors import DataError, OptionError
from elman.evaluation.joint import scores_by_target
from elman.models.model import Model
from roads import ROADS, untrained

SEVERAL = [name for name in ROADS if name.endswith("several targets")]
EVERY = pytest.mark.parametrize("name", SEVERAL)


def model_of(name: str, folder: Path) -> tuple[Model, Table]:
    model, parts = untrained(ROADS[name], folder)
    return model, parts.train


@EVERY
def test_a_target_alone_is_predicted_and_scored_the_same(name: str, tmp_path: Path) -> None:
    model, table = model_of(name, tmp_path)
    together = model.predict(table)
    scores = scores_by_target(model.predictor.scores(table))
    each = model.by_target()
    assert list(each) == list(model.task.target_columns) == list(scores)
    for target, alone in each.items():
        for ours, theirs in zip(together, alone.predict(table), strict=True):
            np.testing.assert_equal(ours[target], theirs)
        column = list(table.column(target))
        known = table.select([row for row, cell in enumerate(column) if _is_there(cell)])
        own = alone.predictor.scores(known)
        assert own.values == pytest.approx(scores[target].values, rel=1e-5)
        assert own.count == scores[target].count


def _is_there(cell: Any) -> bool:
    return isinstance(cell, list | np.ndarray) or (cell is not None and cell == cell)


@EVERY
def test_the_outputs_of_a_target_alone_are_a_slice_of_all(name: str, tmp_path: Path) -> None:
    model, table = model_of(name, tmp_path)
    batches, _ = model.task.input_batches(table, 5)
    batch = next(batches)
    with torch.no_grad():
        outputs, _ = model.network(batch.input, lengths=batch.lengths)
        slices = [
            alone.network(batch.input, lengths=batch.lengths)[0]
            for alone in model.by_target().values()
        ]
    assert torch.equal(torch.cat(slices, -1), outputs)


def test_a_model_of_one_target_is_not_saved_by_itself(tmp_path: Path) -> None:
    model, _ = model_of("text to several targets", tmp_path)
    with pytest.raises(OptionError, match="save the model of all of them"):
        model.by_target()["hours"].save(tmp_path / "kept")
    (only,) = untrained(ROADS["text to a class"], tmp_path).model.by_target().values()
    assert only.task.target_columns == ("label",)


def test_rows_are_answered_by_target_and_written_in_a_column_each(tmp_path: Path) -> None:
    model, table = model_of("text to several targets", tmp_path)
    rows = model.predict(table)
    assert list(rows[0]) == ["priority", "hours", "topics"]
    beside = model.predictor.columns(table)
    assert [name for name in beside if name.startswith("predicted ")] == [
        "predicted priority",
        "predicted hours",
        "predicted topics",
    ]
    bare = Table.from_columns({"text": list(table.column("text"))}, origin="new")
    columns = model.predictor.columns(bare)
    assert list(columns) == ["text", "priority", "hours", "topics"]
    assert columns["priority"] == [row["priority"] for row in rows]
    assert columns["hours"] == [row["hours"] for row in rows]
    assert columns["topics"] == [";".join(row["topics"]) for row in rows]
    assert beside["predicted hours"] == columns["hours"]


def test_probabilities_are_named_after_target_and_name(tmp_path: Path) -> None:
    model, table = model_of("text to several targets", tmp_path)
    columns = model.predictor.columns(table, probabilities=True)
    names = ["p(priority=high)", "p(priority=low)", "p(topics=invoice)", "p(topics=login)"]
    assert list(columns)[-4:] == names
    values, arrays = model.predict(table, probabilities=True)
    assert list(arrays[0]) == ["priority", "topics"]
    for row, (value, given) in enumerate(zip(values, arrays, strict=True)):
        found = [columns[name][row] for name in names]
        np.testing.assert_allclose(np.concatenate([*given.values()]), found)
        assert value["priority"] == ("high", "low")[int(given["priority"].argmax())]


def test_a_single_target_of_names_gives_them_plain_probabilities(tmp_path: Path) -> None:
    model, table = model_of("measurements to several targets", tmp_path)
    assert list(model.predictor.columns(table, probabilities=True))[-2:] == ["p(dry)", "p(wet)"]


def test_probabilities_are_refused_where_no_target_has_any(tmp_path: Path) -> None:
    steps, table = model_of("tokens to several targets", tmp_path)
    with pytest.raises(OptionError, match="probabilities are given for classes and labels"):
        steps.predictor.columns(table, probabilities=True)
    tags, none = steps.predict(table, probabilities=True)
    assert list(none[0]) == ["parts", "chunks"]
    assert none[0]["parts"].shape == (len(tags[0]["parts"]), 3)
    rows = {"x": [0.5 * n for n in range(40)], "a": [1.5 * n for n in range(40)]}
    numbers = elman.train(
        {**rows, "b": rows["a"]}, input="x", target=["a", "b"], epochs=1, out=tmp_path / "run"
    )
    with pytest.raises(OptionError, match="the objective 'joint' gives no probabilities"):
        numbers.predict({"x": [1.0]}, probabilities=True)


def test_rows_that_lack_a_target_are_not_measured_for_it_and_said(tmp_path: Path) -> None:
    model, _ = model_of("text to several targets", tmp_path)
    rows = {
        "text": ["please now", "the login", "my invoice"],
        "priority": ["high", None, "odd"],
        "hours": [None, "1.5", "2"],
        "topics": ["login", "", "invoice"],
    }
    scores = model.scores(rows)
    own = scores_by_target(scores)
    assert [own[name].count for name in own] == [2, 2, 3]
    assert "1 of 3 rows has no priority and cannot be measured (the data, row 1)." in scores.notes
    assert "1 of 3 rows has no hours and cannot be measured (the data, row 0)." in scores.notes
    assert scores.notes[0].startswith("priority: 1 of 2 rows has classes that the model never")


def test_a_target_that_no_row_has_is_left_out_and_all_of_them_are_refused(tmp_path: Path) -> None:
    model, _ = model_of("measurements to several targets", tmp_path)
    rows = {"sun": [1.0, 2.0], "water": [3.0, 4.0], "soil": ["dry", "wet"], "height": [None, None]}
    scores = model.scores(rows)
    assert list(scores_by_target(scores)) == ["soil"]
    assert scores.main == "accuracy of soil"
    with pytest.raises(DataError, match="soil, height is missing in every row, so there is noth"):
        model.scores({**rows, "soil": [None, ""]})
    with pytest.raises(DataError, match="has no column 'height', the target to compare with"):
        model.scores({"sun": [1.0], "water": [3.0], "soil": ["dry"]})


def test_the_main_score_may_be_that_of_any_target(tmp_path: Path) -> None:
    model, table = model_of("text to several targets", tmp_path)
    scores = model.predictor.scores(table, main="micro_f1 of topics")
    assert scores.value == scores.values["micro_f1 of topics"]
    with pytest.raises(OptionError, match="unknown score 'micro_f1'; did you mean 'micro_f1 of to"):
        model.predictor.scores(table, main="micro_f1")
