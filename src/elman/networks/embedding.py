"""Embeddings of ids, their dropout, and pretrained word vectors."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple

import torch
from torch import Tensor, nn

from elman.errors import DataError, OptionError
from elman.layers.options import checked_size


def embedding(
    vocabulary: int, size: int, *, device: torch.device | str | None = None
) -> nn.Embedding:
    """Initialise an embedding from U(−√(3/E), √(3/E)): the mean squared length of a vector is 1.

    Args:
        vocabulary: V, number of ids.
        size: E, size of a vector.
        device: device of the parameters.

    Source: Ma & Hovy 2016, arXiv:1603.01354, §3.1.
    """
    checked_size("embedding_size", size)
    table = nn.Embedding(checked_size("vocabulary", vocabulary), size, device=device)
    bound = math.sqrt(3 / size)
    nn.init.uniform_(table.weight, -bound, bound)
    return table


def default_embedding_size(vocabulary: int) -> int:
    """Return the default size of an embedding of V ids: min(100, round(1.6 V^0.56)).

    Source: fastai's `emb_sz_rule`, Howard & Gugger 2020, doi:10.3390/info11020108, whose limit is
    600.

    >>> [default_embedding_size(names) for names in (2, 30, 300, 30_000)]
    [2, 11, 39, 100]
    """
    return min(100, round(1.6 * math.pow(vocabulary, 0.56)))


def embed(table: nn.Embedding, ids: Tensor, dropout: float) -> Tensor:
    """Look ids up, (…) → (…, E); with dropout, whole words are zero wherever they occur.

    A word is dropped with probability p for the whole batch, and the others are scaled by
    1 / (1 − p): dropout of the rows of the embedding's matrix.

    Source: Gal & Ghahramani 2016, arXiv:1512.05287, §4.2.
    """
    vectors: Tensor = table(ids)
    if not dropout:
        return vectors
    kept = torch.empty_like(table.weight[:, :1]).bernoulli_(1 - dropout) / (1 - dropout)
    return vectors * kept[ids]


class WordVectors(NamedTuple):
    """Pretrained vectors of the words of a vocabulary."""

    matrix: Tensor
    """(V, E) float32; zeros where the file has no vector."""
    found: Tensor
    """Whether the file has a vector for each id, (V,) bool."""


def read_word_vectors(path: str | Path, vocabulary: Mapping[str, int]) -> WordVectors:
    """Read the vectors of a vocabulary's words from a text file in GloVe or fastText format.

    A line is a word and its E numbers, separated by single spaces; a first line of two whole
    numbers, as in fastText, is skipped. Only the vocabulary's words are kept, and case matters: a
    lower-case vocabulary finds lower-case words. A word that occurs twice keeps its first vector.

    Args:
        path: a text file in UTF-8, or one compressed by gzip (`.gz`).
        vocabulary: word → id of at least 0.

    Raises:
        DataError: the file is missing or not text, or a line does not have E numbers; the line is
            named.
    """
    rows = 1 + max(vocabulary.values(), default=-1)
    found = torch.zeros(rows, dtype=torch.bool)
    matrix = torch.zeros(rows, 0)
    size = 0
    for number, line in _lines(Path(path)):
        fields = line.rsplit(" ", size) if size else line.split(" ")
        if not size:
            if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
                continue
            size = len(fields) - 1
            matrix = torch.zeros(rows, size)
        if len(fields) != size + 1 or not size:
            raise DataError(
                f"{path}, line {number}: a line must be a word and {size or 'its'} numbers, "
                f"separated by single spaces, got {len(fields)} fields."
            )
        row = vocabulary.get(fields[0])
        if row is not None and not found[row]:
            matrix[row] = _numbers(fields[1:], path, number)
            found[row] = True
    if not size:
        raise DataError(f"{path} contains no word vectors.")
    return WordVectors(matrix, found)


@torch.no_grad()
def load_word_vectors(table: nn.Embedding, vectors: WordVectors) -> int:
    """Initialise an embedding with pretrained vectors; words without one stay as they are.

    Args:
        table: embedding of the same vocabulary, (V, E).
        vectors: from `read_word_vectors`.

    Returns:
        The number of words with a pretrained vector.

    Raises:
        OptionError: the vectors differ in size from the embedding's, or there are more words.
    """
    words, size = table.weight.shape
    if vectors.matrix.shape[1] != size:
        raise OptionError(
            f"the word vectors have {vectors.matrix.shape[1]} numbers each and embedding_size is "
            f"{size}; set embedding_size = {vectors.matrix.shape[1]}."
        )
    if len(vectors.found) > words:
        raise OptionError(
            f"the word vectors are for {len(vectors.found)} words and the embedding has {words}; "
            "read them for this embedding's vocabulary."
        )
    ids = vectors.found.nonzero().flatten()
    table.weight[ids.to(table.weight.device)] = vectors.matrix[ids].to(table.weight)
    return len(ids)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file with their numbers, without line ends."""
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                yield number, line.rstrip(" \r\n")
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path} of word vectors.") from error
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, IsADirectoryError) as error:
        raise DataError(f"{path} is not a text file in UTF-8: {error}.") from error


def _open(path: Path) -> IO[str]:
    # Only "\n" ends a line: some words contain characters that Python would read as line ends.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="\n")
    return path.open(encoding="utf-8", newline="\n")


def _numbers(fields: list[str], path: str | Path, line: int) -> Tensor:
    try:
        numbers = torch.tensor([float(field) for field in fields])
    except ValueError as error:
        raise DataError(f"{path}, line {line}: {error}; it must be a number.") from error
    if not bool(numbers.isfinite().all()):
        raise DataError(f"{path}, line {line}: a number is infinite or not a number.")
    return numbers
