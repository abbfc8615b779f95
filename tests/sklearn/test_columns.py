"""scikit-learn estimators: how X and y are read, and when they are refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array

from elman.errors import DataError
from letters import GOOD, LETTERS, ONE, SMALL, TAGS, TOKENS, WORDS, series

pytest.importorskip("sklearn")

from elman.sklearn import SequenceClassifier, SequenceRegressor, SequenceTagger


@pytest.mark.parametrize(
    ("X", "kind", "category", "numbers"),
    [
        (WORDS, "text", "many-to-one", None),
        (np.array(WORDS), "text", "many-to-one", None),
        (pd.Series(WORDS), "text", "many-to-one", None),
        (["12", "21", "112", "2"] * 6, "text", "many-to-one", None),
        (TOKENS, "symbols", "many-to-one", None),
        (series(), "series", "many-to-one", 2),
        ([list(range(1 + row % 3)) for row in range(24)], "series", "many-to-one", 1),
        (np.ones((24, 4, 3)) * np.arange(24)[:, None, None], "series", "many-to-one", 3),
        (np.arange(24 * 81).reshape(24, 9, 9) % 256, "series", "many-to-one", 9),
        (torch.ones(24, 4, 3) * torch.arange(24)[:, None, None], "series", "many-to-one", 3),
        (np.arange(72.0).reshape(24, 3), "number", "one-to-one", 3),
        (
            pd.DataFrame({"y": np.arange(24.0), "port": ["Cork", "Kiel"] * 12}),
            "record",
            "one-to-one",
            2,
        ),
    ],
    ids=[
        "strings",
        "array of strings",
        "pandas series of strings",
        "numbers written as strings",
        "lists of strings",
        "arrays of different lengths",
        "lists of numbers",
        "array of three axes",
        "array of three axes that might be pictures",
        "tensor of three axes",
        "array of two axes",
        "data frame",
    ],
)
def test_the_kind_of_x_is_inferred(X: Any, kind: str, category: str, numbers: int | None) -> None:
    sizes = SMALL | {"hidden_size": None if category == "one-to-one" else 3}
    classifier = SequenceClassifier(**sizes).fit(X, LETTERS)
    task = classifier.model_.task
    assert (task.input.kind, task.category) == (kind, category)
    assert getattr(classifier, "n_features_in_", None) == numbers
    assert set(classifier.predict(X)) <= {"ab", "xy"}


def test_rows_of_an_array_are_series_if_the_input_kind_says_so() -> None:
    X = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]] * 12)
    classifier = SequenceClassifier(input_kind="series", **GOOD).fit(X, [True, False] * 12)
    assert classifier.model_.task.category == "many-to-one"
    assert classifier.predict(X[:2]).tolist() == [True, False]


def test_a_tagger_reads_rows_of_an_array_as_sequences() -> None:
    X = np.random.default_rng(3).normal(size=(24, 5))
    tagger = SequenceTagger(**GOOD | {"learning_rate": 0.05}).fit(X, (X > 0).astype(int))
    assert tagger.classes_.tolist() == [0, 1]
    assert tagger.score(X, X > 0) > 0.9


def test_the_columns_of_a_data_frame_keep_their_names_and_their_order() -> None:
    frame = pd.DataFrame({"age": np.arange(24.0), "port": ["Cork", "Kiel"] * 12})
    classifier = SequenceClassifier(epochs=2, random_state=1).fit(frame, LETTERS)
    assert classifier.feature_names_in_.tolist() == ["age", "port"]
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(frame[["port", "age"]])
    assert not hasattr(classifier.set_params(**SMALL).fit(WORDS, LETTERS), "feature_names_in_")
    with pytest.raises(DataError, match=re.escape("pass its column: X[name]")):
        classifier.predict(frame)


def test_a_model_of_a_frame_with_one_column_predicts_that_column_alone() -> None:
    frame = pd.DataFrame({"text": WORDS}, index=[f"row {row}" for row in range(24)])
    classifier = SequenceClassifier(**SMALL).fit(frame, LETTERS)
    assert classifier.feature_names_in_.tolist() == ["text"]
    predicted = classifier.predict(frame).tolist()
    for values in (frame["text"], WORDS, np.array(WORDS), pd.Series(WORDS)):
        assert classifier.predict(values).tolist() == predicted
    with pytest.raises(DataError, match=r"a Series named 'other' now; .* X\.rename\('text'\)"):
        classifier.predict(frame["text"].rename("other"))


def test_a_frame_of_several_kinds_of_columns_is_read_as_it_is() -> None:
    # The number and the text come in another order in the network than in the frame.
    frame = pd.DataFrame(
        {"size": np.arange(24.0) % 2, "word": WORDS, "port": ["Cork", "Kiel"] * 12}
    )
    one_of_both = [
        "yes" if (letters == "ab") == (size == 1) else "no"
        for letters, size in zip(LETTERS, frame["size"], strict=True)
    ]
    settings = ONE | {"columns": {"word": {"kind": "text:char"}}, "max_rows": 20}
    classifier = SequenceClassifier(**GOOD | {"epochs": 30, "settings": settings})
    classifier.fit(frame, one_of_both)
    assert classifier.model_.task.input.kind == "mixture"
    assert classifier.model_.task.input_columns == ("word", "size", "port")
    assert classifier.score(frame, one_of_both) > 0.9
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(frame[["word", "size", "port"]])


def test_a_frame_of_polars_is_read_by_its_columns() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"text": WORDS})
    classifier = SequenceClassifier(**SMALL).fit(frame, LETTERS)
    assert classifier.predict(frame).tolist() == classifier.predict(frame["text"]).tolist()


@pytest.mark.parametrize(
    ("X", "words"),
    [
        ("abc", "X must be a list of sequences or an array, one sequence a sample, got 'abc'"),
        (None, "X must be a list of sequences or an array, one sequence a sample, got None"),
        (["a"], "X must have at least 2 samples, got n_samples = 1"),
        (np.arange(24.0), "sample 0 is np.float64(0.0). If each sample is one number, pass two"),
        (["a", None] * 12, "but sample 1 is None."),
        (["a", ["b"]] * 12, "column 'X' mixes types: row 0 holds 'a' (str) and row 1 holds ['b']"),
        (WORDS[:-1], "must have equally many rows: 'X' has 23, 'y' has 24"),
        (csr_array(np.eye(24)), "a sparse matrix cannot be read, only dense numbers"),
        ([np.array([1.0, np.inf])] * 24, "holds [inf] at step 1, beyond the largest number"),
    ],
)
def test_an_x_that_cannot_be_read_is_refused_in_words(X: Any, words: str) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        SequenceClassifier(**SMALL).fit(X, LETTERS)


@pytest.mark.parametrize(
    ("estimator", "y", "words"),
    [
        (SequenceClassifier, None, "requires y to be passed, but the target y is None"),
        (SequenceClassifier, ["ab"] * 24, "a target needs at least two classes, and all 24"),
        (SequenceClassifier, np.array(["a", 1] * 12, object), "of one type, got 'a' and 1"),
        (SequenceClassifier, ["", "b"] * 12, "row 0, column y: the class is missing"),
        (SequenceRegressor, [1e39] * 24, "beyond the largest number that a network can read"),
        (SequenceTagger, ["V C V"] * 24, "but sample 0 has the string 'V C V'; split it first"),
        (SequenceTagger, [*TAGS[:-1], ["other"]], "row 23: X has 4 steps and y has 1"),
        (SequenceTagger, LETTERS, "but sample 0 has the string 'ab'"),
        (SequenceTagger, range(24), "y must hold one sequence a sample"),
    ],
)
def test_a_y_that_cannot_be_a_target_is_refused_in_words(
    estimator: Any, y: Any, words: str
) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        estimator(**SMALL).fit(TOKENS, y)
