"""Words as ids of their characters, which show endings, case and digits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

COLUMNS = 20
"""Maximum number of characters of a word."""

_PADDING = 0
_UNKNOWN = 1
_FIRST = 2


class Spelling:
    """Words as ids of their characters: 0 is padding, 1 an unknown character.

    A word of more than 20 characters keeps its first ten and last ten, since prefixes and suffixes
    are the most informative.

    Args:
        characters: the known characters, in the order of their ids.

    >>> Spelling("abc").encode("cab?")[:6]
    [4, 2, 3, 1, 0, 0]
    """

    def __init__(self, characters: Sequence[str]) -> None:
        self.characters = tuple(characters)
        self._ids = {character: index for index, character in enumerate(self.characters, _FIRST)}

    @classmethod
    def from_words(cls, words: Mapping[str, int]) -> Spelling:
        """Learn the characters of words; each word comes with its count.

        Characters that occur only once are unknown, so that training includes unknown characters.
        """
        counts: Counter[str] = Counter()
        for word, count in words.items():
            for character in word:
                counts[character] += count
        kept = [character for character, count in counts.items() if count > 1]
        return cls(sorted(kept, key=lambda character: (-counts[character], character)))

    @property
    def encoding(self) -> tuple[int, int]:
        """Size of the character vocabulary, and columns a word."""
        return len(self.characters) + _FIRST, COLUMNS

    def beside(self, ids: Tensor, words: Iterable[str]) -> Tensor:
        """Append the characters of each word to its id: (T,) becomes (T, 1 + 20)."""
        letters = np.array([self.encode(word) for word in words], np.int64)
        return torch.cat([ids[:, None], torch.from_numpy(letters.reshape(-1, COLUMNS))], dim=1)

    def encode(self, word: str) -> list[int]:
        """Return the ids of a word's characters, padded to 20."""
        if len(word) > COLUMNS:
            word = word[: COLUMNS // 2] + word[-COLUMNS // 2 :]
        ids = [self._ids.get(character, _UNKNOWN) for character in word]
        return ids + [_PADDING] * (COLUMNS - len(ids))
