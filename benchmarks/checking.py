"""Checking tables before training: seconds of `elman check` for a wide table and a long one."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from elman.data.sources import read_table
from elman.runs.check import check_data
from elman.runs.train import experiment_for
from timing import circumstances, measure

COLUMNS, FEW = 500, 2_000
"""Columns of the wide table, and its rows."""

ROWS = 1_000_000
"""Rows of the long table."""

LONG = ("id", "when", "amount", "count", "shop", "code", "note", "flag", "copy", "label")

WORDS = ("late", "parcel", "refund", "card", "login", "colour", "size", "door", "broken", "price")


def page(*, rounds: int) -> str:
    """Measure, and return the page."""
    with TemporaryDirectory() as name:
        wide, long = Path(name) / "wide.csv", Path(name) / "long.csv"
        _write_wide(wide)
        _write_long(long)
        tables = {
            f"{COLUMNS:,} columns, {FEW:,} rows": wide,
            f"{len(LONG)} columns, {ROWS:,} rows": long,
        }
        lines = [
            "# Checking",
            "",
            f"Seconds of `elman check FILE --target label`, without the start of Python, and of "
            f"reading the file, which is part of it; the median of {rounds} rounds and half the "
            "distance between the quartiles. The wide table has numbers, categories, codes and "
            "constants; the long one an identifier, dates, numbers, categories, codes, texts, a "
            f"column that repeats the target and one that nearly does. {circumstances()}.",
            "",
            "| table | file | reading | checking |",
            "|---|---|---|---|",
        ]
        lines += [_row(table, path, rounds) for table, path in tables.items()]
    return "\n".join([*lines, ""])


def _row(table: str, path: Path, rounds: int) -> str:
    runs: dict[str, Callable[[], object]] = {
        "reading": lambda: read_table(path),
        "checking": lambda: _check(path),
    }
    measured = measure(runs, rounds=rounds)
    cells = [f"{measured[run].median:.1f} ± {measured[run].spread:.0%}" for run in runs]
    return f"| {table} | {path.stat().st_size / 1e6:.0f} MB | {' | '.join(cells)} |"


def _check(path: Path) -> object:
    experiment, _ = experiment_for(str(path), {"target": "label"})
    return check_data(experiment)


def _write_wide(path: Path) -> None:
    rng = random.Random(0)
    makers: list[Callable[[], object]] = [
        lambda: round(rng.gauss(0, 1), 5),
        lambda: rng.randrange(50),
        lambda: rng.choice(("red", "green", "blue")),
        lambda: f"{rng.randrange(2_000):05}",
        lambda: 7,
    ]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join([*(f"c{n}" for n in range(COLUMNS - 1)), "label"]) + "\n")
        for row in range(FEW):
            cells = [makers[n % len(makers)]() for n in range(COLUMNS - 1)]
            file.write(",".join(map(str, [*cells, "ab"[row % 2]])) + "\n")


def _write_long(path: Path) -> None:
    rng = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(LONG) + "\n")
        for row in range(ROWS):
            label = rng.random() < 0.3
            note = " ".join(rng.choices(WORDS, k=6))
            cells = [
                row, f"2024-{row % 12 + 1:02}-{row % 28 + 1:02}", round(rng.gauss(0, 9), 3),
                rng.randrange(1_000), f"shop {rng.randrange(400)}", f"{rng.randrange(90_000):05}",
                note, "YN"[label] if row % 1_000 else "N", ["no", "yes"][label], int(label),
            ]  # fmt: skip
            file.write(",".join(map(str, cells)) + "\n")
