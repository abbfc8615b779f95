"""Trials of silence: a damaged table that is still read has all its rows and columns, or a note."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from random import Random
from typing import NamedTuple

from elman.data.sources import read_table

from .mutators import damage

WORDS = ("it", "was", "a, dark", "night", 'so "they" say', "ü")
KINDS = ("number", "name", "text", "date", "id", "code")
DELIMITERS = {"csv": ",", "tsv": "\t"}


class Size(NamedTuple):
    """How many records a text has, and how many fields the first of them."""

    rows: int
    columns: int


def _cell(random: Random, kind: str, row: int) -> str:
    return {
        "number": f"{random.uniform(-9, 9):.2f}",
        "name": random.choice(("red", "blue", "green")),
        "text": " ".join(random.choice(WORDS) for _ in range(5)),
        "date": f"2020-01-{row % 28 + 1:02}",
        "id": str(1000 + row),
        "code": f"{random.randrange(100):04}",
    }[kind]


def _rows(random: Random) -> list[list[str]]:
    """Draw a header and rows."""
    kinds = [random.choice(KINDS) for _ in range(random.randrange(2, 6))]
    rows = range(random.randrange(4, 30))
    header = [f"{kind}{place}" for place, kind in enumerate(kinds)]
    return [header, *([_cell(random, kind, row) for kind in kinds] for row in rows)]


def written(rows: list[list[str]], suffix: str) -> bytes:
    """Write rows below their header as a file of a suffix holds them."""
    if suffix == "jsonl":
        return "".join(
            f"{json.dumps(dict(zip(rows[0], r, strict=True)))}\n" for r in rows[1:]
        ).encode()
    file = io.StringIO()
    csv.writer(file, delimiter=DELIMITERS[suffix], lineterminator="\n").writerows(rows)
    return file.getvalue().encode()


def counted(content: bytes, suffix: str) -> Size | None:
    """Count records and fields with Python's own readers; None where these cannot read it."""
    try:
        text = content.decode("utf-8-sig")
        if suffix == "jsonl":
            objects = [json.loads(line) for line in text.split("\n") if line.strip()]
            return Size(len(objects), len({key for each in objects for key in each}))
        file = io.StringIO(text, newline="")
        rows = csv.reader(file, delimiter=DELIMITERS[suffix])
        records = [each for each in rows if len(each) > 1 or any(map(str.strip, each))]
        return Size(len(records) - 1, len(records[0]))
    except (ValueError, TypeError, IndexError, csv.Error):
        return None


def told(seed: int, folder: Path) -> None:
    """Read a damaged table of known rows, and check that what is not there was told.

    Raises:
        ElmanError: the table is refused.
        AssertionError: it has other rows or columns than the file, and no note.
    """
    random = Random(seed)
    suffix = random.choice(("csv", "tsv", "jsonl"))
    path = folder / f"rows.{suffix}"
    path.write_bytes(damage(random, written(_rows(random), suffix), [b"x"]))
    try:
        table = read_table(path)
        want = counted(path.read_bytes(), suffix)
        if want is not None and not table.notes:
            assert Size(len(table), len(table.columns)) == want, path.read_bytes()[:500]
    finally:
        path.unlink()
