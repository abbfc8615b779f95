"""Plain methods for tables of texts, categories and numbers, by scikit-learn.

Each is fitted to the training rows, with what it may choose chosen on the validation rows, and
scored on the test rows, as the networks beside it are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Cells = Mapping[str, Sequence[Any]]
"""Column → its cells; None where there is none."""

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""Of a linear model: C, or 1 / α."""
WORD = r"\w+"
"""What a word is, as a regular expression."""
WORDS = 500
"""Greatest number of words that trees read of a text."""


class Asked(NamedTuple):
    """What is predicted from what.

    Attributes:
        columns: the columns that are read.
        texts: those of them that are texts; the others are categories if their cells are strings,
            else numbers.
        target: the column to predict.
        score: `accuracy`, `micro_f1` or `r2`.
        pair: whether the texts are compared: all pairs of a word of one and a word of the other.
    """

    columns: tuple[str, ...]
    texts: tuple[str, ...]
    target: str
    score: str
    pair: bool = False


class _Divided(NamedTuple):
    train: Any
    valid: Any
    test: Any


def linear(cells: Cells, asked: Asked) -> float:
    """Score a linear model of tf-idf, indicators of categories and scaled numbers.

    Words and pairs of words are read; the strength is chosen on the validation rows. It is a
    logistic regression, one a tag for tags, and ridge regression for numbers.
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.multiclass import OneVsRestClassifier

    rows = _rows(cells)
    blocks = [csr_matrix(each) for each in _linear_blocks(cells, asked, rows.train)]
    x, y = hstack(blocks).tocsr(), _truths(cells, asked)

    def fitted(strength: float) -> Any:
        logistic = LogisticRegression(C=strength, max_iter=2_000)
        of_score = {
            "accuracy": logistic,
            "micro_f1": OneVsRestClassifier(logistic),
            "r2": Ridge(alpha=1 / strength),
        }
        return of_score[asked.score].fit(x[rows.train], y[rows.train])

    models = list(map(fitted, STRENGTHS))
    scores = [_score(asked.score, y[rows.valid], m.predict(x[rows.valid])) for m in models]
    best = models[int(np.argmax(scores))]
    return _score(asked.score, y[rows.test], best.predict(x[rows.test]))


def boosted(cells: Cells, asked: Asked) -> float:
    """Score scikit-learn's histogram gradient boosting, with its own support of categories.

    Texts are tf-idf of their most frequent words; trees are added until the validation rows gain
    nothing. Tags have a model each.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    rows = _rows(cells)
    x, categorical = _boosted_matrix(cells, asked, rows.train)
    y = _truths(cells, asked)

    def predicted(y: NDArray[Any]) -> NDArray[Any]:
        kind = HistGradientBoostingClassifier
        if asked.score == "r2":
            kind = HistGradientBoostingRegressor
        model = kind(
            categorical_features=categorical,
            max_iter=500,
            early_stopping=True,
            random_state=0,  # draws nothing: so few rows are binned whole, stopped by others
        )
        model.fit(x[rows.train], y[rows.train], X_val=x[rows.valid], y_val=y[rows.valid])
        return np.asarray(model.predict(x[rows.test]))

    together = np.stack([predicted(tag) for tag in y.T], 1) if y.ndim == 2 else predicted(y)
    return _score(asked.score, y[rows.test], together)


METHODS: Mapping[str, Callable[[Cells, Asked], float]] = {
    "linear model": linear,
    "gradient boosting": boosted,
}


def _rows(cells: Cells) -> _Divided:
    parts = np.asarray(cells["split"])
    return _Divided(*(np.flatnonzero(parts == part) for part in _Divided._fields))


def _truths(cells: Cells, asked: Asked) -> NDArray[Any]:
    """Return the true classes or numbers, (rows,), or the tags, (rows, tags)."""
    if asked.score != "micro_f1":
        return np.asarray(cells[asked.target])
    from sklearn.preprocessing import MultiLabelBinarizer

    return MultiLabelBinarizer().fit_transform([each.split(";") for each in cells[asked.target]])


def _score(name: str, truths: NDArray[Any], predicted: NDArray[Any]) -> float:
    from sklearn.metrics import accuracy_score, f1_score, r2_score

    if name == "micro_f1":
        return float(f1_score(truths, predicted, average="micro"))
    return float((accuracy_score if name == "accuracy" else r2_score)(truths, predicted))


def _linear_blocks(cells: Cells, asked: Asked, train: NDArray[np.int64]) -> list[Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    blocks = []
    texts = [np.asarray(cells[name], object) for name in asked.texts]
    for text in texts:
        words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=WORD)
        blocks.append(words.fit(text[train]).transform(text))
    if asked.pair:
        crossed = _crossed(*texts)
        pairs = TfidfVectorizer(token_pattern=r"\S+")
        blocks.append(pairs.fit(crossed[train]).transform(crossed))
    for name in _others(asked):
        column, is_number = _column(cells[name])
        of_numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
        encoder = of_numbers if is_number else OneHotEncoder(handle_unknown="ignore")
        blocks.append(encoder.fit(column[train]).transform(column))
    return blocks


def _boosted_matrix(
    cells: Cells, asked: Asked, train: NDArray[np.int64]
) -> tuple[NDArray[np.float64], list[int]]:
    """Return what trees read, and which columns of it hold categories."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import OrdinalEncoder

    blocks, categorical = [], []
    for place, name in enumerate(_others(asked)):
        column, is_number = _column(cells[name])
        if not is_number:
            codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
            column = codes.fit(column[train]).transform(column)
            categorical.append(place)
        blocks.append(np.asarray(column, float))
    for name in asked.texts:
        text = np.asarray(cells[name], object)
        words = TfidfVectorizer(max_features=WORDS, token_pattern=WORD)
        blocks.append(words.fit(text[train]).transform(text).toarray())
    return np.concatenate(blocks, 1), categorical


def _others(asked: Asked) -> list[str]:
    return [name for name in asked.columns if name not in asked.texts]


def _column(cells: Sequence[Any]) -> tuple[NDArray[Any], bool]:
    """Return a column, (rows, 1), and whether it holds numbers."""
    if any(isinstance(cell, str) for cell in cells):
        return np.asarray(["" if cell is None else cell for cell in cells], object)[:, None], False
    numbers = [np.nan if cell is None else cell for cell in cells]
    return np.asarray(numbers, float)[:, None], True


def _crossed(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Return a text of all pairs of a word of one text and a word of the other."""
    pairs = [
        " ".join(f"{a}|{b}" for a in first.split() for b in second.split())
        for first, second in zip(one, other, strict=True)
    ]
    return np.asarray(pairs, object)
