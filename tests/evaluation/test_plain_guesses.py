"""What a model is not better than: always the commonest class, the mean, the naive forecast."""

from __future__ import annotations

import numpy as np
import pytest

from elman.evaluation.joint import joint_scores
from elman.evaluation.plain_guesses import not_beaten
from elman.evaluation.scores import score

TRUTHS = ["a", "a", "a", "b"]


@pytest.mark.parametrize(
    ("predictions", "said"),
    [
        (["a", "a", "a", "b"], ""),
        (["a", "a", "a", "a"], "no better than always 'a', 0.75"),
        (["b", "b", "a", "b"], "no better than always 'a', 0.75"),
    ],
)
def test_classes_are_compared_with_the_commonest(predictions: list[str], said: str) -> None:
    assert not_beaten(score("classification", TRUTHS, predictions), "accuracy") == said


@pytest.mark.parametrize(
    ("predictions", "said"),
    [
        ([1.0, 2.0, 3.1], ""),
        ([2.0, 2.0, 2.0], "no better than always their mean, R² 0"),
        ([3.0, 2.0, 1.0], "no better than always their mean, R² -3"),
    ],
)
def test_numbers_are_compared_with_their_mean(predictions: list[float], said: str) -> None:
    assert not_beaten(score("regression", [1.0, 2.0, 3.0], predictions), "rmse") == said


def test_equal_numbers_have_no_mean_to_beat() -> None:
    assert not_beaten(score("regression", [2.0, 2.0], [1.0, 3.0]), "rmse") == ""


def test_a_window_is_compared_with_the_naive_forecast() -> None:
    training = np.arange(9.0)
    for wrong_by, said in ((0.5, ""), (2.0, "worse than the naive forecast is on the ")):
        truths = np.arange(9.0, 12.0)
        scores = score("regression", truths, truths + wrong_by, training=training)
        assert scores.main == "mase"
        assert not_beaten(scores, "mase").startswith(said)
        assert bool(not_beaten(scores, "mase")) == bool(said)


def test_each_target_has_its_own_guess() -> None:
    both = joint_scores(
        {
            "size": score("classification", TRUTHS, ["a"] * 4),
            "price": score("regression", [1.0, 2.0], [1.0, 2.0]),
        }
    )
    said = [not_beaten(both, name) for name in both.headlines]
    assert said == ["no better than always 'a', 0.75", ""]


def test_a_score_that_is_not_computed_is_compared_with_nothing() -> None:
    assert not_beaten(score("classification", TRUTHS, TRUTHS), "log_loss") == ""
