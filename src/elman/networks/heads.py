"""Dense layers for each of several targets."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from elman.layers import MLP


class Heads(nn.Module):
    """Dense layers for each of several targets, which read the same h.

    y(k) = mlp(k)(h)                                  outputs y(1) … y(K) side by side
    """

    def __init__(self, each: Sequence[MLP]) -> None:
        """Set the dense layers of each target."""
        super().__init__()
        self.mlps = nn.ModuleList(each)
        self.output_sizes = [mlp.sizes[-1] for mlp in each]

    @property
    def each(self) -> list[MLP]:
        """The dense layers of each target, in order."""
        return list(self.mlps)  # type: ignore[arg-type]

    def forward(self, h: Tensor) -> Tensor:
        """Map the last axis of h, (…, H), to (…, O), O being the sum over the targets."""
        return torch.cat([mlp(h) for mlp in self.each], dim=-1)
