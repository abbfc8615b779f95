"""Building a feature from its kind and options."""

from __future__ import annotations

from typing import Any

import pytest

from elman.errors import OptionError
from elman.features.build import build_feature, parse_kind
from elman.features.kinds import KINDS, feature_class
from elman.features.record import RecordFeature
from elman.features.series import SeriesFeature
from elman.features.text import TextFeature


def test_a_kind_may_have_a_variant_after_a_colon() -> None:
    assert parse_kind("text:char") == ("text", {"level": "character"})
    assert parse_kind("audio:samples") == ("audio", {"view": "samples"})
    assert parse_kind("roll") == ("roll", {})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if feature_class(kind).variants])
def test_every_variant_stands_for_options_of_its_kind(kind: str) -> None:
    for variant, options in feature_class(kind).variants.items():
        feature = build_feature(*parse_kind(f"{kind}:{variant}"))
        assert feature.kind == kind
        assert {option: getattr(feature, option) for option in options} == options != {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_built(kind: str) -> None:
    assert build_feature(kind, columns=["x"]).kind == kind


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("txt", "unknown kind of column 'txt'; did you mean 'text'"),
        ("text:chars", "unknown text variant 'chars'; did you mean 'char'"),
        ("text:", "unknown text variant ''"),
        ("roll:x", "kind 'roll' has no variants, got 'roll:x'; write 'roll'"),
    ],
)
def test_a_kind_that_does_not_exist_is_refused(text: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        parse_kind(text)


def test_options_reach_the_feature() -> None:
    feature = build_feature("text", {"level": "bpe", "max_length": 9}, columns=["review"])
    assert isinstance(feature, TextFeature)
    assert (feature.level, feature.max_length) == ("bpe", 9)


def test_names_of_several_columns_reach_the_feature() -> None:
    series = build_feature("series", {"time": "at"}, columns=["x", "at"])
    assert isinstance(series, SeriesFeature)
    assert (series.columns, series.time) == (("x", "at"), "at")
    record = build_feature("record", columns=["age"])
    assert isinstance(record, RecordFeature)
    assert record.columns == ("age",)


@pytest.mark.parametrize("kind", ["category", "number", "series", "symbols"])
def test_a_target_is_built_as_a_target(kind: str) -> None:
    assert build_feature(kind, as_target=True).as_target  # type: ignore[attr-defined]
    assert not build_feature(kind).as_target  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "options", "more", "words"),
    [
        ("text", {"lvel": 1}, {}, "unknown text option 'lvel'; did you mean 'level'"),
        ("roll", {"level": 1}, {}, "kind 'roll' has no options, got 'level'"),
        ("text", {}, {"columns": ["a", "b"]}, "kind 'text' takes one column, got 2: a, b"),
        ("image", {}, {"as_target": True}, "kind 'image' can only be an input, not a target"),
        (
            "audio",
            {},
            {"as_target": True},
            "log-mel frames cannot be predicted; set view='samples'",
        ),
        ("category", {"as_target": True}, {}, "unknown category option|has no options"),
    ],
)
def test_what_cannot_be_built_is_refused(
    kind: str, options: dict[str, Any], more: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        build_feature(kind, options, **more)


def test_samples_of_sound_can_be_predicted() -> None:
    assert build_feature("audio", {"view": "samples"}, as_target=True).kind == "audio"
