"""Settings of a forecaster that reads segments: its size, its folds, its training."""

from __future__ import annotations

from elman.batches.forecast_windows import MOST_WINDOWS
from elman.data.table import Table
from elman.experiment.forecast import ForecastSpec
from elman.features.forecast import ForecastFeature
from elman.tasks.defaults import Settings

FOLDS = 5
"""Members of a forecaster, each trained without another part of the steps, where they are few."""

FEW_HORIZONS = 160
"""Training steps of fewer horizons than this are few."""


def settings_of_segments(asked: ForecastSpec, feature: ForecastFeature, train: Table) -> Settings:
    """Return settings that suit the number of windows and horizons of the training rows.

    Args:
        asked: what is asked of the forecast.
        feature: of the series.
        train: series, a row each.
    """
    assert train.spans is not None, "the parts of a forecast have spans"
    horizon, stop = feature.horizon, train.spans.stop
    few = int((stop - train.spans.start).sum()) < FEW_HORIZONS * horizon and asked.members == 1
    rows = int((stop - horizon - feature.window // 2).clip(min=1).sum())
    batch_size = 32 if rows < 400 else 64 if rows < 4_000 else 128
    updates = 300 if few else 1_000
    epochs = -(-updates * batch_size // min(rows, MOST_WINDOWS))
    return {
        "forecast.folds": FOLDS if few else 0,
        "network.hidden_size": 16 if few else 64,
        "training.batch_size": batch_size,
        "training.epochs": max(10 if few else 6, epochs),
        "training.patience": max(5, epochs // 3),
        "training.weight_decay": 0.3 if few else 0.1,
        "training.average_decay": 0.98 if few else 0.99,
    }
