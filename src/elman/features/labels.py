"""Labels: any number of a fixed set of names, including none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from elman.errors import DataError, OptionError
from elman.features.checks import fitted, missing, shown
from elman.features.feature import Encoding, Feature, without_counts
from elman.features.state import feature_state, options_of, restore
from elman.features.vocabulary import Name, NameCounter, Vocabulary, as_name, unseen


class LabelsFeature(Feature):
    """Any number of a fixed set of labels, as zeros and ones: one column a label.

    A value is a list of labels, or a string of labels with a separator between them. An empty list
    or string has no label. A label that does not occur in training is an error.

    Args:
        separator: separator between labels in a string; spaces around a label are dropped.

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

    def __init__(self, *, separator: str = ";") -> None:
        if not separator:
            raise OptionError("separator must be at least one character, got an empty string.")
        self.separator = separator
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
        return f"any of {len(self.names)} labels"

    def fit(self, values: Iterable[Any]) -> LabelsFeature:
        """Learn the labels from the training rows.

        Raises:
            DataError: a value is malformed, or no value has a label.
        """
        counter, rows, without = NameCounter("a column of labels"), 0, 0
        for value in values:
            names = self._names(value)
            for name in names:
                counter.add(name)
            rows += 1
            without += not names
        if not counter.counts:
            raise DataError(
                f"there is no label in the {rows} training rows; is this the right column?"
            )
        self._vocabulary = Vocabulary.by_name(counter.counts, unknown=False)
        self.notes = [f"{without} of {rows} values have no label."] if without else []
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
        """Check a value and return its labels."""
        if missing(value):
            raise DataError(
                "the labels are missing; give an empty list if none applies, or leave the row out."
            )
        if isinstance(value, str):
            names: list[Name] = [
                part for part in map(str.strip, value.split(self.separator)) if part
            ]
        elif isinstance(value, list | tuple | np.ndarray):
            names = [as_name(name, f"label {place}") for place, name in enumerate(value)]
        else:
            raise DataError(
                f"labels must be a list of names, or a string with {self.separator!r} between "
                f"them, got {shown(value)}. For a single name use kind 'category'."
            )
        repeated = [name for place, name in enumerate(names) if name in names[:place]]
        if repeated:
            raise DataError(f"the label {shown(repeated[0])} is given twice; give each label once.")
        return names
