"""Structs of Arrow and Parquet: the same columns as from nested JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import feather, parquet

from elman.data.sources import read_table
from elman.data.sources.structs import without_structs

ROWS: list[dict[str, Any]] = [
    {"u": {"c": "x", "d": {"e": 1}}, "e": [{"t": "a", "m": {"z": 1.5}}, {"t": "b", "m": None}]},
    {"u": None, "e": None},
    {"u": {"c": None, "d": None}, "e": []},
    {"u": {"c": "y", "d": {"e": 2}}, "e": [None, {"t": "c", "m": {"z": 2.5}}]},
]


def test_structs_are_the_columns_that_nested_json_has(tmp_path: Path) -> None:
    data = pa.concat_tables([pa.Table.from_pylist(ROWS), pa.Table.from_pylist(ROWS).slice(2)])
    parquet.write_table(data, tmp_path / "it.parquet")
    feather.write_feather(data, tmp_path / "it.feather")
    lines = "".join(f"{json.dumps(row)}\n" for row in ROWS + ROWS[2:])
    (tmp_path / "it.jsonl").write_text(lines, encoding="utf-8")
    expected = read_table(tmp_path / "it.jsonl")
    for name in ("it.parquet", "it.feather"):
        table = read_table(tmp_path / name)
        assert table.columns == ["u.c", "u.d.e", "e.t", "e.m.z"] == expected.columns
        for column in table.columns:
            for got, value in zip(table.column(column), expected.column(column), strict=True):
                np.testing.assert_array_equal(got, value)


def test_structs_of_sounds_and_pictures_stay(tmp_path: Path) -> None:
    data = pa.table({"image": [{"path": "a.png", "bytes": b"x"}], "y": [1]})
    parquet.write_table(data, tmp_path / "it.parquet")
    assert read_table(tmp_path / "it.parquet").columns == ["image", "y"]


def test_rows_in_python_become_the_same_columns(tmp_path: Path) -> None:
    parquet.write_table(pa.Table.from_pylist(ROWS), tmp_path / "it.parquet")
    stored = read_table(tmp_path / "it.parquet")
    for table in (read_table(ROWS), read_table(pa.Table.from_pylist(ROWS))):
        assert table.columns == stored.columns
        assert list(table.column("u.c")) == ["x", None, None, "y"]
        assert list(table.column("e.t")) == [["a", "b"], None, [], [None, "c"]]


def test_a_table_without_structs_is_the_same_table() -> None:
    table = read_table({"a": [1, 2], "b": [[1], []]})
    assert without_structs(table) is table
