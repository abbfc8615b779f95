"""What a network wrote, laid out for the template: answers beside truths, and maps of attention."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

import numpy as np

from elman.report.run.facts import AttendedAnswer, WrittenAnswer
from elman.report.run.tables import shown_input

LONGEST = 80
"""Words, or characters, of a truth or an answer that are shown."""
NUMBERED = 10
"""Per cent of attention from which a cell says its number."""
UPRIGHT = 2
"""Characters of a name, at most, that stands above its column without being turned."""


class Span(NamedTuple):
    """A stretch of an answer or a truth, and whether the other has it at the same place."""

    text: str
    shared: bool


class Weight(NamedTuple):
    """One cell of a map of attention, in whole per cent."""

    percent: int
    text: str


def written_rows(rows: Iterable[WrittenAnswer]) -> list[dict[str, Any]]:
    """Lay out answers: input, truth, answer, how near, where."""
    laid_out = []
    for each in rows:
        truth, answer = differences(each)
        laid_out.append(
            {
                "input": shown_input(each.input),
                "truth": truth,
                "answer": answer,
                "separator": each.separator,
                "score": each.score,
                "where": each.where,
            }
        )
    return laid_out


def differences(row: WrittenAnswer) -> tuple[list[Span], list[Span]]:
    """Cut a truth and an answer into what they share and what each has alone.

    Shared is the longest stretch that both have, and likewise what is shared before and after it.

    Source: Ratcliff and Metzener 1988, Dr. Dobb's Journal 13(7), as Python's difflib has it.
    """
    truth, answer = _shortened(row.truth), _shortened(row.answer)
    lower = str.lower if row.ignores_case else str
    matcher = SequenceMatcher(
        None, [lower(piece) for piece in truth], [lower(piece) for piece in answer], autojunk=False
    )
    cut: tuple[list[Span], list[Span]] = [], []
    for kind, i, j, k, m in matcher.get_opcodes():
        for spans, pieces in zip(cut, (truth[i:j], answer[k:m]), strict=True):
            if pieces:
                spans.append(Span(row.separator.join(pieces), kind == "equal"))
    return cut


def _shortened(pieces: Sequence[str]) -> list[str]:
    return [*pieces[:LONGEST], "…"] if len(pieces) > LONGEST else list(pieces)


def attention_tables(answers: Iterable[AttendedAnswer]) -> list[dict[str, Any]]:
    """Lay out maps of attention: a row a symbol written, a column a step read."""
    return [
        {
            "read": each.read,
            "turned": any(len(name) > UPRIGHT for name in each.read),
            "rows": [
                (name, [_weight(weight) for weight in weights])
                for name, weights in zip(
                    each.written, np.asarray(each.weights, np.float64).tolist(), strict=True
                )
            ],
            "where": each.where,
        }
        for each in answers
    ]


def _weight(weight: float) -> Weight:
    percent = round(100 * weight)
    return Weight(percent, str(percent) if percent >= NUMBERED else "")
