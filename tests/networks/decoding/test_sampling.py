"""Drawing the next symbol, against distributions worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from elman.errors import OptionError, ShapeError
from elman.networks.decoding import DecodingOptions, Hypothesis, decode
from elman.networks.decoding.sampling import distribution
from writers import GRUWriter, TableWriter

P = torch.tensor([[0.1, 0.4, 0.3, 0.2]], dtype=torch.float64)
ROWS = (3, 14, 15, 92, 65)


def sample(
    writer: TableWriter, *rows: int, seed: Any = 1, **options: Any
) -> list[list[Hypothesis]]:
    """Draw with a seed, or with one a row."""
    state, first = writer.begin(*rows)
    generator: Any = (
        torch.Generator().manual_seed(seed)
        if isinstance(seed, int)
        else [torch.Generator().manual_seed(each) for each in seed]
    )
    asked = DecodingOptions(**{"temperature": 1.0} | options)
    return decode(writer.step, state, first, end=writer.end, options=asked, generator=generator)


def written(found: list[list[Hypothesis]]) -> list[list[int]]:
    return [hypothesis.ids.tolist() for (hypothesis,) in found]


def drawn_from(log_p: Tensor, **options: Any) -> Tensor:
    """Return the probability of every symbol, (N, V)."""
    asked = {"temperature": 1.0, "top_k": None, "top_p": None} | options
    probabilities, ids = distribution(log_p, **asked)
    return torch.zeros(log_p.shape, dtype=torch.float64).scatter(1, ids, probabilities)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.1, 0.4, 0.3, 0.2]),
        ({"temperature": 0.5}, [0.01 / 0.3, 0.16 / 0.3, 0.09 / 0.3, 0.04 / 0.3]),
        ({"top_k": 1}, [0, 1, 0, 0]),
        ({"top_k": 3}, [0, 4 / 9, 3 / 9, 2 / 9]),
        ({"top_k": 9}, [0.1, 0.4, 0.3, 0.2]),
        ({"top_p": 0.35}, [0, 1, 0, 0]),
        ({"top_p": 0.6}, [0, 4 / 7, 3 / 7, 0]),
        ({"top_p": 0.75}, [0, 4 / 9, 3 / 9, 2 / 9]),
        ({"top_p": 1.0}, [0.1, 0.4, 0.3, 0.2]),
        ({"top_k": 3, "top_p": 0.75}, [0, 4 / 7, 3 / 7, 0]),
        ({"temperature": 0.5, "top_p": 0.6}, [0, 16 / 25, 9 / 25, 0]),
    ],
    ids=str,
)
def test_what_is_drawn_from_is_what_the_equations_say(
    options: dict[str, Any], expected: list[float]
) -> None:
    found = drawn_from(P.log(), **options)
    torch.testing.assert_close(found, torch.tensor([expected], dtype=torch.float64))


def test_of_equals_the_lowest_ids_are_among_the_top_k() -> None:
    found = drawn_from(torch.zeros(2, 6), top_k=2)
    assert found.tolist() == [[0.5, 0.5, 0, 0, 0, 0]] * 2


@pytest.mark.parametrize("top_p", [0.2, 0.7, 0.999, 1.0])
def test_a_nucleus_of_any_width_is_that_of_a_sort_of_all_symbols(top_p: float) -> None:
    generator = torch.Generator().manual_seed(1)
    scores = torch.randn(3, 1000, generator=generator, dtype=torch.float64)
    log_p = (scores * torch.tensor([[6.0], [1.0], [0.1]])).log_softmax(-1)
    likely, ids = log_p.exp().sort(descending=True, dim=-1)
    likely = likely.where(likely.cumsum(-1) - likely < top_p, 0)
    expected = torch.zeros_like(likely).scatter(1, ids, likely / likely.sum(-1, keepdim=True))
    torch.testing.assert_close(drawn_from(log_p, top_p=top_p), expected)


@pytest.mark.parametrize("options", [{}, {"top_k": 4}, {"top_p": 0.7}, {"temperature": 0.6}])
def test_symbols_are_drawn_as_often_as_their_probability_says(options: dict[str, Any]) -> None:
    writer = TableWriter(6, seed=2)
    draws = 20_000
    state, first = writer.begin(*[7] * draws)
    asked = DecodingOptions(**{"temperature": 1.0, "max_length": 1} | options)
    generator = torch.Generator().manual_seed(5)
    found = decode(writer.step, state, first, end=None, options=asked, generator=generator)
    log_p = torch.tensor([writer.log_p(7, ())])
    log_p[:, 0] = -torch.inf
    expected = drawn_from(log_p, **options)[0]
    counts = torch.tensor([hypothesis.ids.item() for (hypothesis,) in found]).bincount(minlength=6)
    assert counts[expected == 0].sum() == 0
    deviation = (draws * expected * (1 - expected)).sqrt().clamp(min=1e-9)
    assert bool(((counts - draws * expected).abs() <= 4 * deviation).all())


def test_the_same_seed_writes_the_same_and_another_seed_something_else() -> None:
    writer = TableWriter(9)
    assert written(sample(writer, *ROWS, seed=1)) == written(sample(writer, *ROWS, seed=1))
    assert written(sample(writer, *ROWS, seed=1)) != written(sample(writer, *ROWS, seed=2))


@pytest.mark.parametrize("options", [{}, {"top_k": 50}, {"top_p": 0.95}], ids=str)
def test_with_a_generator_a_row_what_is_drawn_does_not_depend_on_the_rows_beside_it(
    options: dict[str, Any],
) -> None:
    writer = TableWriter(2000)
    writer.table *= 1 + torch.arange(211)[:, None] % 3  # nuclei of a few symbols, and of many
    options |= {"max_length": 20}
    together = written(sample(writer, *ROWS, seed=[4, 5, 6, 7, 8], **options))
    backward = written(sample(writer, *ROWS[::-1], seed=[8, 7, 6, 5, 4], **options))
    assert backward == together[::-1]
    for row, seed, expected in zip(ROWS, [4, 5, 6, 7, 8], together, strict=True):
        assert written(sample(writer, row, seed=[seed], **options)) == [expected]


def test_one_generator_and_one_row_draw_what_a_list_of_one_draws() -> None:
    writer = TableWriter(9)
    assert written(sample(writer, 3, seed=4)) == written(sample(writer, 3, seed=[4]))


def test_a_low_temperature_is_greedy() -> None:
    writer = TableWriter(9)
    state, first = writer.begin(*ROWS)
    greedy = decode(writer.step, state, first, end=writer.end, options=DecodingOptions())
    for options in ({"temperature": 1e-6}, {"top_k": 1}, {"top_p": 1e-9}):
        assert written(sample(writer, *ROWS, **options)) == written(greedy)


def test_the_log_probability_of_what_was_drawn_is_the_networks_own() -> None:
    writer = GRUWriter(13)
    state, first = writer.begin(5)
    found = decode(
        writer.step,
        state,
        first,
        end=writer.end,
        options=DecodingOptions(temperature=0.7, top_k=4, max_length=9),
        generator=torch.Generator().manual_seed(1),
    )
    for row, (hypothesis,) in enumerate(found):
        ids = hypothesis.ids.tolist() + [writer.end] * hypothesis.finished
        forced = writer.forced_log_probability([state[0][:, row : row + 1], None], ids)
        assert hypothesis.log_probability == pytest.approx(forced, abs=1e-9)


def test_drawing_wants_a_generator_and_searching_none() -> None:
    writer = TableWriter(5)
    state, first = writer.begin(1, 2)
    draws = DecodingOptions(temperature=0.5)
    with pytest.raises(
        OptionError, match=r"temperature=0.5 samples, which needs a generator, such as"
    ):
        decode(writer.step, state, first, end=writer.end, options=draws)
    generator = torch.Generator().manual_seed(1)
    with pytest.raises(OptionError, match="a generator is for sampling, which needs a temperature"):
        decode(
            writer.step,
            state,
            first,
            end=writer.end,
            options=DecodingOptions(),
            generator=generator,
        )
    with pytest.raises(ShapeError, match="generators must be one a row, B = 2, got 1"):
        sample(writer, 1, 2, seed=[1])
