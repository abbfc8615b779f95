"""Gaussian noise on the weights during a forward and backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def weight_noise(network: nn.Module, deviation: float) -> Iterator[None]:
    """Add noise to a network's weight matrices inside the `with`, and remove it afterwards.

        W̃ = W + ε,  ε ~ N(0, σ²)                          sampled anew at every update

    The gradient is that of W̃; the optimiser applies it to W. Biases and gains have no noise.

    Args:
        network: the network whose matrices get noise.
        deviation: σ; 0 for no noise.

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
