"""Rows without a target are left out and said; a blank that means something is kept."""

from __future__ import annotations

import math
from typing import Any

import pytest

from elman.data.table import Table
from elman.experiment.data import DataSpec
from elman.tasks.check.targets import Answered, answered


def kept(values: list[Any], **settings: Any) -> Answered:
    columns = {"x": list(range(len(values))), "y": values}
    return answered(Table.from_columns(columns, "it.csv"), ["y"], DataSpec(**settings))


@pytest.mark.parametrize(
    "values",
    [["a", "", "b"], ["a", None, "b"], ["a", "  ", "b"], [1.5, math.nan, 2.5], [1, None, 2]],
)
def test_a_row_without_a_target_is_left_out_and_said(values: list[Any]) -> None:
    table, findings = kept(values * 20)
    assert list(table.column("x")) == [n for n in range(60) if n % 3 != 1]
    assert table.where(1) == "it.csv, row 2"
    assert [finding.sentence for finding in findings] == [
        "20 of 60 rows of it.csv have no y: they are left out."
    ]


def test_an_empty_cell_may_be_a_text_and_is_if_the_kind_is_given() -> None:
    values = [f"a translation of its own {n}" for n in range(30)] + [""]
    table, findings = kept(values)
    assert len(table) == 30
    assert findings[0].sentence == (
        "1 of 31 rows of it.csv has no y: it is left out; if empty cells are texts to be written, "
        "say --target y:text."
    )
    assert len(kept(values, target_kind="text").table) == 31
    assert len(kept([*values, None], columns={"y": {"kind": "text:char"}}).table) == 31


def test_a_row_without_labels_has_none() -> None:
    assert len(kept(["a;b", "", "b", "a", "b;a"] * 9).table) == 45
    assert len(kept(["a", ""] * 9, target_kind="labels").table) == 18


def test_all_rows_of_a_table_without_any_are_kept_to_be_refused() -> None:
    for values in ([None, None], ["", ""]):
        table, findings = kept(values)
        assert (len(table), findings) == (2, [])


def test_of_several_targets_one_is_enough() -> None:
    columns = {"a": [1.5, math.nan, math.nan, 2.5], "b": ["u", "v", "", ""]}
    table = Table.from_columns(columns, "it.csv")
    rows, findings = answered(table, ["a", "b"], DataSpec())
    assert list(rows.column("b")) == ["u", "v", ""]
    assert findings[0].sentence == "1 of 4 rows of it.csv has no a and b: it is left out."


def test_a_table_without_the_target_is_left_as_it_is() -> None:
    table = Table.from_columns({"x": [1, 2]}, "it.csv")
    assert answered(table, ["y"], DataSpec()) == (table, [])
