"""fastText's lines: labels, each after `__label__`, then a text."""

from __future__ import annotations

from pathlib import Path

from elman.data.sources.files import detect_encoding, fingerprint_of, open_text
from elman.data.table import Table
from elman.errors import DataError

MARK = "__label__"
"""What a label begins with."""


def read_fasttext(path: Path) -> Table:
    """Read a text and its labels from every line, plain or compressed.

    The texts are in a column `text`, without the labels. Where every line has one label they are
    in a column `label`, otherwise in a column `labels` of lists. Blank lines are left out.

    Raises:
        DataError: the file is empty or not text, or a line has no label; the line is named.
    """
    encoding = detect_encoding(path)
    texts, labels, lines = [], [], []
    with open_text(path, encoding) as text:
        for number, line in enumerate(text, start=1):
            if not line.strip():
                continue
            of_line, rest = _split(line)
            if not all(of_line) or not of_line:
                raise DataError(
                    f"{path}, line {number}: there is no label. Every line must have one, such as "
                    f"{MARK}good, or the file be read in another format."
                )
            labels.append(of_line)
            texts.append(rest)
            lines.append(number)
    if not texts:
        raise DataError(f"{path} contains only blank lines.")
    single = all(len(of_line) == 1 for of_line in labels)
    name = "label" if single else "labels"
    columns = {"text": texts, name: [each[0] for each in labels] if single else labels}
    notes = [] if encoding.note is None else [encoding.note]
    notes.append(f"{path.name} has fastText's lines; its columns are text and {name}.")
    return Table.from_columns(
        columns,
        path.name,
        where=lambda row: f"{path.name}, line {lines[row]}",
        fingerprint=fingerprint_of([path]),
        notes=notes,
    )


def looks_like_fasttext(path: Path) -> bool:
    """Tell whether every line of a text file, but blank ones, begins with a label."""
    found = False
    with open_text(path, detect_encoding(path)) as text:
        for line in text:
            if line.strip():
                if not line.lstrip().startswith(MARK):
                    return False
                found = True
    return found


def _split(line: str) -> tuple[list[str], str]:
    """Return the labels of a line, and its text; inside the text labels leave no gap."""
    labels: list[str] = []
    rest = line.strip()
    while rest.startswith(MARK):
        label, *after = rest.split(maxsplit=1)
        labels.append(label.removeprefix(MARK))
        rest = after[0] if after else ""
    if MARK in rest:
        tokens = rest.split()
        found = [token for token in tokens if token.startswith(MARK)]
        if found:
            labels += [token.removeprefix(MARK) for token in found]
            rest = " ".join(token for token in tokens if not token.startswith(MARK))
    return labels, rest
