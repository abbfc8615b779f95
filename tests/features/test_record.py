"""Several columns of numbers and categories."""

from __future__ import annotations

import datetime
import math
from typing import Any

import pytest

from elman.errors import DataError, OptionError
from elman.features.record import RecordFeature

COLUMNS = ["port", "age", "alone", "fare"]
ROWS = [
    ["Cork", 20, True, 8.0],
    ["Kiel", 40, False, None],
    ["Cork", 30, True, 4.0],
    [None, 30, True, 6],
]


def test_a_row_is_numbers_then_gaps_then_ids() -> None:
    feature = RecordFeature(COLUMNS).fit(ROWS)
    assert feature.numbers == ["age", "fare"]
    assert feature.categories == ["port", "alone"]
    assert feature.encoding.numbers == 3
    assert feature.encoding.ids == (3, 3)
    age = 10 / math.sqrt(50)
    fare = 2 / math.sqrt(8 / 3)
    assert feature.encode(["Kiel", 40, True, 8]).tolist() == pytest.approx([age, fare, 0, 2, 1])
    assert feature.encode(["Rome", 20, None, None]).tolist() == pytest.approx([-age, 0, 1, 0, 0])
    assert feature.description == "2 numbers and 2 categories"


def test_a_row_comes_back_in_the_order_of_its_columns() -> None:
    feature = RecordFeature(COLUMNS).fit(ROWS)
    for row in ROWS:
        assert feature.decode(feature.encode(row)) == pytest.approx(row)


def test_a_row_may_be_a_mapping() -> None:
    feature = RecordFeature(COLUMNS).fit(ROWS)
    mapping = dict(reversed(list(zip(COLUMNS, ROWS[0], strict=True))))
    assert feature.encode(mapping).tolist() == feature.encode(ROWS[0]).tolist()


def test_a_column_has_the_kind_that_is_set() -> None:
    feature = RecordFeature(["a", "b"], kinds={"a": "category", "b": "number"})
    feature.fit([[3, "1.5"], [4, True]])
    assert feature.numbers == ["b"]
    assert feature.encode(["4", 1.25]).tolist() == [0.0, 2.0]


def test_a_record_of_numbers_alone_or_of_categories_alone_works() -> None:
    assert RecordFeature(["a"]).fit([[1], [3]]).encode([3]).tolist() == [1.0]
    names = RecordFeature(["a"]).fit([["x"], ["y"]])
    assert names.encode(["y"]).tolist() == [2.0]
    assert names.description == "1 category"


def test_a_column_that_only_numbers_the_rows_is_noted_and_a_constant_one_too() -> None:
    feature = RecordFeature(["name", "age"]).fit([["a", 1], ["b", 1], ["c", 1]])
    assert [note.split(":")[0] for note in feature.notes] == [
        "column 'name' has 3 classes in 3 rows",
        "column 'age' is constant over the training rows, so nothing can be learned from it; only "
        "its mean is subtracted.",
    ]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "there are no training rows"),
        ([["a", None], ["b", ""]], "column 'y' is missing in all training rows; leave it"),
        ([["a", 1], ["b", "one"]], "column 'y' must be a number, got 'one'"),
        ([["a", 1], [2, 1]], "names in column 'x' must be of one type, got 2"),
        ([["a", datetime.date(2020, 1, 1)]], "column 'y' holds times; .*--time"),
        ([["a", [1, 2]]], r"column 'y' must be a number, got \[1, 2\]"),
        ([["a"]], "a value must be the list of 2 cells, x, y, got"),
    ],
)
def test_malformed_rows_are_refused_by_column(rows: list[object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        RecordFeature(["x", "y"]).fit(rows)


@pytest.mark.parametrize("scale", ["standard", "log"])
def test_a_number_missing_only_after_training_is_read_as_the_mean(scale: Any) -> None:
    feature = RecordFeature(["age", "port"], scale=scale).fit([[1.0, "a"], [3.0, "b"], [8.0, "a"]])
    assert feature.encode([None, "a"])[0].item() == pytest.approx(0.0, abs=1e-6)
    assert feature.read_as_mean([None, "a"]) == [0]
    assert feature.read_as_mean([2.0, None]) == []


def test_a_number_that_is_not_scaled_has_no_mean_to_stand_for_it() -> None:
    feature = RecordFeature(["age"], scale="none").fit([[1.0], [3.0]])
    with pytest.raises(DataError, match="column 'age' is missing, but the training rows"):
        feature.encode([None])


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(OptionError, match="columns must name at least one"):
        RecordFeature([])
    with pytest.raises(OptionError, match="unknown column 'agge'; did you mean 'age'"):
        RecordFeature(["age"], kinds={"agge": "number"})
    with pytest.raises(
        OptionError, match="column 'age' of a record must be a number or a category, got 'text'"
    ):
        RecordFeature(["age"], kinds={"age": "text"})
