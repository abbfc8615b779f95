"""Several columns with the same steps, side by side: tokens and their parts of speech."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from elman.errors import DataError, OptionError, counted
from elman.features.checks import blank
from elman.features.feature import Encoding
from elman.features.parts import Part, PartsFeature
from elman.features.places import Places


class AlignedFeature(PartsFeature):
    """Several columns whose cells have the same steps, read together at each step.

    The columns of an encoded step are the numbers of all parts, then their ids, then the
    characters of the one part that has them. Ids are floats where there are numbers. A missing
    cell is unknown, or 0, at every step of the others.

    Args:
        parts: features with steps, one a column.

    Raises:
        OptionError: a part has no steps, reads pictures, or there is none.

    >>> from elman.features.symbols import SymbolsFeature
    >>> parts = [Part((name,), SymbolsFeature()) for name in ("token", "tag")]
    >>> aligned = AlignedFeature(parts).fit([[["He", "ran"], ["PRP", "VBD"]]])
    >>> aligned.encoding.ids, aligned.encode([["ran"], ["VBD"]]).tolist()
    ((3, 3), [[2, 2]])
    """

    kind: ClassVar[str] = "aligned"
    has_steps: ClassVar[bool] = True
    plural: ClassVar[str] = "columns with the same steps"

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__(parts)
        for part in self.parts:
            if not part.has_steps:
                raise OptionError(
                    f"{part.name} has no steps, so it cannot be read beside others at each step."
                )

    @property
    def writable(self) -> bool:  # type: ignore[override]
        """Whether the steps of the first part have names."""
        return self.main.writable

    @property
    def encoding(self) -> Encoding:
        """The numbers of all parts, their ids, and the characters of one.

        Raises:
            OptionError: two parts read the characters of words, or one reads pictures or pieces of
                words.
        """
        each = [part.feature.encoding for part in self.parts]
        if any(one.subwords for one in each):
            raise OptionError(
                f"of {', '.join(self.columns)}, read side by side, none can have the vectors of "
                "its subwords; say subwords = 0 in data.columns (characters = true gives one of "
                "them the characters of its words), or leave the others out (data.ignore)."
            )
        characters = [one.characters for one in each if one.characters is not None]
        if len(characters) > 1 or any(one.picture is not None for one in each):
            raise OptionError(
                f"of {', '.join(self.columns)}, read side by side, only one can have the "
                "characters of its words, and none pictures; give one of them characters = false "
                "in data.columns, or leave it out (data.ignore)."
            )
        return Encoding(
            numbers=sum(one.numbers for one in each),
            ids=tuple(size for one in each for size in one.ids),
            characters=characters[0] if characters else None,
        )

    def encode(self, value: Any) -> Tensor:
        """Turn the cells of a row into (T, columns), float32 or, without numbers, int64.

        Raises:
            DataError: a cell is malformed, or two have unequal steps.
        """
        read: list[Tensor | None] = []
        for part in self.parts:
            missing = blank(self.of_part(part, value))
            read.append(None if missing else self.encoded(part, value))
        steps = [
            (part.name, len(x)) for part, x in zip(self.parts, read, strict=True) if x is not None
        ]
        for name, count in steps[1:]:
            if count != steps[0][1]:
                raise DataError(
                    f"{steps[0][0]} has {counted(steps[0][1], 'step')} and {name} {count}, and "
                    "columns that are read side by side must have equally many. Correct the row; "
                    "or, if their steps do not belong together, say --set side_by_side=false "
                    "(data.side_by_side)."
                )
        return self._side_by_side(read, steps[0][1] if steps else 0)

    def _side_by_side(self, read: Sequence[Tensor | None], steps: int) -> Tensor:
        """Concatenate encoded parts; what is missing is zeros."""
        numbers, ids, characters = list[Tensor](), list[Tensor](), list[Tensor]()
        for part, x in zip(self.parts, read, strict=True):
            own: Encoding = part.feature.encoding
            widths = own.numbers, len(own.ids), own.characters[1] if own.characters else 0
            columns = (
                torch.zeros(steps, sum(widths)) if x is None else x.reshape(steps, sum(widths))
            )
            for group, cut in zip(
                (numbers, ids, characters), columns.split(widths, 1), strict=True
            ):
                group.append(cut)
        dtype = torch.float32 if self.encoding.numbers else torch.int64
        return torch.cat([cut.to(dtype) for cut in (*numbers, *ids, *characters)], 1)

    def places_of(self, name: str) -> Places:
        """Say where the numbers, the id or the characters of a column are."""
        together = self.encoding
        first = 0, together.numbers, together.numbers + len(together.ids)
        places: list[int] = []
        for part in self.parts:
            own: Encoding = part.feature.encoding
            widths = own.numbers, len(own.ids), own.characters[1] if own.characters else 0
            if name in part.columns:
                places += [
                    place
                    for begin, width in zip(first, widths, strict=True)
                    for place in range(begin, begin + width)
                ]
                break
            first = first[0] + widths[0], first[1] + widths[1], first[2]
        return Places(tuple(places))

    def decode(self, encoded: Tensor) -> list[Any]:
        """Return the cells of encoded steps, one a part."""
        cells: list[Any] = []
        numbers, ids = 0, self.encoding.numbers
        for part in self.parts:
            own: Encoding = part.feature.encoding
            cut = [
                encoded[:, numbers : numbers + own.numbers],
                encoded[:, ids : ids + len(own.ids)],
            ]
            numbers, ids = numbers + own.numbers, ids + len(own.ids)
            lone = not own.numbers and len(own.ids) == 1
            cells.append(part.feature.decode(cut[1][:, 0].long() if lone else torch.cat(cut, 1)))
        return cells

    def tokens(self, encoded: Tensor) -> list[str]:
        """Name the steps as the first part does."""
        if self.main.encoding.numbers:
            return super().tokens(encoded)
        return self.main.tokens(encoded[:, self.encoding.numbers].long())
