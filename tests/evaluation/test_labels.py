"""Several labels a row, against hand-worked cases and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from elman.errors import OptionError
from elman.evaluation.labels import labels_scores


def test_a_hand_worked_case() -> None:
    truths = [["war", "drama"], ["comedy"], [], ["drama"]]
    predictions = [["drama", "war"], ["comedy", "drama"], [], []]
    scores = labels_scores(truths, predictions)
    # comedy 1 hit of 1 and 1; drama 1 hit, 2 true, 2 predicted; war 1 of 1 and 1.
    assert scores.main == "micro_f1"
    assert scores.values == pytest.approx(
        {
            "micro_f1": 2 * 3 / (4 + 4),
            "macro_f1": (1 + 0.5 + 1) / 3,
            "weighted_f1": (1 + 2 * 0.5 + 1) / 4,
            "subset_accuracy": 2 / 4,
        }
    )
    assert scores.details["worst"] == [
        {"row": 1, "truth": ["comedy"], "answer": ["comedy", "drama"], "wrong": 1},
        {"row": 3, "truth": ["drama"], "answer": [], "wrong": 1},
    ]


def test_every_score_agrees_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(5)
    names = list("abcde")
    truths = generator.random((30, 5)) < 0.3
    probabilities = generator.random((30, 5))
    predictions = probabilities > 0.5

    def listed(hot: np.ndarray) -> list[list[str]]:
        return [[names[place] for place in np.flatnonzero(row)] for row in hot]

    scores = labels_scores(listed(truths), listed(predictions), probabilities, names=names)
    expected = {
        f"{average}_f1": metrics.f1_score(truths, predictions, average=average, zero_division=0)
        for average in ("micro", "macro", "weighted")
    }
    expected["subset_accuracy"] = metrics.accuracy_score(truths, predictions)
    expected["log_loss"] = np.mean(
        [
            metrics.log_loss(truths[:, place], probabilities[:, place], labels=[False, True])
            for place in range(5)
        ]
    )
    assert scores.values == pytest.approx(expected)


def test_an_infinite_log_loss_is_not_computed_and_it_is_said_why() -> None:
    scores = labels_scores([["a"]], [[]], [[0.0, 0.1]], names="ab")
    assert "log_loss" not in scores.values
    assert scores.undefined == {
        "log_loss": "a true label has a predicted probability of 0, or a false one of 1"
    }


def test_labels_that_cannot_be_predicted_are_counted_and_said_with_their_rows() -> None:
    truths = [["a"], ["c", "a"], ["d", "c"], ["b"]]
    scores = labels_scores(truths, [["a"]] * 4, [[0.9, 0.1]] * 4, names="ab")
    assert scores.notes == (
        "2 of 4 rows have labels that the model never learned ('c' 2: row 1, …; 'd' 1: row 2); "
        "they count as errors.",
        "never predicted: 'b' (1); in brackets the rows that have it.",
    )
    assert scores.values["subset_accuracy"] == 1 / 4
    assert "never learned" in scores.undefined["log_loss"]


def test_probabilities_of_labels_need_names_but_no_sum() -> None:
    assert labels_scores([["a"]], [["a"]], [[0.9, 0.8]], names="ab").values["log_loss"] > 0
    with pytest.raises(OptionError, match="probabilities need names"):
        labels_scores([["a"]], [["a"]], [[0.9]])
    with pytest.raises(OptionError, match="must lie in 0 … 1"):
        labels_scores([["a"]], [["a"]], [[1.0005]], names="a")
