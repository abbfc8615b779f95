"""What texts and symbols learn: a vocabulary and, on demand, the words' characters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from torch import Tensor

from elman.features import subwords
from elman.features.byte_pairs import BytePairs
from elman.features.feature import Encoding
from elman.features.spelling import Spelling
from elman.features.state import Types, malformed
from elman.features.vocabulary import Vocabulary

V = TypeVar("V", bound=Vocabulary | BytePairs)

LEXICON: Mapping[str, Types] = MappingProxyType(
    {"vocabulary": dict, "spelling": (list, type(None))}
)
"""Entries of a lexicon's JSON and their types, for `state.restore`."""


class Lexicon(NamedTuple, Generic[V]):
    """A vocabulary and, on demand, the characters of its words."""

    vocabulary: V
    spelling: Spelling | None
    subwords: int = 0
    """Buckets of the words' n-grams; 0 where these are not read."""

    @property
    def encoding(self) -> Encoding:
        """One id a step, 20 more for a word's characters, and 20 more for its n-grams."""
        spelling = None if self.spelling is None else self.spelling.encoding
        pieces = (self.subwords, subwords.COLUMNS) if self.subwords else None
        return Encoding(ids=(len(self.vocabulary),), characters=spelling, subwords=pieces)

    def beside(self, ids: Tensor, words: Sequence[str], cased: Sequence[str]) -> Tensor:
        """Append to each word's id, (T,), its characters and code points, where they are read.

        Args:
            ids: of the words.
            words: in their original case, in which their characters are read.
            cased: in the case of the vocabulary, in which their n-grams are read.
        """
        encoded = ids if self.spelling is None else self.spelling.beside(ids, words)
        if not self.subwords:
            return encoded
        return subwords.beside(encoded if encoded.ndim == 2 else encoded[:, None], cased)

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
        buckets: int,
    ) -> Lexicon[V]:
        """Restore the lexicon of a feature of some kind.

        Args:
            state: the JSON of `to_json`, with the entries of `LEXICON`.
            kind: kind of the feature, for errors.
            vocabulary: restores the vocabulary from its JSON and the kind.
            characters: whether the feature reads the characters of words.
            buckets: of the words' n-grams, 0 where the feature does not read these.

        Raises:
            DataError: the state is malformed.
        """
        spelling = state["spelling"]
        if characters != (spelling is not None):
            raise malformed(kind, "it must hold a 'spelling' if and only if characters=True")
        words = vocabulary(state["vocabulary"], kind)
        return Lexicon(words, None if spelling is None else Spelling(spelling), buckets)
