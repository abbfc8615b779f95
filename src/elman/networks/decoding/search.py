"""Beam search, batched over rows and their hypotheses."""

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
    live hypotheses compete, by log-probability, for the remaining places; among equals the
    higher-ranked hypothesis wins, then the lower id. A hypothesis that predicts the end keeps its
    place and is not continued, so that the beam narrows as hypotheses finish. After `max_length`
    symbols a last step decides whose end wins a place; the others stay unfinished, as does a
    hypothesis that no symbol may follow.

    The search of a row stops when it has no live hypothesis, or when no live one can still be
    ranked above its n-th best finished hypothesis, n = `options.n_best`. A log-probability only
    falls, and no sequence has more than `max_length` symbols and an end, so that a live
    hypothesis with log-probability s reaches at most

        s / (max_length + 1)^α

    however it continues. Thus the result is the same as without this rule.

    The batch of a step, (N,), is all live hypotheses of all rows.

    Args:
        step: one step of the network.
        state: the initial state, B rows.
        first: the id before the first symbol, (B,).
        constraints: constraints on the next symbol.
        options: the decoding options.
        outcomes: collects the hypotheses.

    Source: Sutskever et al. 2014, arXiv:1409.3215, section 3.2, where finished hypotheses also
    leave the beam; Huang et al. 2017, arXiv:1809.00069, on optimal stopping.
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
    """The live hypotheses of all rows, and the remaining places of their rows.

    Attributes:
        rows: batch rows whose search continues, (A,).
        places: remaining places of each of them, (A,).
        finished: the n best scores of its finished hypotheses, descending, (A, n).
        owner: index among the A rows of each live hypothesis, ascending, (N,).
        slot: its rank among those of its owner, best first, (N,).
        total: its log-probability, (N,), float64.
        history: its symbols so far, (N, U).
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
        """Whether any hypothesis is left to continue."""
        return len(self.owner) > 0

    def advance(self, gains: Tensor, symbols: Tensor) -> Tensor:
        """Assign the places to the best continuations, and collect those that have ended.

        Args:
            gains: log-probability of the likeliest symbols after each hypothesis, descending,
                (N, M), float64.
            symbols: their ids, (N, M).

        Returns:
            The parent of each hypothesis that is now alive, (N′,).
        """
        stuck = gains[:, 0] == -torch.inf
        self._collect(stuck.nonzero().flatten(), self.total[stuck], finished=False)
        totals, parents, symbols = self._compete(self.total[:, None] + gains, symbols)
        kept = totals > -torch.inf
        ended = kept & (symbols == self._end) if self._end is not None else torch.zeros_like(kept)
        full = self.history.size(1) == self._max_length
        if full:  # only the end may still follow
            unfinished = ~stuck
            unfinished[parents[ended]] = False
            index = unfinished.nonzero().flatten()
            self._collect(index, self.total[index], finished=False)
        self._collect(parents[ended], totals[ended], finished=True)
        self._update_finished(totals.where(ended, -torch.inf))
        alive = torch.zeros_like(kept) if full else kept & ~ended
        return self._continue(totals.where(alive, -torch.inf), parents, symbols)

    def _compete(self, totals: Tensor, symbols: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Assign the remaining places of each row to the likeliest continuations.

        Args:
            totals: log-probability of every continuation, (N, M).
            symbols: symbol of every continuation, (N, M).

        Returns:
            For every place, best first, the log-probability of its continuation, −∞ where it is
            empty; the parent hypothesis; and the symbol, (A, k) each.
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

    def _collect(self, hypotheses: Tensor, totals: Tensor, *, finished: bool) -> None:
        """Pass hypotheses that have ended to the outcomes; each keeps its place."""
        owners = self.owner[hypotheses]
        self._outcomes.add(self.rows[owners], self.history[hypotheses], totals, finished=finished)
        self.places -= owners.bincount(minlength=len(self.rows))

    def _update_finished(self, totals: Tensor) -> None:
        """Update the n best finished scores with those that have just ended, (A, k)."""
        scores = normalised(totals, self.history.size(1) + 1, self._options.length_penalty)
        candidates = torch.cat([self.finished, scores], 1)
        self.finished = candidates.topk(self._options.n_best, dim=1).values

    def _continue(self, totals: Tensor, parents: Tensor, symbols: Tensor) -> Tensor:
        """Keep the live hypotheses of rows whose search continues; −∞ marks an empty place."""
        penalty = self._options.length_penalty
        bound = normalised(totals.amax(1), self._max_length + 1, penalty)
        going = self.finished[:, -1] < bound  # false without live hypotheses: the bound is −∞
        owners, slots = ((totals > -torch.inf) & going[:, None]).nonzero(as_tuple=True)
        chosen = parents[owners, slots]
        self.history = torch.cat([self.history[chosen], symbols[owners, slots][:, None]], 1)
        self.total = totals[owners, slots]
        self.owner, self.slot = (going.cumsum(0) - 1)[owners], slots
        self.rows, self.places = self.rows[going], self.places[going]
        self.finished = self.finished[going]
        return chosen

    def give_up(self) -> None:
        """Collect the live hypotheses as unfinished."""
        self._collect(torch.arange(len(self.owner)), self.total, finished=False)
