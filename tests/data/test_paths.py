"""Paths in a table are relative to its folder, or else to the current folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from elman.data.sources import read_table
from elman.errors import DataError
from elman.features.image import pictures_of
from elman.features.picture import read_picture
from elman.features.sound import read_sound
from elman.runs.run import run_experiment
from elman.runs.train import experiment_for


def pictures(folder: Path, count: int = 24) -> list[str]:
    """Bright and dark pictures below a folder; their paths in it."""
    (folder / "img").mkdir(parents=True)
    names = [f"img/{number}.png" for number in range(count)]
    for number, name in enumerate(names):
        pixels = np.full((4, 5), 250 if number % 2 else 5, np.uint8)
        Image.fromarray(pixels).save(folder / name)
    return names


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def write_json_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    parquet.write_table(pa.Table.from_pylist(list(rows)), path)


WRITERS = {"csv": write_csv, "jsonl": write_json_lines, "parquet": write_parquet}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder that holds no data."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def trained(source: Path, out: Path) -> Any:
    settings = {
        "data.input": "picture",
        "data.target": "light",
        "network.head": [3],
        "training.epochs": 2,
        "training.accelerator": "cpu",
    }
    experiment, _ = experiment_for(str(source), settings)
    return run_experiment(experiment, out, page=False).model


def rows_of(names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"picture": name, "light": ["no", "yes"][n % 2]} for n, name in enumerate(names)]


@pytest.mark.parametrize("suffix", WRITERS)
def test_paths_are_relative_to_the_folder_of_their_table(
    tmp_path: Path, elsewhere: Path, suffix: str
) -> None:
    names = pictures(tmp_path / "data")
    table = tmp_path / "data" / f"labels_of_all.{suffix}"
    WRITERS[suffix](table, rows_of(names))
    model = trained(table, elsewhere / "out")
    assert len(model.predict(str(table))) == 24
    other = tmp_path / "other"
    WRITERS[suffix](table := other / f"new.{suffix}", rows_of(pictures(other, 4)))
    assert model.evaluate(str(table))["rows"] == 4
    assert list(model.table(str(table)).column("picture")) == names[:4], "as they were spelled"


def test_paths_in_a_table_may_be_absolute_or_relative_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = pictures(tmp_path)
    (tmp_path / "tables").mkdir()
    monkeypatch.chdir(tmp_path)
    names[3] = str(tmp_path / names[3])
    table = tmp_path / "tables" / "all.csv"
    write_csv(table, rows_of(names))
    assert len(trained(table, tmp_path / "out").predict(str(table))) == 24


def test_a_file_beside_the_table_comes_before_one_in_the_current_folder(
    tmp_path: Path, elsewhere: Path
) -> None:
    names = pictures(tmp_path / "data", 2)
    write_csv(tmp_path / "data" / "all.csv", rows_of(names))
    (elsewhere / "img").mkdir()
    for name in names:
        Image.fromarray(np.full((4, 5), 99, np.uint8)).save(elsewhere / name)
    column = read_table(tmp_path / "data" / "all.csv").column("picture")
    assert read_picture(column[0]).max() * 255 == pytest.approx(5)
    assert read_picture(str(column[0])).max() * 255 == pytest.approx(99)


def test_tables_of_several_folders_keep_theirs(tmp_path: Path, elsewhere: Path) -> None:
    tables = []
    for part in ("one", "two"):
        names = pictures(tmp_path / part, 12)
        tables.append(tmp_path / part / "all.csv")
        write_csv(tables[-1], rows_of(names))
    Image.fromarray(np.full((4, 5), 60, np.uint8)).save(tmp_path / "two" / "img" / "0.png")
    table = read_table([str(table) for table in tables])
    assert table.folder(3) == tmp_path / "one"
    assert table.select([20, 3]).folder(0) == tmp_path / "two"
    assert elsewhere.is_dir()


def test_a_missing_file_is_named_with_its_row_and_both_places(
    tmp_path: Path, elsewhere: Path
) -> None:
    names = pictures(tmp_path / "data")
    names[2] = "img/gone.png"
    table = tmp_path / "data" / "all.csv"
    write_csv(table, rows_of(names))
    with pytest.raises(DataError) as refusal:
        trained(table, elsewhere / "out")
    message = str(refusal.value)
    assert "all.csv, line 4, column picture" in message
    assert f"there is no picture 'img/gone.png' neither in {tmp_path / 'data'}" in message
    assert f"nor in {elsewhere}" in message


def test_sounds_are_found_beside_their_table(tmp_path: Path, elsewhere: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "a.wav", np.zeros(40), 8_000)
    write_csv(tmp_path / "all.csv", [{"sound": "audio/a.wav", "text": "audio/a b.wav"}] * 2)
    table = read_table(tmp_path / "all.csv")
    assert read_sound(table.column("sound")[0]).rate == 8_000
    with pytest.raises(DataError, match=r"there is no sound 'audio/a b\.wav' neither in"):
        read_sound(table.column("text")[0])
    assert elsewhere.is_dir()


def test_lists_and_folders_of_pictures_are_found_too(tmp_path: Path, elsewhere: Path) -> None:
    names = pictures(tmp_path / "clips" / "one", 3)
    write_json_lines(
        tmp_path / "all.jsonl",
        [{"frames": [f"clips/one/{name}" for name in names], "clip": "clips/one/img"}] * 2,
    )
    table = read_table(tmp_path / "all.jsonl")
    assert [read_picture(frame).shape for frame in table.column("frames")[1]] == [(4, 5, 1)] * 3
    assert len(pictures_of(table.column("clip")[0])) == 3
    assert elsewhere.is_dir()


def test_values_in_memory_are_relative_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = pictures(tmp_path, 1)
    monkeypatch.chdir(tmp_path)
    column = read_table({"picture": names}).column("picture")
    assert read_picture(column[0]).shape == (4, 5, 1)
    with pytest.raises(DataError, match=r"there is no picture 'gone\.png' in the current folder"):
        read_picture("gone.png")
