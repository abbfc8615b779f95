"""Lists of zeros and ones may be one class, labels or tags; what they are taken for is said."""

from __future__ import annotations

from typing import Any

import pytest

from elman.data.table import Table
from elman.tasks.check.hot import findings_of_hot, labels_beside, siblings_of
from elman.tasks.check.profile import profile_of


def said(values: list[Any], role: str, kind: str | None = None) -> list[str]:
    table = Table.from_columns({"x": values}, "it")
    profile = profile_of(table, "x", role, kind=kind)
    return [finding.sentence for finding in findings_of_hot(table, profile)]


ONE = [[0, 1, 0], [1, 0, 0], [0, 0, 1]] * 20
ANY = [[0, 1, 1], [1, 0, 0], [0, 0, 0]] * 20


def test_a_single_one_is_a_class() -> None:
    assert said(ONE, "target") == [
        "each row of x has zeros and a single one, 3 in all: it is read as one class a row; to "
        "read it otherwise, say --target x:labels:multihot or --target x:symbols."
    ]


def test_any_number_of_ones_are_labels() -> None:
    assert said(ANY, "target") == [
        "each row of x has zeros and ones, 3 in all: it is read as labels, one a place; to read it "
        "otherwise, say --target x:symbols."
    ]


def test_an_input_of_zeros_and_ones_is_a_series_unless_told_otherwise() -> None:
    assert said(ANY, "input") == [
        "each row of x has zeros and ones, 3 in all: it is read as a series of 3 steps; to read it "
        "otherwise, say --read x:labels:multihot or --read x:symbols."
    ]


@pytest.mark.parametrize(
    "values", [[[0.5, 1.0]] * 60, [[0, 1], [1]] * 30, [[0, 2], [1, 0]] * 30, ["0", "1"] * 30]
)
def test_other_values_are_no_finding(values: list[Any]) -> None:
    assert said(values, "target") == []


def test_where_the_kind_is_given_nothing_is_said() -> None:
    assert said(ONE, "target", "category") == []


def table(**columns: list[int]) -> Table:
    return Table.from_columns(columns, "it")


A, B, C = [1, 0, 0, 1] * 9, [0, 1, 0, 0] * 9, [0, 0, 1, 0] * 9


def test_columns_with_a_single_one_a_row_are_siblings_if_they_are_named_alike() -> None:
    columns = table(**{"kind a": A, "kind b": B, "kind c": C, "other": B})
    assert siblings_of(columns, ["kind b", "kind c", "other"], ["kind a"]) == ["kind b", "kind c"]
    assert siblings_of(columns, ["other"], ["kind a"]) == []


def test_columns_with_any_number_of_ones_may_be_labels() -> None:
    columns = table(tag_a=A, tag_b=B, tag_c=A, count_a=[3, 0, 1, 2] * 9)
    assert siblings_of(columns, ["tag_b", "tag_c"], ["tag_a"]) == []
    assert labels_beside(columns, ["tag_b", "tag_c", "count_a"], ["tag_a"]) == ["tag_b", "tag_c"]
    assert labels_beside(table(has_a=A, has_b=B, has_c=B), ["has_b", "has_c"], ["has_a"]) == []
