"""Likelihood, perplexity and bits per character."""

from __future__ import annotations

import math

import pytest

from elman.errors import DataError, OptionError
from elman.evaluation.language import language_scores


def test_an_even_predicted_among_27_characters_is_as_unsure_as_that() -> None:
    scores = language_scores(["abc", "de"], nll=math.log(27), characters=5)
    assert scores.main == "bits_per_character"
    assert scores.value == pytest.approx(math.log2(27))
    assert scores.values["perplexity"] == pytest.approx(27)
    assert (scores.count, scores.unit) == (5, "symbols")


def test_bits_of_words_are_shared_by_their_characters() -> None:
    scores = language_scores([["the", "cat"]], nll=7 * math.log(2), characters=7)
    assert scores.value == pytest.approx(2.0)


def test_words_are_scored_by_perplexity_and_the_likeliest_word() -> None:
    scores = language_scores([["the", "cat", "sat"]], [["the", "dog", "sat"]], nll=1.0)
    assert (scores.main, scores.higher_is_better) == ("perplexity", False)
    assert scores.values == pytest.approx({"nll": 1.0, "perplexity": math.e, "accuracy": 2 / 3})


def test_a_perplexity_too_large_to_write_is_said_to_be_infinite() -> None:
    scores = language_scores(["a"], nll=1000.0)
    assert (scores.main, scores.value) == ("perplexity", math.inf)
    assert scores.values == {"nll": 1000.0}
    assert scores.undefined == {"perplexity": "it is infinite, e to the power of 1,000"}


@pytest.mark.parametrize("nll", [math.inf, math.nan])
def test_of_a_likelihood_that_is_not_finite_nothing_is_computed_but_accuracy(nll: float) -> None:
    scores = language_scores(["ab"], ["ac"], nll=nll, characters=2)
    assert scores.values == {"accuracy": 0.5}
    assert scores.undefined.keys() == {"nll", "perplexity", "bits_per_character"}
    assert (scores.main, scores.value) == ("bits_per_character", math.inf)


def test_what_is_no_likelihood_is_refused() -> None:
    with pytest.raises(OptionError, match="nll must be a mean of −ln p in nats, 0 or more, got -1"):
        language_scores(["a"], nll=-1.0)
    with pytest.raises(OptionError, match="characters must be at least 1, got 0"):
        language_scores(["a"], nll=1.0, characters=0)
    with pytest.raises(DataError, match="no row has a step"):
        language_scores([""], nll=1.0)
    with pytest.raises(DataError, match="at row 0"):
        language_scores(["ab"], ["a"], nll=1.0)
