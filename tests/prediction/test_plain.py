"""Beside every model stands a plain guess, made from the training rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import elman
from elman.data.table import Table
from elman.evaluation.joint import scores_by_target
from elman.evaluation.plain_guesses import plain_guess
from elman.evaluation.scores import Scores, score
from elman.prediction.plain import AlwaysTheSame, text_guesses
from roads import ROADS, WRITTEN_ROADS, Road, untrained, write_csv

ALL = ROADS | WRITTEN_ROADS


def measured(road: Road, folder: Path) -> tuple[Any, Table, Scores]:
    model, parts = untrained(road, folder)
    return model, parts.train, model.predictor.scores_with_guess(parts.train, None, parts.train)


@pytest.mark.parametrize("road", ALL.values(), ids=ALL)
def test_there_is_a_plain_guess_by_the_leading_score_of_every_task(
    road: Road, tmp_path: Path
) -> None:
    _, _, scores = measured(road, tmp_path)
    each = scores_by_target(scores) or {"": scores}
    for own in each.values():
        if own.main in own.values:
            guess = plain_guess(own, own.main)
            assert guess is not None
            assert np.isfinite(guess[1])


def guess_of(folder: Path, y: list[Any]) -> tuple[str, float]:
    """Train on ten rows of twenty, and return the guess for the last five."""
    parts = ["train"] * 10 + ["valid"] * 5 + ["test"] * 5
    rows = [[f"word{each}", each, part] for each, part in zip(y, parts, strict=True)]
    path = write_csv(folder / "rows.csv", ["x", "y", "part"], rows)
    model = elman.train(path, target="y", split_column="part", out=folder / "run", epochs=1, seed=1)
    scores = model.scores("test")
    guess = plain_guess(scores, scores.main)
    assert guess is not None
    return guess


def test_the_commonest_class_is_that_of_the_training_rows(tmp_path: Path) -> None:
    y = ["a"] * 9 + ["b"] + ["b"] * 10
    assert guess_of(tmp_path, y) == ("always 'a'", 0.0)


def test_the_mean_is_that_of_the_training_rows(tmp_path: Path) -> None:
    words, error = guess_of(tmp_path, [1.5, 2.5] * 5 + [5.5, 6.5, 5.5, 6.5, 5.5] + [5.0] * 5)
    assert (words, error) == ("always the mean", pytest.approx(3.0))


def test_a_file_of_new_rows_is_compared_with_its_own_commonest_class(tmp_path: Path) -> None:
    columns = {"x": [float(number) for number in range(20)], "y": ["a", "b"] * 10}
    model = elman.train(columns, target="y", out=tmp_path / "run", epochs=1, seed=1)
    new = {"x": [1.0, 2.0, 3.0, 4.0], "y": ["b", "b", "b", "a"]}
    assert plain_guess(model.scores(new), "accuracy") == ("always 'b'", 0.75)


def test_a_copy_of_the_input_is_a_guess_where_it_is_a_text_too() -> None:
    truths = ["one", "two", "three"]
    guesses = text_guesses("translation", ["one", "one"], ["one", "too", "three"], 3)
    shares = [score("translation", truths, each.answers) for each in guesses]
    assert [each.values["sequence_accuracy"] for each in shares] == pytest.approx([1 / 3, 2 / 3])
    assert len(text_guesses("translation", ["one"], None, 3)) == 1


def test_the_same_outputs_stand_at_every_step() -> None:
    outputs, state = AlwaysTheSame(torch.tensor([1.0, 2.0, 3.0]))(torch.zeros(4, 2, 7))
    assert state is None
    assert outputs.shape == (4, 2, 3)
    assert outputs[3, 1].tolist() == [1, 2, 3]
