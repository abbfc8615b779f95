"""An output layer that shares its matrix with the embedding of the inputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import OptionError
from elman.layers.options import checked_probability


class TiedHead(nn.Module):
    """An output layer whose rows are the embedding's: an element is written as it is read.

        y = E g(h) + b

    E is the embedding's matrix, (V, E), which belongs to the inputs; g are dense layers, or
    nothing.

    Source: Press & Wolf 2017, arXiv:1608.05859; Inan et al. 2017, arXiv:1611.01462.
    """

    def __init__(
        self,
        table: nn.Embedding,
        input_size: int,
        dense: nn.Module | None = None,
        *,
        dropout: float = 0.0,
    ) -> None:
        """Join dense layers and the embedding.

        Args:
            table: the embedding, (V, E).
            input_size: what the embedding's matrix is multiplied with has this size.
            dense: maps h to it; None where h is of that size.
            dropout: of what the output layer reads, in training.

        Raises:
            OptionError: the sizes do not fit, or the dropout is out of range.
        """
        super().__init__()
        words, size = table.weight.shape
        if input_size != size:
            raise OptionError(
                f"tie_embeddings needs an embedding_size of what the output layer reads, "
                f"{input_size}, got {size}; leave embedding_size out, or let head end with {size}."
            )
        self.dense = dense
        self.dropout = checked_probability("output_dropout", dropout)
        self.bias = nn.Parameter(torch.zeros(words, device=table.weight.device))
        # In a tuple, so that the matrix has one name in the network's state: the inputs'.
        self._table = (table,)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (…, H) to scores of every element, (…, V)."""
        if self.dense is not None:
            hidden = self.dense(hidden)
        read = F.dropout(hidden, self.dropout, self.training)
        return F.linear(read, self._table[0].weight, self.bias)
