"""What every kind of column promises: how its values become tensors, and tensors values again.

A feature is fitted on the training part alone, encodes one value at a time, and keeps what it has
learned — a vocabulary, a scale — as JSON within the model.

| kind       | a value is                                  | has steps | encoded                |
| ---------- | ------------------------------------------- | --------- | ---------------------- |
| `text`     | a string: words, characters or byte pairs   | yes       | ids (T,) or (T, 1 + C) |
| `symbols`  | a list of strings: tokens, tags             | yes       | ids (T,) or (T, 1 + C) |
| `series`   | numbers over time, one or several columns   | yes       | floats (T, I)          |
| `frames`   | pictures over time                          | yes       | floats (T, C, H, W)    |
| `audio`    | a sound                                     | yes       | floats (T, I)          |
| `roll`     | a piano roll                                | yes       | floats (T, 88)         |
| `category` | one of a few names                          | no        | id ()                  |
| `labels`   | any of a few names                          | no        | zeros and ones (n,)    |
| `number`   | a number                                    | no        | floats (1,)            |
| `record`   | several numbers and categories              | no        | floats (n,)            |
| `image`    | a picture                                   | no        | floats (C, H, W)       |
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from elman.errors import DataError, OptionError, unknown
from elman.plugins import Registry


class Encoding(NamedTuple):
    """What an encoded value holds, of one step where it has steps: all that a network must know.

    Columns stand in this order: numbers, ids, then the characters of a word.
    """

    numbers: int = 0
    """Columns that are numbers."""
    ids: tuple[int, ...] = ()
    """Columns that are ids, as the size of each one's vocabulary; id 0 is unknown or missing."""
    characters: tuple[int, int] | None = None
    """Size of the vocabulary of characters and columns a word, ids where 0 is padding."""
    picture: tuple[int, int, int] | None = None
    """Channels, height and width of a picture; there are no columns then."""


class SeriesInput(NamedTuple):
    """A value that a page draws as lines: (T,) or (T, k)."""

    values: ArrayLike


class ImageInput(NamedTuple):
    """A value that a page shows as a picture: (H, W) or (H, W, 3), uint8."""

    pixels: ArrayLike


class Feature(ABC):
    """A kind of column. Options are arguments of its constructor, and part of its JSON.

    What the rest of Elman must know of a kind are traits of its class, so that nobody asks for a
    kind by its name.
    """

    kind: ClassVar[str]
    has_steps: ClassVar[bool]
    """Whether a value is a sequence, whose first axis is time."""
    plural: ClassVar[str]
    """What values are, in words: `lists of symbols`."""
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})
    """What may follow the kind after a colon, and the options that it is short for."""
    objectives: ClassVar[tuple[str, ...]] = ()
    """Objectives that suit it as a target, the default first; none where it is an input alone."""
    target_variant: ClassVar[str] = ""
    """The kind with the variant that a target must have; empty where any will do."""
    next_objective: ClassVar[str | None] = None
    """The objective that predicts its next step; None where no next step can be sampled."""
    predicts_names: ClassVar[bool] = False
    """Whether predictions are names of a fixed set, which all parts may have to be asked for."""
    is_class: ClassVar[bool] = False
    """Whether a value is exactly one name, a class, of which every part should have its share."""
    writable: ClassVar[bool] = False
    """Whether a network can write it: its steps are tokens, each with a name."""
    is_text: ClassVar[bool] = False
    """Whether a value is a string of running text."""
    reads_files: ClassVar[bool] = False
    """Whether a value may be the path of a file."""
    says_little: ClassVar[bool] = False
    """Whether, as the input of a network that writes, it leaves many outputs equally right."""
    is_picture: ClassVar[bool] = False
    """Whether several rows may hold the same value, each with a target of its own: captions."""
    notes: list[str]
    """What `fit` assumed or left out, a sentence each; no part of the JSON."""

    @property
    @abstractmethod
    def encoding(self) -> Encoding:
        """What an encoded value holds; known once fitted."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What a value is, in words: `characters`, `one of 2 labels`; known once fitted."""

    @abstractmethod
    def fit(self, values: Iterable[Any]) -> Self:
        """Learn from the training part's values.

        Each value is checked before the next one is asked for, so that a caller who hands them
        out one by one knows the place of the one that was refused.

        Raises:
            DataError: there is no value, or one cannot be taken.
        """

    @abstractmethod
    def encode(self, value: Any) -> Tensor:
        """Turn a value into a tensor.

        Raises:
            DataError: the value cannot be taken; the caller knows file, row and column, and says
                them before this message.
        """

    @abstractmethod
    def decode(self, encoded: Tensor) -> Any:
        """Turn a tensor back into a value."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Describe options and what was learned in JSON values, `kind` among them."""

    @classmethod
    @abstractmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Restore a fitted feature.

        Raises:
            DataError: the state is malformed.
        """

    @property
    def spelled(self) -> bool:
        """Whether its steps are characters."""
        return False

    @property
    def joined(self) -> bool:
        """Whether a token may continue the one before it without a space."""
        return False

    @property
    def drops_case(self) -> bool:
        """Whether what is written is in small letters alone, so that case cannot be right."""
        return False

    @property
    def has_words(self) -> bool:
        """Whether what is written is text of words, measured as such, not by edits."""
        return self.is_text and not self.spelled

    @property
    def reads_as_texts(self) -> bool:
        """Whether its names may be texts that were meant to be written."""
        return False

    @classmethod
    def check_target(cls, options: Mapping[str, Any]) -> None:  # noqa: ARG003 - a kind may ask
        """Refuse to be a target with these options.

        Raises:
            OptionError: the kind cannot be predicted, or not so.
        """
        if not cls.objectives:
            classes = [feature_class(kind) for kind in KINDS]
            targets = [each.target_variant or each.kind for each in classes if each.objectives]
            raise OptionError(
                f"kind {cls.kind!r} can be an input and not a target. Kinds of targets: "
                f"{', '.join(targets)}."
            )

    def ids(self, value: Any) -> list[int]:
        """List the ids of the names that a value holds, where predictions are names."""
        return [int(index) for index in self.encode(value).reshape(-1)]

    def tokens(self, encoded: Tensor) -> list[str]:
        """Name the steps of an encoded value; steps without a name are numbered from 1."""
        if not self.writable:
            return [str(step) for step in range(1, len(encoded) + 1)]
        decoded = [self.decode(encoded[step : step + 1]) for step in range(len(encoded))]
        return [each if isinstance(each, str) else " ".join(each) for each in decoded]

    def as_given(self, value: Any) -> Any:
        """Return a target as the data has it, where it is written: its symbols, a list.

        Symbols that a network cannot write stay, and count as mistakes.
        """
        return [str(symbol) for symbol in (value.split() if isinstance(value, str) else value)]

    def beginning(self) -> Tensor:
        """Return what stands before the first token that is generated: the commonest token."""
        return torch.tensor([1])

    def unknown_in(self, value: Any) -> int:
        """Count the steps of a value that were not seen in training, and are read as unknown."""
        del value
        return 0

    def shown(self, value: Any) -> str | SeriesInput | ImageInput:
        """Show one value as a page does: text, lines or a picture."""
        if isinstance(value, list | tuple):
            return " ".join(map(str, value))
        return str(value)


class _BuiltIn(Mapping[str, type[Any]]):
    """Kind → its class, imported when first asked for."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def __getitem__(self, kind: str) -> type[Any]:
        module, name = self._places[kind].split(":")
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _what_is_wrong(name: str, entry: Any) -> str | None:
    if not (isinstance(entry, type) and issubclass(entry, Feature)):
        return "must be a subclass of elman.features.feature.Feature"
    return None if entry.kind == name else f"is a feature of another kind, {entry.kind!r}"


KINDS: Registry[type[Any]] = Registry(
    "elman.features",
    _BuiltIn(
        {
            "audio": "elman.features.audio:AudioFeature",
            "category": "elman.features.category:CategoryFeature",
            "frames": "elman.features.image:FramesFeature",
            "image": "elman.features.image:ImageFeature",
            "labels": "elman.features.labels:LabelsFeature",
            "number": "elman.features.number:NumberFeature",
            "record": "elman.features.record:RecordFeature",
            "roll": "elman.features.roll:RollFeature",
            "series": "elman.features.series:SeriesFeature",
            "symbols": "elman.features.symbols:SymbolsFeature",
            "text": "elman.features.text:TextFeature",
        }
    ),
    _what_is_wrong,
)
"""Kind → its class; kinds of other packages, too."""

_OF_TASKS = _BuiltIn({"forecast": "elman.features.forecast:ForecastFeature"})
"""Kinds that no column is said to be of: a task makes them of several."""


def feature_class(kind: str) -> type[Any]:
    """Return the class of a kind of feature.

    Raises:
        OptionError: there is no such kind; a near miss is offered.
        PluginError: the kind is of another package, and cannot be used.
    """
    if kind not in KINDS:
        raise unknown("kind of column", kind, KINDS)
    return KINDS[kind]


def feature_from_json(state: Mapping[str, Any]) -> Any:
    """Restore a fitted feature of any kind.

    Raises:
        DataError: the state is malformed.
    """
    kind = state.get("kind")
    if not isinstance(kind, str) or not (kind in _OF_TASKS or kind in KINDS):
        raise DataError(f"a feature's state must say its kind, got {kind!r}.")
    return (_OF_TASKS[kind] if kind in _OF_TASKS else KINDS[kind]).from_json(state)
