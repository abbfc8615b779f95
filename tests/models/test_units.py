"""A trained model knows in which units its numbers were, and refuses others."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

import elman
from elman.errors import DataError
from elman.models.model import Model

SMALL: dict[str, Any] = {"epochs": 1, "hidden_size": 3, "accelerator": "cpu"}


def file_of(path: Path, cells: list[str], name: str = "d") -> Path:
    rows = "".join(f'"{cell}",{row * 2.5 + row % 3 / 10}\n' for row, cell in enumerate(cells))
    path.write_text(f"{name},y\n{rows}", encoding="utf-8")
    return path


def trained(folder: Path, cells: list[str], **settings: Any) -> Model:
    data = file_of(folder / "rows.csv", cells)
    settings = {**SMALL, "target": "y", "out": folder / "run", **settings}
    model: Model = elman.train(data, **settings)
    return model


def test_per_cents_are_told_from_shares_by_a_model_that_was_saved(tmp_path: Path) -> None:
    trained(tmp_path, [f"{n % 50}%" for n in range(90)])
    model = elman.load(tmp_path / "run")
    assert model.experiment.data.units == {"d": "%"}
    assert model.predict({"d": ["12%", "40%"]}) == model.predict(["12%", "40%"])
    with pytest.raises(DataError, match=r"column d: '0\.12' has no %, as training had"):
        model.predict({"d": ["0.12", "0.40"]})
    with pytest.raises(DataError, match=r"shares\.csv, line 2, column d: '0\.1' has no %"):
        model.evaluate(file_of(tmp_path / "shares.csv", ["0.1", "0.2"]))
    with pytest.warns(UserWarning, match="without a sign, and training had '%'"):
        model.predict({"d": [0.12, 0.40]})
    assert set(model.evaluate("test")) >= {"mse", "rows"}


def test_another_currency_is_refused_and_so_is_a_file_of_validation_rows(tmp_path: Path) -> None:
    dollars = [f"${n % 50}" for n in range(90)]
    model = trained(tmp_path, dollars)
    with pytest.raises(DataError, match=r"column d: '€12' is in '€', and training had '\$'"):
        model.predict(["€12"])
    valid = file_of(tmp_path / "valid.csv", [f"€{n}" for n in range(20)])
    with pytest.raises(DataError, match=r"valid\.csv, line 2, column d: '€0' is in '€'"):
        trained(
            tmp_path,
            [f"${n % 50}" for n in range(90)],
            valid_files=str(valid),
            out=tmp_path / "other",
        )


def test_a_model_of_an_earlier_version_says_nothing_of_units(tmp_path: Path) -> None:
    trained(tmp_path, [f"{n % 50}" for n in range(90)])
    path = tmp_path / "run" / "model" / "model.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    assert description["experiment"]["data"].pop("units") == {}
    path.write_text(json.dumps(description), encoding="utf-8")
    model = elman.load(tmp_path / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.predict(["12%"]) == model.predict(["12"])


def test_words_that_training_read_as_missing_are_missing_later(tmp_path: Path) -> None:
    cells = ["tbd" if n % 30 == 7 else f"${n % 50}" for n in range(90)]
    model = trained(tmp_path, cells, input=["d:number"])
    assert model.experiment.data.words_as_missing == ["d"]
    assert model.predict(["on request"]) == model.predict({"d": [None]})


def test_steps_in_columns_are_compared_by_the_series_that_they_make(tmp_path: Path) -> None:
    names = [f"t{step}" for step in range(10)]
    wide: dict[str, list[Any]] = {
        name: [f"{row * step % 37}%" for row in range(60)] for step, name in enumerate(names)
    }
    shares = {name: [0.5 * step for step in range(2)] for name in names}
    wide["c"] = ["ab"[row % 2] for row in range(60)]
    model = elman.train(wide, target="c", out=tmp_path / "run", **SMALL)
    assert model.experiment.data.units == {"series": "%"}
    with pytest.raises(DataError, match="column series: a number has no %, as training had"):
        model.predict({name: [f"{value}" for value in cells] for name, cells in shares.items()})
    with pytest.raises(DataError, match=r"column series: a number is in '\$'"):
        model.predict({name: [f"${value}" for value in cells] for name, cells in shares.items()})
