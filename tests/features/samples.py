"""One fitted feature of every kind with its values, for the tests of all kinds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from elman.features.aligned import AlignedFeature
from elman.features.build import build_feature
from elman.features.feature import Feature
from elman.features.kinds import feature_class
from elman.features.mixture import ContextFeature, MixtureFeature
from elman.features.parts import Part, PartsFeature
from elman.features.record import RecordFeature

TEXTS = ["A fine film, it's fine.", "a dull film", "Fine!", ""]
TAGS = [["DET", "NOUN"], ["NOUN", "VERB", "NOUN"], []]
COLUMNS = ["age", "port", "alone"]
ROWS = [[20, "Cork", True], [40.5, "Kiel", False], [None, None, True]]
TONE = np.sin(np.arange(2_000) * 2 * math.pi * 440 / 8_000)
PICTURES = [np.random.default_rng(seed).integers(0, 256, (5, 7), np.uint8) for seed in range(3)]

CASES: dict[str, tuple[str, dict[str, Any], list[Any]]] = {
    "words": ("text", {"min_count": 1}, TEXTS),
    "characters": ("text", {"level": "character", "max_length": 7}, TEXTS),
    "byte pairs": ("text", {"level": "bpe", "max_vocabulary": 280}, TEXTS),
    "spelled words": ("text", {"min_count": 1, "characters": True}, TEXTS),
    "words in pieces": ("text", {"min_count": 1, "characters": True, "subwords": 9}, TEXTS),
    "symbols": ("symbols", {}, TAGS),
    "spelled symbols": ("symbols", {"characters": True, "lowercase": True}, TAGS),
    "tags": ("symbols", {"as_target": True}, TAGS),
    "tags that are numbers": ("symbols", {"as_target": True}, [[3, 5], [5, 3, 3]]),
    "category": ("category", {}, ["a", "b", None]),
    "classes": ("category", {"as_target": True}, [True, False, True]),
    "dates": ("date", {}, ["2024-01-31", "2024-02-01", "2025-12-24"]),
    "labels": ("labels", {"separator": "|"}, ["a|b", "c", ""]),
    "number": ("number", {}, [1.5, 2, "4.25"]),
    "number with gaps": ("number", {"scale": "log"}, [1, None, 8]),
    "numbers": ("number", {"as_target": True, "columns": ["x", "y"]}, [[1, 5], [2, 9.5]]),
    "series": ("series", {}, [[1.0, 2.0], [4.0], []]),
    "series with gaps": (
        "series",
        {"columns": ["x", "y", "at"], "time": "at"},
        [[[1.0, None], [2.0, 3.0], [0, 5]], [[4.0], [0.5], [3]]],
    ),
    "answers over time": ("series", {"as_target": True}, [np.arange(6.0).reshape(3, 2)]),
    "record": ("record", {"columns": COLUMNS}, ROWS),
    "image": ("image", {}, PICTURES),
    "frames": ("frames", {"size": [4, 6], "colour": True}, [PICTURES, PICTURES[:1], []]),
    "rows": ("frames", {"scan": "rows"}, PICTURES),
    "permuted pixels": ("frames", {"scan": "pixels", "permutation": 3}, PICTURES),
    "log-mel": ("audio", {"mels": 20}, [(TONE, 8_000), (TONE[:900] ** 2, 8_000)]),
    "samples": (
        "audio",
        {"view": "samples", "channels": "each"},
        [(TONE[:50, None] ** [1, 2], 10)],
    ),
    "roll": ("roll", {}, [np.eye(3, 88, dtype=np.uint8)]),
}


def alone(column: str, kind: str, **options: Any) -> Part:
    """Return a part of one column."""
    return Part((column,), build_feature(kind, options))


def aligned() -> AlignedFeature:
    """Tokens, their tags and their sizes, at each step."""
    return AlignedFeature(
        [alone("token", "symbols"), alone("tag", "symbols"), alone("size", "series")]
    )


def record(*, number: str = "age", category: str = "port") -> Part:
    """A number and a category."""
    kinds = {number: "number", category: "category"}
    return Part((number, category), RecordFeature([number, category], kinds=kinds))


def context() -> ContextFeature:
    """A record beside labels and a picture."""
    return ContextFeature([record(), alone("topics", "labels"), alone("photo", "image")])


def mixture() -> MixtureFeature:
    """A pair of texts of one vocabulary, tokens with their tags, a record and labels."""
    text = build_feature("text", {"min_count": 1})
    sequences = [Part(("question",), text), Part(("passage",), text)]
    tagged = AlignedFeature([alone("token", "symbols"), alone("tag", "symbols")])
    beside = [record(), alone("topics", "labels")]
    return MixtureFeature([*sequences, Part(("token", "tag"), tagged), *beside])


MIXED: dict[str, tuple[Callable[[], PartsFeature], list[Any]]] = {
    "aligned": (
        aligned,
        [
            [["He", "ran"], ["PRP", "VBD"], [2.0, 4.0]],
            [["He"], ["NN"], [6.0]],
            [["ran", "He"], None, [None, 4.0]],
            [None, None, None],
        ],
    ),
    "context": (
        context,
        [
            [20, "Cork", ["sea", "war"], PICTURES[0]],
            [40, "Kiel", [], PICTURES[1]],
            [None, None, None, None],
        ],
    ),
    "mixture": (
        mixture,
        [
            ["a b", "b c b", ["He", "ran"], ["PRP", "VBD"], 20, "Cork", ["sea"]],
            ["b", "", ["He"], ["NN"], 40, "Kiel", ["sea", "war"]],
            [None, "c", None, None, None, None, None],
        ],
    ),
}
"""Name → a feature of several columns, not fitted, and values."""


def new(name: str) -> tuple[Feature, list[Any]]:
    """Return a feature that is not fitted, and values to fit it on."""
    if name in MIXED:
        make, values = MIXED[name]
        return make(), values
    kind, options, values = CASES[name]
    return feature_class(kind)(**options), values


def fitted(name: str) -> tuple[Feature, list[Any]]:
    """Return a fitted feature and the values it was fitted on."""
    feature, values = new(name)
    return feature.fit(values), values
