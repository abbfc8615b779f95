"""Words as the mean of the vectors of their n-grams, against those written out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from battery import assert_near, assert_same_bits
from elman.errors import OptionError
from elman.features.feature import Encoding
from elman.features.subwords import code_points
from elman.features.text import TextFeature
from elman.networks.inputs import Inputs
from elman.networks.subwords import SubwordEmbedding, hashed_ngrams

PUBLISHED = {"a": 0xE40C292C, "foobar": 0xBF9CF968}
"""Of http://www.isthe.com/chongo/src/fnv/test_fnv.c, 32 bits, FNV-1a."""
WHERE = ["<wh", "whe", "her", "ere", "re>", "<whe", "wher", "here", "ere>"]
WHERE += ["<wher", "where", "here>", "<where", "where>"]
"""Of "where": those of three characters as Bojanowski et al. 2017 list them in §3.2, and longer."""


def fnv(text: str) -> int:
    """Hash as fastText's `Dictionary::hash`, `h ^ uint32_t(int8_t(c))` and `h * 16777619`."""
    h = 2166136261
    for byte in text.encode():
        h = h ^ (byte if byte < 128 else byte - 256 + (1 << 32))
        h = h * 16777619 % (1 << 32)
    return h


def ngrams(word: str) -> list[str]:
    marked = f"<{word}>"
    return [
        marked[start : start + count]
        for count in (3, 4, 5, 6)
        for start in range(len(marked) - count + 1)
    ]


def points(*words: str) -> Tensor:
    return torch.tensor([code_points(word) for word in words])


@pytest.mark.parametrize(("text", "value"), PUBLISHED.items())
def test_the_hash_of_the_oracle_is_the_published_one(text: str, value: int) -> None:
    assert fnv(text) == value


def test_the_ngrams_of_a_word_are_those_of_the_paper() -> None:
    assert ngrams("where") == WHERE
    hashes, real = hashed_ngrams(points("where"))
    assert hashes[real].tolist() == [fnv(gram) for gram in WHERE]


@pytest.mark.parametrize(
    "word", ["a", "ab", "film's", "été", "東京", "😀ok", "ß" * 20, "internationalisation"]
)
def test_ngrams_are_hashed_as_fasttext_hashes_their_utf8(word: str) -> None:
    hashes, real = hashed_ngrams(points("where", word, ""))
    assert hashes[1][real[1]].tolist() == [fnv(gram) for gram in ngrams(word)]
    assert hashes[0][real[0]].tolist() == [fnv(gram) for gram in WHERE]
    assert not bool(real[2].any())


def test_a_word_is_the_mean_of_its_buckets_and_the_empty_one_zeros() -> None:
    module = SubwordEmbedding(7, 5).double()
    vectors = module(points("where", "", "ab", "where").reshape(2, 2, 20))
    rows = [fnv(gram) % 7 for gram in WHERE]
    expected = module.embedding.weight[rows].mean(0)
    assert_near(vectors[0, 0], expected, "where")
    assert_same_bits(vectors[1, 1], vectors[0, 0], "the same word again")
    assert_near(
        vectors[1, 0], module.embedding.weight[[fnv(g) % 7 for g in ngrams("ab")]].mean(0), "ab"
    )
    assert vectors[0, 1].tolist() == [0.0] * 5
    assert module(points("a")[:0]).shape == (0, 5)


def test_the_gradient_of_a_word_is_shared_by_its_ngrams() -> None:
    module = SubwordEmbedding(1_000, 2).double()
    weights = torch.tensor([[3.0, -1.0], [0.5, 2.0]], dtype=torch.float64)
    (module(points("ab", "abc")) * weights).sum().backward()
    expected = torch.zeros(1_000, 2, dtype=torch.float64)
    for word, weight in zip(("ab", "abc"), weights, strict=True):
        for gram in ngrams(word):
            expected[fnv(gram) % 1_000] += weight / len(ngrams(word))
    assert module.embedding.weight.grad is not None
    assert_near(module.embedding.weight.grad, expected, "gradient")


def test_a_known_word_adds_its_own_vector_and_one_never_seen_is_its_ngrams_alone() -> None:
    feature = TextFeature(min_count=1, subwords=50).fit(["fine film"])
    module = Inputs(feature.encoding, embedding_size=4).double()
    assert module.size == 4
    assert module.subwords is not None
    known, unknown = module(feature.encode("film filming").unsqueeze(1))[:, 0]
    table, buckets = module.tables[0].weight, module.subwords.embedding.weight
    (index,) = feature.vocabulary.ids(["film"])
    assert_near(
        known, table[index] + buckets[[fnv(g) % 50 for g in ngrams("film")]].mean(0), "film"
    )
    assert_near(unknown, buckets[[fnv(g) % 50 for g in ngrams("filming")]].mean(0), "filming")


def test_padding_has_the_vector_of_no_word_and_is_never_read() -> None:
    feature = TextFeature(min_count=1, characters=True, subwords=50).fit(["fine film"])
    module = Inputs(feature.encoding, embedding_size=4, character_hidden_size=3).double()
    x = feature.encode("a fine film").unsqueeze(1).clone()
    x[2] = -(10**6)
    vectors = module(x, lengths=[2])
    assert vectors.shape == (3, 1, 10)
    assert vectors[2].tolist() == [[0.0] * 10]
    assert_same_bits(vectors[:2], module(x[:2]), "real steps")


def test_a_word_that_is_dropped_keeps_its_ngrams() -> None:
    feature = TextFeature(min_count=1, subwords=50).fit(["fine film"])
    module = Inputs(feature.encoding, embedding_size=4, word_dropout=0.5).double()
    assert module.subwords is not None
    x = feature.encode("film " * 40).unsqueeze(1)
    vectors, pieces = module(x)[:, 0], module.subwords(x[0, 0, 1:])
    alone = (vectors == pieces).all(1)
    assert 0 < int(alone.sum()) < 40
    assert_near(vectors[~alone], (module.eval()(x)[:, 0])[~alone], "kept words")


def test_subwords_need_words_and_buckets() -> None:
    with pytest.raises(OptionError, match="pieces of the words of one column of ids, got 2"):
        Inputs(Encoding(ids=(3, 4), subwords=(9, 20)))
    with pytest.raises(OptionError, match="subwords must be a whole number"):
        Inputs(Encoding(ids=(3,), subwords=(0, 20)))
