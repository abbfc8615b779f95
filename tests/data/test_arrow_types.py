"""Arrow's types that become ones whose values are Python's."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from elman.data.arrow_types import readable
from elman.data.table import Table
from elman.errors import DataError

TEXTS = ["a", None, "a text that is longer than a view", "", None, "b"]
LISTS = [[1, 2], None, [], [3], None, [4, 5, 6]]


def values_of(array: pa.Array) -> list[Any]:
    """Read a column of two chunks, of which neither begins at its buffers' begin."""
    chunks = pa.chunked_array([array[:1], array[1:]])
    data, notes = readable(pa.table({"it": chunks, "other": [0] * len(array)}), "it.arrow")
    assert not notes
    data.validate(full=True)
    table = Table(data, source="it.arrow", where=str)
    column = table.select(range(len(table))).column("it")
    values = list(column)
    assert str(values) == str([column[row] for row in range(len(column))])
    return [each.tolist() if isinstance(each, np.ndarray) else each for each in values]


@pytest.mark.parametrize(
    ("array", "values"),
    [
        (pa.array(TEXTS, pa.string_view()), TEXTS),
        (pa.array(TEXTS, pa.string_view()).slice(1), TEXTS[1:]),
        (pa.array([b"a" * 20, None], pa.binary_view()), [b"a" * 20, None]),
        (pa.array(LISTS, pa.list_view(pa.int32())), LISTS),
        (pa.array(LISTS, pa.large_list_view(pa.int64())), LISTS),
        (pa.array([TEXTS, None], pa.list_(pa.string_view())), [TEXTS, None]),
        (pa.array([["a"], None], pa.list_view(pa.string_view())), [["a"], None]),
        (pa.array([{"x": "a"}, None], pa.struct({"x": pa.string_view()})), [{"x": "a"}, None]),
        (pa.RunEndEncodedArray.from_arrays(pa.array([2, 3]), pa.array(["a", None])), [*"aa", None]),
        (
            pa.DictionaryArray.from_arrays(
                pa.array([1, None, 0]), pa.array(["x", "y"], pa.string_view())
            ),
            ["y", None, "x"],
        ),
        (pa.array([b"0123456789abcdef", None], pa.uuid()), [b"0123456789abcdef", None]),
        (pa.array([[1, 2], None], pa.list_(pa.int8(), 2)), [[1, 2], None]),
        (pa.array(["x", "y", "x"]).dictionary_encode(), ["x", "y", "x"]),
        (pa.array([[Decimal("1.5")], None]), [[1.5], None]),
    ],
    ids=lambda each: str(each.type) if isinstance(each, pa.Array) else "",
)
def test_a_type_that_is_not_read_becomes_one_that_is(array: pa.Array, values: list[Any]) -> None:
    assert values_of(array) == values


@pytest.mark.parametrize("width", [32, 64, 128, 256])
def test_decimals_become_floats(width: int) -> None:
    kind = getattr(pa, f"decimal{width}")(9, 2)
    assert values_of(pa.array([Decimal("1.10"), None, Decimal("-1234567.89")], kind)) == [
        1.1,
        None,
        -1234567.89,
    ]


def test_decimals_of_more_digits_than_a_float_keeps_become_strings_with_a_note() -> None:
    array = pa.array([Decimal("123456789012345678.10"), None, Decimal("1.10")])
    data, notes = readable(pa.table({"price": array}), "it.parquet")
    assert data.column("price").to_pylist() == ["123456789012345678.10", None, "1.10"]
    (note,) = notes
    assert note.startswith("column 'price' of it.parquet holds decimals")
    assert "read as strings" in note


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), "type map<string, int64>"),
        (pa.array([pa.MonthDayNano([1, 2, 3])]), "type month_day_nano_interval"),
        (
            pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]),
            "type sparse_union",
        ),
        (
            pa.array([1, 2**40], pa.timestamp("s")),
            "a date outside the years 1 … 9999 in row 1 .*timestamp.s.: 1099511627776",
        ),
        (pa.array([0, -(2**30)], pa.int32()).cast(pa.date32()), "outside .* in row 1 "),
        (pa.array([2**60], pa.int64()).view(pa.date64()), "outside .* in row 0 "),
        (pa.array([2**62], pa.duration("s")), "an interval in row 0"),
        (pa.array([[2**40]], pa.list_(pa.timestamp("s"))), "outside the years"),
        (pa.array([0], pa.timestamp("s", "Europe/Atlantis")), "time zone 'Europe/Atlantis'"),
    ],
    ids=lambda each: str(each.type) if isinstance(each, pa.Array) else "",
)
def test_a_column_that_cannot_be_read_is_left_out_and_named(array: pa.Array, words: str) -> None:
    data, notes = readable(pa.table({"it": array, "other": [0] * len(array)}), "it.arrow")
    assert data.column_names == ["other"]
    (note,) = notes
    assert note.startswith("column 'it' of it.arrow ")
    assert note.endswith("was left out.")
    assert re.search(words, note)
    with pytest.raises(DataError, match=r"it\.arrow has no column that can be read: column 'it'"):
        readable(pa.table({"it": array}), "it.arrow")
    table = Table(data, source="it.arrow", where=str, notes=notes)
    with pytest.raises(DataError, match=words):
        table.require(["it"])


def test_dates_at_both_ends_of_the_calendar_are_read() -> None:
    days = [dt.date(1, 1, 2), dt.date(9999, 12, 30), None]
    assert values_of(pa.array(days)) == days
    times = [dt.datetime(1, 1, 2), None, dt.datetime(9999, 12, 30)]
    assert values_of(pa.array(times)) == times
