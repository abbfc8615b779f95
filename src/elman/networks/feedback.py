"""The feedback of a decoder: vectors of previous symbols, true ones or the model's own."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import OptionError, ShapeError, unknown
from elman.layers.options import checked_probability
from elman.layers.state import described

OWN_SYMBOLS = ("drawn", "likeliest")
"""How the model's own symbol is chosen: drawn by its probability, or the likeliest."""


class Masks(NamedTuple):
    """A decoder's dropout masks for one batch; None where there is no dropout."""

    words: Tensor | None = None
    """0 or 1 / (1 − p) a symbol, (V + 1, 1)"""
    unknown: Tensor | None = None
    """Where a symbol is read as the unknown one, (U, B) bool"""
    inputs: Tensor | None = None
    """0 or 1 / (1 − p) for the inputs of the recurrent part, (B, I)"""
    outputs: Tensor | None = None
    """0 or 1 / (1 − p) for the inputs of the head, (B, H)"""

    def at(self, t: int) -> Masks:
        """Return the masks of one step."""
        unknown = None if self.unknown is None else self.unknown[t : t + 1]
        return self._replace(unknown=unknown)


class Feedback(nn.Module):
    """Looks up the vectors of previous symbols, the boundary included.

    Masks are sampled once a batch, so that they are the same whether steps run at once or one by
    one.

    Source: dropped vectors: Gal & Ghahramani 2016, arXiv:1512.05287, §4.2; symbols read as the
    unknown one: Bowman et al. 2016, arXiv:1511.06349, §3.2.
    """

    def __init__(
        self,
        embedding: nn.Embedding | None,
        *,
        shared: bool = False,
        own_symbols: str = "drawn",
        embedding_dropout: float = 0.0,
        word_dropout: float = 0.0,
    ) -> None:
        """Choose the embedding and its dropout.

        Args:
            embedding: embedding of the V symbols and the boundary; None for no feedback.
            shared: whether the embedding belongs to another part of the network.
            own_symbols: how the model's own symbol is chosen: drawn, or likeliest.
            embedding_dropout: probability that a symbol's vector is zero throughout a batch.
            word_dropout: probability that a symbol is read as 0, the unknown one.

        Raises:
            OptionError: a name is unknown, or a probability is out of range or has no embedding.
        """
        super().__init__()
        # In a tuple, so that a shared matrix appears once in the network's state.
        self._shared = (embedding,) if shared else ()
        self.embedding = None if shared else embedding
        if own_symbols not in OWN_SYMBOLS:
            raise unknown("own_symbols", own_symbols, OWN_SYMBOLS)
        self.own_symbols = own_symbols
        self.embedding_dropout = checked_probability("embedding_dropout", embedding_dropout)
        self.word_dropout = checked_probability("word_dropout", word_dropout)
        for name in ("embedding_dropout", "word_dropout"):
            if embedding is None and getattr(self, name):
                raise OptionError(
                    f"{name}={getattr(self, name)} acts on previous symbols, and with "
                    "feedback=False none are read; leave one of them out."
                )

    @property
    def table(self) -> nn.Embedding | None:
        """The embedding, whether or not it belongs to another part of the network."""
        return self._shared[0] if self._shared else self.embedding

    @property
    def size(self) -> int:
        """Size of a symbol's vector: E, or 0 without an embedding."""
        return 0 if self.table is None else self.table.embedding_dim

    def check_symbols(self, symbols: int) -> None:
        """Refuse an embedding whose number of symbols is not V + 1, those of the objective.

        Raises:
            OptionError: there is an embedding of another number of symbols.
        """
        if self.table is not None and self.table.num_embeddings != symbols:
            raise OptionError(
                f"the objective has V + 1 = {symbols} symbols, the boundary included, and the "
                f"decoder's embedding has {self.table.num_embeddings}; build it with {symbols}."
            )

    def check(self, ids: Tensor) -> None:
        """Refuse ids that cannot be looked up.

        Raises:
            ShapeError: they are not (U, B), or not integers.
            OptionError: an id is out of range.
        """
        if ids.dim() != 2 or ids.is_floating_point():
            raise ShapeError(f"ids must be (U, B), int64, got {described(ids)} {ids.dtype}.")
        if self.table is None or not ids.numel() or torch.compiler.is_compiling():
            return
        boundary = self.table.num_embeddings - 1
        lowest, highest = (int(end) for end in ids.aminmax())
        if lowest < 0 or highest > boundary:
            raise OptionError(
                f"ids must lie in 0 … {boundary}, the boundary, "
                f"got {lowest if lowest < 0 else highest}."
            )

    def draw(self, ids: Tensor) -> Masks:
        """Sample the masks for symbols, (U, B); none in evaluation."""
        words = replaced = None
        if self.training and self.table is not None and self.embedding_dropout:
            ones = torch.ones_like(self.table.weight[:, :1])
            words = F.dropout(ones, self.embedding_dropout)
        if self.training and self.word_dropout:
            replaced = torch.rand(ids.shape, device=ids.device) < self.word_dropout
        return Masks(words, replaced)

    def forward(self, ids: Tensor, masks: Masks) -> Tensor:
        """Look symbols up, (U, B) → (U, B, E)."""
        assert self.table is not None, "there is an embedding where symbols are read"
        if masks.unknown is not None:
            ids = ids.masked_fill(masks.unknown, 0)
        vectors: Tensor = self.table(ids)
        return vectors if masks.words is None else vectors * masks.words[ids]

    def mixed(self, ids: Tensor, outputs: Tensor, probability: float) -> Tensor:
        """Replace some true symbols by the model's own, (B,).

        Args:
            ids: the true symbols, (B,).
            outputs: outputs of the previous step, (B, V + 1).
            probability: probability that a row reads its own symbol.
        """
        outputs = outputs.detach()
        if self.own_symbols == "likeliest":
            own = outputs.argmax(-1)
        else:
            own = outputs.softmax(-1).multinomial(1).squeeze(1)
        return own.where(torch.rand(ids.shape, device=ids.device) < probability, ids)
