"""Next-step examples, chunks, and batches of like length."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elman.data.batching import Batch, BucketedBatches, Example, chunks, next_step
from elman.data.catalog import load
from elman.errors import DataError, OptionError, ShapeError

lengths_of_rows = st.lists(st.integers(1, 40), min_size=1, max_size=30)


def example_of(length: int, mark: float = 1.0) -> Example:
    """An example whose every value is `mark`, so that it can be found again in a batch."""
    return Example(torch.full((length, 3), mark), torch.full((length, 2), mark))


def rows_of(batches: list[Batch]) -> list[tuple[int, int]]:
    """(mark, length) of every row, in the order of the batches."""
    return [
        (int(batch.input[0, row, 0]), int(batch.lengths[row]))
        for batch in batches
        for row in range(len(batch.lengths))
    ]


def test_next_step_asks_for_every_frame_the_first_from_a_zero_frame() -> None:
    sequence = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    x, y = next_step(sequence)
    assert torch.equal(x, torch.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]))
    assert torch.equal(y, sequence)


@pytest.mark.parametrize("steps", [0, 1])
def test_next_step_takes_sequences_of_no_step_and_of_one(steps: int) -> None:
    x, y = next_step(torch.ones(steps, 5))
    assert torch.equal(x, torch.zeros(steps, 5))
    assert torch.equal(y, torch.ones(steps, 5))


def test_next_step_names_the_axes_it_wants() -> None:
    with pytest.raises(ShapeError, match=r"sequence must be \(T, I\), got \(3, 2, 5\)"):
        next_step(torch.zeros(3, 2, 5))


def test_chunks_are_as_even_as_they_can_be() -> None:
    pieces = chunks([next_step(torch.rand(10, 3)), next_step(torch.rand(4, 3))], length=4)
    assert [len(piece.input) for piece in pieces] == [4, 3, 3, 4]


@given(steps=st.integers(1, 60), length=st.integers(1, 70))
def test_chunks_put_together_are_the_whole_and_none_is_too_long(steps: int, length: int) -> None:
    whole = Example(torch.arange(steps * 2.0).view(steps, 2), torch.arange(float(steps))[:, None])
    pieces = chunks([whole], length)
    assert all(1 <= len(piece.input) <= length for piece in pieces)
    assert torch.equal(torch.cat([piece.input for piece in pieces]), whole.input)
    assert torch.equal(torch.cat([piece.target for piece in pieces]), whole.target)


def test_a_chunk_of_no_steps_is_refused() -> None:
    with pytest.raises(OptionError, match="length of a chunk must be at least 1 step, got 0"):
        chunks([example_of(3)], length=0)


@given(lengths=lengths_of_rows, batch_size=st.integers(1, 9), n=st.integers(0, 5))
def test_an_epoch_holds_every_row_once_with_zeros_behind_its_end(
    lengths: list[int], batch_size: int, n: int
) -> None:
    examples = [example_of(length, mark=1.0 + i) for i, length in enumerate(lengths)]
    batches = BucketedBatches(examples, batch_size, seed=3)
    epoch = list(batches.epoch(n))
    assert len(epoch) == len(batches)
    assert sorted(rows_of(epoch)) == [(1 + i, length) for i, length in enumerate(lengths)]
    for batch in epoch:
        assert 1 <= len(batch.lengths) <= batch_size
        assert len(batch.input) == int(batch.lengths.max())
        for row, length in enumerate(batch.lengths.tolist()):
            mark = examples[int(batch.input[0, row, 0]) - 1]
            assert torch.equal(batch.input[:length, row], mark.input)
            assert torch.equal(batch.target[:length, row], mark.target)
            assert not batch.input[length:, row].any()
            assert not batch.target[length:, row].any()
    assert sum(batch.real_steps for batch in epoch) == batches.real_steps == sum(lengths)


def test_an_epoch_follows_from_the_seed_and_its_number_alone() -> None:
    examples = [example_of(5 + i % 7, mark=1.0 + i) for i in range(40)]
    batches = BucketedBatches(examples, 6, seed=1)
    again = BucketedBatches(examples, 6, seed=1)
    list(again.epoch(0))
    assert rows_of(list(batches.epoch(4))) == rows_of(list(again.epoch(4)))
    assert rows_of(list(batches.epoch(4))) == rows_of(list(batches.epoch(4)))
    assert rows_of(list(batches.epoch(4))) != rows_of(list(batches.epoch(5)))
    assert rows_of(list(batches.epoch(4))) != rows_of(
        list(BucketedBatches(examples, 6, seed=2).epoch(4))
    )


def test_a_row_meets_other_neighbours_in_another_epoch() -> None:
    examples = [example_of(50 + i, mark=1.0 + i) for i in range(40)]
    batches = BucketedBatches(examples, 5, seed=0)

    def companies(n: int) -> set[frozenset[tuple[int, int]]]:
        return {frozenset(rows_of([batch])) for batch in batches.epoch(n)}

    assert not companies(0) & companies(1)


def test_without_shuffle_rows_go_from_short_to_long_in_every_epoch() -> None:
    examples = [example_of(length, mark=1.0 + i) for i, length in enumerate([9, 2, 7, 2, 5])]
    batches = BucketedBatches(examples, 2, seed=0, shuffle=False)
    assert rows_of(list(batches.epoch(0))) == [(2, 2), (4, 2), (5, 5), (3, 7), (1, 9)]
    assert rows_of(list(batches.epoch(8))) == rows_of(list(batches.epoch(0)))


def test_at_most_an_eighth_of_the_chorales_batches_is_padding() -> None:
    examples = [next_step(torch.from_numpy(roll)) for roll in load("chorales").train]
    batches = BucketedBatches(examples, 16, seed=0)
    laid_out = sum(batch.lengths.numel() * len(batch.input) for batch in batches.epoch(0))
    assert 1 - batches.real_steps / laid_out < 1 / 8


@pytest.mark.parametrize(
    ("examples", "error", "words"),
    [
        ([], DataError, "there are no examples"),
        ([example_of(2), example_of(0)], DataError, "example 1 has no steps; leave it out"),
        (
            [Example(torch.zeros(4, 3), torch.zeros(5, 2))],
            ShapeError,
            r"one target a step, got an input of T = 4 and a target of T = 5 steps",
        ),
        (
            [Example(torch.zeros(4), torch.zeros(4, 2))],
            ShapeError,
            r"example 0 must have input \(T, I\) and target \(T, O\), got \(4,\) and \(4, 2\)",
        ),
        (
            [example_of(2), Example(torch.zeros(4, 7), torch.zeros(4, 2))],
            ShapeError,
            "example 1 has I = 7, O = 2; example 0 has I = 3, O = 2",
        ),
    ],
)
def test_what_cannot_become_a_batch_is_refused_in_words(
    examples: list[Example], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        BucketedBatches(examples, 2, seed=0)


def test_options_out_of_range_are_refused_in_words() -> None:
    with pytest.raises(OptionError, match="batch_size must be at least 1, got 0"):
        BucketedBatches([example_of(2)], 0, seed=0)
    with pytest.raises(OptionError, match="seed must be at least 0, got -1"):
        BucketedBatches([example_of(2)], 1, seed=-1)
    with pytest.raises(OptionError, match="epochs are counted from 0, got -2"):
        next(BucketedBatches([example_of(2)], 1, seed=0).epoch(-2))
