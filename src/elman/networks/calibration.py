"""What validation says of a forecast: how far to trust the network, and how wide intervals are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from elman.networks.objectives.distributions.quantiles import Quantiles
from elman.networks.objectives.forecast import ForecastObjective

_NARROWEST = 1e-6
"""Least distance of two quantiles, in units of ν."""

PATTERNS = 256
"""Validation windows that paths take their ranks from."""


class Calibration(nn.Module):
    """Correct the raw outputs of a forecaster by what validation rows show.

        location  share · location                       0: the naive forecast, 1: the network
        z_k       z_k + δ(h, k)                          of quantiles, but not of the median

    where z are the quantiles in units of ν around the naive forecast, and δ(h, k) is such that
    at step h the share q_k of the validation residuals lies below: a conformal correction of each
    quantile, which is then sorted, so that quantiles never cross.

    It also keeps how the steps of a horizon go together: `ranks`, the levels at which the values
    of validation windows lay in their forecasts, so that paths can be sampled from quantiles.

    It begins as the identity, and is not trained: `set_share`, `set_quantiles` and `set_ranks` are
    called once, after training.

    Source: Romano, Patterson and Candès 2019, arXiv:1905.03222, a quantile at a time.
    """

    share: Tensor
    added: Tensor
    corrects: Tensor
    ranks: Tensor

    def __init__(
        self,
        horizon: int,
        values: int,
        objective: ForecastObjective,
        *,
        device: torch.device | str | None = None,
    ) -> None:
        """Begin as the identity.

        Args:
            horizon: H.
            values: n.
            objective: whose raw outputs are corrected.
            device: device of the buffers.
        """
        super().__init__()
        self.location = objective.distribution.location or 0
        family = objective.distribution
        self.levels = list(family.levels) if isinstance(family, Quantiles) else []
        size = len(self.levels)
        self.register_buffer("share", torch.ones((), device=device))
        self.register_buffer("added", torch.zeros(horizon, values, size, device=device))
        self.register_buffer("corrects", torch.zeros((), dtype=torch.bool, device=device))
        middle = torch.full((PATTERNS, horizon, values), 0.5, device=device)
        self.register_buffer("ranks", middle)

    def set_share(self, share: float) -> None:
        """Set how much of what the network adds to the naive forecast is kept, 0 … 1."""
        self.share.fill_(share)

    def set_quantiles(self, added: Tensor) -> None:
        """Set δ, (H, n, K)."""
        self.added.copy_(added)
        self.corrects.fill_(True)

    def set_ranks(self, ranks: Tensor) -> None:
        """Set the levels of validation windows within their forecasts, (PATTERNS, H, n)."""
        self.ranks.copy_(ranks)

    def forward(self, raw: Tensor) -> Tensor:
        """Return corrected raw outputs, (H, B, n, P)."""
        kept = torch.ones(raw.size(-1), dtype=raw.dtype, device=raw.device)
        kept[self.location] = self.share
        raw = raw * kept
        if not self.corrects or len(self.levels) < 2:
            return raw
        z = self.quantiles(raw) + self.added[: len(raw)].unsqueeze(1)
        return self._raw(z)

    def quantiles(self, raw: Tensor) -> Tensor:
        """Return z, the quantiles in units of ν, (…, K), of raw outputs."""
        return Quantiles(self.levels).parameters(raw, torch.ones_like(raw[..., 0]))

    def _raw(self, z: Tensor) -> Tensor:
        """Return the raw outputs that have quantiles z, sorted from the median outwards."""
        m = self.location
        centre = z[..., m : m + 1]
        above = z[..., m:].cummax(-1).values.diff(dim=-1)
        below = -z[..., : m + 1].flip(-1).cummin(-1).values.diff(dim=-1).flip(-1)
        return torch.cat([_inverse_softplus(below), centre, _inverse_softplus(above)], -1)


def _inverse_softplus(gap: Tensor) -> Tensor:
    """Return x with ln(1 + eˣ) = gap."""
    gap = gap.clamp(min=_NARROWEST)
    return gap + (-torch.expm1(-gap)).log()


def share_of(errors: Tensor, shares: Tensor, independent: float) -> float:
    """Choose how much of a network's correction to keep.

        share = argmax mean gain − sd gain / √independent        0 where that is not above 0

    The gain of a share is by how much the naive forecast errs more, window by window. A standard
    error is subtracted from its mean: what a correction gains by chance, the more, the fewer
    validation horizons there are that do not overlap. So a network is trusted where it is clearly
    better, and a random walk stays one.

    Args:
        errors: mean absolute errors of every window with each share, (S, windows), those with
            share 0, of the naive forecast, first.
        shares: ascending from 0, (S,).
        independent: number of validation horizons that do not overlap.

    Source: the one-standard-error rule of Breiman et al. 1984, §3.4.3, of paired differences.
    """
    if errors.size(1) < 2:
        return 0.0
    gains = errors[:1] - errors
    standard_error = gains.std(1) / max(independent, 1.0) ** 0.5
    worth = gains.mean(1) - standard_error
    best = int(worth.argmax())
    return float(shares[best]) if worth[best] > 0 else 0.0


def corrections(residuals: Tensor, levels: list[float], median: int, least: int = 200) -> Tensor:
    """Return δ, (H, n, K), of the residuals of quantiles in units of ν.

    A step with few residuals takes those of the steps beside it, too.

    Args:
        residuals: y − z of every quantile, (H, B, n, K), NaN where a value is missing.
        levels: of the quantiles.
        median: index of the one that is not corrected.
        least: residuals that are enough for a step.
    """
    horizon, _, n, size = residuals.shape
    added = residuals.new_zeros(horizon, n, size)
    observed = (~residuals[..., median].isnan()).sum(1).double().mean(1)
    rows = int(observed.mean())
    beside = 0 if rows >= least else min(horizon, -(-least // max(1, 2 * rows)))
    for step in range(horizon):
        near = slice(max(0, step - beside), step + beside + 1)
        # Rows that follow each other forecast the same values, from one step beside.
        count = int(observed[step]) + len(observed[near]) - 1
        for k, level in enumerate(levels):
            if k == median:
                continue
            of_level = residuals[near, ..., k].flatten(0, 1)
            found = torch.nanquantile(of_level, _conservative(level, count), dim=0)
            added[step, :, k] = found.nan_to_num(0.0)
    return added


def ranks_of(quantiles: Tensor, targets: Tensor, median: int) -> Tensor:
    """Return the levels at which values lay in their forecasts, window by window.

    A value is measured by how far it lies above or below the median, in units of the distance of
    the outermost quantile there, and ranked at each step among the windows: at every step each of
    the levels (k − ½)/PATTERNS, k = 1 … PATTERNS, comes once. A missing value has the level of the
    last one before it.

    Args:
        quantiles: (H, B, n, K).
        targets: (H, B, n), NaN where a value is missing.
        median: index of the median.

    Returns:
        Levels between 0 and 1, (PATTERNS, H, n); fewer windows are repeated.

    Source: Clark et al. 2004, "The Schaake shuffle", J. Hydrometeorology 5, 243–262.
    """
    centre = quantiles[..., median]
    apart = targets - centre
    above, below = quantiles[..., -1] - centre, centre - quantiles[..., 0]
    sizes = torch.where(apart >= 0, above, below).clamp(min=_NARROWEST)
    scaled = (apart / sizes).movedim(1, 0)
    for step in range(1, scaled.size(1)):
        scaled[:, step] = scaled[:, step].where(~scaled[:, step].isnan(), scaled[:, step - 1])
    scaled = scaled.nan_to_num(0.0)
    chosen = torch.linspace(0, len(scaled) - 1, PATTERNS).round().long()
    places = scaled[chosen].argsort(dim=0, stable=True).argsort(dim=0)
    return (places + 0.5) / PATTERNS


def _conservative(level: float, count: int) -> float:
    """Return the level moved outwards by what so few residuals leave open."""
    if level < 0.5:
        return max(0.0, (level * (count + 1) - 1) / max(1, count - 1))
    return 1.0 - _conservative(1.0 - level, count) if level > 0.5 else level
