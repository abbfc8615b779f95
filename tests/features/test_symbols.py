"""Lists of symbols, as input and as tags."""

from __future__ import annotations

import numpy as np
import pytest

from elman.errors import DataError, OptionError
from elman.features.symbols import SymbolsFeature

SENTENCES = [["The", "cat", "sat"], ["the", "dog"]]


def test_symbols_have_ids_from_one_and_unknown_ones_are_zero() -> None:
    feature = SymbolsFeature().fit(SENTENCES)
    assert feature.names == ("The", "cat", "dog", "sat", "the")
    assert feature.encode(["dog", "bird"]).tolist() == [3, 0]
    assert feature.decode(feature.encode(["dog", "bird"])) == ["dog", None]
    assert feature.encoding.ids == (6,)


def test_a_string_is_split_at_spaces() -> None:
    feature = SymbolsFeature().fit(["a b", "b  c\n"])
    assert feature.encode("c a").tolist() == feature.encode(["c", "a"]).tolist() == [3, 2]


def test_case_is_dropped_in_the_id_and_kept_in_the_characters() -> None:
    feature = SymbolsFeature(lowercase=True, characters=True).fit([["Ab", "ab"]] * 2)
    upper, lower = feature.encode(["Ab", "ab"])
    assert upper[0] == lower[0] == 1
    assert upper[1] != lower[1]
    assert upper[2] == lower[2]


def test_tags_have_ids_from_zero_and_an_unseen_one_is_an_error_with_a_near_miss() -> None:
    tags = SymbolsFeature(as_target=True).fit([["B-NP", "I-NP", "O", "O"]])
    assert tags.names == ("O", "B-NP", "I-NP")
    assert tags.encoding.ids == (3,)
    assert tags.description == "one of 3 tags a step"
    with pytest.raises(DataError, match=r"the tag 'I-NQ' .*did you mean 'I-NP'.*O, B-NP, I-NP\. C"):
        tags.encode(["O", "I-NQ"])


def test_tags_may_be_whole_numbers_and_are_decoded_as_such() -> None:
    tags = SymbolsFeature(as_target=True).fit([[7, 3, 7], np.array([3, 7])])
    assert tags.names == (7, 3)
    assert tags.decode(tags.encode("3 7")) == [3, 7]


@pytest.mark.parametrize("value", [[7, 1, 9], "7 1 9", np.array([7, 1, 9]), [7.0, 1, 9]])
def test_whole_numbers_are_scored_and_shown_as_strings(value: object) -> None:
    feature = SymbolsFeature().fit([[7, 1], [1]])
    encoded = feature.encode(value)
    assert feature.as_given(value) == ["7", "1", "9"]
    assert feature.as_given(feature.decode(encoded)) == ["7", "1", None]
    assert feature.tokens(encoded) == ["7", "1", "<unk>"]


def test_spaces_around_tags_are_dropped_and_those_of_an_input_kept() -> None:
    tags = SymbolsFeature(as_target=True).fit([["O", "B-per "], ["B-PER", "O"]])
    assert tags.names == ("O", "B-PER", "B-per")
    assert tags.encode(["B-per", " O"]).tolist() == [2, 0]
    assert [note.split(",")[0] for note in tags.notes] == [
        "spaces around names are dropped in 1 value",
        "names that differ only in case",
    ]
    assert SymbolsFeature().fit([["a", " ", "a "]]).names == (" ", "a", "a ")


def test_rare_symbols_are_unknown_and_counted() -> None:
    feature = SymbolsFeature(min_count=2).fit([["a", "a", "b"], []])
    assert feature.names == ("a",)
    assert feature.notes == [
        "1 of 2 values hold no symbols.",
        "1 of 2 different symbols are unknown: they occur fewer than 2 times, or exceed "
        "max_vocabulary=30000.",
    ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[], ""], "there is no symbol in the 2 training rows"),
        ([None], "symbols must be a list of names, or a string .* got None"),
        ([["a", None]], "symbol 1 must be a name .* got None"),
        ([["a", ["b"]]], r"symbol 1 must be a name .* got \['b'\]"),
        ([["a", 1]], r"must be of one type, got 1 \(a whole number\)"),
    ],
)
def test_malformed_values_are_refused(values: list[object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        SymbolsFeature().fit(values)


def test_a_target_of_one_tag_is_refused() -> None:
    with pytest.raises(DataError, match="at least two tags, and the training rows have only 'O'"):
        SymbolsFeature(as_target=True).fit([["O", "O"]])


@pytest.mark.parametrize("options", [{"min_count": 2}, {"characters": True}, {"max_vocabulary": 9}])
def test_options_of_inputs_are_refused_for_targets(options: dict[str, int]) -> None:
    with pytest.raises(OptionError, match="a target keeps every symbol and has no characters"):
        SymbolsFeature(as_target=True, **options)  # type: ignore[arg-type]


def test_tags_of_other_parts_alone_are_known_and_not_learned() -> None:
    feature = SymbolsFeature(as_target=True).fit([["a", "b"], ["a", "c"]])
    feature.mark_never_learned(set(feature.ids(["b"])))
    for each in (feature, SymbolsFeature.from_json(feature.to_json())):
        assert sorted(map(str, each.learned())) == ["a", "c"]
        assert each.decode(each.encode(["b", "a"])) == ["b", "a"]
