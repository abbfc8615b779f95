"""Forecasts with categories, and with what is known of a series: learned, missing, unknown."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elman.errors import DataError
from elman.models.model import Model, load
from elman.runs.run import run_experiment
from elman.runs.train import experiment_for, train

HORIZON = 4
QUICK = {"horizon": HORIZON, "epochs": 1, "hidden_size": 3, "accelerator": "cpu"}
LEARNING = {
    "horizon": HORIZON,
    "target": "sold",
    "time": "t",
    "window": 1,
    "accelerator": "cpu",
    "hidden_size": 12,
    "output_dropout": 0.0,
    "forecast.distribution": "point",
    "forecast.scaling": "global",
    "epochs": 8,
    "batch_size": 16,
    "learning_rate": 0.05,
    "weight_decay": 0.0,
    "average_decay": 0.0,
}
"""So that a few seconds are enough to learn by heart."""
Columns = Mapping[str, list[Any]]


def learned(folder: Path, columns: Columns, **settings: Any) -> Model:
    """Train without a page, which takes longer than the training."""
    experiment, values = experiment_for(dict(columns), LEARNING | settings)
    return run_experiment(experiment, folder, source=values, page=False).model


def without(columns: Columns, *names: str) -> Columns:
    return {name: values for name, values in columns.items() if name not in names}


def promotions(steps: int = 160) -> Columns:
    """Thirty are sold where there is a promotion, which nothing before tells, else ten."""
    random = np.random.default_rng(1)
    promo = random.random(steps) < 0.4
    sold = np.where(promo, 30.0, 10.0) + 0.2 * random.normal(size=steps)
    names = ["yes" if each else "no" for each in promo]
    return {"t": list(range(steps)), "promo": names, "sold": sold.round(3).tolist()}


def shops(first: int, count: int, *, seed: int) -> Columns:
    """What a promotion does depends on the group of the shop, which the last step does not tell."""
    random = np.random.default_rng(seed)
    columns: dict[str, list[Any]] = {
        name: [] for name in ("shop", "t", "group", "strength", "promo", "sold")
    }
    for shop in range(first, first + count):
        group = shop % 3
        strength = (0.5, 1.5, 3.0)[group]
        for step in range(20):
            promo = int(random.random() < 0.4)
            sold = 10 * (strength if promo else 1) + 0.2 * random.normal()
            row = (f"shop {shop}", step, "abc"[group], strength, promo, round(sold, 3))
            for name, value in zip(columns, row, strict=True):
                columns[name].append(value)
    return columns


def test_a_known_category_that_explains_the_value_is_learned(tmp_path: Path) -> None:
    data = promotions()
    model = learned(tmp_path / "with", data, known="promo")
    blind = learned(tmp_path / "without", without(data, "promo"))
    assert model.evaluate(data)["mae"] < 1
    assert blind.evaluate(without(data, "promo"))["mae"] > 5


@pytest.mark.slow
@pytest.mark.parametrize("static", ["group", "strength"])
def test_what_is_known_of_a_series_is_learned_for_new_series(tmp_path: Path, static: str) -> None:
    rest = ("group", "strength")
    unread = tuple(name for name in rest if name != static)
    settings = {"sequence_id": "shop", "known": "promo"}
    seen, new = shops(0, 45, seed=2), shops(45, 12, seed=9)
    model = learned(tmp_path / "with", without(seen, *unread), **settings)
    blind = learned(tmp_path / "without", without(seen, *rest), **settings)
    assert model.task.input.fixed == (static,)  # type: ignore[attr-defined]
    assert model.evaluate(without(new, *unread))["mae"] < 1
    assert blind.evaluate(without(new, *rest))["mae"] > 2


def write(path: Path, header: Collection[str], rows: Collection[Collection[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(header), *map(list, rows)])
    return path


HEADER = ("day", "shop", "region", "size", "sky", "promo", "holiday", "sold")


def sales(
    folder: Path, name: str = "sales.csv", *, ahead: int = 0, **changes: Mapping[int, Any]
) -> Path:
    """Four shops of 60 days, and so many days ahead, at first without what only the past has.

    Args:
        folder: of the file.
        name: of the file.
        ahead: days ahead.
        changes: name of a column → row → its cell.
    """
    random = np.random.default_rng(3)
    rows = []
    for shop in range(4):
        for number in range(60 + ahead):
            day = datetime.date(2024, 1, 1) + datetime.timedelta(number)
            past = number < 60
            sky = ("wet", "dry", "fog")[number % 3] if past else ""
            holiday = "Feast" if number % 9 == 4 else ""
            sold = round(10 * (shop + 1) + random.normal(), 2) if past else ""
            fixed = [("north", "south")[shop % 2], 100 + 50 * shop] if past else ["", ""]
            promo = "yes" if number % 5 == 0 else "no"
            rows.append([day, f"shop {shop}", *fixed, sky, promo, holiday, sold])
    for column, cells in changes.items():
        for row, cell in cells.items():
            rows[row][HEADER.index(column)] = cell
    return write(folder / name, HEADER, rows)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("sales")
    asked = {"sequence_id": "shop", "time": "day", "target": "sold", "known": ["promo", "holiday"]}
    return train(str(sales(folder)), out=folder / "run", **QUICK, **asked)


def notes(model: Model, path: Path) -> list[str]:
    return model.predictor.notes_of(model.table(str(path), with_targets=False))


def test_the_task_says_what_it_reads(model: Model) -> None:
    assert model.task.sentence.startswith(
        "input: sold, sky, promo, holiday, day of the week of 4 series with size and region, 26 "
        "steps back; target: the next 4 days of sold"
    )
    assert model.experiment.data.per_sequence == ["size", "region"]
    assert model.experiment.data.columns == {
        name: {"kind": "category"} for name in ("sky", "promo", "holiday", "region")
    }


def test_rows_ahead_need_only_what_is_known_of_the_future(model: Model, tmp_path: Path) -> None:
    ahead = sales(tmp_path, ahead=HORIZON)
    assert notes(model, ahead) == []
    plain = model.forecast(str(ahead))
    other = sales(tmp_path, "other.csv", ahead=HORIZON, promo={60: "yes", 61: "yes"})
    assert model.forecast(str(other))["mean"][1] != plain["mean"][1]
    assert model.forecast(str(other))["mean"][HORIZON:] == plain["mean"][HORIZON:]


def test_past_names_in_rows_ahead_are_not_read(model: Model, tmp_path: Path) -> None:
    ahead = sales(tmp_path, ahead=HORIZON)
    told = sales(tmp_path, "told.csv", ahead=HORIZON, sky={60: "wet", 61: "fog"})
    assert model.forecast(str(told)) == model.forecast(str(ahead))


def test_a_model_forecasts_alike_once_it_was_saved_and_loaded(model: Model, tmp_path: Path) -> None:
    ahead = str(sales(tmp_path, ahead=HORIZON))
    copy = load(model.save(tmp_path / "copy"))
    assert copy.forecast(ahead) == model.forecast(ahead)
    assert copy.evaluate("test") == model.evaluate("test")


def test_a_known_category_must_be_known_ahead(model: Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="promo must be known of the 4 steps after 2024-02-29, and"):
        model.forecast()
    gap = sales(tmp_path, ahead=HORIZON, promo={62: ""})
    with pytest.raises(DataError, match=r"line 2: promo must be .* 3 of them are there\. Add rows"):
        model.forecast(str(gap))
    short = sales(tmp_path, "short.csv", ahead=HORIZON - 1)
    with pytest.raises(DataError, match="and 3 of them are there"):
        model.forecast(str(short))


def test_a_blank_name_is_known_ahead_where_the_past_has_blank_ones(
    model: Model, tmp_path: Path
) -> None:
    ahead = sales(tmp_path, ahead=HORIZON, holiday={60: "", 61: "", 62: "", 63: ""})
    feast = sales(tmp_path, "feast.csv", ahead=HORIZON, holiday={60: "Feast"})
    assert model.forecast(str(ahead))["mean"][0] != model.forecast(str(feast))["mean"][0]


def test_unknown_names_are_read_as_unknown_and_said(model: Model, tmp_path: Path) -> None:
    regions = dict.fromkeys(range(64, 124), "west")
    odd = sales(tmp_path, ahead=HORIZON, sky={3: "hail", 4: "hail", 5: "snow"}, region=regions)
    assert notes(model, odd) == [
        "3 of 256 steps have a name in sky that no training row has, and that is read as unknown: "
        "'hail', 'snow'; first in the series that begins at sales.csv, line 2.",
        "1 of 4 series has a name in region that no training row has, and that is read as unknown: "
        "'west'; first in the series that begins at sales.csv, line 66.",
    ]
    blank = sales(tmp_path, "blank.csv", ahead=HORIZON, region=dict.fromkeys(regions, ""))
    assert notes(model, blank) == []
    found = [model.forecast(str(path)) for path in (odd, blank)]
    assert found[0]["mean"][HORIZON : 2 * HORIZON] == found[1]["mean"][HORIZON : 2 * HORIZON]


def test_a_missing_name_is_read_as_unknown(model: Model, tmp_path: Path) -> None:
    files = [
        sales(tmp_path, f"sky {name}.csv", ahead=HORIZON, sky={59: name})
        for name in ("", "hail", "wet")
    ]
    blank, hail, wet = (model.forecast(str(path))["mean"][0] for path in files)
    assert blank == hail != wet


def test_a_static_value_that_changes_is_refused(model: Model, tmp_path: Path) -> None:
    odd = sales(tmp_path, ahead=HORIZON, region={9: "south"})
    words = "sales.csv, line 2 has region 'north' and sales.csv, line 11 has region 'south'"
    with pytest.raises(DataError, match=words):
        model.forecast(str(odd))


def test_columns_that_are_no_input_may_be_anything(model: Model, tmp_path: Path) -> None:
    path = sales(tmp_path, ahead=HORIZON)
    lines = path.read_text(encoding="utf-8").splitlines()
    more = [f"{line},{row or 'note'}" for row, line in enumerate(lines)]
    wider = tmp_path / "wider.csv"
    wider.write_text("\n".join(more), encoding="utf-8")
    assert model.forecast(str(wider)) == model.forecast(str(path))


@pytest.mark.slow
def test_a_run_repeats_from_its_settings_and_resumes(tmp_path: Path) -> None:
    asked = {"sequence_id": "shop", "time": "day", "target": "sold", "known": ["promo", "holiday"]}
    first = train(str(sales(tmp_path)), out=tmp_path / "run", **QUICK, **asked)
    again = train(str(tmp_path / "run" / "experiment.toml"), out=tmp_path / "again")
    resumed = train(str(sales(tmp_path)), out=tmp_path / "run", resume=True, **QUICK, **asked)
    ahead = str(sales(tmp_path, "ahead.csv", ahead=HORIZON))
    assert again.forecast(ahead) == first.forecast(ahead) == resumed.forecast(ahead)


@pytest.mark.usefixtures("pages")
def test_the_page_names_the_kinds_of_the_columns(tmp_path: Path) -> None:
    asked = {"sequence_id": "shop", "time": "day", "target": "sold", "known": "promo"}
    train(str(sales(tmp_path)), out=tmp_path / "run", **QUICK, **asked)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    for words in ("“sky” as category", "“size” as number", "sky, holiday and"):
        assert words in page


def test_known_names_hold_for_all_columns_of_a_wide_table(tmp_path: Path) -> None:
    rows = [
        [datetime.date(2024, 1, 1) + datetime.timedelta(step), "yn"[step % 3 == 0], step % 7, step]
        for step in range(60)
    ]
    path = write(tmp_path / "wide.csv", ("day", "promo", "tea", "ink"), rows)
    model = train(
        str(path), out=tmp_path / "run", wide="columns", time="day", known="promo", **QUICK
    )
    assert model.task.input.known_categories == ("promo",)  # type: ignore[attr-defined]


@pytest.mark.usefixtures("pages")
def test_what_a_covariate_contributes_is_measured_and_stands_on_the_page(tmp_path: Path) -> None:
    columns = promotions() | {"noise": np.random.default_rng(2).random(160).tolist()}
    asked = LEARNING | {"known": ["promo"], "out": tmp_path / "run"}
    model = train(dict(columns), **asked)
    falls = model.importance(dict(columns))
    assert list(falls) == ["noise", "promo"]
    assert falls["promo"].mean > 20 * abs(falls["noise"].mean)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "What each column contributes" in page


def test_a_static_column_is_exchanged_among_series_of_any_lengths(tmp_path: Path) -> None:
    table = shops(0, 6, seed=3)
    table = {name: values[:-7] for name, values in table.items()}
    model = learned(tmp_path, table, sequence_id="shop", known=["promo"])
    falls = model.importance(dict(table))
    assert set(falls) == {"group", "strength", "promo"}
    assert all(np.isfinite(each.mean) for each in falls.values())
