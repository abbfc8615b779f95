"""Labels: any of a few names, none and several included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from elman.errors import DataError, OptionError
from elman.features.checks import fitted, missing, shown
from elman.features.feature import Encoding, Feature
from elman.features.state import feature_state, options_of, restore
from elman.features.vocabulary import Name, NameCounter, Vocabulary, as_name, unseen


class LabelsFeature(Feature):
    """Any of a few names, as zeros and ones: one column a name.

    A value is a list of names, or a string that is cut at a separator. An empty list, and an empty
    string, say that no name applies. A name that was not there in training is an error.

    Args:
        separator: what stands between names in a string; spaces around a name are dropped.

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
        """The names in their own order, as the columns are."""
        return fitted(self._vocabulary, self.kind).names

    @property
    def counts(self) -> tuple[int, ...]:
        """How many values of the training part have each name."""
        return fitted(self._vocabulary, self.kind).counts

    @property
    def encoding(self) -> Encoding:
        """One column a name."""
        return Encoding(numbers=len(self.names))

    @property
    def description(self) -> str:
        """What a value is, in words."""
        return f"any of {len(self.names)} labels"

    def fit(self, values: Iterable[Any]) -> LabelsFeature:
        """Learn the names from the training part's values.

        Raises:
            DataError: a value cannot be taken, or no value has a name.
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
                f"there is no label in the {rows} values of the training part; "
                f"was another column meant?"
            )
        self._vocabulary = Vocabulary.by_name(counter.counts, unknown=False)
        self.notes = [f"{without} of {rows} values have no label."] if without else []
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn names into zeros and ones, (n,), float32.

        Raises:
            DataError: the value cannot be taken, or a name was not there in training.
        """
        vocabulary = fitted(self._vocabulary, self.kind)
        encoded = torch.zeros(len(vocabulary))
        for name in self._names(value):
            index = vocabulary.find(name)
            if index is None:
                raise unseen(
                    "label", name, vocabulary.names, "Correct it, or take it out of the value."
                )
            encoded[index] = 1
        return encoded

    def decode(self, encoded: Tensor) -> list[Name]:
        """Turn zeros and ones, (n,), back into the names whose column is not zero."""
        places = encoded.nonzero().flatten().tolist()
        return [self.names[place] for place in places]

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
        """Check a value and return its names."""
        if missing(value):
            raise DataError(
                "the labels are missing; an empty list says that none applies, or leave the row "
                "out."
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
                f"them, got {shown(value)}. For a single name say kind 'category'."
            )
        twice = [name for place, name in enumerate(names) if name in names[:place]]
        if twice:
            raise DataError(f"the label {shown(twice[0])} is given twice; name each once.")
        return names
