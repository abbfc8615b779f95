"""What may follow what was written: prefixes, lengths, repeats and banned symbols."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.errors import DataError, OptionError, ShapeError
from elman.layers.state import described
from elman.networks.decoding.options import DecodingOptions


class Constraints:
    """Takes the symbols that must not follow out of the choice, and leaves log p as it is.

    Attributes:
        end: the id that ends a row; None where nothing does.
        max_length: greatest number of symbols a row.
    """

    def __init__(
        self,
        options: DecodingOptions,
        rows: int,
        *,
        end: int | None,
        prefixes: Sequence[Tensor] | None = None,
    ) -> None:
        """Join what the options ask with what each row must begin with.

        Args:
            options: of the decoding.
            rows: B.
            end: the id that ends a row; None where nothing does.
            prefixes: ids that each row begins with, B tensors (P,), int64; empty ones are allowed.

        Raises:
            OptionError: a prefix holds no ids, or more than `max_length` allows, or an option has
                no meaning without an end.
            ShapeError: there are not as many prefixes as rows, or one has other axes.
        """
        if end is None and options.min_length:
            raise OptionError(
                f"min_length={options.min_length} keeps the end from coming early, and this "
                "network writes no end; give max_length alone."
            )
        if end is not None and end in options.banned_ids:
            raise OptionError(f"banned_ids must not hold the end, {end}: no row would ever end.")
        self.end = end
        self.max_length = options.max_length
        self._options = options
        self._prefixes = _checked_prefixes(prefixes, rows, end, options.max_length)

    def log_probabilities(self, logits: Tensor, rows: Tensor, history: Tensor) -> Tensor:
        """Return the log-probability of every symbol that may follow; −∞ of the others.

        Args:
            logits: (N, V), left as they are.
            rows: which row of the batch each is of, (N,), on the CPU.
            history: what each has written, (N, U), on the CPU.

        Returns:
            (N, V), float32 or float64.

        Raises:
            ShapeError: the logits have other axes.
            DataError: they are no numbers.
            OptionError: an id that is banned, forced or the end is none of the V, or a prefix is
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
        if bool(scores[:, 0].isnan().any()):  # one NaN or ∞ makes all of a row NaN
            raise DataError(
                f"the network's scores of symbol {history.size(1) + 1} are no numbers (NaN or ∞); "
                "its weights have most likely diverged in training."
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
        """Return which of the rows still follow their prefix, and with which symbol, (F,) each."""
        if step >= self._prefixes.size(1):
            return torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.int64)
        ids = self._prefixes[rows, step]
        forced = (ids >= 0).nonzero().flatten()
        return forced, ids[forced]

    def _ban(self, scores: Tensor, history: Tensor) -> None:
        """Write −∞ over what must not follow."""
        scores[:, list(self._options.banned_ids)] = -torch.inf
        if self.end is not None and history.size(1) < self._options.min_length:
            scores[:, self.end] = -torch.inf
        if size := self._options.no_repeat_ngram_size:
            rows, ids = completing_repeats(history, size)
            scores[rows, ids] = -torch.inf

    def _check_ids(self, size: int) -> None:
        """Refuse ids that are none of the V = `size` symbols of the network."""
        named = {"every id in banned_ids": torch.tensor(self._options.banned_ids)}
        named["every id of a prefix"] = self._prefixes
        named["end"] = torch.tensor([] if self.end is None else [self.end])
        for name, ids in named.items():
            if ids.numel() and int(ids.max()) >= size:
                raise OptionError(
                    f"{name} must be below V = {size}, the symbols of the network, "
                    f"got {int(ids.max())}."
                )

    def _check_possible(self, kept: Tensor, rows: Tensor, ids: Tensor) -> None:
        impossible = (kept == -torch.inf).nonzero().flatten().tolist()
        if impossible:
            raise OptionError(
                f"the prefix of row {int(rows[impossible[0]])} goes on with id "
                f"{int(ids[impossible[0]])}, whose probability the network says is 0; leave it out."
            )


def completing_repeats(history: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Find what would complete an n-gram that stands in the same row already.

    Args:
        history: what was written, (N, U).
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
    rows, places = (ngrams[..., :-1] == begun).all(-1).nonzero(as_tuple=True)
    return rows, ngrams[rows, places, -1]


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
            raise OptionError(f"the prefix of row {row} must hold ids from 0 up, got {prefix}.")
        if end is not None and bool((prefix == end).any()):
            raise OptionError(f"the prefix of row {row} holds the end, {end}: nothing follows it.")
        if len(prefix) > max_length:
            raise OptionError(
                f"the prefix of row {row} has {len(prefix)} symbols and max_length allows "
                f"{max_length}; give a greater max_length or a shorter prefix."
            )
    if not prefixes:
        return torch.empty(0, 0, dtype=torch.int64)
    return pad_sequence(list(prefixes), batch_first=True, padding_value=-1).cpu().long()
