"""Scores of a predicted class, against hand-worked cases and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from elman.errors import DataError, OptionError, ShapeError
from elman.evaluation.classification import (
    calibration,
    classification_scores,
    log_loss,
    worst_mistakes,
)

TRUTHS = ["cat", "cat", "dog", "cow", "dog", "cat"]
PREDICTIONS = ["cat", "dog", "dog", "cat", "dog", "cat"]


def test_a_hand_worked_case() -> None:
    scores = classification_scores(TRUTHS, PREDICTIONS)
    # cat: 2 hits, 3 true, 3 predicted; cow: 0, 1, 0; dog: 2, 2, 3.
    f1 = {"cat": 4 / 6, "cow": 0.0, "dog": 4 / 5}
    assert scores.main == "accuracy"
    assert scores.values == pytest.approx(
        {
            "accuracy": 4 / 6,
            "macro_f1": sum(f1.values()) / 3,
            "weighted_f1": (3 * f1["cat"] + 1 * f1["cow"] + 2 * f1["dog"]) / 6,
        }
    )
    assert (scores.count, scores.unit) == (6, "rows")
    assert scores.notes == ("never predicted: 'cow' (1); in brackets the rows that have it.",)
    assert scores.details["names"] == ["cat", "cow", "dog"]
    assert scores.details["confusion"] == [[0, 0, 2], [0, 2, 1], [1, 0, 1], [2, 2, 2]]
    assert scores.details["commonest"] == {"name": "cat", "share": 0.5}
    dog = scores.details["classes"][2]
    assert (dog["precision"], dog["recall"], dog["support"], dog["answered"]) == (2 / 3, 1.0, 2, 3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_score_agrees_with_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(seed)
    names = [f"name {number}" for number in range(7)]
    truths = generator.choice(names[:6], 40).tolist()  # The last is never true.
    probabilities = generator.dirichlet(np.ones(7), 40)
    predictions = [names[place] for place in probabilities.argmax(axis=1)]
    scores = classification_scores(truths, predictions, probabilities, names=names)
    expected = {
        "accuracy": metrics.accuracy_score(truths, predictions),
        "macro_f1": metrics.f1_score(truths, predictions, average="macro", zero_division=0),
        "weighted_f1": metrics.f1_score(truths, predictions, average="weighted", zero_division=0),
        "log_loss": metrics.log_loss(truths, probabilities, labels=names),
    }
    assert {name: scores.values[name] for name in expected} == pytest.approx(expected)
    matrix = np.zeros((7, 7), int)
    for truth, prediction, count in scores.details["confusion"]:
        matrix[truth, prediction] = count
    np.testing.assert_array_equal(
        matrix, metrics.confusion_matrix(truths, predictions, labels=names)
    )
    table = metrics.precision_recall_fscore_support(
        truths, predictions, labels=names, zero_division=0
    )
    for column, values in zip(("precision", "recall", "f1", "support"), table, strict=True):
        assert [each[column] for each in scores.details["classes"]] == pytest.approx(values)


def test_macro_f1_leaves_out_names_that_never_occur() -> None:
    some = classification_scores(TRUTHS, PREDICTIONS)
    more = classification_scores(TRUTHS, PREDICTIONS, names=["ant", "cat", "cow", "dog"])
    assert more.values == some.values
    assert more.details["classes"][0]["support"] == 0


def test_the_calibration_error_is_the_mean_gap_between_confidence_and_accuracy() -> None:
    # Two predictions of probability 0.9, one of them right; two of 0.6, both right.
    probabilities = [[0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.4, 0.6]]
    measured = calibration("aaab", "abab", probabilities, bins=5)
    assert measured.error == pytest.approx((2 * abs(0.5 - 0.9) + 2 * abs(1.0 - 0.6)) / 4)
    assert measured.confidence == pytest.approx([0.6, 0.9])
    assert measured.accuracy == [1.0, 0.5]
    assert measured.counts == [2, 2]


def test_a_bin_of_confidence_holds_its_upper_end() -> None:
    assert calibration("aa", "aa", [[0.5, 0.5], [0.6, 0.4]], bins=5).counts == [2]


def test_the_calibration_error_agrees_with_its_definition_spelled_out() -> None:
    generator = np.random.default_rng(3)
    probabilities = generator.dirichlet(np.ones(3), 200)
    predictions = probabilities.argmax(axis=1).tolist()
    truths = generator.integers(3, size=200).tolist()
    sure = probabilities.max(axis=1)
    error = 0.0
    for low in np.arange(15) / 15:
        rows = [row for row in range(200) if low < sure[row] <= low + 1 / 15]
        if rows:
            accuracy = np.mean([truths[row] == predictions[row] for row in rows])
            error += len(rows) / 200 * abs(accuracy - sure[rows].mean())
    assert calibration(truths, predictions, probabilities).error == pytest.approx(error)


def test_log_loss_is_in_nats_and_infinite_where_the_truth_has_probability_zero() -> None:
    assert log_loss("ab", [[0.5, 0.5], [0.75, 0.25]], "ab") == pytest.approx(
        (math.log(2) + math.log(4)) / 2
    )
    assert log_loss("ab", [[0.5, 0.5], [1.0, 0.0]], "ab") == math.inf


def test_an_infinite_log_loss_is_not_computed_and_it_is_said_why() -> None:
    scores = classification_scores("ab", "aa", [[0.5, 0.5], [1.0, 0.0]], names="ab")
    assert "log_loss" not in scores.values
    assert scores.reasons == [
        "Log loss is not computed: a true class has a predicted probability of 0, so it is "
        "infinite."
    ]


def test_a_true_class_that_cannot_be_predicted_is_counted_and_said_with_its_rows() -> None:
    truths, predictions = ["a", "c", "c", "A", "b"], ["a", "b", "a", "a", "b"]
    probabilities = [[0.5, 0.5]] * 5
    scores = classification_scores(
        truths, predictions, probabilities, names=["a", "b"], where=lambda row: f"x.csv, line {row}"
    )
    assert scores.value == pytest.approx(2 / 5)
    assert scores.details["names"] == ["a", "b", "A", "c"]
    assert scores.notes == (
        "3 of 5 rows have classes that the model never learned ('c' 2: x.csv, line 1, …; 'A' 1: "
        "x.csv, line 3, where it learned 'a'); they count as errors.",
    )
    assert scores.details["never_learned"] == [
        {"name": "c", "times": 2, "row": 1, "near": None},
        {"name": "A", "times": 1, "row": 3, "near": "a"},
    ]
    assert scores.undefined == {
        "log_loss": "3 of 5 true names were never learned; their probability is 0, so it is "
        "infinite"
    }


def test_a_class_that_only_other_parts_have_counts_as_never_learned() -> None:
    probabilities = [[0.5, 0.4, 0.1]] * 3
    scores = classification_scores(
        ["a", "b", "c"], ["a", "a", "a"], probabilities, names=["a", "b", "c"], learned=["a", "b"]
    )
    assert "1 of 3 rows has classes that the model never learned ('c' 1: row 2)" in scores.notes[0]
    assert "log_loss" in scores.values


def test_the_mistakes_of_the_highest_probability_come_first() -> None:
    probabilities = [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]
    mistakes = worst_mistakes("bab", "abb", probabilities)
    assert [(each.row, each.truth, each.answer) for each in mistakes] == [
        (0, "b", "a"),
        (1, "a", "b"),
    ]
    assert [each.probability for each in mistakes] == [0.9, 0.8]
    assert worst_mistakes("bab", "abb", probabilities, count=1) == mistakes[:1]


def test_scores_survive_json() -> None:
    scores = classification_scores("ab", "aa", [[0.5, 0.5], [0.6, 0.4]], names="ab")
    assert type(scores).model_validate_json(scores.model_dump_json()) == scores


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("ab", "a"), DataError, "got 2 true values and 1 prediction"),
        (("", ""), DataError, "there is nothing to score"),
        (("ab", "ab", [[0.5, 0.5]]), ShapeError, r"must be \(N, n\) = \(2, 2\).* got \(1, 2\)"),
        (("a", "a", [[2.0, -1.0]]), OptionError, "must lie in 0 … 1, and those of row 0 do not"),
        (
            ("ab", "ab", [[0.5, 0.5], [0.9, 0.9]]),
            OptionError,
            "must sum to 1, and those of row 1 sum to 1.8",
        ),
    ],
)
def test_what_cannot_be_scored_is_refused(
    arguments: tuple[object, ...], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        classification_scores(*arguments, names="ab")  # type: ignore[arg-type]


def test_probabilities_without_names_and_names_given_twice_are_refused() -> None:
    with pytest.raises(OptionError, match="probabilities need names"):
        classification_scores("a", "a", [[1.0]])
    with pytest.raises(OptionError, match="names must differ from each other, got 'a' 2 times"):
        classification_scores("a", "a", names=["a", "b", "a"])
    with pytest.raises(OptionError, match="bins must be at least 1, got 0"):
        calibration("a", "a", [[1.0]], bins=0)
