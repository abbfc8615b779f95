"""Texts that are read one after another end as lines do."""

from __future__ import annotations

import pyarrow as pa
import pytest

from elman.data.line_ends import with_line_ends
from elman.data.table import Table


def names(values: object) -> Table:
    return Table.from_columns({"born": [1815, 1882, 1903], "name": values}, origin="names")


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
)
def test_every_text_ends_in_one_line_end_and_has_its_place(kind: pa.DataType) -> None:
    table = names(pa.array(["Ada", "Emmy\n", "Alonzo\nChurch"]).cast(kind))
    ended = with_line_ends(table, "name")
    assert list(ended.column("name")) == ["Ada\n", "Emmy\n", "Alonzo\nChurch\n"]
    assert list(ended.column("born")) == [1815, 1882, 1903]
    assert ended.where(2) == "names, row 2"
    assert ended.fingerprint != table.fingerprint
    assert ended.notes == [
        "the texts of column 'name' are read as one running text, one line each."
    ]


def test_what_is_empty_or_missing_stays_so() -> None:
    assert list(with_line_ends(names(["Ada", "", None]), "name").column("name")) == [
        "Ada\n",
        "",
        None,
    ]


def test_of_a_selection_the_rows_selected_are_ended() -> None:
    chosen = names(["Ada", "Emmy", "Alonzo"]).select([2, 0])
    assert list(with_line_ends(chosen, "name").column("name")) == ["Alonzo\n", "Ada\n"]


def test_lines_that_are_ended_are_the_same_table() -> None:
    table = names(["Ada\n", "Emmy\n", ""])
    assert with_line_ends(table, "name") is table
