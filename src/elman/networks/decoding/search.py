"""Beam search, batched over the rows of a batch and their hypotheses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from elman.networks.decoding.constraints import Constraints
from elman.networks.decoding.hypotheses import Outcomes, highest, normalised
from elman.networks.decoding.options import DecodingOptions
from elman.networks.decoding.step import Step, select_rows


def beam_search(
    step: Step,
    state: Any,
    first: Tensor,
    constraints: Constraints,
    options: DecodingOptions,
    outcomes: Outcomes,
) -> None:
    """Search for the likeliest sequences of every row.

    A row of the batch has k = `options.beam_size` places. In each step all continuations of its
    live hypotheses compete, by log-probability, for the places that are left; among equals the
    hypothesis that stood first wins, then the lower id. One that writes the end keeps its place
    and is followed no further, so that the beam narrows as hypotheses finish. After `max_length`
    symbols a last step sees whose end would win a place; the others stay unfinished, as does one
    that nothing may follow.

    The search of a row ends when nothing lives in it, or when nothing that lives can still come
    before its n-th best finished hypothesis, n = `options.n_best`. A log-probability only falls,
    and no sequence has more than `max_length` symbols and an end, so that a live hypothesis with
    log-probability s reaches at most

        s / (max_length + 1)^α

    under every way of going on. Thus what is returned is what would be without this rule.

    All live hypotheses of all rows are one batch of the step, (N,), and no others.

    Args:
        step: of the network.
        state: to begin from, B rows.
        first: what stands before the first symbol, (B,).
        constraints: of what may follow.
        options: of the beam.
        outcomes: takes in the hypotheses.

    Source: Sutskever et al. 2014, arXiv:1409.3215, section 3.2, where too what has ended leaves
    the beam; Huang et al. 2017, arXiv:1809.00069, on ends that lose nothing.
    """
    beams = _Beams(len(first), constraints, options, outcomes)
    ids = first
    steps = options.max_length if constraints.end is None else options.max_length + 1
    for _ in range(steps):
        if not beams.alive:
            return
        logits, state = step(ids, state)
        log_p = constraints.log_probabilities(logits, beams.rows[beams.owner], beams.history)
        gains, symbols = highest(log_p, options.beam_size)
        parents = beams.advance(gains.cpu().double(), symbols.cpu()).to(first.device)
        if beams.alive:
            state = select_rows(state, parents)
            ids = beams.history[:, -1].to(first.device)
    beams.give_up()


class _Beams:
    """The live hypotheses of all rows, and how many places their rows have left.

    Attributes:
        rows: of the batch whose search goes on, (A,).
        places: that each of them has left, (A,).
        finished: the n best scores among what each of them has finished, descending, (A, n).
        owner: which of the A each live hypothesis is of, ascending, (N,).
        slot: its place among those of its owner, best first, (N,).
        total: its log-probability, (N,), float64.
        history: what it has written, (N, U).
    """

    def __init__(
        self,
        rows: int,
        constraints: Constraints,
        options: DecodingOptions,
        outcomes: Outcomes,
    ) -> None:
        self._end, self._max_length = constraints.end, constraints.max_length
        self._options = options
        self._outcomes = outcomes
        self.rows = torch.arange(rows)
        self.places = torch.full((rows,), options.beam_size)
        self.finished = torch.full((rows, options.n_best), -torch.inf, dtype=torch.float64)
        self.owner = torch.arange(rows)
        self.slot = torch.zeros(rows, dtype=torch.int64)
        self.total = torch.zeros(rows, dtype=torch.float64)
        self.history = torch.empty(rows, 0, dtype=torch.int64)

    @property
    def alive(self) -> bool:
        """Whether anything is left to be continued."""
        return len(self.owner) > 0

    def advance(self, gains: Tensor, symbols: Tensor) -> Tensor:
        """Let the continuations compete for the places, and put away what has ended.

        Args:
            gains: log-probability of the likeliest symbols after each hypothesis, descending,
                (N, M), float64.
            symbols: their ids, (N, M).

        Returns:
            Which hypothesis each one now alive goes on from, (N′,).
        """
        stuck = gains[:, 0] == -torch.inf
        self._put_away(stuck.nonzero().flatten(), self.total[stuck], finished=False)
        totals, parents, symbols = self._compete(self.total[:, None] + gains, symbols)
        kept = totals > -torch.inf
        ended = kept & (symbols == self._end) if self._end is not None else torch.zeros_like(kept)
        full = self.history.size(1) == self._max_length
        if full:  # there is room for an end alone
            unfinished = ~stuck
            unfinished[parents[ended]] = False
            at = unfinished.nonzero().flatten()
            self._put_away(at, self.total[at], finished=False)
        self._put_away(parents[ended], totals[ended], finished=True)
        self._remember(totals.where(ended, -torch.inf))
        alive = torch.zeros_like(kept) if full else kept & ~ended
        return self._go_on(totals.where(alive, -torch.inf), parents, symbols)

    def _compete(self, totals: Tensor, symbols: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the places that each row has left to the likeliest continuations.

        Args:
            totals: log-probability of every continuation, (N, M).
            symbols: what each goes on with, (N, M).

        Returns:
            For every place, best first, the log-probability of what takes it, −∞ of an empty one;
            the hypothesis it goes on from; the symbol it goes on with, (A, k) each.
        """
        size, beam = totals.size(1), self._options.beam_size
        board = torch.full((len(self.rows), beam, size), -torch.inf, dtype=totals.dtype)
        board[self.owner, self.slot] = totals
        ranked, order = board.flatten(1).sort(dim=1, descending=True, stable=True)
        ranked, order = ranked[:, :beam], order[:, :beam]
        ranked = ranked.where(torch.arange(beam) < self.places[:, None], -torch.inf)
        hypothesis = torch.zeros(len(self.rows), beam, dtype=torch.int64)
        hypothesis[self.owner, self.slot] = torch.arange(len(self.owner))
        parents = hypothesis.gather(1, order // size)
        return ranked, parents, symbols[parents, order % size]

    def _put_away(self, hypotheses: Tensor, totals: Tensor, *, finished: bool) -> None:
        """Hand on what has ended; it keeps its place."""
        owners = self.owner[hypotheses]
        self._outcomes.add(self.rows[owners], self.history[hypotheses], totals, finished=finished)
        self.places -= owners.bincount(minlength=len(self.rows))

    def _remember(self, totals: Tensor) -> None:
        """Keep the n best scores among those known and those of what has just ended, (A, k)."""
        scores = normalised(totals, self.history.size(1) + 1, self._options.length_penalty)
        known = torch.cat([self.finished, scores], 1)
        self.finished = known.topk(self._options.n_best, dim=1).values

    def _go_on(self, totals: Tensor, parents: Tensor, symbols: Tensor) -> Tensor:
        """Keep what lives of the rows whose search goes on; −∞ stands for an empty place."""
        penalty = self._options.length_penalty
        reach = normalised(totals.amax(1), self._max_length + 1, penalty)
        going = self.finished[:, -1] < reach  # never where nothing lives: its reach is −∞
        owners, slots = ((totals > -torch.inf) & going[:, None]).nonzero(as_tuple=True)
        chosen = parents[owners, slots]
        self.history = torch.cat([self.history[chosen], symbols[owners, slots][:, None]], 1)
        self.total = totals[owners, slots]
        self.owner, self.slot = (going.cumsum(0) - 1)[owners], slots
        self.rows, self.places = self.rows[going], self.places[going]
        self.finished = self.finished[going]
        return chosen

    def give_up(self) -> None:
        """Hand on what lives as unfinished."""
        self._put_away(torch.arange(len(self.owner)), self.total, finished=False)
