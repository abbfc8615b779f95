"""The vocabulary and the characters that texts and symbols learn."""

from __future__ import annotations

import json
from typing import Any

import pytest

from elman.errors import DataError
from elman.features.feature import Encoding
from elman.features.lexicon import Lexicon
from elman.features.spelling import Spelling
from elman.features.vocabulary import Vocabulary

WORDS = Vocabulary(["film", "plot"], [3, 2])


def restored(state: dict[str, Any], *, characters: bool) -> Lexicon[Vocabulary]:
    return Lexicon.from_json(
        state, "text", vocabulary=Vocabulary.from_json, characters=characters, buckets=0
    )


def test_a_step_is_an_id_followed_by_twenty_characters_with_a_spelling() -> None:
    assert Lexicon(WORDS, None).encoding == Encoding(ids=(3,))
    assert Lexicon(WORDS, Spelling("film")).encoding == Encoding(ids=(3,), characters=(6, 20))


@pytest.mark.parametrize("spelling", [None, Spelling("lifmpot"), Spelling("")])
def test_a_lexicon_is_restored_from_its_json(spelling: Spelling | None) -> None:
    state = json.loads(json.dumps(Lexicon(WORDS, spelling).to_json()))
    again = restored(state, characters=spelling is not None)
    assert again.vocabulary.names == ("film", "plot")
    assert again.to_json() == state


@pytest.mark.parametrize("characters", [False, True])
def test_a_lexicon_has_a_spelling_if_and_only_if_characters_are_read(
    characters: bool,
) -> None:
    state = Lexicon(WORDS, None if characters else Spelling("film")).to_json()
    with pytest.raises(
        DataError, match="malformed: it must hold a 'spelling' if and only if chara"
    ):
        restored(state, characters=characters)
