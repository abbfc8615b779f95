"""Words as the code points of their characters, of which a network reads character n-grams."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

COLUMNS = 20
"""Maximum number of characters of a word."""


def beside(encoded: Tensor, words: Iterable[str]) -> Tensor:
    """Append the code points of each word to its columns: (T, k) becomes (T, k + 20); int64.

    A word of more than 20 characters keeps its first ten and last ten, as in `spelling.Spelling`.
    """
    letters = np.array([code_points(word) for word in words], np.int64)
    return torch.cat([encoded, torch.from_numpy(letters.reshape(-1, COLUMNS))], dim=1)


def code_points(word: str) -> list[int]:
    """Return the code points of a word's characters, padded with zeros to 20.

    >>> code_points("été")[:5]
    [233, 116, 233, 0, 0]
    """
    if len(word) > COLUMNS:
        word = word[: COLUMNS // 2] + word[-COLUMNS // 2 :]
    points = [ord(character) for character in word]
    return points + [0] * (COLUMNS - len(points))
