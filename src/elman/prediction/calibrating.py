"""What validation rows say of a forecaster that begins at a naive forecast."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from elman.batches.batching import Batch
from elman.batches.forecast_windows import ForecastWindows
from elman.networks.calibration import corrections, ranks_of, share_of
from elman.networks.naive import in_words
from elman.networks.segments import SegmentForecaster

SHARES = torch.linspace(0, 1, 11)
"""Shares of a network's correction that are tried."""


@torch.no_grad()
def begin_at_naive(
    network: SegmentForecaster, validation: ForecastWindows, name: str | None, *, logarithms: bool
) -> list[str]:
    """Measure the naive forecasts of the validation rows, and correct the best one, or that named.

    Args:
        network: left with the naive forecast that it corrects.
        validation: windows of the validation rows.
        name: of the naive forecast; None for the best.
        logarithms: whether the values are logarithms, which is said.

    Returns:
        What was measured, in lines.
    """
    names = network.naive_names
    errors = torch.zeros(len(names), dtype=torch.float64)
    count = 0
    for batch in _batches(network, validation):
        x = batch.input[..., : network.layout.columns]
        naive, scale = network.naive_forecasts(x, batch.lengths, len(batch.target))
        apart = ((batch.target - naive) / scale).abs().double()
        observed = ~batch.target.isnan()
        errors += apart[:, observed].sum(1).cpu()
        count += int(observed.sum())
    errors /= max(1, count)
    chosen = names[int(errors.argmin())] if name is None else name
    network.correct(chosen)
    shown = [
        f"{in_words(each)} {error:.4g}{' (which the network corrects)' if each == chosen else ''}"
        for each, error in sorted(zip(names, errors.tolist(), strict=True), key=lambda one: one[1])
    ]
    unit = f"a change over {min(network.seasons)} steps" if network.seasons else "a step's change"
    of_what = "logarithms of the validation rows" if logarithms else "the validation rows"
    about = f"naive forecasts of {of_what}, errors in units of {unit}"
    return [f"{about}: {', '.join(shown)}"]


@torch.no_grad()
def calibrate(
    network: SegmentForecaster,
    validation: ForecastWindows,
    *,
    fallback: bool,
    logarithms: bool = False,
) -> list[str]:
    """Decide how much of the network's correction is kept, and how wide its quantiles are.

    Args:
        network: with its best weights; left in evaluation mode.
        validation: windows that it did not learn from.
        fallback: whether a correction may be kept in part, or not at all.
        logarithms: whether the values are logarithms, which is said.

    Returns:
        What was decided, in lines.
    """
    network.eval()
    calibration = network.calibration
    quantiles, targets = _unscaled(network, validation)
    m = calibration.location
    located = quantiles[..., m]
    apart = torch.stack([(targets - share * located).abs() for share in SHARES.tolist()])
    of_windows = apart.transpose(1, 2).flatten(2).nanmean(2)
    of_windows = of_windows[:, ~of_windows[0].isnan()]
    independent = validation.origins.independent(network.horizon)
    share = share_of(of_windows, SHARES, independent) if fallback else 1.0
    calibration.set_share(share)
    if len(calibration.levels) > 1:
        moved = quantiles - (1 - share) * located.unsqueeze(-1)
        residuals = targets.unsqueeze(-1) - moved
        calibration.set_quantiles(corrections(residuals, calibration.levels, m))
        calibration.set_ranks(ranks_of(moved, targets, m))
    naive, error = (float(each.nanmean()) for each in (apart[0], apart[-1]))
    against = f"the naive forecast, {in_words(network.naive_name)}"
    against += " of the logarithms" if logarithms else ""
    return [_verdict(against, share, naive, error, fallback=fallback)]


def _verdict(against: str, share: float, naive: float, error: float, *, fallback: bool) -> str:
    """Say how the network compares with the naive forecast that it corrects."""
    if naive == 0 and fallback:
        return f"{against}, is without an error on the validation rows, and is kept."
    ratio = error / naive if naive > 0 else float("inf")
    if not fallback:
        return f"validation error of the network: {ratio:.3g} of that of {against}."
    if share == 0:
        return (
            f"the network is not clearly better than {against}, on the validation rows "
            f"({ratio:.3g} of its error): forecasts are the naive ones. Say --set fallback=false "
            "(forecast.fallback) for those of the network."
        )
    kept = "" if share == 1 else f"; {share:.0%} of its correction is kept"
    return f"validation error of the network: {ratio:.3g} of that of {against}{kept}."


def _unscaled(network: SegmentForecaster, validation: ForecastWindows) -> tuple[Tensor, Tensor]:
    """Return quantiles, (H, B, n, K), or locations, and targets, (H, B, n).

    Both are less the naive forecast and in units of ν.
    """
    quantiles, targets = [], []
    P = network.objective.distribution.size
    for batch in _batches(network, validation):
        outputs, _ = network(batch.input, lengths=batch.lengths, target=batch.target)
        of_values = outputs.unflatten(-1, (network.layout.values, P + 2))
        raw, scale, base = of_values[..., :P], of_values[..., P].exp(), of_values[..., P + 1]
        levels = network.calibration.levels
        quantiles.append((network.calibration.quantiles(raw) if levels else raw).cpu())
        targets.append(((batch.target - base) / scale).cpu())
    return torch.cat(quantiles, 1), torch.cat(targets, 1)


def _batches(network: SegmentForecaster, validation: ForecastWindows) -> Iterator[Batch]:
    """Yield the batches of the validation rows, on the device of the network."""
    device = network.means.device
    for batch in validation.epoch(0):
        yield batch.to(device)
