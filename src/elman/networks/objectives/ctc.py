"""A sequence of symbols shorter than the input, aligned with it only in order."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from elman.batches.batching import Targets
from elman.errors import DataError, OptionError, ShapeError
from elman.layers.options import checked_size
from elman.layers.state import described
from elman.networks.objectives.objective import Objective
from elman.networks.objectives.steps import checked_steps, cut_rows, without_padding


class CTC(Objective):
    """Connectionist temporal classification: n symbols and a blank at every step.

        p(y | x) = Σ_π Πₜ p(t, π(t)),   over all π(1) … π(T) that collapse to y

    A path collapses to y by merging its repeats and then removing its blanks. The blank is the
    last output, n, so that symbols keep their ids. The loss is the mean of − log p(y | x) over the
    rows, in nats.

    Source: Graves et al. 2006, doi:10.1145/1143844.1143891.
    """

    name: ClassVar[str] = "ctc"
    per_step: ClassVar[bool] = True
    targets: ClassVar[Targets] = "sequence"
    score_kind: ClassVar[str] = "transcription"
    loss_unit: ClassVar[str] = "nats per row"

    def __init__(self, size: int, *, beam_width: int = 16) -> None:
        """Set the number of symbols and the beam width.

        Args:
            size: n, the number of symbols; the network has one output more.
            beam_width: prefixes kept in `answers`; 0 decodes the best path, which is faster and
                may miss the most likely sequence.

        Raises:
            OptionError: n is not a size, or the width is not a whole number of at least 0.
        """
        super().__init__()
        self.output_size = checked_size("size", size) + 1
        if isinstance(beam_width, bool) or not isinstance(beam_width, int) or beam_width < 0:
            raise OptionError(
                f"beam_width must be a whole number of at least 0, got {beam_width!r}."
            )
        self.beam_width = beam_width

    @property
    def blank(self) -> int:
        """The id of the blank: n."""
        return self.output_size - 1

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean negative log-likelihood per row, in nats.

        Args:
            outputs: (T, B, n + 1).
            target: ids of symbols, (S, B), padded with −1.
            lengths: real steps of each row, (B,).

        Raises:
            ShapeError: the axes do not fit.
            DataError: a row has too few steps for its symbols: each takes a step, and so does the
                blank between two equal ones.
        """
        lengths = checked_steps(outputs, lengths, self.output_size)
        symbols = self._checked_symbols(target, outputs)
        sizes = (symbols >= 0).sum(0)
        self._check_steps(symbols, sizes, lengths)
        rows = lengths > 0  # rows without steps have no symbols, and a loss of 0
        if not bool(rows.any()):
            return without_padding(outputs, lengths).sum()
        log_probabilities = without_padding(outputs, lengths)[:, rows].log_softmax(-1)
        nll = F.ctc_loss(
            log_probabilities,
            symbols[:, rows].clamp(min=0).t(),
            lengths[rows],
            sizes[rows],
            blank=self.blank,
            reduction="sum",
        )
        mean: Tensor = nll / len(lengths)
        return mean

    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return each row's symbols, ids, (S,): the most likely sequence that the search finds."""
        lengths = checked_steps(outputs, lengths, self.output_size)
        return [self._decode(row) for row in cut_rows(outputs.detach(), lengths)]

    def probabilities(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return the probability of every symbol and, last, the blank, (T, n + 1) a row."""
        lengths = checked_steps(outputs, lengths, self.output_size)
        return cut_rows(outputs.softmax(-1), lengths)

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name and options."""
        return {"name": self.name, "size": self.blank, "beam_width": self.beam_width}

    def _decode(self, outputs: Tensor) -> Tensor:
        if self.beam_width == 0:
            return best_path(outputs, self.blank)
        log_probabilities = outputs.double().log_softmax(-1).cpu().numpy()
        symbols, _ = prefix_beam_search(log_probabilities, self.blank, self.beam_width)
        return torch.tensor(symbols, dtype=torch.int64, device=outputs.device)

    def _checked_symbols(self, target: Tensor, outputs: Tensor) -> Tensor:
        if target.dim() != 2 or target.size(1) != outputs.size(1):
            raise ShapeError(
                f"target must be (S, B) with B = {outputs.size(1)}, padded with −1, "
                f"got {described(target)}."
            )
        if target.is_floating_point():
            raise OptionError(f"target must hold ids, int64, got {target.dtype}.")
        if bool((target >= self.blank).any()):
            raise OptionError(
                f"target must hold ids below n = {self.blank}, got {int(target.max())}."
            )
        # PyTorch's loss needs a column even where no row has a symbol.
        padded: Tensor = F.pad(target, (0, 0, 0, 1), value=-1)
        return padded

    def _check_steps(self, symbols: Tensor, sizes: Tensor, lengths: Tensor) -> None:
        repeated = ((symbols[1:] == symbols[:-1]) & (symbols[1:] >= 0)).sum(0)
        short = (lengths < sizes + repeated).nonzero().flatten()
        if short.numel():
            row = int(short[0])
            raise DataError(
                f"row {row} of the batch has {int(lengths[row])} steps, and its {int(sizes[row])} "
                f"symbols, {int(repeated[row])} of them equal to the one before, need "
                f"{int(sizes[row] + repeated[row])}; leave such rows out, or use shorter steps."
            )


def best_path(outputs: Tensor, blank: int) -> Tensor:
    """Collapse the most likely output of every step.

    Args:
        outputs: scores or probabilities, (T, n + 1).
        blank: the id of the blank.

    Returns:
        Ids of symbols, (S,).
    """
    merged: Tensor = outputs.argmax(-1).unique_consecutive()
    return merged[merged != blank]


def prefix_beam_search(
    log_probabilities: NDArray[np.floating[Any]], blank: int, width: int
) -> tuple[list[int], float]:
    """Search for the most likely sequence, summing the paths that collapse to each.

    A prefix has two sums: of the paths that end with a blank and of those that end with its last
    symbol, because only the former can add that symbol again.

    Args:
        log_probabilities: log-probability of every output at every step, (T, n + 1).
        blank: the id of the blank.
        width: prefixes kept after every step; with all of them the search is exact.

    Returns:
        The sequence, and the logarithm of its sum.

    Source: Graves 2012, "Supervised Sequence Labelling with Recurrent Neural Networks", §7.5;
    Hannun et al. 2014, arXiv:1408.2873, algorithm 1, without a language model.
    """
    never = -math.inf
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, never)}
    for step in log_probabilities.tolist():
        grown: dict[tuple[int, ...], tuple[float, float]] = {}
        for prefix, (with_blank, with_symbol) in beam.items():
            either = _log_add(with_blank, with_symbol)
            last = prefix[-1] if prefix else blank
            repeat = with_symbol + step[last] if prefix else never
            _gain(grown, prefix, either + step[blank], repeat)
            for symbol, log_probability in enumerate(step):
                if symbol != blank:
                    before = with_blank if symbol == last else either
                    _gain(grown, (*prefix, symbol), never, before + log_probability)
        kept = sorted(grown.items(), key=lambda item: _log_add(*item[1]), reverse=True)[:width]
        beam = dict(kept)
    best, sums = max(beam.items(), key=lambda item: _log_add(*item[1]))
    return list(best), _log_add(*sums)


def _gain(
    beam: dict[tuple[int, ...], tuple[float, float]],
    prefix: tuple[int, ...],
    with_blank: float,
    with_symbol: float,
) -> None:
    """Add the probability of further paths to a prefix."""
    old = beam.get(prefix, (-math.inf, -math.inf))
    beam[prefix] = (_log_add(old[0], with_blank), _log_add(old[1], with_symbol))


def _log_add(a: float, b: float) -> float:
    """Return log(eᵃ + eᵇ)."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))
