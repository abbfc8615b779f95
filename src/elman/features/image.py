"""Pictures: single pictures, pictures over time, or a picture's rows or pixels as steps."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elman.data.paths import found_path
from elman.errors import DataError, OptionError
from elman.features.checks import check_choice, check_whole, fitted, missing, shown
from elman.features.feature import Encoding, Feature, ImageInput, SeriesInput
from elman.features.picture import as_colour, as_grey, read_picture, resize, thumbnail
from elman.features.scaling import Moments, Scaling
from elman.features.state import feature_state, restore

USUAL_SIZE = 64
"""Height and width if the training pictures have different sizes."""


class _Learned(NamedTuple):
    height: int
    width: int
    colour: bool
    scaling: Scaling


class ImageFeature(Feature):
    """A picture, resized and standardised by channel: y = (x − mean) / sd, x from 0 to 1.

    Values are whatever `picture.read_picture` reads: paths, bytes, Pillow's images, arrays. Mean
    and sd are computed over the training pixels, before resizing.

    Args:
        size: height and width in pixels; by default the size of the training pictures if all have
            the same, else 64 × 64, which is noted.
        colour: whether pictures have three channels, or one (grey); by default three if any
            training picture is coloured.

    Raises:
        OptionError: a size is below 1.

    >>> feature = ImageFeature().fit([np.array([[0, 255], [255, 0]], np.uint8)])
    >>> feature.encoding.picture, feature.encode([[255, 255], [0, 0]]).tolist()
    ((1, 2, 2), [[[1.0, 1.0], [-1.0, -1.0]]])
    """

    kind: ClassVar[str] = "image"
    has_steps: ClassVar[bool] = False
    plural: ClassVar[str] = "pictures"
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "grey": {"colour": False},
        "colour": {"colour": True},
    }
    reads_files: ClassVar[bool] = True
    is_picture: ClassVar[bool] = True

    def __init__(self, *, size: Sequence[int] | None = None, colour: bool | None = None) -> None:
        if size is not None:
            if len(size) != 2:
                raise OptionError(f"size must be height and width, got {size!r}.")
            check_whole("size's height", size[0], least=1)
            check_whole("size's width", size[1], least=1)
        self.size = None if size is None else (size[0], size[1])
        self.colour = colour
        self.notes: list[str] = []
        self._learned: _Learned | None = None

    @property
    def encoding(self) -> Encoding:
        """Channels, height and width of a picture."""
        learned = fitted(self._learned, self.kind)
        return Encoding(picture=(len(learned.scaling.mean), learned.height, learned.width))

    @property
    def description(self) -> str:
        """What a value is, in words."""
        return self._described("picture")

    def fit(self, values: Iterable[Any]) -> ImageFeature:
        """Learn size, channels and scale from the training pictures.

        Raises:
            DataError: a picture cannot be read, or there is none.
        """
        grey, colours = Moments(1), Moments(3)
        sizes: Counter[tuple[int, int]] = Counter()
        coloured = 0
        for value in values:
            picture = read_picture(value)
            grey.add(as_grey(picture).reshape(-1, 1).astype(np.float64))
            colours.add(as_colour(picture).reshape(-1, 3).astype(np.float64))
            sizes[picture.shape[0], picture.shape[1]] += 1
            coloured += picture.shape[2] == 3
        if not sizes:
            raise DataError("there are no training pictures; at least one is needed.")
        self.notes = []
        height, width = self._choose_size(sizes)
        colour = coloured > 0 if self.colour is None else self.colour
        if self.colour is None and 0 < coloured < sizes.total():
            self.notes.append(
                f"{coloured} of {sizes.total()} pictures are in colour, so all are read in colour."
            )
        subjects = ["red", "green", "blue"] if colour else ["brightness"]
        scaling, notes = (colours if colour else grey).scaling("standard", subjects)
        self.notes += notes
        self._learned = _Learned(height, width, colour, scaling)
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn a picture into floats, (C, H, W), float32.

        Raises:
            DataError: the picture cannot be read.
        """
        learned = fitted(self._learned, self.kind)
        picture = read_picture(value)
        picture = as_colour(picture) if learned.colour else as_grey(picture)
        picture = resize(picture, learned.height, learned.width)
        standard = (picture - learned.scaling.mean) / learned.scaling.sd
        return torch.from_numpy(
            np.ascontiguousarray(standard.transpose(2, 0, 1).astype(np.float32))
        )

    def decode(self, encoded: Tensor) -> NDArray[np.uint8]:
        """Turn floats, (C, H, W), back into a picture, (H, W) or (H, W, 3), uint8."""
        scaling = fitted(self._learned, self.kind).scaling
        floats = encoded.detach().cpu().double().numpy().transpose(1, 2, 0)
        picture = scaling.decode(floats.reshape(-1, floats.shape[2])).reshape(floats.shape)
        pixels: NDArray[np.uint8] = np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
        return pixels[..., 0] if pixels.shape[2] == 1 else pixels

    def shown(self, value: Any) -> ImageInput:
        """Show a thumbnail."""
        return ImageInput(thumbnail(read_picture(value)))

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        learned = fitted(self._learned, self.kind)
        options = {"size": None if self.size is None else list(self.size), "colour": self.colour}
        return feature_state(
            self.kind, options, {**learned._asdict(), "scaling": learned.scaling.to_json()}
        )

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> ImageFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        feature, learned = restore(
            cls, state, {"height": int, "width": int, "colour": bool, "scaling": dict}
        )
        scaling = Scaling.from_json(learned["scaling"], cls.kind)
        feature._learned = _Learned(**{**learned, "scaling": scaling})
        return feature

    def _described(self, noun: str) -> str:
        """Describe size and colour of a picture or frame."""
        learned = fitted(self._learned, self.kind)
        shade = "coloured" if learned.colour else "grey"
        return f"{shade} {noun}s of {learned.height} × {learned.width} pixels"

    def _choose_size(self, sizes: Counter[tuple[int, int]]) -> tuple[int, int]:
        """Choose the size of all pictures, and note how many are resized."""
        if self.size is not None:
            size = self.size
        elif len(sizes) == 1:
            (size,) = sizes
        else:
            size = (USUAL_SIZE, USUAL_SIZE)
        if others := sizes.total() - sizes[size]:
            self.notes.append(
                f"{others} of {sizes.total()} pictures are resized to {size[0]} × {size[1]} pixels."
            )
        return size


class FramesFeature(Feature):
    """Pictures over time; or one picture, read row by row or pixel by pixel.

    Without `scan` a value is a list of pictures, (T, C, H, W), or a folder of them, sorted by
    name. With `scan="rows"` a value is one picture and a step is a row of it, (H, W·C); with
    `scan="pixels"` a step is a pixel, (H·W, C), row by row from the top: sequential MNIST.

    Args:
        size, colour: as for `ImageFeature`.
        scan: `rows`, `pixels`, or None for pictures over time.
        permutation: random seed of a fixed order of the pixels, the same for all pictures, for
            `scan="pixels"`: permuted sequential MNIST. None keeps the order.

    Raises:
        OptionError: an option is out of range, or contradicts another.

    Source: Le, Jaitly & Hinton 2015, arXiv:1504.00941 (pixel by pixel, and permuted).
    """

    kind: ClassVar[str] = "frames"
    has_steps: ClassVar[bool] = True
    plural: ClassVar[str] = "frames"
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "rows": {"scan": "rows"},
        "pixels": {"scan": "pixels"},
    }
    reads_files: ClassVar[bool] = True

    def __init__(
        self,
        *,
        size: Sequence[int] | None = None,
        colour: bool | None = None,
        scan: Literal["rows", "pixels"] | None = None,
        permutation: int | None = None,
    ) -> None:
        if scan is not None:
            check_choice("scan", scan, ("rows", "pixels"))
        if permutation is not None:
            check_whole("permutation", permutation, least=0)
            if scan != "pixels":
                raise OptionError("permutation is an order of pixels; it needs scan='pixels'.")
        self.image = ImageFeature(size=size, colour=colour)
        self.scan = scan
        self.permutation = permutation
        self.notes: list[str] = []

    @property
    def encoding(self) -> Encoding:
        """A picture a step; in a scan, the numbers of a row or a pixel."""
        encoding = self.image.encoding
        if self.scan is None or encoding.picture is None:
            return encoding
        channels, _, width = encoding.picture
        return Encoding(numbers=channels * (width if self.scan == "rows" else 1))

    @property
    def description(self) -> str:
        """What a value is, in words."""
        frames = self.image._described("frame")
        return frames if self.scan is None else f"{self.scan} of {frames}"

    def fit(self, values: Iterable[Any]) -> FramesFeature:
        """Learn size, channels and scale from the training pictures.

        Raises:
            DataError: a picture cannot be read, or there is none.
        """
        self.image.fit(values if self.scan else _all_of(values))
        self.notes = self.image.notes
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn pictures into floats, (T, C, H, W), or a scan of one into (T, I); float32.

        Raises:
            DataError: a picture cannot be read; the error names its position.
        """
        if self.scan is None:
            frames = [self._frame(frame, place) for place, frame in enumerate(pictures_of(value))]
            shape = self.image.encoding.picture or ()
            return torch.stack(frames) if frames else torch.zeros(0, *shape)
        picture = self.image.encode(value).permute(1, 2, 0)
        if self.scan == "rows":
            return picture.flatten(1)
        pixels = picture.flatten(0, 1)
        return pixels if self.permutation is None else pixels[self._order(len(pixels))]

    def decode(self, encoded: Tensor) -> list[NDArray[np.uint8]] | NDArray[np.uint8]:
        """Turn floats back into a list of pictures, or into the scanned one, uint8."""
        if self.scan is None:
            return [self.image.decode(frame) for frame in encoded]
        channels, height, width = self.image.encoding.picture or (0, 0, 0)
        pixels = encoded.reshape(height * width, channels)
        if self.permutation is not None:
            pixels = pixels[self._order(len(pixels)).argsort()]
        return self.image.decode(pixels.reshape(height, width, channels).permute(2, 0, 1))

    def shown(self, value: Any) -> str | SeriesInput | ImageInput:
        """Show a thumbnail of a scanned picture, or the paths of several."""
        return self.image.shown(value) if np.ndim(value) == 2 else super().shown(value)

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        image = self.image.to_json()
        options = {**image["options"], "scan": self.scan, "permutation": self.permutation}
        return feature_state(self.kind, options, {"image": image})

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> FramesFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        feature, learned = restore(cls, state, {"image": dict})
        feature.image = ImageFeature.from_json(learned["image"])
        return feature

    def _frame(self, frame: Any, place: int) -> Tensor:
        """Encode one of several pictures."""
        try:
            return self.image.encode(frame)
        except DataError as error:
            raise DataError(f"frame {place}: {error}") from error

    def _order(self, pixels: int) -> Tensor:
        """Return the permutation of the pixels."""
        return torch.from_numpy(np.random.default_rng(self.permutation).permutation(pixels))


def pictures_of(value: Any) -> Sequence[Any]:
    """Return the pictures of a value.

    Raises:
        DataError: the value is no list or folder of pictures.
    """
    folder = found_path(value) if isinstance(value, str | os.PathLike) else None
    if folder is not None and folder.is_dir():
        return sorted(path for path in folder.iterdir() if path.is_file())
    if missing(value) or isinstance(value, str | bytes | Mapping) or not hasattr(value, "__len__"):
        raise DataError(
            f"frames must be a list of pictures, or a folder of them, got {shown(value)}. "
            f"To read one picture step by step, set scan='rows' or 'pixels'."
        )
    return value  # type: ignore[no-any-return]


def _all_of(values: Iterable[Any]) -> Iterator[Any]:
    """Yield the pictures of all values, one by one."""
    for value in values:
        yield from pictures_of(value)
