"""Words as code points, beside their ids."""

from __future__ import annotations

import json
import re

import pytest
import torch

from elman.errors import OptionError
from elman.features.aligned import AlignedFeature
from elman.features.feature import Encoding
from elman.features.parts import Part
from elman.features.subwords import code_points
from elman.features.symbols import SymbolsFeature
from elman.features.text import TextFeature


def test_the_code_points_of_a_word_follow_its_id_in_the_case_in_which_it_is_read() -> None:
    feature = TextFeature(min_count=1, subwords=50).fit(["Café!"])
    assert feature.encoding == Encoding(ids=(3,), subwords=(50, 20))
    known, unknown = feature.encode("CAFÉ bé")
    assert known.tolist() == [2, *map(ord, "café"), *[0] * 16]
    assert unknown.tolist() == [0, *map(ord, "bé"), *[0] * 18]
    assert feature.decode(feature.encode("café bé")) == "café <unk>"
    assert feature.unknown_in("café bé") == 1


def test_they_come_after_the_characters_where_both_are_read() -> None:
    feature = TextFeature(min_count=1, characters=True, subwords=50).fit(["aa bb aa"])
    plain = TextFeature(min_count=1, characters=True).fit(["aa bb aa"])
    both = feature.encode("ab")
    assert feature.encoding.columns == both.shape[1] == 41
    assert torch.equal(both[:, :21], plain.encode("ab"))
    assert both[0, 21:23].tolist() == [97, 98]


def test_symbols_have_them_too() -> None:
    feature = SymbolsFeature(subwords=9).fit([[7, 12], [7]])
    assert feature.encode([12, 3]).tolist() == [
        [2, ord("1"), ord("2"), *[0] * 18],
        [0, ord("3"), *[0] * 19],
    ]


def test_a_long_word_keeps_its_first_and_last_ten_characters() -> None:
    assert code_points("a" * 10 + "b" * 50 + "c" * 10) == [97] * 10 + [99] * 10


def test_a_text_without_words_has_the_columns_of_one_with_words() -> None:
    assert TextFeature(min_count=1, subwords=9).fit(["a"]).encode("").shape == (0, 21)


@pytest.mark.parametrize("kind", [TextFeature, SymbolsFeature])
def test_a_feature_with_subwords_is_restored_from_its_json(kind: type[TextFeature]) -> None:
    feature = kind(min_count=1, subwords=50).fit(["one two"])
    again = kind.from_json(json.loads(json.dumps(feature.to_json())))
    assert again.encoding == feature.encoding
    assert torch.equal(again.encode("two three"), feature.encode("two three"))


def test_a_feature_saved_before_there_were_subwords_has_none() -> None:
    state = TextFeature(min_count=1).fit(["one two"]).to_json()
    del state["options"]["subwords"]
    assert TextFeature.from_json(state).encode("two").tolist() == [2]


def test_words_without_an_id_are_said_to_be_known_by_their_ngrams() -> None:
    feature = TextFeature(subwords=50).fit(["a a b"])
    assert feature.notes[0].startswith("1 of 2 different words are known only by their n-grams,")
    symbols = SymbolsFeature(min_count=2, subwords=50).fit([["a", "a", "b"]])
    assert "are known only by their n-grams: they occur" in symbols.notes[0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TextFeature("character", subwords=9), "subwords=9 gives the character n-grams"),
        (lambda: TextFeature(subwords=-1), "subwords must be a whole number of at least 0"),
        (lambda: SymbolsFeature(as_target=True, subwords=9), "leave out min_count, max_vocabulary"),
    ],
)
def test_subwords_without_an_effect_are_refused(make: object, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        make()  # type: ignore[operator]


def test_columns_read_side_by_side_refuse_subwords_with_the_way_out() -> None:
    parts = [Part(("a",), SymbolsFeature(subwords=9)), Part(("b",), SymbolsFeature())]
    feature = AlignedFeature(parts)
    feature.fit([[["x", "y"], ["u", "v"]]])
    words = (
        "of a, b, read side by side, none can have the vectors of its subwords; say subwords = 0"
    )
    with pytest.raises(OptionError, match=re.escape(words)):
        _ = feature.encoding
