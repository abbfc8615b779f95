"""The negative binomial distribution of a count."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elman.errors import DataError
from elman.networks.objectives.distributions.distribution import (
    Distribution,
    checked_level,
    positive,
    precise,
    special_functions,
    standard_gamma,
)


class NegativeBinomial(Distribution):
    """The negative binomial distribution of a count 0, 1, 2, … with parameters μ and α.

        μ = ν (softplus(o₁) + 10⁻⁴)                mean
        α = (softplus(o₂) + 10⁻⁴) / √ν             shape; the variance is μ + α μ²
        ln p(y) = ln Γ(y + 1/α) − ln Γ(y + 1) − ln Γ(1/α)
                  − (1/α) ln(1 + α μ) + y ln(α μ / (1 + α μ))

    Source: Salinas et al. 2020, arXiv:1704.04110, §3.1, and §3.4 for the scale ν, which they take
    as 1 + the mean of the window.
    """

    name: ClassVar[str] = "negative-binomial"
    size: int = 2
    location: int | None = None
    located: slice | None = None

    def __init__(self) -> None:
        special_functions()

    def parameters(self, raw: Tensor, scale: Tensor) -> Tensor:
        """Return μ and α, (…, 2), of raw numbers o, (…, 2)."""
        mean, shape = raw.unbind(-1)
        return torch.stack([scale * positive(mean), positive(shape) / scale.sqrt()], -1)

    def log_prob(self, parameters: Tensor, value: Tensor) -> Tensor:
        """Return the logarithm of the probability of a count, (…).

        Raises:
            DataError: a value is not a count.
        """
        _check_counts(value)
        # Two Γ nearly cancel where α is small: float32 would lose the difference.
        mean, shape = precise(parameters).unbind(-1)
        count, successes, product = precise(value), 1 / shape, mean * shape
        log_prob = (
            torch.lgamma(count + successes)
            - torch.lgamma(count + 1)
            - torch.lgamma(successes)
            - successes * torch.log1p(product)
            + count * (product.log() - torch.log1p(product))
        )
        return log_prob.to(parameters.dtype)

    def mean(self, parameters: Tensor) -> Tensor:
        """Return μ, (…)."""
        return parameters[..., 0]

    @torch.no_grad()
    def quantile(self, parameters: Tensor, level: float) -> Tensor:
        """Return the least count whose cumulative probability reaches the level, (…)."""
        level = checked_level(level)
        mean, shape = parameters.cpu().double().numpy().reshape(-1, 2).T
        counts = torch.from_numpy(_least_counts(mean, shape, level))
        return counts.reshape(parameters.shape[:-1]).to(parameters)

    @torch.no_grad()
    def sample(self, parameters: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Sample counts, (count, …): Poisson, with a rate α μ Γ(1/α) from a gamma distribution."""
        mean, shape = precise(parameters).unbind(-1)
        concentration = (1 / shape).expand(count, *shape.shape)
        rate = shape * mean * standard_gamma(concentration, generator)
        return torch.poisson(rate, generator=generator).to(parameters.dtype)


def _check_counts(value: Tensor) -> None:
    wrong = (value < 0) | (value != value.round())
    if bool(wrong.any()):
        raise DataError(
            f"distribution='negative-binomial' is for counts 0, 1, 2, …, got "
            f"{float(value[wrong][0]):g}. Use 'gaussian' or 'student-t' for other numbers."
        )


def _least_counts(mean: NDArray[Any], shape: NDArray[Any], level: float) -> NDArray[np.float64]:
    """Return the least y with F(y) ≥ level, by bisection between known bounds.

        F(y) = I(1 / (1 + α μ); 1/α, y + 1)                the regularised incomplete beta function
        μ − σ √((1−q)/q) ≤ F⁻¹(q) ≤ μ + σ √(q/(1−q))       σ² = μ + α μ²

    Source of the bounds: Cantelli's inequality.
    """
    deviation = np.sqrt(mean + shape * mean**2)
    odds = np.sqrt(level / (1 - level))
    special = special_functions()
    # F(low) < level ≤ F(high) at every turn; a step further out pays for rounding.
    low = np.maximum(np.floor(mean - deviation / odds) - 2, -1.0)
    high = np.ceil(mean + deviation * odds) + 1
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        below = special.betainc(1 / shape, middle + 1, 1 / (1 + shape * mean)) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(high, np.float64)
