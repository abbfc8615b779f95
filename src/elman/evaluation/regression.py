"""Scores of predicted numbers, a row or a step of a series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from elman.errors import DataError, OptionError, ShapeError, counted
from elman.evaluation.leading import OF_SOUNDS
from elman.evaluation.measures import (
    TOO_LARGE,
    WORST,
    Measured,
    Scores,
    check_pairs,
    check_steps,
    not_numbers,
)

Numbers = NDArray[np.float64]

_ERRORS = ("mae", "mse", "rmse", "r2")


def mean_errors(truths: ArrayLike, predictions: ArrayLike) -> dict[str, float]:
    """Return the errors that have a unit, over all values.

        MAE = mean |y − ŷ|          MSE = mean (y − ŷ)²          RMSE = √MSE

    Args:
        truths: y, any shape.
        predictions: ŷ, of the same shape.
    """
    with np.errstate(over="ignore"):
        error = np.asarray(truths, np.float64) - np.asarray(predictions, np.float64)
        mse = float(np.mean(error**2))
    return {"mae": float(np.mean(np.abs(error))), "mse": mse, "rmse": mse**0.5}


def r_squared(truths: ArrayLike, predictions: ArrayLike) -> float | None:
    """Return 1 − Σ (y − ŷ)² / Σ (y − ȳ)², the mean over columns; None where a column is constant.

    Args:
        truths: y, (N,) or (N, k).
        predictions: ŷ, of the same shape.
    """
    y, predicted = _columns(truths), _columns(predictions)
    # Compared, not subtracted from a mean, which rounding sets beside equal values.
    if (y.min(axis=0) == y.max(axis=0)).any():
        return None
    spread = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    with np.errstate(over="ignore"):
        return float(np.mean(1 - ((y - predicted) ** 2).sum(axis=0) / spread))


def seasonal_naive_error(training: Sequence[ArrayLike], season: int = 1) -> Numbers:
    """Return the mean absolute error of the seasonal naive forecast in training, (k,).

        mean |y(t) − y(t − m)| over t = m + 1 … T of every series

    over the steps where neither value is missing.

    Args:
        training: series in the order of time, each (T,) or (T, k), NaN where a value is missing.
        season: m, steps in a season; 1 repeats the last value.

    Raises:
        OptionError: season < 1.
        DataError: no series has two values a season apart.
    """
    if season < 1:
        raise OptionError(f"season must be at least 1 step, got {season}.")
    series = [_columns(each) for each in training]
    changes = [np.abs(y[season:] - y[:-season]) for y in series if len(y) > season]
    if not changes:
        raise DataError(
            "MASE is scaled by the error of the seasonal naive forecast in training, and no "
            f"training series is longer than a season of {counted(season, 'step')}. Give a "
            "shorter season."
        )
    every = np.concatenate(changes)
    observed = ~np.isnan(every)
    if not observed.any(axis=0).all():
        raise DataError(
            "MASE is scaled by the error of the seasonal naive forecast in training, and so many "
            f"values are missing there that no two lie a season of {counted(season, 'step')} apart."
        )
    error: Numbers = every.sum(axis=0, where=observed) / observed.sum(axis=0)
    return error


def mase(
    truths: ArrayLike, predictions: ArrayLike, training: Sequence[ArrayLike], season: int = 1
) -> float | None:
    """Return the mean absolute scaled error; None where training is the same every season.

        MASE = mean |y − ŷ| / seasonal_naive_error(training), the mean over columns

    Args:
        truths: y, (N,) or (N, k).
        predictions: ŷ, of the same shape.
        training: series in the order of time, each (T,) or (T, k).
        season: steps in a season.

    Raises:
        OptionError, DataError: as `seasonal_naive_error`.

    Source: Hyndman and Koehler 2006, doi:10.1016/j.ijforecast.2006.03.001, with the seasonal naive
    forecast in place of the naive one where season > 1.
    """
    scale = seasonal_naive_error(training, season)
    if not (scale > 0).all():
        return None
    return float(np.mean(np.abs(_columns(truths) - _columns(predictions)).mean(axis=0) / scale))


def error_to_signal(
    truths: Sequence[ArrayLike], predictions: Sequence[ArrayLike], *, pre_emphasis: float = 0.0
) -> float | None:
    """Return the energy of the error over that of the signal; None where the signal is silent.

        ESR = Σ (y(t) − ŷ(t))² / Σ y(t)²

    over all steps of all rows, both first filtered by y′(t) = y(t) − a y(t − 1), y(0) = 0.

    Args:
        truths: y, signals (T,) or (T, k).
        predictions: ŷ, likewise.
        pre_emphasis: a; 0 does not filter. Damskägg et al. take 0.95, Wright et al. 0.85.

    Source: Damskägg et al. 2019, arXiv:1811.00334, eq. 8; Wright, Damskägg and Välimäki 2019,
    "Real-time black-box modelling with recurrent neural networks", DAFx.
    """
    energy = wrong = 0.0
    for truth, prediction in zip(truths, predictions, strict=True):
        y, predicted = (_emphasised(_columns(each), pre_emphasis) for each in (truth, prediction))
        with np.errstate(over="ignore"):
            energy += float((y**2).sum())
            wrong += float(((y - predicted) ** 2).sum())
    return wrong / energy if energy > 0 else None


def regression_scores(
    truths: ArrayLike,
    predictions: ArrayLike,
    *,
    training: ArrayLike | None = None,
    season: int = 1,
) -> Scores:
    """Score predictions of one or several numbers a row.

    Args:
        truths: (N,) or (N, k).
        predictions: of the same shape.
        training: values of the training rows in the order of time, (T,) or (T, k); adds mase.
        season: steps in a season, for the seasonal naive forecast that mase is scaled by.

    Returns:
        mae, mse, rmse (main; mase where `training` is given), r2. `details`: `worst`, the rows
        with the largest errors.

    Raises:
        DataError: there is nothing to score, there is not one prediction for each truth, a truth
            is missing or infinite, or training is shorter than a season.
        ShapeError: truths and predictions differ in shape.
        OptionError: season < 1.
    """
    y, predicted = _numbers(truths, "truths"), _columns(predictions)
    check_pairs(y, predicted)
    _check_shapes(y, predicted)
    if (without := not_numbers([predicted], _ERRORS)) is not None:
        return without.scores(kind="regression", count=len(y), unit="rows")
    measured = _measure(y, predicted, None if training is None else [training], season)
    distance = np.abs(y - predicted).max(axis=1)
    worst = np.argsort(-distance, kind="stable")[:WORST]
    return measured.scores(
        kind="regression",
        count=len(y),
        unit="rows",
        details={
            "worst": [
                {"row": int(row), "truth": _plain(y[row]), "answer": _plain(predicted[row])}
                for row in worst
                if distance[row] > 0
            ]
        },
    )


def series_scores(
    truths: Sequence[ArrayLike],
    predictions: Sequence[ArrayLike],
    *,
    training: Sequence[ArrayLike] | None = None,
    season: int = 1,
    pre_emphasis: float | None = None,
    sound: bool = False,
) -> Scores:
    """Score predictions of one or several numbers a step.

    Args:
        truths: (T,) or (T, k) for each row.
        predictions: likewise.
        training: the training series, (T,) or (T, k) each; adds mase.
        season: steps in a season, for the seasonal naive forecast that mase is scaled by.
        pre_emphasis: coefficient of the filter of a second error-to-signal ratio, see
            `error_to_signal`; None for no second ratio. The first ratio is never filtered.
        sound: whether the numbers are samples of a sound, whose error_to_signal leads.

    Returns:
        mae, mse, rmse (main but for a sound), r2, error_to_signal,
        error_to_signal_pre_emphasised, mase.
        `details`: `worst`, the rows with the largest mean squared error.

    Raises:
        DataError: truths and predictions differ in steps, a truth is missing or infinite, or
            training is shorter than a season.
        ShapeError: truths and predictions of a row differ in shape.
        OptionError: season < 1.
    """
    check_pairs(truths, predictions)
    ys = [_numbers(each, f"truths of row {row}") for row, each in enumerate(truths)]
    predicted_rows = [_columns(each) for each in predictions]
    check_steps(ys, predicted_rows)
    for y, predicted in zip(ys, predicted_rows, strict=True):
        _check_shapes(y, predicted)
    steps = sum(map(len, ys))
    first = OF_SOUNDS if sound else None
    if (without := not_numbers(predicted_rows, (*_ERRORS, "error_to_signal"))) is not None:
        return without.scores(kind="series", first=first, count=steps, unit="steps")
    measured = _measure(
        np.concatenate([y for y in ys if len(y)]),
        np.concatenate([predicted for predicted in predicted_rows if len(predicted)]),
        training,
        season,
    )
    silent = "every true value is 0"
    _add(measured, "error_to_signal", error_to_signal(ys, predicted_rows), silent)
    if pre_emphasis is not None:
        filtered = error_to_signal(ys, predicted_rows, pre_emphasis=pre_emphasis)
        _add(measured, "error_to_signal_pre_emphasised", filtered, silent)
        measured.notes.append(
            f"Pre-emphasis filters target and prediction: y(t) − {pre_emphasis:g} y(t − 1)."
        )
    squares = [
        mean_errors(y, p)["mse"] if len(y) else 0.0 for y, p in zip(ys, predicted_rows, strict=True)
    ]
    worst = sorted(range(len(squares)), key=lambda row: -squares[row])[:WORST]
    return measured.scores(
        kind="series",
        first=first,
        count=steps,
        unit="steps",
        details={
            "worst": [
                {"row": row, "mse": squares[row]}
                for row in worst
                if squares[row] and math.isfinite(squares[row])
            ]
        },
    )


def _measure(
    y: Numbers, predicted: Numbers, training: Sequence[ArrayLike] | None, season: int
) -> Measured:
    measured = Measured()
    for name, value in mean_errors(y, predicted).items():
        measured.add(name, value, TOO_LARGE)
    alike = "the true values do not vary" if len(y) > 1 else "there is only one true value"
    _add(measured, "r2", r_squared(y, predicted), alike)
    if training is not None:
        scaled = mase(y, predicted, training, season)
        naive = "the seasonal naive forecast, which it is scaled by, has no error in training"
        _add(measured, "mase", scaled, naive)
    return measured


def _add(measured: Measured, name: str, value: float | None, undefined: str) -> None:
    """Keep a score, or why it is None or infinite."""
    measured.add(name, value, undefined if value is None else TOO_LARGE)


def _columns(values: ArrayLike) -> Numbers:
    """Return numbers as columns, (N, k)."""
    numbers = np.asarray(values, np.float64)
    return (
        numbers[:, None]
        if numbers.ndim == 1
        else numbers.reshape(len(numbers), math.prod(numbers.shape[1:]))
    )


def _numbers(values: ArrayLike, what: str) -> Numbers:
    """Return numbers as columns, (N, k), all of them finite."""
    numbers = _columns(values)
    finite = np.isfinite(numbers).all(axis=1)
    if not finite.all():
        raise DataError(
            f"{what} must be numbers, got {numbers[finite.argmin()].tolist()} at index "
            f"{finite.argmin()}. Leave missing values out, from truths and predictions alike."
        )
    return numbers


def _check_shapes(truth: Numbers, prediction: Numbers) -> None:
    if truth.shape != prediction.shape:
        raise ShapeError(
            f"truths and predictions must have the same numbers a row, got {truth.shape[1]} and "
            f"{prediction.shape[1]}."
        )


def _emphasised(signal: Numbers, coefficient: float) -> Numbers:
    before = np.concatenate([np.zeros_like(signal[:1]), signal[:-1]])
    return signal - coefficient * before


def _plain(numbers: Numbers) -> Any:
    """Return a row's numbers for JSON: one by itself, several as a list."""
    return float(numbers[0]) if len(numbers) == 1 else numbers.tolist()
