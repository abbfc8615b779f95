"""Categories: one of a fixed set of classes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor

from elman.data.numbers import FEW_CLASSES
from elman.errors import DataError
from elman.features.checks import blank, fitted, shown
from elman.features.feature import Encoding, Feature, without_counts
from elman.features.hot import from_ones, hot, one_hot, ones_in
from elman.features.names import Changes, alike, tidy
from elman.features.state import feature_state, options_of, restore
from elman.features.vocabulary import Name, NameCounter, Vocabulary, as_name, unseen


class CategoryFeature(Feature):
    """One of a fixed set of classes, as an id.

    The name of a class is a string, a whole number, or true or false. As input, id 0 stands for
    unknown or missing and the classes have the ids 1 … n. As target, they have the ids 0 … n − 1,
    and a class that does not occur in training, or a missing one, is an error.

    Spaces around a name are dropped. With `one_hot` a value is a list of zeros and a single one,
    and the names are 0 … n − 1; predictions are such lists again.

    Args:
        as_target: whether the category is predicted.
        one_hot: whether values are lists of zeros and a single one.

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
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
        {"onehot": {"one_hot": True}}
    )
    reads_categories: ClassVar[bool] = True

    def __init__(self, *, as_target: bool = False, one_hot: bool = False) -> None:
        self.as_target = as_target
        self.one_hot = one_hot
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
        form = ", as zeros and a one" if self.one_hot else ""
        return f"one of {len(self.names)} classes{form}"

    @classmethod
    def seen_in(cls, values: Sequence[Any]) -> dict[str, Any]:
        """Return that values are lists of zeros and a single one."""
        present = [value for value in values if not blank(value)]
        return {"one_hot": True} if hot(present) and one_hot(present) else {}

    def fit(self, values: Iterable[Any]) -> CategoryFeature:
        """Learn the classes from the training rows.

        Raises:
            DataError: a value is no class or, as target, is missing; or there is no class or, as
                target, only one.
        """
        counter, changes, absent = NameCounter("a category"), Changes(), 0
        size: int | None = None
        for value in values:
            name, size = self._name(value, size)
            if name is None:
                absent += 1
            else:
                counter.add(changes.tidied(name))
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
        every = dict.fromkeys(range(size or 0), 0) | counts
        self._vocabulary = Vocabulary.by_name(every, unknown=not self.as_target)
        self.notes = [f"{absent} missing values count as unknown."] if absent else []
        if 2 < len(counts) == counts.total():
            self.notes.append(
                f"each of the {len(counts)} classes occurs only once, so nothing can be learned "
                f"from them."
            )
        self.notes += [*changes.notes, *alike(counts)]
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn a class into its id, (), int64.

        Raises:
            DataError: the value is no class; or, as target, it is missing or does not occur in
                training.
        """
        vocabulary = fitted(self._vocabulary, self.kind)
        name, _ = self._name(value, len(self.names) if self.one_hot else None)
        index = None if name is None else vocabulary.find(tidy(name))
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

    def as_in_data(self, value: Any) -> Any:
        """Return a predicted class as the data has it: its name, or zeros and a one."""
        if not self.one_hot:
            return value
        return from_ones([] if value is None else [value], len(self.names))

    def names_in(self, value: Any) -> list[Name]:
        """List the class of a value, learned or not; none if it is missing and not a target."""
        name, _ = self._name(value, len(self.names) if self.one_hot else None)
        return [] if name is None else [tidy(name)]

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

    def _name(self, value: Any, size: int | None) -> tuple[Name | None, int | None]:
        """Check a value and return its class, or None if it is missing and not a target.

        Args:
            value: a name, or a list of zeros and a one.
            size: length of such a list; None for any.

        Returns:
            The class, and the length of the list.
        """
        if blank(value):
            if self.as_target:
                raise DataError("the class is missing; fill it in, or leave the row out.")
            return None, size
        if not self.one_hot:
            return as_name(value, "a category"), None
        places, length = ones_in(value, size)
        if len(places) != 1:
            raise DataError(
                f"one class must be a list of zeros and a single one, got {shown(list(value))}; "
                "for any number of ones use kind 'labels'."
            )
        return places[0], length
