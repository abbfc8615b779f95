"""JSON: one object a line, or one value in any of the layouts of `json_layouts`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from elman.data.sources.files import (
    TextEncoding,
    detect_encoding,
    fingerprint_of,
    open_text,
    suffix_of,
)
from elman.data.sources.json_layouts import Row, kind_of, rows_of
from elman.data.sources.json_text import Decoder, JsonText, NotPlain
from elman.data.sources.nested import Key, MustBeWritten, NestedRows
from elman.data.table import Table
from elman.errors import DataError


def read_json(path: Path) -> Table:
    """Read a file of JSON, plain or compressed.

    It contains one object a line, from the names of columns to the values of a row; or several
    objects one after another; or a single value, see `json_layouts`. Objects within a row are
    columns by dotted paths, lists of objects a list for every path, see `nested`.

    A string stays a string, also one that looks like a date. Where strings, numbers and truth
    values mix in a column, or an integer needs more than 64 bits, all are text as it is written,
    with a note.

    Raises:
        DataError: the file is empty, not UTF-8 or not JSON, repeats a key within an object, a row
            is not an object, or a column mixes types; the line is named.
    """
    encoding = detect_encoding(path)
    if encoding.note is not None and not encoding.name.startswith("utf"):
        raise DataError(f"{path} is not JSON, which is always UTF-8: {encoding.note}")
    file = _File(path, encoding)
    try:
        rows, columns = file.columns(frozenset())
    except MustBeWritten as texts:
        file = _File(path, encoding)
        rows, columns = file.columns(texts.keys)
        file.notes += texts.notes
    if not columns or not rows.places:
        raise DataError(f"{path} contains no rows: every line must be an object with values.")
    places: Sequence[int] = rows.places
    word = file.unit
    if word == "row" or any(a == b for a, b in pairwise(places)):  # several objects on a line
        places, word = range(len(places)), "row"
    return Table.from_columns(
        columns,
        path.name,
        where=lambda row: f"{path.name}, {word} {places[row]}",
        fingerprint=fingerprint_of([path]),
        notes=[*([] if encoding.note is None else [encoding.note]), *file.notes],
    )


class _File:
    """A file that is read once."""

    def __init__(self, path: Path, encoding: TextEncoding) -> None:
        self.path = path
        self.encoding = encoding
        self.unit = "line"
        """What places are: lines, or numbers of rows."""
        self.notes: list[str] = []
        self._of_rows = suffix_of(path) in (".jsonl", ".ndjson")
        """Whether an object is a row by the file's name, even if it is the only one."""

    def columns(self, texts: frozenset[Key]) -> tuple[NestedRows, dict[str, Any]]:
        """Return the rows, and the columns that they become.

        Args:
            texts: keys of columns whose numbers are text.
        """
        decoder = Decoder(self.path, as_written=bool(texts))
        rows = NestedRows(str(self.path), self.path.name, lambda at: f"{self.unit} {at}", texts)
        for place, row in self._rows(decoder):
            rows.add(place, row)
        columns = rows.columns()
        self.notes += decoder.notes + rows.notes
        return rows, columns

    def _rows(self, decoder: Decoder) -> Iterator[tuple[int, Row]]:
        """Yield the rows, each with its place."""
        if self._is_of_lines():
            yield from self._of_lines(decoder)
            return
        with open_text(self.path, self.encoding) as file:
            text = JsonText(file.read(), decoder)
        start = text.skip(0)
        if text.text[start : start + 1] == "[":
            elements = list(text.elements(start))
            rows = [value for _, value in elements if isinstance(value, dict)]
            if rows and not any("paragraphs" in row for row in rows) and len(rows) == len(elements):
                yield from elements
                return
            value: Any = [value for _, value in elements]
        else:
            value, end = text.value(start)
            if isinstance(value, dict) and (
                self._of_rows or text.text[text.skip(end) :][:1] == "{"
            ):
                yield from self._one_after_another(text, start)
                return
            text.end(end)
        self.unit = "row"
        layout = rows_of(value, self.path.name)
        self.notes += layout.notes
        yield from enumerate(layout.rows)

    def _is_of_lines(self) -> bool:
        """Tell whether the first line is a whole object; if not `_of_rows` others must follow."""
        lines = self._filled_lines()
        first = next(lines, None)
        if first is None:
            raise DataError(f"{self.path} contains no rows: it has only blank lines.")
        if not self._of_rows and next(lines, None) is None:
            return False
        number, line = first
        text = JsonText(line, Decoder(self.path), first_line=number)
        if line.lstrip()[:1] == "[" or not line.rstrip().endswith(("}", "]")):
            return False
        try:
            text.value()
        except DataError:
            return False  # one value on several lines, or none, which is said when it is read
        return True

    def _filled_lines(self) -> Iterator[tuple[int, str]]:
        """Yield the lines that are not blank, numbered from 1."""
        with open_text(self.path, self.encoding) as text:
            for number, line in enumerate(text, start=1):
                if line.strip():
                    yield number, line

    def _of_lines(self, decoder: Decoder) -> Iterator[tuple[int, Row]]:
        for number, line in self._filled_lines():
            try:
                value = decoder.plain(line)
            except NotPlain:
                value = None
            if isinstance(value, dict):
                yield number, value
                continue
            text = JsonText(line, decoder, first_line=number, whole="line")
            yield from self._one_after_another(text, 0)

    def _one_after_another(self, text: JsonText, place: int) -> Iterator[tuple[int, Row]]:
        """Yield objects that follow each other, on one line or several."""
        while place < len(text.text):
            line = text.line_at(text.skip(place))
            value, end = text.value(place)
            place = text.skip(end)
            if not isinstance(value, dict):
                raise DataError(
                    f"{self.path}, line {line}: every line must be an object such as "
                    f'{{"text": …, "label": …}}, got {kind_of(value)}.'
                )
            yield line, value
