"""Splits: shares kept, nothing leaks, every choice from the seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elman.data.sequences import to_sequences, windows
from elman.data.splits import Splits, split
from elman.data.table import Table
from elman.errors import DataError, OptionError


def table_of(**columns: list[object]) -> Table:
    return Table.from_columns(columns, "it")


def assert_parts_of(splits: Splits, rows: int) -> None:
    together = np.concatenate(splits[:3])
    assert len(np.unique(together)) == len(together) == rows


def test_a_split_follows_from_the_seed_alone() -> None:
    table = table_of(x=list(range(100)))
    first, again, other = (split(table, seed=seed) for seed in (1, 1, 2))
    assert_parts_of(first, 100)
    assert [len(part) for part in first[:3]] == [80, 10, 10]
    assert all(map(np.array_equal, first[:3], again[:3]))
    assert not np.array_equal(first.test, other.test)


@given(
    counts=st.lists(st.integers(1, 40), min_size=2, max_size=8),
    valid=st.sampled_from([0, 0.1, 0.2]),
    test=st.sampled_from([0.1, 0.3]),
    seed=st.integers(0, 5),
)
def test_every_label_has_its_share_of_every_part(
    counts: list[int], valid: float, test: float, seed: int
) -> None:
    counts = [50, *counts]
    labels: list[object] = [name for name, count in enumerate(counts) for _ in range(count)]
    splits = split(table_of(y=labels), seed=seed, valid=valid, test=test, stratify="y")
    assert_parts_of(splits, len(labels))
    rows = len(labels) - counts.count(1)
    for part, share in (("valid", valid), ("test", test)):
        part_rows = getattr(splits, part)
        in_part = Counter(labels[row] for row in part_rows)
        wanted = max(1, round(share * len(labels))) if share else 0
        assert len(part_rows) == wanted
        for name, count in enumerate(counts):
            if count > 1:
                assert abs(in_part[name] - count * wanted / rows) <= 2
            else:
                assert in_part[name] == 0


def test_labels_of_few_rows_come_into_the_test_as_often_as_others() -> None:
    labels: list[object] = [row // 4 for row in range(400)] + [-1] * 400
    test_rows = split(table_of(y=labels), seed=0, stratify="y").test
    assert 25 <= sum(row < 400 for row in test_rows) <= 55


def test_classes_with_a_single_row_are_trained_on_and_noted() -> None:
    splits = split(table_of(y=["a"] * 10 + ["b"] * 10 + ["rare"]), seed=0, stratify="y")
    assert 20 in splits.train
    assert splits.notes == ("classes with a single row went to the training rows: 'rare'.",)


def test_classes_that_all_have_a_single_row_cannot_be_stratified() -> None:
    with pytest.raises(DataError, match="has 5 values with a single row, too many"):
        split(table_of(y=list("abcde")), seed=0, stratify="y")


def test_stratifying_by_a_list_is_refused() -> None:
    with pytest.raises(DataError, match="it, row 0, column y: a split needs a single value"):
        split(table_of(y=[["a"], ["b"], ["c"]]), seed=0, stratify="y")


@given(sizes=st.lists(st.integers(1, 30), min_size=3, max_size=12), seed=st.integers(0, 5))
def test_groups_stay_whole_and_every_part_has_one(sizes: list[int], seed: int) -> None:
    groups: list[object] = [name for name, size in enumerate(sizes) for _ in range(size)]
    splits = split(table_of(g=groups), seed=seed, group="g")
    assert_parts_of(splits, len(groups))
    owners = [{groups[row] for row in part} for part in splits[:3]]
    assert sum(map(len, owners)) == len(sizes)
    assert all(owners)


def test_many_small_groups_come_near_to_the_shares() -> None:
    splits = split(table_of(g=[row // 3 for row in range(300)]), seed=0, group="g")
    assert [len(part) for part in splits[:3]] == [240, 30, 30]


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_is_no_group_and_said(blank: str | None) -> None:
    groups: list[object] = ["ann"] * 10 + [blank] * 90
    splits = split(table_of(g=groups), seed=3, group="g")
    assert_parts_of(splits, 100)
    assert [len(part) for part in splits[:3]] == [80, 10, 10]
    (together,) = {
        name for name, part in enumerate(splits[:3]) for row in part if groups[row] == "ann"
    }
    assert together == 0
    assert splits.notes == (
        "column 'g' is blank in 90 of 100 rows: such a row belongs to no group.",
    )


def test_fewer_groups_than_parts_are_refused() -> None:
    with pytest.raises(DataError, match="has 2 groups, too few for 3 parts"):
        split(table_of(g=["a", "a", "b", "b"]), seed=0, group="g")


def test_a_column_says_the_parts_whatever_it_calls_them() -> None:
    table = table_of(part=["Train", "dev", "test", "training", "val", "valid "])
    splits = split(table, seed=0, column="part")
    assert [part.tolist() for part in splits[:3]] == [[0, 3], [1, 4, 5], [2]]
    assert splits.notes == ()


def test_a_part_without_rows_is_drawn_from_the_training_rows_and_noted() -> None:
    splits = split(table_of(part=["train"] * 20 + ["test"] * 5), seed=0, column="part")
    assert_parts_of(splits, 25)
    assert len(splits.valid) == 2
    assert splits.test.tolist() == [20, 21, 22, 23, 24]
    assert splits.notes == (
        "column 'part' has no row with 'valid'; 10% of the training rows are used.",
    )


def test_a_cell_that_is_no_part_is_refused_with_its_row() -> None:
    words = r"it, row 1, column part: unknown part 'tset'; did you mean 'test'"
    with pytest.raises(DataError, match=words):
        split(table_of(part=["train", "tset"]), seed=0, column="part")


def test_in_time_order_the_last_rows_are_the_test() -> None:
    splits = split(table_of(x=list(range(20))), seed=0, in_time_order=True)
    assert [part.tolist() for part in splits[:3]] == [list(range(16)), [16, 17], [18, 19]]


@pytest.mark.parametrize("horizon", [1, 4])
def test_no_window_reads_or_forecasts_a_value_of_a_later_part(horizon: int) -> None:
    table = table_of(t=[*range(60), *range(40)], g=["a"] * 60 + ["b"] * 40)
    cut = windows(to_sequences(table, sequence_id="g", time="t"), length=3, horizon=horizon, step=1)
    splits = split(cut, seed=0, valid=0.2, test=0.2, in_time_order=True)
    assert cut.spans is not None
    for sequence, borders in ((0, (36, 48)), (1, (24, 32))):
        of_it = cut.spans.sequence == sequence
        ends = [cut.spans.stop[part[of_it[part]]] - 1 for part in splits[:3]]
        first = horizon + 2
        assert ends[0].tolist() == list(range(first, borders[0]))
        assert ends[1].tolist() == list(range(*borders))
        assert ends[2].tolist() == list(range(borders[1], 60 if sequence == 0 else 40))
    assert sum(map(len, splits[:3])) == len(cut)
    assert not splits.notes


def test_windows_too_long_for_a_part_are_refused() -> None:
    cut = windows(table_of(x=list(range(30))), length=26)
    with pytest.raises(DataError, match=r"no row ends in the train part, 80% of 30 steps"):
        split(cut, seed=0, in_time_order=True)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(DataError, match="it has 2 rows, too few for 3 parts"):
        split(table_of(x=[1, 2]), seed=0)
    assert [len(part) for part in split(table_of(x=[1, 2]), seed=0, valid=0)[:3]] == [1, 0, 1]


def test_options_that_contradict_each_other_are_refused() -> None:
    table = table_of(x=[1, 2, 3])
    with pytest.raises(OptionError, match="one way only, got stratify and group"):
        split(table, seed=0, stratify="x", group="x")
    with pytest.raises(OptionError, match=r"leave training rows, got valid=0\.5 and test=0\.5"):
        split(table, seed=0, valid=0.5, test=0.5)


def test_the_latest_rows_by_an_order_that_is_given_are_for_the_test() -> None:
    table = Table.from_columns({"day": [3, 1, 4, 2, 0, 9, 8, 7, 6, 5]}, "it")
    order = np.argsort(list(table.column("day")))
    parts = split(table, seed=0, in_time_order=True, order=order)
    days = [sorted(table.column("day")[row] for row in part) for part in parts[:3]]
    assert days == [[0, 1, 2, 3, 4, 5, 6, 7], [8], [9]]
    assert all((np.diff(part) > 0).all() for part in parts[:3])
