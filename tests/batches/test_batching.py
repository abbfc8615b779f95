"""Next-step examples, chunks, and batches of like length, with time and without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from elman.batches.batching import Batch, BucketedBatches, Example, chunks, next_step
from elman.batches.inputs import OneInput
from elman.data.catalog import load
from elman.errors import DataError, OptionError, ShapeError

lengths_of_rows = st.lists(st.integers(1, 40), min_size=1, max_size=30)


def example_of(length: int, mark: float = 1.0) -> Example:
    """An example whose every value is `mark`, so that it can be found again in a batch."""
    return Example(torch.full((length, 3), mark), torch.full((length, 2), mark))


def only_batch(examples: list[Example], **options: Any) -> Batch:
    """All examples in one batch, in order of length."""
    options = {"seed": 0, "shuffle": False, **options}
    (batch,) = BucketedBatches(examples, len(examples), **options).epoch(0)
    return batch


class Lazy:
    """Examples that note which of them have been read."""

    def __init__(self, examples: list[Example], lengths: list[int] | None = None) -> None:
        self.examples = examples
        self.lengths = np.array(lengths or [len(example.input) for example in examples])
        self.read: list[int] = []

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Example:
        self.read.append(index)
        return self.examples[index]


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


def test_next_step_of_ids_begins_with_the_id_of_nothing() -> None:
    x, y = next_step(torch.tensor([7, 3, 5]))
    assert x.tolist() == [0, 7, 3]
    assert y.tolist() == [7, 3, 5]


def test_next_step_names_the_axes_it_wants() -> None:
    with pytest.raises(ShapeError, match=r"sequence must be \(T, …\), got a single number"):
        next_step(torch.tensor(3.0))


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
    assert sum(batch.weight for batch in epoch) == batches.real_steps == sum(lengths)


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


def test_ids_and_pictures_are_padded_as_vectors_are() -> None:
    ids = [Example(torch.arange(1, n + 1), torch.arange(n) + 10) for n in (2, 3)]
    batch = only_batch(ids)
    assert batch.input.tolist() == [[1, 1], [2, 2], [0, 3]]
    assert batch.target.tolist() == [[10, 10], [11, 11], [0, 12]]
    assert batch.input.dtype == torch.int64

    frames = [Example(torch.full((n, 1, 2, 2), float(n)), torch.zeros(n, 1)) for n in (1, 2)]
    assert only_batch(frames).input.shape == (2, 2, 1, 2, 2)
    assert not only_batch(frames).input[1, 0].any()


def test_a_target_a_row_is_stacked_and_weighs_one_a_row() -> None:
    examples = [Example(torch.ones(n, 3), torch.tensor(n)) for n in (5, 2, 4)]
    batch = only_batch(examples, targets="row")
    assert batch.target.tolist() == batch.lengths.tolist() == [2, 4, 5]
    assert not batch.per_step
    assert batch.weight == 3
    assert only_batch([example_of(5), example_of(2)]).weight == 7


def test_inputs_without_time_come_a_row_each_in_their_own_order() -> None:
    examples = [Example(torch.full((4,), float(i)), torch.tensor([i])) for i in range(5)]
    batch = only_batch(examples, inputs=OneInput(has_steps=False), targets="row")
    assert batch.input[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert batch.target.tolist() == [[0], [1], [2], [3], [4]]
    assert batch.lengths.tolist() == [1, 1, 1, 1, 1]
    shuffled = BucketedBatches(examples, 5, seed=1, inputs=OneInput(has_steps=False), targets="row")
    (first,), (second,) = shuffled.epoch(0), shuffled.epoch(1)
    assert sorted(first.target.flatten().tolist()) == [0, 1, 2, 3, 4]
    assert not torch.equal(first.target, second.target)


def test_a_target_of_its_own_length_is_padded_with_minus_one() -> None:
    examples = [
        Example(torch.ones(5, 2), torch.tensor([3, 0, 2])),
        Example(torch.ones(7, 2), torch.tensor([], dtype=torch.int64)),
        Example(torch.ones(9, 2), torch.tensor([1])),
    ]
    batch = only_batch(examples, targets="sequence")
    assert batch.target.T.tolist() == [[3, 0, 2], [-1, -1, -1], [1, -1, -1]]
    assert batch.weight == 3


def test_a_row_without_steps_is_kept_where_its_target_is_the_row_s() -> None:
    empty = Example(torch.zeros(0, 2), torch.tensor(1))
    batch = only_batch([empty, Example(torch.ones(3, 2), torch.tensor(0))], targets="row")
    assert batch.lengths.tolist() == [0, 3]
    assert batch.target.tolist() == [1, 0]
    alone = only_batch([empty], targets="row")
    assert alone.input.tolist() == [[[0.0, 0.0]]], "a batch has at least one step"
    assert alone.lengths.tolist() == [0]


def test_lazy_examples_are_read_a_batch_at_a_time_and_batched_as_others_are() -> None:
    examples = [example_of(3 + i % 7, mark=1.0 + i) for i in range(20)]
    lazy = Lazy(examples)
    batches = BucketedBatches(lazy, 4, seed=5)
    lazy.read.clear()
    first = next(batches.epoch(3))
    assert len(lazy.read) == 4
    expected = list(BucketedBatches(examples, 4, seed=5).epoch(3))
    assert torch.equal(first.input, expected[0].input)
    assert rows_of(list(batches.epoch(3))) == rows_of(expected)


def test_lazy_examples_are_checked_when_they_are_read() -> None:
    broken = Example(torch.zeros(3, 7), torch.zeros(3, 2))
    batches = BucketedBatches(Lazy([example_of(2), broken]), 1, seed=0, shuffle=False)
    epoch = batches.epoch(0)
    next(epoch)
    with pytest.raises(ShapeError, match="example 1 must be like example 0"):
        next(epoch)
    with pytest.raises(DataError, match="example 1 has no steps"):
        BucketedBatches(Lazy([example_of(2), example_of(0)]), 1, seed=0)


@given(lengths=lengths_of_rows, max_steps=st.integers(1, 120), shuffle=st.booleans())
def test_no_batch_has_more_steps_than_asked_but_one_row_alone(
    lengths: list[int], max_steps: int, shuffle: bool
) -> None:
    examples = [example_of(length, mark=1.0 + i) for i, length in enumerate(lengths)]
    batches = BucketedBatches(examples, 8, seed=3, shuffle=shuffle, max_steps=max_steps)
    for n in range(3):
        epoch = list(batches.epoch(n))
        assert len(epoch) == len(batches)
        assert sorted(rows_of(epoch)) == [(1 + i, length) for i, length in enumerate(lengths)]
        for batch in epoch:
            steps, rows = batch.input.shape[:2]
            assert rows == 1 or (rows <= 8 and rows * steps <= max_steps)


def test_a_batch_moves_to_a_device_whole() -> None:
    batch = only_batch([Example(torch.ones(2, 3), torch.tensor(1))], targets="row")
    moved = batch._replace(continues=True).to("meta")
    assert {part.device.type for part in moved if isinstance(part, Tensor)} == {"meta"}
    assert (moved.per_step, moved.continues) == (False, True)


@pytest.mark.parametrize(
    ("examples", "options", "error", "words"),
    [
        ([], {}, DataError, "there are no examples"),
        ([example_of(2), example_of(0)], {}, DataError, "example 1 has no steps; leave it out"),
        (
            [Example(torch.zeros(4, 3), torch.zeros(5, 2))],
            {},
            ShapeError,
            "one target a step, got an input of T = 4 and a target of T = 5 steps",
        ),
        (
            [Example(torch.zeros(4, 3), torch.tensor(1.0))],
            {},
            ShapeError,
            "one target a step, got an input of T = 4 and a target of one number",
        ),
        (
            [Example(torch.tensor(1.0), torch.tensor(1.0))],
            {"targets": "row"},
            ShapeError,
            r"input must be \(T, …\), time first, got a single number",
        ),
        (
            [example_of(2), Example(torch.zeros(4, 7), torch.zeros(4, 2))],
            {},
            ShapeError,
            r"example 1 must be like example 0, input \(T, 3\) torch.float32 and target \(T, 2\) "
            r"torch.float32; got input \(T, 7\) torch.float32 and",
        ),
        (
            [example_of(2), Example(torch.zeros(4, 3).double(), torch.zeros(4, 2))],
            {},
            ShapeError,
            r"got input \(T, 3\) torch.float64",
        ),
        (
            [Example(torch.zeros(4, 3), torch.zeros(2))],
            {"targets": "sequence"},
            ShapeError,
            r"example 0 must have a target \(S,\) of ids, got \(2,\) torch.float32",
        ),
        (
            [Example(torch.zeros(4, 3), torch.tensor([2, -1]))],
            {"targets": "sequence"},
            DataError,
            "example 0 has the label -1; labels must be ids of at least 0",
        ),
    ],
)
def test_what_cannot_become_a_batch_is_refused_in_words(
    examples: list[Example], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        BucketedBatches(examples, 2, seed=0, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"max_steps": 0}, "max_steps must be at least 1, got 0"),
        ({"targets": "rows"}, "unknown kind of targets 'rows'; did you mean 'row'"),
        ({"inputs": OneInput(has_steps=False)}, "targets = 'step' needs inputs with steps"),
    ],
)
def test_options_out_of_range_are_refused_in_words(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        BucketedBatches([example_of(2)], **{"batch_size": 1, "seed": 0, **options})


def test_an_epoch_before_the_first_is_refused_in_words() -> None:
    with pytest.raises(OptionError, match="epochs are counted from 0, got -2"):
        next(BucketedBatches([example_of(2)], 1, seed=0).epoch(-2))
