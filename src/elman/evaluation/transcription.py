"""How far answers are from the truth where the two are aligned only in order."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from elman.evaluation.measures import WORST, Measured, Scores, check_pairs


def edit_distance(truth: Sequence[Hashable], answer: Sequence[Hashable]) -> int:
    """Count the fewest insertions, deletions and substitutions that turn one into the other.

        D(i, j) = min(D(i−1, j) + 1,  D(i, j−1) + 1,  D(i−1, j−1) + [truth(i) ≠ answer(j)])

    Source: Levenshtein 1966; Wagner and Fischer 1974, doi:10.1145/321796.321811.

    >>> edit_distance("kitten", "sitting")
    3
    """
    ids = {symbol: number for number, symbol in enumerate({*truth, *answer})}
    columns = np.array([ids[symbol] for symbol in answer], np.int64)
    steps = np.arange(len(columns) + 1)
    row = steps
    for symbol in truth:
        changed = np.minimum(row[1:] + 1, row[:-1] + (columns != ids[symbol]))
        best = np.concatenate([row[:1] + 1, changed])
        # Insertions cost one a step to the right: a running minimum of what is left without them.
        row = np.minimum.accumulate(best - steps) + steps
    return int(row[-1])


def transcription_scores(
    truths: Sequence[Sequence[Hashable]], answers: Sequence[Sequence[Hashable]]
) -> Scores:
    """Score answers that are sequences of their own length.

        label error rate = Σ edit distance / Σ symbols of the truth

    over all rows, so that long rows count for more, as word error rates are counted; it may exceed
    1. Graves et al. 2006, doi:10.1145/1143844.1143891, take the mean of each row's own
    rate instead.

    Args:
        truths: N sequences of symbols; a string is a sequence of characters.
        answers: N sequences of symbols.

    Returns:
        label_error_rate (chief; left out where every truth is empty) and sequence_accuracy.
        `details`: `edits`, `symbols`, and `worst`: the rows with most edits.

    Raises:
        DataError: there is nothing to score, or not an answer for each truth.
    """
    check_pairs(truths, answers)
    edits = [edit_distance(*pair) for pair in zip(truths, answers, strict=True)]
    symbols = sum(len(truth) for truth in truths)
    measured = Measured()
    rate = sum(edits) / symbols if symbols else None
    measured.add("label_error_rate", rate, "no truth has a symbol")
    measured.values["sequence_accuracy"] = edits.count(0) / len(edits)
    worst = sorted(range(len(edits)), key=lambda row: -edits[row])[:WORST]
    return Scores(
        kind="transcription",
        main="label_error_rate" if symbols else "sequence_accuracy",
        values=measured.values,
        count=len(truths),
        unit="rows",
        details={
            "edits": sum(edits),
            "symbols": symbols,
            "worst": [{"row": row, "edits": edits[row]} for row in worst if edits[row]],
        },
        notes=tuple(measured.notes),
    )
