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
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol, Self

from torch import Tensor

from elman.errors import DataError, unknown


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


class Feature(Protocol):
    """A kind of column. Options are arguments of its constructor, and part of its JSON."""

    kind: ClassVar[str]
    has_steps: ClassVar[bool]
    """Whether a value is a sequence, whose first axis is time."""

    @property
    def notes(self) -> list[str]:
        """What `fit` assumed or left out, a sentence each; no part of the JSON."""

    @property
    def encoding(self) -> Encoding:
        """What an encoded value holds; known once fitted."""

    @property
    def description(self) -> str:
        """What a value is, in words: `characters`, `one of 2 labels`; known once fitted."""

    def fit(self, values: Iterable[Any]) -> Self:
        """Learn from the training part's values.

        Each value is checked before the next one is asked for, so that a caller who hands them
        out one by one knows the place of the one that was refused.

        Raises:
            DataError: there is no value, or one cannot be taken.
        """

    def encode(self, value: Any) -> Tensor:
        """Turn a value into a tensor.

        Raises:
            DataError: the value cannot be taken; the caller knows file, row and column, and says
                them before this message.
        """

    def decode(self, encoded: Tensor) -> Any:
        """Turn a tensor back into a value."""

    def to_json(self) -> dict[str, Any]:
        """Describe options and what was learned in JSON values, `kind` among them."""

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Restore a fitted feature.

        Raises:
            DataError: the state is malformed.
        """


KINDS: Mapping[str, str] = MappingProxyType(
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
)
"""Kind → where its class is; imported when first asked for."""

_OF_TASKS: Mapping[str, str] = MappingProxyType(
    {"forecast": "elman.features.forecast:ForecastFeature"}
)
"""Kinds that no column is said to be of: a task makes them of several."""


def feature_class(kind: str) -> type[Any]:
    """Return the class of a kind of feature.

    Raises:
        OptionError: there is no such kind; a near miss is offered.
    """
    if kind not in KINDS:
        raise unknown("kind of column", kind, KINDS)
    return _imported(KINDS[kind])


def feature_from_json(state: Mapping[str, Any]) -> Any:
    """Restore a fitted feature of any kind.

    Raises:
        DataError: the state is malformed.
    """
    places = {**KINDS, **_OF_TASKS}
    if not isinstance(state.get("kind"), str) or state["kind"] not in places:
        raise DataError(f"a feature's state must say its kind, got {state.get('kind')!r}.")
    return _imported(places[state["kind"]]).from_json(state)


def _imported(place: str) -> type[Any]:
    """Import a class from MODULE:NAME."""
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
