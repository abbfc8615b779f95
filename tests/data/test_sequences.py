"""Long tables to sequences and windows."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from elman.data.sequences import to_sequences, windows
from elman.data.table import Table
from elman.errors import DataError, OptionError


def walks(**changes: list[Any]) -> Table:
    """Two walks, their rows mixed: b has steps 3, 1, 2; a has 1, 2."""
    columns: dict[str, list[Any]] = {
        "walk": ["b", "a", "b", "b", "a"],
        "time": [3, 1, 1, 2, 2],
        "x": [30.0, 1.0, 10.0, 20.0, 2.0],
        "who": ["Bo", "Al", "Bo", "Bo", "Al"],
    }
    return Table.from_columns(columns | changes, "walks")


def test_rows_are_put_into_sequences_in_the_order_of_time() -> None:
    table = to_sequences(walks(), sequence_id="walk", time="time")
    assert list(table.column("walk")) == ["b", "a"]
    assert [x.tolist() for x in table.column("x")] == [[10, 20, 30], [1, 2]]
    assert list(table.column("who")) == ["Bo", "Al"]


def test_a_sequence_is_where_its_first_step_is() -> None:
    table = to_sequences(walks(), sequence_id="walk", time="time")
    assert [table.where(row) for row in range(2)] == ["walks, row 2", "walks, row 1"]


def test_sorting_and_constant_columns_are_noted() -> None:
    notes = to_sequences(walks(), sequence_id="walk", time="time").notes
    assert notes == [
        "rows were not in the order of 'time' (walks, row 0) and were sorted.",
        "columns constant within every sequence have one value a sequence: 'who'.",
    ]


def test_without_a_time_rows_keep_their_order() -> None:
    table = to_sequences(walks(), sequence_id="walk")
    assert [x.tolist() for x in table.column("x")] == [[30, 10, 20], [1, 2]]
    assert not any("sorted" in note for note in table.notes)


def test_without_an_id_all_rows_are_one_sequence_and_nothing_is_taken_for_constant() -> None:
    table = Table.from_columns({"t": [1, 2], "x": [5, 5], "y": ["a", "b"]}, "one")
    whole = to_sequences(table, time="t")
    assert len(whole) == 1
    assert whole.column("x")[0].tolist() == [5, 5]
    assert whole.column("y")[0] == ["a", "b"]
    assert whole.notes == []


def test_sequences_of_one_step_prove_no_column_constant() -> None:
    table = Table.from_columns({"id": [1, 2], "x": [5, 6]}, "short")
    assert [x.tolist() for x in to_sequences(table, sequence_id="id").column("x")] == [[5], [6]]


def test_columns_named_per_sequence_are_the_only_single_ones() -> None:
    table = to_sequences(walks(), sequence_id="walk", per_sequence=[])
    assert list(table.column("who")) == [["Bo"] * 3, ["Al"] * 2]
    assert to_sequences(walks(), sequence_id="walk", per_sequence=["who"]).notes == []


def test_a_column_named_per_sequence_that_changes_is_refused_with_two_rows() -> None:
    table = walks(who=["Bo", "Al", "Bo", "Cy", "Al"])
    with pytest.raises(DataError, match=r"walks, row 0 has 'Bo' and walks, row 3 'Cy'"):
        to_sequences(table, sequence_id="walk", per_sequence=["who"])


def test_two_rows_of_the_same_time_are_refused_with_both() -> None:
    table = walks(time=[3, 1, 1, 3, 2])
    words = r"walks, row 0 and walks, row 3: two rows of sequence 'b' have the same time 3"
    with pytest.raises(DataError, match=words):
        to_sequences(table, sequence_id="walk", time="time")
    with pytest.raises(DataError, match="or name the column of the sequence id"):
        to_sequences(table, time="time")


@pytest.mark.parametrize("column", ["walk", "time"])
def test_a_missing_id_or_time_is_refused_with_its_row(column: str) -> None:
    values: list[Any] = list(walks().column(column))
    values[3] = None
    with pytest.raises(DataError, match=rf"walks, row 3, column {column}: the cell is empty"):
        to_sequences(walks(**{column: values}), sequence_id="walk", time="time")


@pytest.mark.parametrize(
    "times",
    [
        ["1960-12", "1949-01", "1949-02"],
        ["2011-03-14 15:09", "2011-03-14 09:00", "2011-03-14 10:00"],
        [datetime.date(1960, 1, 2), datetime.date(1959, 1, 2), datetime.date(1960, 1, 1)],
        [2.5, -1.0, 0.0],
    ],
)
def test_dates_times_and_numbers_order_rows(times: list[Any]) -> None:
    table = Table.from_columns({"when": times, "x": [2, 0, 1]}, "it")
    assert to_sequences(table, time="when").column("x")[0].tolist() == [0, 1, 2]


def test_times_become_instants_where_differences_are_taken() -> None:
    written = ["28.03.2020 10:00", "30.03.2020 10:00"]
    table = Table.from_columns({"when": written, "x": [0, 1]}, "it")
    assert to_sequences(table, time="when").column("when")[0] == written
    instants = to_sequences(table, time="when", as_instants=True).column("when")[0]
    assert instants[1] - instants[0] == datetime.timedelta(days=2)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (["2011-03-14", "3/15/2011"], "it, row 1, column when: '3/15/2011' is not a time"),
        ([1.0, float("nan")], "it, row 1, column when: nan is not a time"),
        ([[1], [2]], "which is not a time"),
    ],
)
def test_what_is_no_time_is_refused(times: list[Any], words: str) -> None:
    table = Table.from_columns({"when": times}, "it")
    with pytest.raises(DataError, match=words):
        to_sequences(table, time="when")


def test_a_window_is_the_past_and_what_comes_next() -> None:
    table = Table.from_columns({"x": np.arange(10.0), "y": list("abcdefghij")}, "it")
    cut = windows(table, length=3, step=2, horizon=2)
    assert [x.tolist() for x in cut.column("x")] == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    assert list(cut.column("next_x")) == [4, 6, 8]
    assert cut.column("y")[2] == ["e", "f", "g"]
    assert list(cut.column("next_y")) == ["e", "g", "i"]
    assert cut.where(1) == "it, row 2"


def test_windows_of_sequences_never_cross_from_one_into_another() -> None:
    table = Table.from_columns(
        {"x": [[0, 1, 2, 3], [9], [10, 11, 12]], "who": ["a", "b", "c"]}, "it"
    )
    cut = windows(table, length=2)
    assert [x.tolist() for x in cut.column("x")] == [[0, 1], [1, 2], [10, 11]]
    assert list(cut.column("next_x")) == [2, 3, 12]
    assert list(cut.column("who")) == ["a", "a", "c"]
    assert cut.where(1) == "it, row 0, window from step 1"
    assert cut.spans is not None
    assert [part.tolist() for part in cut.spans] == [[0, 0, 2], [0, 1, 0], [3, 4, 3]]


def test_windows_can_be_selected_and_keep_their_values() -> None:
    cut = windows(Table.from_columns({"x": np.arange(2000.0)}, "it"), length=5)
    part = cut.select([1990, 3])
    assert [x.tolist()[0] for x in part.column("x")] == [1990, 3]
    assert part.spans is not None
    assert part.spans.start.tolist() == [1990, 3]


def test_windows_longer_than_every_sequence_are_refused_with_both_lengths() -> None:
    table = Table.from_columns({"x": np.arange(5.0)}, "it")
    with pytest.raises(DataError, match=r"has 5 steps, and a window of 5 .* needs 6"):
        windows(table, length=5)
    with pytest.raises(OptionError, match="horizon of windows must be at least 1 step, got 0"):
        windows(table, length=2, horizon=0)


def test_lists_of_different_lengths_in_a_row_are_refused() -> None:
    table = Table.from_columns({"x": [[1, 2], [1, 2]], "y": [[1, 2], [1]]}, "it")
    with pytest.raises(DataError, match="it, row 1: column 'x' has 2 steps and column 'y' 1"):
        windows(table, length=1)


def test_other_windows_have_another_fingerprint() -> None:
    table = Table.from_columns({"x": np.arange(9.0)}, "it")
    assert windows(table, length=2).fingerprint != windows(table, length=3).fingerprint


def test_ids_that_differ_only_in_spaces_are_kept_apart_and_said() -> None:
    table = Table.from_columns({"id": ["7", "7 ", "7", "8"], "x": [1, 2, 3, 4]}, "it.csv")
    sequences = to_sequences(table, sequence_id="id")
    assert list(sequences.column("id")) == ["7", "7 ", "8"]
    assert sequences.notes[-1] == (
        "1 id of 'id' is written with and without spaces around, such as '7' and '7 ': each "
        "form is a sequence of its own. If they are one, write them alike."
    )
