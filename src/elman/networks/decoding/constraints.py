"""Constraints on the next symbol: prefixes, lengths, repeats and banned symbols."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.errors import DataError, OptionError, ShapeError
from elman.layers.state import described
from elman.networks.decoding.options import DecodingOptions


class Constraints:
    """Excludes the symbols that must not follow, without changing log p of the others.

    Attributes:
        end: the id that ends a row; None for none.
        max_length: greatest number of symbols in a row.
    """

    def __init__(
        self,
        options: DecodingOptions,
        rows: int,
        *,
        end: int | None,
        prefixes: Sequence[Tensor] | None = None,
    ) -> None:
        """Combine the options with the prefixes of the rows.

        Args:
            options: the decoding options.
            rows: B.
            end: the id that ends a row; None for none.
            prefixes: ids that each row begins with, B tensors (P,), int64; empty ones are allowed.

        Raises:
            OptionError: a prefix has invalid ids or more than `max_length`, or an option has no
                meaning without an end.
            ShapeError: there is not one prefix a row, or one has the wrong axes.
        """
        if end is None and options.min_length:
            raise OptionError(
                f"min_length={options.min_length} delays the end of a sequence, and this network "
                "predicts no end; give max_length alone."
            )
        if end is not None and end in options.banned_ids:
            raise OptionError(f"banned_ids must not contain the end, {end}: no row would ever end.")
        self.end = end
        self.max_length = options.max_length
        self._options = options
        self._prefixes = _checked_prefixes(prefixes, rows, end, options.max_length)

    def log_probabilities(self, logits: Tensor, rows: Tensor, history: Tensor) -> Tensor:
        """Return the log-probability of every symbol that may follow, and −∞ for the others.

        Args:
            logits: (N, V), not changed.
            rows: the batch row of each hypothesis, (N,), on the CPU.
            history: the symbols of each hypothesis so far, (N, U), on the CPU.

        Returns:
            (N, V), float32 or float64.

        Raises:
            ShapeError: the logits have the wrong axes.
            DataError: the logits are NaN or infinite.
            OptionError: an id that is banned, forced or the end is not below V, or a prefix is
                impossible.
        """
        if logits.dim() != 2 or len(logits) != len(rows):
            raise ShapeError(
                f"a step must return logits (N, V) with N = {len(rows)}, got {described(logits)}."
            )
        if history.size(1) == 0:
            self._check_ids(logits.size(1))
        exact = torch.float64 if logits.dtype == torch.float64 else torch.float32
        scores = logits.log_softmax(-1, dtype=exact)
        if bool(scores[:, 0].isnan().any()):  # one NaN or ∞ makes the whole row NaN
            raise DataError(
                f"the network's scores of symbol {history.size(1) + 1} are NaN or infinite; its "
                "weights have most likely diverged in training."
            )
        forced, ids = self._forced(rows, history.size(1))
        kept = scores[forced, ids]
        self._ban(scores, history)
        if len(forced):
            self._check_possible(kept, rows[forced], ids)
            scores[forced] = -torch.inf
            scores[forced, ids] = kept
        return scores

    def _forced(self, rows: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Return which hypotheses still follow their prefix, and its next symbols, (F,) each."""
        if step >= self._prefixes.size(1):
            return torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.int64)
        ids = self._prefixes[rows, step]
        forced = (ids >= 0).nonzero().flatten()
        return forced, ids[forced]

    def _ban(self, scores: Tensor, history: Tensor) -> None:
        """Set the scores of symbols that must not follow to −∞."""
        scores[:, list(self._options.banned_ids)] = -torch.inf
        if self.end is not None and history.size(1) < self._options.min_length:
            scores[:, self.end] = -torch.inf
        if size := self._options.no_repeat_ngram_size:
            rows, ids = completing_repeats(history, size)
            scores[rows, ids] = -torch.inf

    def _check_ids(self, size: int) -> None:
        """Refuse ids that are not among the V = `size` symbols of the network."""
        ids_by_name = {
            "every id in banned_ids": torch.tensor(self._options.banned_ids),
            "every id of a prefix": self._prefixes,
            "end": torch.tensor([] if self.end is None else [self.end]),
        }
        for name, ids in ids_by_name.items():
            if ids.numel() and int(ids.max()) >= size:
                raise OptionError(
                    f"{name} must be below V = {size}, the number of symbols, got {int(ids.max())}."
                )

    def _check_possible(self, kept: Tensor, rows: Tensor, ids: Tensor) -> None:
        impossible = (kept == -torch.inf).nonzero().flatten().tolist()
        if impossible:
            raise OptionError(
                f"the prefix of row {int(rows[impossible[0]])} continues with id "
                f"{int(ids[impossible[0]])}, which has probability 0; leave it out."
            )


def completing_repeats(history: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Find the symbols that would complete an n-gram that already occurs in the same row.

    Args:
        history: the symbols so far, (N, U).
        size: n.

    Returns:
        Pairs of a row and a symbol that must not follow it, (M,) each.

    Source: Paulus et al. 2018, arXiv:1705.04304, section 2.5, for trigrams.
    """
    length = history.size(1)
    if length < size:
        return history.new_empty(0), history.new_empty(0)
    ngrams = history.unfold(1, size, 1)  # (N, U − n + 1, n)
    begun = history[:, length - size + 1 :].unsqueeze(1)
    rows, positions = (ngrams[..., :-1] == begun).all(-1).nonzero(as_tuple=True)
    return rows, ngrams[rows, positions, -1]


def _checked_prefixes(
    prefixes: Sequence[Tensor] | None, rows: int, end: int | None, max_length: int
) -> Tensor:
    """Stack the prefixes, padded with −1, (B, P)."""
    if prefixes is None:
        return torch.empty(rows, 0, dtype=torch.int64)
    if len(prefixes) != rows:
        raise ShapeError(f"prefixes must be one a row, B = {rows}, got {len(prefixes)}.")
    for row, prefix in enumerate(prefixes):
        if prefix.dim() != 1:
            raise ShapeError(f"the prefix of row {row} must be (P,), got {described(prefix)}.")
        if prefix.is_floating_point() or bool((prefix < 0).any()):
            raise OptionError(f"the prefix of row {row} must hold ids of at least 0, got {prefix}.")
        if end is not None and bool((prefix == end).any()):
            raise OptionError(f"the prefix of row {row} contains the end, {end}; leave it out.")
        if len(prefix) > max_length:
            raise OptionError(
                f"the prefix of row {row} has {len(prefix)} symbols and max_length allows "
                f"{max_length}; increase max_length or shorten the prefix."
            )
    if not prefixes:
        return torch.empty(0, 0, dtype=torch.int64)
    return pad_sequence(list(prefixes), batch_first=True, padding_value=-1).cpu().long()
