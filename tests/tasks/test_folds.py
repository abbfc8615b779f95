"""Folds: which rows are held out together, and that each is held out once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from elman.errors import DataError, ExperimentError
from elman.experiment import Experiment
from elman.runs.run import Prepared, prepare
from elman.tasks.folds import HELD_OUT

ROWS = 43


def table(**columns: Any) -> dict[str, Any]:
    random = np.random.default_rng(1)
    return {
        "x": [random.normal(size=int(random.integers(3, 9))).tolist() for _ in range(ROWS)],
        "label": ["abc"[row % 3] if row > 3 else "d" for row in range(ROWS)],
        **columns,
    }


def prepared(source: Any, **settings: Any) -> Prepared:
    whole = Experiment.from_values({"data": {}}, origin="the experiment")
    given = {"input": "x", "target": "label", "folds": 4, "convolutions": []} | settings
    return prepare(whole.override(given), source)


def folds(made: Prepared) -> np.ndarray:
    return np.array(list(made.parts.valid.column(HELD_OUT)))


def test_every_row_outside_the_test_part_trains_and_validates_once() -> None:
    parts = prepared(table()).parts
    assert parts.test is not None
    assert len(parts.train) == len(parts.valid) == ROWS - len(parts.test)
    series = [tuple(x) for x in parts.train.column("x")]
    assert series == [tuple(x) for x in parts.valid.column("x")]
    assert not {*series} & {tuple(x) for x in parts.test.column("x")}
    assert HELD_OUT not in parts.train.columns


def test_classes_have_equal_shares_in_all_folds_up_to_a_row() -> None:
    made = prepared(table())
    labels = np.array(list(made.parts.valid.column("label")))
    for name in "abcd":
        counts = np.bincount(folds(made)[labels == name], minlength=4)
        assert counts.max() - counts.min() <= 1
    sizes = np.bincount(folds(made), minlength=4)
    assert sizes.max() - sizes.min() <= 1


def test_a_seed_fixes_the_folds_and_another_draws_others() -> None:
    data = table()
    one, again, other = (folds(prepared(data, seed=seed)) for seed in (1, 1, 2))
    assert one.tolist() == again.tolist()
    assert one.tolist() != other.tolist()


def test_rows_of_one_group_stay_in_one_fold() -> None:
    made = prepared(table(speaker=[f"s{row % 9}" for row in range(ROWS)]), group="speaker")
    speakers = np.array(list(made.parts.valid.column("speaker")))
    for name in {*speakers.tolist()}:
        assert len({*folds(made)[speakers == name].tolist()}) == 1


def test_rows_with_the_same_input_stay_in_one_fold() -> None:
    data = table()
    data["x"] = [data["x"][row % 20] for row in range(ROWS)]
    made = prepared(data)
    series = [tuple(x) for x in made.parts.valid.column("x")]
    of_series: dict[Any, set[int]] = {}
    for x, fold in zip(series, folds(made).tolist(), strict=True):
        of_series.setdefault(x, set()).add(fold)
    assert all(len(each) == 1 for each in of_series.values())


def test_the_note_says_how_validation_scores_come_about_and_none_says_they_are_few() -> None:
    notes = prepared(table()).parts.notes
    (note,) = [each for each in notes if "networks answer together" in each]
    assert "4 networks answer together. Each trains on all 39 rows outside the test part" in note
    assert not any("too few to choose weights by" in each for each in notes)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"folds": 40}, "training.folds = 40 needs as many different rows"),
        ({"split_order": "time"}, "holds rows out at random, and these are in the order of time"),
        ({"target": "tags"}, "averages networks with one answer a row to one target"),
    ],
)
def test_folds_that_cannot_be_are_refused_in_words(settings: dict[str, Any], words: str) -> None:
    data = table()
    data["tags"] = [[f"t{int(value > 0)}" for value in x] for x in data["x"]]
    with pytest.raises((DataError, ExperimentError), match=words):
        prepared(data, **settings)


def test_one_fold_is_refused() -> None:
    with pytest.raises(ExperimentError, match="folds = 1 holds all rows out"):
        prepared(table(), folds=1)
