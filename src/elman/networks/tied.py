"""An output layer that shares its matrix with the embedding of the inputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import OptionError
from elman.layers.options import checked_probability


class TiedHead(nn.Module):
    """An output layer whose weight matrix is the embedding's.

        y = E g(h) + b

    E is the embedding's matrix, (V, E), which belongs to the inputs; g are dense layers, or the
    identity.

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
        """Combine dense layers and the embedding.

        Args:
            table: the embedding, (V, E).
            input_size: size of the vectors that the matrix is multiplied with.
            dense: maps h to that size; None where h has it.
            dropout: dropout of these vectors in training.

        Raises:
            OptionError: the sizes do not fit, or the dropout is out of range.
        """
        super().__init__()
        words, size = table.weight.shape
        if input_size != size:
            raise OptionError(
                f"tie_embeddings needs embedding_size = {input_size}, the input size of the output "
                f"layer, got {size}; leave embedding_size out, or let head end with {size}."
            )
        self.dense = dense
        self.dropout = checked_probability("output_dropout", dropout)
        self.bias = nn.Parameter(torch.zeros(words, device=table.weight.device))
        # In a tuple, so that the matrix appears in the network's state once, with the inputs.
        self._table = (table,)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (…, H) to scores of every element, (…, V)."""
        if self.dense is not None:
            hidden = self.dense(hidden)
        read = F.dropout(hidden, self.dropout, self.training)
        return F.linear(read, self._table[0].weight, self.bias)
