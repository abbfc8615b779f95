"""The tables and marked texts of the report of a run, laid out for its template."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from markupsafe import Markup

from elman.evaluation.measures import MEASURES, Scores
from elman.features.feature import ImageInput, SeriesInput
from elman.report.page import thousands
from elman.report.run.facts import (
    Bands,
    TaggedSentence,
    WeighedText,
    WrongAnswer,
)
from elman.report.run.figures import picture_address, spark_line
from elman.report.run.findings import part_name, value_text
from elman.report.style import THEME, css_colour

MOST_NAMES = 20
"""Names of a confusion matrix that is shown whole; of a larger one the commonest confusions are."""
MOST_CONFUSIONS = 15
"""Confusions listed in its place."""
MOST_ROWS = 40
"""Rows of the table of names: the commonest."""
SHORT, LONG = 280, 6000
"""Characters of an input shown at once, and when it is opened."""
WIDE = 0.03
"""Share of the width that a band needs to have its label inside."""
DEEPEST = 55.0
"""Per cent of colour behind the text that is marked most: it stays readable on light and dark."""

PALETTE = ("gru", "simple", "lstm", "other-1", "other-2", "other-3", "other-4")
"""Colours of `THEME` for labels along time, the commonest label first."""


class Cell(NamedTuple):
    """One number of the confusion matrix, and the colour behind it."""

    text: str
    style: Markup


class Segment(NamedTuple):
    """Consecutive steps with the same label: where, how wide, what."""

    style: Markup
    label: str
    inside: bool
    """Whether there is room for the label."""


class Mark(NamedTuple):
    """A word with the colour of its weight."""

    word: str
    style: Markup
    weight: str


class Token(NamedTuple):
    """A word with its tags."""

    word: str
    truth: str
    answer: str


class Input(NamedTuple):
    """An input as the page shows it: text, in short and in full, or a drawing, or a picture."""

    short: str = ""
    full: str = ""
    drawing: Markup | None = None
    picture: str = ""


def score_rows(parts: Mapping[str, Scores]) -> dict[str, Any]:
    """Lay out the scores: a row a measure, a column a part of the data."""
    names = list(dict.fromkeys(name for scores in parts.values() for name in scores.values))
    chief = list(parts.values())[-1].main
    names.sort(key=lambda name: name != chief)
    return {
        "columns": [part_name(part).capitalize() for part in parts],
        "rows": [
            (
                MEASURES[name],
                [value_text(s, name) if name in s.values else "–" for s in parts.values()],
                name == chief,
            )
            for name in names
        ],
        "said": _said(parts),
    }


def _said(parts: Mapping[str, Scores]) -> list[str]:
    """Say how much each part was measured on, with its own notes; what holds for all comes last."""
    shared = [
        note
        for note in next(iter(parts.values())).notes
        if all(note in scores.notes for scores in parts.values())
    ]
    said = []
    for part, scores in parts.items():
        own = [note for note in scores.notes if note not in shared]
        count = f"{thousands(scores.count)} {scores.unit}."
        said.append(" ".join([f"{part_name(part).capitalize()}: {count}", *own]))
    return [*said, *shared]


def class_rows(classes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Lay out precision, recall and F1 of every name, the commonest first."""
    order = sorted(classes, key=lambda each: (-each["support"], str(each["name"])))
    return {
        "rows": [
            (
                str(each["name"]),
                [f"{each[score]:.1%}" for score in ("precision", "recall", "f1")],
                [thousands(each[count]) for count in ("support", "answered")],
                Markup(f"width: {100 * each['f1']:.1f}%"),
            )
            for each in order[:MOST_ROWS]
        ],
        "more": max(0, len(order) - MOST_ROWS),
    }


def confusion_rows(names: Sequence[Any], pairs: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Lay out the confusion matrix, or of one too large to read the commonest confusions.

    Args:
        names: n names.
        pairs: place of the truth, place of the answer, how often.
    """
    counts = {(truth, answer): count for truth, answer, count in pairs}
    support = Counter[int]()
    for (truth, _), count in counts.items():
        support[truth] += count
    wrong = sorted(
        ((count, t, a) for (t, a), count in counts.items() if t != a),
        key=lambda each: (-each[0], each[1:]),
    )
    used = sorted({place for pair in counts for place in pair})
    matrix = [
        (
            str(names[truth]),
            [_cell(counts.get((truth, a), 0), support[truth], right=truth == a) for a in used],
        )
        for truth in used
    ]
    return {
        "names": [str(names[place]) for place in used],
        "matrix": matrix if len(used) <= MOST_NAMES else [],
        "confusions": [
            (str(names[t]), str(names[a]), thousands(count), f"{count / support[t]:.1%}")
            for count, t, a in wrong[:MOST_CONFUSIONS]
        ],
    }


def _cell(count: int, support: int, *, right: bool) -> Cell:
    share = count / support if support else 0.0
    colour = THEME["gru"] if right else THEME["simple"]
    return Cell(thousands(count) if count else "", _tint(colour, share))


def _tint(colour: str, share: float) -> Markup:
    """Fill the ground behind a text; the root keeps small shares visible."""
    deep = f"{css_colour(colour)} {DEEPEST * share**0.5:.0f}%"
    return Markup(f"background: color-mix(in srgb, {deep}, transparent)")


def shown_input(value: str | SeriesInput | ImageInput) -> Input:
    """Lay out an input: a long text shortened, to be opened; a series as a line."""
    if isinstance(value, SeriesInput):
        return Input(drawing=spark_line(value.values))
    if isinstance(value, ImageInput):
        return Input(picture=picture_address(value.pixels))
    if len(value) <= SHORT:
        return Input(short=value)
    left = len(value) - LONG
    full = value if left <= 0 else f"{value[:LONG]} … and {thousands(left)} characters more"
    return Input(short=value[:SHORT].rsplit(" ", 1)[0] + " …", full=full)


def wrong_rows(wrong: Iterable[WrongAnswer]) -> list[dict[str, Any]]:
    """Lay out wrong answers: input, truth, answer, how sure, where."""
    return [
        {
            "input": shown_input(each.input),
            "truth": each.truth,
            "answer": each.answer,
            "sure": "" if each.probability is None else f"{each.probability:.1%}",
            "where": each.where,
        }
        for each in wrong
    ]


def tokens(sentence: TaggedSentence) -> list[Token]:
    """Lay out a tagged sentence, a word a token."""
    return [
        Token(*each) for each in zip(sentence.words, sentence.truths, sentence.answers, strict=True)
    ]


def marks(text: WeighedText) -> list[Mark]:
    """Colour words by their weights, the heaviest of the text most deeply."""
    heaviest = max((abs(weight) for weight in text.weights if math.isfinite(weight)), default=0.0)
    marked = []
    for word, weight in zip(text.words, text.weights, strict=True):
        share = abs(weight) / heaviest if heaviest and math.isfinite(weight) else 0.0
        colour = THEME["lstm"] if weight > 0 else THEME["simple"]
        style = _tint(colour, share) if share >= 0.01 else Markup("")
        if style and weight < 0:
            style += Markup("; text-decoration: underline dotted")
        marked.append(Mark(word, style, f"{weight:+.3g}".replace("-", "−")))
    return marked


def label_colours(many: Sequence[Bands]) -> dict[str, str]:
    """Give each label its colour, the commonest first; those past the palette share grey."""
    counts = Counter(label for bands in many for label in (*bands.truths, *bands.answers))
    order = sorted(counts, key=lambda label: (-counts[label], label))
    palette = (*PALETTE, *["muted"] * len(order))
    return {name: css_colour(THEME[key]) for name, key in zip(order, palette, strict=False)}


def segments(labels: Sequence[str], colours: Mapping[str, str]) -> list[Segment]:
    """Cut a sequence of labels where the label changes."""
    cut, start = [], 0
    for label, same in groupby(labels):
        length = len(list(same))
        share = length / len(labels)
        style = (
            f"left: {100 * start / len(labels):.3f}%; width: {100 * share:.3f}%; "
            f"background: {colours[label]}"
        )
        cut.append(Segment(Markup(style), label, share >= max(WIDE, 0.009 * len(label))))
        start += length
    return cut


def wrong_segments(truths: Sequence[str], answers: Sequence[str]) -> list[Segment]:
    """Find the stretches where the answer is not the truth."""
    wrong = ["wrong" if t != a else "" for t, a in zip(truths, answers, strict=True)]
    colour = {"wrong": css_colour(THEME["ink"]), "": "none"}
    return [each._replace(inside=False) for each in segments(wrong, colour) if each.label]
