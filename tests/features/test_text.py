"""Texts as words, characters and byte pairs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elman.errors import DataError, OptionError
from elman.features.byte_pairs import BytePairs
from elman.features.text import TextFeature
from elman.features.vocabulary import Vocabulary

REVIEWS = ["The film is fine.", "the plot is dull", "A FINE cast, a dull plot!"]


def names_of(feature: TextFeature) -> tuple[object, ...]:
    assert isinstance(feature.vocabulary, Vocabulary)
    return feature.vocabulary.names


def test_words_that_occur_twice_have_ids_and_others_are_unknown() -> None:
    feature = TextFeature().fit(REVIEWS)
    assert names_of(feature) == ("a", "dull", "fine", "is", "plot", "the")
    assert feature.encode("The cast is DULL").tolist() == [6, 0, 4, 2]
    assert feature.decode(feature.encode("The cast is DULL, a plot")) == (
        "the <unk> is dull <unk> a plot"
    )
    assert feature.notes == [
        "5 of 11 different words are unknown, 29.4% of the text: they occur fewer than 2 times, or "
        "exceed max_vocabulary=30000."
    ]


def test_case_is_kept_or_dropped_on_demand() -> None:
    kept = TextFeature(lowercase=False, min_count=1).fit(["The the"])
    assert names_of(kept) == ("The", "the")
    dropped = TextFeature("character", lowercase=True).fit(["Aa"])
    assert names_of(dropped) == ("a",)
    assert dropped.encode("A").tolist() == [1]


def test_characters_keep_case_and_unseen_ones_are_unknown() -> None:
    feature = TextFeature("character").fit(["Abba"])
    assert names_of(feature) == ("b", "A", "a")
    assert feature.encode("baX").tolist() == [1, 3, 0]
    assert feature.decode(feature.encode("baX")) == "ba\ufffd"
    assert feature.description == "characters"


def test_a_limited_vocabulary_keeps_the_most_frequent_words() -> None:
    feature = TextFeature(max_vocabulary=2, min_count=1).fit(["c b b a a a"])
    assert names_of(feature) == ("a", "b")


@pytest.mark.parametrize(("keep", "kept"), [("end", "c d"), ("beginning", "a b")])
def test_long_texts_are_cut_at_the_chosen_end_and_counted(keep: str, kept: str) -> None:
    feature = TextFeature(min_count=1, max_length=2, keep=keep)  # type: ignore[arg-type]
    feature.fit(["a b c d", "a", "b c d", ""])
    assert feature.decode(feature.encode("a b c d")) == kept
    assert feature.notes == [
        f"2 of 4 texts have more than 2 words; their {keep} is kept.",
        "1 of 4 texts are empty.",
    ]


def test_an_empty_text_has_no_steps() -> None:
    assert TextFeature(min_count=1).fit(["a"]).encode("").shape == (0,)
    spelled = TextFeature(min_count=1, characters=True).fit(["a"])
    assert spelled.encode("<br />").shape == (0, 21)


def test_two_forms_of_an_accent_are_one_unless_not_normalised() -> None:
    feature = TextFeature("character").fit(["caf\u00e9"])
    assert feature.encode("cafe\u0301").tolist() == feature.encode("caf\u00e9").tolist()
    apart = TextFeature("character", normalise="none").fit(["caf\u00e9"])
    assert len(apart.encode("cafe\u0301")) == 5
    united = TextFeature(normalise="NFKC", min_count=1).fit(["ﬁne"])
    assert names_of(united) == ("fine",)


def test_the_characters_of_a_word_follow_its_id_in_their_original_case() -> None:
    feature = TextFeature(min_count=1, characters=True).fit(["Anna ran", "Anna"])
    assert feature.encoding.ids == (3,)
    assert feature.encoding.characters == (5, 20)  # n, a, A seen twice; r once is unknown
    word = feature.encode("anna Ar!")
    assert word[:, 0].tolist() == [1, 0, 0]
    n, a, big = (feature.encode(text)[0, 1].item() for text in "naA")
    assert word[0, 1:6].tolist() == [a, n, n, a, 0]
    assert word[1, 1:4].tolist() == [big, 1, 0]


def test_a_long_word_keeps_its_first_and_last_characters() -> None:
    feature = TextFeature(min_count=1, characters=True).fit(["aabbcc"])
    word = feature.encode("a" * 10 + "b" * 50 + "c" * 10)[0, 1:]
    a, c = feature.encode("ac")[0, 1:3].tolist()
    assert word.tolist() == [a] * 10 + [c] * 10


@given(st.text())
def test_byte_pairs_decode_every_text(text: str) -> None:
    feature = byte_pairs()
    ids = feature.encode(text)
    assert (ids > 0).all()
    assert feature.decode(ids) == feature._checked(text)


def byte_pairs() -> TextFeature:
    return TextFeature("bpe", max_vocabulary=300).fit(["low lower lowest"] * 5 + ["newer wider"])


def test_byte_pairs_merge_frequent_neighbours() -> None:
    feature = byte_pairs()
    assert isinstance(feature.vocabulary, BytePairs)
    assert len(feature.vocabulary) <= 300
    assert feature.encoding.ids == (len(feature.vocabulary),)
    assert "low" in feature.vocabulary.pieces
    assert len(feature.encode("low")) == 1
    assert len(feature.encode("xyz")) == 3
    assert feature.encode("LOW").tolist() != feature.encode("low").tolist()


def test_byte_pairs_are_the_same_at_every_fit_and_after_json() -> None:
    states = {json.dumps(byte_pairs().to_json()) for _ in range(3)}
    assert len(states) == 1
    again = TextFeature.from_json(json.loads(states.pop()))
    assert again.encode("the lowest").tolist() == byte_pairs().encode("the lowest").tolist()


def test_byte_pairs_that_cannot_be_merged_are_refused() -> None:
    state = byte_pairs().to_json()
    for vocabulary, words in (
        ({"pieces": ["<unk>", "a"], "merges": [["a", "a"]]}, "cannot merge"),
        ({"pieces": ["a"], "merges": []}, "must begin with '<unk>'"),
        ({"pieces": ["<unk>", "a", "a"], "merges": []}, "must begin with '<unk>' and be unique"),
    ):
        learned = {**state["learned"], "vocabulary": vocabulary}
        with pytest.raises(DataError, match=words):
            TextFeature.from_json({**state, "learned": learned})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "there are no training texts; at least one is needed"),
        (["", ""], "all 2 training texts are empty; is this the right column"),
        (["a b c"], "none of the 3 words in the training rows occurs 2 times; lower min_count"),
        (["a", None], "the text is missing; give an empty string, or leave the row out"),
        (["a", float("nan")], "the text is missing"),
        ([3], r"a text must be a string, got 3. Make it a string"),
        ([["a", "b"]], r"a text must be a string, got \['a', 'b'\]. .* use kind 'symbols'"),
    ],
)
def test_malformed_values_are_refused(values: list[object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        TextFeature().fit(values)


def test_a_long_value_is_shortened_in_errors() -> None:
    with pytest.raises(DataError) as caught:
        TextFeature(min_count=1).fit(["a"]).encode(["x" * 10_000_000] * 5)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"level": "wrod"}, "unknown level 'wrod'; did you mean 'word'"),
        ({"keep": "start"}, "unknown keep 'start'"),
        ({"normalise": "NFX"}, "unknown normalise 'NFX'"),
        ({"max_vocabulary": 0}, "max_vocabulary must be a whole number of at least 1, got 0"),
        ({"min_count": 1.5}, "min_count must be a whole number of at least 1, got 1.5"),
        ({"max_length": True}, "max_length must be a whole number"),
        ({"level": "bpe", "characters": True}, "needs level='word', got level='bpe'"),
        ({"level": "bpe", "line_ends": True}, "needs level='word'; level='bpe' keeps line ends"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        TextFeature(**options)  # type: ignore[arg-type]


def test_the_end_of_a_line_may_be_a_word_and_is_decoded_as_one() -> None:
    text = "To be,\nor not.\n\n"
    feature = TextFeature(line_ends=True, lowercase=False, min_count=1).fit([text])
    assert len(feature.encode(text)) == 9
    assert feature.decode(feature.encode(text)) == text
    assert feature.encode("\n").tolist() == [1]
    again = TextFeature.from_json(feature.to_json())
    assert again.encode(text).tolist() == feature.encode(text).tolist()


def test_line_ends_separate_words_and_are_no_words_by_default() -> None:
    feature = TextFeature(min_count=1).fit(["to be\nor not"])
    assert feature.decode(feature.encode("to be\nor not\n")) == "to be or not"


def test_a_state_older_than_line_ends_is_read() -> None:
    feature = TextFeature(min_count=1).fit(["to be"])
    state = feature.to_json()
    del state["options"]["line_ends"]
    assert TextFeature.from_json(state).encode("to be").tolist() == [2, 1]


@pytest.mark.parametrize("level", ["character", "bpe"])
def test_characters_and_byte_pairs_keep_line_ends(level: Any) -> None:
    text = "To be,\n  or not.\n\n"
    feature = TextFeature(level).fit([text])
    assert feature.decode(feature.encode(text)) == text
