"""Beam search against a search in plain Python and against all there is."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from elman.networks.decoding import DecodingOptions, Hypothesis, decode
from elman.networks.decoding.constraints import Constraints
from elman.networks.decoding.hypotheses import Outcomes, highest
from elman.networks.decoding.search import beam_search
from writers import Found, GRUWriter, TableWriter, plain_beam_search

ROWS = (3, 14, 15, 92, 65)


def search(
    writer: TableWriter, *rows: int, prefixes: Any = None, **options: Any
) -> list[list[Hypothesis]]:
    state, first = writer.begin(*rows)
    return decode(
        writer.step,
        state,
        first,
        end=writer.end,
        options=DecodingOptions(**options),
        prefixes=prefixes,
    )


def assert_same(found: list[Hypothesis], expected: list[Found], length_penalty: float) -> None:
    assert [tuple(h.ids.tolist()) for h in found] == [h.ids for h in expected]
    assert [h.finished for h in found] == [h.finished for h in expected]
    for hypothesis, other in zip(found, expected, strict=True):
        assert hypothesis.log_probability == pytest.approx(other.log_probability, abs=1e-12)
        assert hypothesis.score == pytest.approx(other.score(length_penalty), abs=1e-12)


def everything(writer: TableWriter, row: int, options: DecodingOptions) -> list[Found]:
    """List all finished sequences that the lengths allow, best first."""
    found = []
    symbols = [symbol for symbol in range(writer.end) if symbol not in options.banned_ids]
    for length in range(options.min_length, options.max_length + 1):
        for ids in product(symbols, repeat=length):
            steps = [*ids, writer.end]
            total = sum(writer.log_p(row, ids[:t])[y] for t, y in enumerate(steps))
            found.append(Found(ids, total, finished=True))
    return sorted(found, key=lambda h: -h.score(options.length_penalty))


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0, 1.7])
@pytest.mark.parametrize("lengths", [(0, 4), (2, 3), (3, 3)], ids=str)
@pytest.mark.parametrize("n_best", [1, 7, 400])
def test_a_beam_as_wide_as_everything_finds_what_an_exhaustive_search_finds(
    length_penalty: float, lengths: tuple[int, int], n_best: int
) -> None:
    writer = TableWriter(4)
    options: dict[str, Any] = {
        "beam_size": 400,
        "n_best": n_best,
        "length_penalty": length_penalty,
        "min_length": lengths[0],
        "max_length": lengths[1],
        "banned_ids": (),
    }
    for row, found in zip(ROWS, search(writer, *ROWS, **options), strict=True):
        expected = everything(writer, row, DecodingOptions(**options))
        assert_same(found, expected[:n_best], length_penalty)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_search_returns_what_one_in_plain_python_returns_that_never_stops_early(
    data: st.DataObject,
) -> None:
    beam_size = data.draw(st.integers(1, 6), "beam_size")
    max_length = data.draw(st.integers(1, 7), "max_length")
    options: dict[str, Any] = {
        "beam_size": beam_size,
        "n_best": data.draw(st.integers(1, beam_size), "n_best"),
        "length_penalty": data.draw(st.sampled_from([0.0, 0.5, 1.0, 2.0]), "length_penalty"),
        "max_length": max_length,
        "min_length": data.draw(st.integers(0, max_length), "min_length"),
        "no_repeat_ngram_size": data.draw(st.integers(0, 3), "no_repeat_ngram_size"),
    }
    size = data.draw(st.integers(3, 8), "size")
    writer = TableWriter(size, data.draw(st.integers(0, 999), "seed"), sharpness=2.0)
    prefix = st.lists(st.integers(0, size - 2), max_size=max_length)
    rows = data.draw(st.lists(st.tuples(st.integers(0, 200), prefix), max_size=4), "rows")
    numbers, prefixes = [row for row, _ in rows], [torch.tensor(p).long() for _, p in rows]
    answers = search_any(writer, numbers, prefixes, DecodingOptions(**options))
    for (row, begun), found in zip(rows, answers, strict=True):
        expected = plain_beam_search(writer, row, DecodingOptions(**options), tuple(begun))
        assert_same(found, expected[: options["n_best"]], options["length_penalty"])


def search_any(
    writer: TableWriter, rows: list[int], prefixes: Any, options: DecodingOptions
) -> list[list[Hypothesis]]:
    """Search with a beam even of one, which `decode` gives to the loop without a beam."""
    state, first = writer.begin(*rows)
    outcomes = Outcomes(len(rows), options.length_penalty)
    constraints = Constraints(options, len(rows), end=writer.end, prefixes=prefixes)
    beam_search(writer.step, state, first, constraints, options, outcomes)
    return outcomes.best(options.n_best)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 999), max_length=st.integers(1, 9), n=st.integers(0, 3))
def test_a_beam_of_one_is_greedy(seed: int, max_length: int, n: int) -> None:
    writer = TableWriter(6, seed)
    options = DecodingOptions(max_length=max_length, no_repeat_ngram_size=n)
    state, first = writer.begin(*ROWS)
    greedy = decode(writer.step, state, first, end=writer.end, options=options)
    for one, other in zip(greedy, search_any(writer, list(ROWS), None, options), strict=True):
        assert one[0].ids.tolist() == other[0].ids.tolist()
        assert (one[0].log_probability, one[0].score, one[0].finished) == (
            other[0].log_probability,
            other[0].score,
            other[0].finished,
        )


@pytest.mark.parametrize("beam_size", [1, 2, 5])
def test_a_row_is_written_the_same_whatever_stands_beside_it(beam_size: int) -> None:
    writer = TableWriter(9, sharpness=2.0)
    options: dict[str, Any] = {"beam_size": beam_size, "n_best": beam_size, "max_length": 12}
    together = search(writer, *ROWS, **options)
    reversed_rows = search(writer, *reversed(ROWS), **options)
    for i, row in enumerate(ROWS):
        (alone,) = search(writer, row, **options)
        for other in (together[i], reversed_rows[-1 - i]):
            assert [h.ids.tolist() for h in other] == [h.ids.tolist() for h in alone]
            assert [h.score for h in other] == [h.score for h in alone]


@pytest.mark.parametrize("beam_size", [1, 4])
@pytest.mark.parametrize("end", [True, False], ids=["with an end", "without"])
def test_the_log_probability_is_that_of_the_symbols_under_teacher_forcing(
    beam_size: int, end: bool
) -> None:
    writer = GRUWriter(13)
    state, first = writer.begin(20)
    options = DecodingOptions(beam_size=beam_size, n_best=beam_size, max_length=8)
    answers = decode(writer.step, state, first, end=writer.end if end else None, options=options)
    assert any(h.finished for found in answers for h in found) == end
    assert any(not h.finished for found in answers for h in found)
    for row, found in enumerate(answers):
        assert len(found) == beam_size
        for hypothesis in found:
            ids = hypothesis.ids.tolist() + [writer.end] * hypothesis.finished
            forced = writer.forced_log_probability([state[0][:, row : row + 1], None], ids)
            assert hypothesis.log_probability == pytest.approx(forced, abs=1e-9)
            assert hypothesis.score == pytest.approx(forced / len(ids), abs=1e-9)


def test_the_best_are_distinct_sorted_and_finished_before_unfinished() -> None:
    for found in search(TableWriter(9), *ROWS, beam_size=40, n_best=40, max_length=3):
        assert len({tuple(h.ids.tolist()) for h in found}) == len(found) == 40
        assert 0 < sum(h.finished for h in found) < 40
        ranks = [(not h.finished, -h.score) for h in found]
        assert ranks == sorted(ranks)


def test_a_wider_beam_finds_what_is_likelier() -> None:
    writer = TableWriter(9)
    best = []
    for beam_size in (1, 3, 30):
        state, first = writer.begin(*range(100))
        options = DecodingOptions(beam_size=beam_size, max_length=6)
        found = decode(writer.step, state, first, end=None, options=options)
        best.append(sum(hypothesis.log_probability for (hypothesis,) in found))
    assert best[0] < best[1] < best[2]


def test_equals_are_ordered_by_the_hypothesis_that_stood_first_then_by_the_lower_id() -> None:
    writer = TableWriter(5)
    writer.table.fill_(0.25)
    (found,) = search(writer, 1, beam_size=3, n_best=3, max_length=2)
    assert [h.ids.tolist() for h in found] == [[1, 1], [1, 2], [1, 3]]
    (greedy,) = search(writer, 1, max_length=3)
    assert greedy[0].ids.tolist() == [1, 1, 1]


def test_the_search_stops_as_soon_as_nothing_alive_can_win() -> None:
    writer = TableWriter(5)
    writer.table[:, writer.end] = 20.0  # log p of the end ≈ 0, of anything else ≈ −20
    search(writer, *ROWS, beam_size=2, max_length=50, length_penalty=0.0)
    assert writer.calls == [5]
    writer.calls.clear()
    search(writer, *ROWS, beam_size=2, n_best=2, max_length=50, length_penalty=0.0)
    assert writer.calls == [5, 5]


def test_a_live_hypothesis_that_a_longer_row_would_lift_to_the_top_is_followed() -> None:
    writer = TableWriter(4)
    writer.table[:] = torch.tensor([1e-9, 0.05, 0.05, 0.9]).log()
    writer.table[(8 * 31 + writer.end + 1) % 211] = torch.tensor([1e-9, 0.49, 1e-9, 0.51]).log()
    (found,) = search(writer, 8, beam_size=2, max_length=6, length_penalty=0.0)
    assert found[0].ids.tolist() == []
    (found,) = search(writer, 8, beam_size=2, max_length=6, length_penalty=1.0)
    assert found[0].ids.tolist() == [1]
    assert found[0].score == pytest.approx(math.log(0.49 * 0.9) / 2, abs=1e-6)


def test_what_has_ended_is_computed_no_further() -> None:
    writer = TableWriter(7, sharpness=2.0)
    found = search(writer, *range(40), max_length=15)
    lengths = torch.tensor([len(h.ids) for (h,) in found])
    assert writer.calls == [int((lengths >= t).sum()) for t in range(int(lengths.max()) + 1)]
    writer.calls.clear()
    search(writer, *range(40), beam_size=5, max_length=15)
    assert writer.calls[0] == 40
    assert max(writer.calls) <= 40 * 5
    assert writer.calls[-1] < 40
    assert len(writer.calls) <= 16


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_the_highest_scores_are_the_first_of_a_stable_sort(data: st.DataObject) -> None:
    rows, size = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 9))
    few = st.sampled_from([-torch.inf, -1.0, 0.0, 2.0])
    scores = torch.tensor(
        data.draw(
            st.lists(st.lists(few, min_size=size, max_size=size), min_size=rows, max_size=rows)
        )
    ).reshape(rows, size)
    number = data.draw(st.integers(1, 11))
    values, ids = highest(scores, number)
    sorted_values, sorted_ids = scores.sort(dim=-1, descending=True, stable=True)
    assert values.equal(sorted_values[:, :number])
    possible = values > -torch.inf  # the order of what is impossible matters to nobody
    assert ids[possible].equal(sorted_ids[:, :number][possible])
