"""Tables: values back as they were given, rows that know their place, fingerprints that change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from elman.data.concatenation import concatenate
from elman.data.table import Table
from elman.errors import DataError, OptionError


def reviews() -> Table:
    return Table.from_columns({"text": ["a", "b", "c"], "stars": [1, 2, 3]}, origin="reviews")


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, None],
        ["x", "", None],
        [True, False, None],
        [["a"], [], ["b", "c"]],
        [{"k": 1}, {"k": 2}, {"k": 3}],
    ],
)
def test_values_come_back_as_they_were_given(values: list[Any]) -> None:
    assert list(Table.from_columns({"x": values}, "it").column("x")) == values


@pytest.mark.parametrize("shape", [(), (3,), (3, 2)])
def test_arrays_of_different_lengths_come_back_bit_for_bit(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    values = [random.normal(size=(steps, *shape)).astype(np.float32) for steps in (4, 0, 7)]
    column = Table.from_columns({"x": values}, "it").column("x")
    for got, given in zip(column, values, strict=True):
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, given)


def test_a_block_of_pictures_is_a_picture_a_row() -> None:
    pictures = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    column = Table.from_columns({"x": pictures}, "it").column("x")
    np.testing.assert_array_equal(column[1], pictures[1])
    assert column[1].dtype == np.uint8


def test_pictures_of_different_sizes_come_back_as_lists() -> None:
    values = [np.ones((2, 3), np.uint8), np.zeros((1, 2), np.uint8)]
    column = Table.from_columns({"x": values}, "it").column("x")
    assert [np.asarray(value).tolist() for value in column] == [v.tolist() for v in values]


def test_tensors_are_taken_as_arrays() -> None:
    column = Table.from_columns({"x": [torch.ones(2), torch.zeros(3)]}, "it").column("x")
    assert [value.tolist() for value in column] == [[1.0, 1.0], [0.0, 0.0, 0.0]]


def test_a_missing_number_in_a_list_is_nan() -> None:
    value = Table.from_columns({"x": [[1, None]]}, "it").column("x")[0]
    assert value[0] == 1
    assert np.isnan(value[1])


def test_a_list_of_numbers_may_be_written_to_without_changing_the_table() -> None:
    column = Table.from_columns({"x": [np.ones(2)]}, "it").column("x")
    column[0][:] = 5
    assert column[0].tolist() == [1, 1]


def test_columns_of_many_chunks_are_indexed_and_iterated_over_alike() -> None:
    chunks = pa.chunked_array([[0, 1], [], [2], list(range(3, 3000))])
    table = Table(pa.table({"x": chunks}), source="it", where=str)
    column = table.column("x")
    assert list(column) == list(range(3000)) == [column[row] for row in range(3000)]
    assert column[-1] == 2999
    assert column[1:5:2] == [1, 3]
    chosen = table.select([2999, 0, 2, 2]).column("x")
    assert list(chosen) == [2999, 0, 2, 2]
    assert chosen[0] == 2999


def test_selected_rows_keep_their_place_through_two_selections() -> None:
    part = reviews().select([2, 1]).select([1, 0, 0])
    assert list(part.column("text")) == ["b", "c", "c"]
    assert [part.where(row) for row in range(3)] == [f"reviews, row {row}" for row in (1, 2, 2)]


def test_selecting_a_row_that_is_not_there_names_it() -> None:
    with pytest.raises(OptionError, match=r"rows must lie in 0 … 2, got 3\."):
        reviews().select([0, 3])


def test_an_unknown_column_is_answered_by_the_nearest_one() -> None:
    with pytest.raises(OptionError, match="unknown column 'txt'; did you mean 'text'"):
        reviews().column("txt")


def test_columns_of_the_same_name_are_refused() -> None:
    data = pa.table([[1], [2]], names=["x", "x"])
    with pytest.raises(DataError, match=r"it has 2 columns named 'x'\. Give every column"):
        Table(data, source="it", where=str)


def test_columns_of_different_lengths_are_refused_with_their_lengths() -> None:
    with pytest.raises(DataError, match="equally many rows: 'a' has 1, 'b' has 2"):
        Table.from_columns({"a": [1], "b": [1, 2]}, "it")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, None, "b"], r"mixes types: row 0 holds 1 \(int\) and row 2 holds 'b' \(str\)"),
        ("abc", r"column 'x' must be a list or an array with one value a row, got 'abc' \(str\)"),
        (5, r"must be a list or an array with one value a row, got 5 \(int\)"),
        (np.array(5), "must have one value a row"),
        ([object()], r"cannot be stored in a table .* \(object\)\. Give numbers"),
        ([2**70], "too large"),
    ],
)
def test_values_a_table_cannot_hold_are_refused_with_an_example(values: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Table.from_columns({"x": values}, "it")


def test_the_fingerprint_is_that_of_the_content() -> None:
    table = reviews()
    assert table.fingerprint == reviews().fingerprint
    changed = Table.from_columns({"text": ["a", "b", "C"], "stars": [1, 2, 3]}, "reviews")
    renamed = Table.from_columns({"word": ["a", "b", "c"], "stars": [1, 2, 3]}, "reviews")
    prints = {t.fingerprint for t in (table, changed, renamed, table.select([0, 1, 2]))}
    assert len(prints) == 4
    assert table.select([1]).fingerprint != table.select([2]).fingerprint


def test_a_slice_of_arrow_has_the_fingerprint_of_its_own_rows() -> None:
    whole = pa.table({"x": ["a", "b", "c", "d"]})
    parts = [Table(whole.slice(at, 2), source="it", where=str).fingerprint for at in (0, 2)]
    assert parts[0] != parts[1]


def test_tables_below_each_other_keep_places_and_notes() -> None:
    first = Table.from_columns({"a": [1], "b": ["x"]}, "one", notes=["assumed"])
    second = Table.from_columns({"b": ["y", "z"], "a": [2.5, None]}, "two", notes=["assumed"])
    joined = concatenate([first, second], source="both")
    assert list(joined.column("a")) == [1, 2.5, None]
    assert list(joined.column("b")) == ["x", "y", "z"]
    assert [joined.where(row) for row in range(3)] == ["one, row 0", "two, row 0", "two, row 1"]
    assert joined.notes == ["assumed"]


def test_tables_with_other_columns_or_types_are_refused_with_both() -> None:
    first = Table.from_columns({"a": [1]}, "one")
    with pytest.raises(
        DataError, match=r"one and two have different columns .* the first has a; the second a, b"
    ):
        concatenate([first, Table.from_columns({"a": [1], "b": [1]}, "two")], source="both")
    with pytest.raises(DataError, match=r"column 'a' is int64 in one and list<.*> in two"):
        concatenate([first, Table.from_columns({"a": [["x"]]}, "two")], source="both")


def test_numbers_beside_texts_are_taken_as_they_are_written_and_said() -> None:
    first = Table.from_columns({"a": [1, 10], "b": [True, False]}, "one")
    second = Table.from_columns({"a": ["x", "01"], "b": ["true", "yes"]}, "two")
    both = concatenate([first, second], source="both")
    assert list(both.column("a")) == ["1", "10", "x", "01"]
    assert list(both.column("b")) == ["true", "false", "true", "yes"]
    assert both.notes[0] == (
        "column 'a' is int64 in one and text in two: its values were taken as they are written."
    )


def test_a_table_of_other_values_knows_what_was_written() -> None:
    import pyarrow as pa

    table = Table.from_columns({"a": ["1,5", "2"], "b": ["x", "y"]}, "one")
    numbers = table.with_columns({"a": pa.array([1.5, 2.0])}, notes=["read as numbers."])
    assert list(numbers.column("a")) == [1.5, 2.0]
    assert list(numbers.select([1, 0]).written("a")) == ["2", "1,5"]
    assert list(numbers.written("b")) == ["x", "y"]
    assert (numbers.notes, table.notes) == (["read as numbers."], [])
    assert numbers.fingerprint != table.fingerprint


def test_what_is_computed_once_is_kept_with_the_table_alone() -> None:
    table = Table.from_columns({"x": [1, 2]}, "it")
    calls: list[int] = []

    def count() -> int:
        calls.append(1)
        return len(calls)

    assert [table.once("n", count), table.once("n", count), table.once("m", count)] == [1, 1, 2]
    assert table.select([0]).once("n", count) == 3
