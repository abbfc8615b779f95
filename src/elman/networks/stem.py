"""Convolutions over time before the recurrent layers, which then take fewer steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import OptionError
from elman.experiment.network import Convolution
from elman.layers.options import checked_probability, checked_size
from elman.sequence.ragged import real_steps

_LEAST_DEVIATION = 1e-4
"""Standard deviation, on the scale of all rows, below which a series counts as constant."""


class ConvolutionalStem(nn.Module):
    """Convolutions of numbers over time, each with batch normalisation over real steps.

        x⁰ = x                                            [x; (x − mean) / deviation] of each row
        xᵏ = dropout(relu(norm(convᵏ(xᵏ⁻¹))))             Tᵏ = ⌈Tᵏ⁻¹ / strideᵏ⌉

    A convolution sees zeros before a row's first step and after its last, so that in evaluation
    mode a row's vectors do not depend on the rows beside it.

    Attributes:
        size: size of a vector.

    Source: three convolutions with batch normalisation: Wang et al. 2017, arXiv:1611.06455; with
    recurrent layers: Karim et al. 2018, arXiv:1709.05206, there side by side.

    >>> import torch
    >>> stem = ConvolutionalStem(2, [Convolution(channels=7, kernel=5, stride=2)])
    >>> vectors, lengths = stem(torch.zeros(9, 3, 2), torch.tensor([9, 4, 0]))
    >>> vectors.shape, lengths.tolist()
    (torch.Size([5, 3, 7]), [5, 2, 0])
    """

    def __init__(
        self,
        input_size: int,
        convolutions: Sequence[Convolution],
        *,
        own_scale: bool = False,
        dropout: float = 0.0,
        device: torch.device | str | None = None,
    ) -> None:
        """Initialise the weights.

        Args:
            input_size: I, numbers a step.
            convolutions: the layers, in order.
            own_scale: whether each row is read on its own scale too, beside the given one.
            dropout: dropout of the outputs of every layer in training.
            device: device of the parameters.

        Raises:
            OptionError: a value is out of range, or there is no layer.
        """
        super().__init__()
        if not convolutions:
            raise OptionError("convolutions must be at least one layer, got none.")
        self.own_scale = own_scale
        self.layers = tuple(convolutions)
        self.dropout = checked_probability("convolution_dropout", dropout)
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        size = checked_size("input_size", input_size) * (1 + own_scale)
        for layer in self.layers:
            convolution = nn.Conv1d(
                size, layer.channels, layer.kernel, stride=layer.stride, bias=False, device=device
            )
            self.convolutions.append(convolution)
            self.norms.append(RaggedBatchNorm(layer.channels, device=device))
            size = layer.channels
        self.size = size

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Turn steps into fewer steps.

        Args:
            x: (T, B, I).
            lengths: real steps of each row, (B,).

        Returns:
            (T′, B, size), zero after a row's end, and the real steps of each row, (B,).
        """
        real = real_steps(lengths, len(x)).unsqueeze(2)
        x = x.where(real, 0)
        if self.own_scale:
            x = torch.cat([x, on_own_scale(x, lengths)], -1)
        x, real = x.permute(1, 2, 0), real.permute(1, 2, 0)
        for layer, convolution, norm in zip(
            self.layers, self.convolutions, self.norms, strict=True
        ):
            before = (layer.kernel - 1) // 2
            x = convolution(F.pad(x, (before, layer.kernel - 1 - before)))
            lengths = (lengths + layer.stride - 1) // layer.stride
            real = real[..., :: layer.stride]
            x = F.dropout(F.relu(norm(x, real)), self.dropout, self.training)
        return x.permute(2, 0, 1), lengths


class RaggedBatchNorm(nn.Module):
    """Batch normalisation of channels over the real steps of all rows.

    Padding is neither counted nor changed from zero. In training the mean and the variance are
    those of the batch; in evaluation, their moving averages.

    Source: Ioffe & Szegedy 2015, arXiv:1502.03167; the variance is that of the batch itself, n in
    its denominator, in the moving average too.
    """

    mean: Tensor
    variance: Tensor

    def __init__(
        self,
        channels: int,
        *,
        momentum: float = 0.1,
        epsilon: float = 1e-5,
        device: torch.device | str | None = None,
    ) -> None:
        """Begin at the identity: mean 0, variance 1, gain 1, bias 0.

        Args:
            channels: C.
            momentum: weight of a batch in the moving averages.
            epsilon: added to the variance.
            device: device of the parameters.
        """
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.weight = nn.Parameter(torch.ones(channels, device=device))
        self.bias = nn.Parameter(torch.zeros(channels, device=device))
        self.register_buffer("mean", torch.zeros(channels, device=device))
        self.register_buffer("variance", torch.ones(channels, device=device))

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """Normalise (B, C, T) where `real`, (B, 1, T), is true; all else becomes zero."""
        if self.training and bool(real.all()):  # PyTorch's own is faster, and knows no padding
            out, mean, scale = torch.native_batch_norm(
                x, self.weight, self.bias, None, None, True, 0.0, self.epsilon
            )
            self._follow(mean, scale.square().reciprocal() - self.epsilon)
            return out
        if self.training:
            count = real.sum().clamp(min=1)
            mean = x.where(real, 0).sum((0, 2)) / count
            centred = (x - mean.unsqueeze(1)).where(real, 0)
            variance = centred.square().sum((0, 2)) / count
            self._follow(mean, variance)
        else:
            variance, centred = self.variance, x - self.mean.unsqueeze(1)
        gain = self.weight * torch.rsqrt(variance + self.epsilon)
        return (centred * gain.unsqueeze(1) + self.bias.unsqueeze(1)).where(real, 0)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Move the averages towards a batch."""
        self.mean.lerp_(mean.to(self.mean), self.momentum)
        self.variance.lerp_(variance.to(self.variance), self.momentum)


def on_own_scale(x: Tensor, lengths: Tensor) -> Tensor:
    """Return each row less its own mean, divided by its own standard deviation, (T, B, I).

    A column of a row that is constant becomes zero.

    Args:
        x: (T, B, I), zero after a row's end.
        lengths: real steps of each row, (B,).
    """
    real = real_steps(lengths, len(x)).unsqueeze(2)
    count = lengths.clamp(min=1).unsqueeze(1)
    centred = (x - x.sum(0) / count).where(real, 0)
    variance = centred.square().sum(0) / count
    constant = variance < _LEAST_DEVIATION**2
    # The root of 0 has no derivative: it is not taken.
    return centred.where(~constant, 0) / variance.where(~constant, 1).sqrt()
