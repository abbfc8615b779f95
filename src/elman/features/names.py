"""Names as they are compared: without the spaces around them, in one Unicode form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from elman.errors import counted
from elman.features.vocabulary import Name

SHOWN = 3
"""Groups of names that look alike, listed in a note before the rest is counted."""

ALIKE = "names that differ only in case, spaces, accents or punctuation at the end"

_ACCENTS = re.compile("[\u0300-\u036f]")
_ENDS = ".,;:!?"


def tidy(name: Name) -> Name:
    """Return a name without the spaces around it, its letters composed (NFC).

    >>> tidy(" Yes"), tidy("cafe\\u0301") == "café", tidy(3)
    ('Yes', True, 3)
    """
    return unicodedata.normalize("NFC", name).strip() if isinstance(name, str) else name


class Changes:
    """Counts the names that `tidy` changes, for a note."""

    def __init__(self) -> None:
        self._spaced = self._composed = 0
        self._example = ""

    def tidied(self, name: Name, times: int = 1) -> Name:
        """Tidy a name, and count it, as often as it occurs, if it changes."""
        new = tidy(name)
        if isinstance(name, str) and new != name:
            spaced = name != name.strip()
            self._spaced += times * spaced
            self._composed += times * (not spaced)
            if spaced and not self._example:
                self._example = name
        return new

    @property
    def notes(self) -> list[str]:
        """What was changed, a sentence each."""
        notes = []
        if self._spaced:
            notes.append(
                f"spaces around names are dropped in {counted(self._spaced, 'value')}, such as "
                f"{self._example!r}."
            )
        if self._composed:
            notes.append(
                f"letters with separate accents are composed (Unicode NFC) in "
                f"{counted(self._composed, 'value')}."
            )
        return notes


def alike(counts: Mapping[Any, int]) -> list[str]:
    """Note the names that differ only in case, spaces, accents or punctuation at their end.

    They stay apart: whether they are one is for whoever wrote them to say.

    >>> alike({"Yes": 3, "no": 4, "yes": 1})[0][:52]
    'names that differ only in case, spaces, accents or p'
    """
    groups = listed_alike(counts)
    if not groups:
        return []
    return [f"{ALIKE} are kept apart: {groups}; if they are one, write them alike."]


def listed_alike(counts: Mapping[Any, int]) -> str:
    """List the names that look alike, with their counts; empty if there are none.

    >>> listed_alike({"Yes": 3, "no": 4, "yes": 1})
    "'Yes' (3) and 'yes' (1)"
    """
    groups: dict[Any, list[str]] = {}
    for name in counts:
        if isinstance(name, str):
            groups.setdefault(_key(name), []).append(name)
    similar = [names for names in groups.values() if len(names) > 1]
    listed = ", ".join(
        " and ".join(f"{name!r} ({counts[name]})" for name in names) for names in similar[:SHOWN]
    )
    return f"{listed} and {len(similar) - SHOWN} more" if len(similar) > SHOWN else listed


def _key(name: str) -> str:
    """Return what names that look alike have in common."""
    plain = name if name.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFKD", name))
    key = "".join(plain.casefold().split()).rstrip(_ENDS)
    return key if any(map(str.isalnum, key)) else name
