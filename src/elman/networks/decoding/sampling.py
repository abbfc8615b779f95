"""Drawing the next symbol: temperature, top-k, nucleus."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from elman.networks.decoding.hypotheses import highest
from elman.networks.decoding.options import DecodingOptions


def distribution(log_probabilities: Tensor, options: DecodingOptions) -> Tensor:
    """Return what the next symbol is drawn from.

        p(y)    ∝ exp(log p(y) / temperature)
        top k     the k most likely symbols; among equals the lowest ids
        nucleus   of those the fewest most likely ones with Σ p(y) ≥ top_p

    What is left is scaled to sum to one.

    Args:
        log_probabilities: (N, V), −∞ of what must not follow; one symbol at least may.
        options: of the drawing; `temperature` is a number.

    Returns:
        Probabilities, (N, V), float64, on the CPU.

    Source: Fan et al. 2018, arXiv:1805.04833 (top-k); Holtzman et al. 2020, arXiv:1904.09751
    (nucleus).
    """
    if options.temperature is None:
        raise ValueError("without a temperature nothing is drawn")
    probabilities = (log_probabilities.cpu().double() / options.temperature).softmax(-1)
    if options.top_k is not None or options.top_p is not None:
        likely, ids = highest(probabilities, options.top_k or probabilities.size(-1))
        likely = likely / likely.sum(-1, keepdim=True)
        if options.top_p is not None:
            likelier = likely.cumsum(-1) - likely
            likely = likely.where(likelier < options.top_p, 0)
        probabilities = torch.zeros_like(probabilities).scatter_(-1, ids, likely)
    return probabilities / probabilities.sum(-1, keepdim=True)


def draw(
    probabilities: Tensor,
    rows: Tensor,
    generator: torch.Generator | Sequence[torch.Generator],
) -> Tensor:
    """Draw a symbol a row.

    Args:
        probabilities: (N, V), on the CPU.
        rows: which row of the batch each is of, (N,).
        generator: one for all rows, or one for each row of the batch: then what a row draws does
            not depend on the rows beside it.

    Returns:
        Ids, (N,).
    """
    if isinstance(generator, torch.Generator):
        return torch.multinomial(probabilities, 1, generator=generator).flatten()
    drawn = [
        torch.multinomial(p, 1, generator=generator[row])
        for p, row in zip(probabilities, rows.tolist(), strict=True)
    ]
    return torch.cat(drawn)
