"""Decoded sequences, scored and ranked."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One decoded sequence.

    Attributes:
        ids: the symbols, including a forced prefix but not the end, (U,), on the CPU.
        log_probability: log p of all of them and, where there is one, of the end, in nats; it is
            the network's own, without temperature and constraints.
        score: the value that ranks hypotheses, see `normalised`.
        finished: whether the end was predicted.
    """

    ids: Tensor
    log_probability: float
    score: float
    finished: bool


def normalised(log_probabilities: Tensor, symbols: int, length_penalty: float) -> Tensor:
    """Return the scores of hypotheses: log p / n^α.

    Args:
        log_probabilities: log p, in nats.
        symbols: n, the number of symbols, the end included; an empty sequence counts as one.
        length_penalty: α.

    Source: Ott et al. 2019, arXiv:1904.01038 (fairseq's `--lenpen`). Wu et al. 2016,
    arXiv:1609.08144, divide by ((5 + n) / 6)^α, which at α = 1 is no mean.
    """
    scores: Tensor = log_probabilities / max(symbols, 1) ** length_penalty
    return scores


class Outcomes:
    """Collects the hypotheses of every row of a batch as they end."""

    def __init__(self, rows: int, length_penalty: float) -> None:
        self._of: list[list[Hypothesis]] = [[] for _ in range(rows)]
        self._length_penalty = length_penalty

    def add(self, rows: Tensor, ids: Tensor, log_probabilities: Tensor, *, finished: bool) -> None:
        """Add hypotheses that ended at the same step.

        Args:
            rows: the batch row of each, (N,).
            ids: (N, U).
            log_probabilities: (N,), including the end where it was predicted.
            finished: whether the end was predicted.
        """
        scores = normalised(log_probabilities, ids.size(1) + finished, self._length_penalty)
        for row, symbols, log_probability, score in zip(
            rows.tolist(), ids, log_probabilities.tolist(), scores.tolist(), strict=True
        ):
            self._of[row].append(Hypothesis(symbols.clone(), log_probability, score, finished))

    def best(self, number: int) -> list[list[Hypothesis]]:
        """Return the best hypotheses of every row, best first.

        Finished ones come before unfinished ones; among equals the one that ended first.
        """

        def rank(hypothesis: Hypothesis) -> tuple[bool, float]:
            return not hypothesis.finished, -hypothesis.score

        return [sorted(hypotheses, key=rank)[:number] for hypotheses in self._of]


def highest(scores: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Find the highest scores of every row; among equals the lowest id comes first.

    Args:
        scores: (N, V).
        number: how many to return; all where there are fewer.

    Returns:
        The scores and their ids, (N, min(number, V)), descending.
    """
    if number == 1:
        values, ids = scores.max(-1, keepdim=True)  # the first of equals, as PyTorch guarantees
        return values, ids
    if number >= scores.size(-1):
        return scores.sort(dim=-1, descending=True, stable=True)
    values, ids = scores.topk(number + 1)  # any order among equals, and any choice of them
    tied = (values[:, -1] == values[:, -2]) & (values[:, -1] > -torch.inf)
    ids, order = ids[:, :-1].sort(dim=-1)
    values, by_score = values.gather(1, order).sort(dim=-1, descending=True, stable=True)
    ids = ids.gather(1, by_score)
    if bool(tied.any()):
        ids[tied] = scores[tied].sort(dim=-1, descending=True, stable=True).indices[:, :number]
    return values, ids
