"""Names and their ids: words, tags, classes."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from elman.errors import DataError
from elman.features.checks import shown
from elman.features.state import check_entries, malformed

Name = str | int | bool
"""What a name may be; all names of one vocabulary are of one type."""

UNKNOWN = "<unk>"
"""How an unknown name is written."""

_IN_WORDS = {str: "a string", int: "a whole number", bool: "true or false"}


class Vocabulary:
    """Names ↔ ids.

    With `unknown`, id 0 stands for every name that is not known, and the names have the ids
    1 … n. Without, the names have the ids 0 … n − 1.

    Args:
        names: in the order of their ids, each once, all of one type.
        counts: how often each was seen; one a name.
        unknown: whether id 0 is the unknown one.

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
        """Keep names that were seen often; the most frequent first, equally frequent by name.

        Args:
            counts: name → how often it was seen.
            min_count: names seen less often are left out.
            max_size: greatest number of names, the unknown one not counted; None for any.
            unknown: whether id 0 is the unknown one.
        """
        frequent = [name for name, count in counts.items() if count >= min_count]
        kept = sorted(frequent, key=lambda name: (-counts[name], name))[:max_size]
        return cls(kept, [counts[name] for name in kept], unknown=unknown)

    @classmethod
    def by_name(cls, counts: Mapping[Any, int], *, unknown: bool) -> Vocabulary:
        """Keep every name, in the names' own order: of the alphabet, of size, false before true.

        Args:
            counts: name → how often it was seen.
            unknown: whether id 0 is the unknown one.
        """
        names = sorted(counts)
        return cls(names, [counts[name] for name in names], unknown=unknown)

    def __len__(self) -> int:
        """Ids in all, the unknown one among them."""
        return len(self.names) + self._first

    def ids(self, names: Iterable[Name]) -> list[int]:
        """Return the id of each name; 0 for those that are not known.

        The vocabulary must have an unknown id, and the names its type.
        """
        get = self._ids.get
        return [get(name, 0) for name in names]

    def find(self, name: Name) -> int | None:
        """Return the id of a name, or None.

        A number written as a string, or a string of digits where names are numbers, is the same
        name: `3` and `"3"` differ by the file they came from alone.
        """
        if not self.names or type(name) is type(self.names[0]):
            return self._ids.get(name)
        if isinstance(self.names[0], str):
            return self._ids.get(str(name))
        alike = [known for known in self.names if str(known) == str(name)]
        return self._ids[alike[0]] if alike else None

    def name(self, index: int) -> Name | None:
        """Return the name of an id; None for the unknown one.

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
        """Restore a vocabulary of a feature of some kind.

        Raises:
            DataError: the state is malformed.
        """
        check_entries(kind, state, {"names": list, "counts": list, "unknown": bool})
        names, counts = state["names"], state["counts"]
        if len({type(name) for name in names}) > 1 or not all(
            isinstance(name, str | int) for name in names
        ):
            raise malformed(kind, "its names must be strings, or whole numbers, or true and false")
        if len(set(names)) != len(names) or len(counts) != len(names):
            raise malformed(kind, "each name must be there once, with its count")
        return cls(names, counts, unknown=state["unknown"])


class NameCounter:
    """Counts names and sees to it that all are of one type.

    Args:
        what: what a name is of, for errors: `a category`, `a tag`.
    """

    def __init__(self, what: str) -> None:
        self.counts: Counter[Name] = Counter()
        self._what = what
        self._first: Name | None = None

    def add(self, name: Name) -> None:
        """Count a name.

        Raises:
            DataError: it is of another type than the names before.
        """
        if self._first is None:
            self._first = name
        elif type(name) is not type(self._first):
            raise DataError(
                f"all names of {self._what} must be of one type, got {shown(name)} "
                f"({_IN_WORDS[type(name)]}) where {shown(self._first)} "
                f"({_IN_WORDS[type(self._first)]}) came before; write them alike."
            )
        self.counts[name] += 1


def as_name(value: object, what: str) -> Name:
    """Check that a value is a name: a string, a whole number, or true or false.

    A whole number stored as a float, as a column with gaps often is, is a whole number.

    Raises:
        DataError: it is none of these.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    way_out = " For measured numbers say kind 'number'." if isinstance(value, float) else ""
    raise DataError(
        f"{what} must be a name (a string, a whole number, or true or false), "
        f"got {shown(value)}.{way_out}"
    )


def unseen(what: str, name: Name, names: Sequence[Name], way_out: str) -> DataError:
    """Build the error for a name that was not in the training part, near miss first.

    Args:
        what: what it names, in the singular: `tag`, `label`.
        name: the name.
        names: those that were there; the first ten are shown.
        way_out: what to do, a sentence.
    """
    near = difflib.get_close_matches(str(name), [str(known) for known in names], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    listed = ", ".join(str(known) for known in names[:10])
    rest = f", … ({len(names)} in all)" if len(names) > 10 else ""
    return DataError(
        f"the {what} {shown(name)} was not in the training part{hint} "
        f"Known {what}s: {listed}{rest}. {way_out}"
    )
