"""Images: labelled handwritten digits, photographs with captions."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.catalog.entry import Columns, Contents, DataSet, File, Layout

IDX_BYTES = 0x08
"""Type code of an idx file of unsigned bytes."""


def read_mnist_packed(contents: Contents) -> Mapping[str, Columns]:
    """Read an npz with images and labels of both splits."""
    (content,) = contents.values()
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {
            split: _digits(arrays[f"x_{split}"], arrays[f"y_{split}"])
            for split in ("train", "test")
        }


def read_mnist_idx(contents: Contents) -> Mapping[str, Columns]:
    """Read the four original idx files."""
    return {
        split: _digits(
            read_idx(contents[f"{part}-images-idx3-ubyte"]),
            read_idx(contents[f"{part}-labels-idx1-ubyte"]),
        )
        for split, part in (("train", "train"), ("test", "t10k"))
    }


def read_idx(content: bytes) -> NDArray[np.uint8]:
    """Read an idx file of bytes: two zeros, the type, the axes, the length of each, the values."""
    kind, axes = content[2], content[3]
    if content[:2] != b"\0\0" or kind != IDX_BYTES:
        raise ValueError(f"an idx file of bytes starts with 00 00 08, got {content[:3].hex(' ')}")
    start = 4 + 4 * axes
    shape = np.frombuffer(content[4:start], ">u4").astype(int)
    return np.frombuffer(content[start:], np.uint8).reshape(shape)


def _digits(images: NDArray[np.uint8], labels: NDArray[Any]) -> dict[str, Any]:
    return {"image": images, "label": [str(label) for label in labels]}


def read_flickr(contents: Contents) -> Mapping[str, Columns]:
    """Read 1,000 small images and the lists of the official splits: one row a caption."""
    captions: dict[str, list[str]] = {}
    for row in csv.DictReader(io.StringIO(contents["captions.txt"].decode())):
        captions.setdefault(row["image"], []).append(row["caption"].strip())
    with np.load(io.BytesIO(contents["images_64x64.npz"]), allow_pickle=False) as arrays:
        images, names = arrays["images"], [str(name) for name in arrays["names"]]
    splits = {}
    for split, part in (("train", "train"), ("valid", "dev"), ("test", "test")):
        listed = set(contents[f"Flickr_8k.{part}Images.txt"].decode().split())
        rows = [
            (index, caption)
            for index, name in enumerate(names)
            if name in listed
            for caption in captions[name]
        ]
        splits[split] = {
            "image": images[[index for index, _ in rows]],
            "caption": [caption for _, caption in rows],
            "file": [names[index] for index, _ in rows],
        }
    return splits


def _idx_file(part: str, kind: str, size: int, sha256: str) -> File:
    name = f"{part}-{kind}-ubyte"
    address = f"https://ossci-datasets.s3.amazonaws.com/mnist/{name}.gz"
    return File(name=name, sha256=sha256, address=address, size=size)


IMAGES = (
    DataSet(
        name="mnist",
        title="MNIST",
        about="handwritten digits of 28 × 28 grey pixels, read as a sequence of rows or of pixels; "
        "papers hold the last 5,000 to 10,000 training images out for validation",
        category="many-to-one",
        task="image, row by row → digit",
        licence="not stated in the repository; usually given as CC BY-SA 3.0",
        citation="Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, 1998; as a sequence: Q. V. Le, "
        "N. Jaitly and G. E. Hinton 2015, arXiv:1504.00941",
        source="https://ossci-datasets.s3.amazonaws.com/mnist/",
        splits={"train": 60_000, "test": 10_000},
        columns={"image": "grey pixels 0 … 255, (28, 28)", "label": "the digit"},
        input=("image",),
        target="label",
        folder="mnist",
        layouts=(
            Layout(
                (
                    File(
                        name="mnist.npz",
                        sha256="06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64",
                    ),
                ),
                read_mnist_packed,
            ),
            Layout(
                (
                    _idx_file(
                        "train",
                        "images-idx3",
                        9_912_422,
                        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                    ),
                    _idx_file(
                        "train",
                        "labels-idx1",
                        28_881,
                        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                    ),
                    _idx_file(
                        "t10k",
                        "images-idx3",
                        1_648_877,
                        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                    ),
                    _idx_file(
                        "t10k",
                        "labels-idx1",
                        4_542,
                        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                    ),
                ),
                read_mnist_idx,
            ),
        ),
    ),
    DataSet(
        name="flickr8k",
        title="Flickr8k, the first 1,000 photographs",
        about="photographs with five captions each, one row a caption, cropped to squares of "
        "64 × 64 pixels; nine of the 1,000 are in no official split and left out",
        category="one-to-many",
        task="image → caption",
        licence="not stated; distributed for non-commercial research and education, the images "
        "belong to their Flickr owners",
        citation="M. Hodosh, P. Young and J. Hockenmaier, Framing Image Description as a Ranking "
        "Task, JAIR 47, 2013",
        source="https://github.com/jbrownlee/Datasets/releases/tag/Flickr8k",
        splits={"train": 3_765, "valid": 565, "test": 625},
        columns={
            "image": "red, green and blue 0 … 255, (64, 64, 3)",
            "caption": "one of the photograph's five captions",
            "file": "file name of the photograph",
        },
        input=("image",),
        target="caption",
        folder="flickr8k_1000",
        layouts=(
            Layout(
                (
                    File(
                        name="images_64x64.npz",
                        sha256="dc943a84cac5dfb5adb0ab03a5678aef67d5c1c2605f7688156500db5437b7a2",
                    ),
                    File(
                        name="captions.txt",
                        sha256="e6cf5e8d8025d25b50a4945c38580d96a940b78644f31a90368dfcdca3c7e036",
                    ),
                    File(
                        name="Flickr_8k.trainImages.txt",
                        sha256="e330ddd5156a4c2d2e2b67bc587e70e588f2d132bd8a10dc54dcb71e58115d8e",
                    ),
                    File(
                        name="Flickr_8k.devImages.txt",
                        sha256="18ba829f47f6df1cb830bf7f0506e2ddf333818925299babbd1bbcaf50fdc504",
                    ),
                    File(
                        name="Flickr_8k.testImages.txt",
                        sha256="c0924146c131458ceba45da59670fe9520eadce1e5cafffa16a817672a9b1f17",
                    ),
                ),
                read_flickr,
            ),
        ),
        by_hand="no checksum of its archives at "
        "https://github.com/jbrownlee/Datasets/releases/tag/Flickr8k is known, and these files "
        "are a smaller version of a part of them.",
    ),
)
