"""A table of which each column decides a third of the answers, and says nothing of the others.

Customers tell what they want with their contract: keep, change or leave it. A third says so in the
note, of another third the tariff tells, of the rest the usage; the other two columns are neutral
then. One answer in a hundred is drawn anew.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from mixtures.writing import divided, in_rows, mistyped, write_csv

ROWS = 4_000
NOISE = 0.01
"""Share of the rows whose answer is drawn anew."""

SHARES = {"keep": 0.4, "change": 0.3, "leave": 0.3}
"""Answer → its share."""

SAID = {
    "keep": (
        "everything is fine",
        "please leave it as it is",
        "we are happy with it",
        "no changes from our side",
        "go on as before",
        "we stay",
    ),
    "change": (
        "we would like another tariff",
        "please move us to a smaller one",
        "a different offer would suit us better",
        "can you switch it",
        "please adapt the contract",
        "we need something bigger",
    ),
    "leave": (
        "we cancel",
        "please end the contract",
        "we have found somebody else",
        "this is our notice",
        "stop it by the end of the month",
        "close the account",
    ),
}
DENIED = {
    "keep": ("we cannot go on as before", "it is not fine as it is"),
    "change": ("we do not want another tariff", "no smaller one please"),
    "leave": ("we do not cancel", "this is no notice"),
}
"""Answer → ways to deny it, before another is said."""

NEUTRAL = (
    "called about the meter",
    "asked for a copy of the bill",
    "wants to be called back",
    "the address has changed",
    "sent the form",
    "no reply yet",
    "left a message with the office",
)
TARIFFS = {
    "keep": ("Sun", "River", "Oak"),
    "change": ("Basic", "Night", "Student"),
    "leave": ("Trial", "Legacy", "Bridge"),
}
NEUTRAL_TARIFFS = ("Home", "Office", "Family", "Garden")
BANDS = {"leave": ((0, 18), (92, 100)), "change": ((22, 38),), "keep": ((62, 88),)}
"""Answer → the usage that tells it."""
NEUTRAL_BAND = (42, 58)


def columns(rows: int = ROWS, seed: int = 0) -> dict[str, list[Any]]:
    """Return the columns of the table."""
    rng = random.Random(seed)
    lines = [_drawn(rng) for _ in range(rows)]
    return {**in_rows(lines), "split": divided(rows, rng)}


def write(path: Path, seed: int = 0) -> None:
    """Write the table to a CSV file."""
    write_csv(path, columns(seed=seed))


def _drawn(rng: random.Random) -> dict[str, Any]:
    answer = _answer(rng)
    decides = rng.choice(("note", "tariff", "usage"))
    band = rng.choice(BANDS[answer]) if decides == "usage" else NEUTRAL_BAND
    return {
        "note": _note(answer if decides == "note" else None, rng),
        "tariff": rng.choice(TARIFFS[answer] if decides == "tariff" else NEUTRAL_TARIFFS),
        "usage": round(rng.uniform(*band), 1),
        "answer": _answer(rng) if rng.random() < NOISE else answer,
    }


def _answer(rng: random.Random) -> str:
    return rng.choices(list(SHARES), list(SHARES.values()))[0]


def _note(answer: str | None, rng: random.Random) -> str:
    """Return a note that tells the answer, or one that tells nothing."""
    said = [rng.choice(NEUTRAL)]
    if answer is not None:
        told = rng.choice(SAID[answer])
        if rng.random() < 0.3:
            other = rng.choice([each for each in SAID if each != answer])
            told = f"{rng.choice(DENIED[other])}, {told}"
        said.insert(rng.randrange(2), told)
    elif rng.random() < 0.5:
        said.append(rng.choice(NEUTRAL))
    return mistyped(rng.choice((". ", "; ", " / ")).join(said), rng, 0.005)


def bayes_rates() -> dict[str, float]:
    """Return the best accuracy that each column allows alone, and all allow together.

    A column decides a third of the rows; of the others the most frequent answer is best.
    """
    decided = 1 - NOISE + NOISE * sum(share**2 for share in SHARES.values())
    alone = decided / 3 + max(SHARES.values()) * 2 / 3
    return {"note": alone, "tariff": alone, "usage": alone, "all": decided}
