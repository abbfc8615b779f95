"""Edit distances, against brute force."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest

from elman.errors import DataError
from elman.evaluation.transcription import edit_distance, transcription_scores


def by_recursion(truth: str, prediction: str) -> int:
    @cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(
            distance(i - 1, j) + 1,
            distance(i, j - 1) + 1,
            distance(i - 1, j - 1) + (truth[i - 1] != prediction[j - 1]),
        )

    return distance(len(truth), len(prediction))


def test_the_edit_distance_agrees_with_its_definition_on_all_short_words() -> None:
    words = ["".join(word) for length in range(5) for word in product("ab", repeat=length)]
    for truth, prediction in product(words, repeat=2):
        assert edit_distance(truth, prediction) == by_recursion(truth, prediction), (
            truth,
            prediction,
        )


def test_words_count_as_symbols_as_characters_do() -> None:
    assert edit_distance("intention", "execution") == 5
    assert edit_distance(["call", "me", "now"], ["call", "now"]) == 1


def test_the_label_error_rate_is_edits_over_true_symbols() -> None:
    scores = transcription_scores(["one", "two", ""], ["one", "to", "a"])
    assert (scores.main, scores.higher_is_better) == ("label_error_rate", False)
    assert scores.values == {"label_error_rate": 2 / 6, "sequence_accuracy": 1 / 3}
    assert scores.details == {
        "edits": 2,
        "symbols": 6,
        "worst": [{"row": 1, "edits": 1}, {"row": 2, "edits": 1}],
    }


def test_without_a_true_symbol_there_is_no_rate() -> None:
    scores = transcription_scores([""], [""])
    assert (scores.main, scores.value) == ("sequence_accuracy", 1.0)
    assert scores.undefined == {"label_error_rate": "every true sequence is empty"}


def test_a_missing_prediction_is_refused() -> None:
    with pytest.raises(DataError, match="got 2 true values and 1 prediction"):
        transcription_scores(["a", "b"], ["a"])
