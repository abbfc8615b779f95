"""Sampling the next symbol: temperature, top-k, nucleus."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from elman.networks.decoding.hypotheses import highest

_NUCLEUS = 256
"""Likeliest symbols searched for a nucleus; only rows that need more are sorted completely."""


def distribution(
    log_probabilities: Tensor, temperature: float, top_k: int | None, top_p: float | None
) -> tuple[Tensor, Tensor]:
    """Return the distribution that the next symbol is sampled from.

        p(y)    ∝ exp(log p(y) / temperature)
        top k     the k most likely symbols; among equals the lowest ids
        nucleus   of those the fewest most likely ones with Σ p(y) ≥ top_p

    The remaining probabilities are scaled to sum to one.

    Args:
        log_probabilities: (N, V), −∞ for symbols that must not follow; at least one of a row may.
        temperature: above 0.
        top_k: k; None for V.
        top_p: least probability of the nucleus; None for all.

    Returns:
        Probabilities, float64, and their symbols, (N, K) each, on the CPU; K is what the widest
        row needs.

    Source: Fan et al. 2018, arXiv:1805.04833 (top-k); Holtzman et al. 2020, arXiv:1904.09751
    (nucleus).
    """
    scores = log_probabilities.cpu().double() / temperature
    ids = torch.arange(scores.size(1)).expand_as(scores)
    if top_k is not None:
        scores, ids = highest(scores, top_k)
    if top_p is not None:
        scores, order = nucleus(scores.log_softmax(-1), top_p)
        ids = ids.gather(1, order)
    return scores.softmax(-1), ids


def nucleus(log_probabilities: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """Find the fewest most likely symbols whose probabilities sum to at least p.

    Args:
        log_probabilities: (N, V).
        top_p: p.

    Returns:
        Their log-probabilities, descending, then −∞, and their ids, (N, K) each.
    """
    size = log_probabilities.size(1)
    likely, ids = highest(log_probabilities, _NUCLEUS)
    wide = likely.exp().sum(-1) < top_p
    if bool(wide.any()):
        more = (0, size - likely.size(1))
        likely, ids = F.pad(likely, more, value=-torch.inf), F.pad(ids, more)
        likely[wide], ids[wide] = highest(log_probabilities[wide], size)
    probabilities = likely.exp()
    likelier = probabilities.cumsum(-1) - probabilities
    return likely.masked_fill(likelier >= top_p, -torch.inf), ids


def draw(
    probabilities: Tensor,
    ids: Tensor,
    rows: Tensor,
    generator: torch.Generator | Sequence[torch.Generator],
) -> Tensor:
    """Sample one symbol a row.

    Args:
        probabilities: (N, K), on the CPU.
        ids: their symbols, (N, K).
        rows: the batch row of each, (N,).
        generator: one for all rows, or one for each row of the batch: then the samples of a row do
            not depend on the other rows.

    Returns:
        Ids, (N,).
    """
    if isinstance(generator, torch.Generator):
        index = torch.multinomial(probabilities, 1, generator=generator)
    else:
        # Without the padding up to the widest row, so that the samples do not depend on it.
        widths = ((probabilities > 0) * torch.arange(1, ids.size(1) + 1)).amax(-1).tolist()
        drawn = [
            torch.multinomial(p[:width], 1, generator=generator[row])
            for p, width, row in zip(probabilities, widths, rows.tolist(), strict=True)
        ]
        index = torch.stack(drawn) if drawn else ids.new_empty(0, 1)
    return ids.gather(1, index)[:, 0]
