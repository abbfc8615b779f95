"""Words, tokens and tags with quick options, for the tests of the estimators."""

from __future__ import annotations

from typing import Any

import numpy as np

WORDS = ["aba", "abba", "bab", "xyx", "yxy", "xyyx"] * 4
LETTERS = ["ab", "ab", "ab", "xy", "xy", "xy"] * 4
TOKENS = [list(word) for word in WORDS]
TAGS = [["is a" if letter == "a" else "other" for letter in word] for word in WORDS]

ONE = {"training.folds": 0}
"""One network, not five, where rows are few."""
SMALL: dict[str, Any] = {
    "hidden_size": 3,
    "epochs": 2,
    "batch_size": 4,
    "random_state": 1,
    "settings": ONE,
}
GOOD: dict[str, Any] = {
    "hidden_size": 8,
    "epochs": 15,
    "batch_size": 4,
    "learning_rate": 0.02,
    "random_state": 1,
    "settings": ONE,
}


def series(rows: int = 24, numbers: int = 2) -> list[np.ndarray]:
    """Return series of different lengths; the last step of every other one is positive."""
    generator = np.random.default_rng(7)
    found = [generator.normal(size=(3 + row % 4, numbers)) for row in range(rows)]
    for row, values in enumerate(found):
        values[-1, 0] = 3.0 if row % 2 else -3.0
    return found
