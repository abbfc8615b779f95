"""The UEA/UCR archive's own format, `.ts`: labelled series, as sktime and aeon write them.

    @problemName Vowels
    @univariate false
    @classLabel true 1 2
    @data
    1.5,1.6,1.7:0.2,0.1,?:2

A line is a case: its dimensions, separated by colons, then its label.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from elman.data.sources.files import TextEncoding, detect_encoding, fingerprint_of, open_text
from elman.data.table import Table
from elman.errors import DataError, counted

SERIES = "series"
LABEL = "label"
TARGET = "target"
"""Names of the columns: values over time; the class, or the number that is to be predicted."""

MISSING = {"?", "nan"}


class _Header(NamedTuple):
    """What the lines before `@data` say."""

    said: dict[str, str]
    """Tag in lower case → the rest of its line."""

    def says(self, tag: str) -> bool:
        """Tell whether a tag is `true`, whatever follows."""
        return self.said.get(tag, "").lower().split()[:1] == ["true"]

    @property
    def classes(self) -> list[str]:
        return self.said.get("classlabel", "").split()[1:] if self.says("classlabel") else []

    @property
    def label(self) -> str | None:
        """Name of the column of labels, None where there are none."""
        if self.says("classlabel"):
            return LABEL
        return TARGET if self.says("targetlabel") else None


class _Case(NamedTuple):
    line: int
    series: NDArray[np.float64]
    """(T,) or (T, I)."""
    label: str | None


def read_ts(path: Path) -> Table:
    """Read labelled series, plain or compressed.

    The column `series` holds numbers over time, (T,) or, of several dimensions, (T, I); a missing
    value, `?`, is NaN. A class is a string in a column `label`, as it is written; a number that
    is to be predicted stands in a column `target`.

    Raises:
        DataError: the file is empty or not text, has no line `@data` or no cases, its steps have
            timestamps, or a case has another number of dimensions, dimensions of different
            lengths, or a value that is no number; the line is named.
    """
    encoding = detect_encoding(path)
    header, cases = _read(path, encoding)
    if not cases:
        raise DataError(f"{path} has no cases after its line @data.")
    columns: dict[str, object] = {SERIES: [case.series for case in cases]}
    notes = [] if encoding.note is None else [encoding.note]
    if header.label == TARGET:
        columns[TARGET] = [_target(path, case) for case in cases]
    elif header.label is not None:
        columns[LABEL] = [case.label for case in cases]
    notes += _against_the_header(path, header, cases)
    lines = [case.line for case in cases]
    return Table.from_columns(
        columns,
        path.name,
        where=lambda row: f"{path.name}, line {lines[row]}",
        fingerprint=fingerprint_of([path]),
        notes=notes,
    )


def _against_the_header(path: Path, header: _Header, cases: list[_Case]) -> list[str]:
    """Return notes on cases that are not as the header says."""
    if header.label is None:
        return [f"{path.name} has no labels, as its line @classLabel says."]
    notes = []
    classes = {*header.classes, None}
    other = next((case for case in cases if case.label not in classes), None)
    if header.label == LABEL and header.classes and other is not None:
        notes.append(
            f"{path.name}, line {other.line}: the label {other.label!r} is not among those that "
            f"@classLabel lists: {', '.join(header.classes)}."
        )
    length = len(cases[0].series)
    other = next((case for case in cases if len(case.series) != length), None)
    if header.says("equallength") and other is not None:
        notes.append(
            f"{path.name}, line {other.line}: the case has {counted(len(other.series), 'step')}, "
            f"and line {cases[0].line} {length}, although @equalLength is true."
        )
    return notes


def _read(path: Path, encoding: TextEncoding) -> tuple[_Header, list[_Case]]:
    with open_text(path, encoding) as text:
        lines = _filled(text)
        header = _read_header(path, lines)
        cases: list[_Case] = []
        for number, line in lines:
            case = _case(path, number, line, header)
            _refuse_another_shape(path, case, cases[:1])
            cases.append(case)
    return header, cases


def _filled(text: TextIO) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither blank nor comments, numbered from 1."""
    for number, line in enumerate(text, start=1):
        if line.strip() and not line.startswith(("#", "%")):
            yield number, line.strip()


def _read_header(path: Path, lines: Iterator[tuple[int, str]]) -> _Header:
    said: dict[str, str] = {}
    for number, line in lines:
        tag, *rest = line.removeprefix("@").split(maxsplit=1) or [""]
        if not line.startswith("@"):
            raise DataError(
                f"{path}, line {number}: a case stands before the line @data. A .ts file begins "
                "with lines such as @problemName and @classLabel, and @data after them."
            )
        if tag.lower() == "data":
            break
        said[tag.lower()] = "".join(rest).strip()
    else:
        raise DataError(f"{path} has no line @data, after which the cases stand.")
    header = _Header(said)
    if not {"classlabel", "targetlabel"} & said.keys():
        raise DataError(
            f"{path} does not say whether its cases have labels. Add a line such as @classLabel "
            "true a b, @targetLabel true or @classLabel false before @data."
        )
    if header.says("timestamps"):
        raise DataError(
            f"{path} has timestamps at its steps (@timestamps true), which are not read. Write the "
            "values alone, at regular steps, or a long table with a row a step."
        )
    return header


def _case(path: Path, number: int, line: str, header: _Header) -> _Case:
    parts = [part.strip() for part in line.split(":")]
    label = None
    if header.label is not None:
        label = parts.pop()
        if not parts or not label or "," in label or "(" in label:
            raise DataError(
                f"{path}, line {number}: the label is missing. A case ends with a colon and its "
                "label, or @classLabel must be false."
            )
    if line.startswith("("):
        raise DataError(
            f"{path}, line {number}: the steps have timestamps, such as {line[:20]!r}, which are "
            "not read. Write the values alone, at regular steps, or a long table."
        )
    dimensions = [_values(path, number, part, place) for place, part in enumerate(parts, start=1)]
    lengths = {len(values) for values in dimensions}
    if len(lengths) > 1:
        each = ", ".join(str(len(values)) for values in dimensions)
        raise DataError(
            f"{path}, line {number}: the dimensions of a case must be equally long, got {each} "
            "values. Write ? for a missing one."
        )
    label = None if label == "?" else label
    if len(dimensions) == 1 and not header.said.get("univariate", "").lower().startswith("f"):
        return _Case(number, dimensions[0], label)
    return _Case(number, np.stack(dimensions, axis=1), label)


def _values(path: Path, number: int, text: str, dimension: int) -> NDArray[np.float64]:
    """Return the values of one dimension."""
    fields = [field.strip() for field in text.split(",")] if text else []
    values = np.empty(len(fields))
    for place, field in enumerate(fields):
        if field.lower() in MISSING:
            values[place] = np.nan
            continue
        try:
            values[place] = float(field)
        except ValueError:
            raise DataError(
                f"{path}, line {number}: value {place + 1} of dimension {dimension} is "
                f"{field[:40]!r}, which is no number. Write ? for a missing one."
            ) from None
    return values


def _refuse_another_shape(path: Path, case: _Case, first: list[_Case]) -> None:
    for other in first:
        got, expected = (1 if c.series.ndim == 1 else c.series.shape[1] for c in (case, other))
        if got != expected:
            raise DataError(
                f"{path}, line {case.line}: expected {counted(expected, 'dimension')}, as in line "
                f"{other.line}, got {got}. Every case must have all dimensions, and its label if "
                "@classLabel is true."
            )


def _target(path: Path, case: _Case) -> float | None:
    if case.label is None or case.label.lower() in MISSING:
        return None
    try:
        return float(case.label)
    except ValueError:
        raise DataError(
            f"{path}, line {case.line}: the target {case.label!r} is no number, and @targetLabel "
            "stands for numbers. Use @classLabel for classes."
        ) from None
