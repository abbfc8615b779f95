"""Sensor data: body positions during gestures, and labelled series."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.catalog.entry import Columns, Contents, DataSet, File, Layout, on_github

VIDEOS = {"train": ("a1", "a2", "a3", "b1", "c1"), "test": ("b3", "c3")}
"""The letter is the speaker, the figure the story."""
FIRST_FRAME = 4
"""The frame of a video that its first velocities belong to."""
POSITIONS = 18
"""x, y and z of left hand, right hand, head, spine, left wrist and right wrist."""
MOVEMENTS = 32
"""Of left hand, right hand, left wrist and right wrist: velocities and accelerations along x, y, z,
then the lengths of both."""
SPELLINGS = {"Preparação": "Preparation"}
"""A phase that one row has in Portuguese."""


def read_gestures(contents: Contents) -> Mapping[str, Columns]:
    """Read two tables per video: positions and phases, and velocities and accelerations."""
    splits = {}
    for split, videos in VIDEOS.items():
        rows = [_video(video, contents) for video in videos]
        splits[split] = {name: [row[name] for row in rows] for name in rows[0]}
    return splits


def _video(video: str, contents: Contents) -> dict[str, Any]:
    """Read one video, from the first frame that has velocities."""
    raw = _rows(contents[f"{video}_raw.csv"])[FIRST_FRAME:]
    return {
        "video": video,
        "speaker": video[0],
        "positions": _numbers(raw, POSITIONS),
        "movements": _numbers(_rows(contents[f"{video}_va3.csv"]), MOVEMENTS),
        "time": np.array([int(row[-2]) for row in raw], np.int64),
        "phase": [SPELLINGS.get(row[-1], row[-1]) for row in raw],
    }


def _rows(content: bytes) -> list[list[str]]:
    """Read the rows of a table below its header."""
    return list(csv.reader(content.decode().splitlines()))[1:]


def _numbers(rows: list[list[str]], columns: int) -> NDArray[np.float64]:
    """Return the first columns of rows as numbers, (T, columns)."""
    return np.array([[float(cell) for cell in row[:columns]] for row in rows])


def read_sequences_packed(contents: Contents) -> Mapping[str, Columns]:
    """Read an npz with the concatenated steps of each split and the length of each sequence."""
    (content,) = contents.values()
    splits = {}
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        classes = [str(name) for name in arrays["classes"]]
        for split in ("train", "test"):
            ends = np.cumsum(arrays[f"{split}_lengths"])[:-1]
            sequences = np.split(arrays[f"{split}_x"], ends)
            splits[split] = _labelled(sequences, [classes[y] for y in arrays[f"{split}_y"]])
    return splits


def read_ts(contents: Contents) -> Mapping[str, Columns]:
    """Read two files in the archive's own format, one sequence a line, the training split first.

    A line is the channels and the label, separated by colons; a channel is comma-separated
    values.
    """
    splits = {}
    for split, content in zip(("train", "test"), contents.values(), strict=True):
        text = content.decode().split("@data", 1)[1]
        sequences, labels = [], []
        for line in text.split():
            *channels, label = line.split(":")
            values = [np.array(channel.split(","), float) for channel in channels]
            sequences.append(np.stack(values, axis=1))
            labels.append(label)
        splits[split] = _labelled(sequences, labels)
    return splits


def _labelled(sequences: list[NDArray[np.float64]], labels: list[str]) -> dict[str, Any]:
    """Return columns of sequences, (T, channels) or (T,) for a single channel, and of labels."""
    if sequences[0].shape[1] == 1:
        sequences = [sequence[:, 0] for sequence in sequences]
    return {"series": sequences, "label": labels}


def _raw(video: str, size: int, sha256: str) -> File:
    return _gesture_file("raw", f"{video}_raw.csv", size, sha256)


def _processed(video: str, size: int, sha256: str) -> File:
    return _gesture_file("processed", f"{video}_va3.csv", size, sha256)


def _gesture_file(folder: str, name: str, size: int, sha256: str) -> File:
    commit = "78dd0d6ce1050740faf3252d6af81a9714d1dbe1"
    address = on_github("Fmelle/Gesture-Phase-Segmentation", commit, f"data_files/{folder}/{name}")
    return File(name=name, sha256=sha256, address=address, size=size)


GESTURES = DataSet(
    name="gesture-phase",
    title="Gesture Phase Segmentation",
    about="seven videos of three people telling stories in front of a Kinect, about 30 frames per "
    "second, each annotated by hand; no official split, here the videos b3 and c3 are held out as "
    "test. A row is a video from its fifth frame, the first that has velocities",
    category="many-to-many",
    task="positions of the body → phases",
    licence="not stated in the repository; UCI lists CC BY 4.0",
    citation="R. C. B. Madeo, C. A. M. Lima and S. M. Peres, Gesture Unit Segmentation using "
    "Support Vector Machines, SAC 2013; P. K. Wagner et al., FLAIRS 2014",
    source="https://archive.ics.uci.edu/dataset/302/gesture+phase+segmentation",
    splits={split: len(videos) for split, videos in VIDEOS.items()},
    columns={
        "video": "a1 to c3",
        "speaker": "a, b or c",
        "positions": "x, y, z of left and right hand, head, spine, left and right wrist, (T, 18)",
        "movements": "velocities and accelerations of hands and wrists, (T, 32)",
        "time": "timestamp of each frame, (T,)",
        "phase": "Rest, Preparation, Stroke, Hold or Retraction for each frame",
    },
    input=("positions", "movements"),
    target="phase",
    folder="gesture_phase",
    layouts=(
        Layout(
            (
                _raw(
                    "a1",
                    307_711,
                    "83012e2caf7d7d31733a3048e2051ea39f88793832d7c126a8e3b9565f4750e1",
                ),
                _raw(
                    "a2",
                    222_794,
                    "bfc8cf68484638088c34fdb6f902daefb3df8eab90a00754b19ad0f90ee61d3a",
                ),
                _raw(
                    "a3",
                    325_436,
                    "7aa269527b1e7a7262e9d8b0e8a8763ca20016792a24920ee10a5a02cde3a2b5",
                ),
                _raw(
                    "b1",
                    190_855,
                    "d57a2a3da1dfc00e0bcb0c6b5bc2b4746a0992e3a3dea0aec4bc370360d17a7a",
                ),
                _raw(
                    "b3",
                    252_965,
                    "9a437133ef5464526f42f5e505897518aa51781d165fe5291ee85389d87b32ff",
                ),
                _raw(
                    "c1",
                    196_335,
                    "ddf0cda9a0f721a1db55ece244f6ee82bfceb53b85dc613563a5fb921ad1bf2d",
                ),
                _raw(
                    "c3",
                    256_512,
                    "ac3eb37659fc91dbead9b11ed18ebb999be4d533ac46e94e39d7b01ace4a1602",
                ),
                _processed(
                    "a1",
                    631_311,
                    "a9caf290dbf9c0ba112b273a3af2377c2ba061d25ba7eeab835e32552f66747d",
                ),
                _processed(
                    "a2",
                    462_138,
                    "3f921cab6fc8395b26ec772874583fe4eb211e15f856b6bfb45627cf4620fa48",
                ),
                _processed(
                    "a3",
                    672_161,
                    "0ef1ae696b179eccfdfc85cdaf6abcf83ff95209060e94185d0b9dfbbed765d3",
                ),
                _processed(
                    "b1",
                    392_365,
                    "fc530377ccf5da9fb8d82df04806d853afe988cc3dfead00608696a4a321875b",
                ),
                _processed(
                    "b3",
                    521_040,
                    "011a99aa42d984a9ad5f31e191fd6b9f6c4e72ae75c63e804c5e8905b896d115",
                ),
                _processed(
                    "c1",
                    406_343,
                    "4f4fe22b7839f696ee0fa8cd50aa6ae8082224db6ddb0767c5d405aa3d98ea42",
                ),
                _processed(
                    "c3",
                    530_068,
                    "032dd63b2a5ca1a0b21bfa3feae06cc09bb9f9cf2d4254c621f87cfff3186c42",
                ),
            ),
            read_gestures,
        ),
    ),
)


def _sequence_set(
    name: str,
    archive_name: str,
    about: str,
    *,
    splits: tuple[int, int],
    task: str,
    columns: Mapping[str, str],
    packed: str,
    ts: tuple[tuple[int, str], tuple[int, str]],
) -> DataSet:
    """Return the entry of a UEA/UCR set, with checksums of the npz and both original files."""
    commit = "7bd7d1620c0656f3210eeb850bb1c0034159ee47"
    folder = f"sktime/datasets/data/{archive_name}"
    original = []
    for part, (size, sha256) in zip(("TRAIN", "TEST"), ts, strict=True):
        file = f"{archive_name}_{part}.ts"
        address = on_github("sktime/sktime", commit, f"{folder}/{file}")
        original.append(File(name=file, sha256=sha256, address=address, size=size))
    return DataSet(
        name=name,
        title=archive_name,
        about=about,
        category="many-to-one",
        task=task,
        licence="not stated; the repository is under the BSD 3-clause licence",
        citation="H. A. Dau et al., The UCR Time Series Archive, 2018, arXiv:1810.07758; A. "
        "Bagnall et al., The UEA multivariate time series classification archive, arXiv:1811.00075",
        source=f"https://www.timeseriesclassification.com/description.php?Dataset={archive_name}",
        splits=dict(zip(("train", "test"), splits, strict=True)),
        columns=columns,
        input=("series",),
        target="label",
        folder="uea_ucr",
        layouts=(
            Layout((File(name=f"{archive_name}.npz", sha256=packed),), read_sequences_packed),
            Layout(tuple(original), read_ts),
        ),
    )


SENSORS = (
    GESTURES,
    _sequence_set(
        "japanese-vowels",
        "JapaneseVowels",
        "nine men speak two vowels, a and e: 12 coefficients per step, 7 to 29 steps",
        splits=(270, 370),
        task="sound → speaker",
        columns={
            "series": "12 coefficients of the spectrum over time, (T, 12)",
            "label": "the speaker",
        },
        packed="3f12343c2a28a3a59b5d4cf3af1619accac549c356bc9999801cff1edb8ed09a",
        ts=(
            (487_971, "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd"),
            (649_132, "b3d41d6a0ca3bcad3afb9ca7d4365382aa51341e2e58bae2a574babdda5b9462"),
        ),
    ),
    _sequence_set(
        "gunpoint",
        "GunPoint",
        "the hand of an actor drawing a gun or pointing a finger: 150 steps",
        splits=(50, 150),
        task="movement → gun or finger",
        columns={"series": "position of the hand over time, (150,)", "label": "1 gun, 2 finger"},
        packed="1526f1c0f4499d143c7d6c22f1782ac69c36d11ab70cbc511666a1044162d1aa",
        ts=(
            (84_188, "f842401779fd9800d247d8b33121a1a4643710a19b24917dbdd9a060ca8630d5"),
            (252_305, "79332750788a6227b325b96bd0d70130c8eb707b9731f8d7dec62b7a7d36017e"),
        ),
    ),
    _sequence_set(
        "italy-power-demand",
        "ItalyPowerDemand",
        "a day of Italy's electrical power demand, one step an hour",
        splits=(67, 1_029),
        task="a day's demand → season",
        columns={
            "series": "demand over the day, (24,)",
            "label": "1 October to March, 2 April to September",
        },
        packed="9e6e676d1fe7ab4fd604730aa81231e270288a7419e976ffa8428b5bcd7b9d00",
        ts=(
            (18_300, "341269cb7e6cef96846b30e774580beec79addb93848ba360145219115a74b7c"),
            (274_054, "26122451f87dd0387ef90b18bc8a86c041371b8a1c068004922b939971247144"),
        ),
    ),
)
