"""Lengths, resets, reversal and PackedSequence."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence

from battery import DRAWN, assert_same_bits, draw
from elman.errors import OptionError, ShapeError
from elman.sequence.ragged import (
    checked_lengths,
    checked_resets,
    pack_like,
    pad_packed,
    real_steps,
    reverse_resets,
    reverse_rows,
)

X = torch.zeros(4, 3, 2)
TRUE, FALSE = True, False

row_lengths = st.integers(0, 6).flatmap(
    lambda steps: st.tuples(
        st.just(steps), st.none() | st.lists(st.integers(0, steps), min_size=0, max_size=4)
    )
)


@settings(DRAWN, max_examples=40)
@given(drawn=row_lengths)
def test_reversal_within_lengths_is_its_own_inverse(drawn: tuple[int, list[int] | None]) -> None:
    steps, lengths = drawn
    rows = 3 if lengths is None else len(lengths)
    given_lengths = None if lengths is None else torch.tensor(lengths, dtype=torch.int64)
    sequence = draw(steps, rows, 2)
    once = reverse_rows(sequence, given_lengths)
    assert_same_bits(reverse_rows(once, given_lengths), sequence, "twice reversed")
    for row in range(rows):
        end = steps if lengths is None else lengths[row]
        assert_same_bits(once[:end, row], sequence[:end, row].flip(0), "real steps")
        assert_same_bits(once[end:, row], sequence[end:, row], "padding")


def test_real_steps_are_those_before_each_rows_end() -> None:
    expected = [[TRUE, FALSE, TRUE], [TRUE, FALSE, FALSE], [TRUE, FALSE, FALSE]]
    assert real_steps(torch.tensor([3, 0, 1]), 3).tolist() == expected


@pytest.mark.parametrize(
    ("resets", "length", "expected"),
    [
        ("0100", None, "0001"),  # a cut between steps 0 and 1 is met before step 0, the last
        ("0010", None, "0010"),
        ("0001", None, "0100"),
        ("1000", None, "0000"),  # before the first step there is no boundary to cross
        ("1111", None, "0111"),
        ("0100", 3, "001"),
        ("0001", 3, "000"),  # a cut in the padding, at the row's very end
        ("0111", 3, "011"),
        ("0011", 2, "00"),
        ("1111", 1, "0"),
    ],
)
def test_a_cut_stays_between_the_same_two_steps_when_a_row_is_reversed(
    resets: str, length: int | None, expected: str
) -> None:
    column = torch.tensor([[letter == "1"] for letter in resets])
    lengths = None if length is None else torch.tensor([length])
    moved = reverse_resets(column, lengths).flatten().tolist()[:length]
    assert moved == [letter == "1" for letter in expected]


@pytest.mark.parametrize("enforce_sorted", [True, False])
def test_what_was_unpacked_packs_again_to_the_same_bits_and_indices(enforce_sorted: bool) -> None:
    lengths = [5, 3, 1] if enforce_sorted else [3, 1, 5]
    packed = pack_padded_sequence(draw(7, 3, 2), torch.tensor(lengths), False, enforce_sorted)
    padded, found = pad_packed(packed)
    assert found.tolist() == lengths
    again = pack_like(padded, packed)
    assert_same_bits(again.data, packed.data, "data")
    assert_same_bits(again.batch_sizes, packed.batch_sizes, "batch_sizes")
    if enforce_sorted:
        assert again.sorted_indices is None
        assert again.unsorted_indices is None
    else:
        assert_same_bits(again.sorted_indices, packed.sorted_indices, "sorted_indices")
        assert_same_bits(again.unsorted_indices, packed.unsorted_indices, "unsorted_indices")


@pytest.mark.parametrize(
    "lengths",
    [[4, 0, 2], (4, 0, 2), torch.tensor([4, 0, 2]), torch.tensor([4, 0, 2], dtype=torch.uint8)],
    ids=["list", "tuple", "int64", "uint8"],
)
def test_lengths_are_taken_as_int64_in_the_order_given(lengths: Any) -> None:
    checked = checked_lengths(lengths, X)
    assert checked.dtype == torch.int64
    assert checked.tolist() == [4, 0, 2]


def test_no_rows_have_no_lengths() -> None:
    assert checked_lengths([], torch.zeros(4, 0, 2)).tolist() == []


@pytest.mark.parametrize(
    ("lengths", "error", "words"),
    [
        ([1, 5, 2], OptionError, r"lengths must lie in 0 … T = 4, got 5 at row 1\."),
        ([1, 2, -1], OptionError, r"lengths must lie in 0 … T = 4, got -1 at row 2\."),
        ([1.0, 2.0, 3.0], OptionError, r"lengths must be whole numbers, got torch\.float32\."),
        ([True, True, False], OptionError, r"lengths must be whole numbers, got torch\.bool\."),
        ([1, 2], ShapeError, r"lengths must be \(B,\) = \(3,\), got \(2,\)\."),
        ([[1, 2, 3]], ShapeError, r"lengths must be \(B,\) = \(3,\), got \(1, 3\)\."),
    ],
)
def test_wrong_lengths_are_refused_in_words(
    lengths: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        checked_lengths(lengths, X)


def test_resets_may_be_booleans_or_whole_numbers() -> None:
    whole = checked_resets(torch.eye(4, 3, dtype=torch.int64), X)
    assert_same_bits(whole, torch.eye(4, 3, dtype=torch.bool), "resets")


@pytest.mark.parametrize(
    ("resets", "axes", "error", "words"),
    [
        (torch.zeros(3, 4), "T, B", ShapeError, r"resets must be \(T, B\) = \(4, 3\), got \(3, 4"),
        (torch.zeros(4), "B, T", ShapeError, r"resets must be \(B, T\) = \(4, 3\), got \(4,\)\."),
        (torch.zeros(4, 3), "T, B", OptionError, r"resets must be booleans, got torch\.float32\."),
    ],
)
def test_wrong_resets_are_refused_in_words(
    resets: torch.Tensor, axes: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        checked_resets(resets, X, axes)
