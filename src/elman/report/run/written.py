"""Outputs of a network that writes, laid out for the template, and attention maps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

import numpy as np

from elman.report.run.facts import AttendedOutput, WrittenOutput
from elman.report.run.tables import shown_input

LONGEST = 80
"""Maximum number of words or characters of a target or an output that are shown."""
NUMBERED = 10
"""Minimum per cent of attention for a cell to show its number."""
UPRIGHT = 2
"""Maximum number of characters in the name of a column that is not turned."""


class Span(NamedTuple):
    """A stretch of an output or a target, and whether the other has it in the same place."""

    text: str
    shared: bool


class Weight(NamedTuple):
    """One cell of an attention map, in whole per cent."""

    percent: int
    text: str


def written_rows(rows: Iterable[WrittenOutput]) -> list[dict[str, Any]]:
    """Lay out outputs: input, target, output, score, place."""
    laid_out = []
    for each in rows:
        truth, output = differences(each)
        laid_out.append(
            {
                "input": shown_input(each.input),
                "truth": truth,
                "output": output,
                "separator": each.separator,
                "score": each.score,
                "where": each.where,
            }
        )
    return laid_out


def differences(row: WrittenOutput) -> tuple[list[Span], list[Span]]:
    """Cut a target and an output into what they share and what only one of them has.

    The longest common stretch is shared, and so on before and after it.

    Source: Ratcliff and Metzener 1988, Dr. Dobb's Journal 13(7), as Python's difflib has it.
    """
    truth, output = _shortened(row.truth), _shortened(row.output)
    lower = str.lower if row.ignores_case else str
    matcher = SequenceMatcher(
        None, [lower(piece) for piece in truth], [lower(piece) for piece in output], autojunk=False
    )
    cut: tuple[list[Span], list[Span]] = [], []
    for kind, i, j, k, m in matcher.get_opcodes():
        for spans, pieces in zip(cut, (truth[i:j], output[k:m]), strict=True):
            if pieces:
                spans.append(Span(row.separator.join(pieces), kind == "equal"))
    return cut


def _shortened(pieces: Sequence[str]) -> list[str]:
    return [*pieces[:LONGEST], "…"] if len(pieces) > LONGEST else list(pieces)


def attention_tables(outputs: Iterable[AttendedOutput]) -> list[dict[str, Any]]:
    """Lay out attention maps: a row per output symbol, a column per source step."""
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
        for each in outputs
    ]


def _weight(weight: float) -> Weight:
    percent = round(100 * weight)
    return Weight(percent, str(percent) if percent >= NUMBERED else "")
