"""NumPy archives, read without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elman.data.sources import read_table
from elman.errors import DataError


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
