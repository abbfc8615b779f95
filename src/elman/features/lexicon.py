"""What texts and symbols learn alike: the words and their ids, and how words are spelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from elman.features.byte_pairs import BytePairs
from elman.features.feature import Encoding
from elman.features.spelling import Spelling
from elman.features.state import Types, malformed
from elman.features.vocabulary import Vocabulary

V = TypeVar("V", bound=Vocabulary | BytePairs)

LEXICON: Mapping[str, Types] = MappingProxyType(
    {"vocabulary": dict, "spelling": (list, type(None))}
)
"""Entries of a lexicon's JSON, for `state.restore`."""


class Lexicon(NamedTuple, Generic[V]):
    """Words with their ids, and, where they are asked for, the characters of each."""

    vocabulary: V
    spelling: Spelling | None

    @property
    def encoding(self) -> Encoding:
        """One id a step; with the characters of each word, 20 more."""
        spelling = None if self.spelling is None else self.spelling.encoding
        return Encoding(ids=(len(self.vocabulary),), characters=spelling)

    def to_json(self) -> dict[str, Any]:
        """Describe the lexicon in JSON values, for `from_json`."""
        characters = None if self.spelling is None else list(self.spelling.characters)
        return {"vocabulary": self.vocabulary.to_json(), "spelling": characters}

    @classmethod
    def from_json(
        cls,
        state: Mapping[str, Any],
        kind: str,
        *,
        vocabulary: Callable[[Mapping[str, Any], str], V],
        characters: bool,
    ) -> Lexicon[V]:
        """Restore the lexicon of a feature of some kind.

        Args:
            state: as `to_json` described it, its entries those of `LEXICON`.
            kind: of the feature, for errors.
            vocabulary: restores the words from JSON and the kind.
            characters: whether the feature knows the characters of its words.

        Raises:
            DataError: the state is malformed.
        """
        spelled = state["spelling"]
        if characters != (spelled is not None):
            raise malformed(kind, "it must hold a 'spelling' where characters=True, there alone")
        words = vocabulary(state["vocabulary"], kind)
        return Lexicon(words, None if spelled is None else Spelling(spelled))
