"""Plain text: a text a line, and folders of text whose names are labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from elman.data.sources.files import detect_encoding, fingerprint_of, open_text, stem_of
from elman.data.table import Table
from elman.errors import DataError


def read_lines(path: Path) -> Table:
    """Read a file of texts, a line each, into a column `text`; blank lines are left out.

    Raises:
        DataError: the file is empty or not text.
    """
    texts, lines, notes = _lines(path)
    if not texts:
        raise DataError(f"{path} has nothing but blank lines.")
    return Table.from_columns(
        {"text": texts},
        path.name,
        where=lambda row: f"{path.name}, line {lines[row]}",
        fingerprint=fingerprint_of([path]),
        notes=[*notes, f"{path.name} was read as a text a line, in a column 'text'."],
    )


def read_label_files(paths: Sequence[Path], folder: Path) -> Table:
    """Read files LABEL.txt with a text a line into columns `text` and `label`.

    Raises:
        DataError: a file is empty or not text.
    """
    texts: list[str] = []
    labels: list[str] = []
    places: list[tuple[str, int]] = []
    notes: list[str] = []
    for path in paths:
        found, lines, assumed = _lines(path)
        texts += found
        labels += [stem_of(path)] * len(found)
        places += [(path.name, line) for line in lines]
        notes += assumed
    notes.append(f"{folder.name}/ was read as a file a label, a text a line.")
    return Table.from_columns(
        {"text": texts, "label": labels},
        folder.name,
        where=lambda row: "{}, line {}".format(*places[row]),
        fingerprint=fingerprint_of(paths),
        notes=notes,
    )


def read_text(path: Path) -> tuple[str, list[str]]:
    """Read a file as one text; return it and what was assumed about its encoding.

    Raises:
        DataError: the file is empty or not text.
    """
    encoding = detect_encoding(path)
    with open_text(path, encoding) as text:
        return text.read(), [] if encoding.note is None else [encoding.note]


def _lines(path: Path) -> tuple[list[str], list[int], list[str]]:
    """Return a file's texts, their lines, and what was assumed."""
    encoding = detect_encoding(path)
    texts, lines = [], []
    with open_text(path, encoding) as text:
        for number, line in enumerate(text, start=1):
            if line.strip():
                texts.append(line.rstrip("\r\n"))
                lines.append(number)
    return texts, lines, [] if encoding.note is None else [encoding.note]
