"""A number described by some of its quantiles, without a density."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from elman.errors import OptionError
from elman.networks.objectives.distributions.distribution import Distribution, checked_level

DECILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


class Quantiles(Distribution):
    """K quantiles z of levels q₁ < … < q_K, trained by the pinball loss; no shape is assumed.

        z_m = ν o_m                                        m: the level nearest to ½
        z_k = z_{k∓1} ± ν softplus(o_k)                    upwards and downwards from there
        loss(y) = (1/K) Σ_k 2 ([y ≥ z_k] q_k + [y < z_k] (1 − q_k)) |y − z_k| / ν

    so that quantiles never cross: they are ordered by construction, not sorted afterwards. For
    ½ alone the loss is |y − z| / ν. It is divided by ν so that windows of any scale have the same
    weight, as in a likelihood.

    Between two levels the quantile function is linear, and below the lowest and above the highest
    it is constant: `mean` and `sample` are those of this function, which has no tails. A level
    outside is refused.

    Source: Koenker and Bassett 1978, doi:10.2307/1913643; in a recurrent network that forecasts:
    Wen et al. 2017, arXiv:1711.11053.
    """

    name: ClassVar[str] = "quantiles"

    def __init__(self, levels: Sequence[float] = DECILES) -> None:
        """Set the levels.

        Args:
            levels: ascending, between 0 and 1; the first at most ½ and the last at least ½.

        Raises:
            OptionError: the levels are not so.
        """
        self.levels = [checked_level(level) for level in levels]
        pairs = zip(self.levels, self.levels[1:], strict=False)
        if not self.levels or not all(lower < upper for lower, upper in pairs):
            raise OptionError(f"the levels of quantiles must ascend, got {list(levels)}.")
        if not self.levels[0] <= 0.5 <= self.levels[-1]:
            raise OptionError(
                f"the levels of quantiles must have 0.5 among or between them, got {list(levels)}."
            )
        self.size = len(self.levels)
        self._middle = min(range(self.size), key=lambda k: abs(self.levels[k] - 0.5))
        self.location = self._middle
        self.located = slice(None)

    def parameters(self, raw: Tensor, scale: Tensor) -> Tensor:
        """Return z, (…, K), ascending along the last axis, of raw numbers o, (…, K)."""
        m = self._middle
        centre = raw[..., m : m + 1]
        above = F.softplus(raw[..., m + 1 :]).cumsum(-1)
        below = F.softplus(raw[..., :m]).flip(-1).cumsum(-1).flip(-1)
        return scale.unsqueeze(-1) * torch.cat([centre - below, centre, centre + above], -1)

    def log_prob(self, parameters: Tensor, value: Tensor) -> Tensor:
        """Refuse: a set of quantiles has no density.

        Raises:
            OptionError: always.
        """
        del parameters, value
        raise OptionError(
            "distribution='quantiles' has no density and so no likelihood; use 'gaussian', "
            "'student-t' or 'negative-binomial'."
        )

    def loss(self, parameters: Tensor, scale: Tensor, value: Tensor) -> Tensor:
        """Return twice the pinball loss in units of the scale, the mean over the levels, (…)."""
        levels = parameters.new_tensor(self.levels)
        over = (value.unsqueeze(-1) - parameters) / scale.unsqueeze(-1)
        return 2 * torch.maximum(levels * over, (levels - 1) * over).mean(-1)

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the mean of the quantile function over all levels, (…)."""
        ends = [0.0, *self.levels, 1.0]
        weights = [0.5 * (ends[k + 2] - ends[k]) for k in range(self.size)]
        # The lowest and highest quantile have the whole probability outside them.
        weights[0] += 0.5 * self.levels[0]
        weights[-1] += 0.5 * (1 - self.levels[-1])
        return (parameters * parameters.new_tensor(weights)).sum(-1)

    def quantile(self, parameters: Tensor, level: float) -> Tensor:
        """Return the quantile of a level, interpolated between those learned, (…).

        Raises:
            OptionError: the level is not between the lowest and the highest learned.
        """
        level, (lowest, highest) = checked_level(level), (self.levels[0], self.levels[-1])
        if not lowest <= level <= highest:
            raise OptionError(
                f"only quantiles between {lowest:g} and {highest:g} were learned, got "
                f"{level:g}. Train with that level among the quantiles."
            )
        return self.at_levels(parameters, torch.full_like(parameters[..., 0], level))

    @torch.no_grad()
    def sample(self, parameters: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Sample quantiles of levels that are uniform on (0, 1), (count, …)."""
        shape = (count, *parameters.shape[:-1])
        levels = torch.rand(
            shape, generator=generator, dtype=parameters.dtype, device=parameters.device
        )
        return self.at_levels(parameters.expand(count, *parameters.shape), levels)

    def to_json(self) -> dict[str, Any]:
        """Describe the family: its name and levels."""
        return {"name": self.name, "levels": list(self.levels)}

    def at_levels(self, parameters: Tensor, level: Tensor) -> Tensor:
        """Return the quantile function of (…, K) at levels (…)."""
        if self.size == 1:
            return parameters[..., 0]
        levels = parameters.new_tensor(self.levels)
        level = level.clamp(levels[0], levels[-1]).contiguous()
        upper = torch.searchsorted(levels, level).clamp(min=1)
        lower = upper - 1
        share = (level - levels[lower]) / (levels[upper] - levels[lower])
        low, high = (parameters.gather(-1, k.unsqueeze(-1)).squeeze(-1) for k in (lower, upper))
        # Of the two forms that which is exact at the learned level beside it.
        below, above = low + share * (high - low), high - (1 - share) * (high - low)
        return below.where(share < 0.5, above)
