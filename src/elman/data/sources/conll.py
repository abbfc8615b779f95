"""Annotated sentences in CoNLL columns and CoNLL-U: one token a line, blank lines between.

A row of the table is a sentence; every column is the list of its tokens' fields.

A line is one of these, in this order:

1. A line of nothing but white space ends a sentence.
2. A line whose first field is -DOCSTART- ends a sentence, too.
3. A line that begins with # and stands before the first token of a sentence is a comment, unless it
   is a token: it has as many fields as the tokens, and its last one is a tag of other tokens, or
   tabs divide them and no space follows the #. In CoNLL-U, whose tokens begin with numbers, it
   always is a comment.
4. Every other line is a token. Tabs divide its fields if they do so in the first token of the file,
   so that tokens may contain spaces; spaces and tabs do otherwise.
"""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import NamedTuple

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

COMMENT = "#"
"""What comments begin with, and some tokens."""

_GLOBAL_COLUMNS = re.compile(r"#\s*global\.columns\s*=\s*(.+)")
_SYNTACTIC_WORD = re.compile(r"\d+")
_SPAN_TAG = re.compile(r"[BIESLUM]-\S+")
_SPACES = re.compile(r"[ \t]+")

Line = tuple[int, list[str]]
"""A token: its line number and fields."""


def read_conll(path: Path) -> Table:
    """Read sentences annotated in columns, plain or compressed.

    The columns of CoNLL-U have their standard names (`form`, `upos`, …); multiword tokens and
    empty nodes are left out, so that every token is a syntactic word. The columns of other files
    are `tokens`, `column_2`, …, and last `tags`, unless a line `# global.columns = …` names them.
    Comments and -DOCSTART- lines are left out and counted in a note.

    Raises:
        DataError: the file is empty or not text, or a token has too few or too many fields or an
            empty one; the line is named.
    """
    encoding = detect_encoding(path)
    content = _read(path, encoding)
    sentences = content.sentences
    if not sentences:
        raise DataError(f"{path} contains no sentences.")
    names = content.names or _default_names(len(sentences[0][0][1]))
    columns = {
        name: [[fields[i] for _, fields in sentence] for sentence in sentences]
        for i, name in enumerate(names)
    }
    notes = [] if encoding.note is None else [encoding.note]
    notes += content.notes(path)
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

    It does if it has a blank line, or a -DOCSTART- line, between two tokens, all tokens have
    equally many fields, at least two, and some have the same last one, a tag.
    """
    encoding = detect_encoding(path)
    survey = _survey(path, encoding, all_alike=True)
    if survey is None or survey.width < 2 or survey.tokens == len(survey.tags):
        return False
    try:
        return len(_read(path, encoding).sentences) > 1
    except DataError:
        return False


class _Survey(NamedTuple):
    """What the lines of a file that do not begin with # have in common."""

    by_tabs: bool
    """Whether tabs divide the fields of the first token."""
    width: int
    """How many fields it has; 0 without a token."""
    tags: set[str]
    """The last fields of the tokens that have as many."""
    tokens: int

    def fields(self, line: str) -> list[str]:
        """Split a line into fields; white space at its end is none."""
        if self.by_tabs:
            return line.rstrip(" \t\r\n").split("\t")
        return _SPACES.split(line.strip(" \t\r\n"))

    def is_token(self, fields: list[str]) -> bool:
        """Tell whether the fields of a line that begins with # are a token's."""
        if len(fields) != self.width:
            return False
        alone = self.width == 1 or (self.by_tabs and not fields[0].startswith("# "))
        return alone or self.is_tag(fields[-1])

    def is_tag(self, field: str) -> bool:
        """Tell whether a field is a tag: of another token, of a span if others are, or #."""
        if field in self.tags or field == "#":
            return True
        of_span = _SPAN_TAG.fullmatch
        return of_span(field) is not None and any(map(of_span, self.tags))


class _Content(NamedTuple):
    """The sentences of a file, the names of its columns, and the lines that were left out."""

    names: list[str] | None
    sentences: list[list[Line]]
    comments: list[int]
    documents: list[int]
    not_words: list[int]
    """Multiword tokens and empty nodes of CoNLL-U."""
    doubtful: list[int]
    """Tokens that begin with # and have a tag that no other token has."""

    @property
    def begins_with_id(self) -> bool:
        """Whether tokens begin with their numbers, as in CoNLL-U."""
        return self.names is not None and self.names[:1] == ["id"]

    def notes(self, path: Path) -> list[str]:
        """Return notes on the lines that were left out, or are tokens and could be comments."""
        notes = []
        if self.comments and not self.begins_with_id:
            skipped = counted(len(self.comments), "comment line")
            where = "first in" if len(self.comments) > 1 else "in"
            notes.append(f"{path.name}: {skipped}, {where} line {self.comments[0]}, left out.")
        if self.documents:
            notes.append(
                f"{path.name}: {counted(len(self.documents), f'{DOCUMENT_START} line')} left out."
            )
        if self.not_words:
            lines = counted(len(self.not_words), "line")
            notes.append(f"{path.name}: {lines} of multiword tokens and empty nodes left out.")
        notes += [
            f"{path.name}: line {line} begins with # and was read as a token, although no other "
            "has its tag; delete it if it is a comment."
            for line in self.doubtful[:1]
        ]
        return notes


def _default_names(count: int) -> list[str]:
    middle = [f"column_{number}" for number in range(2, count)]
    return ["tokens", *middle, "tags"] if count > 1 else ["tokens"]


def _survey(path: Path, encoding: TextEncoding, *, all_alike: bool = False) -> _Survey | None:
    """Read the lines of a file that are certainly tokens.

    Args:
        path: the file.
        encoding: its encoding.
        all_alike: whether None is returned, at once, if one has more or fewer fields than the
            first.
    """
    survey = _Survey(by_tabs=False, width=0, tags=set(), tokens=0)
    with open_text(path, encoding) as text:
        for line in text:
            if not line.strip() or line.startswith(COMMENT) or _is_document_start(line):
                continue
            if not survey.width:
                survey = survey._replace(by_tabs="\t" in line.rstrip(" \t\r\n"))
                survey = survey._replace(width=len(survey.fields(line)))
            fields = survey.fields(line)
            if len(fields) == survey.width:
                survey.tags.add(fields[-1])
            elif all_alike:
                return None
            survey = survey._replace(tokens=survey.tokens + 1)
    return survey


def _is_document_start(line: str) -> bool:
    return line.startswith(DOCUMENT_START) and line.split(maxsplit=1)[0] == DOCUMENT_START


def _read(path: Path, encoding: TextEncoding) -> _Content:
    """Return the sentences of a file, the names of its columns, and what was left out."""
    survey = _survey(path, encoding)
    assert survey is not None, "only a survey that asks for equal lines ends early"
    conllu = suffix_of(path) == ".conllu"
    content = _Content(list(CONLLU_COLUMNS) if conllu else None, [], [], [], [], [])
    sentence: list[Line] = []
    width, first_line = (len(CONLLU_COLUMNS), 0) if conllu else (survey.width, 0)
    with open_text(path, encoding) as text:
        for number, line in chain(enumerate(text, start=1), [(0, "")]):
            if not line.strip() or _is_document_start(line):
                content.documents.extend([number] if line.strip() else [])
                content.sentences.extend([sentence] if sentence else [])
                sentence = []
                continue
            fields = survey.fields(line)
            if line.startswith(COMMENT):
                if named := _GLOBAL_COLUMNS.match(line):
                    content = content._replace(names=_named_columns(named.group(1)))
                    width = len(content.names or [])
                    continue
                if not sentence and (content.begins_with_id or not survey.is_token(fields)):
                    content.comments.append(number)
                    continue
                if len(fields) > 1 and not survey.is_tag(fields[-1]):
                    content.doubtful.append(number)
            first_line = first_line or number
            _refuse_malformed(path, number, fields, width, None if content.names else first_line)
            if content.begins_with_id and not _SYNTACTIC_WORD.fullmatch(fields[0]):
                content.not_words.append(number)
            else:
                sentence.append((number, fields))
    return content


def _named_columns(listed: str) -> list[str]:
    """Return the names of the columns; those that are all capitals, as is usual, in lower case."""
    names = listed.strip().split("\t") if "\t" in listed.strip() else listed.split()
    return [name.lower() for name in names] if listed.isupper() else names


def _refuse_malformed(
    path: Path, line: int, fields: list[str], width: int, first_line: int | None
) -> None:
    """Refuse a token with another number of fields than the first, or an empty one."""
    advice = "(write _ for a missing one)"
    if len(fields) != width:
        as_in = "" if first_line in (None, line) else f", as in line {first_line}"
        raise DataError(
            f"{path}, line {line}: expected {counted(width, 'field')}{as_in}, got {len(fields)}. "
            f"Every token must have all fields {advice}, divided as in the first token of the "
            "file, by tabs or by spaces, and sentences must be separated by blank lines."
        )
    if "" in fields:
        raise DataError(
            f"{path}, line {line}: field {fields.index('') + 1} is empty. Every token must have "
            f"all fields {advice}; leave out the line if it ends a sentence."
        )
