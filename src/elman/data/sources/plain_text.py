"""Plain text: one text a line, one running text, and files named after their labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from elman.data.sources.files import detect_encoding, fingerprint_of, open_text, stem_of
from elman.data.table import Spans, Table
from elman.errors import DataError

LONGEST_ROW = 100
"""Greatest number of characters of running text in a row: a longer line is several rows."""


def read_lines(path: Path) -> Table:
    """Read a file with one text a line into a column `text`; blank lines are left out.

    Raises:
        DataError: the file is empty or not text.
    """
    texts, lines, notes = _lines(path)
    if not texts:
        raise DataError(f"{path} contains only blank lines.")
    return Table.from_columns(
        {"text": texts},
        path.name,
        where=lambda row: f"{path.name}, line {lines[row]}",
        fingerprint=fingerprint_of([path]),
        notes=[*notes, f"{path.name} was read as one text a line, in a column 'text'."],
    )


def read_running_text(paths: Sequence[Path]) -> Table:
    """Read files as one running text, one after another, into a column `text`.

    A row is a line with its line end, which is always "\\n", also in the last line; blank lines
    are rows too. A line of more than 100 characters is several rows, split before a space where
    there is one. `spans` are the characters of the rows, by which the text is split in order.

    Raises:
        DataError: a file is empty or not text, or all lines are blank.
    """
    import pyarrow as pa

    texts: list[str] = []
    places: list[tuple[str, int]] = []
    notes: list[str] = []
    for path in paths:
        encoding = detect_encoding(path)
        notes += [] if encoding.note is None else [encoding.note]
        with open_text(path, encoding) as text:
            for number, line in enumerate(text, start=1):
                for row in _rows(line.rstrip("\r\n") + "\n"):
                    texts.append(row)
                    places.append((path.name, number))
    if not any(map(str.strip, texts)):
        raise DataError(f"{paths[0]} contains only blank lines.")
    several = f"{paths[0].name} and {len(paths) - 1} more"
    name, were = (paths[0].name, "was") if len(paths) == 1 else (several, "were")
    stops = np.cumsum([len(text) for text in texts])
    return Table(
        pa.table({"text": texts}),
        source=name,
        where=lambda row: "{}, line {}".format(*places[row]),
        fingerprint=lambda: fingerprint_of(paths),
        notes=[*notes, f"{name} {were} read as one running text with line ends."],
        stored=True,
        spans=Spans(np.zeros_like(stops), np.concatenate([[0], stops[:-1]]), stops),
    )


def read_label_files(paths: Sequence[Path], folder: Path) -> Table:
    """Read files LABEL.txt with one text a line into columns `text` and `label`.

    Raises:
        DataError: a file is empty or not text.
    """
    texts: list[str] = []
    labels: list[str] = []
    places: list[tuple[str, int]] = []
    notes: list[str] = []
    for path in paths:
        of_file, lines, assumed = _lines(path)
        texts += of_file
        labels += [stem_of(path)] * len(of_file)
        places += [(path.name, line) for line in lines]
        notes += assumed
    notes.append(f"{folder.name}/ was read as one file a label, one text a line.")
    return Table.from_columns(
        {"text": texts, "label": labels},
        folder.name,
        where=lambda row: "{}, line {}".format(*places[row]),
        fingerprint=fingerprint_of(paths),
        notes=notes,
    )


def read_text(path: Path) -> tuple[str, list[str]]:
    """Read a file as one text; return it and notes about its encoding.

    Raises:
        DataError: the file is empty or not text.
    """
    encoding = detect_encoding(path)
    with open_text(path, encoding) as text:
        return text.read(), [] if encoding.note is None else [encoding.note]


def _rows(line: str) -> Iterator[str]:
    """Split a line into rows that are not too long, before a space where there is one."""
    while len(line) > LONGEST_ROW:
        cut = line.rfind(" ", 1, LONGEST_ROW)
        if cut < 0:
            cut = LONGEST_ROW
            while cut < len(line) and unicodedata.combining(line[cut]):
                cut += 1
        yield line[:cut]
        line = line[cut:]
    if line:
        yield line


def _lines(path: Path) -> tuple[list[str], list[int], list[str]]:
    """Return a file's texts, their line numbers, and notes."""
    encoding = detect_encoding(path)
    texts, lines = [], []
    with open_text(path, encoding) as text:
        for number, line in enumerate(text, start=1):
            if line.strip():
                texts.append(line.rstrip("\r\n"))
                lines.append(number)
    return texts, lines, [] if encoding.note is None else [encoding.note]
