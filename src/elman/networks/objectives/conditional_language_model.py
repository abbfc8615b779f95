"""The next symbol of a target sequence, given the input and the symbols before it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from elman.batches.batching import Batch, Targets
from elman.errors import DataError, OptionError, ShapeError
from elman.layers.options import checked_probability, checked_size
from elman.layers.state import described
from elman.networks.objectives.base_rates import counts_of, logits_of
from elman.networks.objectives.objective import Objective
from elman.networks.objectives.steps import checked_target, flat_steps
from elman.sequence.ragged import real_steps

_PADDING = -1
"""Padding after the end of a target."""


class TeacherForced(NamedTuple):
    """A target as inputs and targets of a decoder in training (teacher forcing)."""

    read: Tensor
    """Inputs: boundary, y(1), …, y(U), ids, (U + 1, B); the boundary in the padding"""
    written: Tensor
    """Targets: y(1), …, y(U), boundary, (U + 1, B); −1 in the padding"""
    lengths: Tensor
    """Symbols of each row, its boundary included, (B,)"""


class ConditionalLanguageModel(Objective):
    """The symbols of a target sequence one after another, and its end.

        log p(y | x) = Σᵤ log p(y(u) | x, y(1) … y(u−1))           u = 1 … U + 1
        y(0) = y(U + 1) = boundary,   p = softmax of the outputs

    The boundary, id V, comes before the first symbol and ends a row: a network has V + 1 outputs,
    and the symbols keep their ids. The loss is the mean of − log p(y(u) | …) over all symbols,
    boundaries included, in nats; with label smoothing it is the cross-entropy with the smoothed
    target q = (1 − ε) [k = y(u)] + ε / (V + 1).

    Source: Sutskever et al. 2014, arXiv:1409.3215, §2; label smoothing: Szegedy et al. 2016,
    arXiv:1512.00567, §7.
    """

    name: ClassVar[str] = "conditional-language-model"
    per_step: ClassVar[bool] = False
    targets: ClassVar[Targets] = "sequence"
    score_kind: ClassVar[str] = "translation"
    loss_unit: ClassVar[str] = "nats per symbol"

    def __init__(self, size: int, *, label_smoothing: float = 0.0) -> None:
        """Set the vocabulary's size and the smoothing.

        Args:
            size: V, size of the vocabulary, the unknown symbol included.
            label_smoothing: ε, the share of the target that is spread over all outputs.

        Raises:
            OptionError: V is not a size, or ε lies outside [0, 1).
        """
        super().__init__()
        self.output_size = checked_size("size", size) + 1
        self.label_smoothing = checked_probability("label_smoothing", label_smoothing)

    @property
    def boundary(self) -> int:
        """The id before the first symbol and after the last: V."""
        return self.output_size - 1

    def teacher_forced(self, target: Tensor, rows: int) -> TeacherForced:
        """Turn a target into inputs and targets of a decoder.

        Args:
            target: ids below V, (U, B), −1 after each row's end; a row may be empty.
            rows: B.

        Raises:
            ShapeError: the target has the wrong axes.
            OptionError: it is not integer, or an id is not in the vocabulary.
            DataError: a row continues after its end.
        """
        if not isinstance(target, Tensor) or target.dim() != 2 or target.size(1) != rows:
            raise ShapeError(
                f"target must be (U, B) with B = {rows}, padded with −1, got {described(target)}."
            )
        target = checked_target(target, "U, B", tuple(target.shape), ids=True).long()
        symbols = target != _PADDING
        lengths = symbols.sum(0) + 1
        if target.numel():
            lowest, highest = (int(end) for end in target.aminmax())
            if lowest < _PADDING or highest >= self.boundary:
                wrong = lowest if lowest < _PADDING else highest
                raise OptionError(
                    f"target must hold ids in 0 … {self.boundary - 1}, and −1 as padding, "
                    f"got {wrong}."
                )
            broken = (symbols[1:] & ~symbols[:-1]).any(0).nonzero().flatten()
            if broken.numel():
                raise DataError(
                    f"row {int(broken[0])} of the target has symbols after a −1, which may only "
                    "follow a row's end."
                )
        read = F.pad(target.where(symbols, self.boundary), (0, 0, 1, 0), value=self.boundary)
        written = F.pad(target, (0, 0, 0, 1), value=_PADDING)
        ends = torch.arange(len(written), device=target.device).unsqueeze(1) == lengths - 1
        return TeacherForced(read, written.masked_fill(ends, self.boundary), lengths)

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean cross-entropy per symbol, boundaries included, in nats.

        Args:
            outputs: (U + 1, B, V + 1); never read after a row's end.
            target: (U, B), see `teacher_forced`.
            lengths: steps of each row's input, (B,); the target's own lengths follow from its
                padding.

        Raises:
            ShapeError: the axes do not fit.
            OptionError: the target is not integer, or an id is not in the vocabulary.
            DataError: a row continues after its end.
        """
        self._check(outputs, lengths)
        forced = self._of(outputs, target)
        loss: Tensor = F.cross_entropy(
            flat_steps(outputs, forced.lengths),
            flat_steps(forced.written, forced.lengths),
            label_smoothing=self.label_smoothing,
            reduction="sum",
        )
        return loss / forced.lengths.sum().clamp(min=1)

    def weight(self, batch: Batch) -> int:
        """Return the number of symbols of a batch, with one boundary a row."""
        return int((batch.target != _PADDING).sum()) + len(batch.lengths)

    def step_nll(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Return − log p(y(u) | …) in nats, (U + 1, B), without smoothing; zero in the padding.

        Args:
            outputs: (U + 1, B, V + 1).
            target: (U, B), see `teacher_forced`.
        """
        forced = self._of(outputs, target)
        nll = F.cross_entropy(
            flat_steps(outputs, forced.lengths),
            flat_steps(forced.written, forced.lengths),
            reduction="none",
        )
        real = real_steps(forced.lengths, len(outputs))
        return nll.new_zeros(real.shape).masked_scatter(real, nll)

    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return the most likely symbol of every step, up to the first boundary, ids, (U,) a row.

        For a network with feedback these are its next symbols given the true ones before; its own
        predictions come from decoding.
        """
        self._check(outputs, lengths)
        rows = outputs.argmax(-1).t()
        return [row[:size] for row, size in zip(rows, self._sizes(rows), strict=True)]

    def probabilities(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return the probability of every symbol and, last, of the boundary, (U + 1, V + 1) a row.

        The steps are those of `answers` and that of the boundary after them.
        """
        self._check(outputs, lengths)
        rows = outputs.argmax(-1).t()
        likely = outputs.softmax(-1).unbind(1)
        return [row[: size + 1] for row, size in zip(likely, self._sizes(rows), strict=True)]

    def base_rates(self, targets: Iterable[Tensor]) -> Tensor:
        """Return the logits of how often each symbol is right, and of the boundary, (V + 1,)."""
        counts, rows = counts_of(targets, self.output_size)
        counts[self.boundary] = rows
        return logits_of(counts)

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name and options."""
        return {
            "name": self.name,
            "size": self.boundary,
            "label_smoothing": self.label_smoothing,
        }

    def _sizes(self, rows: Tensor) -> list[int]:
        """Count the symbols before the first boundary of each row of ids, (B, U + 1)."""
        before = (rows == self.boundary).cumsum(1) == 0
        sizes: list[int] = before.sum(1).tolist()
        return sizes

    def _of(self, outputs: Tensor, target: Tensor) -> TeacherForced:
        """Check a target, and that the outputs fit it."""
        self._check_outputs(outputs)
        forced = self.teacher_forced(target, outputs.size(1))
        if len(outputs) != len(forced.written):
            raise ShapeError(
                f"outputs must be (U + 1, B, V + 1), one step more than the target's U = "
                f"{len(target)}, got {described(outputs)}."
            )
        return forced

    def _check(self, outputs: Tensor, lengths: Tensor) -> None:
        self._check_outputs(outputs)
        if lengths.shape != outputs.shape[1:2]:
            raise ShapeError(
                f"lengths must be (B,) = ({outputs.size(1)},), one a row, got {described(lengths)}."
            )

    def _check_outputs(self, outputs: Tensor) -> None:
        if outputs.dim() != 3 or outputs.size(-1) != self.output_size or not len(outputs):
            raise ShapeError(
                f"outputs must be (U + 1, B, V + 1) with V + 1 = {self.output_size}, "
                f"got {described(outputs)}."
            )
