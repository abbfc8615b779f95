"""Feed-forward layers: the dense part of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import OptionError, ShapeError, unknown
from elman.layers.options import checked_probability, checked_size
from elman.layers.recurrent import parameter_count

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "softmax": partial(torch.softmax, dim=-1),
    "identity": lambda a: a,
}


class MLP(nn.Module):
    """A stack of feed-forward layers.

        h⁰ = x
        hᵏ = g(Wᵏ hᵏ⁻¹ + bᵏ)                              g of the last layer is its own

    >>> import elman, torch
    >>> elman.MLP([3, 8, 2])(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "tanh",
        *,
        output_activation: str = "identity",
        dropout: float = 0.0,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Build the layers.

        Args:
            sizes: sizes of the input, of every hidden layer and of the output: at least two.
            activation: g of the hidden layers: sigmoid, tanh, relu, softmax or identity.
            output_activation: g of the last layer.
            dropout: probability of dropping an input of a layer, in training.
            bias: whether the layers have biases.
            device: device of the parameters.
            dtype: dtype of the parameters.

        Raises:
            OptionError: an unknown activation, fewer than two sizes, or a value out of range.
        """
        super().__init__()
        for name in (activation, output_activation):
            if name not in ACTIVATIONS:
                raise unknown("activation", name, ACTIVATIONS)
        self.sizes = [checked_size(f"sizes[{i}]", size) for i, size in enumerate(sizes)]
        if len(self.sizes) < 2:
            raise OptionError(f"sizes must name an input and an output size, got {self.sizes}.")
        self.activation = activation
        self.output_activation = output_activation
        self.dropout = checked_probability("dropout", dropout)
        self.layers = nn.ModuleList(
            nn.Linear(inputs, outputs, bias=bias, device=device, dtype=dtype)
            for inputs, outputs in pairwise(self.sizes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map the last axis of x, (…, I), to (…, O).

        Raises:
            ShapeError: the last axis is not I long.
        """
        if x.dim() == 0 or x.size(-1) != self.sizes[0]:
            raise ShapeError(
                f"input must be (…, I) with I = {self.sizes[0]}, got {tuple(x.shape)}."
            )
        hidden = ACTIVATIONS[self.activation]
        for layer in self.layers[:-1]:
            x = hidden(layer(F.dropout(x, self.dropout, self.training)))
        last = self.layers[-1](F.dropout(x, self.dropout, self.training))
        return ACTIVATIONS[self.output_activation](last)

    def extra_repr(self) -> str:
        """Show the sizes, the activations and the number of parameters."""
        parts = [str(self.sizes), f"activation={self.activation!r}"]
        if self.output_activation != "identity":
            parts.append(f"output_activation={self.output_activation!r}")
        if self.dropout:
            parts.append(f"dropout={self.dropout}")
        return ", ".join([*parts, f"parameters={parameter_count(self)}"])
