"""Symbols: lists of tokens or tags."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from elman.errors import DataError, OptionError
from elman.features.checks import check_whole, fitted, missing, shown
from elman.features.feature import Encoding, Feature, without_counts
from elman.features.lexicon import LEXICON, Lexicon
from elman.features.names import Changes, alike, tidy
from elman.features.spelling import Spelling
from elman.features.state import feature_state, options_of, restore
from elman.features.vocabulary import UNKNOWN, Name, NameCounter, Vocabulary, as_name, unseen

MOST_NAMES = 30_000


class SymbolsFeature(Feature):
    """Lists of symbols as ids, one a step.

    A value is a list of strings (or of whole numbers: ids, codes), or one string that is split at
    spaces. As input, id 0 is unknown and the symbols have ids from 1. As target, symbols are tags:
    their ids are 0 … n − 1, spaces around them are dropped, and a tag that does not occur in
    training is an error.

    Args:
        as_target: whether the symbols are predicted.
        lowercase: whether symbols are read in lower case.
        max_vocabulary: maximum number of symbols of an input; the rarest are unknown.
        min_count: minimum count of a known symbol of an input.
        characters: whether the characters of each symbol follow its id, (T, 1 + 20), in their
            original case. See `spelling.Spelling`.
        subwords: number of buckets of the character n-grams of an input's symbols, as of
            `TextFeature`; 0 turns it off.

    Raises:
        OptionError: an option is out of range, or has no effect for a target.

    >>> tags = SymbolsFeature(as_target=True).fit([["DET", "NOUN"], ["NOUN", "VERB"]])
    >>> tags.names, tags.encode("VERB DET").tolist()
    (('NOUN', 'DET', 'VERB'), [2, 1])
    """

    kind: ClassVar[str] = "symbols"
    has_steps: ClassVar[bool] = True
    plural: ClassVar[str] = "lists of symbols"
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {"characters": {"characters": True}}
    objectives: ClassVar[tuple[str, ...]] = ("tagging", "crf", "ctc")
    next_objective: ClassVar[str | None] = "language-model"
    predicts_names: ClassVar[bool] = True
    writable: ClassVar[bool] = True

    def __init__(
        self,
        *,
        as_target: bool = False,
        lowercase: bool = False,
        max_vocabulary: int = MOST_NAMES,
        min_count: int = 1,
        characters: bool = False,
        subwords: int = 0,
    ) -> None:
        check_whole("max_vocabulary", max_vocabulary, least=1)
        check_whole("min_count", min_count, least=1)
        check_whole("subwords", subwords, least=0)
        spelt = characters or subwords
        if as_target and (spelt or min_count > 1 or max_vocabulary != MOST_NAMES):
            raise OptionError(
                "a target keeps every symbol and has no characters; leave out min_count, "
                "max_vocabulary, characters and subwords."
            )
        self.as_target = as_target
        self.lowercase = lowercase
        self.max_vocabulary = max_vocabulary
        self.min_count = min_count
        self.characters = characters
        self.subwords = subwords
        self.notes: list[str] = []
        self._lexicon: Lexicon[Vocabulary] | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        """The symbols with their ids."""
        return fitted(self._lexicon, self.kind).vocabulary

    @property
    def names(self) -> tuple[Name, ...]:
        """The symbols, the most frequent first; as target in the order of their ids."""
        return self.vocabulary.names

    @property
    def encoding(self) -> Encoding:
        """One id a step, 20 more for a symbol's characters, and 20 more for its n-grams."""
        return fitted(self._lexicon, self.kind).encoding

    @property
    def description(self) -> str:
        """What a value is, in words."""
        return f"one of {len(self.names)} tags a step" if self.as_target else "symbols"

    def fit(self, values: Iterable[Any]) -> SymbolsFeature:
        """Learn the symbols from the training values.

        Raises:
            DataError: a value is malformed, or there is no symbol or, as target, only one.
        """
        counter, cased = NameCounter("a column of symbols"), NameCounter("a column of symbols")
        empty, rows, changes = 0, 0, Changes()
        for value in values:
            symbols = self._symbols(value)
            if self.as_target:
                symbols = list(map(changes.tidied, symbols))
            for symbol in symbols:
                counter.add(symbol)
                cased.add(self._cased(symbol))
            rows += 1
            empty += not symbols
        if not cased.counts:
            raise DataError(
                f"there is no symbol in the {rows} training rows; is this the right column?"
            )
        vocabulary = self._vocabulary_of(cased)
        spelling = None
        if self.characters:
            words = {str(symbol): count for symbol, count in counter.counts.items()}
            spelling = Spelling.from_words(words)
        self._lexicon = Lexicon(vocabulary, spelling, self.subwords)
        self.notes = [f"{empty} of {rows} values hold no symbols."] if empty else []
        if self.as_target:
            self.notes += [*changes.notes, *alike(cased.counts)]
        if left_out := len(cased.counts) - len(vocabulary.names):
            self.notes.append(
                f"{left_out} of {len(cased.counts)} different symbols are "
                f"{self._without_id}: they occur fewer than {self.min_count} times, or exceed "
                f"max_vocabulary={self.max_vocabulary}."
            )
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn symbols into ids, (T,), or with the characters of each (T, 1 + 20); int64.

        Raises:
            DataError: the value is malformed, or a tag does not occur in training.
        """
        lexicon = fitted(self._lexicon, self.kind)
        symbols = self._symbols(value)
        ids = torch.tensor([self._id(symbol) for symbol in symbols], dtype=torch.int64)
        cased = [str(self._cased(symbol)) for symbol in symbols]
        return lexicon.beside(ids, list(map(str, symbols)), cased)

    @property
    def _without_id(self) -> str:
        """What symbols are that are not in the vocabulary."""
        if self.characters:
            return "known only by their characters"
        return "known only by their n-grams" if self.subwords else "unknown"

    def decode(self, encoded: Tensor) -> list[Name | None]:
        """Turn ids back into symbols; unknown ones are None."""
        ids = encoded[:, 0] if encoded.ndim == 2 else encoded
        return [self.vocabulary.name(index) for index in ids.tolist()]

    def tokens(self, encoded: Tensor) -> list[str]:
        """Name the symbol of each step."""
        return [UNKNOWN if symbol is None else str(symbol) for symbol in self.decode(encoded)]

    def as_given(self, value: Any) -> list[str | None]:
        """Return symbols as strings; an unknown one, None, equals no symbol."""
        symbols = value.split() if isinstance(value, str) else value
        return [None if missing(each) else str(as_name(each, "a symbol")) for each in symbols]

    def names_in(self, value: Any) -> list[Name]:
        """List the symbols of a value, learned or not."""
        return self._symbols(value)

    def learned(self) -> list[Name]:
        """List the symbols that a training row has."""
        known = self.vocabulary
        return [name for name, count in zip(known.names, known.counts, strict=True) if count]

    def mark_never_learned(self, ids: Collection[int]) -> None:
        """Note that no training row has these tags, but only rows of other parts."""
        lexicon = fitted(self._lexicon, self.kind)
        self._lexicon = lexicon._replace(vocabulary=without_counts(lexicon.vocabulary, ids))

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        lexicon = fitted(self._lexicon, self.kind)
        return feature_state(self.kind, options_of(self), lexicon.to_json())

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> SymbolsFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        feature, learned = restore(cls, state, LEXICON)
        feature._lexicon = Lexicon.from_json(
            learned,
            cls.kind,
            vocabulary=Vocabulary.from_json,
            characters=feature.characters,
            buckets=feature.subwords,
        )
        return feature

    def _symbols(self, value: Any) -> list[Name]:
        """Check a value and return its symbols, in their original case."""
        if isinstance(value, str):
            return list(value.split())
        if isinstance(value, np.ndarray) and value.ndim == 1:
            value = value.tolist()
        if missing(value) or not isinstance(value, list | tuple):
            raise DataError(
                f"symbols must be a list of names, or a string of names with spaces between, "
                f"got {shown(value)}."
            )
        return [as_name(symbol, f"symbol {step}") for step, symbol in enumerate(value)]

    def _cased(self, symbol: Name) -> Name:
        """Return a symbol in lower case, if `lowercase`."""
        return symbol.lower() if self.lowercase and isinstance(symbol, str) else symbol

    def _id(self, symbol: Name) -> int:
        """Return a symbol's id."""
        index = self.vocabulary.find(self._cased(tidy(symbol) if self.as_target else symbol))
        if index is None and self.as_target:
            raise unseen(
                "tag",
                symbol,
                self.names,
                "Correct it, or add rows with this tag to the training rows.",
            )
        return index or 0

    def _vocabulary_of(self, counter: NameCounter) -> Vocabulary:
        """Build a vocabulary from counts."""
        if not self.as_target:
            vocabulary = Vocabulary.from_counts(
                counter.counts, min_count=self.min_count, max_size=self.max_vocabulary
            )
            if not vocabulary.names:
                raise DataError(
                    f"none of the {len(counter.counts)} symbols in the training rows occurs "
                    f"{self.min_count} times; lower min_count."
                )
            return vocabulary
        if len(counter.counts) == 1:
            (name,) = counter.counts
            raise DataError(
                f"a target needs at least two tags, and the training rows have only {shown(name)}; "
                f"choose another column."
            )
        return Vocabulary.from_counts(counter.counts, unknown=False)
