"""The interface of every kind of column: how values become tensors, and tensors values again.

A feature is fitted on the training rows only, encodes one value at a time, and saves what it has
learned (a vocabulary, a scale) as JSON in the model.

| kind       | a value is                                  | has steps | encoded                |
| ---------- | ------------------------------------------- | --------- | ---------------------- |
| `text`     | a string: words, characters or byte pairs   | yes       | ids (T,) or (T, 1 + C) |
| `symbols`  | a list of strings: tokens, tags             | yes       | ids (T,) or (T, 1 + C) |
| `series`   | numbers over time, one or several columns   | yes       | floats (T, I)          |
| `frames`   | pictures over time                          | yes       | floats (T, C, H, W)    |
| `audio`    | a sound                                     | yes       | floats (T, I)          |
| `roll`     | a piano roll                                | yes       | floats (T, 88)         |
| `category` | one of a fixed set of classes               | no        | id ()                  |
| `labels`   | any number of a fixed set of labels         | no        | zeros and ones (n,)    |
| `number`   | a number                                    | no        | floats (1,)            |
| `date`     | a date, with or without a time of day       | no        | floats (n,)            |
| `record`   | several numbers and categories              | no        | floats (n,)            |
| `image`    | a picture                                   | no        | floats (C, H, W)       |

Three more are made of several columns, and never said of one: `aligned`, columns with the same
steps side by side; `mixture`, sequences and what is beside them; and `context`, several columns
without steps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from elman.errors import OptionError
from elman.features.checks import blank
from elman.features.places import Places
from elman.features.vocabulary import Vocabulary


class Encoding(NamedTuple):
    """The layout of an encoded value, or of each of its steps: all that a network needs to know.

    Columns have this order: numbers, ids, then the characters of a word, then its code points.
    """

    numbers: int = 0
    """Number of numeric columns."""
    ids: tuple[int, ...] = ()
    """Vocabulary size of each id column; id 0 is unknown or missing."""
    characters: tuple[int, int] | None = None
    """Size of the character vocabulary and columns a word; id 0 is padding."""
    picture: tuple[int, int, int] | None = None
    """Channels, height and width of a picture, which has no columns."""
    subwords: tuple[int, int] | None = None
    """Buckets of the n-grams of a word, and columns of its code points; 0 is padding."""

    @property
    def columns(self) -> int:
        """Number of columns."""
        per_word = sum(each[1] for each in (self.characters, self.subwords) if each)
        return self.numbers + len(self.ids) + per_word


class Encodings(NamedTuple):
    """The layout of a value of several parts, one tensor each: sequences, then the others."""

    sequences: tuple[Encoding, ...] = ()
    """Of each sequence, the main one first."""
    context: tuple[Encoding, ...] = ()
    """Of each part without steps."""
    alike: tuple[int, ...] = ()
    """Number of the first sequence that each has its kind and vocabulary in common with."""


class SeriesInput(NamedTuple):
    """A value that a page draws as lines: (T,) or (T, k)."""

    values: ArrayLike


class ImageInput(NamedTuple):
    """A value that a page shows as a picture: (H, W) or (H, W, 3), uint8."""

    pixels: ArrayLike


class Feature(ABC):
    """A kind of column. Its options are arguments of its constructor and part of its JSON.

    The class attributes are the traits of a kind, so that no other code asks for a kind's name.
    """

    kind: ClassVar[str]
    has_steps: ClassVar[bool]
    """Whether a value is a sequence, whose first axis is time."""
    plural: ClassVar[str]
    """What values are, in the plural: `lists of symbols`."""
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})
    """Variant, written after the kind and a colon → the options that it stands for."""
    objectives: ClassVar[tuple[str, ...]] = ()
    """Objectives that suit it as a target, the default first; none if it can only be an input."""
    free_variant: ClassVar[str] = ""
    """Option that a variant gives as it stands, as in `date:%d/%m/%Y`; empty if there is none."""
    target_variant: ClassVar[str] = ""
    """Kind and variant that a target must have; empty if any variant can be a target."""
    next_objective: ClassVar[str | None] = None
    """Objective that predicts its next step; None if no next step can be sampled."""
    predicts_names: ClassVar[bool] = False
    """Whether predictions are names of a fixed set."""
    is_class: ClassVar[bool] = False
    """Whether a value is exactly one class, so that splits can have equal shares of classes."""
    reads_categories: ClassVar[bool] = False
    """Whether, as input, a value may hold categories that `never_learned` finds."""
    writable: ClassVar[bool] = False
    """Whether a network can write it: its steps are tokens with names."""
    of_numbers: ClassVar[bool] = False
    """Whether the cells of its columns are numbers, so that text in them is read as numbers."""
    of_columns: ClassVar[bool] = False
    """Whether it reads columns of several kinds, and finds out which of them are numbers."""
    is_set: ClassVar[bool] = False
    """Whether a list of names has no order, so that it is no text in a file."""
    is_text: ClassVar[bool] = False
    """Whether a value is a string of running text."""
    reads_files: ClassVar[bool] = False
    """Whether a value may be the path of a file."""
    says_little: ClassVar[bool] = False
    """Whether, as input of a network that writes, it allows many equally correct outputs."""
    is_picture: ClassVar[bool] = False
    """Whether several rows may hold the same value with different targets, such as captions."""
    is_sound: ClassVar[bool] = False
    """Whether its steps are of a sound, so that as a target its energy counts."""
    reads_gaps: ClassVar[bool] = False
    """Whether it is fitted on missing values, too, to encode them as such."""
    parts: tuple[Any, ...] = ()
    """The features that it is made of, with their columns; none where it is one."""
    notes: list[str]
    """What `fit` assumed or left out, one sentence each; not part of the JSON."""

    def about(self, name: str) -> None:
        """Take the name of the column whose values `fit` is given, for its notes and errors."""
        del name

    def lacks(self, value: Any) -> bool:
        """Tell whether a value is missing, and not encoded as such."""
        return blank(value)

    @property
    def main(self) -> Feature:
        """The feature that says how a network reads a value: of several parts, one of these."""
        return self

    def description_of(self, name: str) -> str:
        """Describe a column, of which a feature may read several."""
        del name
        return self.description

    def feature_of(self, name: str) -> Feature:
        """Return the feature that reads a column: itself, or that of a part."""
        del name
        return self

    @property
    @abstractmethod
    def encoding(self) -> Encoding:
        """The layout of an encoded value; known once fitted."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What a value is, in words: `characters`, `one of 2 classes`; known once fitted."""

    @abstractmethod
    def fit(self, values: Iterable[Any]) -> Self:
        """Learn from the training values.

        Each value is checked before the next one is requested, so that a caller who yields them
        one by one knows which one was refused.

        Raises:
            DataError: there is no value, or one is malformed.
        """

    @abstractmethod
    def encode(self, value: Any) -> Tensor:
        """Turn a value into a tensor.

        Raises:
            DataError: the value is malformed; the caller adds file, row and column.
        """

    @abstractmethod
    def decode(self, encoded: Tensor) -> Any:
        """Turn a tensor back into a value that the scores can compare: a number or a name."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Describe kind, options and what was learned in JSON values."""

    @classmethod
    @abstractmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Restore a fitted feature.

        Raises:
            DataError: the state is malformed.
        """

    def kind_of_column(self, name: str) -> str:
        """Return what a page says that a column holds; a feature may read several."""
        del name
        return self.kind

    def reads_numbers(self, name: str) -> bool:
        """Tell whether the cells of a column are read as numbers, and not as they are written."""
        del name
        return self.of_numbers

    def column_has_steps(self, name: str) -> bool:
        """Tell whether the cells of a column are sequences; a feature may read several columns."""
        del name
        return self.has_steps

    @property
    def scaled_numbers(self) -> int:
        """How many columns of a step, its first, are numbers on a scale, which may be augmented.

        Marks of missing values are none. 0 where values are not numbers over time.
        """
        return 0

    def places_of(self, name: str) -> Places:
        """Say where in an encoded value a column is; known once fitted.

        Raises:
            OptionError: the feature reads several columns and does not say.
        """
        if len(getattr(self, "columns", ())) > 1:
            raise OptionError(
                f"kind {self.kind!r} does not say where in an encoded value column {name!r} is; "
                "it needs a method places_of."
            )
        return Places()

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
        """Whether written text is lower case only, so that scores must ignore case."""
        return False

    @property
    def has_words(self) -> bool:
        """Whether written text consists of words, so that scores compare words, not characters."""
        return self.is_text and not self.spelled

    @property
    def reads_as_texts(self) -> bool:
        """Whether its classes look like texts that were meant to be written."""
        return False

    @classmethod
    def check_target(cls, options: Mapping[str, Any]) -> None:  # noqa: ARG003 - a kind may ask
        """Check that the kind can be a target with these options.

        Raises:
            OptionError: the kind cannot be predicted, or not with these options.
        """
        from elman.features.kinds import KINDS, feature_class  # which knows this class

        if not cls.objectives:
            classes = [feature_class(kind) for kind in KINDS]
            targets = [each.target_variant or each.kind for each in classes if each.objectives]
            raise OptionError(
                f"kind {cls.kind!r} can only be an input, not a target. Kinds of targets: "
                f"{', '.join(targets)}."
            )

    def ids(self, value: Any) -> list[int]:
        """List the ids of a value's names, if predictions are names."""
        return [int(index) for index in self.encode(value).reshape(-1)]

    def names_in(self, value: Any) -> list[Any]:
        """List the names that a value holds, learned or not, if predictions are names.

        Raises:
            DataError: the value is malformed.
        """
        return list(value) if isinstance(value, list | tuple) else [value]

    def learned(self) -> list[Any]:
        """List the names that a training row has, if predictions are names."""
        return list(getattr(self, "names", ()))

    def mark_never_learned(self, ids: Collection[int]) -> None:
        """Note that no training row has the names of these ids, but only rows of other parts."""
        del ids

    def never_learned(self, value: Any) -> Mapping[int, Any]:
        """Find categories in an input that no training row has, which are read as unknown.

        Args:
            value: of one column; or a list of cells, one a column.

        Returns:
            Place of the column → its name.
        """
        del value
        return {}

    def read_as_mean(self, value: Any) -> list[int]:
        """List the places of missing numbers that no training row lacks, read as their mean."""
        del value
        return []

    def tokens(self, encoded: Tensor) -> list[str]:
        """Name the steps of an encoded value; steps without names are numbered from 1."""
        if not self.writable:
            return [str(step) for step in range(1, len(encoded) + 1)]
        decoded = [self.decode(encoded[step : step + 1]) for step in range(len(encoded))]
        return [each if isinstance(each, str) else " ".join(each) for each in decoded]

    @classmethod
    def seen_in(cls, values: Sequence[Any]) -> dict[str, Any]:
        """Return the options that a sample of values shows, where the kind was given alone."""
        del values
        return {}

    def as_in_data(self, value: Any) -> Any:
        """Return a decoded prediction in the form that values of the column have."""
        return value

    def as_in_file(self, value: Any) -> Any:
        """Return a decoded prediction in the form that it has in a file of predictions."""
        return self.as_in_data(value)

    def as_given(self, value: Any) -> Any:
        """Return a target, or what was written for it, as a list of symbols, for scoring.

        Symbols are strings, whatever their type in the data. Those that a network cannot write
        stay, and count as errors.
        """
        return [str(symbol) for symbol in (value.split() if isinstance(value, str) else value)]

    def beginning(self) -> Tensor:
        """Return the token before the first generated one: the most frequent token."""
        return torch.tensor([1])

    def unknown_in(self, value: Any) -> int:
        """Count the steps of a value that do not occur in training and are read as unknown."""
        del value
        return 0

    def shown(self, value: Any) -> str | SeriesInput | ImageInput:
        """Return a value as a page shows it: text, lines or a picture."""
        if isinstance(value, list | tuple):
            return " ".join(map(str, value))
        return str(value)


def without_counts(vocabulary: Vocabulary, ids: Collection[int]) -> Vocabulary:
    """Return a vocabulary in which the names of some ids count as seen in no training row."""
    first = int(vocabulary.unknown)
    counts = [0 if n in ids else count for n, count in enumerate(vocabulary.counts, first)]
    return Vocabulary(vocabulary.names, counts, unknown=vocabulary.unknown)
