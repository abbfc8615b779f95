"""Labels in one string: what separates them, as the values of a column show."""

from __future__ import annotations

from collections.abc import Collection

SEPARATORS = (";", "|", ",", "/")
"""Separators that are looked for, in this order."""

_RARE_IN_NAMES = {";", "|"}

_SHORT = 3
"""Maximum mean number of words of a label."""


def separator_in(texts: Collection[str], rows: int) -> str | None:
    """Return what separates labels in strings; None if the strings are names by themselves.

    Strings are lists of labels if the parts are short and repeat. Commas and slashes stand within
    names, too (`Paris, France`): there at least half of the parts must also occur alone, or at
    another place of a list.

    Args:
        texts: the different strings of a column.
        rows: rows of the column.
    """
    return next((each for each in SEPARATORS if _separates(each, texts, rows)), None)


def separator_of_labels(texts: Collection[str]) -> str | None:
    """Return what separates strings that are known to be labels; None if nothing does.

    It is the first separator whose parts recombine, else the one that most strings contain.
    """
    counts = {each: sum(each in text for text in texts) for each in SEPARATORS}
    present = [each for each in SEPARATORS if counts[each]]
    recombined = next((each for each in present if _recombine(each, texts)), None)
    return recombined or max(present, key=lambda each: counts[each], default=None)


def parts_of(text: str, separator: str) -> list[str]:
    """Split a string; spaces around a part, and parts without anything in them, are dropped."""
    return [part for part in map(str.strip, text.split(separator)) if part]


def _separates(separator: str, texts: Collection[str], rows: int) -> bool:
    """Tell whether strings are lists of short names that repeat, with a separator between."""
    if not any(separator in text for text in texts):
        return False
    parts = [part for text in texts for part in parts_of(text, separator)]
    short = sum(len(part.split()) for part in parts) <= _SHORT * len(parts)
    if not short or 2 * len(set(parts)) > max(len(parts), rows):
        return False
    if separator in _RARE_IN_NAMES:
        return True
    has_letters = all(any(map(str.isalpha, part)) for part in parts)  # 31/12/2023 has none
    return _recombine(separator, texts) and (has_letters or separator != "/")


def _recombine(separator: str, texts: Collection[str]) -> bool:
    """Tell whether at least half of the parts of lists occur alone, or at several places."""
    lists = [parts_of(text, separator) for text in texts]
    alone = {parts[0] for parts in lists if len(parts) == 1}
    places: dict[str, set[int]] = {}
    for parts in lists:
        for place, part in enumerate(parts if len(parts) > 1 else ()):
            places.setdefault(part, set()).add(place)
    known = sum(part in alone or len(at) > 1 for part, at in places.items())
    return bool(places) and 2 * known >= len(places)
