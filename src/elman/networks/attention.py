"""Attention of a decoder's steps to the real steps of an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from elman.errors import OptionError, ShapeError, unknown
from elman.experiment.decoder import AttentionKind
from elman.layers.options import checked_size
from elman.layers.state import described
from elman.sequence.ragged import checked_lengths, has_padding, real_steps

ATTENTIONS: tuple[str, ...] = get_args(AttentionKind)
"""Names of the ways to score a source step."""
_LARGEST_BLOCK = 1 << 24
"""Values of tanh that additive attention keeps at once: 64 MiB in float32."""


class Memory(NamedTuple):
    """The steps of a source that are attended to, prepared once for all steps of the decoder.

    The batch is axis 1 of every part.
    """

    values: Tensor
    """The encoder's output at each step, (S, B, M); zeros in the padding"""
    keys: Tensor
    """The vectors that queries are compared with, (S, B, A)"""
    real: Tensor | None
    """Which steps are not padding, (S, B) bool; None where all are real"""
    rows: Tensor | None = None
    """The source row that each row of the queries attends to, (N,); None for its own, N = B"""

    def select_rows(self, index: Tensor) -> Memory:
        """Return the memory for other query rows, index (N,); hypotheses of one source share it.

        Nothing is copied until half of the sources are no longer attended to.
        """
        rows = index if self.rows is None else self.rows[index]
        used = rows.unique()
        if 2 * len(used) > self.values.size(1):
            return self._replace(rows=rows)
        values = self.values.index_select(1, used)
        keys = values if self.keys is self.values else self.keys.index_select(1, used)
        real = None if self.real is None else self.real.index_select(1, used)
        return Memory(values, keys, real, torch.searchsorted(used, rows))


class Attention(nn.Module):
    """A mean over the steps of the source, weighted by their relevance to a step of the decoder.

        e(t, s) = h(t)ᵀ m(s)                              dot
        e(t, s) = h(t)ᵀ W m(s)                            general
        e(t, s) = vᵀ tanh(W h(t) + U m(s))                additive
        α(t, s) = exp e(t, s) / Σₖ exp e(t, k)            over the real steps of the source
        c(t)    = Σₛ α(t, s) m(s)

    h(t) is the query, m(s) the encoder's output at step s. The weights of a row sum to one; a row
    whose source has no steps gets zeros. All steps of the decoder are one product; additive
    attention processes them in blocks and recomputes a block's tanh for its gradient, so that its
    memory does not grow with the decoder's steps.

    Source: dot, general: Luong et al. 2015, arXiv:1508.04025, §3.1; additive: Bahdanau et al. 2015,
    arXiv:1409.0473, §3.1. There the query is the decoder's state before the step; here, as in
    Luong et al., the state after it.

    >>> import torch
    >>> attention = Attention("general", query_size=5, memory_size=4)
    >>> memory = attention.read(torch.randn(7, 2, 4), lengths=[7, 3])
    >>> contexts, weights = attention(torch.randn(6, 2, 5), memory)
    >>> contexts.shape, weights.shape
    (torch.Size([6, 2, 4]), torch.Size([6, 2, 7]))
    """

    def __init__(
        self,
        kind: str,
        query_size: int,
        memory_size: int,
        *,
        size: int | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        """Initialise the weights, where the kind has any.

        Args:
            kind: dot, general or additive.
            query_size: H, size of the decoder's vectors.
            memory_size: M, size of the encoder's vectors.
            size: A, units of additive attention; None for H.
            device: device of the parameters.

        Raises:
            OptionError: the kind is unknown, a size is invalid, a dot product has different
                sizes, or `size` is given to a kind that has none.
        """
        super().__init__()
        if kind not in ATTENTIONS:
            raise unknown("attention", kind, ATTENTIONS)
        self.kind = kind
        self.query_size = checked_size("query_size", query_size)
        self.memory_size = checked_size("memory_size", memory_size)
        if kind == "dot" and query_size != memory_size:
            raise OptionError(
                "attention='dot' needs vectors of equal size, got "
                f"{query_size} for the decoder and {memory_size} for the encoder; use "
                "attention='general'."
            )
        if kind != "additive" and size is not None:
            raise OptionError(f"attention={kind!r} has no size, got size={size}; leave it out.")
        if kind == "general":
            self.key = nn.Linear(memory_size, query_size, bias=False, device=device)
        if kind == "additive":
            units = query_size if size is None else checked_size("size", size)
            self.key = nn.Linear(memory_size, units, bias=False, device=device)
            self.query = nn.Linear(query_size, units, bias=False, device=device)
            self.energy = nn.Linear(units, 1, bias=False, device=device)

    def read(self, values: Tensor, lengths: Tensor | Sequence[int] | None = None) -> Memory:
        """Prepare a source for attention.

        Args:
            values: m, (S, B, M).
            lengths: real steps of each row, (B,), 0 … S; padding is never read. None where all
                are real.

        Raises:
            ShapeError: the values have the wrong axes, or there is not one length a row.
            OptionError: a length lies outside 0 … S.
        """
        if values.dim() != 3 or values.size(-1) != self.memory_size:
            raise ShapeError(
                f"values must be (S, B, M) with M = {self.memory_size}, got {described(values)}."
            )
        real = None
        if lengths is not None:
            rows = checked_lengths(lengths, values)
            if has_padding(rows, len(values)):
                real = real_steps(rows, len(values))
                values = values.where(real.unsqueeze(-1), 0)
        return Memory(values, values if self.kind == "dot" else self.key(values), real)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Attend to a source with all steps of the decoder at once.

        Args:
            queries: h, (U, B, H), or (U, N, H) where the memory has `rows`.
            memory: from `read`.

        Returns:
            The contexts c, (U, B, M), and the weights α, (U, B, S), zero in the padding.

        Raises:
            ShapeError: the queries have the wrong axes, or not the rows of the memory.
        """
        rows = memory.values.size(1) if memory.rows is None else len(memory.rows)
        if queries.dim() != 3 or tuple(queries.shape[1:]) != (rows, self.query_size):
            raise ShapeError(
                f"queries must be (U, B, H) with (B, H) = ({rows}, {self.query_size}), "
                f"got {described(queries)}."
            )
        if memory.rows is not None:
            return self._side_by_side(queries, memory, memory.rows)
        weights = _softmax(self._energies(queries, memory.keys), memory.real)
        contexts = torch.bmm(weights, memory.values.transpose(0, 1))
        return contexts.transpose(0, 1), weights.transpose(0, 1)

    def _side_by_side(self, queries: Tensor, memory: Memory, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Attend with several query rows a source, arranged as if they were its steps."""
        steps, sources = len(queries), memory.values.size(1)
        order = rows.argsort(stable=True)
        counts = rows.bincount(minlength=sources)
        before = counts.cumsum(0) - counts
        slot = torch.empty_like(rows)
        slot[order] = torch.arange(len(rows), device=rows.device) - before[rows[order]]
        most = int(counts.max()) if len(rows) else 0
        padded = queries.new_zeros(steps, most, sources, self.query_size)
        padded[:, slot, rows] = queries
        attended = self(padded.flatten(0, 1), memory._replace(rows=None))
        contexts, weights = (each.unflatten(0, (steps, most))[:, slot, rows] for each in attended)
        return contexts, weights

    def _energies(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Score every source step for every query, (B, U, S)."""
        if self.kind != "additive":
            return torch.bmm(queries.transpose(0, 1), keys.permute(1, 2, 0))
        queries, keys = self.query(queries), keys.transpose(0, 1)
        steps = max(1, _LARGEST_BLOCK // max(1, keys.numel()))
        if len(queries) <= steps:
            return self._additive(queries, keys).transpose(0, 1)
        blocks = [
            checkpoint(self._additive, block, keys, use_reentrant=False, preserve_rng_state=False)
            for block in queries.split(steps)
        ]
        return torch.cat(blocks).transpose(0, 1)

    def _additive(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return vᵀ tanh(q + k), (U, B, S), of queries (U, B, A) and keys (B, S, A)."""
        energies: Tensor = self.energy((queries.unsqueeze(2) + keys).tanh_())
        return energies.squeeze(-1)

    def extra_repr(self) -> str:
        """Return the kind and the sizes."""
        return f"{self.kind}, query_size={self.query_size}, memory_size={self.memory_size}"


def _softmax(energies: Tensor, real: Tensor | None) -> Tensor:
    """Turn energies, (B, U, S), into weights that are zero in the padding; `real` is (S, B)."""
    if real is None:
        return energies.softmax(-1)
    mask = real.t().unsqueeze(1)
    # Not −∞: the softmax of a row without real steps would be 0/0 and its gradient NaN.
    lowest = torch.finfo(energies.dtype).min
    return energies.masked_fill(~mask, lowest).softmax(-1).where(mask, 0)
