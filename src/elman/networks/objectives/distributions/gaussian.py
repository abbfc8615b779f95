"""The normal distribution of a number."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import ClassVar

import torch
from torch import Tensor

from elman.networks.objectives.distributions.distribution import (
    Distribution,
    checked_level,
    positive,
    standard_normal,
)


class Gaussian(Distribution):
    """The normal distribution with parameters μ and σ.

        μ = ν o₁                                   mean
        σ = ν (softplus(o₂) + 10⁻⁴)                standard deviation
        ln p(y) = − ½ ((y − μ) / σ)² − ln σ − ½ ln 2π

    Source: Salinas et al. 2020, arXiv:1704.04110, §3.1, with a floor under σ.
    """

    name: ClassVar[str] = "gaussian"
    size: int = 2
    location: int | None = 0
    located: slice | None = slice(0, 1)

    def parameters(self, raw: Tensor, scale: Tensor) -> Tensor:
        """Return μ and σ, (…, 2), of raw numbers o, (…, 2)."""
        location, deviation = raw.unbind(-1)
        return torch.stack([scale * location, scale * positive(deviation)], -1)

    def log_prob(self, parameters: Tensor, value: Tensor) -> Tensor:
        """Return the logarithm of the density, (…)."""
        mean, deviation = parameters.unbind(-1)
        distance = (value - mean) / deviation
        return -0.5 * distance**2 - deviation.log() - 0.5 * math.log(2 * math.pi)

    def mean(self, parameters: Tensor) -> Tensor:
        """Return μ, (…)."""
        return parameters[..., 0]

    def quantile(self, parameters: Tensor, level: float) -> Tensor:
        """Return μ + σ Φ⁻¹(level), (…)."""
        mean, deviation = parameters.unbind(-1)
        return mean + deviation * NormalDist().inv_cdf(checked_level(level))

    @torch.no_grad()
    def sample(self, parameters: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Sample μ + σ N(0, 1), (count, …)."""
        mean, deviation = parameters.unbind(-1)
        return mean + deviation * standard_normal((count, *mean.shape), parameters, generator)
