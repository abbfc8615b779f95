"""How inputs lie in a batch: one tensor, or one for each part of several columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.errors import ShapeError

Form = tuple[Any, ...]
"""What all examples have in common: types, and all sizes but the lengths."""


class PartsInput(NamedTuple):
    """Rows of several parts, side by side."""

    parts: tuple[Tensor, ...]
    """(T, B, …) for each sequence, the main one first, then (B, …) for each part without steps."""
    lengths: tuple[Tensor, ...]
    """Real steps of each row in each sequence, (B,), int64."""

    @property
    def sequences(self) -> tuple[Tensor, ...]:
        """The parts with steps."""
        return self.parts[: len(self.lengths)]

    @property
    def context(self) -> tuple[Tensor, ...]:
        """The parts without steps."""
        return self.parts[len(self.lengths) :]

    @property
    def rows(self) -> int:
        """B."""
        return self.parts[0].size(1) if self.lengths else self.parts[0].size(0)

    def to(self, device: torch.device | str) -> PartsInput:
        """Return the same on a device."""
        return PartsInput(
            tuple(part.to(device) for part in self.parts),
            tuple(steps.to(device) for steps in self.lengths),
        )

    def select(self, rows: Tensor | Sequence[int] | slice) -> PartsInput:
        """Return some of the rows."""
        cut = len(self.lengths)
        sequences = tuple(part[:, rows] for part in self.parts[:cut])
        context = tuple(part[rows] for part in self.parts[cut:])
        return PartsInput(sequences + context, tuple(steps[rows] for steps in self.lengths))

    def cut(self, start: int, stop: int) -> PartsInput:
        """Return some of the main sequence's steps, with all of the other parts."""
        main, *others = self.parts
        steps, *lengths = self.lengths
        most = max(0, min(stop, len(main)) - start)
        inside = (steps - start).clamp(0, most)
        return PartsInput((main[start:stop], *others), (inside, *lengths))


Input = Tensor | PartsInput
"""The input of a batch."""


def cut_steps(x: Any, start: int, stop: int) -> Any:
    """Return some steps of a batch's input: of its main sequence, where there are several parts."""
    return x.cut(start, stop) if isinstance(x, PartsInput) else x[start:stop]


def main_part(x: Any) -> Tensor:
    """Return the input of a batch, or its main part."""
    part: Tensor = x.parts[0] if isinstance(x, PartsInput) else x
    return part


def rows_of(x: Any) -> int:
    """Count the rows of an input without steps."""
    return x.rows if isinstance(x, PartsInput) else len(x)


def selected_rows(x: Any, rows: Any, *, has_steps: bool) -> Any:
    """Return some rows of a batch's input."""
    if isinstance(x, PartsInput):
        return x.select(rows)
    return x[:, rows] if has_steps else x[rows]


class InputLayout(Protocol):
    """What the inputs of examples are, and how they lie in a batch."""

    @property
    def has_steps(self) -> bool:
        """Whether there is an axis of time."""

    def steps(self, x: Any) -> int:
        """Count the steps of an example's input; 1 where it has none."""

    def form(self, x: Any) -> Form:
        """Return types, and all sizes but the lengths.

        Raises:
            ShapeError: the input has no axis of time where it must have one.
        """

    def collate(self, inputs: Sequence[Any]) -> Any:
        """Put inputs side by side, padding the shorter ones with zeros."""

    def chunks(self, x: Any, count: int) -> list[Any]:
        """Cut an input into a number of chunks of its steps, as even as possible."""


@dataclass(frozen=True)
class OneInput:
    """Inputs of one tensor each, (T, …), or (…) where there is no time."""

    has_steps: bool = True

    def steps(self, x: Tensor) -> int:
        """Count the steps."""
        return len(x) if self.has_steps else 1

    def form(self, x: Tensor) -> Form:
        """Return sizes and type."""
        if self.has_steps and x.ndim == 0:
            raise ShapeError("an example's input must be (T, …), time first, got a single number.")
        return ("T", *x.shape[1:]) if self.has_steps else tuple(x.shape), x.dtype

    def collate(self, inputs: Sequence[Tensor]) -> Tensor:
        """Put inputs side by side, (T, B, …) with T at least 1, or (B, …)."""
        if not self.has_steps:
            return torch.stack(list(inputs))
        padded = pad_sequence(list(inputs))
        return padded if len(padded) else padded.new_zeros(1, *padded.shape[1:])

    def chunks(self, x: Tensor, count: int) -> list[Tensor]:
        """Cut an input in time."""
        return list(torch.tensor_split(x, count))


STEPS = OneInput()
"""Inputs of one tensor each, with an axis of time."""


@dataclass(frozen=True)
class SeveralInputs:
    """Inputs of a tuple of tensors each: sequences, then the parts without steps.

    Attributes:
        sequences: number of the sequences; the steps of an example are those of the first.
    """

    sequences: int

    @property
    def has_steps(self) -> bool:
        """Whether there is a sequence."""
        return self.sequences > 0

    def steps(self, x: Sequence[Tensor]) -> int:
        """Count the steps of the main sequence."""
        return len(x[0]) if self.sequences else 1

    def form(self, x: Sequence[Tensor]) -> Form:
        """Return sizes and types of all parts."""
        return tuple(
            OneInput(place < self.sequences).form(part) for place, part in enumerate(x)
        ), len(x)

    def collate(self, inputs: Sequence[Sequence[Tensor]]) -> PartsInput:
        """Put each part side by side."""
        parts = list(zip(*inputs, strict=True))
        return PartsInput(
            tuple(OneInput(k < self.sequences).collate(part) for k, part in enumerate(parts)),
            tuple(torch.tensor([len(x) for x in part]) for part in parts[: self.sequences]),
        )

    def chunks(self, x: Sequence[Tensor], count: int) -> list[tuple[Tensor, ...]]:
        """Cut the main sequence in time; each chunk has all of the other parts."""
        return [(part, *x[1:]) for part in torch.tensor_split(x[0], count)]
