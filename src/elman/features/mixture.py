"""Columns of several kinds together: texts beside categories beside numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor

from elman.errors import OptionError
from elman.features.feature import Encoding, Encodings
from elman.features.parts import Part, PartsFeature
from elman.features.places import Places
from elman.features.state import malformed


class _SeparateParts(PartsFeature):
    """Columns of which each part is encoded by itself."""

    def encode(self, value: Any) -> Any:
        """Turn the cells of a row into a tuple of tensors, one a part.

        Raises:
            DataError: a cell is malformed; its column is named.
        """
        return tuple(self.encoded(part, value) for part in self.parts)

    def decode(self, encoded: Any) -> list[Any]:
        """Return the cells of encoded parts, one a column."""
        return self.decoded(encoded)

    def places_of(self, name: str) -> Places:
        """Say in which part a column is, and where in it."""
        number = next(k for k, part in enumerate(self.parts) if name in part.columns)
        within: Places = self.parts[number].feature.places_of(name)
        return within._replace(part=number)


class ContextFeature(_SeparateParts):
    """Several columns without steps, such as numbers and categories beside labels or a picture.

    A row is encoded as a tuple of tensors, one a part. All numbers and categories are one part, a
    record.

    Args:
        parts: features without steps.

    Raises:
        OptionError: a part has steps, or there is none.
    """

    kind: ClassVar[str] = "context"
    has_steps: ClassVar[bool] = False
    plural: ClassVar[str] = "rows of several kinds of columns"

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__(parts)
        for part in self.parts:
            if part.has_steps:
                raise OptionError(f"{part.name} has steps, and a context has none; use a mixture.")

    @property
    def encoding(self) -> Any:
        """The encodings of all parts."""
        return Encodings((), tuple(part.feature.encoding for part in self.parts))


class MixtureFeature(_SeparateParts):
    """Sequences, each with steps of its own, and columns without steps beside them.

    A row is encoded as a tuple of tensors, one a part: first the sequences, of which the first is
    the main one, then the columns without steps.

    Args:
        parts: at least one feature with steps; those with steps first.

    Raises:
        OptionError: there is no sequence, or a part without steps comes before one with steps.
    """

    kind: ClassVar[str] = "mixture"
    has_steps: ClassVar[bool] = True
    plural: ClassVar[str] = "columns of several kinds"
    entries: ClassVar[Mapping[str, type]] = MappingProxyType({"parts": list, "alike": list})

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__(parts)
        order = [part.has_steps for part in self.parts]
        if not order[0] or order != sorted(order, reverse=True):
            raise OptionError("parts must begin with those that have steps, at least one.")

    @property
    def sequences(self) -> tuple[Part, ...]:
        """The parts with steps."""
        return tuple(part for part in self.parts if part.has_steps)

    @property
    def encoding(self) -> Any:
        """The encodings of the sequences, and of the other parts."""
        cut = len(self.sequences)
        encodings: list[Encoding] = [part.feature.encoding for part in self.parts]
        return Encodings(tuple(encodings[:cut]), tuple(encodings[cut:]), self.alike)

    @property
    def alike(self) -> tuple[int, ...]:
        """Number of the first sequence that each sequence has its feature in common with."""
        first: dict[int, int] = {}
        return tuple(
            first.setdefault(id(part.feature), place) for place, part in enumerate(self.sequences)
        )

    @property
    def writable(self) -> bool:  # type: ignore[override]
        """Whether the steps of the main sequence have names."""
        return self.main.writable

    def led_by(self, part: Part) -> MixtureFeature:
        """Return the same feature with another main sequence."""
        return MixtureFeature([part, *(each for each in self.parts if each is not part)])

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        state = super().to_json()
        state["learned"]["alike"] = list(self.alike)
        return state

    @classmethod
    def restored(cls, learned: Mapping[str, Any]) -> list[Part]:
        """Restore the parts; sequences that had their feature in common have it again.

        Raises:
            DataError: the state of a part is malformed, or sequences are alike that are not.
        """
        parts = super().restored(learned)
        alike, count = learned["alike"], sum(part.has_steps for part in parts)
        if len(alike) != count:
            raise malformed(cls.kind, f"it must say which of its {count} sequences are alike")
        for place, like in enumerate(alike):
            states = [learned["parts"][k]["feature"] for k in (place, like) if k in range(count)]
            if len(states) < 2 or alike[like] != like or states[0] != states[1]:
                raise malformed(cls.kind, f"sequence {place} cannot be like sequence {like!r}")
            parts[place] = replace(parts[place], feature=parts[like].feature)
        return parts

    def tokens(self, encoded: Tensor) -> list[str]:
        """Name the steps of the main sequence."""
        named: list[str] = self.parts[0].feature.tokens(encoded)
        return named
