"""Splitting texts into words, in many scripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elman.features.words import _ASCII, _pattern, join_words, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop, it’s fine!", ["Don't", "stop", ",", "it’s", "fine", "!"]),
        ("well-known (so-so)", ["well", "-", "known", "(", "so", "-", "so", ")"]),
        ("3.14 or 10,000 at 5.", ["3.14", "or", "10,000", "at", "5", "."]),
        ("good<br />bad<BR>ugly<br/>", ["good", "bad", "ugly"]),
        ("l’été à Zürich", ["l’été", "à", "Zürich"]),
        ("café", ["café"]),  # an accent as a mark of its own
        ("हिन्दी भाषा है", ["हिन्दी", "भाषा", "है"]),
        ("می‌خواهم بروم", ["می‌خواهم", "بروم"]),  # a joiner within a word
        ("我爱北京。OK", ["我", "爱", "北", "京", "。", "OK"]),
        ("カメラを", ["カ", "メ", "ラ", "を"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("nice 👍🏽 5€", ["nice", "👍", "🏽", "5", "€"]),
        (" \t\n", []),
        ("", []),
    ],
)
def test_a_text_is_split_into_words_and_punctuation(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@given(st.text(st.characters(exclude_categories=["Zs", "Zl", "Zp", "Cc", "Cs"])))
def test_no_character_is_lost(text: str) -> None:
    if "<br" not in text.lower():
        assert "".join(split_words(text)) == "".join(text.split())


@given(st.lists(st.from_regex(r"[a-z]{1,5}|[.,!?()]", fullmatch=True)))
def test_joined_words_are_split_into_the_same_words(words: list[str]) -> None:
    assert split_words(join_words(words)) == words


def test_words_are_joined_without_spaces_before_punctuation_and_between_han() -> None:
    words = ["Oh", ",", "(", "so", ")", "what", "?", "東", "京", "。"]
    assert join_words(words) == "Oh, (so) what? 東京。"


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_split_like_every_other_text(text: str) -> None:
    assert _ASCII.findall(text) == _pattern().findall(text)
