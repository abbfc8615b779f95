"""Long tables to series on a regular grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from elman.data.frequency import Frequency
from elman.data.long_series import LongSeries, long_series
from elman.data.table import Table
from elman.errors import DataError


def table(origin: str = "sales", **columns: Any) -> Table:
    return Table.from_columns(columns, origin=origin)


def series(*tables: Table, **options: Any) -> LongSeries:
    return long_series(tables, ["y"], time="t", **options)


def values(result: LongSeries, name: str = "y") -> list[list[float]]:
    return [np.asarray(each).tolist() for each in result.table.column(name)]


def test_steps_without_a_row_are_missing_values_and_noted() -> None:
    result = series(table(t=["2020-01-01", "2020-01-02", "2020-01-04"], y=[1, 2, 4]))
    assert str(values(result)) == "[[1.0, 2.0, nan, 4.0]]"
    assert str(result.frequency) == "day"
    assert result.notes == [
        "no row for 1 of 4 steps at frequency 'day', the first one after 2020-01-02: treated as "
        "missing values."
    ]


def test_every_series_has_a_grid_of_its_own() -> None:
    result = series(
        table(t=[2, 0, 5, 7, 4], item=["a", "a", "b", "b", "a"], y=[3.0, 1, 10, 11, 5]),
        sequence_id="item",
    )
    assert values(result) == [[1.0, 3.0, 5.0], [10.0, 11.0]]
    assert list(result.table.column("item")) == ["a", "b"]
    assert result.lengths.tolist() == [3, 2]


def test_two_rows_at_the_same_time_are_refused_with_both_places() -> None:
    with pytest.raises(DataError, match=r"sales, row 1 and sales, row 2: two rows of sequence 'a'"):
        series(table(t=[0, 1, 1], item=["a"] * 3, y=[1.0, 2, 3]), sequence_id="item")


def test_two_rows_of_one_month_are_refused() -> None:
    days = ["2020-01-01", "2020-02-01", "2020-03-01", "2020-03-05"]
    monthly = Frequency.parse("month")
    with pytest.raises(DataError, match="2020-03-01 and 2020-03-05 lie in the same month"):
        series(table(t=days, y=[1, 2, 3, 4]), frequency=monthly)


def test_a_row_between_two_steps_is_refused_with_the_way_out() -> None:
    hours = ["2020-01-01 00:00", "2020-01-01 01:00", "2020-01-01 02:00", "2020-01-01 02:30"]
    with pytest.raises(DataError, match=r"02:30 is not a whole .* set data\.frequency"):
        series(table(t=hours, y=[1, 2, 3, 4]))


def test_a_grid_far_larger_than_the_rows_is_refused() -> None:
    times = [*range(10), 1_000_000]
    with pytest.raises(
        DataError, match="there are 1,000,001 steps at frequency '1', and only 11 rows"
    ):
        series(table(t=times, y=[1.0] * 11))


def test_text_cannot_be_forecast() -> None:
    with pytest.raises(DataError, match="column 'y' holds string, and forecasts read and predict"):
        series(table(t=[0, 1], y=["many", "few"]))


def test_later_tables_go_on_where_the_earlier_end() -> None:
    parts = [table(t=[0, 1, 2], y=[1.0, 2, 3]), table(t=[4, 5], y=[5.0, 6])]
    result = series(*parts)
    assert str(values(result)) == "[[1.0, 2.0, 3.0, nan, 5.0, 6.0]]"
    assert result.ends.tolist() == [[3, 6]]


def test_a_test_part_before_the_training_part_is_refused() -> None:
    with pytest.raises(DataError, match="the parts of the data overlap in time"):
        series(table(t=[4, 5], y=[1.0, 2]), table(t=[0, 1], y=[5.0, 6]))


def test_a_part_ends_where_it_is_cut() -> None:
    result = series(
        table(t=[0, 1, 2, 0, 1, 2], item=list("aaabbb"), y=[1.0, 2, 3, 4, 5, 6]), sequence_id="item"
    )
    part = result.part(np.array([1]), np.array([1]), np.array([2]))
    assert [np.asarray(y).tolist() for y in part.column("y")] == [[4.0, 5.0]]
    assert list(part.column("item")) == ["b"]
    assert part.where(0) == "sales, row 3"


def shops(**columns: Any) -> Table:
    return table(t=[0, 1, 3, 0, 1], shop=list("aaabb"), y=[1.0, 2, 3, 4, 5], **columns)


def named(*tables: Table, static: tuple[str, ...] = (), **kinds: Any) -> LongSeries:
    return long_series(
        tables, ["y", *kinds], categories=[*kinds], static=static, sequence_id="shop", time="t"
    )


def test_names_lie_on_the_grid_of_their_series_and_blank_ones_are_missing() -> None:
    result = named(shops(sky=["wet", " ", "dry", "dry", None]), sky="category")
    assert list(result.table.column("sky")) == [["wet", None, None, "dry"], ["dry", None]]


def test_names_are_cut_with_their_series() -> None:
    result = named(shops(open=[True, False, None, True, True]), open="category")
    part = result.part(np.array([0]), np.array([1]), np.array([2]))
    assert list(part.column("open")) == [[True, False]]


def test_whole_numbers_may_be_names() -> None:
    result = named(shops(route=[7, 8, 9, 7, 8]), route="category")
    first, second = result.table.column("route")
    assert str(first.tolist()) == "[7.0, 8.0, nan, 9.0]"
    assert second.tolist() == [7, 8]


def test_a_static_value_is_the_first_of_its_series_that_is_there() -> None:
    rows = shops(region=["", "north", None, None, None], size=[None, 3.0, 3.0, 4.0, None])
    result = long_series(
        [rows],
        ["y", "region", "size"],
        categories=["region"],
        static=["region", "size"],
        sequence_id="shop",
        time="t",
    )
    assert list(result.table.column("region")) == ["north", None]
    assert list(result.table.column("size")) == [3.0, 4.0]
    assert list(result.part(np.array([1]), [1], np.array([2])).column("size")) == [4.0]


def test_a_static_value_that_changes_is_refused_with_both_rows() -> None:
    rows = shops(region=["n", "n", "s", "n", "n"])
    words = r"sales, row 0 has region 'n' and sales, row 2 has region 's', rows of one series"
    with pytest.raises(DataError, match=words):
        named(rows, static=("region",), region="category")


def test_a_static_number_that_changes_in_a_later_table_is_refused() -> None:
    later = table("later", t=[4], shop=["a"], y=[1.0], size=[9.0])
    with pytest.raises(DataError, match=r"has size 3\.0 and later, row 0 has size 9\.0"):
        long_series(
            [shops(size=[3.0] * 5), later],
            ["y", "size"],
            static=["size"],
            sequence_id="shop",
            time="t",
        )


def test_dates_are_no_names() -> None:
    import datetime

    days = [datetime.date(2024, 1, day) for day in range(1, 6)]
    with pytest.raises(DataError, match=r"column 'day' holds date32\[day\], and a category is"):
        named(shops(day=days), day="category")
