"""scikit-learn estimators: their predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from elman.errors import DataError
from letters import GOOD, LETTERS, SMALL, TAGS, TOKENS, WORDS, series

pytest.importorskip("sklearn")

from sklearn.exceptions import NotFittedError

from elman.sklearn import SequenceClassifier, SequenceRegressor, SequenceTagger

FAST = {"learning_rate": 0.05}
"""Numbers take longer steps than names."""


def test_a_classifier_reads_words_by_character() -> None:
    classifier = SequenceClassifier(**GOOD).fit(WORDS, LETTERS)
    assert classifier.predict(["baab", "yyxy"]).tolist() == ["ab", "xy"]
    assert classifier.score(WORDS, LETTERS) == 1.0
    assert classifier.model_.task.category == "many-to-one"
    assert not hasattr(classifier, "n_features_in_")


def test_a_regressor_predicts_in_the_unit_of_the_target() -> None:
    steps = np.linspace(0.0, 1.0, 5)
    rises = np.arange(24.0)[:, None, None] * steps[None, :, None]
    highest = 1000 + 10 * rises[:, -1, 0]
    regressor = SequenceRegressor(**GOOD | FAST).fit(rises, highest)
    assert regressor.score(rises, highest) > 0.95
    assert regressor.n_features_in_ == 1


def test_a_tagger_predicts_the_tag_of_every_step() -> None:
    tagger = SequenceTagger(**GOOD).fit(TOKENS, TAGS)
    assert tagger.predict([["b", "a"], ["y", "x", "a"]]) == [
        ["other", "is a"],
        ["other", "other", "is a"],
    ]
    assert tagger.score(TOKENS, TAGS) == 1.0
    assert tagger.score([["a", "b"]], [["is a", "is a"]]) == 0.5


def test_predictions_are_those_of_the_model() -> None:
    classifier = SequenceClassifier(**SMALL).fit(WORDS, LETTERS)
    predictions, probabilities = classifier.model_.predict(WORDS, probabilities=True)
    assert classifier.predict(WORDS).tolist() == predictions
    assert np.array_equal(classifier.predict_proba(WORDS), np.stack(probabilities))
    regressor = SequenceRegressor(**SMALL).fit(series(), np.arange(24))
    assert regressor.predict(series()).tolist() == regressor.model_.predict(series())
    tagger = SequenceTagger(**SMALL).fit(TOKENS, TAGS)
    assert tagger.predict(TOKENS) == tagger.model_.predict(TOKENS)


@pytest.mark.parametrize("classes", [[2, 10], [1.0, 2.0], [False, True], ["b", "a"]])
def test_probabilities_and_predictions_follow_the_order_of_the_classes(classes: list[Any]) -> None:
    y = [classes[name == "xy"] for name in LETTERS]
    classifier = SequenceClassifier(**GOOD).fit(WORDS, y)
    assert classifier.classes_.tolist() == sorted(classes)
    probabilities = classifier.predict_proba(WORDS)
    assert probabilities.sum(1) == pytest.approx(np.ones(24))
    assert classifier.classes_[probabilities.argmax(1)].tolist() == y
    assert classifier.predict(WORDS).tolist() == y


def test_the_probabilities_of_tags_follow_the_order_of_the_classes() -> None:
    tagger = SequenceTagger(**GOOD).fit(TOKENS, TAGS)
    assert tagger.model_.task.target.names == ("other", "is a")  # the most frequent first
    assert tagger.classes_.tolist() == ["is a", "other"]
    (steps,) = tagger.predict_proba([["b", "a", "x"]])
    assert steps.argmax(1).tolist() == [1, 0, 1]
    assert steps.sum(1) == pytest.approx(np.ones(3))


def test_several_numbers_a_sample_are_predicted() -> None:
    X = series()
    y = np.stack([[x[-1, 0], -10 * x[-1, 0]] for x in X])
    predicted = SequenceRegressor(**GOOD | FAST).fit(X, y).predict(X)
    assert predicted.shape == (24, 2)
    assert np.corrcoef(predicted[:, 0], y[:, 0])[0, 1] > 0.9
    assert np.corrcoef(predicted[:, 1], y[:, 1])[0, 1] > 0.9
    assert SequenceRegressor(**SMALL).fit(X, y[:, :1]).predict(X).shape == (24, 1)


def test_an_estimator_that_is_not_fitted_refuses_to_predict() -> None:
    with pytest.raises(NotFittedError, match="SequenceTagger instance is not fitted yet"):
        SequenceTagger().predict(TOKENS)


def test_unequal_numbers_of_tags_and_steps_are_refused() -> None:
    tagger = SequenceTagger(**SMALL).fit(TOKENS, TAGS)
    with pytest.raises(DataError, match="sample 1 has 2 steps in X and 1 tags in y"):
        tagger.score([["a"], ["a", "b"]], [["other"], ["other"]])
    with pytest.raises(DataError, match="X and y must have equally many samples, got 2 and 1"):
        tagger.score([["a"], ["a"]], [["other"]])


def test_several_targets_are_refused_by_estimators_of_one() -> None:
    X = np.zeros((8, 3))
    with pytest.raises(DataError, match=r"SequenceClassifier predicts one target, and y has 2 col"):
        SequenceClassifier().fit(X, np.array([["a", "b"]] * 8))
    frame = pytest.importorskip("pandas").DataFrame({"pos": ["N V"] * 8, "chunk": ["B I"] * 8})
    with pytest.raises(DataError, match=r"one model of all with elman.train\(data, target=\[…\]\)"):
        SequenceTagger().fit(["a b"] * 8, frame)
