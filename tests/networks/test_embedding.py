"""Embeddings: how they begin, what is dropped of them, and vectors from text files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import torch

from battery import draw
from elman.errors import DataError, OptionError
from elman.networks.embedding import (
    WordVectors,
    embed,
    embedding,
    load_word_vectors,
    read_word_vectors,
)

VOCABULARY = {"the": 1, "cat": 2, "sat": 3, ". . .": 4}
GLOVE = "the 1 2 3\ncat 4.5 -5 6e-1\ndog 7 8 9\n. . . 10 11 12\nthe 0 0 0\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "vectors.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_vector_has_a_squared_length_of_one_in_the_mean() -> None:
    lengths = embedding(5000, 10).weight.detach().square().sum(1)
    assert abs(float(lengths.mean()) - 1) < 0.02


def test_embedding_dropout_drops_a_word_wherever_it_occurs_and_scales_the_others() -> None:
    table = embedding(200, 3).double()
    ids = torch.arange(200).repeat(5)[torch.randperm(1000)].reshape(50, 20)
    whole, dropped = table(ids), embed(table, ids, 0.25)
    ratio = (dropped / whole).detach()
    torch.testing.assert_close(ratio, ratio[..., :1].expand_as(ratio))
    for word in range(200):
        of_the_word = ratio[ids == word][:, 0]
        assert bool(torch.isclose(of_the_word, of_the_word[0]).all())
        assert min(abs(float(of_the_word[0]) - value) for value in (0, 4 / 3)) < 1e-9
    assert 0.1 < float((ratio == 0).double().mean()) < 0.4


def test_glove_vectors_are_found_by_word(tmp_path: Path) -> None:
    matrix, found = read_word_vectors(written(tmp_path, GLOVE), VOCABULARY)
    assert found.tolist() == [False, True, True, False, True]
    expected = [[0, 0, 0], [1, 2, 3], [4.5, -5, 0.6], [0, 0, 0], [10, 11, 12]]
    assert torch.equal(matrix, torch.tensor(expected))


def test_fasttexts_first_line_and_trailing_spaces_are_no_vectors(tmp_path: Path) -> None:
    matrix, found = read_word_vectors(
        written(tmp_path, "2 3\ncat 1 2 3 \nsat 4 5 6 \n"), VOCABULARY
    )
    assert found.tolist() == [False, False, True, True, False]
    assert matrix[3].tolist() == [4, 5, 6]


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt.gz"
    path.write_bytes(gzip.compress(GLOVE.encode()))
    assert int(read_word_vectors(path, VOCABULARY).found.sum()) == 3


def test_a_word_may_hold_what_others_take_for_the_end_of_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, "a\u2028b 1 2\nc\u0085 3 4\n")
    assert read_word_vectors(path, {"a\u2028b": 0, "c\u0085": 1}).matrix.tolist() == [
        [1, 2],
        [3, 4],
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "vectors.txt contains no word vectors"),
        ("the 1 2 3\ncat 4 5\n", "line 2: a line must be a word and 3 numbers.* got 3 fields"),
        ("the 1 2\ncat 4 five\n", "line 2: could not convert string to float: 'five'"),
        ("the 1 2\ncat 4 nan\n", "line 2: a number is infinite or not a number"),
        ("the\n", "line 1: a line must be a word and its numbers.* got 1 fields"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_word_vectors(written(tmp_path, text), VOCABULARY)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vectors.bin"
    path.write_bytes(b"\x80\x02\xff")
    with pytest.raises(DataError, match="is not a text file in UTF-8"):
        read_word_vectors(path, VOCABULARY)
    with pytest.raises(DataError, match=r"there is no file .* of word vectors"):
        read_word_vectors(tmp_path / "none.txt", VOCABULARY)


def test_an_embedding_begins_at_what_was_found_and_keeps_the_rest() -> None:
    table = embedding(4, 2)
    drawn = table.weight.detach().clone()
    vectors = WordVectors(draw(4, 2, dtype=torch.float32), torch.tensor([False, True, False, True]))
    assert load_word_vectors(table, vectors) == 2
    assert torch.equal(table.weight[[1, 3]], vectors.matrix[[1, 3]])
    assert torch.equal(table.weight[[0, 2]], drawn[[0, 2]])
    assert table.weight.requires_grad


@pytest.mark.parametrize(
    ("words", "size", "message"),
    [
        (4, 3, "have 3 numbers each and embedding_size is 2; set embedding_size = 3"),
        (5, 2, "are for 5 words and the embedding has 4"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(words: int, size: int, message: str) -> None:
    vectors = WordVectors(torch.zeros(words, size), torch.ones(words, dtype=torch.bool))
    with pytest.raises(OptionError, match=message):
        load_word_vectors(embedding(4, 2), vectors)
