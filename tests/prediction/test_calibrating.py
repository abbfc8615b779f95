"""What is decided on the validation rows: the naive forecast, the share kept, who answers them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from elman.models.network import untrained_network
from elman.networks.segments import SegmentForecaster
from elman.prediction.calibrating import begin_at_naive, calibrate
from elman.prediction.predictors import predictor_of
from elman.runs.run import prepare
from elman.runs.train import experiment_for
from elman.tasks.layout import layout_of
from forecast_runs import SETTINGS, Numbers, rows_of, trained, walk, week


def begun(values: Numbers, **settings: Any) -> tuple[SegmentForecaster, Any, list[str]]:
    """An untrained network, its validation windows, and what was said of the naive forecasts."""
    experiment, source = experiment_for(rows_of(values), SETTINGS | settings)
    ready = prepare(experiment, source)
    complete, task, parts = ready.experiment, ready.task, ready.parts
    network: Any = untrained_network(complete, task, parts.train)
    _, validation = task.batches(parts.train, parts.valid, complete, complete.training, 1)
    said = begin_at_naive(network, validation, complete.forecast.naive, logarithms=False)
    return network, validation, said


def correcting(network: SegmentForecaster, by: float) -> None:
    """Let every member add a constant to the location, in units of the window's scale."""
    for member in network.members:
        bias = member.head.bias.view(network.horizon, 1, -1)  # type: ignore[union-attr, operator]
        with torch.no_grad():
            bias[..., member.location] = by


KINDS: dict[str, tuple[Numbers, str]] = {
    "walk": (walk(200, 1), "last"),
    "week": (week(200), "season 7"),
    "line": (np.arange(200.0) + 0.05 * walk(200), "drift"),
    "noise": (np.random.default_rng(1).normal(size=200), "mean"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_best_naive_forecast_of_the_validation_rows_is_corrected(kind: str) -> None:
    values, best = KINDS[kind]
    network, _, said = begun(values)
    assert network.naive_name == best
    (line,) = said
    assert line.index("which the network corrects") < line.index(",", line.index(": "))


def test_the_naive_errors_are_those_of_the_validation_windows_by_hand() -> None:
    values = week(60)
    network, validation, (line,) = begun(values, season=7, **{"forecast.folds": 0})
    errors = []
    for step in validation.origins.step.tolist():
        past = values[:step].astype(np.float32)[-network.window :]
        scale = np.abs(past[7:] - past[:-7]).mean()
        errors.append(np.abs(values[step : step + 4] - past[-7:-3]).mean() / scale)
    assert f"the value 7 steps before {np.mean(errors):.4g}" in line


def test_a_correction_that_is_wrong_is_dropped_and_a_right_one_kept() -> None:
    line = np.arange(200.0) + 0.1 * np.random.default_rng(1).normal(size=200)
    for by, share in ((-1.0, 0.0), (2.0, 1.0)):
        network, validation, _ = begun(line, naive="last")
        correcting(network, by)
        (verdict,) = calibrate(network, validation, fallback=True)
        assert float(network.calibration.share) == share, verdict
        assert ("forecasts are the naive ones" in verdict) == (share == 0)
        (verdict,) = calibrate(network, validation, fallback=False)
        assert float(network.calibration.share) == 1
        assert "forecasts are the naive ones" not in verdict


def test_calibrated_intervals_cover_what_comes_of_a_known_process() -> None:
    values = 20 + 3 * np.random.default_rng(4).normal(size=1_500)
    network, validation, _ = begun(values[:1_000], naive="mean", window=40, **{"forecast.folds": 3})
    calibrate(network, validation, fallback=True)
    origins = range(1_000, 1_496, 4)
    windows = torch.tensor(np.stack([values[step - 40 : step + 4] for step in origins], 1))
    outputs, _ = network(windows.float().unsqueeze(-1))
    low, high = (network.objective.quantile(outputs, level)[..., 0] for level in (0.1, 0.9))
    covered = (low <= windows[40:]) & (windows[40:] <= high)
    assert 0.75 <= float(covered.float().mean()) <= 0.85


def test_with_folds_validation_scores_are_of_the_member_that_did_not_learn_from_them(
    tmp_path: Path,
) -> None:
    rows = rows_of(week(150))
    run = trained(tmp_path / "run", rows, epochs=1, **{"forecast.folds": 3})
    network: Any = run.model.network
    network.calibration.set_share(1.0)
    for number, member in enumerate(network.members):
        nn.init.constant_(member.head.bias, 10.0 * number)
    parts = layout_of(run.model.experiment.data).parts(1, rows)
    predictor = predictor_of(run.model.task, network, run.model.experiment)
    honest = predictor.scores(parts.valid, training=parts.train).values["mae"]
    everyone = predictor.scores(parts.valid).values["mae"]
    for number in (0, 1):  # the last member alone answers, whatever the others would
        nn.init.constant_(network.members[number].head.bias, -500.0)
    assert predictor.scores(parts.valid, training=parts.train).values["mae"] == honest
    assert predictor.scores(parts.valid).values["mae"] != everyone
    assert parts.test is not None
    assert predictor.scores(parts.test, training=parts.train) == predictor.scores(parts.test)


def test_an_epoch_s_score_is_of_the_member_that_did_not_learn_from_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from elman.prediction import forecaster

    asked = []
    measure = forecaster.backtest

    def backtest(*arguments: Any, member: int | None, **options: Any) -> Any:
        asked.append(member)
        return measure(*arguments, member=member, **options)

    monkeypatch.setattr(forecaster, "backtest", backtest)
    settings = {"forecast.folds": 3, "select": "score", "epochs": 2}
    trained(tmp_path / "run", rows_of(week(150)), **settings)
    assert asked == [2, 2, 2, None]  # two epochs, then the validation and the test part
