"""Rows of lists as sentences in CoNLL columns: one token a line, blank lines between."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from elman.data.sources.conll import COMMENT, DOCUMENT_START
from elman.errors import DataError


def conll_of(columns: Mapping[str, Sequence[Any]]) -> str:
    """Write columns as sentences, so that reading gives the same lists.

    The first line names the columns (`# global.columns = …`). Tabs divide fields. A column with a
    single value a row becomes comments above the sentences (`# name = value`).

    Args:
        columns: name → values, each a list with a field a token, or one value a row.

    Raises:
        DataError: no column holds lists, those of a row differ in length, or a field would not be
            read back: it is empty, or contains a tab or a line end, for instance.
    """
    rows = len(next(iter(columns.values()), []))
    lists = [
        name for name, values in columns.items() if any(isinstance(value, list) for value in values)
    ]
    if len(lists) < 2:
        raise DataError(
            f"conll needs two columns of lists or more, tokens and tags; of {', '.join(columns)}, "
            f"{', '.join(lists) or 'none'} holds lists. Write csv or jsonl instead."
        )
    for name in lists:
        if not name.isprintable():
            raise DataError(f"conll cannot hold the name {name!r}. Write jsonl instead.")
    # Names that spaces divide are those of CoNLL-U Plus, whose capitals mean nothing.
    lines = ["# global.columns = " + "\t".join(lists)]
    for row in range(rows):
        lines += [
            f"# {name} = {_on_one_line(values[row])}"
            for name, values in columns.items()
            if name not in lists
        ]
        lines += [*_sentence({name: columns[name][row] for name in lists}, row), ""]
    tokens = [line for line in lines[1:] if line]
    if all(line.startswith(COMMENT) for line in tokens):
        raise DataError(
            "conll cannot hold these rows: all tokens begin with #, as comments do. Write jsonl "
            "instead."
        )
    return "".join(f"{line}\n" for line in lines)


def _sentence(lists: Mapping[str, Any], row: int) -> list[str]:
    """Return the lines of a row's tokens."""
    lengths = {
        name: len(values) if isinstance(values, list) else 0 for name, values in lists.items()
    }
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        counted = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise _refused(row, f"each column must have a field for every token, got {counted}")
    first = next(iter(lists))
    fields = [[_field(value) for value in values] for values in lists.values()]
    lines = []
    for token in zip(*fields, strict=True):
        for name, field in zip(lists, token, strict=True):
            if (wrong := _what_is_wrong(field, None if name != first else first)) is not None:
                raise _refused(row, f"column {name!r} holds {field!r}, which {wrong}")
        if token[-1] != token[-1].strip():
            raise _refused(row, f"the space at the end of {token[-1]!r} would be lost")
        lines.append("\t".join(token))
    return lines


def _what_is_wrong(field: str, first: str | None) -> str | None:
    """Say why a field would not be read back, None if it would.

    Args:
        field: of a token.
        first: name of the first column, in a field of it; None in any other.
    """
    if not field.strip():
        return "is empty"
    if any(end in field for end in "\t\r\n\0"):
        return "contains a tab, a line end or a NUL"
    if first is None:
        return None
    if field.split(maxsplit=1)[0] == DOCUMENT_START:
        return "begins a document"
    if field.startswith(f"{COMMENT} "):
        return "begins a comment"
    if first == "id" and not field.isdecimal():
        return "does not number a token, as a first column of that name does"
    return None


def _field(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _on_one_line(value: Any) -> str:
    text = _field(value)
    return text if text.isprintable() else json.dumps(text)


def _refused(row: int, why: str) -> DataError:
    return DataError(f"conll cannot hold row {row + 1}: {why}. Write jsonl instead.")
