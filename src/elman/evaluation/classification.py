"""How well one of a few names is told: accuracy, F1, confusions, probabilities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from elman.errors import OptionError, ShapeError
from elman.evaluation.measures import WORST, Measured, Scores, check_pairs

BINS = 15
"""Bins of confidence that the calibration error is measured in, as in Guo et al. 2017."""
ROUNDING = 1e-3
"""How far from one the sum of a row's probabilities may be, for the sake of half precision."""


class ClassScores(NamedTuple):
    """How well one name is told from all others.

        precision = TP / (TP + FP)     recall = TP / (TP + FN)     F1 = 2 TP / (2 TP + FP + FN)

    0 / 0 counts as 0, as in scikit-learn and conlleval.

    Attributes:
        name: the name.
        precision: share of the answers with this name that are right.
        recall: share of the truths with this name that were found.
        f1: their harmonic mean.
        support: truths with this name, TP + FN.
        answered: answers with this name, TP + FP.
    """

    name: Hashable
    precision: float
    recall: float
    f1: float
    support: int
    answered: int

    @classmethod
    def of(cls, name: Hashable, hits: int, support: int, answered: int) -> ClassScores:
        """Make the scores of a name from its counts."""
        return cls(
            name,
            hits / answered if answered else 0.0,
            hits / support if support else 0.0,
            2 * hits / (support + answered) if support + answered else 0.0,
            support,
            answered,
        )


class Mistake(NamedTuple):
    """A wrong answer, and how sure it was."""

    row: int
    truth: Hashable
    answer: Hashable
    probability: float
    """That was given to the answer."""


class Calibration(NamedTuple):
    """How the given probabilities stand to the share of right answers.

        error = Σ_b (n_b / N) · |accuracy_b − confidence_b|

    over bins b of equal width of the probability given to the answer, (0, 1/M], …, (1 − 1/M, 1].

    Source: Guo et al. 2017, arXiv:1706.04599, eq. 3.

    Attributes:
        error: the expected calibration error.
        confidence: mean probability given to the answer, of every bin that is not empty.
        accuracy: share of right answers in it.
        counts: answers in it.
    """

    error: float
    confidence: list[float]
    accuracy: list[float]
    counts: list[int]


def names_of(
    truths: Sequence[Hashable],
    answers: Sequence[Hashable],
    names: Sequence[Hashable] | None = None,
) -> list[Hashable]:
    """List the names in order: those given, then whatever else occurs, sorted as text.

    Raises:
        OptionError: a given name stands twice.
    """
    known = list(names or ())
    for name, count in Counter(known).items():
        if count > 1:
            raise OptionError(f"names must differ from each other, got {name!r} {count} times.")
    return known + sorted({*truths, *answers} - set(known), key=str)


def confusions(
    truths: Sequence[Hashable], answers: Sequence[Hashable], names: Sequence[Hashable]
) -> list[tuple[int, int, int]]:
    """Count every pair of truth and answer that occurs: the confusion matrix without its zeros.

    Args:
        truths: N names.
        answers: N names.
        names: every truth and answer among them.

    Returns:
        Place of the truth in `names`, place of the answer, and how often; by place.
    """
    places = {name: place for place, name in enumerate(names)}
    pairs = Counter(zip(truths, answers, strict=True))
    return sorted((places[t], places[a], count) for (t, a), count in pairs.items())


def per_class(
    truths: Sequence[Hashable], answers: Sequence[Hashable], names: Sequence[Hashable]
) -> list[ClassScores]:
    """Score every name; one that is neither true nor answered anywhere is there with zeros."""
    support, answered = Counter(truths), Counter(answers)
    hits = Counter(t for t, a in zip(truths, answers, strict=True) if t == a)
    return [ClassScores.of(name, hits[name], support[name], answered[name]) for name in names]


def macro_f1(classes: Sequence[ClassScores]) -> float:
    """Return the mean F1 of the names that are true or answered anywhere, as scikit-learn's."""
    seen = [each.f1 for each in classes if each.support or each.answered]
    return sum(seen) / len(seen) if seen else 0.0


def weighted_f1(classes: Sequence[ClassScores]) -> float:
    """Return the mean F1 weighted by support; 0 where nothing is true."""
    support = sum(each.support for each in classes)
    return sum(each.f1 * each.support for each in classes) / support if support else 0.0


def log_loss(
    truths: Sequence[Hashable], probabilities: ArrayLike, names: Sequence[Hashable]
) -> float:
    """Return −(1/N) Σ ln p(truth) in nats; infinite where a truth has a probability of 0.

    A truth that is not among the names has a probability of 0.

    Args:
        truths: N names.
        probabilities: of the names, (N, n).
        names: n names.

    Raises:
        ShapeError, OptionError: `probabilities` are not such, as `checked_probabilities` says.
    """
    given = checked_probabilities(probabilities, len(truths), names)
    places = {name: place for place, name in enumerate(names)}
    chosen = [
        given[row, places[name]] if name in places else 0.0 for row, name in enumerate(truths)
    ]
    with np.errstate(divide="ignore"):
        return float(-np.log(chosen).mean())


def calibration(
    truths: Sequence[Hashable],
    answers: Sequence[Hashable],
    probabilities: ArrayLike,
    *,
    bins: int = BINS,
) -> Calibration:
    """Measure whether answers given with probability p are right in a share p of cases.

    Args:
        truths: N names.
        answers: N names.
        probabilities: (N, n); the largest of a row is the confidence in its answer.
        bins: of confidence, at least 1.

    Raises:
        OptionError: bins < 1.
    """
    if bins < 1:
        raise OptionError(f"bins must be at least 1, got {bins}.")
    confidence = np.asarray(probabilities, np.float64).max(axis=1)
    right = np.array([t == a for t, a in zip(truths, answers, strict=True)], np.float64)
    # Rounding may lift a probability a hair above 1; it belongs into the last bin.
    places = np.minimum(np.ceil(confidence * bins).astype(np.int64), bins) - 1
    counts = np.bincount(places, minlength=bins)
    filled = counts > 0
    sums = [np.bincount(places, weights=each, minlength=bins) for each in (confidence, right)]
    sure, accuracy = (each[filled] / counts[filled] for each in sums)
    error = float((counts[filled] * np.abs(accuracy - sure)).sum() / len(confidence))
    return Calibration(error, sure.tolist(), accuracy.tolist(), counts[filled].tolist())


def worst_mistakes(
    truths: Sequence[Hashable],
    answers: Sequence[Hashable],
    probabilities: ArrayLike,
    *,
    count: int = WORST,
) -> list[Mistake]:
    """List the wrong answers that were given most surely, the surest first."""
    confidence = np.asarray(probabilities, np.float64).max(axis=1)
    wrong = [
        Mistake(row, truth, answer, float(confidence[row]))
        for row, (truth, answer) in enumerate(zip(truths, answers, strict=True))
        if truth != answer
    ]
    return sorted(wrong, key=lambda mistake: -mistake.probability)[:count]


def checked_probabilities(
    probabilities: ArrayLike, rows: int, names: Sequence[Hashable], *, one_of: bool = True
) -> NDArray[np.float64]:
    """Return probabilities as an array, (N, n).

    Args:
        probabilities: what to check.
        rows: N.
        names: n names, one a column.
        one_of: whether exactly one name is right, so that a row sums to one.

    Raises:
        ShapeError: it is not (N, n).
        OptionError: a number lies outside 0 … 1, or a row does not sum to one.
    """
    given = np.asarray(probabilities, np.float64)
    if given.shape != (rows, len(names)):
        raise ShapeError(
            f"probabilities must be (N, n) = ({rows}, {len(names)}), a row a truth and a column a "
            f"name, got {given.shape}."
        )
    inside = ((given >= 0) & (given <= (1 + ROUNDING if one_of else 1))).all(axis=1)
    if not inside.all():
        raise OptionError(
            f"probabilities must lie in 0 … 1, and those of row {inside.argmin()} do not."
        )
    sums = given.sum(axis=1)
    uneven = np.abs(sums - 1) > ROUNDING
    if one_of and uneven.any():
        row = int(uneven.argmax())
        raise OptionError(
            f"probabilities of a row must sum to 1, and those of row {row} sum to {sums[row]:.4g}. "
            "Where several names can be true at once, score them as labels."
        )
    return given


def classification_scores(
    truths: Sequence[Hashable],
    answers: Sequence[Hashable],
    probabilities: ArrayLike | None = None,
    *,
    names: Sequence[Hashable] | None = None,
) -> Scores:
    """Score answers that are one of a few names.

    Args:
        truths: N names.
        answers: N names.
        probabilities: of `names`, (N, n); adds log loss, calibration and the worst mistakes.
        names: the n names the answers are chosen from, in the order of the probabilities; by
            default whatever occurs.

    Returns:
        accuracy (chief), macro_f1, weighted_f1, and with probabilities log_loss and
        calibration_error. `details`: `names`; `confusion`, see `confusions`; `classes`, a
        `ClassScores` each; `commonest`, the name most often true and its share; with
        probabilities `worst`, a `Mistake` each, and `calibration`.

    Raises:
        DataError: there is nothing to score, or not an answer for each truth.
        OptionError, ShapeError: names or probabilities are wrong.
    """
    check_pairs(truths, answers)
    measured = Measured()
    details = add_name_scores(measured, truths, answers, names)
    if probabilities is not None:
        given = add_probability_scores(measured, truths, answers, probabilities, names)
        details["calibration"] = calibration(truths, answers, given)._asdict()
        details["worst"] = [each._asdict() for each in worst_mistakes(truths, answers, given)]
    return Scores(
        kind="classification",
        main="accuracy",
        values=measured.values,
        count=len(truths),
        unit="rows",
        details=details,
        notes=tuple(measured.notes),
    )


def add_name_scores(
    measured: Measured,
    truths: Sequence[Hashable],
    answers: Sequence[Hashable],
    names: Sequence[Hashable] | None,
) -> dict[str, Any]:
    """Measure accuracy and F1, and return the tables behind them."""
    every = names_of(truths, answers, names)
    classes = per_class(truths, answers, every)
    right = sum(t == a for t, a in zip(truths, answers, strict=True))
    measured.values["accuracy"] = right / len(truths)
    measured.values["macro_f1"] = macro_f1(classes)
    measured.values["weighted_f1"] = weighted_f1(classes)
    if names is not None:
        unforeseen = [repr(name) for name in every[len(names) :] if name in set(truths)]
        if unforeseen:
            measured.notes.append(f"No answer can be {', '.join(unforeseen)}, but some truths are.")
    commonest = max(classes, key=lambda each: each.support)
    return {
        "names": every,
        "confusion": [list(pair) for pair in confusions(truths, answers, every)],
        "classes": [each._asdict() for each in classes],
        "commonest": {"name": commonest.name, "share": commonest.support / len(truths)},
    }


def add_probability_scores(
    measured: Measured,
    truths: Sequence[Hashable],
    answers: Sequence[Hashable],
    probabilities: ArrayLike,
    names: Sequence[Hashable] | None,
) -> NDArray[np.float64]:
    """Measure log loss and calibration, and return the probabilities as an array.

    Raises:
        OptionError: names are not given, without which nobody knows what the columns are.
    """
    if names is None:
        raise OptionError("probabilities need names: which name is each of their columns of?")
    given = checked_probabilities(probabilities, len(truths), names)
    loss = log_loss(truths, given, names)
    measured.add("log_loss", loss, "a truth was given a probability of 0, which costs infinitely")
    measured.values["calibration_error"] = calibration(truths, answers, given).error
    return given
