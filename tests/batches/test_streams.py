"""Cutting in time: windows of a batch, and a long stream as rows of chunks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elman.batches.batching import Batch
from elman.batches.streams import StreamBatches, windows
from elman.errors import DataError, OptionError, ShapeError


def joined(epoch: list[Batch]) -> list[tuple[list[int], list[int]]]:
    """Every row's inputs and targets of an epoch, put together again."""
    rows = range(len(epoch[0].lengths))
    return [
        (
            [x for b in epoch for x in b.input[: int(b.lengths[row]), row].tolist()],
            [y for b in epoch for y in b.target[: int(b.lengths[row]), row].tolist()],
        )
        for row in rows
    ]


def test_windows_are_the_batch_in_the_order_of_time() -> None:
    x = torch.arange(10.0).view(5, 2, 1)
    batch = Batch(x, -x, torch.tensor([5, 3]))
    parts = list(windows(batch, 2))
    assert torch.equal(torch.cat([part.input for part in parts]), x)
    assert torch.equal(torch.cat([part.target for part in parts]), -x)
    assert [part.lengths.tolist() for part in parts] == [[2, 2], [2, 1], [1, 0]]
    assert [part.continues for part in parts] == [False, True, True]
    assert [part.weight for part in parts] == [4, 3, 1]
    going_on = windows(batch._replace(continues=True), 2)
    assert [part.continues for part in going_on] == [True, True, True]


@pytest.mark.parametrize("length", [0, 5, 9])
def test_a_batch_no_longer_than_a_window_is_its_only_window(length: int) -> None:
    batch = Batch(torch.ones(5, 2, 1), torch.ones(5, 2, 1), torch.tensor([5, 3]), continues=True)
    (only,) = windows(batch, length)
    assert only is batch


def test_what_has_one_target_a_row_is_not_cut_in_time() -> None:
    batch = Batch(torch.ones(5, 2, 1), torch.ones(2), torch.tensor([5, 3]), per_step=False)
    assert list(windows(batch, 0)) == [batch]
    with pytest.raises(OptionError, match=r"chunk_length = 9 .* one target a row\. Set chunk_len"):
        list(windows(batch, 9))


def test_a_stream_asks_for_the_next_element_and_goes_on_row_by_row() -> None:
    batches = StreamBatches(torch.arange(20, 31), batch_size=2, chunk_length=2)
    epoch = list(batches.epoch(0))
    assert len(epoch) == len(batches) == 3
    assert [batch.continues for batch in epoch] == [False, True, True]
    assert epoch[0].input.tolist() == [[20, 25]]
    assert joined(epoch) == [
        ([20, 21, 22, 23, 24], [21, 22, 23, 24, 25]),
        ([25, 26, 27, 28, 29], [26, 27, 28, 29, 30]),
    ]


@given(
    size=st.integers(2, 80),
    batch_size=st.integers(1, 9),
    chunk_length=st.integers(1, 30),
    vary_cuts=st.booleans(),
    n=st.integers(0, 4),
)
def test_every_element_is_asked_for_once_in_chunks_no_longer_than_asked(
    size: int, batch_size: int, chunk_length: int, vary_cuts: bool, n: int
) -> None:
    if size - 1 < batch_size:
        size = batch_size + 1
    batches = StreamBatches(
        torch.arange(size), batch_size, chunk_length, seed=3, vary_cuts=vary_cuts
    )
    epoch = list(batches.epoch(n))
    assert len(epoch) == len(batches)
    assert all(1 <= len(batch.input) <= chunk_length for batch in epoch)
    assert [batch.continues for batch in epoch] == [False] + [True] * (len(epoch) - 1)
    rows = joined(epoch)
    assert [x for inputs, _ in rows for x in inputs] == list(range(size - 1))
    assert [y for _, targets in rows for y in targets] == list(range(1, size))
    assert max(len(x) for x, _ in rows) - min(len(x) for x, _ in rows) <= 1
    assert sum(batch.weight for batch in epoch) == batches.real_steps == size - 1


def test_cuts_that_vary_do_so_from_epoch_to_epoch_as_the_seed_says() -> None:
    def cuts(seed: int, **options: Any) -> list[list[int]]:
        batches = StreamBatches(torch.arange(500), 3, 20, seed=seed, **options)
        return [[len(batch.input) for batch in batches.epoch(n)] for n in range(6)]

    varied = cuts(1, vary_cuts=True)
    assert len({tuple(epoch) for epoch in varied}) > 2
    assert varied == cuts(1, vary_cuts=True)
    assert varied != cuts(2, vary_cuts=True)
    assert len({tuple(epoch) for epoch in cuts(1)}) == 1


def test_a_stream_with_targets_of_its_own_loses_no_sample() -> None:
    dry, wet = torch.arange(7.0)[:, None], torch.arange(7.0)[:, None] * 10
    (batch,) = StreamBatches(dry, 2, 100, targets=wet).epoch(0)
    assert batch.input[..., 0].T.tolist() == [[0, 1, 2, 3], [4, 5, 6, 0]]
    assert batch.target[..., 0].T.tolist() == [[0, 10, 20, 30], [40, 50, 60, 0]]
    assert batch.lengths.tolist() == [4, 3]


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((torch.arange(9), 0, 3), {}, OptionError, "at least 0, got 0, 3 and 0"),
        ((torch.arange(9), 2, 0), {}, OptionError, "at least 0, got 2, 0 and 0"),
        ((torch.arange(9), 2, 3), {"seed": -1}, OptionError, "got 2, 3 and -1"),
        ((torch.tensor(3), 2, 3), {}, ShapeError, "got a single number"),
        (
            (torch.arange(9), 2, 3),
            {"targets": torch.arange(8)},
            ShapeError,
            r"targets must be \(S, …\) with S = 9, got \(8,\)",
        ),
        (
            (torch.arange(4), 4, 3),
            {},
            DataError,
            "a stream of 4 elements is too short for batch_size = 4",
        ),
    ],
)
def test_what_cannot_be_a_stream_is_refused_in_words(
    arguments: tuple[Any, ...], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        StreamBatches(*arguments, **options)


def test_an_epoch_before_the_first_is_refused_in_words() -> None:
    with pytest.raises(OptionError, match="epochs are counted from 0, got -1"):
        next(StreamBatches(torch.arange(9), 2, 3).epoch(-1))
