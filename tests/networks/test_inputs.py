"""Encoded columns as vectors: numbers, ids, characters, pictures."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from battery import assert_near, draw
from elman.errors import OptionError, ShapeError
from elman.features.feature import Encoding
from elman.networks.inputs import Inputs

T, B = 6, 5
LENGTHS = torch.tensor([4, 0, 6, 1, 3])
ENDED = torch.arange(T).unsqueeze(1) >= LENGTHS
CHARACTERS, LONGEST = 9, 4
ENCODINGS = {
    "numbers": Encoding(numbers=3),
    "ids": Encoding(ids=(7,)),
    "record": Encoding(numbers=2, ids=(7, 4)),
    "words": Encoding(ids=(7,), characters=(CHARACTERS, LONGEST)),
    "picture": Encoding(picture=(2, 9, 6)),
}
every_encoding = pytest.mark.parametrize("name", ENCODINGS)


def inputs(name: str, **options: Any) -> Inputs:
    return Inputs(ENCODINGS[name], embedding_size=5, picture_size=11, **options).double()


def values(name: str, *shape: int) -> Tensor:
    if name == "numbers":
        return draw(*shape, 3)
    if name == "ids":
        return torch.randint(0, 7, shape)
    if name == "record":
        ids = [torch.randint(0, size, shape) for size in (7, 4)]
        return torch.cat([draw(*shape, 2), torch.stack(ids, -1)], -1)
    if name == "words":
        letters = torch.randint(1, CHARACTERS, (*shape, LONGEST))
        sizes = torch.randint(0, LONGEST + 1, (*shape, 1))
        letters = letters.where(torch.arange(LONGEST) < sizes, 0)
        return torch.cat([torch.randint(0, 7, (*shape, 1)), letters], -1)
    return draw(*shape, 2, 9, 6)


def poisoned(x: Tensor) -> Tensor:
    x = x.clone()
    x[ENDED] = torch.nan if x.is_floating_point() else -(10**6)
    return x


def test_numbers_pass_as_they_are() -> None:
    x = draw(T, B, 3)
    assert torch.equal(inputs("numbers")(x), x)


def test_a_column_of_ids_is_looked_up_in_its_own_embedding() -> None:
    module, x = inputs("record"), values("record", T, B)
    first, second = (table.weight for table in module.tables)
    expected = torch.cat([x[..., :2], first[x[..., 2].long()], second[x[..., 3].long()]], -1)
    assert torch.equal(module(x), expected)
    assert module.size == 12


def test_ids_alone_have_no_axis_of_columns() -> None:
    module, x = inputs("ids"), values("ids", T, B)
    assert torch.equal(module(x), module.tables[0].weight[x])
    assert torch.equal(module(x[0]), module.tables[0].weight[x[0]])
    assert torch.equal(module(x.double().unsqueeze(-1)), module(x))


def test_a_words_characters_stand_beside_its_embedding() -> None:
    module, x = inputs("words", character_size=3, character_hidden_size=2), values("words", T, B)
    assert module.size == 5 + 2 * 2
    assert module.characters is not None
    vectors = module(x)
    assert torch.equal(vectors[..., :5], module.tables[0].weight[x[..., 0]])
    assert_near(vectors[..., 5:], module.characters(x[..., 1:]), "characters")


def test_a_picture_is_encoded_frame_by_frame() -> None:
    module, x = inputs("picture"), values("picture", T, B)
    vectors = module(x)
    assert module.picture is not None
    for t in range(T):
        assert_near(vectors[t], module.picture(x[t]), f"step {t}")


@every_encoding
def test_values_without_steps_are_one_step_of_many(name: str) -> None:
    module, x = inputs(name), values(name, T, B)
    assert_near(module(x[2]), module(x)[2], "vectors")


@every_encoding
def test_padding_is_never_read(name: str) -> None:
    module, x = inputs(name), values(name, T, B)
    vectors = module(poisoned(x), LENGTHS)
    assert bool(vectors.isfinite().all())
    assert_near(vectors[~ENDED], module(x)[~ENDED], "vectors")
    learned = list(module.parameters())
    if learned:
        weights = draw(int((~ENDED).sum()), module.size)
        ours = torch.autograd.grad((vectors[~ENDED] * weights).sum(), learned)
        theirs = torch.autograd.grad((module(x)[~ENDED] * weights).sum(), learned)
        for one, other in zip(ours, theirs, strict=True):
            assert_near(one, other, "gradient")


@every_encoding
def test_a_batch_without_steps_has_no_vectors(name: str) -> None:
    module, x = inputs(name), values(name, T, B)
    assert module(x[:0]).shape == (0, B, module.size)
    nothing = torch.zeros(B, dtype=torch.int64)
    assert module(poisoned(x), nothing).shape == (T, B, module.size)


@every_encoding
def test_input_dropout_drops_the_same_values_at_every_step(name: str) -> None:
    module, x = inputs(name, input_dropout=0.5), values(name, T, B)
    whole = module.eval()(x)
    kept = (module.train()(x) != 0) | (whole == 0)
    share = (module(x) / whole).nan_to_num(0)
    assert bool((share.isclose(torch.tensor(2.0).double()) | (share == 0)).all())
    for row in range(B):
        present = whole[:, row] != 0
        for unit in range(module.size):
            its = kept[:, row, unit][present[:, unit]]
            assert bool(its.all()) or not bool(its.any())


def test_word_dropout_makes_ids_unknown_step_by_step_and_leaves_characters() -> None:
    module, x = inputs("words", word_dropout=0.5), values("words", 40, B)
    x[..., 0] = 3
    vectors = module(x)
    unknown = (vectors[..., :5] == module.tables[0].weight[0]).all(-1)
    known = (vectors[..., :5] == module.tables[0].weight[3]).all(-1)
    assert bool((unknown ^ known).all())
    assert 60 < int(unknown.sum()) < 140
    assert torch.equal(vectors[..., 5:], module.eval()(x)[..., 5:])
    assert bool((module(x)[..., :5] == module.tables[0].weight[3]).all())


def test_embedding_dropout_is_of_training_alone() -> None:
    module, x = inputs("ids", embedding_dropout=0.5), values("ids", 40, B)
    zero = (module(x) == 0).all(-1)
    assert bool(zero.any())
    assert not bool(zero.all())
    assert not bool((module.eval()(x) == 0).any())


def test_the_size_of_an_embedding_follows_its_vocabulary_unless_given() -> None:
    sizes = [table.embedding_dim for table in Inputs(Encoding(ids=(2, 30, 30_000))).tables]
    assert sizes == [2, 11, 100]


@pytest.mark.parametrize(
    ("name", "x", "words"),
    [
        (
            "numbers",
            torch.zeros(T, B, 4),
            r"\(T, B, columns\).*\(columns\) = \(3\), got \(6, 5, 4\)",
        ),
        ("numbers", torch.zeros(3), r"with \(columns\) = \(3\), got \(3,\)"),
        ("numbers", [[1.0]], "got a list of 1"),
        ("ids", torch.zeros(T, B, 1, dtype=torch.int64), r"ids must be \(T, B\), or \(B,\)"),
        ("picture", torch.zeros(B, 2, 9, 7), r"= \(2, 9, 6\), got \(5, 2, 9, 7\)"),
    ],
)
def test_an_input_of_wrong_axes_is_refused(name: str, x: Any, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        inputs(name)(x)


@pytest.mark.parametrize("wrong", [-1, 7])
def test_an_id_outside_its_vocabulary_is_refused(wrong: int) -> None:
    with pytest.raises(OptionError, match=f"ids must lie in 0 … 6, got {wrong}"):
        inputs("ids")(torch.tensor([[1, wrong]]))


@pytest.mark.parametrize(
    ("encoding", "options", "words"),
    [
        (Encoding(), {}, "the input is empty"),
        (Encoding(numbers=1, picture=(1, 2, 3)), {}, "an image must be the only input"),
        (Encoding(numbers=1), {"word_dropout": 0.1}, "word_dropout=0.1 acts on ids, and"),
        (Encoding(numbers=1), {"embedding_dropout": 0.1}, "embedding_dropout=0.1 acts on ids"),
        (Encoding(ids=(3,)), {"word_dropout": 1}, r"word_dropout must lie in \[0, 1\), got 1"),
        (Encoding(ids=(3,)), {"embedding_size": -1}, "embedding_size must be a whole number"),
        (Encoding(characters=(3, 2)), {"character_size": 0}, "character_size must be a whole"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    encoding: Encoding, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        Inputs(encoding, **options)
