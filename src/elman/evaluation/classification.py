"""Scores of a predicted class: accuracy, F1, confusion matrix, log loss, calibration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from elman.errors import OptionError, ShapeError
from elman.evaluation.measures import WORST, Measured, Scores, check_pairs
from elman.evaluation.never_learned import Where, add_never_learned, add_never_predicted

BINS = 15
"""Bins of confidence that the calibration error is measured in, as in Guo et al. 2017."""
ROUNDING = 1e-3
"""How far from one the sum of a row's probabilities may be; half precision is not exact."""


class ClassScores(NamedTuple):
    """Scores of one class against all others.

        precision = TP / (TP + FP)     recall = TP / (TP + FN)     F1 = 2 TP / (2 TP + FP + FN)

    0 / 0 counts as 0, as in scikit-learn and conlleval.

    Attributes:
        name: name of the class.
        precision: share of the predictions of this class that are right.
        recall: share of the rows of this class that are predicted as it.
        f1: their harmonic mean.
        support: rows of this class, TP + FN.
        answered: predictions of this class, TP + FP.
    """

    name: Hashable
    precision: float
    recall: float
    f1: float
    support: int
    answered: int

    @classmethod
    def of(cls, name: Hashable, hits: int, support: int, answered: int) -> ClassScores:
        """Make the scores of a class from its counts."""
        return cls(
            name,
            hits / answered if answered else 0.0,
            hits / support if support else 0.0,
            2 * hits / (support + answered) if support + answered else 0.0,
            support,
            answered,
        )


class Mistake(NamedTuple):
    """A wrong prediction and its probability."""

    row: int
    truth: Hashable
    answer: Hashable
    probability: float
    """Probability of the prediction."""


class Calibration(NamedTuple):
    """Predicted probabilities beside the share of predictions that are right.

        error = Σ_b (n_b / N) · |accuracy_b − confidence_b|

    over bins b of equal width of the prediction's probability, (0, 1/M], …, (1 − 1/M, 1].

    Source: Guo et al. 2017, arXiv:1706.04599, eq. 3.

    Attributes:
        error: the expected calibration error.
        confidence: mean probability of the predictions in each bin that is not empty.
        accuracy: share of right predictions in each.
        counts: number of predictions in each.
    """

    error: float
    confidence: list[float]
    accuracy: list[float]
    counts: list[int]


def names_of(
    truths: Sequence[Hashable],
    predictions: Sequence[Hashable],
    names: Sequence[Hashable] | None = None,
) -> list[Hashable]:
    """List the classes in order: those given, then any others that occur, sorted as text.

    Raises:
        OptionError: a class is given twice.
    """
    known = list(names or ())
    for name, count in Counter(known).items():
        if count > 1:
            raise OptionError(f"names must differ from each other, got {name!r} {count} times.")
    return known + sorted({*truths, *predictions} - set(known), key=str)


def confusions(
    truths: Sequence[Hashable], predictions: Sequence[Hashable], names: Sequence[Hashable]
) -> list[tuple[int, int, int]]:
    """Count every pair of truth and prediction that occurs: the confusion matrix without its zeros.

    Args:
        truths: the true class of each of N rows.
        predictions: the predicted class of each.
        names: the classes; every truth and prediction is among them.

    Returns:
        Index of the true class in `names`, index of the predicted one, and count; sorted.
    """
    places = {name: place for place, name in enumerate(names)}
    pairs = Counter(zip(truths, predictions, strict=True))
    return sorted((places[t], places[a], count) for (t, a), count in pairs.items())


def per_class(
    truths: Sequence[Hashable], predictions: Sequence[Hashable], names: Sequence[Hashable]
) -> list[ClassScores]:
    """Score every class; one that is never true and never predicted has zeros."""
    support, predicted = Counter(truths), Counter(predictions)
    hits = Counter(t for t, p in zip(truths, predictions, strict=True) if t == p)
    return [ClassScores.of(name, hits[name], support[name], predicted[name]) for name in names]


def macro_f1(classes: Sequence[ClassScores]) -> float:
    """Return the mean F1 of the classes that are true or predicted anywhere, as scikit-learn."""
    seen = [each.f1 for each in classes if each.support or each.answered]
    return sum(seen) / len(seen) if seen else 0.0


def weighted_f1(classes: Sequence[ClassScores]) -> float:
    """Return the mean F1 weighted by support; 0 where no class has any."""
    support = sum(each.support for each in classes)
    return sum(each.f1 * each.support for each in classes) / support if support else 0.0


def log_loss(
    truths: Sequence[Hashable], probabilities: ArrayLike, names: Sequence[Hashable]
) -> float:
    """Return −(1/N) Σ ln p(truth) in nats; infinite where a truth has a probability of 0.

    A true class that is not among `names` has a probability of 0.

    Args:
        truths: the true class of each of N rows.
        probabilities: of the classes, (N, n).
        names: the n classes.

    Raises:
        ShapeError, OptionError: `probabilities` are invalid; see `checked_probabilities`.
    """
    checked = checked_probabilities(probabilities, len(truths), names)
    columns = {name: column for column, name in enumerate(names)}
    of_truths = [
        checked[row, columns[name]] if name in columns else 0.0 for row, name in enumerate(truths)
    ]
    with np.errstate(divide="ignore"):
        return float(-np.log(of_truths).mean())


def calibration(
    truths: Sequence[Hashable],
    predictions: Sequence[Hashable],
    probabilities: ArrayLike,
    *,
    bins: int = BINS,
) -> Calibration:
    """Measure whether predictions of probability p are right in a share p of cases.

    Args:
        truths: the true class of each of N rows.
        predictions: the predicted class of each.
        probabilities: (N, n); the largest of a row is the confidence in its prediction.
        bins: number of bins of confidence, at least 1.

    Raises:
        OptionError: bins < 1.
    """
    if bins < 1:
        raise OptionError(f"bins must be at least 1, got {bins}.")
    confidence = np.asarray(probabilities, np.float64).max(axis=1)
    right = np.array([t == a for t, a in zip(truths, predictions, strict=True)], np.float64)
    # Rounding may lift a probability slightly above 1; it belongs in the last bin.
    places = np.minimum(np.ceil(confidence * bins).astype(np.int64), bins) - 1
    counts = np.bincount(places, minlength=bins)
    filled = counts > 0
    sums = [np.bincount(places, weights=each, minlength=bins) for each in (confidence, right)]
    mean, accuracy = (each[filled] / counts[filled] for each in sums)
    error = float((counts[filled] * np.abs(accuracy - mean)).sum() / len(confidence))
    return Calibration(error, mean.tolist(), accuracy.tolist(), counts[filled].tolist())


def worst_mistakes(
    truths: Sequence[Hashable],
    predictions: Sequence[Hashable],
    probabilities: ArrayLike,
    *,
    count: int = WORST,
) -> list[Mistake]:
    """List the wrong predictions of the highest probability, highest first."""
    confidence = np.asarray(probabilities, np.float64).max(axis=1)
    wrong = [
        Mistake(row, truth, prediction, float(confidence[row]))
        for row, (truth, prediction) in enumerate(zip(truths, predictions, strict=True))
        if truth != prediction
    ]
    return sorted(wrong, key=lambda mistake: -mistake.probability)[:count]


def checked_probabilities(
    probabilities: ArrayLike, rows: int, names: Sequence[Hashable], *, one_of: bool = True
) -> NDArray[np.float64]:
    """Return probabilities as an array, (N, n).

    Args:
        probabilities: the values to check.
        rows: N.
        names: the n classes, one a column.
        one_of: whether exactly one class is right, so that a row sums to one.

    Raises:
        ShapeError: it is not (N, n).
        OptionError: a number lies outside 0 … 1, or a row does not sum to one.
    """
    checked = np.asarray(probabilities, np.float64)
    if checked.shape != (rows, len(names)):
        raise ShapeError(
            f"probabilities must be (N, n) = ({rows}, {len(names)}), a row a truth and a column a "
            f"class, got {checked.shape}."
        )
    inside = ((checked >= 0) & (checked <= (1 + ROUNDING if one_of else 1))).all(axis=1)
    if not inside.all():
        raise OptionError(
            f"probabilities must lie in 0 … 1, and those of row {inside.argmin()} do not."
        )
    sums = checked.sum(axis=1)
    uneven = np.abs(sums - 1) > ROUNDING
    if one_of and uneven.any():
        row = int(uneven.argmax())
        raise OptionError(
            f"probabilities of a row must sum to 1, and those of row {row} sum to {sums[row]:.4g}. "
            "Where several classes can be true at once, score them as labels."
        )
    return checked


def classification_scores(
    truths: Sequence[Hashable],
    predictions: Sequence[Hashable],
    probabilities: ArrayLike | None = None,
    *,
    names: Sequence[Hashable] | None = None,
    learned: Sequence[Hashable] | None = None,
    where: Where | None = None,
) -> Scores:
    """Score predicted classes.

    Args:
        truths: the true class of each of N rows.
        predictions: the predicted class of each.
        probabilities: of `names`, (N, n); adds log loss, calibration and the worst mistakes.
        names: the n classes that can be predicted, in the order of the probabilities; by
            default those that occur.
        learned: those of `names` that a training row has; by default all.
        where: row → its place, for the note on true classes that are not among `learned`.

    Returns:
        accuracy (main), macro_f1, weighted_f1, and with probabilities log_loss and
        calibration_error. `details`: `names`; `confusion`, see `confusions`; `classes`, a
        `ClassScores` each; `commonest`, the most frequent true class and its share; where
        true ones were never learned, `never_learned`, a `NeverLearned` each; with probabilities
        `worst`, a `Mistake` each, and `calibration`.

    Raises:
        DataError: there is nothing to score, or there is not one prediction for each truth.
        OptionError, ShapeError: names or probabilities are wrong.
    """
    check_pairs(truths, predictions)
    measured = Measured()
    details = add_name_scores(measured, truths, predictions, names)
    add_never_learned(
        measured,
        details,
        [[truth] for truth in truths],
        names if learned is None else learned,
        noun="class",
        where=where,
    )
    add_never_predicted(measured, details)
    if probabilities is not None:
        checked = add_probability_scores(measured, truths, predictions, probabilities, names)
        details["calibration"] = calibration(truths, predictions, checked)._asdict()
        mistakes = worst_mistakes(truths, predictions, checked)
        details["worst"] = [mistake._asdict() for mistake in mistakes]
    return measured.scores(kind="classification", count=len(truths), unit="rows", details=details)


def add_name_scores(
    measured: Measured,
    truths: Sequence[Hashable],
    predictions: Sequence[Hashable],
    names: Sequence[Hashable] | None,
) -> dict[str, Any]:
    """Measure accuracy and F1, and return the tables behind them."""
    every = names_of(truths, predictions, names)
    classes = per_class(truths, predictions, every)
    right = sum(t == a for t, a in zip(truths, predictions, strict=True))
    measured.values["accuracy"] = right / len(truths)
    measured.values["macro_f1"] = macro_f1(classes)
    measured.values["weighted_f1"] = weighted_f1(classes)
    commonest = max(classes, key=lambda each: each.support)
    return {
        "names": every,
        "confusion": [list(pair) for pair in confusions(truths, predictions, every)],
        "classes": [each._asdict() for each in classes],
        "commonest": {"name": commonest.name, "share": commonest.support / len(truths)},
    }


def add_probability_scores(
    measured: Measured,
    truths: Sequence[Hashable],
    predictions: Sequence[Hashable],
    probabilities: ArrayLike,
    names: Sequence[Hashable] | None,
) -> NDArray[np.float64]:
    """Measure log loss and calibration, and return the probabilities as an array.

    Raises:
        OptionError: `names` are not given, so that the columns have no meaning.
    """
    if names is None:
        raise OptionError("probabilities need names: the class of each of their columns.")
    checked = checked_probabilities(probabilities, len(truths), names)
    loss = log_loss(truths, checked, names)
    known = set(names)
    strange = sum(truth not in known for truth in truths)
    why = "a true class has a predicted probability of 0, so it is infinite"
    if strange:
        why = (
            f"{strange:,} of {len(truths):,} true names were never learned; their probability is "
            "0, so it is infinite"
        )
    measured.add("log_loss", loss, why)
    measured.values["calibration_error"] = calibration(truths, predictions, checked).error
    return checked
