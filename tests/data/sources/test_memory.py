"""Values in memory: dicts, rows, data frames, Arrow, Hugging Face data sets."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
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


def columns_of(source: Any) -> dict[str, list[Any]]:
    table = read_table(source)
    return {name: list(table.column(name)) for name in table.columns}


DAYS = pd.date_range("2023-01-01", periods=2)


@pytest.mark.parametrize(
    ("index", "columns", "note"),
    [
        (pd.RangeIndex(2), {}, None),
        (pd.Index([0, 1]), {}, None),
        (pd.Index([7, 3]), {}, "taken as row numbers and left out; name it to read it"),
        (pd.RangeIndex(2, name="n"), {"n": [0, 1]}, None),
        (pd.Index([7, 3], name="who"), {"who": [7, 3]}, None),
        (pd.Index(["a", "b"]), {"index": ["a", "b"]}, "has no name and is column 'index'"),
        (DAYS.rename("date"), {"date": list(DAYS.to_pydatetime())}, None),
        (DAYS, {"index": list(DAYS.to_pydatetime())}, "has no name and is column 'index'"),
        (
            pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["store", None]),
            {"store": ["x", "y"], "level_1": [1, 2]},
            "has no name and is column 'level_1'",
        ),
    ],
    ids=str,
)
def test_an_index_is_read_as_reset_index_gives_it(
    index: pd.Index, columns: dict[str, list[Any]], note: str | None
) -> None:
    frame = pd.DataFrame({"v": [1.5, 2.5]}, index=index)
    assert columns_of(frame) == {**columns, "v": [1.5, 2.5]}
    assert columns_of(frame["v"]) == {**columns, "v": [1.5, 2.5]}
    (noted,) = read_table(frame).notes or [None]
    assert noted is None if note is None else note in str(noted)


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (pd.cut([1, 20], [0, 18, 30]), ["(0, 18]", "(18, 30]"]),
        (pd.arrays.IntervalArray.from_breaks([0, 1, 2]), ["(0, 1]", "(1, 2]"]),
        (pd.Categorical(["b", None], categories=["b", "a"]), ["b", None]),
        (pd.Categorical([7, 3]), [7, 3]),
        (
            pd.period_range("2020-01", periods=2, freq="M"),
            [datetime(2020, 1, 1), datetime(2020, 2, 1)],
        ),
        (pd.array([1, None], "Int64"), [1, None]),
        (pd.array([True, None], "boolean"), [True, None]),
        (pd.array([2.5, None], "double[pyarrow]"), [2.5, None]),
        (pd.array(["010", None], "string[pyarrow]"), ["010", None]),
        ([Decimal("1.50"), None], [1.5, None]),
        (pd.array([[1, 2], [3]], pd.ArrowDtype(pa.list_(pa.int64()))), [[1, 2], [3]]),
    ],
    ids=str,
)
def test_every_type_of_pandas_keeps_its_values(values: Any, read: list[Any]) -> None:
    got = columns_of(pd.DataFrame({"x": values}))["x"]
    assert [v.tolist() if isinstance(v, np.ndarray) else v for v in got] == read
    of_dict = columns_of({"x": pd.Series(values)})["x"]
    assert [v.tolist() if isinstance(v, np.ndarray) else v for v in of_dict] == read


def test_times_keep_their_zone() -> None:
    times = pd.date_range("2023-03-26", periods=2, tz="Europe/Berlin")
    (first, _) = columns_of(pd.DataFrame({"t": times}))["t"]
    assert first.utcoffset() == timedelta(hours=1)


def test_names_that_are_no_strings_are_written_as_strings_with_a_note() -> None:
    table = read_table(pd.DataFrame(np.arange(6).reshape(2, 3)))
    assert table.columns == ["0", "1", "2"]
    assert "no strings are written as such: '0', '1', '2'." in table.notes[0]
    assert read_table({1: [2]}).columns == ["1"]


@pytest.mark.parametrize(
    ("series", "columns"),
    [
        (pd.Series(["a", "b"], name="review"), {"review": ["a", "b"]}),
        (pd.Series(["a", "b"]), {"text": ["a", "b"]}),
        (pd.Series([1, 2]), {"value": [1, 2]}),
        (
            pd.Series([1, 2], index=pd.Index(["x", "y"], name="id")),
            {"id": ["x", "y"], "value": [1, 2]},
        ),
    ],
)
def test_a_series_is_a_column(series: pd.Series, columns: dict[str, list[Any]]) -> None:
    assert columns_of(series) == columns


def test_an_array_with_named_fields_is_a_table() -> None:
    array = np.array([(1, "a"), (2, "b")], dtype=[("n", int), ("text", "U3")])
    assert columns_of(array) == {"n": [1, 2], "text": ["a", "b"]}


def test_frames_and_series_of_polars_are_read() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {
            "text": ["a", None],
            "kind": pl.Series(["x", "y"], dtype=pl.Categorical),
            "price": [Decimal("1.5"), Decimal("2.25")],
            "series": [[1, 2], [3]],
        }
    )
    read = columns_of(frame)
    assert read["text"] == ["a", None]
    assert read["kind"] == ["x", "y"]
    assert read["price"] == [1.5, 2.25]
    assert [list(values) for values in read["series"]] == [[1, 2], [3]]
    assert columns_of(frame["text"]) == {"text": ["a", None]}
    assert columns_of({"label": frame["kind"]}) == {"label": ["x", "y"]}
    with pytest.raises(DataError, match=r"pass data\.collect\(\)"):
        read_table(frame.lazy())


def test_polars_is_not_imported() -> None:
    program = "import sys, elman; elman.read_table({'a': [1]}); "
    program += "print(sorted({'polars'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_xarray_is_refused_in_words() -> None:
    data_set = type("Dataset", (dict,), {"__module__": "xarray.core.dataset"})(x=[1])
    with pytest.raises(DataError, match=r"an xarray Dataset has axes, .*data\.to_dataframe\(\)"):
        read_table(data_set)


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
        ([{1: 2}], "column names must be strings, got 1"),
        ({"train": {"a": [1]}, "test": {"a": [1]}}, r"choose one, such as data\['train'\]"),
        ({"train": DataSet(pa.table(COLUMNS))}, r"choose one, such as data\['train'\]"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "2 columns named 'a'"),
        (pd.DataFrame([[1, 2]], columns=[1, "1"]), r"2 columns named '1' \(1 and '1'\)"),
        (
            pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
            r"several levels, such as \('a', 'b'\)",
        ),
        (
            pd.DataFrame({"a": [1]}, index=pd.Index([5], name="a")),
            "the index of the DataFrame and a column are both named 'a'",
        ),
        (pd.DataFrame({"a": [1, "b"]}), "column 'a' mixes types: row 0 holds 1"),
        (5, "must be a path, a dict of columns, .* got int"),
    ],
)
def test_what_is_no_table_is_refused(source: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(source)


def test_types_that_are_not_read_become_others_or_their_column_is_named() -> None:
    columns = {
        "view": pa.array(["a", None], pa.string_view()),
        "lists": pa.array([[1], None], pa.list_view(pa.int64())),
        "price": pa.array([Decimal("123456789012345678.10"), Decimal("1.50")]),
        "day": pa.array([2**50, 1], pa.timestamp("s")),
    }
    table = read_table(pa.table(columns))
    assert list(table.column("view")) == ["a", None]
    (one, missing) = table.column("lists")
    assert one.tolist() == [1]
    assert missing is None
    assert list(table.column("price")) == ["123456789012345678.10", "1.50"]
    assert "day" not in table.columns
    assert [note.partition(" of ")[0] for note in table.notes] == ["column 'price'", "column 'day'"]
