"""Word vectors from characters: a small recurrent network that reads each word."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from elman.layers.gru import GRU
from elman.layers.options import checked_size
from elman.networks.embedding import embedding


class CharacterEncoder(nn.Module):
    """A word as the final states of a bidirectional GRU over its characters.

        vector = (forward h(C), backward h(1)),   C the word's own number of characters

    It sees endings, capitals and digits, and so has a useful vector for words that are not in the
    training texts. Words that occur several times are read once.

    Source: Ling et al. 2015, arXiv:1508.02096; Lample et al. 2016, arXiv:1603.01360, §4.1, both
    with LSTMs.
    """

    def __init__(
        self,
        vocabulary: int,
        character_size: int,
        hidden_size: int,
        *,
        device: torch.device | str | None = None,
    ) -> None:
        """Initialise the weights.

        Args:
            vocabulary: number of characters, padding included.
            character_size: size of a character's vector.
            hidden_size: H, hidden size of each direction.
            device: device of the parameters.

        Raises:
            OptionError: a size is invalid.
        """
        super().__init__()
        checked_size("character_size", character_size)
        self.size = 2 * checked_size("character_hidden_size", hidden_size)
        self.embedding = embedding(vocabulary, character_size, device=device)
        self.recurrent = GRU(character_size, hidden_size, bidirectional=True, device=device)

    def forward(self, words: Tensor) -> Tensor:
        """Encode words.

        Args:
            words: ids of characters, (…, C), padded with 0 after a word's end.

        Returns:
            (…, 2H); zeros for a word without characters.
        """
        distinct, which = _distinct(words.reshape(-1, words.size(-1)))
        lengths = (distinct != 0).sum(1)
        longest = int(lengths.max()) if lengths.numel() else 0
        characters = self.embedding(distinct[:, :longest].t())
        _, ends = self.recurrent(characters, lengths=lengths)
        vectors: Tensor = ends.transpose(0, 1).flatten(1)
        return vectors[which].reshape(*words.shape[:-1], self.size)


def _distinct(words: Tensor) -> tuple[Tensor, Tensor]:
    """Return the distinct rows of ids, (N, C), in ascending order, and which each row is, (N,).

    On CPUs rows are compared as the bytes of big-endian numbers, whose order is that of the ids:
    `unique` compares them by calls of operators, one a pair.
    """
    if not words.is_cpu or torch.compiler.is_compiling():
        distinct, which = words.unique(dim=0, return_inverse=True)
        return distinct, which
    rows = np.ascontiguousarray(words.numpy(), ">u4")
    as_bytes = rows.view(f"V{rows.itemsize * rows.shape[1]}").ravel()
    _, first, inverse = np.unique(as_bytes, return_index=True, return_inverse=True)
    return words[torch.from_numpy(first)], torch.from_numpy(inverse.reshape(-1))
