"""Categories: one of a fixed set of classes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from elman.errors import DataError
from elman.features.checks import blank, fitted, shown
from elman.features.feature import Encoding, Feature, without_counts
from elman.features.guesses import FEW_CLASSES
from elman.features.state import feature_state, options_of, restore
from elman.features.vocabulary import Name, NameCounter, Vocabulary, as_name, unseen


class CategoryFeature(Feature):
    """One of a fixed set of classes, as an id.

    The name of a class is a string, a whole number, or true or false. As input, id 0 stands for
    unknown or missing and the classes have the ids 1 … n. As target, they have the ids 0 … n − 1,
    and a class that does not occur in training, or a missing one, is an error.

    Args:
        as_target: whether the category is predicted.

    >>> label = CategoryFeature(as_target=True).fit(["pos", "neg", "pos"])
    >>> label.names, label.counts, label.encode("pos").item()
    (('neg', 'pos'), (1, 2), 1)
    """

    kind: ClassVar[str] = "category"
    has_steps: ClassVar[bool] = False
    plural: ClassVar[str] = "categories"
    objectives: ClassVar[tuple[str, ...]] = ("classification",)
    predicts_names: ClassVar[bool] = True
    is_class: ClassVar[bool] = True
    says_little: ClassVar[bool] = True
    reads_categories: ClassVar[bool] = True

    def __init__(self, *, as_target: bool = False) -> None:
        self.as_target = as_target
        self.notes: list[str] = []
        self._vocabulary: Vocabulary | None = None

    @property
    def names(self) -> tuple[Name, ...]:
        """The classes, sorted: by alphabet, by size, or false before true."""
        return fitted(self._vocabulary, self.kind).names

    @property
    def counts(self) -> tuple[int, ...]:
        """How often each class occurs in the training rows."""
        return fitted(self._vocabulary, self.kind).counts

    @property
    def encoding(self) -> Encoding:
        """One id."""
        return Encoding(ids=(len(fitted(self._vocabulary, self.kind)),))

    @property
    def description(self) -> str:
        """What a value is, in words."""
        return f"one of {len(self.names)} classes"

    def fit(self, values: Iterable[Any]) -> CategoryFeature:
        """Learn the classes from the training rows.

        Raises:
            DataError: a value is no class or, as target, is missing; or there is no class or, as
                target, only one.
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
                f"there is no class in the {absent} training rows; is this the right column?"
            )
        if self.as_target and len(counts) == 1:
            (name,) = counts
            raise DataError(
                f"a target needs at least two classes, and all {counts.total()} training values "
                f"are {shown(name)}; choose another column."
            )
        self._vocabulary = Vocabulary.by_name(counts, unknown=not self.as_target)
        self.notes = [f"{absent} missing values count as unknown."] if absent else []
        if 2 < len(counts) == counts.total():
            self.notes.append(
                f"each of the {len(counts)} classes occurs only once, so nothing can be learned "
                f"from them."
            )
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn a class into its id, (), int64.

        Raises:
            DataError: the value is no class; or, as target, it is missing or does not occur in
                training.
        """
        vocabulary = fitted(self._vocabulary, self.kind)
        name = self._name(value)
        index = None if name is None else vocabulary.find(name)
        if index is None and name is not None and self.as_target:
            raise unseen(
                "class",
                name,
                self.names,
                "Correct it, leave the row out, or add such rows to the training rows.",
            )
        return torch.tensor(index or 0, dtype=torch.int64)

    def decode(self, encoded: Tensor) -> Name | None:
        """Turn an id back into its class; the unknown id is None."""
        return fitted(self._vocabulary, self.kind).name(int(encoded))

    def learned(self) -> list[Name]:
        """List the classes that a training row has."""
        return [name for name, count in zip(self.names, self.counts, strict=True) if count]

    def mark_never_learned(self, ids: Collection[int]) -> None:
        """Note that no training row has these classes, but only rows of other parts."""
        self._vocabulary = without_counts(fitted(self._vocabulary, self.kind), ids)

    def never_learned(self, value: Any) -> Mapping[int, Any]:
        """Find the class of an input if no training row has it; see `Feature`."""
        return {} if blank(value) or int(self.encode(value)) else {0: value}

    @property
    def reads_as_texts(self) -> bool:
        """Whether there are many classes of several words each, like repeated short sentences."""
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
        """Check a value and return its class, or None if it is missing and not a target."""
        if blank(value):
            if self.as_target:
                raise DataError("the class is missing; fill it in, or leave the row out.")
            return None
        return as_name(value, "a category")
