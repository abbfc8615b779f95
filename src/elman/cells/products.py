"""The products of a recurrent step: W x and R h, plain or layer-normed, and λ ⊙ c."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

LAYER_NORM_EPSILON = 1e-5


def product(
    vector: Tensor,
    matrix: Tensor,
    bias: Tensor | None,
    gain: Tensor | None,
    groups: Sequence[int],
) -> Tensor:
    """Multiply a vector by the stacked matrices of all gates, layer-normed where there is a gain.

        p = A v + b                       without gain
        p = γ ⊙ (A v − μ) / σ + b         with gain; μ, σ over each group of gates

    Args:
        vector: x or h, (B, I) or (B, P).
        matrix: one block of H rows per gate, (G·H, I) or (G·H, P).
        bias: added after the normalisation, (G·H,), or None.
        gain: γ of the normalisation, (G·H,), or None for the plain product.
        groups: how many gates share a mean and a standard deviation; sums to G.

    Returns:
        The product of every gate, (B, G·H).

    Source: Ba, Kiros & Hinton 2016, arXiv:1607.06450, supplement; the bias is their β.
    """
    if gain is None:
        return F.linear(vector, matrix, bias)
    normed = _normalise(F.linear(vector, matrix), groups) * gain
    return normed if bias is None else normed + bias


def _normalise(products: Tensor, groups: Sequence[int]) -> Tensor:
    size = products.size(-1) // sum(groups)
    blocks = products.split([gates * size for gates in groups], dim=-1)
    normed = [F.layer_norm(b, b.shape[-1:], eps=LAYER_NORM_EPSILON) for b in blocks]
    return torch.cat(normed, dim=-1)


def masked(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Drop hidden units from the recurrent product alone: h ⊙ m, one mask per sequence.

    Args:
        hidden: h(t−1), (B, P).
        mask: 0 where dropped and 1 / (1 − p) elsewhere, (B, P), or None to drop nothing.

    Source: Gal & Ghahramani 2016, arXiv:1512.05287, §4: the mask belongs to the weights, which is
    why it stays the same at every step of a sequence; one mask for all gates.
    """
    return hidden if mask is None else hidden * mask


def complex_product(a: Tensor, b: Tensor) -> Tensor:
    """Multiply complex numbers, (…, 2·H), real parts before imaginary ones."""
    a_real, a_imaginary = a.chunk(2, dim=-1)
    b_real, b_imaginary = b.chunk(2, dim=-1)
    real = a_real * b_real - a_imaginary * b_imaginary
    return torch.cat([real, a_real * b_imaginary + a_imaginary * b_real], dim=-1)
