"""Spans in tags of the BIO schemes, found and counted as conlleval does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from typing import NamedTuple

from elman.errors import DataError
from elman.evaluation.classification import ClassScores
from elman.evaluation.measures import check_steps


class Span(NamedTuple):
    """Steps `start` … `end` − 1 of one sequence, and their type."""

    start: int
    end: int
    type: str


class SpanScores(NamedTuple):
    """Scores of predicted spans; a hit has the right start, end and type.

    Attributes:
        overall: all types together.
        by_type: a row a type, sorted by its name.
    """

    overall: ClassScores
    by_type: list[ClassScores]


def is_bio(tags: Collection[Hashable]) -> bool:
    """Tell whether tags mark spans: each is O, B-… or I-…, and one of them is not O."""
    names = {tag for tag in tags if isinstance(tag, str)}
    if names != set(tags):
        return False
    parts = {name.partition("-") for name in names}
    return any(mark != "O" for mark, _, _ in parts) and all(
        (mark in {"B", "I"} and dash == "-" and bool(name)) or (mark, dash) == ("O", "")
        for mark, dash, name in parts
    )


def spans(tags: Sequence[str]) -> list[Span]:
    """Find the spans of one sequence, in order.

    A span begins at B-X, and at an I-X that follows O, follows another type or comes first; it
    continues with every I-X of its own type. IOB1, IOB2 and tags that break their rules are read
    alike:

        O  B-NP  I-NP  B-NP  I-VP  I-VP  O   →   NP 1…2, NP 3…3, VP 4…5

    Args:
        tags: O, B-X and I-X.

    Raises:
        DataError: a tag is none of these.

    Source: Tjong Kim Sang and Buchholz 2000, "Introduction to the CoNLL-2000 shared task", and its
    conlleval.

    >>> spans(["I-NP", "I-NP", "B-NP", "O"])
    [Span(start=0, end=2, type='NP'), Span(start=2, end=3, type='NP')]
    """
    result: list[Span] = []
    for step, tag in enumerate(tags):
        mark, _, name = tag.partition("-")
        if mark == "O":
            continue
        if mark not in {"B", "I"} or not name:
            raise DataError(
                f"tag {tag!r} at step {step} marks no span: tags of spans are O, B-X and I-X. "
                "Score other tags with spans=False."
            )
        if mark == "I" and result and result[-1].end == step and result[-1].type == name:
            result[-1] = result[-1]._replace(end=step + 1)
        else:
            result.append(Span(step, step + 1, name))
    return result


def span_scores(
    truths: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]]
) -> SpanScores:
    """Count the true spans that are predicted, and the predicted spans that are true.

    Args:
        truths: a list of tags for each sequence; no span crosses from one to the next.
        predictions: likewise.

    Raises:
        DataError: truths and predictions differ in steps, or a tag marks no span.
    """
    check_steps(truths, predictions)
    support, answered, hits = Counter[str](), Counter[str](), Counter[str]()
    for truth, prediction in zip(truths, predictions, strict=True):
        true, predicted = set(spans(truth)), set(spans(prediction))
        support.update(span.type for span in true)
        answered.update(span.type for span in predicted)
        hits.update(span.type for span in true & predicted)
    types = sorted(support.keys() | answered.keys())
    return SpanScores(
        ClassScores.of("all", hits.total(), support.total(), answered.total()),
        [ClassScores.of(name, hits[name], support[name], answered[name]) for name in types],
    )
