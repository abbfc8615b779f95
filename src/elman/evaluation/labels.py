"""Scores of predicted labels, of which a row has any number."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from elman.errors import OptionError
from elman.evaluation.classification import (
    ClassScores,
    checked_probabilities,
    macro_f1,
    names_of,
    weighted_f1,
)
from elman.evaluation.measures import WORST, Measured, Scores, check_pairs
from elman.evaluation.never_learned import Where, add_never_learned, add_never_predicted


def labels_scores(
    truths: Sequence[Sequence[Hashable]],
    predictions: Sequence[Sequence[Hashable]],
    probabilities: ArrayLike | None = None,
    *,
    names: Sequence[Hashable] | None = None,
    learned: Sequence[Hashable] | None = None,
    where: Where | None = None,
) -> Scores:
    """Score predictions that are sets of labels.

        micro F1 = 2 Σ TP / (2 Σ TP + Σ FP + Σ FN), sums over all labels; 0 where there are none

    Args:
        truths: N collections of labels; order and repetition do not count.
        predictions: N collections of labels.
        probabilities: of each of `names` by itself, (N, n); adds the log loss.
        names: the n labels, in the order of the probabilities; by default those that occur.
        learned: those of `names` that a training row has; by default all.
        where: row → its place, for the note on true labels that are not among `learned`.

    Returns:
        micro_f1 (main), macro_f1, weighted_f1, subset_accuracy, and with probabilities log_loss:
        the mean over rows and labels. `details`: `names`; `classes`, a `ClassScores` each;
        `worst`, the rows with most wrong labels; where true ones were never learned,
        `never_learned`, a `NeverLearned` each.

    Raises:
        DataError: there is nothing to score, or there is not one prediction for each truth.
        OptionError, ShapeError: names or probabilities are wrong.
    """
    check_pairs(truths, predictions)
    true, predicted = ([frozenset(each) for each in rows] for rows in (truths, predictions))
    every = names_of(list(chain(*true)), list(chain(*predicted)), names)
    classes = [_class_scores(name, true, predicted) for name in every]
    measured = Measured()
    measured.values |= {
        "micro_f1": _micro_f1(true, predicted),
        "macro_f1": macro_f1(classes),
        "weighted_f1": weighted_f1(classes),
        "subset_accuracy": sum(t == p for t, p in zip(true, predicted, strict=True)) / len(true),
    }
    details: dict[str, Any] = {
        "names": every,
        "classes": [each._asdict() for each in classes],
        "worst": _worst(true, predicted),
    }
    rows = [sorted(row, key=str) for row in true]
    known = names if learned is None else learned
    add_never_learned(measured, details, rows, known, noun="label", where=where)
    add_never_predicted(measured, details)
    if probabilities is not None:
        if names is None:
            raise OptionError("probabilities need names: the label of each of their columns.")
        loss: float | None = _log_loss(true, probabilities, names)
        why = "a true label has a predicted probability of 0, or a false one of 1"
        if not set(chain(*true)) <= set(names):
            why = "labels that were never learned have a probability of 0, so it is infinite"
            loss = None
        measured.add("log_loss", loss, why)
    return measured.scores(kind="labels", count=len(truths), unit="rows", details=details)


def _class_scores(
    name: Hashable,
    truths: Sequence[frozenset[Hashable]],
    predictions: Sequence[frozenset[Hashable]],
) -> ClassScores:
    """Score one label by itself, as present or absent."""
    return ClassScores.of(
        name,
        sum(name in t and name in a for t, a in zip(truths, predictions, strict=True)),
        sum(name in t for t in truths),
        sum(name in a for a in predictions),
    )


def _micro_f1(
    truths: Sequence[frozenset[Hashable]], predictions: Sequence[frozenset[Hashable]]
) -> float:
    """Return the F1 of all labels counted together; 0 where there are none."""
    hits = sum(len(t & a) for t, a in zip(truths, predictions, strict=True))
    either = sum(len(t) + len(a) for t, a in zip(truths, predictions, strict=True))
    return 2 * hits / either if either else 0.0


def _log_loss(
    truths: Sequence[frozenset[Hashable]], probabilities: ArrayLike, names: Sequence[Hashable]
) -> float:
    """Return the mean of −ln p over rows and labels, p that of its true presence or absence."""
    checked = checked_probabilities(probabilities, len(truths), names, one_of=False)
    present: NDArray[np.bool_] = np.array([[name in row for name in names] for row in truths])
    with np.errstate(divide="ignore"):
        return float(-np.log(np.where(present, checked, 1 - checked)).mean())


def _worst(
    truths: Sequence[frozenset[Hashable]], predictions: Sequence[frozenset[Hashable]]
) -> list[dict[str, object]]:
    wrong = {
        row: len(t ^ a) for row, (t, a) in enumerate(zip(truths, predictions, strict=True)) if t ^ a
    }
    return [
        {
            "row": row,
            "truth": sorted(truths[row], key=str),
            "answer": sorted(predictions[row], key=str),
            "wrong": wrong[row],
        }
        for row in sorted(wrong, key=lambda row: -wrong[row])[:WORST]
    ]
