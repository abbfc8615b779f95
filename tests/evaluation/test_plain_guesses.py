"""What a model is not better than: always the commonest class, the mean, the naive forecast."""

from __future__ import annotations

import numpy as np
import pytest

from elman.evaluation.joint import joint_scores
from elman.evaluation.measures import Scores
from elman.evaluation.plain_guesses import (
    PlainGuess,
    always,
    commonest,
    levels_of,
    not_beaten,
    plain_guess,
    tags_of,
    with_plain_guess,
)
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


def test_of_names_that_are_equally_common_the_first_is_taken() -> None:
    assert commonest(["b", "a", "a", "b", "c"]) == "a"
    assert commonest([2, 10, 10, 2]) == 10


@pytest.mark.parametrize(
    ("kind", "learned", "guesses"),
    [
        ("classification", ["b", "a", "b"], [("always 'b'", "b")]),
        ("regression", [1.0, 2.0, 6.0], [("always the mean", 3.0)]),
        ("regression", [[1.0, 5.0], [3.0, 7.0]], [("always the mean", [2.0, 6.0])]),
        ("labels", [["x"], ["y", "x"], []], [("always 'x'", ["x"]), ("always nothing", [])]),
        (
            "labels",
            [["y", "x"], ["x", "y"], ["z"], ["w"]],
            [("always nothing", []), ("always 'x y'", ["x", "y"])],
        ),
        (
            "transcription",
            [["1", "2"], ["1", "2"], ["3"]],
            [("always '1 2'", ["1", "2"]), ("always nothing", [])],
        ),
        ("translation", ["yes", "no", "yes"], [("always 'yes'", "yes")]),
        ("caption", [["a dog", "a cat"], ["a cat"]], [("always 'a cat'", "a cat")]),
    ],
)
def test_a_plain_guess_is_made_from_the_training_rows(
    kind: str, learned: list[object], guesses: list[tuple[str, object]]
) -> None:
    assert always(kind, learned, 2) == [PlainGuess(words, [one] * 2) for words, one in guesses]


def test_a_word_has_its_own_commonest_tag_and_a_new_one_that_of_all() -> None:
    learned = [["D", "N", "V"], ["D", "N"], ["N", "N"]]
    words = [["the", "dog", "barks"], ["the", "bark"], ["barks", "barks"]]
    overall, by_word = tags_of(learned, [3], (words, [["the", "cat", "barks"]]))
    assert overall == PlainGuess("always 'N'", [["N", "N", "N"]])
    assert by_word == PlainGuess("each word's commonest tag", [["D", "N", "N"]])
    assert len(tags_of(learned, [3])) == 1


def test_the_mean_of_all_steps_is_that_of_long_rows_more() -> None:
    guess = levels_of([[1.0, 1.0, 1.0], [5.0]], [(2,), (1,)])
    assert [row.tolist() for row in guess.answers] == [[2.0, 2.0], [2.0]]


def test_the_best_guess_by_the_leading_score_is_kept_with_all_its_scores() -> None:
    truths = ["a", "b", "b", "b"]
    scores = score("classification", truths, truths)
    guesses = [PlainGuess("always 'a'", ["a"] * 4), PlainGuess("always 'b'", ["b"] * 4)]
    kept = with_plain_guess(scores, guesses, lambda each: score("classification", truths, each))
    assert plain_guess(kept, "accuracy") == ("always 'b'", 0.75)
    assert plain_guess(kept, "macro_f1") == ("always 'b'", pytest.approx(3 / 7))
    assert plain_guess(kept, "log_loss") is None
    assert not_beaten(kept, "accuracy") == ""
    assert with_plain_guess(scores, [], lambda _: scores) == scores


def test_an_error_that_is_larger_than_the_guess_s_is_said() -> None:
    truths = [1.0, 3.0]
    scores = score("regression", truths, [5.0, 5.0])

    def measure(answers: list[float]) -> Scores:
        return score("regression", truths, answers)

    guesses = [PlainGuess("always the mean", [2.0, 2.0]), PlainGuess("nothing", [0.0, 0.0])]
    kept = with_plain_guess(scores, guesses, measure)
    assert not_beaten(kept, "rmse") == "no better than always the mean, 1"
    assert not_beaten(with_plain_guess(measure([1.0, 3.5]), guesses, measure), "rmse") == ""
