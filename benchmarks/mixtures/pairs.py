"""Pairs of sentences, and whether the first entails the second, contradicts it, or neither.

A sentence says how many do what, where. Each of its words stands for a set: `dogs` for one kind of
animals, `animals` for all of them, `not running` for all actions but one. The premise entails the
hypothesis if each of its sets lies within the other's; it contradicts it if two have nothing in
common; else it is neutral. Labels are drawn before premises, so a hypothesis alone tells nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mixtures.writing import TEST, VALID, in_rows, write_csv

ROWS = 2_000
LABELS = ("entails", "contradicts", "neutral")

Meaning = frozenset[str]


def _words(kinds: Mapping[str, Sequence[str]], others: Mapping[str, str]) -> dict[str, Meaning]:
    """Return word → what it stands for, of kinds with members and other names of members."""
    meanings = {kind: frozenset(members) for kind, members in kinds.items()}
    meanings |= {each: frozenset([each]) for members in kinds.values() for each in members}
    return meanings | {other: meanings[word] for other, word in others.items()}


NUMBERS = _words({"some": ("two", "three", "ten")}, {})
SUBJECTS = _words(
    {"animals": ("dogs", "cats", "horses"), "musicians": ("drummers", "singers")},
    {"vocalists": "singers"},
)
ACTIONS = _words(
    {"moving": ("running", "dancing"), "resting": ("sleeping", "sitting")},
    {"dozing": "sleeping"},
)
ACTIONS["not running"] = ACTIONS["resting"] | ACTIONS["dancing"]
PLACES = _words({"outdoors": ("park", "garden"), "indoors": ("kitchen", "office")}, {})
PLACES[""] = PLACES["outdoors"] | PLACES["indoors"]
SLOTS = (NUMBERS, SUBJECTS, ACTIONS, PLACES)

FORMS = (
    "{number} {subject} are {action} {place}",
    "{number} {subject} are {action} {place}",
    "there are {number} {subject} {action} {place}",
    "{place} {number} {subject} are {action}",
)


class Sentence(NamedTuple):
    """The words of a sentence."""

    number: str
    subject: str
    action: str
    place: str

    @property
    def meanings(self) -> tuple[Meaning, ...]:
        """What its words stand for."""
        return tuple(words[word] for words, word in zip(SLOTS, self, strict=True))

    @property
    def scene(self) -> tuple[str, str]:
        """The combination that is held out, or not: who is where."""
        return self.subject, self.place

    def written(self, rng: random.Random) -> str:
        """Return the sentence in one of its forms."""
        place = self.place
        if place not in ("", "outdoors", "indoors"):
            place = f"in the {place}"
        form = rng.choice(FORMS)
        words = form.format(**{**self._asdict(), "place": place})
        return " ".join(words.split())


def label_of(premise: Sentence, hypothesis: Sentence) -> str:
    """Return what a premise says of a hypothesis."""
    sets = list(zip(premise.meanings, hypothesis.meanings, strict=True))
    if any(one.isdisjoint(other) for one, other in sets):
        return "contradicts"
    return "entails" if all(one <= other for one, other in sets) else "neutral"


def columns(rows: int = ROWS, seed: int = 0) -> dict[str, list[Any]]:
    """Return the columns of the table; each part has its labels in equal shares.

    One in eight combinations of subject and place occurs in test rows alone, in half of them.
    """
    rng = random.Random(seed)
    scenes = [(subject, place) for subject in SUBJECTS for place in PLACES if place]
    held_out = set(rng.sample(scenes, len(scenes) // 8))
    sizes = {"valid": round(VALID * rows), "test": round(TEST * rows)}
    sizes = {"train": rows - sum(sizes.values()), **sizes}
    seen: set[tuple[Sentence, Sentence]] = set()
    lines = []
    for part, size in sizes.items():
        for number in range(size):
            strange = part == "test" and number % 2 == 0
            label = LABELS[number // 2 % len(LABELS)]
            pair = _drawn(label, held_out, strange, rng)
            while pair in seen:
                pair = _drawn(label, held_out, strange, rng)
            seen.add(pair)
            texts = {
                n: p.written(rng) for n, p in zip(("premise", "hypothesis"), pair, strict=True)
            }
            lines.append({**texts, "label": label, "split": part})
    rng.shuffle(lines)
    return in_rows(lines)


def write(path: Path, seed: int = 0) -> None:
    """Write the table to a CSV file."""
    write_csv(path, columns(seed=seed))


def _drawn(
    label: str, held_out: set[tuple[str, str]], strange: bool, rng: random.Random
) -> tuple[Sentence, Sentence]:
    """Draw a pair of a label, with a combination that is held out or without."""
    while True:
        hypothesis = Sentence(*(rng.choice(list(words)) for words in SLOTS))
        if (hypothesis.number, hypothesis.place) == ("some", ""):
            continue  # so general that few premises are neutral to it
        if (hypothesis.scene in held_out) != strange:
            continue
        premise = _premise(label, hypothesis, rng)
        if strange or premise.scene not in held_out:
            return premise, hypothesis


def _premise(label: str, hypothesis: Sentence, rng: random.Random) -> Sentence:
    """Draw a premise near a hypothesis that has a label."""
    while True:
        premise = Sentence(
            *(_near(word, words, rng) for word, words in zip(hypothesis, SLOTS, strict=True))
        )
        if label_of(premise, hypothesis) == label:
            return premise


def _near(word: str, words: Mapping[str, Meaning], rng: random.Random) -> str:
    """Draw the word itself, or one whose set lies within its own or around it, or any."""
    meaning, kind = words[word], rng.random()
    if kind < 0.45:
        return word
    if kind < 0.85:
        near = [each for each, other in words.items() if other <= meaning or other >= meaning]
        return rng.choice(near)
    return rng.choice(list(words))
