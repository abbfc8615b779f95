"""Labels: any number of a fixed set of names, including none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from elman.errors import DataError, OptionError
from elman.features.checks import blank, fitted, shown
from elman.features.feature import Encoding, Feature, without_counts
from elman.features.hot import from_ones, hot, ones_in
from elman.features.names import Changes, alike, tidy
from elman.features.separators import parts_of, separator_of_labels
from elman.features.state import feature_state, options_of, restore
from elman.features.vocabulary import Name, NameCounter, Vocabulary, as_name, unseen

_SEMICOLON = ";"
"""Separator of labels in a string where none is given."""


class LabelsFeature(Feature):
    """Any number of a fixed set of labels, as zeros and ones: one column a label.

    A value is a list of labels, or a string of labels with a separator between them, or, with
    `multi_hot`, a list of a zero or a one for each label, whose names are then 0 … n − 1. An empty
    list or string, or none at all, has no label. A label that is given twice counts once. A label
    that does not occur in training is an error.

    Predictions are lists of labels; with `multi_hot` they are zeros and ones again, and in a file
    labels that came as a string are a string again.

    Args:
        separator: separator between labels in a string; spaces around a label are dropped. None
            for values that are lists; a string is then split at semicolons.
        multi_hot: whether values are lists of zeros and ones.

    Raises:
        OptionError: the separator is empty, or given for lists of zeros and ones.

    >>> genres = LabelsFeature().fit(["drama; war", "comedy", ""])
    >>> genres.names, genres.encode("war;drama").tolist(), genres.decode(torch.tensor([1, 0, 0]))
    (('comedy', 'drama', 'war'), [0.0, 1.0, 1.0], ['comedy'])
    """

    kind: ClassVar[str] = "labels"
    has_steps: ClassVar[bool] = False
    plural: ClassVar[str] = "labels"
    objectives: ClassVar[tuple[str, ...]] = ("labelling",)
    predicts_names: ClassVar[bool] = True
    says_little: ClassVar[bool] = True
    is_set: ClassVar[bool] = True
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
        {"multihot": {"multi_hot": True}}
    )

    def __init__(self, *, separator: str | None = None, multi_hot: bool = False) -> None:
        if separator is not None and not separator:
            raise OptionError("separator must be at least one character, got an empty string.")
        if separator is not None and multi_hot:
            raise OptionError(
                f"separator={separator!r} is for labels in a string, and multi_hot for lists of "
                "zeros and ones; leave one of them out."
            )
        self.separator = separator
        self.multi_hot = multi_hot
        self.notes: list[str] = []
        self._vocabulary: Vocabulary | None = None

    @property
    def names(self) -> tuple[Name, ...]:
        """The labels, sorted, in the order of the columns."""
        return fitted(self._vocabulary, self.kind).names

    @property
    def counts(self) -> tuple[int, ...]:
        """How many training values have each label."""
        return fitted(self._vocabulary, self.kind).counts

    @property
    def encoding(self) -> Encoding:
        """One column a label."""
        return Encoding(numbers=len(self.names))

    @property
    def description(self) -> str:
        """What a value is, in words."""
        form = ", as zeros and ones" if self.multi_hot else ""
        return f"any of {len(self.names)} labels{form}"

    @classmethod
    def seen_in(cls, values: Sequence[Any]) -> dict[str, Any]:
        """Return what separates labels in strings, or that they are zeros and ones."""
        present = [value for value in values if not blank(value)]
        if hot(present):
            return {"multi_hot": True}
        texts = {value for value in present if isinstance(value, str)}
        separator = separator_of_labels(texts)
        return {} if separator is None else {"separator": separator}

    def fit(self, values: Iterable[Any]) -> LabelsFeature:
        """Learn the labels from the training rows.

        Raises:
            DataError: a value is malformed, or no value has a label.
        """
        counter, changes = NameCounter("a column of labels"), Changes()
        rows = without = several = twice = 0
        size: int | None = None
        for value in values:
            if self.multi_hot:
                given, size = self._hot(value, size)
            else:
                given = list(map(changes.tidied, self._listed(value)))
            names = list(dict.fromkeys(given))
            for name in names:
                counter.add(name)
            rows += 1
            without += not names
            twice += len(names) < len(given)
            several += len(names) > 1
        if not counter.counts:
            raise DataError(
                f"there is no label in the {rows} training rows; is this the right column?"
            )
        counts = Counter(dict.fromkeys(range(size), 0)) if size else Counter()
        self._vocabulary = Vocabulary.by_name({**counts, **counter.counts}, unknown=False)
        self.notes = [f"{without} of {rows} values have no label."] if without else []
        if several and self.separator is not None:
            self.notes.append(
                f"{several} of {rows} values hold several labels, with {self.separator!r} between."
            )
        if twice:
            self.notes.append(
                f"a label is given twice in {twice} of {rows} values; it counts once."
            )
        self.notes += [*changes.notes, *alike(counter.counts)]
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn labels into zeros and ones, (n,), float32.

        Raises:
            DataError: the value is malformed, or a label does not occur in training.
        """
        vocabulary = fitted(self._vocabulary, self.kind)
        encoded = torch.zeros(len(vocabulary))
        for name in self._names(value):
            index = vocabulary.find(name)
            if index is None:
                raise unseen(
                    "label", name, vocabulary.names, "Correct it, or remove it from the value."
                )
            encoded[index] = 1
        return encoded

    def decode(self, encoded: Tensor) -> list[Name]:
        """Turn zeros and ones, (n,), back into the labels whose column is not zero."""
        places = encoded.nonzero().flatten().tolist()
        return [self.names[place] for place in places]

    def as_in_data(self, value: Any) -> Any:
        """Return predicted labels as the data has them: a list of names, or zeros and ones."""
        return from_ones(value, len(self.names)) if self.multi_hot else value

    def as_in_file(self, value: Any) -> Any:
        """Return predicted labels as a file has them: one string where the data has strings."""
        if self.separator is None:
            return self.as_in_data(value)
        return self.separator.join(map(str, value))

    def names_in(self, value: Any) -> list[Name]:
        """List the labels of a value, learned or not."""
        return self._names(value)

    def learned(self) -> list[Name]:
        """List the labels that a training row has."""
        return [name for name, count in zip(self.names, self.counts, strict=True) if count]

    def mark_never_learned(self, ids: Collection[int]) -> None:
        """Note that no training row has these labels, but only rows of other parts."""
        self._vocabulary = without_counts(fitted(self._vocabulary, self.kind), ids)

    def ids(self, value: Any) -> list[int]:
        """List the ids of the labels that a row has."""
        return [int(index) for index in self.encode(value).nonzero().reshape(-1)]

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        vocabulary = fitted(self._vocabulary, self.kind)
        return feature_state(self.kind, options_of(self), {"vocabulary": vocabulary.to_json()})

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> LabelsFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        feature, learned = restore(cls, state, {"vocabulary": dict})
        feature._vocabulary = Vocabulary.from_json(learned["vocabulary"], cls.kind)
        return feature

    def _names(self, value: Any) -> list[Name]:
        """Check a value and return its labels, each once."""
        if self.multi_hot:
            return self._hot(value, len(self.names))[0]
        return list(dict.fromkeys(map(tidy, self._listed(value))))

    def _hot(self, value: Any, size: int | None) -> tuple[list[Name], int | None]:
        """Return the labels of a list of zeros and ones, and its length."""
        if blank(value):
            return [], size
        places, length = ones_in(value, size)
        return list(places), length

    def _listed(self, value: Any) -> list[Name]:
        """Check a value and return its labels as they were written."""
        if blank(value):
            return []
        if isinstance(value, str):
            return list(parts_of(value, self.separator or _SEMICOLON))
        if isinstance(value, list | tuple | np.ndarray):
            names = [as_name(name, f"label {place}") for place, name in enumerate(value)]
            return [name for name in names if not blank(name)]
        raise DataError(
            f"labels must be a list of names, or a string with {self.separator or _SEMICOLON!r} "
            f"between them, got {shown(value)}. For a single name use kind 'category'."
        )
