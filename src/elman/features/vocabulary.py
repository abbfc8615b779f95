"""Vocabularies: names (words, tags, classes) and their ids."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from elman.errors import DataError
from elman.features.checks import shown
from elman.features.state import check_entries, malformed

Name = str | int | bool
"""Type of a name; all names of a vocabulary have one type."""

UNKNOWN = "<unk>"
"""The unknown name, as written in a text."""

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")

_TYPE_NAMES = {str: "a string", int: "a whole number", bool: "true or false"}


class Vocabulary:
    """Names ↔ ids.

    With `unknown`, id 0 stands for every unknown name, and the names have the ids 1 … n. Without,
    the names have the ids 0 … n − 1.

    Args:
        names: the names in the order of their ids: unique, and all of one type.
        counts: how often each name occurs in training.
        unknown: whether id 0 stands for unknown names.

    >>> words = Vocabulary.from_counts({"the": 3, "film": 2, "plot": 2, "oh": 1}, min_count=2)
    >>> words.names, words.ids(["the", "oh", "plot"]), words.name(2)
    (('the', 'film', 'plot'), [1, 0, 3], 'film')
    """

    def __init__(
        self, names: Sequence[Name], counts: Sequence[int], *, unknown: bool = True
    ) -> None:
        self.names = tuple(names)
        self.counts = tuple(counts)
        self.unknown = unknown
        self._first = int(unknown)
        self._ids = {name: index for index, name in enumerate(self.names, self._first)}

    @classmethod
    def from_counts(
        cls,
        counts: Mapping[Any, int],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        unknown: bool = True,
    ) -> Vocabulary:
        """Keep frequent names, sorted by falling count, then by name, numbers by their size.

        Args:
            counts: name → how often it occurs.
            min_count: minimum count of a name.
            max_size: maximum number of names, without the unknown one; None for no limit.
            unknown: whether id 0 stands for unknown names.
        """
        frequent = [name for name, count in counts.items() if count >= min_count]
        by_size = all(map(_is_number, frequent))
        kept = sorted(
            frequent, key=lambda name: (-counts[name], _by_size(name) if by_size else name)
        )[:max_size]
        return cls(kept, [counts[name] for name in kept], unknown=unknown)

    @classmethod
    def by_name(cls, counts: Mapping[Any, int], *, unknown: bool) -> Vocabulary:
        """Keep every name, sorted: numbers by size, also those in text; else by alphabet.

        Args:
            counts: name → how often it occurs.
            unknown: whether id 0 stands for unknown names.
        """
        names = sorted(counts, key=_by_size if all(map(_is_number, counts)) else None)
        return cls(names, [counts[name] for name in names], unknown=unknown)

    def __len__(self) -> int:
        """Number of ids, including the unknown one."""
        return len(self.names) + self._first

    def ids(self, names: Iterable[Name]) -> list[int]:
        """Return the id of each name; 0 for unknown names.

        The vocabulary must have an unknown id, and the names must have its type.
        """
        get = self._ids.get
        return [get(name, 0) for name in names]

    def find(self, name: Name) -> int | None:
        """Return the id of a name, or None if it is unknown.

        A whole number, or true or false, is the same name as the text by which a file without
        types writes it: whether a value is `3` or `"3"` depends only on the format of its file.
        `003` and `3.10` are names of their own.
        """
        if not self.names or type(name) is type(self.names[0]):
            return self._ids.get(name)
        return self._spelled.get(_spelling(name))

    @cached_property
    def _spelled(self) -> dict[str, int]:
        """The names as a file without types writes them → their ids."""
        return {_spelling(name): index for name, index in self._ids.items()}

    def name(self, index: int) -> Name | None:
        """Return the name of an id; None for the unknown id.

        Raises:
            DataError: there is no such id.
        """
        if not 0 <= index < len(self):
            raise DataError(f"ids run from 0 to {len(self) - 1}, got {index}.")
        if index < self._first:
            return None
        return self.names[index - self._first]

    def to_json(self) -> dict[str, Any]:
        """Describe the vocabulary in JSON values."""
        return {"names": list(self.names), "counts": list(self.counts), "unknown": self.unknown}

    @classmethod
    def from_json(cls, state: Mapping[str, Any], kind: str) -> Vocabulary:
        """Restore a vocabulary from JSON; `kind` is the feature's, for errors.

        Raises:
            DataError: the state is malformed.
        """
        check_entries(kind, state, {"names": list, "counts": list, "unknown": bool})
        names, counts = state["names"], state["counts"]
        if len({type(name) for name in names}) > 1 or not all(
            isinstance(name, str | int) for name in names
        ):
            raise malformed(kind, "its names must all be strings, whole numbers, or true and false")
        if len(set(names)) != len(names) or len(counts) != len(names):
            raise malformed(kind, "its names must be unique, each with its count")
        return cls(names, counts, unknown=state["unknown"])


def _spelling(name: Name) -> str:
    """Return a name as a file without types writes it; `True` and `TRUE` are `true`."""
    text = str(name)
    return text.lower() if text.lower() in ("true", "false") else text


def _is_number(name: Name) -> bool:
    return not isinstance(name, str) or _NUMBER.fullmatch(name) is not None


def _by_size(name: Name) -> tuple[float, str]:
    return float(name), str(name)


class NameCounter:
    """Counts names and checks that all have one type.

    Args:
        owner: what the names belong to, for errors: `a category`, `a column of labels`.
    """

    def __init__(self, owner: str) -> None:
        self.counts: Counter[Name] = Counter()
        self._owner = owner
        self._first: Name | None = None

    def add(self, name: Name, times: int = 1) -> None:
        """Count a name, as often as it occurs.

        Raises:
            DataError: the name is of another type than the names before it.
        """
        if self._first is None:
            self._first = name
        elif type(name) is not type(self._first):
            raise DataError(
                f"all names in {self._owner} must be of one type, got {shown(name)} "
                f"({_TYPE_NAMES[type(name)]}) after {shown(self._first)} "
                f"({_TYPE_NAMES[type(self._first)]}); make them one type."
            )
        self.counts[name] += times


def as_name(value: object, subject: str) -> Name:
    """Check that a value is a name: a string, a whole number, or true or false.

    A float without a fraction counts as a whole number, as in columns with missing values.

    Raises:
        DataError: the value is none of these; `subject` is what the error calls it.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    advice = " For measured numbers use kind 'number'." if isinstance(value, float) else ""
    raise DataError(
        f"{subject} must be a name (a string, a whole number, or true or false), "
        f"got {shown(value)}.{advice}"
    )


def unseen(noun: str, name: Name, names: Sequence[Name], advice: str) -> DataError:
    """Build the error for a name that does not occur in the training rows.

    Args:
        noun: what is named, in the singular: `tag`, `class`.
        name: the name.
        names: the known names; the nearest is offered and the first ten are listed.
        advice: what to do, as a sentence.
    """
    nearest = difflib.get_close_matches(str(name), [str(known) for known in names], n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else "."
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    listed = ", ".join(str(known) for known in names[:10])
    rest = f", … ({len(names)} in all)" if len(names) > 10 else ""
    return DataError(
        f"the {noun} {shown(name)} does not occur in the training rows{hint} "
        f"Known {plural}: {listed}{rest}. {advice}"
    )
