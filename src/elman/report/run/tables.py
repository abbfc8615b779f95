"""The tables and marked texts of the report of a run, laid out for its template."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from markupsafe import Markup

from elman.evaluation.leading import beside
from elman.evaluation.measures import Scores, measure_of
from elman.evaluation.plain_guesses import plain_guess
from elman.features.feature import ImageInput, SeriesInput
from elman.report.page import thousands
from elman.report.run.facts import (
    Bands,
    Mistake,
    TaggedSentence,
    WeighedText,
)
from elman.report.run.figures import picture_address, spark_line
from elman.report.run.findings import number_text, part_name, value_text
from elman.report.style import THEME, css_colour

MOST_NAMES = 20
"""Maximum number of classes of a whole confusion matrix; else the confusions are listed."""
MOST_CONFUSIONS = 15
"""Maximum number of confusions that are listed."""
MOST_ROWS = 40
"""Maximum number of rows of the table of classes: the most frequent."""
SHORT, LONG = 280, 6000
"""Characters of an input shown at once, and when it is opened."""
WIDE = 0.03
"""Minimum share of the width for a band with its tag inside."""
DEEPEST = 55.0
"""Maximum per cent of colour behind a text, so that it stays readable on light and dark."""

PALETTE = ("gru", "simple", "lstm", "other-1", "other-2", "other-3", "other-4")
"""Colours of `THEME` for tags over time, the most frequent tag first."""


class Cell(NamedTuple):
    """One number of the confusion matrix, and the colour behind it."""

    text: str
    style: Markup


class Segment(NamedTuple):
    """Consecutive steps with the same tag: position, width and tag."""

    style: Markup
    label: str
    inside: bool
    """Whether there is room for the tag."""


class Mark(NamedTuple):
    """A word with the colour of its weight."""

    word: str
    style: Markup
    weight: str


class Token(NamedTuple):
    """A word with its tags."""

    word: str
    truth: str
    prediction: str


class Input(NamedTuple):
    """An input as the page shows it: text, in short and in full, or a drawing, or a picture."""

    short: str = ""
    full: str = ""
    drawing: Markup | None = None
    picture: str = ""


def score_rows(parts: Mapping[str, Scores]) -> dict[str, Any]:
    """Lay out the scores: a row per metric, a column per part of the data."""
    names = list(
        dict.fromkeys(
            name for scores in parts.values() for name in (*scores.values, *scores.undefined)
        )
    )
    chief = list(parts.values())[-1].headlines
    last = list(parts.values())[-1]
    chief += beside(last, chief[0])
    names.sort(key=lambda name: name != chief[0])
    guesses = {name: plain_guess(last, name) for name in names}
    columns = [part_name(part).capitalize() for part in parts]
    return {
        "columns": columns + ["Plain guess"] * any(guesses.values()),
        "rows": [
            (
                measure_of(name),
                [
                    *[value_text(scores, name) for scores in parts.values()],
                    *[_guessed(name, guesses[name])] * any(guesses.values()),
                ],
                name in chief,
            )
            for name in names
        ],
        "notes": [*_notes(parts), *_of_guess(last, list(parts)[-1])],
    }


def _guessed(name: str, guess: tuple[str, float] | None) -> str:
    """Format what a plain guess has by a score."""
    if guess is None:
        return "–"
    return f"{guess[1]:.2%}" if measure_of(name).share else number_text(guess[1])


def _of_guess(scores: Scores, part: str) -> list[str]:
    """Say what the plain guess of each headline is."""
    said = [plain_guess(scores, name) for name in scores.headlines]
    words = list(dict.fromkeys(guess[0] for guess in said if guess is not None))
    return [f"Plain guess, on the {part_name(part)} rows: {'; '.join(words)}."] if words else []


def _notes(parts: Mapping[str, Scores]) -> list[str]:
    """Say how large each part is, with its own notes; notes on all parts come last."""
    said = {part: [*scores.reasons, *scores.notes] for part, scores in parts.items()}
    shared = [
        note
        for note in next(iter(said.values()))
        if all(note in of_part for of_part in said.values())
    ]
    notes = []
    for part, scores in parts.items():
        own = [note for note in said[part] if note not in shared]
        count = f"{thousands(scores.count)} {scores.unit}."
        notes.append(" ".join([f"{part_name(part).capitalize()}: {count}", *own]))
    return [*notes, *shared]


def class_rows(classes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Lay out precision, recall and F1 of every class, the most frequent first."""
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
    """Lay out the confusion matrix, or if it is too large the most frequent confusions.

    Args:
        names: of n classes.
        pairs: index of the true class, index of the predicted class, count.
    """
    counts = {(truth, predicted): count for truth, predicted, count in pairs}
    support = Counter[int]()
    for (truth, _), count in counts.items():
        support[truth] += count
    wrong = sorted(
        ((count, t, p) for (t, p), count in counts.items() if t != p),
        key=lambda each: (-each[0], each[1:]),
    )
    used = sorted({place for pair in counts for place in pair})
    matrix = [
        (
            str(names[truth]),
            [_cell(counts.get((truth, p), 0), support[truth], right=truth == p) for p in used],
        )
        for truth in used
    ]
    return {
        "names": [str(names[place]) for place in used],
        "matrix": matrix if len(used) <= MOST_NAMES else [],
        "confusions": [
            (str(names[t]), str(names[p]), thousands(count), f"{count / support[t]:.1%}")
            for count, t, p in wrong[:MOST_CONFUSIONS]
        ],
    }


def _cell(count: int, support: int, *, right: bool) -> Cell:
    share = count / support if support else 0.0
    colour = THEME["gru"] if right else THEME["simple"]
    return Cell(thousands(count) if count else "", _tint(colour, share))


def _tint(colour: str, share: float) -> Markup:
    """Return the background of a text; the root keeps small shares visible."""
    deep = f"{css_colour(colour)} {DEEPEST * share**0.5:.0f}%"
    return Markup(f"background: color-mix(in srgb, {deep}, transparent)")


def shown_input(value: str | SeriesInput | ImageInput) -> Input:
    """Lay out an input: a long text shortened, with the rest to unfold; a series as a line."""
    if isinstance(value, SeriesInput):
        return Input(drawing=spark_line(value.values))
    if isinstance(value, ImageInput):
        return Input(picture=picture_address(value.pixels))
    if len(value) <= SHORT:
        return Input(short=value)
    rest = len(value) - LONG
    full = value if rest <= 0 else f"{value[:LONG]} … and {thousands(rest)} more characters"
    return Input(short=value[:SHORT].rsplit(" ", 1)[0] + " …", full=full)


def wrong_rows(wrong: Iterable[Mistake]) -> list[dict[str, Any]]:
    """Lay out mistakes: input, true value, prediction, its probability, place."""
    return [
        {
            "input": shown_input(each.input),
            "truth": each.truth,
            "prediction": each.prediction,
            "probability": "" if each.probability is None else f"{each.probability:.1%}",
            "where": each.where,
        }
        for each in wrong
    ]


def tokens(sentence: TaggedSentence) -> list[Token]:
    """Lay out a tagged sentence, one token per word."""
    return [
        Token(*each)
        for each in zip(sentence.words, sentence.truths, sentence.predictions, strict=True)
    ]


def marks(text: WeighedText) -> list[Mark]:
    """Colour words by their weights, the greatest of the text most deeply."""
    greatest = max((abs(weight) for weight in text.weights if math.isfinite(weight)), default=0.0)
    marked = []
    for word, weight in zip(text.words, text.weights, strict=True):
        share = abs(weight) / greatest if greatest and math.isfinite(weight) else 0.0
        colour = THEME["lstm"] if weight > 0 else THEME["simple"]
        style = _tint(colour, share) if share >= 0.01 else Markup("")
        if style and weight < 0:
            style += Markup("; text-decoration: underline dotted")
        marked.append(Mark(word, style, f"{weight:+.3g}".replace("-", "−")))
    return marked


def label_colours(many: Sequence[Bands]) -> dict[str, str]:
    """Choose a colour for each tag, the most frequent first; those past the palette share grey."""
    counts = Counter(label for bands in many for label in (*bands.truths, *bands.predictions))
    order = sorted(counts, key=lambda label: (-counts[label], label))
    palette = (*PALETTE, *["muted"] * len(order))
    return {name: css_colour(THEME[key]) for name, key in zip(order, palette, strict=False)}


def segments(labels: Sequence[str], colours: Mapping[str, str]) -> list[Segment]:
    """Cut a sequence of tags where the tag changes."""
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


def wrong_segments(truths: Sequence[str], predictions: Sequence[str]) -> list[Segment]:
    """Find the stretches where the prediction is wrong."""
    wrong = ["wrong" if t != p else "" for t, p in zip(truths, predictions, strict=True)]
    colour = {"wrong": css_colour(THEME["ink"]), "": "none"}
    return [each._replace(inside=False) for each in segments(wrong, colour) if each.label]
