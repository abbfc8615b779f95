"""Forecasting, from a long table to quantiles: of a known process, and what goes wrong."""

from __future__ import annotations

import csv
import datetime
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from elman.batches.forecast_windows import ForecastWindows, origins_between
from elman.errors import DataError, ElmanError, ExperimentError, OptionError
from elman.models.model import Model, load
from elman.runs.train import train
from elman.tasks.forecast import encode_series
from elman.tasks.layout import layout_of
from report.pages import Page, assert_loads_nothing

HORIZON = 4
QUICK = {
    "horizon": HORIZON,
    "epochs": 1,
    "hidden_size": 3,
    "accelerator": "cpu",
    "forecast.distribution": "gaussian",
    "samples": 20,
}


def days(count: int, begin: str = "2024-01-01") -> list[datetime.date]:
    first = datetime.date.fromisoformat(begin)
    return [first + datetime.timedelta(day) for day in range(count)]


def write(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(header), *map(list, rows)])
    return path


def sales(folder: Path, *, ahead: int = 0, name: str = "sales.csv") -> Path:
    """Two items, promotions known in advance; so many days ahead without sales."""
    random = np.random.default_rng(3)
    rows = []
    for item, level in (("tea", 20), ("ink", 200)):
        for number, day in enumerate(days(80 + ahead)):
            promotion = int(number % 5 == 0)
            units = round(level * (1 + promotion) + random.normal(), 2)
            rows.append([day, item, promotion, units if number < 80 else ""])
    return write(folder / name, ["day", "item", "promotion", "units"], rows)


def sales_model(folder: Path, **settings: Any) -> Model:
    asked = {"sequence_id": "item", "time": "day", "target": "units", "known": "promotion"}
    return train(str(sales(folder)), out=folder / "run", **QUICK, **asked, **settings)


def series_model(folder: Path, values: Iterable[Any], **settings: Any) -> Model:
    values = list(values)
    path = write(folder / "series.csv", ["day", "y"], zip(days(len(values)), values, strict=True))
    asked = {"time": "day", "target": "y"} | QUICK | settings
    return train(str(path), out=folder / "run", **asked)


def autoregression(steps: int, phi: float, sigma: float, mean: float) -> list[float]:
    random = np.random.default_rng(5)
    y, found = 0.0, []
    for _ in range(steps):
        y = phi * y + sigma * random.normal()
        found.append(mean + y)
    return found


@pytest.mark.slow
def test_a_forecaster_recovers_an_autoregression_and_covers_what_comes(tmp_path: Path) -> None:
    phi, sigma, mean = 0.8, 2.0, 50.0
    model = series_model(
        tmp_path,
        autoregression(1_500, phi, sigma, mean),
        **{"forecast.scaling": "global", "forecast.samples": 200, "network.hidden_size": 8},
        **{"training.epochs": 6, "training.learning_rate": 0.01, "data.window": 12},
        **{"training.batch_size": 32, "data.test_fraction": 0.2},
    )
    table = layout_of(model.experiment.data).parts(1).test
    assert table is not None
    assert table.spans is not None
    (series,) = encode_series(model.task, table)
    origins = origins_between(table.spans.start, table.spans.stop - HORIZON, 1)
    feature: Any = model.task.input
    network: Any = model.network
    windows = ForecastWindows(
        [series], origins, feature.layout, window=12, horizon=HORIZON, batch_size=1_000
    )
    (batch,) = windows.epoch(0)
    with torch.no_grad():
        outputs, _ = network(batch.input, lengths=batch.lengths, target=batch.target)
        parameters = network.objective.parameters_of(outputs)[..., 0, :]
    before = batch.target[:-1, :, 0].flatten() - mean
    expected = parameters[1:, :, 0].flatten() - mean
    slope = float((before * expected).sum() / before.square().sum())
    assert slope == pytest.approx(phi, abs=0.08)
    assert float(parameters[..., 1].mean()) == pytest.approx(sigma, rel=0.1)
    scores = model.evaluate("test")
    assert 0.7 < scores["coverage"] < 0.9
    # The spread of paths, which is that of the process: σ² (1 + φ² + φ⁴ + …).
    found = model.forecast(quantiles=[0.1, 0.9])
    widths = np.array(found["0.9"]) - np.array(found["0.1"])
    spread = sigma * np.sqrt(np.cumsum(phi ** (2 * np.arange(HORIZON))))
    assert widths == pytest.approx(2 * 1.2816 * spread, rel=0.25)


def test_series_are_forecast_from_their_ends_with_what_is_known_of_the_future(
    tmp_path: Path,
) -> None:
    model = sales_model(tmp_path)
    ahead = sales(tmp_path, ahead=3, name="ahead.csv")
    found = model.forecast(ahead, horizon=3, quantiles=[0.1, 0.9])
    assert list(found) == ["item", "day", "step", "mean", "0.1", "0.9"]
    assert found["item"] == ["tea"] * 3 + ["ink"] * 3
    assert found["day"] == days(3, "2024-03-21") * 2
    assert found["step"] == [1, 2, 3] * 2
    assert all(low <= high for low, high in zip(found["0.1"], found["0.9"], strict=True))
    assert model.forecast(ahead, horizon=3, quantiles=[0.1, 0.9]) == found
    assert model.forecast(ahead, horizon=3, quantiles=[0.1, 0.9], seed=2) != found


def test_a_model_forecasts_alike_once_it_was_saved_and_loaded(tmp_path: Path) -> None:
    model = sales_model(tmp_path)
    ahead = sales(tmp_path, ahead=4, name="ahead.csv")
    assert load(tmp_path / "run").forecast(ahead) == model.forecast(ahead)
    assert load(tmp_path / "run").evaluate("test") == model.evaluate("test")


def test_what_must_be_known_of_the_future_is_asked_for(tmp_path: Path) -> None:
    model = sales_model(tmp_path)
    with pytest.raises(DataError, match=r"promotion must be known of the 4 steps after 2024-03-20"):
        model.forecast()
    ahead = sales(tmp_path, ahead=3, name="ahead.csv")
    with pytest.raises(DataError, match=r"line 2: promotion must be known .* 3 of them are there"):
        model.forecast(ahead)


def test_a_test_part_is_the_last_of_every_series_and_nothing_is_learned_of_it(
    tmp_path: Path,
) -> None:
    model = sales_model(tmp_path)
    parts = layout_of(model.experiment.data).parts(1)
    assert parts.test is not None
    assert [
        list(map(len, part.column("units"))) for part in (parts.train, parts.valid, parts.test)
    ] == [
        [64, 64],
        [72, 72],
        [80, 80],
    ]
    spans = [part.spans for part in (parts.valid, parts.test)]
    assert [each.start.tolist() for each in spans if each is not None] == [[64, 64], [72, 72]]
    feature: Any = model.task.input
    learned = np.concatenate([np.asarray(each) for each in parts.train.column("units")])
    assert feature.means == pytest.approx([learned.mean()])


def test_evaluation_goes_on_from_every_horizons_end(tmp_path: Path) -> None:
    model = sales_model(tmp_path)
    scores = model.scores("test")
    assert scores.kind == "forecast"
    assert scores.main == "mase"
    assert scores.count == 2 * 8
    assert "4 forecasts of 4 steps each of 2 series." in scores.notes


@pytest.mark.usefixtures("pages")
def test_the_page_shows_forecasts_of_every_target_beside_what_came(tmp_path: Path) -> None:
    sales_model(tmp_path)
    page = Page((tmp_path / "run" / "report.html").read_text(encoding="utf-8"))
    assert_loads_nothing(page)
    for words in (
        "units forecast 4 steps ahead (sales)",
        "How well does it forecast “units”?",
        "Series 2 training, 2 validation, 2 test.",
        "as series",
        "Predictions and true values",
        "The best series, ",
        "tea (MASE ",
        "The worst series, ",
        "ink (MASE ",
        "from 2024-03-13",
        "from 2024-03-17",
        "Dotted: a naive forecast, the value",
        "The band is the 80% interval",
    ):
        assert words in page.text, words


def test_missing_values_are_masked_and_told_of(tmp_path: Path) -> None:
    values: list[Any] = [round(10 + math.sin(day), 3) for day in range(80)]
    values[20] = values[30] = ""
    model = series_model(tmp_path, values)
    assert any("2 missing training values of y: " in note for note in model.task.input.notes)
    assert np.isfinite(model.forecast()["mean"]).all()


def test_a_constant_series_is_forecast_as_it_is(tmp_path: Path) -> None:
    model = series_model(tmp_path, [7.0] * 80, **{"forecast.scaling": "standard"})
    assert model.forecast(quantiles=[0.5])["0.5"] == pytest.approx([7.0] * HORIZON, abs=0.1)


@pytest.mark.parametrize("distribution", ["student-t", "negative-binomial", "quantiles", "point"])
def test_every_distribution_goes_the_whole_way(tmp_path: Path, distribution: str) -> None:
    counts = np.random.default_rng(1).poisson(5, 80).tolist()
    settings: dict[str, Any] = {"forecast.distribution": distribution}
    if distribution in {"quantiles", "point"}:  # they sample nothing
        settings["samples"] = 200
    model = series_model(tmp_path, counts, **settings)
    found = load(tmp_path / "run").forecast(quantiles=[0.5])
    assert found == model.forecast(quantiles=[0.5])
    assert np.isfinite(found["0.5"]).all()
    assert np.isfinite(model.evaluate("test")["mae"])


def test_several_targets_have_columns_of_their_own(tmp_path: Path) -> None:
    rows = [[step, math.sin(step), math.cos(step)] for step in range(80)]
    path = write(tmp_path / "waves.csv", ["t", "sine", "cosine"], rows)
    model = train(str(path), out=tmp_path / "run", time="t", target=["sine", "cosine"], **QUICK)
    found = model.forecast(quantiles=[0.5])
    assert list(found) == ["t", "step", "sine mean", "sine 0.5", "cosine mean", "cosine 0.5"]
    assert found["t"] == [80, 81, 82, 83]


def test_feedback_goes_on_as_far_as_asked_and_one_answer_for_all_steps_does_not(
    tmp_path: Path,
) -> None:
    values = [math.sin(day) for day in range(80)]
    model = series_model(tmp_path, values)
    assert len(model.forecast(horizon=11)["mean"]) == 11
    (tmp_path / "other").mkdir()
    model = series_model(
        tmp_path / "other", values, **{"forecast.distribution": "quantiles", "samples": 200}
    )
    assert len(model.forecast(horizon=2)["mean"]) == 2
    with pytest.raises(OptionError, match=r"predicts 4 steps ahead at once, got horizon=5"):
        model.forecast(horizon=5)
    with pytest.raises(OptionError, match=r"only quantiles between 0\.025 and 0\.975 were"):
        model.forecast(quantiles=[0.01])


@pytest.mark.parametrize(
    ("values", "settings", "error", "words"),
    [
        ([1.0] * 9, {}, DataError, "the longest series has 9 steps, too few for validation"),
        ([2.0, -1.0] * 40, {"forecast.distribution": "negative-binomial"}, DataError, "y is -1"),
        ([1.5] * 80, {"target": "next"}, ExperimentError, "name the columns to forecast as target"),
        ([1.5] * 80, {"known": "y"}, ExperimentError, "'y' is forecast, so its future"),
        ([1.5] * 80, {"known": "z"}, ExperimentError, "unknown column 'z'"),
        (
            [1.5] * 80,
            {"horizon": 0, "known": "z"},
            ExperimentError,
            "is for forecasts; set horizon",
        ),
        ([1.5] * 80, {"network.category": "many-to-one"}, ExperimentError, "does not suit"),
        ([1.5] * 80, {"decoder.attention": "dot"}, ExperimentError, r"\[decoder\] is for netw"),
        ([""] * 80, {}, DataError, "missing in all training rows"),
        (["many"] * 80, {}, DataError, "column y: 'many' is no number"),
        (
            [1.5] * 80,
            {"frequency": "week"},
            DataError,
            "whole number of steps after 2024-01-01 at frequency 'week'",
        ),
    ],
)
def test_what_cannot_be_forecast_is_refused_in_words(
    tmp_path: Path, values: list[Any], settings: dict[str, Any], error: type[ElmanError], words: str
) -> None:
    with pytest.raises(error, match=words):
        series_model(tmp_path, values, **settings)


def test_a_model_of_another_task_does_not_forecast_and_a_forecaster_has_no_rows_to_answer(
    tmp_path: Path,
) -> None:
    model = series_model(tmp_path, [math.sin(day) for day in range(80)])
    with pytest.raises(OptionError, match="this model forecasts"):
        model.predict(str(tmp_path / "series.csv"))
    with pytest.raises(OptionError, match="quantiles must be levels between 0 and 1"):
        model.forecast(quantiles=[0.1, 1.5])
    with pytest.raises(OptionError, match="horizon must be at least 1, got 0"):
        model.forecast(horizon=0)
