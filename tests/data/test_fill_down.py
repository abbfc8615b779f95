"""Blank ids that mean the id above."""

from __future__ import annotations

import pytest

from elman.data.sequences import to_sequences
from elman.data.table import Table
from elman.errors import DataError


def long(ids: list[object]) -> Table:
    return Table.from_columns({"id": ids, "x": list(range(len(ids)))}, "long.csv")


def lengths(table: Table) -> list[int]:
    return [len(x) for x in to_sequences(table, sequence_id="id").column("x")]


@pytest.mark.parametrize("blank", ["", " ", None])
def test_an_id_at_its_first_row_alone_is_filled_down_and_said(blank: str | None) -> None:
    table = long(["S 1", blank, blank, "S 2", blank])
    sequences = to_sequences(table, sequence_id="id")
    assert [x.tolist() for x in sequences.column("x")] == [[0, 1, 2], [3, 4]]
    assert list(sequences.column("id")) == ["S 1", "S 2"]
    assert sequences.notes[0] == (
        "3 of 5 cells of 'id' are blank, and each id stands at its first row alone: a blank means "
        "the id above."
    )


@pytest.mark.parametrize(
    ("ids", "row"),
    [
        (["a", None, "a", "b", None, None], 1),  # an id is repeated: then none is left out
        ([None, "a", None, "b", None], 0),  # nothing stands above the first
        (["1", "", "", "2", ""], 1),  # a number may have been lost
        ([1, None, None, 2, None], 1),
        (["a", "b", "c", "", "d"], 3),  # nearly every row has its own
    ],
)
def test_other_blank_ids_are_refused_with_their_row(ids: list[object], row: int) -> None:
    with pytest.raises(DataError, match=rf"long.csv, row {row}, column id: the cell is empty"):
        to_sequences(long(ids), sequence_id="id")


def test_ids_without_blanks_stay_as_they_are() -> None:
    table = long(["a ", "a", "a ", "b"])
    assert lengths(table) == [2, 1, 1]
    assert not any("blank" in note for note in table.notes)
