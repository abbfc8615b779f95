"""Prefixes, lengths, repeats and banned symbols, in every way of decoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from elman.errors import DataError, OptionError, ShapeError
from elman.networks.decoding import DecodingOptions, Hypothesis, decode
from elman.networks.decoding.constraints import completing_repeats
from writers import TableWriter

ROWS = (3, 14, 15, 92, 65)
WAYS: dict[str, dict[str, Any]] = {
    "greedy": {},
    "beam": {"beam_size": 4, "n_best": 4},
    "drawn": {"temperature": 1.5},
}
every_way = pytest.mark.parametrize("way", WAYS)


def write(
    writer: TableWriter,
    way: str,
    *rows: int,
    prefixes: Any = None,
    end: bool = True,
    **options: Any,
) -> list[list[Hypothesis]]:
    state, first = writer.begin(*rows)
    return decode(
        writer.step,
        state,
        first,
        end=writer.end if end else None,
        options=DecodingOptions(**WAYS[way] | options),
        prefixes=prefixes,
        generator=torch.Generator().manual_seed(1) if way == "drawn" else None,
    )


def texts(found: list[list[Hypothesis]]) -> list[list[int]]:
    return [hypothesis.ids.tolist() for hypotheses in found for hypothesis in hypotheses]


@every_way
def test_every_row_begins_with_its_own_prefix_which_counts_as_written(way: str) -> None:
    writer = TableWriter(7)
    prefixes = [torch.tensor(p).long() for p in ([], [4], [0, 0], [5, 5, 5, 1, 2], [2, 0, 3])]
    answers = write(writer, way, *ROWS, prefixes=prefixes, max_length=5, no_repeat_ngram_size=1)
    for row, prefix, found in zip(ROWS, prefixes, answers, strict=True):
        for hypothesis in found:
            ids = tuple(hypothesis.ids.tolist())
            assert ids[: len(prefix)] == tuple(prefix.tolist())
            assert len(ids) <= 5
            steps = [*ids, *[writer.end] * hypothesis.finished]
            expected = sum(writer.log_p(row, ids[:t])[y] for t, y in enumerate(steps))
            assert hypothesis.log_probability == pytest.approx(expected, abs=1e-9)


@every_way
def test_no_row_is_shorter_than_the_minimum_or_longer_than_the_maximum(way: str) -> None:
    writer = TableWriter(7)
    writer.table[:, writer.end] += 3
    free = texts(write(writer, way, *range(50), max_length=9))
    assert min(map(len, free)) == 0
    held = write(writer, way, *range(50), min_length=3, max_length=6)
    lengths = [len(h.ids) for found in held for h in found]
    assert min(lengths) == 3
    assert max(lengths) <= 6
    exact = write(writer, way, *range(50), min_length=4, max_length=4)
    assert {len(ids) for ids in texts(exact)} == {4}


@every_way
def test_what_reaches_the_maximum_is_finished_only_where_the_end_would_be_next(way: str) -> None:
    writer = TableWriter(7)
    table = writer.table
    table[:, writer.end] = -50.0
    for found in write(writer, way, *ROWS, max_length=3):
        assert all(not h.finished and len(h.ids) == 3 for h in found)
    table[:, writer.end] = 50.0
    for found in write(writer, way, *ROWS, max_length=3, min_length=3):
        assert all(h.finished and len(h.ids) == 3 for h in found)


@every_way
def test_a_network_without_an_end_writes_as_much_as_it_may(way: str) -> None:
    writer = TableWriter(7)
    for found in write(writer, way, *ROWS, end=False, max_length=6):
        assert all(not h.finished and len(h.ids) == 6 for h in found)
        assert found[0].score == pytest.approx(found[0].log_probability / 6)


@every_way
@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_n_symbols_in_a_row_are_written_twice(way: str, n: int) -> None:
    writer = TableWriter(5)
    writer.table[:, 1] += 2

    def repeats(found: list[list[Hypothesis]]) -> int:
        ngrams = [[tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)] for ids in texts(found)]
        return sum(len(each) - len(set(each)) for each in ngrams)

    options = {"max_length": 12, "min_length": 0}
    assert repeats(write(writer, way, *range(20), **options)) > 0
    assert repeats(write(writer, way, *range(20), no_repeat_ngram_size=n, **options)) == 0


def test_what_would_complete_a_repeated_ngram_is_found() -> None:
    history = torch.tensor([[4, 2, 4, 2, 4], [1, 2, 3, 4, 5], [7, 7, 7, 7, 7]])
    all_of_row_1 = {(1, y) for y in range(1, 6)}
    expected: dict[int, set[tuple[int, int]]] = {
        1: {(0, 2), (0, 4), (2, 7), *all_of_row_1},
        2: {(0, 2), (2, 7)},
        4: {(0, 2), (2, 7)},
        5: {(2, 7)},
        6: set(),
    }
    for n, pairs in expected.items():
        rows, ids = completing_repeats(history, n)
        assert set(zip(rows.tolist(), ids.tolist(), strict=True)) == pairs


@every_way
def test_a_banned_symbol_is_never_written_and_the_unknown_one_is_banned_by_default(
    way: str,
) -> None:
    writer = TableWriter(7)
    writer.table[:, [0, 4]] += 5
    assert {0, 4} <= {y for ids in texts(write(writer, way, *ROWS, banned_ids=())) for y in ids}
    assert 0 not in {y for ids in texts(write(writer, way, *ROWS)) for y in ids}
    assert not {0, 4} & {
        y for ids in texts(write(writer, way, *ROWS, banned_ids=(0, 4))) for y in ids
    }


@every_way
def test_what_nothing_may_follow_stays_unfinished(way: str) -> None:
    writer = TableWriter(4)  # of 1 and 2 each may stand once, and then the end may not follow
    found = write(writer, way, *ROWS, no_repeat_ngram_size=1, min_length=3, max_length=5)
    for hypotheses in found:
        assert {tuple(h.ids.tolist()) for h in hypotheses} <= {(1, 2), (2, 1)}
        assert len(hypotheses) == (2 if way == "beam" else 1)
        assert not any(h.finished for h in hypotheses)


@every_way
def test_no_rows_are_no_answers(way: str) -> None:
    assert write(TableWriter(5), way) == []
    assert write(TableWriter(5), way, prefixes=[]) == []


def scores_of(value: float) -> Callable[[Tensor, Any], tuple[Tensor, Any]]:
    return lambda ids, state: (
        torch.full((len(ids), 5), 1.0).index_fill(1, torch.tensor(2), value),
        state,
    )


@every_way
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_scores_that_are_no_numbers_are_refused(way: str, value: float) -> None:
    writer = TableWriter(5)
    writer.step = scores_of(value)  # type: ignore[method-assign]
    with pytest.raises(DataError, match=r"scores of symbol 1 are NaN or infinite; its wei"):
        write(writer, way, 1, 2)


def test_logits_of_other_axes_are_refused() -> None:
    writer = TableWriter(5)
    writer.step = lambda ids, state: (torch.zeros(1, len(ids), 5), state)  # type: ignore[method-assign]
    words = r"must return logits \(N, V\) with N = 2, got \(1, 2, 5\)"
    with pytest.raises(ShapeError, match=words):
        write(writer, "greedy", 1, 2)


@pytest.mark.parametrize(
    ("prefixes", "error", "words"),
    [
        ([[1]], ShapeError, "prefixes must be one a row, B = 2, got 1"),
        ([[1], [[2]]], ShapeError, r"the prefix of row 1 must be \(P,\), got \(1, 1\)"),
        ([[1], [-1]], OptionError, "the prefix of row 1 must hold ids of at least 0, got"),
        ([[1], [0.5]], OptionError, "the prefix of row 1 must hold ids of at least 0, got"),
        ([[4], [1]], OptionError, "the prefix of row 0 contains the end, 4; leave it out"),
        ([[1] * 9, []], OptionError, "row 0 has 9 symbols and max_length allows 8; increase"),
        ([[1], [5]], OptionError, "every id of a prefix must be below V = 5, .* got 5"),
    ],
    ids=str,
)
def test_prefixes_that_cannot_be_are_refused(
    prefixes: list[Any], error: type[Exception], words: str
) -> None:
    given = [torch.tensor(p) if p else torch.tensor([], dtype=torch.int64) for p in prefixes]
    with pytest.raises(error, match=words):
        write(TableWriter(5), "greedy", 1, 2, prefixes=given, max_length=8)


def test_a_prefix_the_network_holds_for_impossible_is_refused() -> None:
    writer = TableWriter(5)
    writer.table[:, 3] = -torch.inf
    words = "the prefix of row 1 continues with id 3, which has probability 0"
    with pytest.raises(OptionError, match=words):
        write(writer, "beam", 1, 2, prefixes=[torch.tensor([1]), torch.tensor([3])])


def test_ids_the_network_does_not_have_are_refused() -> None:
    with pytest.raises(OptionError, match=r"every id in banned_ids must be below V = 5, .* got 7"):
        write(TableWriter(5), "greedy", 1, banned_ids=(7,))
    writer = TableWriter(5)
    writer.end = 6
    with pytest.raises(OptionError, match=r"end must be below V = 5, .* got 6"):
        write(writer, "greedy", 1)


def test_options_without_a_meaning_for_a_network_are_refused() -> None:
    with pytest.raises(OptionError, match="min_length=2 delays the end of a sequence, and this"):
        write(TableWriter(5), "greedy", 1, end=False, min_length=2)
    with pytest.raises(
        OptionError, match="banned_ids must not contain the end, 4: no row would ever"
    ):
        write(TableWriter(5), "greedy", 1, banned_ids=(0, 4))


def test_a_beginning_that_is_no_row_of_ids_is_refused() -> None:
    writer = TableWriter(5)
    state, first = writer.begin(1, 2)
    for wrong in (first[None], first.double()):
        with pytest.raises(ShapeError, match=r"first must be ids, \(B,\), int64, got"):
            decode(writer.step, state, wrong, end=writer.end, options=DecodingOptions())
