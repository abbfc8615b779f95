"""Reading pictures from files, bytes, Pillow's images and arrays."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from elman.data import limits
from elman.data.paths import found_file
from elman.errors import DataError
from elman.features.checks import missing, shown

if TYPE_CHECKING:
    from PIL.Image import Image

Picture = NDArray[np.float32]
"""Brightness from 0 to 1, (H, W, C), with C = 1 (grey) or 3 (red, green, blue)."""

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as in Pillow

_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    struct.error,
    zlib.error,
)
"""What Pillow raises for what it cannot read: OSError for most files, the others for headers that
hold what they should not, such as a fraction for a place in the file."""

_BYTES_A_PIXEL = 96
"""Memory that a pixel takes while a picture is read and measured, as floats of two widths."""

LONGEST_SIDE = 160
"""Maximum height and width of a thumbnail in pixels."""


def read_picture(value: Any) -> Picture:
    """Read a picture.

    A value is a path; the bytes of a file; a Pillow image; a mapping with `bytes` or `path`, as in
    Hugging Face's data sets; or an array, or nested lists, (H, W), (H, W, C) or (C, H, W) with
    C = 1, 3 or 4. Whole numbers range from 0 to 255 (to 65 535 for uint16), floats from 0 to 1. A
    file is rotated according to its EXIF tag; an animation is read as its first picture;
    transparent pixels are blended with white.

    Raises:
        DataError: the value is no picture, cannot be read, or would take more memory than
            `data.limits` allows.
    """
    if isinstance(value, Mapping) and ("bytes" in value or "path" in value):
        value = value["path"] if missing(value.get("bytes")) else value["bytes"]
    if missing(value):
        raise DataError("the picture is missing; leave the row out.")
    if isinstance(value, str | os.PathLike):
        return _from_file(found_file(value, "picture").read_bytes(), str(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return _from_file(bytes(value), f"the picture of {len(value)} bytes")
    if hasattr(value, "convert") and hasattr(value, "getbands"):
        return _from_image(value)
    return _from_array(value)


def as_grey(picture: Picture) -> Picture:
    """Return a picture's luminance, (H, W, 1): 0.299 R + 0.587 G + 0.114 B."""
    return picture if picture.shape[2] == 1 else (picture @ _LUMINANCE)[..., None]


def as_colour(picture: Picture) -> Picture:
    """Return a picture with three channels, (H, W, 3)."""
    return np.broadcast_to(picture, (*picture.shape[:2], 3))


def resize(picture: Picture, height: int, width: int) -> Picture:
    """Resize a picture; each pixel is a weighted mean of the pixels it covers."""
    from PIL import Image

    if picture.shape[:2] == (height, width):
        return picture
    channels = [
        Image.fromarray(np.ascontiguousarray(picture[..., channel])).resize(
            (width, height), Image.Resampling.BILINEAR
        )
        for channel in range(picture.shape[2])
    ]
    return np.stack([np.asarray(channel, np.float32) for channel in channels], axis=2)


def _from_file(content: bytes, name: str) -> Picture:
    """Read the bytes of a file."""
    from PIL import Image, ImageOps

    try:
        with _without_a_limit_on_pixels(), Image.open(io.BytesIO(content)) as image:
            width, height = image.size
            limits.check(_BYTES_A_PIXEL * width * height, f"{name}, {width:,} × {height:,} pixels,")
            image.load()
            return _from_image(ImageOps.exif_transpose(image))
    except DataError:
        raise
    except _BROKEN as error:
        raise DataError(
            f"{name} cannot be read as a picture ({error}); replace it, or leave the row out."
        ) from error


@contextmanager
def _without_a_limit_on_pixels() -> Iterator[None]:
    """Lift Pillow's own limit, which has another value than Elman's and another setting."""
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _from_image(image: Image) -> Picture:
    """Turn a Pillow image into an array."""
    from PIL import Image as Images

    if image.mode.startswith(("I", "F")):
        return _from_array(np.asarray(image))
    if image.mode in {"1", "L"}:
        return (np.asarray(image.convert("L"), np.float32) / np.float32(255))[..., None]
    background = Images.new("RGBA", image.size, "white")
    rgb = Images.alpha_composite(background, image.convert("RGBA")).convert("RGB")
    return np.asarray(rgb, np.float32) / np.float32(255)


def _from_array(value: Any) -> Picture:
    """Check an array or nested lists, and convert it to (H, W, C) from 0 to 1."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise DataError(
            f"the rows of a picture must have equal lengths, got {shown(value)}."
        ) from None
    if array.dtype.kind not in "biuf" or array.ndim not in {2, 3}:
        raise DataError(
            f"a picture must be a path, bytes, a Pillow image, or an array (H, W), (H, W, C) "
            f"or (C, H, W), got {shown(value)}."
        )
    if array.ndim == 2:
        array = array[..., None]
    elif array.shape[2] not in {1, 3, 4}:
        array = array.transpose(1, 2, 0)
    if array.shape[2] not in {1, 3, 4} or not array.size:
        raise DataError(
            f"a picture must be (H, W), (H, W, C) or (C, H, W) with C = 1, 3 or 4 and at least one "
            f"pixel, got axes {np.shape(value)}."
        )
    picture = _brightness(array)
    if array.shape[2] < 4:
        return picture
    colour, alpha = picture[..., :3], picture[..., 3:]
    return colour * alpha + (1 - alpha)


def _brightness(array: NDArray[Any]) -> Picture:
    """Scale pixels to 0 … 1, by their type."""
    highest = {"b": 1, "f": 1}.get(array.dtype.kind, 65_535 if array.dtype == np.uint16 else 255)
    if not ((array >= 0) & (array <= highest)).all():
        kind = "floats" if array.dtype.kind == "f" else "whole numbers"
        outside = array[~((array >= 0) & (array <= highest))][0]
        raise DataError(
            f"pixels that are {kind} must lie in 0 … {highest}, got {outside}; rescale them."
        )
    return np.asarray(array, np.float32) / np.float32(highest)


def thumbnail(picture: Picture) -> NDArray[np.uint8]:
    """Return a picture as uint8, (H, W, 3), with no side longer than `LONGEST_SIDE`."""
    height, width = picture.shape[:2]
    factor = min(1.0, LONGEST_SIDE / max(height, width))
    size = max(1, round(height * factor)), max(1, round(width * factor))
    return (as_colour(resize(picture, *size)) * 255).round().astype(np.uint8)
