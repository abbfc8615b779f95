"""The page of a forecast: which series it shows, when they are, and how often it forecasts."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from elman.experiment import Experiment
from elman.models.model import Model
from elman.prediction import backtest
from elman.report.facts.forecasting import forecast_examples
from elman.report.run.facts import RunFacts
from elman.report.run.forecast import forecast_sections
from elman.report.run.page import render_run
from elman.runs.run import run_experiment
from elman.tasks.dividing import Parts
from elman.tasks.layout import layout_of
from report.pages import Page, assert_loads_nothing

STEPS, HORIZON = 60, 4
SMALL = {
    "network": {"hidden_size": 3},
    "forecast": {"folds": 0},
    "training": {"epochs": 1, "accelerator": "cpu"},
}


def trained(columns: dict[str, Any], folder: Path, **data: Any) -> tuple[Model, Parts]:
    """Train next to nothing, without a page; return the model and the parts of the data."""
    values = {"data": {"horizon": HORIZON, "target": ["y"], **data}, **SMALL}
    experiment = Experiment.from_values(values, origin="the test")
    model = run_experiment(experiment, folder / "run", source=columns, page=False).model
    return model, layout_of(model.experiment.data).parts(1, columns)


def series(items: int, dates: bool = True) -> dict[str, Any]:
    """Return series that are noisier from item to item, a week in each."""
    noise = np.random.default_rng(3).normal(0, 1, (items, STEPS))
    values = 5 * np.sin(np.arange(STEPS) * 2 * np.pi / 7) + noise * np.arange(items)[:, None] / 3
    start = date(2021, 3, 1)
    times = [str(start + timedelta(step)) for step in range(STEPS)] if dates else range(STEPS)
    names = [f"item {item:02}" for item in range(items) for _ in range(STEPS)]
    return {"item": names, "t": [*times] * items, "y": values.ravel().tolist()}


def test_of_many_series_three_are_forecast_again_and_named(tmp_path: Path) -> None:
    model, parts = trained(series(12), tmp_path, sequence_id="item", time="t")
    assert parts.test is not None
    scores = model.predictor.scores(parts.test)
    ranked = {row["series"]: row for row in scores.details["by_series"]["rows"]}
    counts: list[int] = []
    forecast = backtest.forecast

    def counted(*arguments: Any, **options: Any) -> Any:
        counts.append(len(arguments[3].step))
        return forecast(*arguments, **options)

    with patch.object(backtest, "forecast", counted):
        shown = forecast_examples(model, parts.test, scores)
    assert counts == [6]  # of all twelve series there are more than twice as many
    titles = [each.title for each in shown["series"]]
    for place, title in zip(("best", "median", "worst"), titles[::2], strict=True):
        assert title.startswith(f"The {place} series, item ")
        assert ranked[title.split(", ")[1].split(" (")[0]]["place"] == place
        assert title.endswith(", from 2021-04-24")
    assert titles[-1].split(", ")[1].startswith(scores.details["worst"][0]["series"])
    for each in shown["series"]:
        assert len(each.times) == len(each.past) + HORIZON
        assert str(each.times[len(each.past)])[:10] == each.title[-10:]
    first = shown["ahead"][0]
    assert first.title.endswith(", from 2021-04-30")
    assert str(first.times[-1])[:10] == "2021-05-03"
    assert (np.asarray(first.low) <= first.prediction).all()


def test_the_page_shows_naive_forecasts_steps_series_and_calibration(tmp_path: Path) -> None:
    model, parts = trained(series(12), tmp_path, sequence_id="item", time="t")
    assert parts.test is not None
    scores = model.predictor.scores(parts.test)
    facts: dict[str, Any] = {
        "title": "it",
        "category": "encoder-decoder",
        "cell": "gru",
        "network": "a network",
        "parameters": 1,
        "scores": {"test": scores},
    }
    html = render_run(RunFacts(**facts, **forecast_examples(model, parts.test, scores)))
    page = Page(html)
    assert_loads_nothing(page)
    for words in (
        "What comes next",
        "Beside naive forecasts",
        "this model",
        "the mean of the window",
        "Error by step ahead",
        "True values below each quantile",
        "Coverage of the 80% interval by step ahead",
        "of 12 series.",
        "Of 12 series the best, the median and the worst ones",
        "The line marks the first step ahead",
    ):
        assert words in page.text, words
    assert "May" in page.text  # on the axes
    assert len(html) < 400_000


def test_without_dates_steps_are_counted_and_years_stay_years(tmp_path: Path) -> None:
    columns = {"y": series(1)["y"]}
    model, parts = trained(columns, tmp_path / "counted")
    assert parts.test is not None
    shown = forecast_examples(model, parts.test, model.predictor.scores(parts.test))
    assert np.size(shown["series"][0].times) == 0
    assert "Step 0 is the first step ahead" in shown["series_note"]
    columns = {"year": [1900 + step for step in range(STEPS)], **columns}
    model, parts = trained(columns, tmp_path / "years", time="year")
    assert parts.test is not None
    shown = forecast_examples(model, parts.test, model.predictor.scores(parts.test))
    assert list(shown["ahead"][0].times[-HORIZON:]) == [1960, 1961, 1962, 1963]


def test_the_model_is_ranked_among_the_naive_forecasts(tmp_path: Path) -> None:
    model, parts = trained({"y": series(1)["y"]}, tmp_path)
    assert parts.test is not None
    scores = model.predictor.scores(parts.test)
    beside = forecast_sections(scores, "#0072b2", "")["beside"]
    assert beside["columns"] == ["MASE", "Mean absolute error"]
    order = [name for name, _, _ in beside["rows"]]
    all_scores = {"this model": scores.values, **scores.details["naive"]}
    assert order == sorted(order, key=lambda name: all_scores[name]["mase"])
    assert [name for name, _, is_model in beside["rows"] if is_model] == ["this model"]
    assert forecast_sections(scores, "#0072b2", "")["by_series"] is None


@pytest.mark.parametrize("origins", [1, 3, 99])
def test_origins_are_evenly_spread_over_the_part(origins: int, tmp_path: Path) -> None:
    model, parts = trained(series(2), tmp_path, sequence_id="item", time="t")
    assert parts.test is not None
    scores = model.predictor.scores(parts.test, origins=origins)
    steps = STEPS - HORIZON - int(parts.test.spans.start[0]) + 1  # type: ignore[union-attr]
    each = min(origins, steps)
    assert scores.count == 2 * each * HORIZON
    assert scores.notes[0].startswith(f"{2 * each} origins of 2 series, {each} of each")
    assert ("no series has 99 steps to begin at" in scores.notes[0]) == (origins == 99)
    assert ("which overlap" in scores.notes[0]) == (origins > 1)
