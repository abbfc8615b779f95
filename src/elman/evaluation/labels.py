"""How well any of a few names are told: several labels a row, or none."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import chain

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


def labels_scores(
    truths: Sequence[Sequence[Hashable]],
    answers: Sequence[Sequence[Hashable]],
    probabilities: ArrayLike | None = None,
    *,
    names: Sequence[Hashable] | None = None,
) -> Scores:
    """Score answers that are sets of names.

        micro F1 = 2 Σ TP / (2 Σ TP + Σ FP + Σ FN), sums over all names; 0 where there are none

    Args:
        truths: N collections of names; order and repetition do not count.
        answers: N collections of names.
        probabilities: of each of `names` by itself, (N, n); adds the log loss.
        names: the n names, in the order of the probabilities; by default whatever occurs.

    Returns:
        micro_f1 (chief), macro_f1, weighted_f1, subset_accuracy, and with probabilities log_loss:
        the mean over rows and names. `details`: `names`; `classes`, a `ClassScores` each; `worst`,
        the rows with most names wrong.

    Raises:
        DataError: there is nothing to score, or not an answer for each truth.
        OptionError, ShapeError: names or probabilities are wrong.
    """
    check_pairs(truths, answers)
    true, answered = ([frozenset(each) for each in rows] for rows in (truths, answers))
    every = names_of(list(chain(*true)), list(chain(*answered)), names)
    classes = [_class_scores(name, true, answered) for name in every]
    measured = Measured()
    measured.values |= {
        "micro_f1": _micro_f1(true, answered),
        "macro_f1": macro_f1(classes),
        "weighted_f1": weighted_f1(classes),
        "subset_accuracy": sum(t == a for t, a in zip(true, answered, strict=True)) / len(true),
    }
    if probabilities is not None:
        if names is None:
            raise OptionError(
                "probabilities need names: which name does each of their columns belong to?"
            )
        loss = _log_loss(true, probabilities, names)
        why = "what happened was given a probability of 0, which costs infinitely"
        measured.add("log_loss", loss, why)
    return Scores(
        kind="labels",
        main="micro_f1",
        values=measured.values,
        count=len(truths),
        unit="rows",
        details={
            "names": every,
            "classes": [each._asdict() for each in classes],
            "worst": _worst(true, answered),
        },
        notes=tuple(measured.notes),
    )


def _class_scores(
    name: Hashable, truths: Sequence[frozenset[Hashable]], answers: Sequence[frozenset[Hashable]]
) -> ClassScores:
    """Score one name by itself, as there or not."""
    return ClassScores.of(
        name,
        sum(name in t and name in a for t, a in zip(truths, answers, strict=True)),
        sum(name in t for t in truths),
        sum(name in a for a in answers),
    )


def _micro_f1(
    truths: Sequence[frozenset[Hashable]], answers: Sequence[frozenset[Hashable]]
) -> float:
    """Return the F1 of all names counted together; 0 where there are none."""
    hits = sum(len(t & a) for t, a in zip(truths, answers, strict=True))
    either = sum(len(t) + len(a) for t, a in zip(truths, answers, strict=True))
    return 2 * hits / either if either else 0.0


def _log_loss(
    truths: Sequence[frozenset[Hashable]], probabilities: ArrayLike, names: Sequence[Hashable]
) -> float:
    """Return the mean of −ln p over rows and names, p that of the name's being there or not."""
    given = checked_probabilities(probabilities, len(truths), names, one_of=False)
    there: NDArray[np.bool_] = np.array([[name in row for name in names] for row in truths])
    with np.errstate(divide="ignore"):
        return float(-np.log(np.where(there, given, 1 - given)).mean())


def _worst(
    truths: Sequence[frozenset[Hashable]], answers: Sequence[frozenset[Hashable]]
) -> list[dict[str, object]]:
    wrong = {
        row: len(t ^ a) for row, (t, a) in enumerate(zip(truths, answers, strict=True)) if t ^ a
    }
    return [
        {
            "row": row,
            "truth": sorted(truths[row], key=str),
            "answer": sorted(answers[row], key=str),
            "wrong": wrong[row],
        }
        for row in sorted(wrong, key=lambda row: -wrong[row])[:WORST]
    ]
