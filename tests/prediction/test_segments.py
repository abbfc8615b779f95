"""Forecasts of networks that read segments, from data to numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import elman
from elman.errors import ElmanError, OptionError
from elman.experiment import Experiment, read_experiment
from elman.prediction.backtest import rolling_forecasts
from elman.prediction.forecasts import ForecastOptions
from elman.runs.train import experiment_for, train_run
from elman.tasks.layout import layout_of
from forecast_runs import SETTINGS, Numbers, medians, rows_of, trained, walk, week

NAN = float("nan")


def test_a_series_times_a_million_and_a_billion_higher_is_forecast_so(tmp_path: Path) -> None:
    # In 32 bits a number near 1e9 is rounded to 64, a 30,000th of the series' deviation; sums of
    # such a window to some times as much, and two epochs of updates amplify it a little.
    values = week(120)
    small = trained(tmp_path / "small", rows_of(values), epochs=3)
    large = trained(tmp_path / "large", rows_of(values * 1e6 + 1e9), epochs=3)
    expected = medians(small, rows_of(values)) * 1e6 + 1e9
    found = medians(large, rows_of(values * 1e6 + 1e9))
    assert np.abs(found - expected).max() < 0.01 * values.std() * 1e6


def gone(place: str, steps: int) -> Numbers:
    marks = np.zeros(steps)
    places = {
        "first": [0],
        "last": [steps - 1],
        "a season": range(60, 67),
        "the last season": range(steps - 7, steps),
        "many": np.random.default_rng(3).choice(steps, steps // 2, replace=False),
        "half": range(steps // 3, 2 * steps // 3),
    }
    marks[list(places[place])] = NAN
    return marks


@pytest.mark.parametrize("place", ["first", "last", "a season", "the last season", "many", "half"])
def test_missing_values_anywhere_leave_forecasts_and_losses_finite(
    tmp_path: Path, place: str
) -> None:
    rows = rows_of(week(120) + gone(place, 120))
    run = trained(tmp_path / "run", rows, epochs=1, **{"forecast.folds": 0})
    assert np.isfinite(medians(run, rows)).all()
    assert all(np.isfinite([each.train_loss, each.valid_loss]).all() for each in run.result.curve)


SERIES: dict[str, Numbers] = {
    "thirty steps": walk(30),
    "shorter than window and horizon": week(24),
    "constant": np.full(90, 7.0),
    "two values": np.resize([0.0, 1.0, 1.0], 90),
    "zeros": np.zeros(90),
    "zeros with bursts": (np.random.default_rng(2).random(150) < 0.1) * 40.0,
    "a step": np.repeat([1.0, 9.0], 60),
    "huge": walk(90) * 1e15,
    "tiny": walk(90) * 1e-15,
}


@pytest.mark.parametrize("kind", SERIES)
def test_every_series_is_trained_on_and_forecast(tmp_path: Path, kind: str) -> None:
    values = SERIES[kind]
    run = trained(tmp_path / "run", rows_of(values), epochs=1)
    found = medians(run, rows_of(values))
    assert len(found) == 4
    assert np.isfinite(found).all()
    if np.ptp(values) == 0:
        np.testing.assert_allclose(found, values[0], rtol=1e-6)
    spread = np.ptp(values)
    assert values.min() - 3 * spread <= found.min()
    assert found.max() <= values.max() + 3 * spread


def test_series_of_unequal_lengths_are_forecast_each_and_an_unknown_one_too(
    tmp_path: Path,
) -> None:
    series = [week(90, 1), week(140, 2) * 100, week(35, 3), week(12, 4)]
    run = trained(tmp_path / "run", rows_of(*series))
    found = medians(run, rows_of(*series)).reshape(4, 4)
    for values, forecast in zip(series, found, strict=True):
        assert abs(forecast - values.mean()).max() < 3 * np.ptp(values)
    new = rows_of(week(60, 9), week(60, 8))
    new["item"] = [f"new {item}" for item in new["item"]]
    assert np.isfinite(medians(run, new)).all()


@pytest.mark.parametrize(
    "steps", [pytest.param(1_000_000, marks=pytest.mark.slow), 30_000], ids=str
)
def test_a_long_series_is_trained_on_in_the_minutes_given(tmp_path: Path, steps: int) -> None:
    rows = rows_of(week(steps))
    run = trained(tmp_path / "run", rows, max_minutes=0.001, epochs=9, horizon=7)
    assert run.result.epochs == 1
    assert "stopped after" in run.said
    assert np.abs(medians(run, rows) - np.resize(week(7, noise=0), 7 + steps % 7)[-7:]).max() < 9


def test_a_random_walk_is_forecast_by_its_last_value_and_that_is_said(tmp_path: Path) -> None:
    values = walk(300, 6)
    run = trained(tmp_path / "run", rows_of(values), epochs=3)
    assert "the network is not clearly better than the naive forecast, the last value" in run.said
    assert "forecasts are the naive ones" in run.said
    assert (medians(run, rows_of(values)) == np.float32(values[-1])).all()
    own = trained(tmp_path / "own", rows_of(values), epochs=3, fallback=False)
    assert "forecasts are the naive ones" not in own.said
    assert (medians(own, rows_of(values)) != np.float32(values[-1])).all()


def test_what_repeats_is_forecast_by_the_network_where_it_is_better(tmp_path: Path) -> None:
    # Of noise as large as this the mean of all weeks errs less than the last week does.
    values = week(600, noise=1.0)
    run = trained(tmp_path / "run", rows_of(values), epochs=8, average_decay=0.0)
    assert "forecasts are the naive ones" not in run.said
    scores = run.result.scores["test"]
    naive = scores.details["naive"][scores.details["best_naive"]]
    assert scores.values["mae"] < 0.95 * naive["mae"]


def test_the_naive_forecast_that_is_asked_for_is_corrected(tmp_path: Path) -> None:
    rows = rows_of(walk(90))
    settings: dict[str, Any] = {"season": 7, "naive": "season 7", "epochs": 1}
    run = trained(tmp_path / "run", rows, **settings)
    assert run.model.network.naive_name == "season 7"
    assert "the value 7 steps before" in run.said
    run.model.network.calibration.set_share(0.0)
    expected = np.float32(rows["y"][-7:-3])
    assert (medians(run, rows) == expected).all()


CONTRADICTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "naive": ({"naive": "season 5"}, r"unknown .*'season 5'.*season 7"),
    "folds": ({"forecast.folds": 1}, "folds must be 0, or at least 2"),
    "training.folds": ({"training.folds": 3}, "use forecast.folds"),
    "members": ({"forecast.folds": 3, "members": 2}, "folds are members of their own"),
    "feedback": ({"segment": 7, "forecast.feedback": True}, "predicts all steps at once"),
    "a density": ({"segment": 7, "distribution": "gaussian"}, "say forecast.feedback = false"),
    "naive, no segment": ({"segment": 0, "naive": "last"}, "naive = 'last' is for forecasts that"),
    "members, feedback": (
        {"forecast.feedback": True, "members": 2},
        "members = 2 is for forecasts that",
    ),
    "scaling": ({"segment": 7, "scaling": "standard"}, "scaling has no effect where segments"),
    "scaling, naive": ({"scaling": "standard", "naive": "last"}, r"forecast\.naive = 'last'"),
    "highway, naive": ({"highway": 3, "members": 3}, r"forecast\.members = 3"),
    "samples": ({"samples": 50}, r"samples = 50 is for sampled paths"),
    "fallback, no segment": (
        {"segment": 0, "fallback": False},
        "fallback = False is for forecasts",
    ),
    "highway, fallback": ({"highway": 3, "fallback": False}, r"forecast\.fallback = False"),
    "highway": ({"segment": 7, "highway": 3}, "linear map of the whole window"),
    "counts": ({"distribution": "negative-binomial", "forecast.feedback": False}, "segment = 0"),
}


@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_settings_that_contradict_each_other_are_refused_before_training(
    tmp_path: Path, kind: str
) -> None:
    settings, words = CONTRADICTIONS[kind]
    rows = rows_of(np.round(week(90) * 3))
    with pytest.raises(ElmanError, match=words):
        trained(tmp_path / "run", rows, **{"season": 7} | settings)
    assert not (tmp_path / "run").exists()


def test_a_seed_is_refused_where_nothing_is_sampled(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", rows_of(week(90)), epochs=1)
    with pytest.raises(OptionError, match="samples nothing but paths"):
        run.model.predictor.columns(None, seed=3)


def test_a_season_changes_window_and_segment_and_so_the_model(tmp_path: Path) -> None:
    rows = rows_of(walk(300))
    none, day, both = (
        trained(tmp_path / str(n), rows, epochs=1, **given).model.experiment
        for n, given in enumerate(({}, {"season": 24}, {"season": [5, 40]}))
    )
    assert [each.data.window for each in (none, day, both)] == [32, 48, 80]
    assert [each.forecast.segment for each in (none, day, both)] == [1, 24, 5]


def test_several_seasons_are_read_from_toml_and_from_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    path.write_text('[data]\nfiles = ["x.csv"]\nhorizon = 4\nseason = [24, 168]\n')
    assert read_experiment(path).data.seasons == [24, 168]
    empty = Experiment.from_values({"data": {"files": ["x.csv"]}}, origin="it")
    from elman.experiment.overrides import parse_overrides

    given = parse_overrides(["horizon=4", "data.season=[168, 24]"])
    assert empty.override(given).data.seasons == [24, 168]


def test_a_run_is_the_same_from_its_own_settings_and_where_it_is_resumed(tmp_path: Path) -> None:
    rows = rows_of(week(120))
    table = tmp_path / "rows.csv"
    lines = [f"{t},{y}" for t, y in zip(rows["t"], rows["y"], strict=True)]
    table.write_text("\n".join(["t,y", *lines]))
    experiment, _ = experiment_for(str(table), SETTINGS | {"epochs": 3})
    first = train_run(experiment, tmp_path / "first")
    own = read_experiment(tmp_path / "first" / "experiment.toml")
    again = train_run(own, tmp_path / "again")
    (tmp_path / "first" / "result.json").unlink()
    resumed = train_run(experiment, tmp_path / "first", resume=True)
    loaded = elman.load(tmp_path / "first")
    expected = first.model.forecast()
    for other in (again.model, resumed.model, loaded):
        assert other.forecast() == expected
        for name, weight in first.model.network.state_dict().items():
            assert torch.equal(weight, other.network.state_dict()[name]), name
    assert first.result.scores == again.result.scores == resumed.result.scores


def poisoned(rows: dict[str, list[Any]], begin: int, value: float, name: str) -> dict[str, Any]:
    """Rows with other values, past covariates and past names from a step on."""
    changed = {column: list(cells) for column, cells in rows.items()}
    for step in range(begin, len(rows["y"])):
        changed["y"][step] = changed["seen"][step] = value
        changed["name"][step] = name
    return changed


def with_covariates(steps: int) -> dict[str, list[Any]]:
    rows = rows_of(week(steps))
    rows["seen"] = np.random.default_rng(1).normal(size=steps).tolist()
    rows["seen"][5] = None  # so that a missing one may come
    rows["name"] = [("a", "b", "c")[step % 3] for step in range(steps)]
    rows["plan"] = [float(step % 5) for step in range(steps)]
    return rows


KNOWN: dict[str, Any] = {"known": ["plan"], "columns.name.kind": "category"}


@pytest.mark.parametrize("naive", ["last", "mean", "drift", "season 7", None])
def test_forecasts_of_the_test_part_do_not_read_the_future(
    tmp_path: Path, naive: str | None
) -> None:
    rows, origin = with_covariates(110), 99
    settings = KNOWN | {"season": 7, "fallback": False, "epochs": 1}
    run = trained(tmp_path / "run", rows, **settings, **({"naive": naive} if naive else {}))
    layout, options = layout_of(run.model.experiment.data), ForecastOptions(stride=1)
    test = layout.parts(1, rows).test
    assert test is not None
    expected = rolling_forecasts(run.model.task, run.model.network, test, options, 8)
    (cells,) = test.values(test.columns)
    for value, name in ((1e30, "b"), (NAN, "c"), (-5e8, "new")):
        new = {"y": value, "seen": value, "name": name}
        changed = test.with_columns(
            {
                column: [[*cell[:origin], *[new[column]] * (len(cell) - origin)]]
                for column, cell in zip(test.columns, cells, strict=True)
                if column in new
            }
        )
        found = rolling_forecasts(run.model.task, run.model.network, changed, options, 8)
        steps = found.origins.step.tolist()
        before = [place for place, step in enumerate(steps) if step <= origin]
        assert before
        for place in before:
            there = expected.origins.step.tolist().index(steps[place])
            for level in found.quantiles:
                mine, theirs = found.quantiles[level][place], expected.quantiles[level][there]
                assert np.array_equal(mine, theirs)


def test_training_choice_and_calibration_do_not_depend_on_the_test_part(tmp_path: Path) -> None:
    rows = with_covariates(110)
    runs = [
        trained(tmp_path / str(n), each, **KNOWN)
        for n, each in enumerate((rows, poisoned(rows, 100, 1e7, "b")))
    ]
    weights = [run.model.network.state_dict() for run in runs]
    for name, weight in weights[0].items():
        assert torch.equal(weight, weights[1][name]), name
    assert runs[0].model.task.input.to_json() == runs[1].model.task.input.to_json()
    assert runs[0].model.experiment.forecast == runs[1].model.experiment.forecast
    assert runs[0].result.scores["valid"] == runs[1].result.scores["valid"]


def test_a_window_is_read_without_the_name_of_its_series(tmp_path: Path) -> None:
    rows = rows_of(week(120), week(120, seed=1) + 30)
    run = trained(tmp_path / "run", rows, epochs=2)
    assert run.model.experiment.forecast.item_embedding is False
    renamed = rows | {"item": ["other" if item == "s0" else item for item in rows["item"]]}
    assert medians(run, renamed).tolist() == medians(run, rows).tolist()
    assert run.model.predictor.notes_of(run.model.table(renamed, with_targets=False)) == []


def test_names_of_series_are_learned_where_that_is_asked_for(tmp_path: Path) -> None:
    rows = rows_of(week(120), week(120, seed=1) + 30)
    run = trained(tmp_path / "run", rows, epochs=2, item_embedding=True, fallback=False)
    renamed = rows | {"item": ["other" if item == "s0" else item for item in rows["item"]]}
    found, others = medians(run, rows), medians(run, renamed)
    assert found[:4].tolist() != others[:4].tolist()
    assert found[4:].tolist() == others[4:].tolist()
    (note,) = run.model.predictor.notes_of(run.model.table(renamed, with_targets=False))
    assert "'other'" in note


def test_a_vector_of_each_item_needs_items(tmp_path: Path) -> None:
    with pytest.raises(ElmanError, match="item_embedding = true is for several series"):
        trained(tmp_path / "run", rows_of(week(120)), item_embedding=True)
