"""Guesses of a column's kind from values of one type, each with its reason."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from elman.data.number_formats import looks_like_numbers
from elman.data.numbers import FEW_CLASSES
from elman.data.paths import PICTURES, SOUNDS
from elman.features.hot import hot, one_hot
from elman.features.roll import KEYS
from elman.features.separators import separator_in
from elman.features.vocabulary import Name, as_name

SHORT = 3
"""Maximum mean number of words of a name; longer strings are text."""

OPEN_VOCABULARY = 1000
"""Minimum number of distinct symbols that may be the words of a language."""

WORDS = {"characters": True, "lowercase": True, "min_count": 2}
"""Options for such words: rare and unknown words are known only by their characters."""

_WHOLE = re.compile(r"-?\d+")
_THOUSANDS = re.compile(r"-?\d{1,3}(\s\d{3})*")


_DIGITS = re.compile(r"\s*[-+]?\d+(?:[Ee]\d+)?\s*")

CODES = "codes: whole numbers with a leading zero, or too large to be exact"


class Guess(NamedTuple):
    """A kind, its options, and the reason."""

    kind: str
    options: dict[str, Any]
    why: str


class Whole(NamedTuple):
    """What is known of a whole column, without its missing values."""

    rows: int
    distinct: int
    inexact: bool = False
    """Whether it holds whole numbers too large to be exact."""


class Sample(NamedTuple):
    """Values of one column, none of them missing."""

    values: Sequence[Any]
    as_target: bool
    steps: Sequence[int] | None
    """Number of steps of each value's input, if known."""
    whole: Whole | None = None
    """Rows and distinct values of the column; None if these are all of its values."""

    @property
    def of_column(self) -> Whole:
        """Rows and distinct values of the whole column."""
        return self.whole or Whole(len(self.values), len(set(self.values)))


def strings(sample: Sample) -> Guess:
    """Distinguish paths, numbers as strings, labels, categories and texts."""
    texts = [value if isinstance(value, str) else value["path"] for value in sample.values]
    for kind, endings in (("audio", SOUNDS), ("image", PICTURES)):
        if all(text.lower().endswith(endings) for text in texts):
            return Guess(kind, {}, f"paths that end in {_ending(texts[0])}")
    if (read := looks_like_numbers(texts)) is not None:
        return numbers(sample._replace(values=read))
    if all(map(_DIGITS.fullmatch, texts)) and not sample.as_target:
        return Guess("category", {}, CODES)
    distinct = set(texts)
    rows, different, _ = sample.whole or Whole(len(texts), len(distinct))
    words = sum(len(text.split()) for text in texts) / len(texts)
    if sample.as_target:
        separator = separator_in(distinct, len(texts))
        if separator is not None:
            return Guess("labels", {"separator": separator}, f"names separated by {separator}")
    if words >= 2 and _are_whole_tokens(texts):
        return Guess("symbols", {}, "whole numbers with spaces between, one a step")
    repeat = different <= rows / 2
    if words <= SHORT and (repeat or (sample.as_target and different <= FEW_CLASSES)):
        return Guess("category", {}, f"{different} different names" + (", repeated" * repeat))
    if words < 1.5:
        return Guess("text", {"level": "character"}, "strings of one word, most of them different")
    return Guess("text", {}, f"strings of {words:.0f} words on average")


def numbers(sample: Sample) -> Guess:
    """Distinguish numbers from a category of few whole numbers, which only a target can be."""
    whole = all(math.isfinite(value) and float(value).is_integer() for value in sample.values)
    rows, distinct, inexact = sample.of_column
    if inexact and not sample.as_target:
        return Guess("category", {}, CODES)
    few = distinct <= min(FEW_CLASSES, rows / 2)
    if sample.as_target and whole and few:
        return Guess("category", {}, f"{distinct} different whole numbers")
    return Guess("number", {}, f"{distinct} different numbers")


def lists_of_strings(sample: Sample) -> Guess:
    """Distinguish symbols, one a step, from labels."""
    if sample.as_target and not _one_a_step(sample) and _rarely_twice(sample.values):
        return Guess("labels", {}, "lists of names that hardly repeat")
    if not sample.as_target and _are_words(sample.values):
        return Guess("symbols", dict(WORDS), "lists of words, many of them rare")
    return Guess("symbols", {}, "lists of strings")


def lists_of_numbers(sample: Sample) -> Guess:
    """Distinguish series from tags or labels that are whole numbers."""
    if not sample.as_target:
        return Guess("series", {}, "numbers over time")
    if hot(sample.values) and not _one_a_step(sample):
        if one_hot(sample.values):
            return Guess("category", {"one_hot": True}, "zeros and a single one, one a class")
        return Guess("labels", {"multi_hot": True}, "zeros and ones, one a label")
    names = {_whole(number) for value in sample.values for number in value}
    if None in names or not _repeat(sample.values, len(names)):
        return Guess("series", {}, "numbers over time")
    aligned = sample.steps is None or _one_a_step(sample)
    if len(names) > FEW_CLASSES:  # numbers over time are predicted a step, or not at all
        if aligned:
            return Guess("series", {}, "numbers over time")
        return Guess("symbols", {}, f"{len(names)} different whole numbers, not one a step")
    if not _one_a_step(sample) and _rarely_twice(sample.values):
        return Guess("labels", {}, "lists of whole numbers that hardly repeat")
    return Guess("symbols", {}, f"{len(names)} different whole numbers, one a step")


def arrays(sample: Sample) -> Guess:
    """Distinguish piano rolls, pictures and series by their axes and values."""
    examples = [np.asarray(value) for value in sample.values if _is_regular(value)]
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
    """Distinguish sounds from pictures by the first bytes of a file."""
    value = sample.values[0]
    content: bytes = value if isinstance(value, bytes) else value["bytes"]
    if content[:4] in {b"RIFF", b"fLaC", b"OggS"} and content[8:12] != b"WEBP":
        return Guess("audio", {}, "bytes of sound files")
    return Guess("image", {}, "bytes of pictures")


def _ending(path: str) -> str:
    """Return a path's suffix."""
    return "." + path.rsplit(".", 1)[-1].lower()


def _whole(number: Any) -> Name | None:
    """Return a whole number as a name, and None for any other."""
    if number is None or (isinstance(number, float) and not number.is_integer()):
        return None
    return as_name(number, "a number")


def _repeat(values: Iterable[Sequence[Any]], names: int) -> bool:
    """Tell whether every name occurs at least twice on average."""
    return 2 * names <= sum(map(len, values))


def _are_whole_tokens(texts: Sequence[str]) -> bool:
    """Tell whether texts are whole numbers with spaces between, most of which repeat.

    Groups of three digits may be one number, written with its thousands apart.
    """
    tokens = [token for text in texts for token in text.split()]
    if not all(_WHOLE.fullmatch(token) for token in tokens) or 2 * len(set(tokens)) > len(tokens):
        return False
    return not all(_THOUSANDS.fullmatch(text.strip()) for text in texts)


def _are_words(lists: Iterable[Iterable[str]]) -> bool:
    """Tell whether symbols are words of a language, not a set of names, codes or letters.

    Words are many, have three characters or more on average, and a third of them occur only once.
    """
    counts = Counter(symbol for symbols in lists for symbol in symbols)
    if len(counts) < OPEN_VOCABULARY:
        return False
    once = sum(count == 1 for count in counts.values())
    return sum(map(len, counts)) >= 3 * len(counts) and once >= len(counts) / 3


def _one_a_step(sample: Sample) -> bool:
    """Tell whether values have one element for each step of their input, with few exceptions.

    The exceptions are reported when the values are encoded.
    """
    if sample.steps is None:
        return False
    pairs = zip(sample.values, sample.steps, strict=True)
    wrong = sum(len(value) != steps for value, steps in pairs)
    return wrong * 10 <= len(sample.values)


def _rarely_twice(values: Sequence[Sequence[Any]]) -> bool:
    """Tell whether values contain no element twice, with few exceptions.

    The exceptions are counted when the values are read.
    """
    return 10 * sum(len(set(value)) < len(value) for value in values) <= len(values)


def _is_regular(value: Any) -> bool:
    """Tell whether nested lists of numbers have equal lengths on each level."""
    try:
        return np.asarray(value).dtype.kind in "biuf"
    except ValueError:
        return False


def _holds_bytes(array: np.ndarray) -> bool:
    """Tell whether an array holds whole numbers from 0 to 255, but not only zeros and ones."""
    if array.dtype.kind not in "iu":
        return False
    return bool(array.min() >= 0 and 1 < array.max() <= 255)
