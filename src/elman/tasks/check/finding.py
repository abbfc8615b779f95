"""What was found in the data, what was decided, and how to decide otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from elman.errors import ExperimentError, as_option

LISTED = 5
"""Maximum number of columns named in a sentence before the rest is counted."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found in the data.

    Attributes:
        code: what kind of finding it is, in a word: `identifiers`.
        columns: the columns that it is about.
        found: what was found, a sentence without its full stop.
        decided: what was decided, likewise; empty where nothing had to be.
        override: how to decide otherwise, or what to do, likewise.
        answers: the settings that decide it, for `data.strict`.
        said_by_task: whether the task says it, too, once it reads the columns.
    """

    code: str
    columns: tuple[str, ...]
    found: str
    decided: str = ""
    override: str = ""
    answers: str = ""
    said_by_task: bool = False

    @property
    def sentence(self) -> str:
        """All of it in a sentence.

        >>> Finding("constants", ("x",), "x is 1", "it is left out", "say --read x").sentence
        'x is 1: it is left out; say --read x.'
        """
        decided = f": {self.decided}" if self.decided else ""
        if decided and ": " in self.found:  # a second colon is one too many
            decided = f". {self.decided[0].upper()}{self.decided[1:]}"
        return f"{self.found}{decided}{f'; {self.override}' if self.override else ''}."

    def to_json(self) -> dict[str, Any]:
        """Describe the finding in JSON values."""
        return {
            "code": self.code,
            "columns": list(self.columns),
            "found": self.found,
            "decided": self.decided,
            "override": self.override,
        }


def sentences_of(findings: Iterable[Finding]) -> list[str]:
    """Write findings as sentences; of many of one code, the first, and of which columns others are.

    >>> findings = [Finding("codes", (f"c{n}",), f"c{n} holds codes") for n in range(9)]
    >>> sentences_of(findings)[4:]
    ['c4 holds codes.', 'likewise c5, c6, c7 and c8.']
    """
    sentences: list[str] = []
    for first, others in _condensed(findings):
        sentences += [each.sentence for each in first]
        if others:
            columns = [name for each in others for name in each.columns]
            sentences.append(f"likewise {listed(columns)}.")
    return list(dict.fromkeys(sentences))


def _condensed(findings: Iterable[Finding]) -> list[tuple[list[Finding], list[Finding]]]:
    """Group findings by their code, in their order: the first of each, and the rest."""
    groups: dict[str, list[Finding]] = {}
    for each in findings:
        groups.setdefault(each.code, []).append(each)
    return [(group[:LISTED], group[LISTED:]) for group in groups.values()]


def listed(names: Sequence[str]) -> str:
    """List names of columns; of many, the first.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    >>> listed("abcdef")
    'a, b, c, d, e and 1 more column'
    """
    if len(names) > LISTED:
        more = len(names) - LISTED
        return f"{', '.join(names[:LISTED])} and {more:,} more column{'s' * (more > 1)}"
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def options(option: str, names: Sequence[str]) -> str:
    """Write an option for each of some columns; of many, for any of them.

    >>> options("--read", ["a", "b c"])
    "--read a --read 'b c'"
    """
    if len(names) > LISTED:
        return f"{option} COLUMN"
    return " ".join(as_option(option, name) for name in names)


def refuse(findings: Iterable[Finding], source: str) -> None:
    """Refuse the assumptions among some findings.

    Args:
        findings: of which those with a decision are refused.
        source: what was read, in words.

    Raises:
        ExperimentError: there is one; all are listed, with the settings that answer each.
    """
    assumed = [each for each in findings if each.decided]
    if not assumed:
        return
    parts = []
    for first, others in _condensed(assumed):
        parts += [f"{each.found}: {each.answers}" for each in first]
        if others:
            parts.append(f"likewise {listed([name for each in others for name in each.columns])}")
    items = "; ".join(f"({number}) {part}" for number, part in enumerate(parts, 1))
    raise ExperimentError(
        f"data.strict (--strict) refuses what would be assumed about {source}: {items}."
    )
