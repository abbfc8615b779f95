"""Texts as sequences of words, characters or byte pairs."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, cast

import torch
from torch import Tensor

from elman.errors import DataError, OptionError
from elman.features.byte_pairs import BytePairs
from elman.features.checks import check_choice, check_whole, fitted, missing, shown
from elman.features.feature import Encoding, Feature
from elman.features.lexicon import LEXICON, Lexicon
from elman.features.spelling import Spelling
from elman.features.state import feature_state, options_of, restore
from elman.features.vocabulary import UNKNOWN, Vocabulary
from elman.features.words import LINE_END, join_words, split_words

LEVELS = ("word", "character", "bpe")
Level = Literal["word", "character", "bpe"]

_STEPS = {"word": "words", "character": "characters", "bpe": "byte pairs"}
_REPLACEMENT = "\ufffd"  # Unicode's replacement character


class TextFeature(Feature):
    """Texts as ids, one for each word, character or byte pair; id 0 is unknown.

    An empty text has no steps: (0,). Whether it is allowed is decided by the caller.

    Args:
        level: what a step is. `word` splits as `words.split_words`; `character` reads Unicode
            characters; `bpe` learns byte pairs (`byte_pairs.BytePairs`), which can encode every
            text, and holds all training texts in memory to do so.
        lowercase: whether texts are read in lower case; by default only for words.
        max_vocabulary: maximum number of words, characters or byte pairs; the rarest are unknown.
        min_count: minimum count of a known word or character, or of a pair of bytes to be merged;
            by default 2 for words, so that training includes unknown words, 1 for characters and
            2 for byte pairs.
        max_length: maximum number of steps, None for no limit; longer texts are cut, and the
            number of cut training texts is noted.
        keep: which end of a longer text is kept, `end` or `beginning`.
        normalise: Unicode normalisation form, `NFC`, `NFKC` (also unites ﬁ and fi, ① and 1), or
            `none`.
        line_ends: whether the end of a line is a word, for networks that write; only for words,
            since characters and byte pairs keep line ends anyway.
        characters: whether the characters of each word follow its id, (T, 1 + 20), in their
            original case; only for words. See `spelling.Spelling`.
        subwords: number of buckets of the words' character n-grams, whose vectors a network adds
            to those of known words, and reads in place of them for unknown ones; the code points
            of each word follow, (T, 1 + 20); only for words. 0 turns it off. See
            `networks.subwords.SubwordEmbedding`.

    Raises:
        OptionError: an option is unknown or out of range, or needs another level.

    >>> feature = TextFeature(min_count=1).fit(["A fine film!", "a film"])
    >>> feature.encode("a fine mess").tolist(), feature.decode(feature.encode("A film!"))
    ([1, 4, 0], 'a film!')
    """

    kind: ClassVar[str] = "text"
    has_steps: ClassVar[bool] = True
    plural: ClassVar[str] = "text"
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "word": {"level": "word"},
        "char": {"level": "character"},
        "character": {"level": "character"},
        "bpe": {"level": "bpe"},
    }
    objectives: ClassVar[tuple[str, ...]] = ("ctc",)
    next_objective: ClassVar[str | None] = "language-model"
    writable: ClassVar[bool] = True
    is_text: ClassVar[bool] = True

    def __init__(
        self,
        level: Level = "word",
        *,
        lowercase: bool | None = None,
        max_vocabulary: int = 30_000,
        min_count: int | None = None,
        max_length: int | None = None,
        keep: Literal["beginning", "end"] = "end",
        normalise: Literal["NFC", "NFKC", "none"] = "NFC",
        line_ends: bool = False,
        characters: bool = False,
        subwords: int = 0,
    ) -> None:
        check_choice("level", level, LEVELS)
        check_choice("keep", keep, ("beginning", "end"))
        check_choice("normalise", normalise, ("NFC", "NFKC", "none"))
        check_whole("max_vocabulary", max_vocabulary, least=1)
        for option, value in (("min_count", min_count), ("max_length", max_length)):
            if value is not None:
                check_whole(option, value, least=1)
        if characters and level != "word":
            raise OptionError(
                f"characters=True gives the characters of each word, so it needs level='word', "
                f"got level={level!r}."
            )
        check_whole("subwords", subwords, least=0)
        if subwords and level != "word":
            raise OptionError(
                f"subwords={subwords} gives the character n-grams of each word, so it needs "
                f"level='word', got level={level!r}."
            )
        if line_ends and level != "word":
            raise OptionError(
                f"line_ends=True makes the end of a line a word, so it needs level='word'; "
                f"level={level!r} keeps line ends as they are."
            )
        self.level = level
        self.lowercase = lowercase
        self.max_vocabulary = max_vocabulary
        self.min_count = min_count
        self.max_length = max_length
        self.keep = keep
        self.normalise = normalise
        self.line_ends = line_ends
        self.characters = characters
        self.subwords = subwords
        self.notes: list[str] = []
        self._lexicon: Lexicon[Vocabulary | BytePairs] | None = None

    @property
    def vocabulary(self) -> Vocabulary | BytePairs:
        """The known words, characters or byte pairs with their ids."""
        return fitted(self._lexicon, self.kind).vocabulary

    @property
    def encoding(self) -> Encoding:
        """One id a step, 20 more for a word's characters, and 20 more for its n-grams."""
        return fitted(self._lexicon, self.kind).encoding

    @property
    def description(self) -> str:
        """What a value is, in words."""
        return _STEPS[self.level]

    def fit(self, texts: Iterable[Any]) -> TextFeature:
        """Learn the vocabulary from the training texts.

        Raises:
            DataError: a value is no string, or there is no text, or all texts are empty.
        """
        self.notes = []
        if self.level == "bpe":
            pairs, lengths = self._fit_byte_pairs(texts)
            self._lexicon = Lexicon(pairs, None)
        else:
            counts, lengths = self._count(texts)
            spelling = Spelling.from_words(counts) if self.characters else None
            self._lexicon = Lexicon(self._vocabulary_of(counts), spelling, self.subwords)
        if self.max_length is not None and (
            cut := sum(times for length, times in lengths.items() if length > self.max_length)
        ):
            self.notes.append(
                f"{cut} of {lengths.total()} texts have more than {self.max_length} "
                f"{self.description}; their {self.keep} is kept."
            )
        if empty := lengths[0]:
            self.notes.append(f"{empty} of {lengths.total()} texts are empty.")
        return self

    def encode(self, text: Any) -> Tensor:
        """Turn a text into ids, (T,), or with 20 columns for the characters of each word; int64.

        With n-grams there are 20 more, see `Lexicon.encoding`.
        """
        lexicon = fitted(self._lexicon, self.kind)
        text = self._checked(text)
        if isinstance(lexicon.vocabulary, BytePairs):
            return torch.tensor(self._cut(lexicon.vocabulary.encode(text)), dtype=torch.int64)
        pieces = self._cut(self._split(text))
        cased = list(map(self._cased, pieces))
        ids = torch.tensor(lexicon.vocabulary.ids(cased), dtype=torch.int64)
        return lexicon.beside(ids, pieces, cased)

    def decode(self, encoded: Tensor) -> str:
        """Turn ids into a readable text with spaces; unknown words become `<unk>`."""
        vocabulary = self.vocabulary
        ids = (encoded[:, 0] if encoded.ndim == 2 else encoded).tolist()
        if isinstance(vocabulary, BytePairs):
            return vocabulary.decode(ids)
        names = [vocabulary.name(index) for index in ids]
        if self.level == "character":
            return "".join(_REPLACEMENT if name is None else str(name) for name in names)
        return join_words([UNKNOWN if name is None else str(name) for name in names])

    @property
    def spelled(self) -> bool:
        """Whether its steps are characters."""
        return self.level == "character"

    @property
    def joined(self) -> bool:
        """Whether a token may continue the one before it without a space, as byte pairs do."""
        return self.level == "bpe"

    @property
    def drops_case(self) -> bool:
        """Whether written text is lower case only, so that scores must ignore case."""
        return self.level == "word" if self.lowercase is None else self.lowercase

    def beginning(self) -> Tensor:
        """Return the end of a line, if it is known, else the most frequent token."""
        line_end = self.encode(LINE_END)
        return line_end if len(line_end) and bool(line_end.all()) else super().beginning()

    def unknown_in(self, value: Any) -> int:
        """Count the unknown tokens of a text."""
        ids = self.encode(value)
        return int(((ids[:, 0] if ids.ndim == 2 else ids) == 0).sum())

    def as_given(self, value: Any) -> Any:
        """Return the text unchanged."""
        return value

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        lexicon = fitted(self._lexicon, self.kind)
        return feature_state(self.kind, options_of(self), lexicon.to_json())

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> TextFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        feature, learned = restore(cls, state, LEXICON)
        vocabulary: type[Vocabulary | BytePairs]
        vocabulary = BytePairs if feature.level == "bpe" else Vocabulary
        feature._lexicon = Lexicon.from_json(
            learned,
            cls.kind,
            vocabulary=vocabulary.from_json,
            characters=feature.characters,
            buckets=feature.subwords,
        )
        return feature

    def _checked(self, text: Any) -> str:
        """Check that a value is a text, and normalise it."""
        if missing(text):
            raise DataError("the text is missing; give an empty string, or leave the row out.")
        if not isinstance(text, str):
            hint = (
                " For a list of words or tokens use kind 'symbols'."
                if isinstance(text, list | tuple)
                else " Make it a string."
            )
            raise DataError(f"a text must be a string, got {shown(text)}.{hint}")
        if self.normalise != "none":
            text = unicodedata.normalize(self.normalise, text)
        if self.level == "bpe":
            return self._cased(text)
        return cast(str, text)

    def _cased(self, text: str) -> str:
        """Return a text in lower case, if case is dropped."""
        return text.lower() if self.drops_case else text

    def _split(self, text: str) -> list[str]:
        """Split a text into steps."""
        if self.level == "character":
            return list(text)
        if not self.line_ends:
            return split_words(text)
        first, *others = map(split_words, text.split(LINE_END))
        return [*first, *(word for line in others for word in (LINE_END, *line))]

    def _cut(self, steps: list[Any]) -> list[Any]:
        """Keep at most `max_length` steps."""
        if self.max_length is None or len(steps) <= self.max_length:
            return steps
        return steps[: self.max_length] if self.keep == "beginning" else steps[-self.max_length :]

    def _count(self, texts: Iterable[Any]) -> tuple[Counter[str], Counter[int]]:
        """Count the steps, in their original case, and the texts of each length."""
        counts: Counter[str] = Counter()
        lengths: Counter[int] = Counter()
        for text in texts:
            steps = self._split(self._checked(text))
            counts.update(steps)
            lengths[len(steps)] += 1
        self._refuse_empty(lengths)
        return counts, lengths

    def _vocabulary_of(self, counts: Counter[str]) -> Vocabulary:
        """Build a vocabulary from counts, and note what is left out."""
        cased: Counter[str] = Counter()
        for step, count in counts.items():
            cased[self._cased(step)] += count
        default = 2 if self.level == "word" else 1
        minimum = default if self.min_count is None else self.min_count
        vocabulary = Vocabulary.from_counts(cased, min_count=minimum, max_size=self.max_vocabulary)
        if not vocabulary.names:
            raise DataError(
                f"none of the {len(cased)} {self.description} in the training rows occurs "
                f"{minimum} times; lower min_count."
            )
        if left_out := len(cased) - len(vocabulary.names):
            share = 1 - sum(vocabulary.counts) / cased.total()
            unknown = "known only by their n-grams" if self.subwords else "unknown"
            self.notes.append(
                f"{left_out} of {len(cased)} different {self.description} are {unknown}, "
                f"{share:.1%} of the text: they occur fewer than {minimum} times, or exceed "
                f"max_vocabulary={self.max_vocabulary}."
            )
        return vocabulary

    def _fit_byte_pairs(self, texts: Iterable[Any]) -> tuple[BytePairs, Counter[int]]:
        """Learn byte pairs, and count the texts of each length."""
        checked = [self._checked(text) for text in texts]
        self._refuse_empty(Counter(map(len, checked)))
        pairs = BytePairs.learn(
            checked, max_size=self.max_vocabulary, min_count=self.min_count or 2
        )
        if self.max_length is None:
            return pairs, Counter(map(len, checked))
        return pairs, Counter(len(pairs.encode(text)) for text in checked)

    def _refuse_empty(self, lengths: Counter[int]) -> None:
        """Refuse to learn from no texts, or from empty texts only."""
        if not lengths:
            raise DataError("there are no training texts; at least one is needed.")
        if not any(lengths):
            raise DataError(
                f"all {lengths.total()} training texts are empty; is this the right column?"
            )
