"""Wide tables: forecasts, windows and sequences of a row or a column a series."""

from __future__ import annotations

import math
import random
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from elman.data.table import Table
from elman.errors import DataError, ElmanError, ExperimentError
from elman.experiment import DataSpec
from elman.models.model import Model
from elman.runs.run import run_experiment
from elman.runs.train import experiment_for
from elman.tasks.layout import layout_of
from roads import write_csv

MONTHS = [f"{year}-{month:02d}" for year in (2018, 2019, 2020) for month in range(1, 13)]


def stores(folder: Path) -> Path:
    """A row a store, a column a month."""
    generator = random.Random(3)
    rows = []
    for number, name in enumerate("wxyz"):
        values = [10 * number + 3 * math.sin(k / 2) + generator.random() for k in range(36)]
        rows.append({"store": name, "region": "n", **dict(zip(MONTHS, values, strict=True))})
    path = folder / "stores.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


def days(folder: Path) -> Path:
    """A row a day, a column a store."""
    generator = random.Random(3)
    rows = [
        [date(2020, 1 + k // 28, 1 + k % 28).isoformat()]
        + [round(5 * number + math.sin(k) + generator.random(), 3) for number in range(3)]
        + ["dry"]
        for k in range(28)
    ]
    return write_csv(folder / "days.csv", ["date", "a", "b", "c", "weather"], rows)


def ramps(folder: Path, stem: str = "t", **more: Any) -> Path:
    """A row a ramp that rises or falls."""
    generator = random.Random(3)
    rows = [
        [f"c{row}", "up" if row % 2 else "down"]
        + [value(row) for value in more.values()]
        + [round((1 if row % 2 else -1) * k + generator.random(), 2) for k in range(10)]
        for row in range(40)
    ]
    header = ["id", "label", *more, *(f"{stem}{k}" for k in range(10))]
    return write_csv(folder / "ramps.csv", header, rows)


def trained(source: Any, out: Path, **settings: Any) -> Model:
    sizes = {"network.hidden_size": 3, "training.epochs": 2, "training.accelerator": "cpu"}
    experiment, values = experiment_for(source, {**sizes, **settings})
    run_experiment(experiment, out, source=values, page=False)
    return Model.load(out)


def parts_of(source: Any, **data: Any) -> Any:
    spec = DataSpec.model_validate({"files": str(source), **data})
    return layout_of(layout_of(spec).with_known_columns()).parts(1)


@pytest.mark.parametrize("said", [{}, {"wide": "rows"}], ids=["found", "asked for"])
def test_a_row_a_series_is_forecast_with_its_id_and_dates(
    tmp_path: Path, said: dict[str, Any]
) -> None:
    path = stores(tmp_path)
    model = trained(str(path), tmp_path / "out", **{"data.horizon": 3, **said})
    for forecast in (model.forecast(), model.forecast(str(path))):
        assert forecast["store"] == [name for name in "wxyz" for _ in range(3)]
        assert [str(time)[:7] for time in forecast["time"][:3]] == ["2021-01", "2021-02", "2021-03"]
    assert model.evaluate(str(path))["mase"] > 0


def test_a_column_a_series_is_forecast_with_its_name(tmp_path: Path) -> None:
    path = days(tmp_path)
    settings = {"data.horizon": 3, "data.time": "date", "wide": "columns"}
    model = trained(str(path), tmp_path / "out", **settings)
    forecast = model.forecast()
    assert forecast["series"] == [name for name in "abc" for _ in range(3)]
    assert forecast["date"][:2] == [date(2020, 1, 29), date(2020, 1, 30)]


def test_what_is_made_of_a_wide_table_is_said(tmp_path: Path) -> None:
    notes = parts_of(stores(tmp_path), horizon=3).notes
    assert (
        "stores.parquet: each row is a series, named in column 'store'; its steps are the 36 "
        "columns 2018-01 … 2020-12, at 2018-01-01 … 2020-12-01."
    ) in notes
    assert "left out beside the series: region." in notes
    notes = parts_of(days(tmp_path), horizon=3, time="date", wide="columns").notes
    assert "days.csv: each of the 3 columns a … c is a series, named in column 'series'." in notes
    assert "left out, as they hold no numbers: weather." in notes


def test_windows_are_cut_from_each_series_of_a_wide_table(tmp_path: Path) -> None:
    parts = parts_of(stores(tmp_path), window=6, wide="rows")
    assert set(parts.train.column("store")) == set("wxyz")
    assert len(parts.train) + len(parts.valid) + len(parts.test) == 4 * (36 - 6)


def test_steps_are_one_input_of_a_class(tmp_path: Path) -> None:
    path = ramps(tmp_path)
    model = trained(str(path), tmp_path / "out", target="label")
    assert (model.task.category, model.task.input_columns) == ("many-to-one", ("series",))
    assert len(model.predict(str(path))) == 40
    assert model.evaluate(str(path))["rows"] == 40
    assert list(model.table(str(path)).column("id"))[:2] == ["c0", "c1"]
    with pytest.raises(ElmanError, match="series"):
        model.predict({"label": ["up"], "other": [1]})


def test_columns_beside_other_numbers_stay_numbers_and_the_setting_is_named(
    tmp_path: Path,
) -> None:
    path = ramps(tmp_path, stem="V")
    parts = parts_of(path, target="label")
    assert "series" not in parts.train.columns
    note = "10 columns V0 … V9 of ramps.csv have numbered names; if they are the steps of a series"
    assert any(note in each and "--set wide=rows" in each for each in parts.notes)
    parts = parts_of(path, target="label", wide="rows")
    assert all(len(series) == 10 for series in parts.train.column("series"))
    path = ramps(tmp_path, price=lambda row: row % 7 + 0.5)
    assert "series" not in parts_of(path, target="label").train.columns
    assert "series" not in parts_of(path, target="label", input=["t0", "t1"]).train.columns


def test_a_table_is_not_changed_by_a_note_about_it() -> None:
    columns: dict[str, list[Any]] = {f"x{k}": [1.5, 2.5] * 10 for k in range(9)}
    table = Table.from_columns({**columns, "label": ["a", "b"] * 10}, "memory")
    notes = layout_of(DataSpec(target=["label"])).parts(1, table).notes
    assert any("have numbered names" in note for note in notes)
    assert table.notes == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"horizon": 3, "wide": "rows", "target": "a"}, "leave --target a .* out"),
        ({"horizon": 3, "wide": "rows"}, "asks for columns that are the steps of a series"),
        ({"wide": "rows", "target": "a"}, "asks for columns that are the steps of a series"),
        ({"horizon": 3}, "--set wide=rows or wide=columns"),
        ({"horizon": 3, "wide": "columns", "time": "day"}, "has no column 'day'|unknown column"),
    ],
)
def test_a_table_that_is_not_wide_is_refused(
    tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises((DataError, ExperimentError), match=words):
        parts_of(days(tmp_path), **settings)


def test_columns_are_series_only_for_windows_and_forecasts() -> None:
    with pytest.raises(ValueError, match="set horizon, the steps ahead, or window"):
        DataSpec(wide="columns")
