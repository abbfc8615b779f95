"""Student's t distribution of a number: a normal one with heavy tails."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from elman.networks.objectives.distributions.distribution import (
    Distribution,
    checked_level,
    positive,
    precise,
    special_functions,
    standard_gamma,
    standard_normal,
)


class StudentT(Distribution):
    """Student's t distribution with parameters μ, τ and k, less sensitive to outliers.

        μ = ν o₁                                   location, and the mean
        τ = ν (softplus(o₂) + 10⁻⁴)                scale; the standard deviation is τ √(k / (k−2))
        k = 2 + softplus(o₃) + 10⁻⁴                degrees of freedom; above 2 there is a variance
        ln p(y) = ln Γ((k+1)/2) − ln Γ(k/2) − ½ ln(π k) − ln τ
                  − ½ (k+1) ln(1 + ((y − μ) / τ)² / k)

    Source: Student 1908, doi:10.1093/biomet/6.1.1; as the distribution of a forecast in GluonTS,
    Alexandrov et al. 2019, arXiv:1906.05264.
    """

    name: ClassVar[str] = "student-t"
    size: int = 3
    location: int | None = 0
    located: slice | None = slice(0, 1)

    def __init__(self) -> None:
        special_functions()

    def parameters(self, raw: Tensor, scale: Tensor) -> Tensor:
        """Return μ, τ and k, (…, 3), of raw numbers o, (…, 3)."""
        location, spread, freedom = raw.unbind(-1)
        return torch.stack([scale * location, scale * positive(spread), 2 + positive(freedom)], -1)

    def log_prob(self, parameters: Tensor, value: Tensor) -> Tensor:
        """Return the logarithm of the density, (…)."""
        # The two Γ nearly cancel where k is large: float32 would lose the difference.
        location, spread, freedom = precise(parameters).unbind(-1)
        distance = (value - location) / spread
        normaliser = (
            torch.lgamma((freedom + 1) / 2)
            - torch.lgamma(freedom / 2)
            - 0.5 * (math.pi * freedom).log()
            - spread.log()
        )
        log_prob = normaliser - 0.5 * (freedom + 1) * torch.log1p(distance**2 / freedom)
        return log_prob.to(parameters.dtype)

    def mean(self, parameters: Tensor) -> Tensor:
        """Return μ, (…)."""
        return parameters[..., 0]

    @torch.no_grad()
    def quantile(self, parameters: Tensor, level: float) -> Tensor:
        """Return μ + τ F⁻¹(level), F⁻¹ that of k degrees of freedom, (…)."""
        level = checked_level(level)
        location, spread, freedom = parameters.unbind(-1)
        standard = torch.as_tensor(
            special_functions().stdtrit(freedom.cpu().double().numpy(), level)
        )
        return location + spread * standard.to(parameters)

    @torch.no_grad()
    def sample(self, parameters: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Sample μ + τ N(0, 1) √(k / χ²(k)), (count, …); χ²(k) is twice a gamma of k/2."""
        location, spread, freedom = parameters.unbind(-1)
        shape = (count, *location.shape)
        normal = standard_normal(shape, parameters, generator)
        chi_squared = 2 * standard_gamma((freedom / 2).expand(shape), generator)
        return location + spread * normal * (freedom / chi_squared).sqrt()
