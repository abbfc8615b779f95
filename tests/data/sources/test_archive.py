"""NumPy archives, read without pickle."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elman.data.limits import VARIABLE
from elman.data.sources import read_table
from elman.errors import DataError

CASES = Path(__file__).parents[4] / "shared" / "cases" / "hostile"


def save(folder: Path, **arrays: Any) -> Path:
    path = folder / "it.npz"
    np.savez(path, **arrays)
    return path


def test_arrays_of_equal_length_are_columns(tmp_path: Path) -> None:
    pictures = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    table = read_table(save(tmp_path, x=pictures, y=np.array(["a", "b", "c"])))
    assert list(table.column("y")) == ["a", "b", "c"]
    np.testing.assert_array_equal(table.column("x")[2], pictures[2])
    assert table.where(2) == "it.npz, row 2"


def test_values_one_after_another_are_cut_by_their_lengths(tmp_path: Path) -> None:
    values = np.arange(12.0).reshape(6, 2)
    table = read_table(save(tmp_path, x=values, x_lengths=np.array([2, 0, 4]), y=[1, 2, 3]))
    assert table.columns == ["x", "y"]
    for got, given in zip(table.column("x"), (values[:2], values[:0], values[2:]), strict=True):
        np.testing.assert_array_equal(got, given)


def test_what_describes_the_whole_is_left_out_with_a_note(tmp_path: Path) -> None:
    table = read_table(save(tmp_path, x=np.arange(3), rate=8000))
    assert table.columns == ["x"]
    assert table.notes == ["rate in it.npz is not a column and was left out."]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.arange(3), "y": np.arange(2)}, "equally many rows, got x 3, y 2"),
        ({"x": np.array([[1], [1, 2]], dtype=object)}, "array 'x' holds Python objects.*pickle"),
        ({"x": np.arange(3), "x_lengths": np.array([1, 1])}, "add up to the 3 values of x, got 2"),
        ({"x": np.arange(3), "x_lengths": np.array([4, -1])}, "whole numbers .* at least 0"),
        ({"rate": np.array(5)}, "contains no array with a row"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, arrays: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(save(tmp_path, **arrays))


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "it.npz").open("wb") as file:
        np.save(file, np.arange(3))
    with pytest.raises(DataError, match=r"is a single array; save it with a name by np\.savez"):
        read_table(tmp_path / "it.npz")


@pytest.mark.parametrize("content", [b"PK\x03\x04 cut short", b"", b"text"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "it.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is not a (complete )?NumPy archive"):
        read_table(path)


def archive_of(folder: Path, **members: bytes) -> Path:
    path = folder / "it.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def array_file(shape: tuple[int, ...], content: bytes, kind: str = "<f8") -> bytes:
    file = io.BytesIO()
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + content


@pytest.mark.parametrize(
    ("shape", "content", "words"),
    [
        ((9_999_999_999,), b"", "header claims 79,999,999,992 bytes .* holds 0"),
        ((5,), bytes(32), r"header claims 40 bytes of values \(float64, \(5,\)\).* holds 32"),
        ((2,), bytes(24), "header claims 16 bytes .* holds 24"),
        ((-3,), bytes(24), "damaged or not complete"),
        ((2**40, 0), b"", "array 'x' would take about 1,100 GB"),
    ],
)
def test_a_header_that_claims_what_is_not_there_is_refused_before_memory_is_taken(
    tmp_path: Path, shape: tuple[int, ...], content: bytes, words: str
) -> None:
    with pytest.raises(DataError, match=f"it.npz: array 'x' .*{words}|{words}"):
        read_table(archive_of(tmp_path, x=array_file(shape, content)))


def test_an_array_that_unpacks_beyond_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive_of(tmp_path, x=array_file((10**6,), bytes(8 * 10**6)))
    assert path.stat().st_size < 20_000
    monkeypatch.setenv(VARIABLE, "0.001")
    with pytest.raises(DataError, match=f"array 'x' would take .*limit of 0.001 GB.*{VARIABLE}"):
        read_table(path)
    np.savez(tmp_path / "plain.npz", x=np.zeros(10**6))
    assert len(read_table(tmp_path / "plain.npz")) == 10**6


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"notes": b"hi"}, "array 'notes' has no header .*expected 8 bytes got 2"),
        ({"x": b"\x93NUMPY\x07\x00" + bytes(40)}, "array 'x' has no header"),
        ({"x": array_file((1,), bytes(8), "<f8")[:40]}, "array 'x' has no header"),
        ({"x": array_file((1,), bytes(8)).replace(b"(1,)", b"((((")}, "array 'x' has no header"),
        ({"x": array_file((1,), bytes(8)).replace(b"<f8", b"<Z9")}, "array 'x' has no header"),
        ({"x": array_file((2,), bytes(8), "V4")}, "type .V4, which no column can hold"),
    ],
)
def test_what_is_no_array_is_named(tmp_path: Path, members: dict[str, bytes], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(archive_of(tmp_path, **members))


def test_a_cut_archive_is_not_complete(tmp_path: Path) -> None:
    content = save(tmp_path, x=np.arange(30.0)).read_bytes()
    for length in (0, 3, 30, 200, len(content) - 1):
        (tmp_path / "it.npz").write_bytes(content[:length])
        with pytest.raises(DataError, match=r"it\.npz"):
            read_table(tmp_path / "it.npz")


def test_a_changed_value_is_found_by_its_checksum(tmp_path: Path) -> None:
    path = save(tmp_path, x=np.arange(30.0))
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"it\.npz is not a complete NumPy archive: Bad CRC"):
        read_table(path)


def test_arrays_in_fortrans_order_keep_their_axes(tmp_path: Path) -> None:
    array = np.asfortranarray(np.arange(6).reshape(2, 3))
    table = read_table(save(tmp_path, x=array))
    assert [row.tolist() for row in table.column("x")] == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("name", ["huge.npz", "trunc.npz", "raw.npz"])
def test_archives_that_claimed_what_they_do_not_hold_are_refused(name: str) -> None:
    if not CASES.exists():
        pytest.skip("the cases are not here")
    with pytest.raises(DataError, match=f"{name}: array '.*' (is damaged or not|has no header)"):
        read_table(CASES / name)


def test_a_single_array_with_a_header_that_python_cannot_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "it.npy"
    path.write_bytes(array_file((1,), bytes(8)).replace(b"(1,)", b"(((("))
    with pytest.raises(DataError, match=r"it\.npy cannot be read as an array"):
        read_table(path)
