"""Reading tables: seconds beside pandas, polars and Arrow, and what becomes of each cell there."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import polars as pl
from pyarrow import csv as arrow_csv
from pyarrow import json as arrow_json

from elman.data.numbers import with_numbers
from elman.data.sources import read_table
from timing import circumstances, measure

ROWS = 200_000
NAMES = ("a", "b", "c", "name", "text")

CELLS = {
    "a code": (["0010", "010", "0100", "1000"], ["0010", "010", "0100", "1000"]),
    "a version": (["1.10", "1.9"], ["1.10", "1.9"]),
    "a diagnosis": (["1E5", "2E3"], ["1E5", "2E3"]),
    "an identifier": (["9007199254740993", "9007199254740992"],) * 2,
    "a country": (["NA", "DE"], ["NA", "DE"]),
    "a truth value": (["true", "no"], ["true", "no"]),
}
"""What a column holds → its cells, and the names that are meant."""

Reader = Callable[[Path], Iterable[Any]]


def page(*, rounds: int) -> str:
    """Measure, and return the page."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        return "\n".join(["# Reading", "", *_identity(folder), "", *_speed(folder, rounds), ""])


def _names(path: Path) -> Iterable[Any]:
    """Return the classes that Elman sees in the column `x`."""
    return read_table(path).column("x")


READERS: dict[str, Reader] = {
    "Elman": _names,
    "pandas": lambda path: pd.read_csv(path)["x"].tolist(),
    "polars": lambda path: pl.read_csv(path)["x"].to_list(),
    "Arrow": lambda path: arrow_csv.read_csv(path).column("x").to_pylist(),
}


def _identity(folder: Path) -> list[str]:
    """Say for each reader, with its defaults, how many of a column's cells come back."""
    lines = [
        "## Names that come back",
        "",
        "Cells of a column of a CSV file that are the same text after reading, by each reader's "
        "defaults.",
        "",
        f"| a column holds | {' | '.join(READERS)} |",
        f"|---|{'---|' * len(READERS)}",
    ]
    for what, (cells, meant) in CELLS.items():
        path = folder / "it.csv"
        path.write_text("x,y\n" + "".join(f"{cell},1\n" for cell in cells), encoding="utf-8")
        same = []
        for read in READERS.values():
            values = [str(value) for value in read(path)]
            same.append(
                f"{sum(a == b for a, b in zip(values, meant, strict=True))} of {len(meant)}"
            )
        lines.append(f"| {what}: `{', '.join(cells)}` | {' | '.join(same)} |")
    return lines


def _speed(folder: Path, rounds: int) -> list[str]:
    lines, objects = folder / "rows.csv", folder / "rows.jsonl"
    _write(lines, objects)
    size = {path: path.stat().st_size / 1e6 for path in (lines, objects)}
    contenders: dict[Path, dict[str, Callable[[], object]]] = {
        lines: {
            "Elman": lambda: _elman(lines),
            "pandas": lambda: pd.read_csv(lines),
            "polars": lambda: pl.read_csv(lines),
            "Arrow": lambda: arrow_csv.read_csv(lines),
        },
        objects: {
            "Elman": lambda: _elman(objects),
            "pandas": lambda: pd.read_json(objects, lines=True),
            "polars": lambda: pl.read_ndjson(objects),
            "Arrow": lambda: arrow_json.read_json(objects),
        },
    }
    result = [
        "## Seconds",
        "",
        f"{ROWS:,} rows of three numbers, a name and a text; the median of {rounds} rounds, "
        "interleaved, and half the distance between the quartiles. Elman reads the whole file for "
        "its encoding, checks every row's fields and keeps each row's line, and then finds the "
        f"columns of numbers; the others parse alone, on both cores. {circumstances()}.",
        "",
        f"| file | {' | '.join(READERS)} |",
        f"|---|{'---|' * len(READERS)}",
    ]
    for path, readers in contenders.items():
        measured = measure(readers, rounds=rounds)
        cells = [f"{measured[n].median:.3f} ± {measured[n].spread:.0%}" for n in READERS]
        result.append(f"| {path.suffix}, {size[path]:.0f} MB | {' | '.join(cells)} |")
    return result


def _elman(path: Path) -> object:
    table = read_table(path)
    return with_numbers(table, likely=["a", "b", "c"])


def _write(lines: Path, objects: Path) -> None:
    """Write the same rows in both formats."""
    rng = random.Random(0)
    with lines.open("w", encoding="utf-8") as csv, objects.open("w", encoding="utf-8") as ndjson:
        csv.write(",".join(NAMES) + "\n")
        for row in range(ROWS):
            values = [round(rng.gauss(0, 1), 6), rng.randrange(1000), round(rng.random(), 3)]
            texts = [f"n{row % 50}", f"a text of some words {row}"]
            csv.write(",".join(map(str, [*values, *texts])) + "\n")
            ndjson.write(json.dumps(dict(zip(NAMES, [*values, *texts], strict=True))) + "\n")
