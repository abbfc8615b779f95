"""The interface of every kind of column, tested on one feature of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from elman.errors import DataError, OptionError
from elman.features.feature import Encoding, Encodings, Feature
from elman.features.kinds import KINDS, feature_class, feature_from_json
from features.samples import CASES, MIXED, fitted, new

EVERY = [*CASES, *MIXED]
cases = pytest.mark.parametrize("name", EVERY)
learning = pytest.mark.parametrize("name", [name for name in EVERY if name != "roll"])


def encoded_parts(feature: Feature, value: Any) -> list[Tensor]:
    """Encode a value: one tensor, or one a part."""
    encoded = feature.encode(value)
    return list(encoded) if isinstance(encoded, tuple) else [encoded]


def encodings(feature: Feature) -> list[tuple[Encoding, bool]]:
    """Return the encoding of each tensor, and whether it has steps."""
    encoding: Any = feature.encoding
    if not isinstance(encoding, Encodings):
        return [(encoding, feature.has_steps)]
    return [(one, True) for one in encoding.sequences] + [(one, False) for one in encoding.context]


def test_there_is_a_case_of_every_kind() -> None:
    assert {kind for kind, _, _ in CASES.values()} == set(KINDS)


@cases
def test_a_value_is_encoded_as_its_encoding_says(name: str) -> None:
    feature, values = fitted(name)
    for value in values:
        parts = encoded_parts(feature, value)
        for encoded, (encoding, has_steps) in zip(parts, encodings(feature), strict=True):
            assert_encoded_as(encoding, encoded, encoded.shape[1:] if has_steps else encoded.shape)


def assert_encoded_as(encoding: Encoding, encoded: Tensor, step: torch.Size) -> None:
    numbers, ids, characters, picture, subwords = encoding
    if picture:
        assert tuple(step) == picture
    else:
        several = numbers or characters or subwords or len(ids) > 1
        assert tuple(step) == ((encoding.columns,) if several else ())
    assert encoded.dtype == (torch.float32 if numbers or picture else torch.int64)
    by_column = encoded if step else encoded[..., None]
    for place, size in enumerate(ids, start=numbers):
        column = by_column[..., place]
        assert ((column >= 0) & (column < size)).all()
    if characters:
        spelt = encoded[:, 1 : 1 + characters[1]]
        assert ((spelt >= 0) & (spelt < characters[0])).all()


@cases
def test_a_feature_restored_from_its_json_encodes_the_same(name: str) -> None:
    feature, values = fitted(name)
    again = feature_from_json(json.loads(json.dumps(feature.to_json())))
    assert again.to_json() == feature.to_json()
    assert again.encoding == feature.encoding
    assert again.description == feature.description
    for value in values:
        assert all(map(torch.equal, encoded_parts(again, value), encoded_parts(feature, value)))


@cases
def test_two_features_fitted_alike_are_the_same(name: str) -> None:
    assert fitted(name)[0].to_json() == fitted(name)[0].to_json()


SPELLED = {"spelled words", "words in pieces", "spelled symbols"}


@cases
def test_decoded_values_are_encoded_to_the_same(name: str) -> None:
    feature, values = fitted(name)
    if name in {"log-mel", "series with gaps", "frames", *SPELLED}:
        pytest.skip("decoding leaves out what spelling, time, and resizing said")
    if name in MIXED:  # a missing tag is an unknown one at every step, a missing picture is grey
        values = [value for value in values if all(cell is not None for cell in value)]
    for value in values:
        encoded = feature.encode(value)
        decoded = feature.decode(encoded)
        if name == "samples":
            decoded = (decoded, 10)
        torch.testing.assert_close(feature.encode(decoded), encoded, rtol=1e-4, atol=1e-5)


@learning
def test_a_feature_that_is_not_fitted_is_refused(name: str) -> None:
    feature, values = new(name)
    uses = (
        lambda: encodings(feature),
        feature.to_json,
        lambda: feature.encode(values[0]),
    )
    for use in uses:
        with pytest.raises(DataError, match="must be fitted before it is used; call fit with"):
            use()


@cases
def test_fitting_on_nothing_is_refused(name: str) -> None:
    with pytest.raises(DataError, match=r"there is no |there are no |got none"):
        new(name)[0].fit([])


# Several columns are fitted a part at a time: `tasks.fitting` says which value was refused.
@pytest.mark.parametrize("name", [name for name in CASES if name not in {"roll", "byte pairs"}])
def test_a_value_is_checked_before_the_next_one_is_requested(name: str) -> None:
    feature, values = new(name)
    requested: list[int] = []

    def one_by_one() -> Iterator[Any]:
        for place, value in enumerate([*values, object(), *values]):
            requested.append(place)
            yield value

    with pytest.raises(DataError):
        feature.fit(one_by_one())
    assert requested[-1] == len(values)


@learning
@pytest.mark.parametrize("value", [object(), 1 + 2j, {"x": 1}, [[["a"]]], {3}])
def test_a_malformed_value_is_refused_in_words(name: str, value: Any) -> None:
    feature, _ = fitted(name)
    with pytest.raises(DataError, match=r"must |cannot be read|is given twice|is missing"):
        feature.encode(value)


@learning
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "roll"}, "malformed: its kind is 'roll'|reads rolls described by"),
        ({"learned": 3}, "must hold 'options' and 'learned'"),
        ({"learned": {}}, r"it must hold \["),
        ({"options": {"colour_of_eyes": 3}}, r"unknown options \['colour_of_eyes'\]"),
    ],
)
def test_malformed_json_is_refused(name: str, change: dict[str, Any], words: str) -> None:
    feature, _ = fitted(name)
    with pytest.raises(DataError, match=words):
        type(feature).from_json({**feature.to_json(), **change})


@learning
def test_json_whose_entries_are_of_other_types_is_refused(name: str) -> None:
    feature, _ = fitted(name)
    state = feature.to_json()
    for entry in state["learned"]:
        learned = {**state["learned"], entry: "?"}
        with pytest.raises(DataError, match="malformed"):
            type(feature).from_json({**state, "learned": learned})


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(OptionError, match="unknown kind of column 'txt'; did you mean 'text'"):
        feature_class("txt")
    with pytest.raises(DataError, match="state must say its kind, got 'txt'"):
        feature_from_json({"kind": "txt"})
