"""Forecasts of other libraries from the same origins: statsforecast and neuralforecast."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.prediction.backtest import Backtest

Numbers = NDArray[np.float64]

LONGEST = 1_500
"""Last values of a history that the statistical models are fitted to."""

LONGEST_ETS = 12
"""Greatest season of exponential smoothing, which takes minutes an origin beyond it."""

STATISTICAL = ("SeasonalNaive", "AutoETS", "AutoTheta", "MSTL")
NEURAL = ("LSTM", "DeepAR")


def models_installed(*, neural: bool) -> list[str]:
    """Name the models of what is installed: of statsforecast, and of neuralforecast if wanted."""
    names: list[str] = []
    try:
        import statsforecast  # noqa: F401

        names += STATISTICAL
    except ImportError:
        pass
    if neural:
        import neuralforecast  # noqa: F401

        names += NEURAL
    return names


def peer_forecasts(
    backtest: Backtest, seasons: Sequence[int], models: Sequence[str]
) -> dict[str, list[Numbers]]:
    """Forecast from every origin with some models; one that refuses is left out.

    Args:
        backtest: of Elman, with the origins and the values before each.
        seasons: their lengths, ascending.
        models: names of `models_installed`.
    """
    statistical = [name for name in models if name in STATISTICAL]
    neural = [name for name in models if name in NEURAL]
    found = _statistical(backtest, seasons, statistical) if statistical else {}
    return found | (_neural(backtest, neural) if neural else {})


def _statistical(
    backtest: Backtest, seasons: Sequence[int], models: Sequence[str]
) -> dict[str, list[Numbers]]:
    """Fit the statistical models before every origin, and forecast."""
    import pandas as pd
    from statsforecast import StatsForecast
    from statsforecast import models as known

    horizon = len(backtest.truths[0])
    short = min(seasons, default=1)
    if short > LONGEST_ETS:
        models = [name for name in models if name != "AutoETS"]
    made: dict[str, Callable[[], Any]] = {
        "SeasonalNaive": lambda: known.SeasonalNaive(short),
        "AutoETS": lambda: known.AutoETS(season_length=short),
        "AutoTheta": lambda: known.AutoTheta(season_length=short),
        "MSTL": lambda: known.MSTL(list(seasons) or [1]),
    }
    frame = _frame([_filled(history[-LONGEST:, 0]) for history in backtest.histories], pd)
    found: dict[str, list[Numbers]] = {}
    for name in models:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fitted = StatsForecast([made[name]()], freq=1, n_jobs=1)
                table = fitted.forecast(df=frame, h=horizon)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            continue
        table = table.reset_index() if "unique_id" not in table.columns else table
        by_row = table.sort_values(["unique_id", "ds"])[name].to_numpy(np.float64)
        found[name] = list(by_row.reshape(len(backtest.histories), horizon, 1))
    return found


def _neural(backtest: Backtest, models: Sequence[str]) -> dict[str, list[Numbers]]:
    """Train networks on what lies before the first origins, and forecast from all of them."""
    import pandas as pd
    from neuralforecast import NeuralForecast
    from neuralforecast import models as known

    horizon = len(backtest.truths[0])
    histories = [_filled(each[:, 0]) for each in backtest.histories]
    first: dict[Any, Numbers] = {}
    for item, values in zip(backtest.items, histories, strict=True):
        if item not in first or len(values) < len(first[item]):
            first[item] = values
    quiet = {"logger": False, "enable_progress_bar": False, "enable_checkpointing": False}
    made = {
        "LSTM": lambda: known.LSTM(h=horizon, input_size=backtest.window, **quiet),
        "DeepAR": lambda: known.DeepAR(h=horizon, input_size=backtest.window, **quiet),
    }
    found: dict[str, list[Numbers]] = {}
    for name in models:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trained = NeuralForecast([made[name]()], freq=1)
            trained.fit(df=_frame(list(first.values()), pd))
            table = trained.predict(df=_frame([each[-LONGEST:] for each in histories], pd))
        table = table.reset_index() if "unique_id" not in table.columns else table
        column = f"{name}-median" if f"{name}-median" in table.columns else name
        by_row = table.sort_values(["unique_id", "ds"])[column].to_numpy(np.float64)
        found[name] = list(by_row.reshape(len(histories), horizon, 1))
    return found


def _frame(series: Sequence[Numbers], pandas: Any) -> Any:
    """Lay series out as both libraries read them."""
    frames = [
        pandas.DataFrame({"unique_id": row, "ds": np.arange(len(values)), "y": values})
        for row, values in enumerate(series)
    ]
    return pandas.concat(frames, ignore_index=True)


def _filled(values: Numbers) -> Numbers:
    """Put the last observed value in place of missing ones, the first one at the start."""
    observed = np.flatnonzero(~np.isnan(values))
    place = np.searchsorted(observed, np.arange(len(values)), side="right") - 1
    filled: Numbers = values[observed[place.clip(0)]]
    return filled
