"""What the networks of the recipes are set beside: plain methods, run here on the same rows.

Each takes seconds to a minute and returns a line of words with its score on the test part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from elman.data import catalog
from elman.experiment import read_experiment
from elman.tasks.layout import layout_of
from elman.tasks.rows import Parts


def surnames() -> str:
    """Score a logistic regression of character n-grams: macro F1 and accuracy."""
    strength, macro, right = _best_regression(
        "surnames",
        {"analyzer": "char_wb", "ngram_range": (1, 4)},
        (1.0, 10.0, 100.0),
        "macro_f1",
    )
    return (
        f"character n-grams (1 to 4, tf-idf) and logistic regression, C = {strength:g} chosen on "
        f"validation: macro F1 {macro:.3f}, accuracy {right:.3f}"
    )


def bag_of_words(recipe: str) -> str:
    """Score a logistic regression of words and pairs of words."""
    words: dict[str, object] = {"ngram_range": (1, 2), "token_pattern": r"\S+"}
    strength, _, right = _best_regression(recipe, words, (1.0, 3.0, 10.0, 30.0), "accuracy")
    return (
        f"words and pairs of words (tf-idf) and logistic regression, C = {strength:g} chosen on "
        f"validation: accuracy {right:.3f}"
    )


def _best_regression(
    recipe: str, features: dict[str, object], strengths: tuple[float, ...], chosen_by: str
) -> tuple[float, float, float]:
    """Select C on the validation rows; return it, macro F1 and accuracy on the test rows."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.pipeline import make_pipeline

    parts = _parts(recipe)

    def measured(model: object, part: object) -> dict[str, float]:
        texts, truths = _texts(part)
        predicted = model.predict(texts)  # type: ignore[attr-defined]
        macro = f1_score(truths, predicted, average="macro")
        return {"macro_f1": macro, "accuracy": accuracy_score(truths, predicted)}

    models = {
        strength: make_pipeline(
            TfidfVectorizer(sublinear_tf=True, **features),
            LogisticRegression(C=strength, max_iter=3000),
        ).fit(*_texts(parts.train))
        for strength in strengths
    }
    best = max(models, key=lambda strength: measured(models[strength], parts.valid)[chosen_by])
    scores = measured(models[best], parts.test)
    return best, scores["macro_f1"], scores["accuracy"]


def nearest_neighbour(recipe: str) -> str:
    """Score the nearest neighbour under dynamic time warping, as the UCR archive does."""
    tables = catalog.tables(read_experiment(recipe).data.name or "")
    known = [_steps(each) for each in tables["train"].column("series")]
    labels = list(tables["train"].column("label"))
    right = 0
    asked = list(zip(tables["test"].column("series"), tables["test"].column("label"), strict=True))
    for series, truth in asked:
        right += labels[int(warping_distances(_steps(series), known).argmin())] == truth
    share = right / len(asked)
    return f"nearest neighbour under dynamic time warping, no window: accuracy {share:.3f}"


def warping_distances(
    a: NDArray[np.float64], others: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return the squared distance of a series (T, I) to each of others along the best alignment.

    D(i, j) = ‖a(i) − b(j)‖² + min { D(i−1, j), D(i, j−1), D(i−1, j−1) }
    """
    lengths = np.array([len(other) for other in others])
    padded = np.zeros((len(others), lengths.max(), a.shape[1]))
    for row, other in enumerate(others):
        padded[row, : len(other)] = other
    previous = np.full((lengths.max() + 1, len(others)), np.inf)
    previous[0] = 0.0
    for step in a:
        costs = np.square(padded - step).sum(-1).T
        current = np.full_like(previous, np.inf)
        reach = np.minimum(previous[1:], previous[:-1])
        for j in range(len(costs)):
            current[j + 1] = costs[j] + np.minimum(reach[j], current[j])
        previous = current
    return previous[lengths, np.arange(len(others))]


def gestures() -> str:
    """Score the most frequent phase, and a dense network that reads one frame at a time."""
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    parts = _parts("gestures")
    data = layout_of(read_experiment("gestures").data).with_known_columns()

    def frames(part: str) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
        table = getattr(parts, part)
        cells = [_beside(each) for each in table.values(data.input)]
        return np.concatenate(cells), np.concatenate([list(v) for v in table.column("phase")])

    x, y = frames("train")
    test_x, test_y = frames("test")
    names, counts = np.unique(y, return_counts=True)
    common = str(names[counts.argmax()])
    scaler = StandardScaler().fit(x)
    dense = MLPClassifier((128, 64), early_stopping=True, random_state=1, max_iter=300)
    predicted = dense.fit(scaler.transform(x), y).predict(scaler.transform(test_x))
    constant = np.full_like(test_y, common)
    return (
        f"most frequent phase ({common}): accuracy {accuracy_score(test_y, constant):.3f}, macro "
        f"F1 {f1_score(test_y, constant, average='macro'):.3f}; dense network (128, 64) on single "
        f"frames: accuracy {accuracy_score(test_y, predicted):.3f}, macro F1 "
        f"{f1_score(test_y, predicted, average='macro'):.3f}"
    )


def pedal() -> str:
    """Score the dry signal, and cite the authors' network."""
    parts = _parts("pedal")
    dry, wet = (np.asarray(next(iter(parts.test.column(name))), float) for name in ("dry", "wet"))
    ratio = np.square(wet - dry).sum() / np.square(wet).sum()
    return (
        f"the dry signal unchanged: error-to-signal ratio {ratio:.3g}; the authors' LSTM of hidden "
        "size 32 has 0.0187 on all ten seconds, including these two (published with Wright and "
        "Välimäki 2021; its training data is not stated, apparently other recordings)"
    )


def captions() -> str:
    """Score one caption for all images, and the captions of the nearest training image."""
    from elman.evaluation.scores import score

    parts = _parts("captions")
    captions_of: list[dict[bytes, list[str]]] = []
    for table in (parts.train, parts.test):
        references: dict[bytes, list[str]] = {}
        for picture, caption in zip(table.column("image"), table.column("caption"), strict=True):
            key = np.asarray(picture, np.uint8).tobytes()
            references.setdefault(key, []).append(caption.lower())
        captions_of.append(references)
    train, test = captions_of
    truths = list(test.values())
    every = [caption for references in train.values() for caption in references]
    common = max(every, key=every.count)
    pixels = np.stack([np.frombuffer(key, np.uint8) for key in train]).astype(np.float32)
    first = [references[0] for references in train.values()]
    nearest = [
        first[int(np.square(pixels - np.frombuffer(key, np.uint8)).sum(1).argmin())] for key in test
    ]
    scores = []
    for predictions in ([common] * len(truths), nearest):
        values = score("caption", truths, predictions, lowercase=True).values
        scores.append(" / ".join(f"{values[f'bleu_{order}']:.1f}" for order in (1, 2, 3, 4)))
    return (
        f"the most frequent caption ({common!r}) for all: BLEU-1 to BLEU-4 {scores[0]}; the first "
        f"caption of the nearest training image, by pixels: {scores[1]}"
    )


def _parts(recipe: str) -> Parts:
    experiment = read_experiment(recipe)
    return layout_of(layout_of(experiment.data).with_known_columns()).parts(experiment.seed)


def _texts(table: object) -> tuple[list[str], list[str]]:
    columns = [list(table.column(name)) for name in ("text", "label")]  # type: ignore[attr-defined]
    return [f" {text} " for text in columns[0]], columns[1]


def _steps(series: NDArray[np.float64]) -> NDArray[np.float64]:
    series = np.asarray(series, float)
    return series[:, None] if series.ndim == 1 else series


def _beside(columns: list[object]) -> NDArray[np.float64]:
    """Concatenate the columns of a row, one row of the result per step."""
    return np.concatenate([_steps(np.asarray(each, float)) for each in columns], axis=1)
