"""Pictures, alone, over time, and read step by step."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from elman.data.limits import VARIABLE
from elman.errors import DataError, OptionError
from elman.features.image import FramesFeature, ImageFeature
from elman.features.picture import read_picture, resize

random = np.random.default_rng(7)
GREY = random.integers(0, 256, (5, 7), np.uint8)
COLOUR = random.integers(0, 256, (5, 7, 3), np.uint8)


def content_of(array: np.ndarray, kind: str = "png") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind)
    return buffer.getvalue()


def test_every_format_of_a_picture_gives_the_same_one(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    path.write_bytes(content_of(GREY))
    holders = (
        str(path),
        path,
        content_of(GREY),
        Image.fromarray(GREY),
        GREY,
        GREY.tolist(),
        GREY[..., None],
        GREY[None],
        GREY / 255,
        GREY.astype(np.int64),
        GREY.astype(np.uint16) * 257,
        {"bytes": content_of(GREY), "path": None},
        {"bytes": None, "path": str(path)},
    )
    for holder in holders:
        np.testing.assert_allclose(read_picture(holder)[..., 0], GREY / 255, rtol=1e-6)


def test_colours_may_stand_first_or_last() -> None:
    for holder in (COLOUR, COLOUR.transpose(2, 0, 1), content_of(COLOUR)):
        np.testing.assert_allclose(read_picture(holder), COLOUR / 255, rtol=1e-6)


def test_transparent_pixels_are_white_and_palettes_are_colours() -> None:
    see_through = np.zeros((2, 2, 4), np.uint8)
    see_through[0, 0] = [255, 0, 0, 255]
    for holder in (see_through, content_of(see_through)):
        picture = read_picture(holder)
        assert picture[0, 0].tolist() == [1, 0, 0]
        assert picture[1, 1].tolist() == [1, 1, 1]
    palette = Image.fromarray(COLOUR).quantize(256)
    np.testing.assert_allclose(read_picture(palette), np.asarray(palette.convert("RGB")) / 255)


def test_a_picture_is_rotated_according_to_its_tag() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise
    buffer = io.BytesIO()
    Image.fromarray(COLOUR).save(buffer, "png", exif=exif)
    np.testing.assert_allclose(read_picture(buffer.getvalue()), np.rot90(COLOUR, -1) / 255)


def test_channels_are_standardised_over_the_training_pictures() -> None:
    pictures = [random.integers(0, 256, (4, 6, 3), np.uint8) for _ in range(5)]
    feature = ImageFeature().fit(pictures)
    encoded = torch.stack([feature.encode(picture) for picture in pictures])
    np.testing.assert_allclose(encoded.mean(dim=(0, 2, 3)), np.zeros(3), atol=1e-6)
    np.testing.assert_allclose(encoded.std(dim=(0, 2, 3), correction=0), np.ones(3), rtol=1e-5)
    assert np.array_equal(feature.decode(encoded[2]), pictures[2])
    assert feature.description == "coloured pictures of 4 × 6 pixels"


def test_a_grey_feature_weighs_colours_as_pillow_does() -> None:
    feature = ImageFeature(colour=False).fit([COLOUR])
    expected = np.asarray(Image.fromarray(COLOUR).convert("L"))
    assert np.abs(feature.decode(feature.encode(COLOUR)).astype(int) - expected).max() <= 1


def test_pictures_of_other_sizes_are_resized_as_pillow_does_and_noted() -> None:
    feature = ImageFeature(size=[3, 4]).fit([GREY, GREY[:3, :4]])
    assert feature.notes == ["1 of 2 pictures are resized to 3 × 4 pixels."]
    assert feature.encoding.picture == (1, 3, 4)
    expected = np.asarray(Image.fromarray(GREY).resize((4, 3), Image.Resampling.BILINEAR))
    assert np.abs(feature.decode(feature.encode(GREY)).astype(int) - expected).max() <= 1
    assert resize(np.ones((2, 2, 3), np.float32), 5, 1).shape == (5, 1, 3)


def test_pictures_of_different_sizes_and_colours_are_made_alike_and_noted() -> None:
    feature = ImageFeature().fit([GREY, COLOUR[:4]])
    assert feature.encoding.picture == (3, 64, 64)
    assert feature.notes == [
        "2 of 2 pictures are resized to 64 × 64 pixels.",
        "1 of 2 pictures are in colour, so all are read in colour.",
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "the picture is missing; leave the row out"),
        ("nowhere.png", "there is no picture 'nowhere.png'"),
        (b"no picture", "the picture of 10 bytes cannot be read as a picture"),
        (content_of(COLOUR)[:-30], "cannot be read as a picture .* replace it, or leave the row"),
        (np.zeros((2, 2, 5)), r"with C = 1, 3 or 4 .* got axes \(2, 2, 5\)"),
        (np.zeros((0, 3)), "at least one pixel"),
        (np.full((2, 2), 7.0), r"pixels that are floats must lie in 0 … 1, got 7.0"),
        (np.full((2, 2), np.nan), "pixels that are floats must lie in 0 … 1, got nan"),
        (np.full((2, 2), 300), "whole numbers must lie in 0 … 255, got 300"),
        ([[1, 2], [3]], "the rows of a picture must have equal lengths"),
        (5, "a picture must be a path, bytes"),
    ],
)
def test_what_is_no_picture_is_refused(value: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        ImageFeature().fit([GREY]).encode(value)


def test_frames_are_pictures_over_time(tmp_path: Path) -> None:
    feature = FramesFeature().fit([[GREY, GREY + 1], [GREY]])
    encoded = feature.encode([GREY, GREY + 1])
    assert encoded.shape == (2, 1, 5, 7)
    assert torch.equal(encoded[0], feature.encode([GREY])[0])
    for name, picture in (("b.png", GREY + 1), ("a.png", GREY)):
        (tmp_path / name).write_bytes(content_of(picture))
    assert torch.equal(feature.encode(tmp_path), encoded)
    with pytest.raises(DataError, match="frame 1: the picture of 1 bytes cannot be read"):
        feature.encode([GREY, b"x"])
    with pytest.raises(DataError, match=r"frames must be a list of pictures, .*set scan='rows'"):
        feature.encode("nowhere")


def test_rows_and_pixels_of_a_picture_are_steps() -> None:
    image = ImageFeature().fit([GREY])
    whole = image.encode(GREY)[0]
    rows = FramesFeature(scan="rows").fit([GREY])
    assert torch.equal(rows.encode(GREY), whole)
    assert rows.encoding.numbers == 7
    pixels = FramesFeature(scan="pixels").fit([GREY])
    assert torch.equal(pixels.encode(GREY), whole.reshape(35, 1))
    assert pixels.encoding.numbers == 1
    assert pixels.description == "pixels of grey frames of 5 × 7 pixels"
    coloured = FramesFeature(scan="rows").fit([COLOUR])
    assert coloured.encoding.numbers == 21
    assert torch.equal(
        coloured.encode(COLOUR)[2].reshape(7, 3).T,
        ImageFeature().fit([COLOUR]).encode(COLOUR)[:, 2],
    )


def test_a_permutation_is_the_same_for_all_pictures_and_follows_from_its_seed() -> None:
    feature = FramesFeature(scan="pixels", permutation=5).fit([GREY])
    order = np.random.default_rng(5).permutation(35)
    plain = FramesFeature(scan="pixels").fit([GREY])
    for picture in (GREY, GREY[::-1]):
        assert torch.equal(feature.encode(picture), plain.encode(picture)[torch.from_numpy(order)])
        assert np.array_equal(feature.decode(feature.encode(picture)), picture)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": [3]}, r"size must be height and width, got \[3\]"),
        ({"size": [3, 0]}, "size's width must be a whole number of at least 1"),
        ({"scan": "columns"}, "unknown scan 'columns'"),
        ({"scan": "rows", "permutation": 1}, "it needs scan='pixels'"),
        ({"scan": "pixels", "permutation": -1}, "permutation must be a whole number of at least 0"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        FramesFeature(**options)  # type: ignore[arg-type]


def test_a_picture_of_more_pixels_than_the_limit_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    Image.new("1", (13_000, 13_000)).save(path)
    assert path.stat().st_size < 30_000
    with pytest.raises(DataError, match=rf"plain.png, 13,000 × 13,000 pixels, .* GB .*{VARIABLE}"):
        read_picture(path)


def test_the_limit_on_pixels_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    content = content_of(np.zeros((100, 100), np.uint8))
    monkeypatch.setenv(VARIABLE, "0.0009")
    with pytest.raises(DataError, match="100 × 100 pixels, would take"):
        read_picture(content)
    monkeypatch.setenv(VARIABLE, "0.001")
    assert read_picture(content).shape == (100, 100, 1)


def test_a_limit_of_pillows_is_not_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read_picture(content_of(GREY)).shape == (5, 7, 1)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_a_header_that_holds_a_fraction_where_a_place_is_due_is_refused() -> None:
    content = bytearray(content_of(GREY, "tiff"))
    entry = content.index((273).to_bytes(2, "little"))  # StripOffsets
    content[entry + 2 : entry + 4] = (5).to_bytes(2, "little")  # a fraction
    with pytest.raises(DataError, match="cannot be read as a picture"):
        read_picture(bytes(content))
