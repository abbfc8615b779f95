"""Annotated sentences in CoNLL columns and CoNLL-U: one token a line, blank lines between.

A row of the table is a sentence; every column is the list of its tokens' fields.
"""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

from elman.data.sources.files import (
    TextEncoding,
    detect_encoding,
    fingerprint_of,
    open_text,
    suffix_of,
)
from elman.data.table import Table
from elman.errors import DataError, counted

CONLLU_COLUMNS = (
    "id",
    "form",
    "lemma",
    "upos",
    "xpos",
    "feats",
    "head",
    "deprel",
    "deps",
    "misc",
)
"""Standard names of the CoNLL-U columns, in lower case."""

DOCUMENT_START = "-DOCSTART-"
"""First field of the line between documents in CoNLL-2003."""

_GLOBAL_COLUMNS = re.compile(r"#\s*global\.columns\s*=\s*(.+)")
_SYNTACTIC_WORD = re.compile(r"\d+")

Line = tuple[int, list[str]]
"""A token: its line number and fields."""


def read_conll(path: Path) -> Table:
    """Read sentences annotated in columns, plain or compressed.

    The columns of CoNLL-U have their standard names (`form`, `upos`, …); multiword tokens and
    empty nodes are skipped, so that every token is a syntactic word. The columns of other files
    are `tokens`, `column_2`, …, and last `tags`, unless a line `# global.columns = …` names them.
    Comments are skipped.

    Raises:
        DataError: the file is empty or not text, or a token has too few or too many fields; the
            line is named.
    """
    encoding = detect_encoding(path)
    names, sentences = _read(path, encoding)
    if not sentences:
        raise DataError(f"{path} contains no sentences.")
    if names is None:
        names = _default_names(len(sentences[0][0][1]))
    columns = {
        name: [[fields[i] for _, fields in sentence] for sentence in sentences]
        for i, name in enumerate(names)
    }
    notes = [] if encoding.note is None else [encoding.note]
    if names == _default_names(len(names)):
        notes.append(f"{path.name} does not name its columns; they are {', '.join(names)}.")
    lines = [sentence[0][0] for sentence in sentences]
    return Table.from_columns(
        columns,
        path.name,
        where=lambda row: f"{path.name}, line {lines[row]}",
        fingerprint=fingerprint_of([path]),
        notes=notes,
    )


def looks_like_conll(path: Path) -> bool:
    """Tell whether a text file has sentences in columns.

    It does if it has a blank line between two others, and all other lines but comments have
    equally many fields, at least two.
    """
    counts: set[int] = set()
    blank = inner_blank = False
    with open_text(path, detect_encoding(path)) as text:
        for line in text:
            if not line.strip():
                blank = bool(counts)
                continue
            inner_blank |= blank
            counts.add(len(_fields(line)))
            if len(counts) > 1:
                return False
    return inner_blank and counts.isdisjoint({0, 1})


def _default_names(count: int) -> list[str]:
    middle = [f"column_{number}" for number in range(2, count)]
    return ["tokens", *middle, "tags"] if count > 1 else ["tokens"]


def _read(path: Path, encoding: TextEncoding) -> tuple[list[str] | None, list[list[Line]]]:
    """Return the names of the columns, if the file has any, and the sentences' tokens."""
    conllu = suffix_of(path) == ".conllu"
    names = list(CONLLU_COLUMNS) if conllu else None
    sentences: list[list[Line]] = []
    sentence: list[Line] = []
    width, first_line = (len(CONLLU_COLUMNS), 0) if conllu else (0, 0)
    with open_text(path, encoding) as text:
        for number, line in chain(enumerate(text, start=1), [(0, "")]):
            fields = _fields(line)
            if not fields:
                if sentence and sentence[0][1][0] != DOCUMENT_START:
                    sentences.append(sentence)
                sentence = []
                continue
            if named := _GLOBAL_COLUMNS.match(line):
                names = [name.lower() for name in named.group(1).split()]
                width = len(names)
                continue
            if line.startswith("#") and not sentence and len(fields) != width:
                continue
            width, first_line = width or len(fields), first_line or number
            if len(fields) != width:
                raise _ragged(path, number, len(fields), width, None if names else first_line)
            if not (names and names[0] == "id" and not _SYNTACTIC_WORD.fullmatch(fields[0])):
                sentence.append((number, fields))
    return names, sentences


def _fields(line: str) -> list[str]:
    """Split a line at its tabs, or where it has none, at whitespace."""
    line = line.rstrip("\r\n")
    return line.split("\t") if "\t" in line else line.split()


def _ragged(path: Path, line: int, fields: int, width: int, first_line: int | None) -> DataError:
    as_in = "" if first_line is None else f", as in line {first_line}"
    return DataError(
        f"{path}, line {line}: expected {counted(width, 'field')}{as_in}, got {fields}. Every "
        "token must have all fields (write _ for a missing one), and sentences must be separated "
        "by blank lines."
    )
