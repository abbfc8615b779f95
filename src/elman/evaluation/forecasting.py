"""How good forecasts are: of their middle, of their quantiles, and of their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from elman.errors import DataError, OptionError, ShapeError, counted
from elman.evaluation.measures import WORST, Measured, Scores, check_pairs
from elman.evaluation.regression import mean_errors, seasonal_naive_error

Numbers = NDArray[np.float64]
Item = str | int

_CHIEF = ("mase", "weighted_quantile_loss", "mae")
"""The chief score is the first of these that there is."""


def smape(truths: ArrayLike, answers: ArrayLike) -> float:
    """Return the symmetric mean absolute percentage error, a share from 0 to 2.

        sMAPE = mean 2 |y − ŷ| / (|y| + |ŷ|)          0 where y = ŷ = 0

    over the values that are not missing.

    Args:
        truths: y, any shape, NaN where a value is missing; one at least is not.
        answers: ŷ, of the same shape.

    Source: Makridakis, Spiliotis and Assimakopoulos 2020, doi:10.1016/j.ijforecast.2019.04.014,
    which gives it in per cent, from 0 to 200.

    >>> round(smape([1.0, 4.0, float("nan")], [3.0, 4.0, 7.0]), 3)
    0.5
    """
    y, guess = _observed(truths, answers)
    size = np.abs(y) + np.abs(guess)
    return float(np.mean(2 * np.abs(y - guess) / np.where(size > 0, size, 1)))


def weighted_quantile_loss(truths: ArrayLike, quantiles: Mapping[float, ArrayLike]) -> float | None:
    """Return the mean over levels of the weighted quantile loss; None where every truth is 0.

        wQL(q) = 2 Σ ρ(q) / Σ |y|
        ρ(q)   = q (y − z) where y ≥ z, else (1 − q) (z − y)         z the quantile of level q

    with sums over the values that are not missing. Of the median alone it is Σ |y − z| / Σ |y|;
    over many levels it comes near the continuous ranked probability score, relative to the truth.

    Args:
        truths: y, any shape, NaN where a value is missing.
        quantiles: level → z, of the same shape.

    Source: Salinas et al. 2020, arXiv:1704.04110, §4, the ρ-risk of single steps; `wQuantileLoss`
    of GluonTS, Alexandrov et al. 2019, arXiv:1906.05264.

    >>> weighted_quantile_loss([2.0, 8.0], {0.5: [3.0, 6.0]})
    0.3
    """
    losses = []
    for level, answers in quantiles.items():
        y, z = _observed(truths, answers)
        total = float(np.abs(y).sum())
        if total == 0:
            return None
        losses.append(2 * float(np.maximum(level * (y - z), (level - 1) * (y - z)).sum()) / total)
    return float(np.mean(losses))


def coverage(truths: ArrayLike, low: ArrayLike, high: ArrayLike) -> float:
    """Return the share of the truths that lie in their interval, its ends among it.

    Args:
        truths: any shape, NaN where a value is missing; one at least is not.
        low: the lower ends, of the same shape.
        high: the upper ends, likewise.

    >>> coverage([1.0, 5.0, 9.0, float("nan")], [1.0, 1.0, 1.0, 1.0], [4.0, 5.0, 6.0, 7.0])
    0.6666666666666666
    """
    y, below = _observed(truths, low)
    _, above = _observed(truths, high)
    return float(np.mean((below <= y) & (y <= above)))


def forecast_scores(
    truths: Sequence[ArrayLike],
    answers: Sequence[ArrayLike],
    *,
    quantiles: Mapping[float, Sequence[ArrayLike]] | None = None,
    training: Sequence[ArrayLike] | None = None,
    season: int = 1,
    items: Sequence[Item] | None = None,
    interval: float = 0.8,
) -> Scores:
    """Score forecasts of the values of a horizon, of one series or of many.

    MASE is taken forecast by forecast, each scaled by the seasonal naive error of its own history,
    and is then the mean over the forecasts; everything else is over all observed values together.

    Args:
        truths: the values of each forecast's horizon, (H,) or (H, k), NaN where one is missing.
        answers: a point forecast of each, likewise.
        quantiles: level → a forecast of that quantile for each, likewise; adds
            weighted_quantile_loss, and coverage where the ends of the interval are among them.
        training: the values before each forecast that may be known, (T,) or (T, k), in the order
            of time, NaN where one is missing; adds mase.
        season: of the seasonal naive forecast that mase is scaled by, in steps.
        items: which series each forecast is of; a series may be forecast from several origins.
            None for a series each, called by their place.
        interval: the share of the truths that the central interval ought to hold: between the
            quantiles (1 ∓ interval)/2.

    Returns:
        mae, mse, rmse, smape, mase (chief, then weighted_quantile_loss, then mae),
        weighted_quantile_loss, coverage and coverage_error. `details`: `missing`, how many true
        values are; `series`, how many are forecast; `worst`, those of the largest chief score.

    Raises:
        DataError: there is nothing to score, not an answer, item and history for each truth, a
            truth is infinite, or an answer to a known truth is no number.
        ShapeError: truths and answers of a forecast are not of one shape.
        OptionError: a level or the interval is not between 0 and 1, or season < 1.
    """
    forecasts = _prepared(truths, answers, quantiles, training, season, items, interval)
    found = forecasts.scores(range(len(forecasts.truths)))
    measured = Measured()
    for name, value in found.items():
        measured.add(name, value, forecasts.why_not(name))
    missing = sum(int(np.isnan(truth).sum()) for truth in forecasts.truths)
    total = sum(truth.size for truth in forecasts.truths)
    chief = next(name for name in _CHIEF if name in measured.values)
    by_series = forecasts.by_series()
    ranked = sorted(
        (each for each in by_series.items() if each[1].get(chief)),
        key=lambda each: -each[1][chief],
    )
    return Scores(
        kind="forecast",
        main=chief,
        values=measured.values,
        count=total - missing,
        unit="values",
        details={
            "missing": missing,
            "series": len(by_series),
            "worst": [{"series": item, **scores} for item, scores in ranked[:WORST]],
        },
        notes=(*measured.notes, *forecasts.notes(missing, total, measured.values)),
    )


def scores_by_series(
    truths: Sequence[ArrayLike],
    answers: Sequence[ArrayLike],
    *,
    quantiles: Mapping[float, Sequence[ArrayLike]] | None = None,
    training: Sequence[ArrayLike] | None = None,
    season: int = 1,
    items: Sequence[Item] | None = None,
    interval: float = 0.8,
) -> dict[Item, dict[str, float]]:
    """Score every series by itself: its name → name of a score → number.

    Arguments and errors are those of `forecast_scores`. A score that is not defined for a series
    is left out there; a series without an observed truth has none.

    >>> scores = scores_by_series([[1.0], [4.0]], [[2.0], [4.0]], items=["oslo", "bergen"])
    >>> {item: each["mae"] for item, each in scores.items()}
    {'oslo': 1.0, 'bergen': 0.0}
    """
    return _prepared(truths, answers, quantiles, training, season, items, interval).by_series()


@dataclass(frozen=True)
class _Forecasts:
    """Forecasts, checked: all arrays are (H, k), one a forecast."""

    truths: list[Numbers]
    answers: list[Numbers]
    quantiles: dict[float, list[Numbers]]
    scales: list[Numbers | None] | None
    """The seasonal naive error of each history, (k,); None for one that has none above 0."""
    items: list[Item]
    interval: float

    def scores(self, rows: Sequence[int]) -> dict[str, float | None]:
        """Measure some of the forecasts together, one observed truth at least among them."""
        y, guess = self._pooled(self.truths, rows), self._pooled(self.answers, rows)
        found: dict[str, float | None] = {**mean_errors(*_observed(y, guess))}
        found["smape"] = smape(y, guess)
        if self.scales is not None:
            found["mase"] = self._mase(self.scales, rows)
        if self.quantiles:
            of_levels = {
                level: self._pooled(answers, rows) for level, answers in self.quantiles.items()
            }
            found["weighted_quantile_loss"] = weighted_quantile_loss(y, of_levels)
            ends = self._ends()
            held = None if ends is None else coverage(y, *(of_levels[end] for end in ends))
            found["coverage"] = held
            found["coverage_error"] = None if held is None else abs(held - self.interval)
        return found

    def by_series(self) -> dict[Item, dict[str, float]]:
        """Measure each series by itself, without what is not defined."""
        rows: dict[Item, list[int]] = {}
        for row, item in enumerate(self.items):
            rows.setdefault(item, []).append(row)
        return {
            item: {name: value for name, value in self.scores(its).items() if value is not None}
            if any(self._is_observed(row) for row in its)
            else {}
            for item, its in rows.items()
        }

    def why_not(self, name: str) -> str:
        """Say why a score may be left out."""
        if name == "mase":
            return (
                "no forecast has a history that is longer than a season and not the same in every "
                "season"
            )
        if name == "weighted_quantile_loss":
            return "every truth is 0"
        ends = " and ".join(f"{end:g}" for end in _sides(self.interval))
        return f"that of the {self.interval:.0%} interval needs the quantiles {ends}"

    def notes(self, missing: int, total: int, values: Mapping[str, float]) -> list[str]:
        """Say what has to be known about the scores there are."""
        said = []
        if missing:
            said.append(f"{missing:,} of {counted(total, 'true value')} are missing and left out.")
        if self.scales is not None and "mase" in values:
            unscaled = sum(scale is None for scale in self.scales)
            if unscaled:
                said.append(
                    f"MASE leaves out {unscaled:,} of {counted(len(self.scales), 'forecast')}, "
                    "whose history is no longer than a season, or the same in every season."
                )
        if "weighted_quantile_loss" in values:
            levels = ", ".join(f"{level:g}" for level in sorted(self.quantiles))
            said.append(f"The quantile loss is the mean over the levels {levels}.")
        if "coverage" in values:
            said.append(f"Coverage is that of the {self.interval:.0%} interval.")
        return said

    def _mase(self, scales: Sequence[Numbers | None], rows: Sequence[int]) -> float | None:
        errors = []
        for row in rows:
            scale = scales[row]
            if scale is not None and self._is_observed(row):
                errors.append(np.nanmean(np.abs(self.truths[row] - self.answers[row]) / scale))
        return float(np.mean(errors)) if errors else None

    def _ends(self) -> list[float] | None:
        """Find the levels of the interval's two ends among the quantiles."""
        ends = [
            next((level for level in self.quantiles if abs(level - side) < 1e-9), None)
            for side in _sides(self.interval)
        ]
        found = [end for end in ends if end is not None]
        return found if len(found) == len(ends) else None

    def _is_observed(self, row: int) -> bool:
        return not bool(np.isnan(self.truths[row]).all())

    @staticmethod
    def _pooled(values: Sequence[Numbers], rows: Sequence[int]) -> Numbers:
        return np.concatenate([values[row].ravel() for row in rows])


def _prepared(
    truths: Sequence[ArrayLike],
    answers: Sequence[ArrayLike],
    quantiles: Mapping[float, Sequence[ArrayLike]] | None,
    training: Sequence[ArrayLike] | None,
    season: int,
    items: Sequence[Item] | None,
    interval: float,
) -> _Forecasts:
    check_pairs(truths, answers)
    for level in (*(quantiles or {}), interval):
        if not 0 < level < 1:
            raise OptionError(f"levels and interval must lie between 0 and 1, got {level!r}.")
    known = [_columns(truth) for truth in truths]
    for row, truth in enumerate(known):
        if np.isinf(truth).any():
            raise DataError(f"truths must be numbers, or NaN where missing, got inf at row {row}.")
    if not any((~np.isnan(truth)).any() for truth in known):
        raise DataError("there is nothing to score: every true value is missing.")
    of_levels = {
        float(level): _answered(known, each, f"quantiles {level:g}")
        for level, each in (quantiles or {}).items()
    }
    return _Forecasts(
        truths=known,
        answers=_answered(known, answers, "answers"),
        quantiles=of_levels,
        scales=None if training is None else _scales(known, training, season),
        items=list(range(len(known))) if items is None else _for_each(known, items, "items"),
        interval=interval,
    )


def _answered(truths: Sequence[Numbers], answers: Sequence[Any], what: str) -> list[Numbers]:
    """Return answers as columns, each of its truth's shape, and a number where that is known."""
    checked = [_columns(answer) for answer in _for_each(truths, answers, what)]
    for row, (truth, answer) in enumerate(zip(truths, checked, strict=True)):
        if truth.shape != answer.shape:
            raise ShapeError(
                f"{what} must be of the shape of the truths, {truth.shape} at row {row}, got "
                f"{answer.shape}."
            )
        wrong = ~np.isfinite(answer) & ~np.isnan(truth)
        if wrong.any():
            step = int(np.argwhere(wrong)[0, 0])
            raise DataError(
                f"{what} must be numbers wherever the truth is known, got "
                f"{answer[wrong][0]:g} at row {row}, step {step}."
            )
    return checked


def _scales(
    truths: Sequence[Numbers], training: Sequence[ArrayLike], season: int
) -> list[Numbers | None]:
    """Return the seasonal naive error of each history; None where it is not defined, or 0."""
    scales: list[Numbers | None] = []
    for row, history in enumerate(_for_each(truths, training, "training")):
        values = _columns(history)
        if values.shape[1] != truths[row].shape[1]:
            raise ShapeError(
                f"training must have as many numbers a step as the truths, {truths[row].shape[1]} "
                f"at row {row}, got {values.shape[1]}."
            )
        try:
            scale = seasonal_naive_error([values], season)
        except DataError:  # counted and said by `notes`
            scales.append(None)
        else:
            scales.append(scale if (scale > 0).all() else None)
    return scales


def _for_each(truths: Sequence[Any], given: Sequence[Any], what: str) -> list[Any]:
    if len(given) != len(truths):
        raise DataError(f"{what} must be one a forecast, {len(truths)}; got {len(given)}.")
    return list(given)


def _sides(interval: float) -> tuple[float, float]:
    """Return the levels between which a central interval lies, without rounding's last digits."""
    return round((1 - interval) / 2, 9), round((1 + interval) / 2, 9)


def _columns(values: ArrayLike) -> Numbers:
    """Return the numbers of a horizon as columns, (H, k)."""
    numbers = np.asarray(values, np.float64)
    if numbers.ndim not in (1, 2):
        raise ShapeError(f"a forecast must be (H,) or (H, k), got {numbers.shape}.")
    return numbers[:, None] if numbers.ndim == 1 else numbers


def _observed(truths: ArrayLike, answers: ArrayLike) -> tuple[Numbers, Numbers]:
    """Return what is known of the truths, and the answers to it, (N,)."""
    y, guess = np.asarray(truths, np.float64), np.asarray(answers, np.float64)
    known = ~np.isnan(y)
    return y[known], guess[known]
