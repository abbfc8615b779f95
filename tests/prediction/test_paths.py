"""Sampled paths of forecasts: single futures, whose steps go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elman.errors import OptionError
from forecast_runs import Numbers, rows_of, trained, walk

PATHS = 400


def paths_of(forecast: dict[str, Any], count: int = PATHS) -> Numbers:
    return np.array([forecast[f"path {k + 1}"] for k in range(count)])


def neighbours(paths: Numbers) -> float:
    """Return the correlation of the third and the fourth step."""
    return float(np.corrcoef(paths[:, 2], paths[:, 3])[0, 1])


def test_paths_stay_together_where_values_do(tmp_path: Path) -> None:
    noise = np.random.default_rng(5).normal(size=400)
    found = []
    for name, values in (("walk", walk(400)), ("noise", noise)):
        rows = rows_of(values)
        run = trained(tmp_path / name, rows, epochs=1, **{"forecast.folds": 5})
        found.append(neighbours(paths_of(run.model.forecast(rows, paths=PATHS))))
    # Of a random walk from its origin it is the square root of 3/4, 0.866.
    assert found[0] > 0.7
    assert abs(found[1]) < 0.35


def test_paths_are_distributed_as_the_quantiles_say(tmp_path: Path) -> None:
    rows = rows_of(walk(400))
    run = trained(tmp_path / "run", rows, epochs=1)
    found = run.model.forecast(rows, paths=PATHS, quantiles=[0.1, 0.5, 0.9])
    for level in (0.1, 0.5, 0.9):
        share = (paths_of(found) < np.array(found[f"{level:g}"])).mean(0)
        np.testing.assert_allclose(share, level, atol=0.08)


def test_the_seed_decides_the_paths(tmp_path: Path) -> None:
    rows = rows_of(walk(120), walk(120, seed=1))
    run = trained(tmp_path / "run", rows, epochs=1)
    once, again, other = (run.model.forecast(rows, paths=3, seed=seed) for seed in (4, 4, 5))
    assert once == again
    assert once["path 1"] != other["path 1"]
    assert once["0.5"] == other["0.5"]


def test_a_model_with_feedback_returns_the_paths_that_it_samples(tmp_path: Path) -> None:
    rows = rows_of(walk(120))
    run = trained(tmp_path / "run", rows, epochs=1, distribution="gaussian")
    found = run.model.forecast(rows, paths=200, quantiles=[0.5])
    np.testing.assert_allclose(np.median(paths_of(found, 200), 0), found["0.5"], rtol=1e-6)


def test_a_point_forecast_has_no_paths(tmp_path: Path) -> None:
    rows = rows_of(walk(120))
    run = trained(tmp_path / "run", rows, epochs=1, distribution="point")
    with pytest.raises(OptionError, match="has no paths"):
        run.model.forecast(rows, paths=2, quantiles=[0.5])
    with pytest.raises(OptionError, match="at least 0, got -1"):
        run.model.forecast(rows, paths=-1, quantiles=[0.5])
