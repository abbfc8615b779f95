"""Words as vectors of their characters, against a loop over words."""

from __future__ import annotations

import torch

import elman
from battery import assert_near, assert_same_bits
from elman.networks.characters import CharacterEncoder, _distinct

WORDS = torch.tensor(
    [
        [[3, 1, 2, 0], [5, 0, 0, 0], [3, 1, 2, 0]],
        [[0, 0, 0, 0], [1, 1, 1, 1], [5, 0, 0, 0]],
    ]
)


def encoder() -> CharacterEncoder:
    return CharacterEncoder(6, 3, 2).double()


def test_a_word_is_what_each_direction_says_at_its_end() -> None:
    module = encoder()
    vectors = module(WORDS)
    assert vectors.shape == (2, 3, 4)
    for word, vector in zip(WORDS.flatten(0, 1), vectors.flatten(0, 1), strict=True):
        letters = word[word != 0]
        expected = torch.zeros(4, dtype=torch.float64)
        if len(letters):
            hidden, _ = module.recurrent(module.embedding(letters).unsqueeze(1))
            expected = torch.cat([hidden[-1, 0, :2], hidden[0, 0, 2:]])
        assert_near(vector, expected, f"word {word.tolist()}")


def test_every_word_is_read_once() -> None:
    module, rows = encoder(), []

    def count(_: elman.GRU, given: tuple[torch.Tensor, ...]) -> None:
        rows.append(given[0].shape)

    module.recurrent.register_forward_pre_hook(count)
    module(WORDS)
    assert rows == [(4, 4, 3)]  # the longest has four characters, and four words are distinct


def test_a_word_that_occurs_twice_learns_from_both_places() -> None:
    module = encoder()
    weights = torch.arange(24, dtype=torch.float64).reshape(2, 3, 4)
    loss = (module(WORDS) * weights).sum()
    one_by_one = sum((module(WORDS[i, j]) * weights[i, j]).sum() for i in (0, 1) for j in range(3))
    ours = torch.autograd.grad(loss, list(module.parameters()))
    theirs = torch.autograd.grad(one_by_one, list(module.parameters()))  # type: ignore[arg-type]
    for one, other in zip(ours, theirs, strict=True):
        assert_near(one, other, "gradient")


def test_columns_behind_the_longest_word_cost_nothing() -> None:
    module = encoder()
    longer = torch.nn.functional.pad(WORDS, (0, 5))
    assert_same_bits(module(longer), module(WORDS), "vectors")


def test_distinct_words_come_in_the_order_of_their_ids_as_unique_gives_them() -> None:
    words = torch.tensor([[3, 0], [300, 1], [3, 0], [70_000, 2], [3, 1], [300, 1]])
    distinct, which = _distinct(words)
    assert distinct.tolist() == [[3, 0], [3, 1], [300, 1], [70_000, 2]]
    assert which.tolist() == [0, 2, 0, 3, 1, 2]
    expected = words.unique(dim=0, return_inverse=True)
    assert torch.equal(distinct, expected[0])
    assert torch.equal(which, expected[1])
