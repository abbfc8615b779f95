"""The encoder of pictures."""

from __future__ import annotations

import pytest
import torch

from battery import assert_near, draw
from elman.errors import OptionError, ShapeError
from elman.networks.convolution import ConvolutionalEncoder


@pytest.mark.parametrize(
    ("picture", "blocks", "read"),
    [
        ((1, 28, 28), 3, 64 * 4 * 4),
        ((3, 64, 64), 4, 64 * 4 * 4),
        ((1, 4, 4), 1, 16 * 2 * 2),
        ((1, 1, 9), 2, 32 * 1 * 3),
    ],
)
def test_blocks_halve_the_picture_until_no_side_is_longer_than_four(
    picture: tuple[int, int, int], blocks: int, read: int
) -> None:
    encoder = ConvolutionalEncoder(picture, 7)
    assert len(encoder.convolutions) == blocks
    assert encoder.dense.in_features == read
    assert encoder(torch.zeros(2, *picture)).shape == (2, 7)


def test_a_picture_does_not_depend_on_those_beside_it() -> None:
    encoder, pictures = ConvolutionalEncoder((2, 9, 6), 7).double(), draw(5, 2, 9, 6)
    vectors = encoder(pictures)
    assert bool((vectors != vectors[0]).any())
    for i in range(5):
        assert_near(vectors[i : i + 1], encoder(pictures[i : i + 1]), f"picture {i}")


def test_pictures_of_another_size_are_refused() -> None:
    words = r"\(N, channels, height, width\) = \(N, 2, 9, 6\), got \(5, 2, 6, 9\)"
    with pytest.raises(ShapeError, match=words):
        ConvolutionalEncoder((2, 9, 6), 7)(torch.zeros(5, 2, 6, 9))


def test_a_picture_without_width_is_refused() -> None:
    with pytest.raises(OptionError, match="width must be a whole number of at least 1, got 0"):
        ConvolutionalEncoder((1, 3, 0), 7)
