"""What the made tables share: their parts, typing errors, and a CSV file."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

VALID, TEST = 0.1, 0.2
"""Shares of the rows that are for validation and for testing."""


def divided(rows: int, rng: random.Random) -> list[str]:
    """Return `train`, `valid` or `test` for every row, in random order."""
    valid, test = round(VALID * rows), round(TEST * rows)
    parts = ["valid"] * valid + ["test"] * test + ["train"] * (rows - valid - test)
    rng.shuffle(parts)
    return parts


def mistyped(text: str, rng: random.Random, rate: float) -> str:
    """Swap or drop letters of words, but for first ones, each with a probability."""
    letters = list(text)
    for place in range(1, len(letters) - 2):
        inside = all(letter.isalpha() for letter in letters[place - 1 : place + 2])
        if inside and rng.random() < rate:
            swapped = [letters[place + 1], letters[place]]
            letters[place : place + 2] = swapped if rng.random() < 0.5 else [letters[place], ""]
    return "".join(letters)


def in_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the columns of rows."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def write_csv(path: Path, columns: Mapping[str, Iterable[Any]]) -> None:
    """Write columns to a CSV file; None becomes an empty cell."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
