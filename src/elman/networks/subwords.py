"""Word vectors from character n-grams, so that a word never seen has a vector, too."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.layers.options import checked_size
from elman.networks.embedding import embedding

LEAST, MOST = 3, 6
"""Characters of the shortest and the longest n-grams, the ends of a word included."""

_BEGINNING, _END = ord("<"), ord(">")
_BASIS, _PRIME = 2_166_136_261, 16_777_619
_32_BITS = 0xFFFF_FFFF
_SIGN = 0xFFFF_FF00


class SubwordEmbedding(nn.Module):
    """A word as the mean of the vectors of its character n-grams.

        vector(w) = 1/|G(w)| Σ z(h(g)) over g ∈ G(w),   h(g) = FNV-1a(g) mod K

    G(w) are all runs of 3 to 6 characters of `<w>`, a word between the marks of its ends: of `ab`
    these are `<ab`, `ab>` and `<ab>`. Each has one of K vectors z, and those with the same bucket
    h share it. Words that occur several times are read once.

    Source: Bojanowski et al. 2017, arXiv:1607.04606, §3.2, with the hash of fastText. There w
    itself is one of G(w) with a vector of its own; here `Inputs` adds that of a known word to the
    mean.
    """

    def __init__(
        self, buckets: int, size: int, *, device: torch.device | str | None = None
    ) -> None:
        """Initialise the vectors.

        Args:
            buckets: K.
            size: E, size of a vector.
            device: device of the parameters.

        Raises:
            OptionError: a size is invalid.
        """
        super().__init__()
        self.embedding = embedding(checked_size("subwords", buckets), size, device=device)

    def forward(self, words: Tensor) -> Tensor:
        """Encode words.

        Args:
            words: code points of characters, (…, C), padded with 0 after a word's end.

        Returns:
            (…, E); zeros for a word without characters.
        """
        distinct, which = words.reshape(-1, words.size(-1)).unique(dim=0, return_inverse=True)
        hashes, real = hashed_ngrams(distinct)
        counts = real.sum(1)
        vectors = F.embedding_bag(
            hashes[real] % self.embedding.num_embeddings,
            self.embedding.weight,
            counts.cumsum(0) - counts,
            mode="mean",
        )
        return vectors[which].reshape(*words.shape[:-1], self.embedding.embedding_dim)


def hashed_ngrams(words: Tensor) -> tuple[Tensor, Tensor]:
    """Hash the n-grams of words as fastText does: FNV-1a of their UTF-8, each byte with its sign.

        h ← 2166136261;  for each byte b:  h ← (h ⊕ b) · 16777619 mod 2³²

    Args:
        words: code points, (W, C), padded with 0.

    Returns:
        Hashes (W, M), int64, and which of them are of n-grams, (W, M): there are M in the longest
        word, and in a word without characters none.

    Source: http://www.isthe.com/chongo/tech/comp/fnv/; a byte b is read as a signed one, so 128 …
    255 change the upper bits, too, as in fastText's `Dictionary::hash`.
    """
    lengths = (words != 0).sum(1, keepdim=True)
    longest = int(lengths.max()) if lengths.numel() else 0
    ends = F.pad(words[:, :longest], (1, MOST))
    ends[:, 0] = _BEGINNING
    ends.scatter_(1, lengths + 1, _END)
    starts = torch.arange(longest, device=words.device)
    values, sizes = _utf8(ends)
    hashes = torch.full_like(words[:, :longest], _BASIS)
    each: list[Tensor] = []
    real: list[Tensor] = []
    for count in range(1, MOST + 1):
        place = slice(count - 1, count - 1 + longest)
        for value, within in zip(values, sizes, strict=True):
            mixed = (hashes ^ value[:, place]) * _PRIME & _32_BITS
            hashes = mixed.where(within[:, place], hashes)
        if count >= LEAST:
            each.append(hashes)
            real.append((starts + count <= lengths + 2) & (lengths > 0))
    return torch.cat(each, 1), torch.cat(real, 1)


def _utf8(points: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Return the UTF-8 of code points, byte by byte, as signed 32 bits, and where there is one."""
    tail = [0x80 | (points >> shift & 0x3F) for shift in (12, 6, 0)]
    two, three, four = (points >= least for least in (0x80, 0x800, 0x1_0000))
    first = (0xC0 | points >> 6).where(two, points)
    first = (0xE0 | points >> 12).where(three, first)
    first = (0xF0 | points >> 18).where(four, first)
    second = tail[0].where(four, tail[1].where(three, tail[2]))
    third = tail[1].where(four, tail[2])
    values = [first, second, third, tail[2]]
    within = [torch.ones_like(two), two, three, four]
    used = [place for place, there in enumerate(within) if bool(there.any())]
    signed = [value | (value >= 0x80) * _SIGN for value in values]
    return [signed[place] for place in used], [within[place] for place in used]
