"""What `elman forecast` needs before it trains: the columns, the levels, the future that is known.

All that would fail after training is refused before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from elman.errors import ExperimentError, OptionError
from elman.experiment import Experiment
from elman.experiment.forecast import LEVELS
from elman.prediction.forecasts import ForecastOptions, check_ahead, with_quantiles
from elman.runs.run import prepare
from elman.tasks.layout import layout_of
from elman.tasks.proposed_series import proposed_series

FORECAST = "forecast.csv"
"""The forecasts of a run, in its directory."""


class ReadyToForecast(NamedTuple):
    """An experiment whose model can forecast the ends of its series."""

    experiment: Experiment
    notes: list[str]
    """What was taken for the time and the target."""


def ready_to_forecast(experiment: Experiment, levels: Sequence[float] | None) -> ReadyToForecast:
    """Name the columns that are not named, and refuse what could not be forecast after training.

    Args:
        experiment: without defaults.
        levels: of the quantiles that are asked for; None for the usual ones.

    Raises:
        ExperimentError: there is no horizon, or it is not clear what to forecast.
        OptionError: a level cannot be learned.
        DataError: the data cannot be read, or a known covariate lacks values for the steps ahead.
    """
    if not experiment.data.horizon:
        raise ExperimentError(
            "say how many steps ahead to forecast: --horizon STEPS (data.horizon)."
        )
    found = proposed_series(experiment.data)
    experiment = _with_levels(experiment.override(found.settings), levels)
    if experiment.data.known:
        complete, task, _ = prepare(experiment)
        layout = layout_of(complete.data)
        series = layout.whole(numeric=layout.numeric(task))  # type: ignore[attr-defined]
        check_ahead(task, series, experiment.data.horizon)
    return ReadyToForecast(experiment, found.notes)


def _with_levels(experiment: Experiment, levels: Sequence[float] | None) -> Experiment:
    """Return the experiment that learns these levels, too.

    Raises:
        OptionError: a level is none, or lies outside those that the experiment states.
    """
    if levels is None:
        return experiment
    spec = experiment.forecast
    asked = with_quantiles(ForecastOptions(), levels, 1).levels
    if spec.distribution not in {"quantiles", "point"}:
        return experiment
    learned = (0.5,) if spec.distribution == "point" else spec.levels or LEVELS
    if learned[0] <= asked[0] <= asked[-1] <= learned[-1]:
        return experiment
    if spec.distribution == "quantiles" and spec.levels is None:
        return experiment.override({"forecast.levels": sorted({*LEVELS, *asked})})
    raise OptionError(
        f"quantiles from {asked[0]:g} to {asked[-1]:g} are asked for, and those of the experiment "
        f"reach from {learned[0]:g} to {learned[-1]:g}; leave forecast.levels and "
        "forecast.distribution out, or ask for levels between."
    )
