"""Arrays named after the parts of a split become columns, with the part of each row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elman.data.sources import read_table
from elman.errors import DataError
from elman.experiment import DataSpec
from elman.tasks.layout import layout_of


def save(folder: Path, **arrays: Any) -> Path:
    path = folder / "it.npz"
    np.savez(path, **arrays)
    return path


def digits(count: int, first: int = 0) -> np.ndarray:
    return np.arange(first, first + count * 6, dtype=np.uint8).reshape(count, 2, 3)


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_x", "train_y", "test_x", "test_y"),
        ("X_train", "y_train", "X_test", "y_test"),
        ("xtrain", "ytrain", "xtest", "ytest"),
        ("trainX", "trainy", "testX", "testy"),
        ("training-images", "training-labels", "test-images", "test-labels"),
    ],
    ids=lambda names: names[0],
)
def test_parts_are_recognised_by_the_names_of_arrays(tmp_path: Path, names: list[str]) -> None:
    values = [digits(4), np.array([0, 1, 0, 1]), digits(2, 90), np.array([1, 0])]
    table = read_table(save(tmp_path, **dict(zip(names, values, strict=True))))
    x, y, split = table.columns
    assert split == "split"
    assert list(table.column("split")) == ["train"] * 4 + ["test"] * 2
    assert list(table.column(y)) == [0, 1, 0, 1, 1, 0]
    np.testing.assert_array_equal(table.column(x)[4], digits(2, 90)[0])
    assert table.notes == [
        f"it.npz holds the parts of a split (4 train, 2 test rows): columns {x}, {y}, and 'split' "
        "with the part of each row."
    ]


def test_sequences_with_lengths_have_parts_too(tmp_path: Path) -> None:
    path = save(
        tmp_path,
        x_train=np.arange(5.0),
        x_train_lengths=np.array([2, 3]),
        y_train=np.array(["a", "b"]),
        x_val=np.arange(4.0),
        x_val_lengths=np.array([4]),
        y_val=np.array(["a"]),
        rate=8000,
    )
    table = read_table(path)
    assert [list(value) for value in table.column("x")] == [[0, 1], [2, 3, 4], [0, 1, 2, 3]]
    assert list(table.column("split")) == ["train", "train", "valid"]
    assert table.columns == ["x", "y", "split"]


@pytest.mark.parametrize(
    "arrays",
    [
        {"x_train": np.arange(3), "y_train": np.arange(3)},
        {"x_train": np.arange(3), "x_test": np.arange(3), "who": np.arange(3)},
        {"latest": np.arange(3), "contest": np.arange(3)},
    ],
    ids=["one part", "another array", "words that end in test"],
)
def test_other_names_are_columns(tmp_path: Path, arrays: dict[str, Any]) -> None:
    assert read_table(save(tmp_path, **arrays)).columns == list(arrays)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (
            {"x_train": digits(3), "y_train": np.arange(3), "x_test": digits(2)},
            "the train part has 'y' and the test part has not",
        ),
        (
            {"x_train": digits(3), "y_train": np.arange(2), "x_test": digits(2), "y_test": [1, 2]},
            "arrays of the train part must have equally many rows, got x 3, y 2",
        ),
        (
            {"x_train": np.ones((3, 4)), "x_test": np.ones((2, 5))},
            r"'x' must be alike in all parts, but a row of train is float64 \(4,\)",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    tmp_path: Path, arrays: dict[str, Any], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read_table(save(tmp_path, **arrays))


def rows(count: int, parts: str) -> dict[str, list[Any]]:
    names = {"t": "Train", "v": "val", "s": "test"}
    return {
        "n": list(range(count)),
        "label": ["a", "b"] * (count // 2),
        "split": [names[parts[row % len(parts)]] for row in range(count)],
    }


def parts_of(source: Any, **data: Any) -> Any:
    return layout_of(DataSpec.model_validate({"target": "label", **data})).parts(1, source)


def test_a_column_named_split_divides_the_rows_and_is_no_input() -> None:
    source = rows(40, "ttvs")
    parts = parts_of(source)
    assert [{n % 4 for n in part.column("n")} for part in parts[:3]] == [{0, 1}, {2}, {3}]
    assert "rows are split as column 'split' says." in parts.notes
    inputs, _ = layout_of(DataSpec(target=["label"])).columns(parts.train)
    assert inputs == ["n"]


@pytest.mark.parametrize(
    "said",
    [
        {"split_order": "time"},
        {"group": "n"},
        {"input": ["n", "split"]},
        {"target": "split", "input": "n"},
    ],
)
def test_settings_win_over_a_column_named_split(said: dict[str, Any]) -> None:
    parts = parts_of(rows(40, "ttvs"), **said)
    assert {"Train", "val", "test"} <= set(parts.train.column("split"))


def test_a_column_named_split_of_other_words_is_a_column() -> None:
    source = rows(40, "ttvs") | {"split": ["left", "right"] * 20}
    assert len(parts_of(source).train) == 32


def test_parts_of_an_archive_are_used_as_such(tmp_path: Path) -> None:
    y = np.array([0, 1] * 10)
    path = save(tmp_path, x_train=digits(20), y_train=y, x_test=digits(4), y_test=y[:4])
    parts = parts_of(str(path), target="y")
    assert [len(part) for part in parts[:3]] == [18, 2, 4]


@pytest.mark.parametrize(
    ("array", "columns"),
    [
        (np.arange(3.0), ["value"]),
        (np.ones((3, 2)), ["x0", "x1"]),
        (np.ones((3, 4, 2)), ["x"]),
        (np.array([(1, "a")] * 3, dtype=[("n", int), ("text", "U3")]), ["n", "text"]),
    ],
)
def test_a_single_array_is_a_table(tmp_path: Path, array: np.ndarray, columns: list[str]) -> None:
    np.save(tmp_path / "it.npy", array)
    table = read_table(tmp_path / "it.npy")
    assert (table.columns, len(table)) == (columns, 3)


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, ", b"text"]
)
def test_what_is_no_array_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "it.npy").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as an array"):
        read_table(tmp_path / "it.npy")


def test_python_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "it.npy", np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="without Python objects"):
        read_table(tmp_path / "it.npy")
