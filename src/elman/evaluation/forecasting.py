"""Scores of forecasts: of point forecasts, of quantiles and of intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from elman.errors import DataError, OptionError, ShapeError, counted
from elman.evaluation.forecast_details import (
    coverage_by_step,
    errors_by_step,
    ranking,
    shares_below,
)
from elman.evaluation.forecast_errors import coverage, observed, smape, weighted_quantile_loss
from elman.evaluation.histories import scales_of
from elman.evaluation.measures import TOO_LARGE, WORST, Measured, Scores, check_pairs, not_numbers
from elman.evaluation.regression import mean_errors

Numbers = NDArray[np.float64]
Item = str | int

_MAIN = ("mase", "weighted_quantile_loss", "mae")
"""The main score is the first of these that is defined."""


def forecast_scores(
    truths: Sequence[ArrayLike],
    predictions: Sequence[ArrayLike],
    *,
    quantiles: Mapping[float, Sequence[ArrayLike]] | None = None,
    training: Sequence[ArrayLike] | None = None,
    season: int = 1,
    items: Sequence[Item] | None = None,
    interval: float = 0.8,
    naive: Mapping[str, Sequence[ArrayLike]] | None = None,
) -> Scores:
    """Score forecasts over a horizon, for one series or many.

    MASE is computed for each forecast, scaled by the seasonal naive error of its own history, and
    averaged over the forecasts; every other score is over all observed values together.

    Args:
        truths: the values of each forecast's horizon, (H,) or (H, k), NaN where one is missing.
        predictions: a point forecast of each, likewise.
        quantiles: level → a forecast of that quantile for each, likewise; adds
            weighted_quantile_loss, and coverage where the ends of the interval are among them.
        training: the history of each forecast, (T,) or (T, k), in the order of time, NaN where a
            value is missing; adds mase.
        season: steps in a season, for the seasonal naive forecast that mase is scaled by.
        items: the series of each forecast; a series may be forecast from several origins. None
            for a series of its own each, named by its index.
        interval: nominal coverage of the central interval, between the quantiles
            (1 ∓ interval)/2.
        naive: what a naive forecast is, in words → its forecasts, like the predictions; scored on
            the same values.

    Returns:
        mae, mse, rmse, smape, mase (main; else weighted_quantile_loss, else mae),
        weighted_quantile_loss, coverage and coverage_error. `details`: `missing`, the number of
        missing true values; `series`, the number of series; `worst`, those with the largest main
        score; `naive`, of each naive forecast its scores; `best_naive`, the one with the least main
        score, or mean absolute error; `naive_better`, the series for which it is better;
        `by_series`, see `ranking`; `by_step`, lists of a number a step ahead, the errors scaled
        where `unit` is mase; `levels`, the shares below quantiles.

    Raises:
        DataError: there is nothing to score, a truth has no prediction, item or history, or a
            truth is infinite.
        ShapeError: truths and predictions of a forecast differ in shape.
        OptionError: a level or the interval is not between 0 and 1, or season < 1.
    """
    forecasts = _prepared(truths, predictions, quantiles, training, season, items, interval)
    missing = sum(int(np.isnan(truth).sum()) for truth in forecasts.truths)
    total = sum(truth.size for truth in forecasts.truths)
    if (without := forecasts.not_numbers()) is not None:
        return without.scores(kind="forecast", main=_MAIN[-1], count=total - missing, unit="values")
    values = forecasts.scores(range(len(forecasts.truths)))
    baselines = forecasts.of_naive(naive or {})
    measured = Measured()
    for name, value in values.items():
        measured.add(name, value, forecasts.why_not(name) if value is None else TOO_LARGE)
    main = next((name for name in _MAIN if name in measured.values), _MAIN[-1])
    by_series = forecasts.by_series()
    ranked = sorted(
        (each for each in by_series.items() if each[1].get(main)),
        key=lambda each: -each[1][main],
    )
    return measured.scores(
        kind="forecast",
        main=main,
        count=total - missing,
        unit="values",
        details={
            "missing": missing,
            "series": len(by_series),
            "worst": [{"series": item, **scores} for item, scores in ranked[:WORST]],
            **_details(forecasts, baselines, by_series, main),
        },
        notes=forecasts.notes(missing, total, measured.values),
    )


def scores_by_series(
    truths: Sequence[ArrayLike],
    predictions: Sequence[ArrayLike],
    *,
    quantiles: Mapping[float, Sequence[ArrayLike]] | None = None,
    training: Sequence[ArrayLike] | None = None,
    season: int = 1,
    items: Sequence[Item] | None = None,
    interval: float = 0.8,
) -> dict[Item, dict[str, float]]:
    """Score every series by itself: series → name of a score → value.

    Arguments and errors are those of `forecast_scores`. A score that is not defined for a series
    is omitted; a series without an observed truth has no scores.

    >>> scores = scores_by_series([[1.0], [4.0]], [[2.0], [4.0]], items=["oslo", "bergen"])
    >>> {item: each["mae"] for item, each in scores.items()}
    {'oslo': 1.0, 'bergen': 0.0}
    """
    return _prepared(truths, predictions, quantiles, training, season, items, interval).by_series()


def _details(
    forecasts: _Forecasts,
    baselines: Mapping[str, _Forecasts],
    by_series: Mapping[Item, dict[str, float]],
    main: str,
) -> dict[str, Any]:
    """Return the scores of naive forecasts, and where the forecasts are better and worse."""
    scored = {name: each.known_scores() for name, each in baselines.items()}
    scored = {name: scores for name, scores in scored.items() if scores}
    by = main if all(main in scores for scores in scored.values()) else "mae"
    if not scored:
        return {"by_series": ranking(by_series, None, by), **forecasts.by_step(None)}
    best = min(scored, key=lambda name: scored[name][by])
    of_best = baselines[best].by_series()
    better = sum(
        of_best[item].get(by, np.inf) < each.get(by, 0) for item, each in by_series.items()
    )
    return {
        "naive": scored,
        "best_naive": best,
        "naive_better": {"series": better, "of": len(by_series)},
        "by_series": ranking(by_series, of_best, by),
        **forecasts.by_step(baselines[best]),
    }


@dataclass(frozen=True)
class _Forecasts:
    """Checked forecasts: one array (H, k) each."""

    truths: list[Numbers]
    predictions: list[Numbers]
    quantiles: dict[float, list[Numbers]]
    scales: list[Numbers | None] | None
    """The seasonal naive error of each history, (k,); None where it is undefined or 0."""
    items: list[Item]
    interval: float

    def scores(self, rows: Sequence[int]) -> dict[str, float | None]:
        """Score some of the forecasts together; at least one truth among them is observed."""
        y, predicted = self._pooled(self.truths, rows), self._pooled(self.predictions, rows)
        values: dict[str, float | None] = {**mean_errors(*observed(y, predicted))}
        values["smape"] = smape(y, predicted)
        if self.scales is not None:
            values["mase"] = self._mase(self.scales, rows)
        if self.quantiles:
            of_levels = {
                level: self._pooled(predictions, rows)
                for level, predictions in self.quantiles.items()
            }
            values["weighted_quantile_loss"] = weighted_quantile_loss(y, of_levels)
            ends = self._ends()
            share = None if ends is None else coverage(y, *(of_levels[end] for end in ends))
            values["coverage"] = share
            values["coverage_error"] = None if share is None else abs(share - self.interval)
        return values

    def by_series(self) -> dict[Item, dict[str, float]]:
        """Score each series by itself, without the scores that are not defined."""
        rows_of: dict[Item, list[int]] = {}
        for row, item in enumerate(self.items):
            rows_of.setdefault(item, []).append(row)
        return {
            item: {
                name: value
                for name, value in self.scores(rows).items()
                if value is not None and np.isfinite(value)
            }
            if any(self._isobserved(row) for row in rows)
            else {}
            for item, rows in rows_of.items()
        }

    def by_step(self, naive: _Forecasts | None) -> dict[str, Any]:
        """Return errors and coverage of every step ahead, and the shares below each quantile."""
        scales = None if all(each is None for each in self.scales or ()) else self.scales
        unit = "mae" if scales is None else "mase"
        details: dict[str, Any] = {"unit": unit, "forecasts": len(self.truths)}
        for name, each in (("model", self), ("naive", naive)):
            if each is not None:
                details[name] = errors_by_step(self.truths, each.predictions, scales)
        if (ends := self._ends()) is not None:
            low, high = (self.quantiles[end] for end in ends)
            details["coverage"] = coverage_by_step(self.truths, low, high)
            details["interval"] = self.interval
        return {"by_step": details, "levels": shares_below(self.truths, self.quantiles)}

    def of_naive(self, naive: Mapping[str, Sequence[ArrayLike]]) -> dict[str, _Forecasts]:
        """Return the same with naive forecasts in place of the predictions."""
        return {
            name: replace(
                self,
                predictions=_checked(self.truths, forecasts, f"naive, {name},"),
                quantiles={},
            )
            for name, forecasts in naive.items()
        }

    def known_scores(self) -> dict[str, float]:
        """Score the forecasts together where they say something; empty where they do not."""
        known = [
            np.where(np.isnan(each), np.nan, truth)
            for truth, each in zip(self.truths, self.predictions, strict=True)
        ]
        if all(np.isnan(truth).all() for truth in known):
            return {}
        scores = replace(self, truths=known).scores(range(len(known)))
        return {name: value for name, value in scores.items() if value is not None}

    def not_numbers(self) -> Measured | None:
        """Return why nothing is computed where a prediction is infinite or no number."""
        forecasts = [self.predictions, *self.quantiles.values()]
        observed = [
            predicted[~np.isnan(truth)]
            for each in forecasts
            for truth, predicted in zip(self.truths, each, strict=True)
        ]
        return not_numbers(observed, ("mae", "mse", "rmse", "smape"))

    def why_not(self, name: str) -> str:
        """Return the reason why a score is not computed."""
        if name == "mase":
            return (
                "no forecast has a history that is longer than a season and differs from season to "
                "season"
            )
        if name == "weighted_quantile_loss":
            return "every true value is 0"
        ends = " and ".join(f"{end:g}" for end in _sides(self.interval))
        return f"the {self.interval:.0%} interval needs the quantiles {ends}"

    def notes(self, missing: int, total: int, values: Mapping[str, float]) -> list[str]:
        """Return what a reader has to know about the scores, a sentence each."""
        notes = []
        if missing:
            notes.append(f"{missing:,} of {counted(total, 'true value')} are missing and left out.")
        if self.scales is not None and "mase" in values:
            unscaled = sum(scale is None for scale in self.scales)
            if unscaled:
                notes.append(
                    f"MASE leaves out {unscaled:,} of {counted(len(self.scales), 'forecast')}, "
                    "whose history is no longer than a season, or the same in every season."
                )
        if "weighted_quantile_loss" in values:
            levels = ", ".join(f"{level:g}" for level in sorted(self.quantiles))
            notes.append(f"The quantile loss is the mean over the levels {levels}.")
        if "coverage" in values:
            notes.append(f"Coverage is that of the {self.interval:.0%} interval.")
        return notes

    def _mase(self, scales: Sequence[Numbers | None], rows: Sequence[int]) -> float | None:
        of_shape: dict[tuple[int, ...], list[int]] = {}  # many of one shape are measured at once
        for row in rows:
            if scales[row] is not None:
                of_shape.setdefault(self.truths[row].shape, []).append(row)
        errors = []
        for alike in of_shape.values():
            truths, predictions, units = (
                np.stack([each[row] for row in alike])  # type: ignore[misc]
                for each in (self.truths, self.predictions, scales)
            )
            apart = np.abs(truths - predictions) / units[:, None]
            counts = (~np.isnan(apart)).sum((1, 2))
            sums = np.nansum(apart, (1, 2))
            errors += (sums[counts > 0] / counts[counts > 0]).tolist()
        return float(np.mean(errors)) if errors else None

    def _ends(self) -> list[float] | None:
        """Find the levels of the interval's two ends among the quantiles."""
        ends = [
            next((level for level in self.quantiles if abs(level - side) < 1e-9), None)
            for side in _sides(self.interval)
        ]
        levels = [end for end in ends if end is not None]
        return levels if len(levels) == len(ends) else None

    def _isobserved(self, row: int) -> bool:
        return not bool(np.isnan(self.truths[row]).all())

    @staticmethod
    def _pooled(values: Sequence[Numbers], rows: Sequence[int]) -> Numbers:
        return np.concatenate([values[row].ravel() for row in rows])


def _prepared(
    truths: Sequence[ArrayLike],
    predictions: Sequence[ArrayLike],
    quantiles: Mapping[float, Sequence[ArrayLike]] | None,
    training: Sequence[ArrayLike] | None,
    season: int,
    items: Sequence[Item] | None,
    interval: float,
) -> _Forecasts:
    check_pairs(truths, predictions)
    for level in (*(quantiles or {}), interval):
        if not 0 < level < 1:
            raise OptionError(f"levels and interval must lie between 0 and 1, got {level!r}.")
    columns = [_columns(truth) for truth in truths]
    for row, truth in enumerate(columns):
        if np.isinf(truth).any():
            raise DataError(f"truths must be numbers, or NaN where missing, got inf at row {row}.")
    if not any((~np.isnan(truth)).any() for truth in columns):
        raise DataError("there is nothing to score: every true value is missing.")
    of_levels = {
        float(level): _checked(columns, each, f"quantiles {level:g}")
        for level, each in (quantiles or {}).items()
    }
    return _Forecasts(
        truths=columns,
        predictions=_checked(columns, predictions, "predictions"),
        quantiles=of_levels,
        scales=None if training is None else _scales(columns, training, season),
        items=list(range(len(columns))) if items is None else _for_each(columns, items, "items"),
        interval=interval,
    )


def _checked(truths: Sequence[Numbers], predictions: Sequence[Any], what: str) -> list[Numbers]:
    """Return predictions as columns, of the truths' shapes."""
    checked = [_columns(prediction) for prediction in _for_each(truths, predictions, what)]
    for row, (truth, prediction) in enumerate(zip(truths, checked, strict=True)):
        if truth.shape != prediction.shape:
            raise ShapeError(
                f"{what} must have the shape of the truths, {truth.shape} at row {row}, got "
                f"{prediction.shape}."
            )
    return checked


def _scales(
    truths: Sequence[Numbers], training: Sequence[ArrayLike], season: int
) -> list[Numbers | None]:
    """Return the seasonal naive error of each history; None where it is not defined, or 0."""
    histories = [_columns(each) for each in _for_each(truths, training, "training")]
    for row, values in enumerate(histories):
        if values.shape[1] != truths[row].shape[1]:
            raise ShapeError(
                f"training must have as many numbers a step as the truths, {truths[row].shape[1]} "
                f"at row {row}, got {values.shape[1]}."
            )
    return scales_of(histories, season)


def _for_each(truths: Sequence[Any], values: Sequence[Any], what: str) -> list[Any]:
    if len(values) != len(truths):
        raise DataError(
            f"{what} must have one entry per forecast, {len(truths)}; got {len(values)}."
        )
    return list(values)


def _sides(interval: float) -> tuple[float, float]:
    """Return the levels of a central interval's two ends, free of rounding errors."""
    return round((1 - interval) / 2, 9), round((1 + interval) / 2, 9)


def _columns(values: ArrayLike) -> Numbers:
    """Return the values of a horizon as columns, (H, k)."""
    numbers = np.asarray(values, np.float64)
    if numbers.ndim not in (1, 2):
        raise ShapeError(f"a forecast must be (H,) or (H, k), got {numbers.shape}.")
    return numbers[:, None] if numbers.ndim == 1 else numbers
