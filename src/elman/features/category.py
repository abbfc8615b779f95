"""Categories: one of a few names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from elman.errors import DataError
from elman.features.checks import blank, fitted, shown
from elman.features.feature import Encoding, Feature
from elman.features.guesses import FEW_CLASSES
from elman.features.state import feature_state, options_of, restore
from elman.features.vocabulary import Name, NameCounter, Vocabulary, as_name, unseen


class CategoryFeature(Feature):
    """One of a few names, as an id.

    A name is a string, a whole number, or true or false. As input, id 0 is unknown or missing and
    the names have the ids 1 … n. As target, the names are classes 0 … n − 1; one that was not
    there in training is an error, as is a missing one.

    Args:
        as_target: whether the category is to be predicted.

    >>> label = CategoryFeature(as_target=True).fit(["pos", "neg", "pos"])
    >>> label.names, label.counts, label.encode("pos").item()
    (('neg', 'pos'), (1, 2), 1)
    """

    kind: ClassVar[str] = "category"
    has_steps: ClassVar[bool] = False
    plural: ClassVar[str] = "names"
    objectives: ClassVar[tuple[str, ...]] = ("classification",)
    predicts_names: ClassVar[bool] = True
    is_class: ClassVar[bool] = True
    says_little: ClassVar[bool] = True

    def __init__(self, *, as_target: bool = False) -> None:
        self.as_target = as_target
        self.notes: list[str] = []
        self._vocabulary: Vocabulary | None = None

    @property
    def names(self) -> tuple[Name, ...]:
        """The names in their own order: of the alphabet, of size, false before true."""
        return fitted(self._vocabulary, self.kind).names

    @property
    def counts(self) -> tuple[int, ...]:
        """How often each name is there in the training part."""
        return fitted(self._vocabulary, self.kind).counts

    @property
    def encoding(self) -> Encoding:
        """One id."""
        return Encoding(ids=(len(fitted(self._vocabulary, self.kind)),))

    @property
    def description(self) -> str:
        """What a value is, in words."""
        noun = "labels" if self.as_target else "names"
        return f"one of {len(self.names)} {noun}"

    def fit(self, values: Iterable[Any]) -> CategoryFeature:
        """Learn the names from the training part's values.

        Raises:
            DataError: a value is no name, or is missing where it is the target; there is none;
                or, as target, only one.
        """
        counter, absent = NameCounter("a category"), 0
        for value in values:
            name = self._name(value)
            if name is None:
                absent += 1
            else:
                counter.add(name)
        counts = counter.counts
        if not counts:
            raise DataError(
                f"there is no name in the {absent} values of the training part; "
                f"was another column meant?"
            )
        if self.as_target and len(counts) == 1:
            (name,) = counts
            raise DataError(
                f"a target needs at least two classes, and all {counts.total()} values of the "
                f"training part are {shown(name)}; there is nothing to be learned from it."
            )
        self._vocabulary = Vocabulary.by_name(counts, unknown=not self.as_target)
        self.notes = [f"{absent} missing values count as unknown."] if absent else []
        if 2 < len(counts) == counts.total():
            self.notes.append(
                f"each of the {len(counts)} names is there once: nothing that is learned of one "
                f"will be met again."
            )
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn a name into its id, (), int64.

        Raises:
            DataError: the value is no name; or it is a target that is missing, or was not there
                in training.
        """
        vocabulary = fitted(self._vocabulary, self.kind)
        name = self._name(value)
        index = None if name is None else vocabulary.find(name)
        if index is None and name is not None and self.as_target:
            raise unseen(
                "label",
                name,
                self.names,
                "Correct it, leave the row out, or see to it that the training part has such rows.",
            )
        return torch.tensor(index or 0, dtype=torch.int64)

    def decode(self, encoded: Tensor) -> Name | None:
        """Turn an id back into its name; the unknown one is None."""
        return fitted(self._vocabulary, self.kind).name(int(encoded))

    @property
    def reads_as_texts(self) -> bool:
        """Whether there are many names of several words each, as short sentences that repeat."""
        words = sum(len(str(name).split()) for name in self.names)
        return len(self.names) > FEW_CLASSES and words >= 2 * len(self.names)

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        vocabulary = fitted(self._vocabulary, self.kind)
        return feature_state(self.kind, options_of(self), {"vocabulary": vocabulary.to_json()})

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> CategoryFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        feature, learned = restore(cls, state, {"vocabulary": dict})
        feature._vocabulary = Vocabulary.from_json(learned["vocabulary"], cls.kind)
        return feature

    def _name(self, value: Any) -> Name | None:
        """Check a value: a name, or None where it is missing and need not be there."""
        if blank(value):
            if self.as_target:
                raise DataError("the label is missing; fill it in, or leave the row out.")
            return None
        return as_name(value, "a category")
