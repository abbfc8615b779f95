"""`elman forecast`: one command from a file to forecasts, their page and how good they are."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from elman.cli.main import run

SMALL = ["--epochs", "1", "--set", "hidden_size=3", "--set", "folds=0", "--set", "accelerator=cpu"]
START = date(2021, 3, 1)


def write_rows(path: Path, columns: dict[str, list[Any]]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return str(path)


def days(count: int) -> list[str]:
    return [str(START + timedelta(step)) for step in range(count)]


def wave(count: int, level: float = 0.0) -> list[float]:
    return [level + step % 7 + (step * 37 % 11) / 10 for step in range(count)]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("pages")
def test_a_file_and_a_horizon_are_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_rows(tmp_path / "sales.csv", {"day": days(90), "sales": wave(90)})
    out, to = tmp_path / "run", tmp_path / "next.jsonl"
    arguments = ["forecast", path, "--horizon", "5", *SMALL, "--out", str(out), "--to", str(to)]
    assert run([*arguments, "--quantiles", "0.01,0.5"]) == 0
    said = capsys.readouterr()
    assert "note: column 'day' holds times and is taken for the time of the rows" in said.err
    assert "note: column 'sales' is forecast, the only one of numbers that can be" in said.err
    summary, beside, *paths = said.out.splitlines()
    assert summary.startswith("valid mase ")
    assert " naive: the best naive forecast, the value 7 steps before, has a MASE of " in beside
    assert paths == [str(out / "forecast.csv"), str(to), str(out / "report.html")]
    rows = rows_of(out / "forecast.csv")
    assert [row["day"] for row in rows] == days(95)[90:]
    assert all(float(row["0.01"]) < float(row["0.5"]) for row in rows)
    other = [json.loads(line) for line in to.read_text(encoding="utf-8").splitlines()]
    assert [row["0.5"] for row in other] == [float(row["0.5"]) for row in rows]
    assert (out / "report.html").exists()
    (out / "forecast.csv").unlink()
    assert run([*arguments, "--quantiles", "0.01,0.5", "--resume"]) == 0
    assert rows_of(out / "forecast.csv") == rows


@pytest.mark.parametrize("layout", ["long", "wide", "untimed"])
def test_every_layout_of_series_is_forecast(layout: str, tmp_path: Path) -> None:
    oslo, bergen = wave(60), wave(60, level=50)
    options = []
    if layout == "long":
        columns = {"town": ["oslo"] * 60 + ["bergen"] * 60, "day": days(60) * 2}
        columns["sales"] = [*oslo, *bergen]
        options = ["--sequence-id", "town"]
    elif layout == "wide":
        columns = {"day": days(60), "oslo": oslo, "bergen": bergen}
        options = ["--set", "wide=columns"]
    else:
        columns = {"sales": oslo}
    path = write_rows(tmp_path / "sales.csv", columns)
    out = tmp_path / "run"
    assert run(["forecast", path, "--horizon", "4", *options, *SMALL, "--out", str(out)]) == 0
    rows = rows_of(out / "forecast.csv")
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"] * (1 if layout == "untimed" else 2)
    assert ("day" in rows[0]) == (layout != "untimed")
    if layout != "untimed":
        assert [row["day"] for row in rows[:4]] == days(64)[60:]
        assert float(rows[0]["0.5"]) < 20 < float(rows[4]["0.5"])


def test_what_cannot_be_forecast_is_refused_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = {"day": days(60), "sales": wave(60), "promo": [step % 2 for step in range(60)]}
    path = write_rows(tmp_path / "sales.csv", columns)
    out = tmp_path / "run"

    def refused(*options: str) -> str:
        assert run(["forecast", path, *options, *SMALL, "--out", str(out)]) != 0
        assert not out.exists()
        return capsys.readouterr().err.splitlines()[-1]

    assert "how many steps ahead to forecast: --horizon STEPS" in refused()
    assert "--target COLUMN (data.target), one of sales, promo" in refused("--horizon", "3")
    some = ["--horizon", "3", "--target", "sales"]
    assert "promo must be known of the 3 steps after" in refused(*some, "--known", "promo")
    assert "got '0.1;0.9'" in refused(*some, "--quantiles", "0.1;0.9")
    point = ["--set", "distribution=point", "--quantiles", "0.1,0.9"]
    assert "reach from 0.5 to 0.5" in refused(*some, *point)
    assert "unknown output suffix '.txt'" in refused(*some, "--to", "next.txt")


def test_a_model_of_the_median_alone_forecasts_it(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "sales.csv", {"sales": wave(60)})
    options = ["--horizon", "3", "--set", "distribution=point", "--out", str(tmp_path / "run")]
    assert run(["forecast", path, *SMALL, *options]) == 0
    assert list(rows_of(tmp_path / "run" / "forecast.csv")[0]) == ["step", "mean", "0.5"]
