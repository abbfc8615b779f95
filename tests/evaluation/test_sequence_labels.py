"""Tags of every step: what counts as a step, a row and a span."""

from __future__ import annotations

import pytest

from elman.errors import DataError, ShapeError
from elman.evaluation.sequence_labels import tagging_scores

TRUTHS = [["B-NP", "I-NP", "O"], ["B-VP"], []]
PREDICTIONS = [["B-NP", "I-VP", "O"], ["B-VP"], []]


def test_tags_of_spans_are_scored_by_spans() -> None:
    scores = tagging_scores(TRUTHS, PREDICTIONS)
    assert scores.main == "f1"
    # True: NP 0…2 and VP. Predicted: NP 0…1, VP 1…2 and VP.
    assert scores.values["precision"] == 1 / 3
    assert scores.values["recall"] == 1 / 2
    assert scores.values["f1"] == 2 / 5
    assert scores.values["accuracy"] == 3 / 4
    assert scores.values["sequence_accuracy"] == 2 / 3
    assert (scores.count, scores.unit) == (4, "steps")
    assert scores.details["worst"] == [{"row": 0, "wrong": 1, "steps": 3}]
    assert [each["name"] for each in scores.details["spans"]] == ["NP", "VP"]


def test_other_tags_are_scored_by_accuracy_and_so_are_spans_where_that_is_asked() -> None:
    assert tagging_scores([["NOUN", "VERB"]], [["NOUN", "NOUN"]]).main == "accuracy"
    scores = tagging_scores(TRUTHS, PREDICTIONS, spans=False)
    assert scores.main == "accuracy"
    assert "f1" not in scores.values


def test_probabilities_are_of_every_step() -> None:
    rows = [[[0.8, 0.2], [0.4, 0.6]], [[0.5, 0.5]]]
    scores = tagging_scores(["ab", "a"], ["ab", "a"], rows, names="ab")
    assert scores.values["log_loss"] == pytest.approx(0.4757, abs=1e-4)  # −ln(0.8 · 0.6 · 0.5)/3
    with pytest.raises(ShapeError, match=r"must be \(N, n\) = \(3, 2\)"):
        tagging_scores(["ab", "a"], ["ab", "a"], rows[:1], names="ab")


def test_rows_of_unequal_length_are_named() -> None:
    with pytest.raises(DataError, match="got 2 true values and 1 prediction at row 1"):
        tagging_scores(["a", "ab"], ["a", "a"])
    with pytest.raises(DataError, match="no row has a step"):
        tagging_scores([[]], [[]])
    with pytest.raises(DataError, match="tag 'a' at step 0 marks no span"):
        tagging_scores(["a"], ["a"], spans=True)
