"""Scores of predicted tags, one a step: accuracy, F1 of every tag, spans."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike

from elman.evaluation.classification import (
    add_name_scores,
    add_probability_scores,
)
from elman.evaluation.measures import WORST, Measured, Scores, check_steps
from elman.evaluation.never_learned import Where, add_never_learned, add_never_predicted
from elman.evaluation.spans import is_bio, span_scores


def tagging_scores(
    truths: Sequence[Sequence[str]],
    predictions: Sequence[Sequence[str]],
    probabilities: Sequence[ArrayLike] | None = None,
    *,
    names: Sequence[str] | None = None,
    spans: bool | None = None,
    learned: Sequence[str] | None = None,
    where: Where | None = None,
) -> Scores:
    """Score predicted tags, one a step.

    Args:
        truths: a list of tags for each row, (T,).
        predictions: likewise.
        probabilities: of `names`, (T, n) for each row; adds log loss and calibration.
        names: the n tags that can be predicted, in the order of the probabilities; by default
            those that occur.
        spans: whether tags mark spans (O, B-X, I-X), to be counted as conlleval does; by default
            if every tag has that form.
        learned: those of `names` that a training row has; by default all.
        where: row → its place, for the note on true tags that are not among `learned`.

    Returns:
        accuracy, macro_f1, weighted_f1 over all steps, sequence_accuracy over rows; with
        probabilities log_loss and calibration_error; with spans precision, recall and f1. The
        main score is f1 with spans, else accuracy. `details`: as of `classification_scores`,
        `spans` by type, and `worst`: the rows with most wrong steps.

    Raises:
        DataError: truths and predictions differ in steps, or a tag marks no span though
            spans=True.
        OptionError, ShapeError: names or probabilities are wrong.
    """
    check_steps(truths, predictions)
    true, predicted = (list(chain.from_iterable(rows)) for rows in (truths, predictions))
    measured = Measured()
    details = add_name_scores(measured, true, predicted, names)
    known = names if learned is None else learned
    add_never_learned(measured, details, truths, known, noun="tag", where=where, by_step=True)
    add_never_predicted(measured, details, unit="step")
    with_spans = is_bio({*true, *predicted}) if spans is None else spans
    if with_spans:
        all_types, by_type = span_scores(truths, predictions)
        values = {name: getattr(all_types, name) for name in ("f1", "precision", "recall")}
        measured.values = values | measured.values
        details["spans"] = [each._asdict() for each in by_type]
    wrong = [
        sum(t != a for t, a in zip(*row, strict=True))
        for row in zip(truths, predictions, strict=True)
    ]
    measured.values["sequence_accuracy"] = wrong.count(0) / len(wrong)
    details["worst"] = [
        {"row": row, "wrong": wrong[row], "steps": len(truths[row])}
        for row in sorted(range(len(wrong)), key=lambda row: -wrong[row])[:WORST]
        if wrong[row]
    ]
    if probabilities is not None:
        steps = np.concatenate([np.asarray(row, np.float64) for row in probabilities])
        add_probability_scores(measured, true, predicted, steps, names)
    return measured.scores(
        kind="tagging",
        count=len(true),
        unit="steps",
        details=details,
    )
