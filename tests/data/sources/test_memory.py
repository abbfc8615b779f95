"""Values in memory: dicts, rows, data frames, Arrow, Hugging Face data sets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from elman.data.sources import read_table
from elman.errors import DataError

COLUMNS: dict[str, list[Any]] = {"text": ["a", "b"], "n": [1, None]}


class DataSet:
    """What matters of a `datasets.Dataset`: a table, and perhaps a selection from it."""

    def __init__(self, table: pa.Table, indices: list[int] | None = None) -> None:
        self.data = SimpleNamespace(table=table)
        self._indices = indices
        self.column_names = table.column_names

    def flatten_indices(self) -> DataSet:
        return DataSet(self.data.table.take(self._indices))


@pytest.mark.parametrize(
    "source",
    [
        COLUMNS,
        [{"text": "a", "n": 1}, {"text": "b"}],
        pa.table(COLUMNS),
        pa.RecordBatch.from_pydict(COLUMNS),
        pd.DataFrame({"text": ["a", "b"], "n": pd.array([1, None], dtype="Int64")}),
        DataSet(pa.table(COLUMNS)),
        DataSet(pa.table({"text": ["c", "b", "a"], "n": [3, None, 1]}), indices=[2, 1]),
        {"text": np.array(["a", "b"]), "n": pa.array([1, None])},
    ],
)
def test_every_form_gives_the_same_table(source: Any) -> None:
    table = read_table(source)
    assert {name: list(table.column(name)) for name in table.columns} == COLUMNS
    assert not table.stored


def test_a_table_is_taken_as_it_is() -> None:
    table = read_table(COLUMNS)
    assert read_table(table) is table


def test_arrays_in_a_data_frame_keep_their_values() -> None:
    values = [np.ones((2, 3)), np.zeros((1, 3))]
    column = read_table(pd.DataFrame({"x": values})).column("x")
    for got, given in zip(column, values, strict=True):
        np.testing.assert_array_equal(got, given)


def test_nan_of_pandas_is_a_missing_value() -> None:
    table = read_table(pd.DataFrame({"x": [1.0, float("nan")], "y": ["a", None]}))
    assert list(table.column("x")) == [1.0, None]
    assert list(table.column("y")) == ["a", None]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([], "there are no rows"),
        ({}, "without columns"),
        ([{"a": 1}, 5], "row 1: a row must be a dict from columns to values, got int"),
        ({1: [2]}, "column names must be strings, got 1"),
        ([{1: 2}], "column names must be strings, got 1"),
        ({"train": {"a": [1]}, "test": {"a": [1]}}, r"choose one, such as data\['train'\]"),
        ({"train": DataSet(pa.table(COLUMNS))}, r"choose one, such as data\['train'\]"),
        (pd.DataFrame({0: [1]}), r"column names of the DataFrame must be strings, got 0"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "2 columns named 'a'"),
        (pd.DataFrame({"a": [1, "b"]}), "column 'a' mixes types: row 0 holds 1"),
        (5, "must be a path, a dict of columns, .* got int"),
    ],
)
def test_what_is_no_table_is_refused(source: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(source)
