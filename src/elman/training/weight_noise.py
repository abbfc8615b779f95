"""Gaussian noise on the weights while a gradient is taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def weight_noise(network: nn.Module, deviation: float) -> Iterator[None]:
    """Let a network see noisy weight matrices inside the `with`, and its own ones after it.

        W̃ = W + ε,  ε ~ N(0, σ²)                          drawn anew at every update

    The gradient is that of W̃; the optimiser applies it to W. Biases and gains stay as they are.

    Args:
        network: whose matrices are disturbed.
        deviation: σ; 0 disturbs nothing.

    Source: Graves 2011, "Practical variational inference for neural networks"; Chung et al. 2014,
    arXiv:1412.3555, train with σ = 0.075.
    """
    if not deviation:
        yield
        return
    matrices = [weight for weight in network.parameters() if weight.dim() > 1]
    with torch.no_grad():
        clean = [weight.clone() for weight in matrices]
        for weight in matrices:
            weight.add_(torch.randn_like(weight), alpha=deviation)
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, value in zip(matrices, clean, strict=True):
                weight.copy_(value)
