"""The symbols before as vectors: looked up, dropped, and the model's own among the true ones."""

from __future__ import annotations

import pytest
import torch

from battery import assert_same_bits
from elman.errors import OptionError
from elman.networks.embedding import embedding
from elman.networks.feedback import Feedback, Masks

U, B, V, E = 5, 4, 8, 3


def test_a_symbol_is_its_row_of_the_embedding_the_boundary_among_them() -> None:
    table = embedding(V + 1, E)
    feedback, ids = Feedback(table), torch.randint(0, V + 1, (U, B))
    assert_same_bits(feedback(ids, Masks()), table.weight[ids], "vectors")
    assert feedback.size == E


def test_nothing_is_dropped_in_evaluation() -> None:
    feedback = Feedback(embedding(V + 1, E), embedding_dropout=0.5, word_dropout=0.5)
    assert feedback.eval().draw(torch.zeros(U, B)) == Masks()


def test_a_dropped_symbol_is_zero_wherever_it_stands_and_the_others_are_scaled() -> None:
    table = embedding(V + 1, E)
    feedback = Feedback(table, embedding_dropout=0.5)
    ids = torch.arange(V + 1).expand(6, -1)
    vectors = feedback(ids, feedback.draw(ids))
    kept = (vectors != 0).all(-1)
    assert bool((kept == kept[0]).all())
    assert 0 < int(kept[0].sum()) < V + 1
    assert_same_bits(vectors[kept], 2 * table.weight[ids][kept], "vectors that stay")


def test_masks_of_a_step_are_its_part_of_the_whole() -> None:
    feedback = Feedback(embedding(V + 1, E), embedding_dropout=0.5, word_dropout=0.5)
    ids = torch.randint(0, V + 1, (U, B))
    masks = feedback.draw(ids)
    for t in range(U):
        one = feedback(ids[t : t + 1], masks.at(t))
        assert_same_bits(one[0], feedback(ids, masks)[t], f"step {t}")


def test_own_symbols_are_drawn_by_probability_as_often_as_asked() -> None:
    feedback = Feedback(embedding(V + 1, E))
    outputs = torch.tensor([0.1, 0.6, 0.3]).log().expand(40_000, 3)
    own = feedback.mixed(torch.full((40_000,), 7), outputs, 0.25)
    shares = torch.bincount(own, minlength=8) / len(own)
    expected = torch.tensor([0.025, 0.15, 0.075, 0, 0, 0, 0, 0.75])
    assert bool(((shares - expected).abs() < 0.01).all())


def test_the_likeliest_symbols_are_no_draw() -> None:
    feedback = Feedback(embedding(V + 1, E), own_symbols="likeliest")
    outputs = torch.tensor([0.1, 0.6, 0.3]).log().expand(1000, 3)
    own = feedback.mixed(torch.full((1000,), 7), outputs, 0.5)
    assert set(own.tolist()) == {1, 7}


def test_an_embedding_of_other_symbols_is_refused() -> None:
    Feedback(None).check_symbols(V)
    Feedback(embedding(V + 1, E)).check_symbols(V + 1)
    with pytest.raises(OptionError, match=r"has V \+ 1 = 8 symbols, .* build it with 8"):
        Feedback(embedding(V + 1, E)).check_symbols(V)
