"""Scores of predicted sequences that are aligned with the target only in order."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from elman.evaluation.measures import WORST, Measured, Scores, check_pairs
from elman.evaluation.never_learned import Where, add_never_learned


def edit_distance(truth: Sequence[Hashable], prediction: Sequence[Hashable]) -> int:
    """Count the fewest insertions, deletions and substitutions that turn one into the other.

        D(i, j) = min(D(i−1, j) + 1,  D(i, j−1) + 1,  D(i−1, j−1) + [truth(i) ≠ prediction(j)])

    Source: Levenshtein 1966; Wagner and Fischer 1974, doi:10.1145/321796.321811.

    >>> edit_distance("kitten", "sitting")
    3
    """
    ids = {symbol: number for number, symbol in enumerate({*truth, *prediction})}
    columns = np.array([ids[symbol] for symbol in prediction], np.int64)
    steps = np.arange(len(columns) + 1)
    row = steps
    for symbol in truth:
        changed = np.minimum(row[1:] + 1, row[:-1] + (columns != ids[symbol]))
        best = np.concatenate([row[:1] + 1, changed])
        # An insertion costs 1 a step to the right: subtract that, then take a running minimum.
        row = np.minimum.accumulate(best - steps) + steps
    return int(row[-1])


def transcription_scores(
    truths: Sequence[Sequence[Hashable]],
    predictions: Sequence[Sequence[Hashable]],
    *,
    names: Sequence[Hashable] | None = None,
    where: Where | None = None,
) -> Scores:
    """Score predictions that are sequences of any length.

        label error rate = Σ edit distance / Σ symbols of the truth

    over all rows, so that long rows count for more, as word error rates are counted; it may exceed
    1. Graves et al. 2006, doi:10.1145/1143844.1143891, take the mean of each row's own
    rate instead.

    Args:
        truths: N sequences of symbols; a string is a sequence of characters.
        predictions: N sequences of symbols.
        names: the symbols that can be predicted, where these are known.
        where: row → its place, for the note on true symbols that are not among `names`.

    Returns:
        label_error_rate (main; not computed where every truth is empty) and sequence_accuracy.
        `details`: `edits`, `symbols`, and `worst`: the rows with most edits; where `names` lack
        true symbols, `never_learned`, a `NeverLearned` each.

    Raises:
        DataError: there is nothing to score, or there is not one prediction for each truth.
    """
    check_pairs(truths, predictions)
    edits = [edit_distance(*pair) for pair in zip(truths, predictions, strict=True)]
    symbols = sum(len(truth) for truth in truths)
    measured = Measured()
    rate = sum(edits) / symbols if symbols else None
    measured.add("label_error_rate", rate, "every true sequence is empty")
    measured.values["sequence_accuracy"] = edits.count(0) / len(edits)
    worst = sorted(range(len(edits)), key=lambda row: -edits[row])[:WORST]
    details: dict[str, Any] = {
        "edits": sum(edits),
        "symbols": symbols,
        "worst": [{"row": row, "edits": edits[row]} for row in worst if edits[row]],
    }
    add_never_learned(measured, details, truths, names, noun="symbol", where=where)
    return measured.scores(
        kind="transcription",
        count=len(truths),
        unit="rows",
        details=details,
    )
