"""Forecasts of logarithms, in the unit of the values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import elman
from elman.errors import ElmanError
from forecast_runs import Numbers, medians, rows_of, trained

SHAPE = np.array([0.0, 1.0, 3.0, 2.0, 2.5, -2.0, -3.0])


def growing(steps: int = 210) -> Numbers:
    """Seven steps that swing in proportion to a level that trebles."""
    noise = 0.2 * np.random.default_rng(0).normal(size=steps)
    swings = 0.1 * (np.resize(SHAPE, steps) + noise)
    return np.asarray(50 * np.exp(np.linspace(0, 1.1, steps) + swings))


def test_logarithms_are_learned_where_swings_grow_and_that_is_said(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", rows_of(growing()))
    assert run.model.experiment.forecast.transform == "log"
    notes = json.loads((tmp_path / "run" / "result.json").read_text())["notes"]
    assert any("in proportion to their level" in note for note in notes)
    assert "naive forecasts of logarithms" in run.said
    assert "steps before of the logarithms" in run.said


def test_the_values_are_learned_where_they_do_not(tmp_path: Path) -> None:
    steady = 50 + np.resize(SHAPE, 210) + np.random.default_rng(0).normal(size=210)
    run = trained(tmp_path / "run", rows_of(steady))
    assert run.model.experiment.forecast.transform == "none"


def test_it_is_the_model_of_the_logarithms_with_its_quantiles_led_back(tmp_path: Path) -> None:
    values = growing()
    ours = trained(tmp_path / "ours", rows_of(values))
    plain = trained(tmp_path / "plain", rows_of(np.log(values)), transform="none")
    found = ours.model.forecast(rows_of(values), paths=2)
    expected = plain.model.forecast(rows_of(np.log(values)), paths=2)
    for name in ("0.1", "0.5", "0.9", "path 1"):
        np.testing.assert_allclose(found[name], np.exp(expected[name]), rtol=1e-4)
    assert (np.array(found["mean"]) > np.exp(expected["mean"])).all()  # by Jensen's inequality


def test_scores_are_of_the_values(tmp_path: Path) -> None:
    rows = rows_of(growing())
    ours = trained(tmp_path / "ours", rows).model.scores(rows, origins=3)
    plain = trained(tmp_path / "plain", rows, transform="none").model.scores(rows, origins=3)
    assert ours.details["naive"] == plain.details["naive"]
    assert 0.5 < ours.values["mae"] / plain.values["mae"] < 2


def test_a_saved_model_forecasts_the_same(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", rows_of(growing()))
    loaded = elman.load(tmp_path / "run")
    rows = rows_of(growing())
    assert loaded.forecast(rows) == run.model.forecast(rows)


def test_later_values_without_a_logarithm_are_counted_and_said(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", rows_of(growing()))
    later = growing()
    later[[100, 205]] = 0.0
    rows = rows_of(later)
    table = run.model.table(rows, with_targets=False)
    (note,) = run.model.predictor.notes_of(table)
    assert note.startswith("2 values of y not above 0")
    assert np.isfinite(medians(run, rows)).all()
    notes = run.model.scores(rows, origins=2).notes
    assert any(each.startswith("2 values of y not above 0") for each in notes)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"distribution": "gaussian", "forecast.feedback": False}, "is for distribution ="),
        ({"segment": 0}, "read segments"),
        ({"standardised": True}, "leave one of them out"),
    ],
)
def test_settings_that_contradict_logarithms_are_refused(
    tmp_path: Path, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ElmanError, match=message):
        trained(tmp_path / "run", rows_of(growing()), transform="log", **settings)


def test_test_values_without_a_logarithm_are_said_before_training(tmp_path: Path) -> None:
    values = growing()
    values[-2:] = 0.0
    run = trained(tmp_path / "run", rows_of(values))
    assert run.model.experiment.forecast.transform == "log"
    assert "2 values of y not above 0" in run.said
