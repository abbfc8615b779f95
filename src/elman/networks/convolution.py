"""Image vectors: a small convolutional network."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import ShapeError
from elman.layers.options import checked_size
from elman.layers.state import described

_CHANNELS = (16, 32, 64)
_LARGEST_MAP = 4
_GROUPS = 8


class ConvolutionalEncoder(nn.Module):
    """An image as a vector: blocks that halve its sides, and a dense layer.

        block:   x ← maxpool₂(relu(norm(conv₃ₓ₃(x))))     until no side is longer than 4
        vector = relu(W x + b)

    The blocks have 16, 32, then 64 channels. The norm is over groups of 8 channels of one image:
    an image's vector does not depend on the other images in the batch.

    Source: group normalisation: Wu & He 2018, arXiv:1803.08494.

    >>> import torch
    >>> ConvolutionalEncoder((1, 28, 28), 128)(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 128])
    """

    def __init__(
        self,
        picture: tuple[int, int, int],
        size: int,
        *,
        device: torch.device | str | None = None,
    ) -> None:
        """Initialise the weights.

        Args:
            picture: channels, height and width of an image.
            size: size of the vector.
            device: device of the parameters.

        Raises:
            OptionError: a size is invalid.
        """
        super().__init__()
        names = ("channels", "height", "width")
        channels, height, width = [
            checked_size(name, value) for name, value in zip(names, picture, strict=True)
        ]
        self.picture = (channels, height, width)
        self.size = checked_size("size", size)
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        while not self.convolutions or max(height, width) > _LARGEST_MAP:
            wider = _CHANNELS[min(len(self.convolutions), len(_CHANNELS) - 1)]
            convolution = nn.Conv2d(channels, wider, 3, padding=1, bias=False, device=device)
            self.convolutions.append(convolution)
            self.norms.append(nn.GroupNorm(wider // _GROUPS, wider, device=device))
            channels, height, width = wider, -(-height // 2), -(-width // 2)
        self.dense = nn.Linear(channels * height * width, size, device=device)

    def forward(self, pictures: Tensor) -> Tensor:
        """Encode images, (N, channels, height, width), as vectors, (N, size).

        Raises:
            ShapeError: the images have the wrong axes.
        """
        if pictures.dim() != 4 or tuple(pictures.shape[1:]) != self.picture:
            raise ShapeError(
                f"images must be (N, channels, height, width) = (N, "
                f"{', '.join(map(str, self.picture))}), got {described(pictures)}."
            )
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            pictures = F.max_pool2d(torch.relu(norm(convolution(pictures))), 2, ceil_mode=True)
        return torch.relu(self.dense(pictures.flatten(1)))

    def extra_repr(self) -> str:
        """Return the sizes of input and output."""
        return f"picture={self.picture}, size={self.size}"
