"""Times from the cells of the data to those of a forecast, and to later files."""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from elman.data.sinks import write_table
from elman.errors import DataError
from elman.models.model import Model, load
from elman.runs.run import prepare
from elman.runs.train import experiment_for, train

HOUR = datetime.timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
CASES = Path(__file__).parents[3] / "shared/cases"
QUICK = {
    "horizon": 4,
    "epochs": 1,
    "hidden_size": 3,
    "accelerator": "cpu",
    "target": "y",
    "time": "t",
    "forecast.folds": 0,
}


def forecaster(folder: Path, times: Any, **settings: Any) -> Model:
    rows = {"t": times, "y": np.sin(np.arange(float(len(times))))}
    return train(rows, out=folder / "run", **QUICK, **settings)


def written(model: Model, times: Any) -> list[Any]:
    """Return the times of a forecast from the end of a series, as they are written."""
    rows = {"t": times, "y": np.sin(np.arange(float(len(times))))}
    table = model.table(rows, with_targets=False)
    found: list[Any] = model.predictor.columns(table)["t"]
    return found


def hours(begin: str, count: int) -> list[datetime.datetime]:
    first = datetime.datetime.fromisoformat(begin).replace(tzinfo=BERLIN).astimezone(datetime.UTC)
    return [(first + step * HOUR).astimezone(BERLIN) for step in range(count)]


def test_offsets_go_on_with_the_last_one_and_a_named_zone_changes_them(tmp_path: Path) -> None:
    times = hours("2023-10-26T00:00", 75)  # until 02:00+02:00, an hour before clocks go back
    texts = [time.isoformat() for time in times]
    assert texts[-1] == "2023-10-29T02:00:00+02:00"
    model = forecaster(tmp_path, texts)
    assert written(model, texts)[:2] == ["2023-10-29T03:00:00+02:00", "2023-10-29T04:00:00+02:00"]
    placed = forecaster(tmp_path / "placed", texts, time_zone="Europe/Berlin")
    ahead = ["2023-10-29T02:00:00+01:00", "2023-10-29T03:00:00+01:00"]
    assert written(placed, texts)[:2] == ahead
    rows = {"t": texts, "y": np.zeros(len(texts))}
    assert [time.isoformat() for time in placed.forecast(rows)["t"][:2]] == ahead
    assert written(load(tmp_path / "placed/run"), texts)[:2] == ahead


def test_the_calendar_is_that_of_the_clocks(tmp_path: Path) -> None:
    times = hours("2023-10-26T00:00", 120)
    model = forecaster(tmp_path, [time.isoformat() for time in times])
    feature: Any = model.task.input
    (cells,) = model.table(
        {"t": [time.isoformat() for time in times], "y": [0.0] * 120}, with_targets=False
    ).values(model.task.input_columns)
    column = feature.layout.values + feature.layout.past
    place = feature.encode(cells)[:, column + feature._cycles.index("hour of the day")]
    assert [round(23 * (float(each) + 0.5)) for each in place] == [time.hour for time in times]


@pytest.mark.parametrize(
    ("texts", "ahead"),
    [
        ([f"202310{day:02d}" for day in range(1, 32)], [20231101, 20231102, 20231103, 20231104]),
        (
            [f"{day:02d}.10.2023" for day in range(1, 32)],
            ["01.11.2023", "02.11.2023", "03.11.2023", "04.11.2023"],
        ),
        (
            [f"10/{day}/23 9:30 PM" for day in range(1, 32)],
            [f"11/{day}/23 9:30 PM" for day in range(1, 5)],
        ),
        (
            [f"{year}-Q{quarter}" for year in range(1990, 2000) for quarter in (1, 2, 3, 4)],
            ["2000-Q1", "2000-Q2", "2000-Q3", "2000-Q4"],
        ),
        (
            [f"2020-W{week:02d}" for week in range(1, 52)],
            ["2020-W52", "2020-W53", "2021-W01", "2021-W02"],
        ),
        (
            [1_698_361_200 + 3_600 * hour for hour in range(40)],
            [1_698_361_200 + 3_600 * hour for hour in range(40, 44)],
        ),
        ([f"{0.1 * step:.1f}" for step in range(40)], [4.0, 4.1, 4.2, 4.3]),
    ],
)
def test_a_forecast_writes_times_as_the_data_does(
    tmp_path: Path, texts: list[Any], ahead: list[Any]
) -> None:
    model = forecaster(tmp_path, texts)
    assert written(model, texts) == ahead
    assert written(load(tmp_path / "run"), texts) == ahead


def test_a_model_reads_later_files_by_the_day_and_month_it_was_trained_with(
    tmp_path: Path,
) -> None:
    model = forecaster(tmp_path, [f"{day:02d}/10/2023" for day in range(1, 32)])
    later = [f"{day:02d}/11/2023" for day in range(1, 10)]
    assert written(model, later)[0] == "10/11/2023"
    iso = [f"2023-11-{day:02d}T00:00:00.000" for day in range(1, 10)]
    assert written(model, iso)[0] == "10/11/2023"
    with pytest.raises(DataError, match=r"row 3, column t: '11/31/2023' is not a time written as"):
        written(model, [*later[:3], "11/31/2023"])


def test_a_later_file_in_another_order_is_sorted_and_said_once(tmp_path: Path) -> None:
    texts = [f"{day:02d}.10.2023" for day in range(1, 32)]
    model = forecaster(tmp_path, texts)
    later = model.table({"t": texts[::-1], "y": np.arange(31.0)}, with_targets=False)
    assert [note for note in later.notes if "were sorted" in note] == [
        "rows were not in the order of 't' (the data, row 29) and were sorted."
    ]


def test_a_model_of_offsets_refuses_later_times_without(tmp_path: Path) -> None:
    model = forecaster(tmp_path, [time.isoformat() for time in hours("2023-06-01T00:00", 40)])
    naive = [f"2023-07-01T{hour:02d}:00:00" for hour in range(24)]
    with pytest.raises(DataError, match=r"have no offset from UTC, and data\.time_format"):
        written(model, naive)


def test_dates_and_timestamps_keep_their_types_in_parquet(tmp_path: Path) -> None:
    for times, kind in (
        (hours("2023-10-26T00:00", 60), pa.timestamp("us", "Europe/Berlin")),
        ([time.replace(tzinfo=None) for time in hours("2023-06-01T00:00", 60)], pa.timestamp("us")),
        (
            [datetime.datetime(2023, 1, 1) + 24 * HOUR * day for day in range(60)],
            pa.timestamp("us"),
        ),
        ([datetime.date(2023, 1, 1) + 24 * HOUR * day for day in range(60)], pa.date32()),
    ):
        model = forecaster(tmp_path / f"{len(list(tmp_path.iterdir()))}", times)
        rows = {"t": times, "y": np.zeros(len(times))}
        out = tmp_path / "ahead.parquet"
        columns = model.predictor.columns(model.table(rows, with_targets=False))
        write_table(columns, out, None, io.BytesIO())
        table = parquet.read_table(out)
        assert table.schema.field("t").type == kind
        assert table.column("t")[0].as_py() == times[-1] + (times[-1] - times[-2])


def test_a_column_that_looks_like_the_time_is_named_where_none_is() -> None:
    rows = {"my day": [f"2023-01-{day:02d}" for day in range(1, 32)], "y": np.arange(31.0)}
    settings = {name: value for name, value in QUICK.items() if name not in {"time", "samples"}}
    experiment, values = experiment_for(rows, settings)
    notes = prepare(experiment, values).parts.notes
    assert any("column 'my day' looks like their time: say --time 'my day'" in n for n in notes)


def test_sequences_keep_the_order_of_day_and_month_for_later_rows() -> None:
    rows = {
        "who": [name for name in "abcdefghijklmnopqrst" for _ in range(3)],
        "t": ["13/02/2023", "01/02/2023", "02/01/2023"] * 20,
        "x": [3.0, 2.0, 1.0] * 20,
        "label": [name for name in ["yes", "no"] * 10 for _ in range(3)],
    }
    experiment, values = experiment_for(
        rows, {"sequence_id": "who", "time": "t", "input": "x", "target": "label"}
    )
    prepared = prepare(experiment, values)
    assert prepared.experiment.data.time_format == "%d/%m/%Y"
    assert np.asarray(prepared.parts.train.column("x")[0]).tolist() == [1.0, 2.0, 3.0]


def test_a_date_and_its_time_of_day_may_stand_in_two_columns(tmp_path: Path) -> None:
    times = [time.replace(tzinfo=None) for time in hours("2023-06-01T00:00", 60)]
    power = np.sin(np.arange(60.0))
    texts = {
        "Date": [time.strftime("%d/%m/%Y") for time in times],
        "Time": [time.strftime("%H:%M:%S") for time in times],
        "power": power,
    }
    asked = QUICK | {"time": "Date", "time_of_day": "Time", "target": "power"}
    model = train(texts, out=tmp_path / "texts", time_format="%d/%m/%Y %H:%M:%S", **asked)
    found = model.predictor.columns(model.table(texts, with_targets=False))
    assert found["Date"][:2] == ["03/06/2023 12:00:00", "03/06/2023 13:00:00"]
    typed = {
        "Date": [time.date() for time in times],
        "Time": [time.time() for time in times],
        "power": power,
    }
    model = train(typed, out=tmp_path / "typed", **asked)
    found = model.predictor.columns(model.table(typed, with_targets=False))
    assert found["Date"][0].startswith("2023-06-03 12:00:00")


@pytest.mark.skipif(not CASES.exists(), reason="the cases are beside the repository only")
@pytest.mark.parametrize(
    ("name", "time", "target", "first"),
    [
        ("tz_offset.csv", "time", "load", "2023-11-30T01:00:00+01:00"),
        ("yyyymmdd.csv", "date", "price", 20231028),
    ],
)
def test_the_cases_are_forecast_from_the_next_step(
    tmp_path: Path, name: str, time: str, target: str, first: Any
) -> None:
    with (CASES / name).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = {time: [row[time] for row in rows], target: [float(row[target]) for row in rows]}
    asked = QUICK | {"time": time, "target": target, "horizon": 6}
    model = train(columns, out=tmp_path / "run", **asked)
    table = model.table(columns, with_targets=False)
    found = model.predictor.columns(table)
    assert found[time][0] == first
    assert len(set(found[time])) == 6
