"""Records of a file that are no rows, or may be none: what they are, and the notes on them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise

from elman.errors import counted

SENTENCES = {
    "delimiter": "{lines} of {file} {names} the delimiter and {is_} no row.",
    "above": "{lines} of {file} {stands} above the table and {was} skipped; the first is {text!r}.",
    "comment": "{lines} of {file} {begins} with # and {was} skipped; the first is {text!r}.",
    "units": "{lines} of {file} {was} skipped: it holds the units of the columns, {text!r}.",
    "header": "{lines} of {file} {repeats} the header and {was} skipped.",
    "empty": "{lines} of {file} {holds} nothing but delimiters and {was} skipped.",
}
"""Reason why records are no rows → note."""

LISTED = 5
"""Greatest number of ranges of lines that a note lists."""

SHOWN = 60
"""Greatest number of characters of a line that a note shows."""


TOTALS = frozenset(
    {
        *("total", "totals", "grand total", "sum", "summe", "gesamt", "insgesamt"),
        *("somme", "suma", "totale", "итого"),
    }
)
"""What the first field of a row of sums may hold, in lower case."""


class Skipped:
    """The records that are no rows, by the reason."""

    def __init__(self) -> None:
        self._lines = {reason: array("q") for reason in SENTENCES}
        self._first: dict[str, str] = {}
        self.blank_lines = 0
        """How many stand between rows."""
        self.all: set[int] = set()
        """The first lines of all of them, and lines of white space, which need no note."""

    def add(self, reason: str, line: int, text: str) -> None:
        """Add a record by its first line."""
        self._lines[reason].append(line)
        self._first.setdefault(reason, text)
        self.all.add(line)

    def has(self, reason: str) -> bool:
        """Tell whether a record was skipped for a reason."""
        return bool(self._lines[reason])

    def notes(self, file: str) -> list[str]:
        """Return a note for each reason."""
        blank = (
            f"{counted(self.blank_lines, 'blank line')} between rows of {file} skipped; if they "
            "end sentences that have a token a row, set data.format=conll."
        )
        return [blank] * (self.blank_lines > 0) + [
            SENTENCES[reason].format(
                lines=named_lines(lines),
                file=file,
                text=self._first[reason][:SHOWN],
                **_verbs(lines),
            )
            for reason, lines in self._lines.items()
            if lines
        ]


def notes_of_last_row(place: str, first: str) -> list[str]:
    """Name a last row that may sum up the others, which cannot be told from a row.

    Args:
        place: file and line.
        first: its first field.
    """
    if first.strip(" :").lower() not in TOTALS:
        return []
    return [
        f"the last row of {place}, begins with {first!r} and was read as a row; delete it if it "
        "sums up the others."
    ]


def named_lines(lines: Sequence[int]) -> str:
    """Name lines: `line 3`, `lines 1–3 and 7`, `lines 2, 4, … and 12 (81 lines)`."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    ends = [i for i, (line, after) in enumerate(pairwise(lines)) if after > line + 1]
    starts = [0, *(end + 1 for end in ends)]
    ranges = [
        f"{lines[start]}" if start == end else f"{lines[start]}–{lines[end]}"
        for start, end in zip(starts, [*ends, len(lines) - 1], strict=True)
    ]
    if len(ranges) == 1:
        return f"lines {ranges[0]}"
    if len(ranges) <= LISTED:
        return f"lines {', '.join(ranges[:-1])} and {ranges[-1]}"
    return f"lines {', '.join(ranges[:LISTED])}, … and {ranges[-1]} ({len(lines):,} lines)"


def _verbs(lines: Sequence[int]) -> dict[str, str]:
    verbs = ("name", "stand", "begin", "repeat", "hold")
    many = len(lines) > 1
    forms = {f"{verb}s": verb if many else f"{verb}s" for verb in verbs}
    return forms | {"was": "were" if many else "was", "is_": "are" if many else "is"}
