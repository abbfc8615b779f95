"""What values of one type are best taken for; each guess with its reason."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from elman.features.roll import KEYS
from elman.features.vocabulary import Name, as_name

FEW_CLASSES = 20
"""A target of so many different whole numbers, or short names, or fewer, is a category."""

SHORT = 3
"""Words that a name has at most, on average; what is longer is text."""

OPEN_VOCABULARY = 1000
"""So many different symbols, or more, may be the words of a language."""

WORDS = {"characters": True, "lowercase": True, "min_count": 2}
"""How such words are read: what was seen once, or never, is known by its characters alone."""

SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SEPARATORS = (";", "|")


class Guess(NamedTuple):
    """A kind, options of it, and why."""

    kind: str
    options: dict[str, Any]
    why: str


class Sample(NamedTuple):
    """Values of one column, none of them missing."""

    values: Sequence[Any]
    as_target: bool
    steps: Sequence[int] | None
    """How many steps the input of each value has, where that is known."""


def strings(sample: Sample) -> Guess:
    """Tell paths, numbers in words, several labels, names and texts apart."""
    texts = [value if isinstance(value, str) else value["path"] for value in sample.values]
    for kind, endings in (("audio", SOUNDS), ("image", PICTURES)):
        if all(text.lower().endswith(endings) for text in texts):
            return Guess(kind, {}, f"paths that end in {_ending(texts[0])}")
    if all(_reads_as_number(text) for text in texts):
        return numbers(sample._replace(values=[float(text) for text in texts]))
    distinct = set(texts)
    words = sum(len(text.split()) for text in texts) / len(texts)
    if sample.as_target:
        for separator in SEPARATORS:
            if _is_list_of_labels(distinct, separator, len(texts)):
                return Guess("labels", {"separator": separator}, f"names with {separator} between")
    repeat = len(distinct) <= len(texts) / 2
    if words <= SHORT and (repeat or (sample.as_target and len(distinct) <= FEW_CLASSES)):
        return Guess("category", {}, f"{len(distinct)} names" + (" that repeat" * repeat))
    if words < 1.5:
        return Guess("text", {"level": "character"}, "strings of one word, most of them different")
    return Guess("text", {}, f"strings of {words:.0f} words on average")


def numbers(sample: Sample) -> Guess:
    """Tell a category of few whole numbers from a number; only a target can be the former."""
    whole = all(math.isfinite(value) and float(value).is_integer() for value in sample.values)
    distinct = len(set(sample.values))
    few = distinct <= min(FEW_CLASSES, len(sample.values) / 2)
    if sample.as_target and whole and few:
        return Guess("category", {}, f"{distinct} different whole numbers")
    return Guess("number", {}, f"{distinct} different numbers")


def lists_of_strings(sample: Sample) -> Guess:
    """Tell symbols, one a step, from labels, any of a few."""
    if sample.as_target and not _one_a_step(sample) and _never_twice(sample.values):
        return Guess("labels", {}, "lists of names, none twice in a list")
    if not sample.as_target and _are_words(sample.values):
        return Guess("symbols", dict(WORDS), "lists of words, many of them seen once")
    return Guess("symbols", {}, "lists of strings")


def lists_of_numbers(sample: Sample) -> Guess:
    """Tell a series from tags, or labels, that are written as whole numbers."""
    if not sample.as_target:
        return Guess("series", {}, "numbers over time")
    names = {_whole(number) for value in sample.values for number in value}
    if None in names or len(names) > FEW_CLASSES or not _repeat(sample.values, len(names)):
        return Guess("series", {}, "numbers over time")
    if not _one_a_step(sample) and _never_twice(sample.values):
        return Guess("labels", {}, "lists of whole numbers, none twice in a list")
    return Guess("symbols", {}, f"{len(names)} different whole numbers, step by step")


def arrays(sample: Sample) -> Guess:
    """Tell piano rolls, pictures and series apart, by axes and values."""
    examples = [np.asarray(value) for value in sample.values if _is_even(value)]
    filled = [example for example in examples if example.size]
    if len(examples) < len(sample.values) or not filled:
        return Guess("series", {}, "numbers over time")
    binary = all(np.isin(example, (0, 1)).all() for example in filled)
    if binary and all(example.ndim == 2 and example.shape[1] == KEYS for example in filled):
        return Guess("roll", {}, f"zeros and ones, {KEYS} a step")
    shape = filled[0].shape
    if filled[0].ndim == 2:
        one_size = len(filled) > 1 and all(example.shape == shape for example in filled)
        if one_size and min(shape) >= 8 and all(map(_holds_bytes, filled)):
            return Guess("image", {}, f"{shape[0]} × {shape[1]} whole numbers from 0 to 255")
        return Guess("series", {}, f"{shape[1]} numbers a step")
    last = all(example.shape[2] in {1, 3, 4} for example in filled)
    if last or all(example.shape[0] in {1, 3} for example in filled):
        return Guess("image", {}, "arrays of height, width and channels")
    return Guess("frames", {}, "arrays of time, height and width")


def contents(sample: Sample) -> Guess:
    """Tell sounds from pictures by how a file begins."""
    value = sample.values[0]
    content: bytes = value if isinstance(value, bytes) else value["bytes"]
    if content[:4] in {b"RIFF", b"fLaC", b"OggS"} and content[8:12] != b"WEBP":
        return Guess("audio", {}, "bytes of sound files")
    return Guess("image", {}, "bytes of pictures")


def _ending(path: str) -> str:
    """Return a path's suffix."""
    return "." + path.rsplit(".", 1)[-1].lower()


def _reads_as_number(text: str) -> bool:
    """Tell whether a string is a number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _whole(number: Any) -> Name | None:
    """Return a number as a name if it is whole, else None."""
    if number is None or (isinstance(number, float) and not number.is_integer()):
        return None
    return as_name(number, "a number")


def _repeat(values: Iterable[Sequence[Any]], names: int) -> bool:
    """Tell whether few names fill many steps."""
    return 2 * names <= sum(map(len, values))


def _is_list_of_labels(texts: set[str], separator: str, rows: int) -> bool:
    """Tell whether strings are names with a separator between: few names, short, used again."""
    if not any(separator in text for text in texts):
        return False
    parts = [part.strip() for text in texts for part in text.split(separator)]
    short = sum(len(part.split()) for part in parts) <= SHORT * len(parts)
    return short and 2 * len(set(parts)) <= max(len(parts), rows)


def _are_words(lists: Iterable[Iterable[str]]) -> bool:
    """Tell an open vocabulary, as a language has, from a set of names, codes or letters.

    Many different ones, of three characters and more, and a third of them seen once.
    """
    counts = Counter(symbol for symbols in lists for symbol in symbols)
    if len(counts) < OPEN_VOCABULARY:
        return False
    once = sum(count == 1 for count in counts.values())
    return sum(map(len, counts)) >= 3 * len(counts) and once >= len(counts) / 3


def _one_a_step(sample: Sample) -> bool:
    """Tell whether values have an element for each step of their input, but for a few at fault.

    Those few are found, and named, when the values are encoded.
    """
    if sample.steps is None:
        return False
    pairs = zip(sample.values, sample.steps, strict=True)
    wrong = sum(len(value) != steps for value, steps in pairs)
    return wrong * 10 <= len(sample.values)


def _never_twice(values: Iterable[Sequence[Any]]) -> bool:
    """Tell whether no value holds an element twice."""
    return all(len(set(value)) == len(value) for value in values)


def _is_even(value: Any) -> bool:
    """Tell whether nested lists have one length on each level, and hold numbers alone."""
    try:
        return np.asarray(value).dtype.kind in "biuf"
    except ValueError:
        return False


def _holds_bytes(array: np.ndarray) -> bool:
    """Tell whether an array holds whole numbers from 0 to 255, and not only zeros and ones."""
    if array.dtype.kind not in "iu":
        return False
    return bool(array.min() >= 0 and 1 < array.max() <= 255)
