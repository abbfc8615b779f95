"""Parquet, Feather and Arrow files: damaged ones, and types of many kinds."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from elman.data.limits import VARIABLE
from elman.data.sources import read_table
from elman.errors import DataError
from fuzz import formats
from fuzz.mutators import flip_bit, set_byte, truncate

CASES = Path(__file__).parents[4] / "shared" / "cases" / "hostile"
BINARY = {
    name: content
    for name, content in formats.tables().items()
    if name.endswith((".arrow", ".feather", ".parquet"))
}


def read_every_value(path: Path) -> None:
    table = read_table(path)
    for name in table.columns:
        assert sum(1 for _ in table.column(name)) == len(table)
    assert table.fingerprint


@pytest.mark.parametrize("name", BINARY)
def test_a_type_is_read_or_its_column_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BINARY[name])
    if not name.startswith(("map", "dense_union", "sparse_union", "interval")):
        read_every_value(path)
        return
    with pytest.raises(DataError, match=f"column '{path.stem}' of {name} has the type"):
        read_every_value(path)


@pytest.mark.parametrize("part", range(8))
def test_a_damaged_byte_ends_in_a_sentence_or_in_values(tmp_path: Path, part: int) -> None:
    # 1,200 damages in this process: one that Arrow follows out of its memory ends the test run.
    for seed in range(part, 1200, 8):
        random = Random(seed)
        name = random.choice(sorted(BINARY))
        damage = random.choice((flip_bit, flip_bit, set_byte, truncate))
        path = tmp_path / name
        path.write_bytes(damage(random, BINARY[name]))
        with suppress(DataError):
            read_every_value(path)
        path.unlink()


def damaged_at(content: bytes, what: bytes, new: bytes) -> bytes:
    assert content.count(what) == 1
    return content.replace(what, new)


def test_an_offset_that_points_outside_is_named_with_its_column(tmp_path: Path) -> None:
    path = tmp_path / "it.arrow"
    good = formats.arrow_file(pa.table({"n": [1, 2, 3], "word": ["one", "three", "five"]}))
    offsets = b"".join(offset.to_bytes(4, "little") for offset in (0, 3, 8, 12))
    path.write_bytes(damaged_at(good, offsets, offsets[:4] + b"\xff\xff\xff\x7f" + offsets[8:]))
    with pytest.raises(DataError, match=r"it.arrow is damaged: its column 'word' is invalid.*slot"):
        read_table(path)


def test_an_index_outside_its_dictionary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "it.feather"
    words = pa.array(["one", "two", "one"]).dictionary_encode()
    good = formats.arrow_file(pa.table({"word": words}))
    indices = b"".join(index.to_bytes(4, "little") for index in (0, 1, 0)) + bytes(4)
    path.write_bytes(damaged_at(good, indices, b"\0\0\0\0\x63" + indices[5:]))
    with pytest.raises(DataError, match=r"it\.feather is damaged: its column 'word'"):
        read_table(path)


@pytest.mark.parametrize("name", ["segv1.feather", "segv4.arrow", "flip-bl.feather"])
def test_files_that_ended_the_process_are_refused(name: str) -> None:
    if not CASES.exists():
        pytest.skip("the cases are not here")
    with pytest.raises(DataError, match=f"{name} is damaged: its column"):
        read_table(CASES / name)


@pytest.mark.parametrize("name", ["sview.arrow", "sview.parquet", "date.arrow"])
def test_files_with_unusual_types_are_read(name: str) -> None:
    if not CASES.exists():
        pytest.skip("the cases are not here")
    table = read_table(CASES / name)
    assert list(table.column("y"))[:2] == ["a", "b"]
    left_out = [
        note for note in table.notes if note.startswith(f"column 't' of {name} holds a date")
    ]
    assert len(left_out) == (name == "date.arrow")


def test_a_table_of_rows_without_values_claims_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "it.arrow"
    rows = pa.table({"x": pa.Array.from_buffers(pa.null(), 2**31 - 1, [None])})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as file:
        file.write_table(rows)
    with pytest.raises(DataError, match=r"2,147,483,647 rows that .*it.arrow claims.*8 GB"):
        read_table(path)


def test_parquet_that_would_unpack_beyond_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "it.parquet"
    parquet.write_table(pa.table({"x": pa.array([1] * 100_000)}), path)
    assert path.stat().st_size < 5_000
    monkeypatch.setenv(VARIABLE, "0.0001")
    with pytest.raises(DataError, match=f"it.parquet, unpacked, would take .*{VARIABLE}"):
        read_table(path)
    monkeypatch.setenv(VARIABLE, "0.001")
    assert len(read_table(path)) == 100_000


def test_feather_of_version_1_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "it.feather"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        feather.write_feather(pa.table({"x": [1]}), path, version=1)
    with pytest.raises(DataError, match="a Feather file of version 1"):
        read_table(path)
