"""What encoder–decoders can do with and without attention: reverse and sort letters.

Each network learns words of 1 to `TRAINED` letters, and is asked for longer ones than it ever saw.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import elman
from elman.runs.run import machine

LETTERS = "abcdefghijklmnopqrstuvwxyz"
TRAINED = 10
ROWS, ASKED = 20_000, 500
LENGTHS = (5, 10, 15, 20, 30)
EPOCHS = 12

TASKS: dict[str, Callable[[str], str]] = {
    "reverse": lambda word: word[::-1],
    "sort": lambda word: "".join(sorted(word)),
}


class Network(NamedTuple):
    """One that is compared: its name on the page and its settings."""

    name: str
    settings: dict[str, Any]


NETWORKS = (
    Network("last state alone", {"attention": "none"}),
    Network("general attention", {"attention": "general"}),
    Network("additive attention", {"attention": "additive"}),
    Network("no feedback, no attention", {"attention": "none", "feedback": False}),
)


def page(runs: Path) -> str:
    """Train every network on both tasks, and report the share of words that are right."""
    lines = [
        "# Reverse and sort: what encoder–decoders can do",
        "",
        "Bidirectional LSTM encoders of 64 units a direction, LSTM decoders of 128, "
        f"{EPOCHS} epochs on {ROWS:,} words of 1 to {TRAINED} letters out of {len(LETTERS)}; one "
        f"seed. Share of {ASKED} words predicted without a mistake, by their length; those beyond "
        f"{TRAINED} are longer than all training words.",
        "",
        f"| task | network | {' | '.join(map(str, LENGTHS))} | seconds |",
        f"| --- | --- | {' | '.join('---:' for _ in LENGTHS)} | ---: |",
    ]
    for task in TASKS:
        for network in NETWORKS:
            shares, seconds = _right(task, network, runs)
            cells = " | ".join(f"{share:.3f}" for share in shares)
            lines.append(f"| {task} | {network.name} | {cells} | {seconds:.0f} |")
    return "\n".join([*lines, "", f"{machine()}.", ""])


def words(count: int, lengths: range, seed: int) -> list[str]:
    """Return random words, with uniformly distributed lengths."""
    draw = random.Random(seed)
    return ["".join(draw.choices(LETTERS, k=draw.choice(lengths))) for _ in range(count)]


def _rows(task: str, asked: list[str]) -> dict[str, list[str]]:
    return {"word": asked, "answer": [TASKS[task](word) for word in asked]}


def _right(task: str, network: Network, runs: Path) -> tuple[list[float], float]:
    """Train one network, or resume its run; return the share that is right, by length."""
    directory = runs / f"{task}-{network.name.replace(',', '').replace(' ', '-')}"
    model = elman.train(
        _rows(task, words(ROWS, range(1, TRAINED + 1), seed=1)),
        input="word",
        target="answer",
        input_kind="text:char",
        target_kind="text:char",
        hidden_size=64,
        epochs=EPOCHS,
        out=directory,
        resume=directory.exists(),
        **{"decoder.hidden_size": 128, "max_length": 2 * max(LENGTHS)} | network.settings,
    )
    shares = []
    for length in LENGTHS:
        asked = words(ASKED, range(length, length + 1), seed=2 + length)
        shares.append(model.evaluate(_rows(task, asked))["sequence_accuracy"])
    last = (directory / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    return shares, float(json.loads(last)["seconds"])
