"""Audio: labelled spoken digits, and a guitar before and after an effects pedal."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.catalog.entry import Columns, Contents, DataSet, File, Layout, on_github
from elman.errors import import_extra

FULL_SCALE = 32_768
"""Divisor of 16-bit samples, to scale them to −1 … 1."""
TEST_RECORDINGS = 5
"""Recordings 0 to 4 of each digit by each speaker are the test split."""
RECORDING = r".*/recordings/(\d)_(\w+)_(\d+)\.wav"
"""Name of a recording in the archive: digit, speaker, number."""
SECONDS = {"train": (0, 6), "valid": (6, 8), "test": (8, None)}
"""Start and end of each split of the pedal's recording, in seconds."""


class Recording(NamedTuple):
    """A spoken digit, as 16-bit samples."""

    digit: int
    speaker: str
    number: int
    samples: NDArray[np.int16]


def _soundfile() -> Any:
    return import_extra("soundfile", "audio", "reading the sounds of this data set")


def read_digits_packed(contents: Contents) -> Mapping[str, Columns]:
    """Read an npz with the concatenated samples of each split and the length of each digit."""
    (content,) = contents.values()
    splits = {}
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        speakers = [str(name) for name in arrays["speakers"]]
        rate = int(arrays["sample_rate"])
        for split in ("train", "test"):
            ends = np.cumsum(arrays[f"{split}_lengths"])[:-1]
            rows = zip(
                arrays[f"{split}_digit"],
                arrays[f"{split}_speaker"],
                arrays[f"{split}_index"],
                np.split(arrays[f"{split}_audio"], ends),
                strict=True,
            )
            splits[split] = _digits(
                (
                    Recording(int(digit), speakers[speaker], int(number), samples)
                    for digit, speaker, number, samples in rows
                ),
                rate,
            )
    return splits


def read_digits_archive(contents: Contents) -> Mapping[str, Columns]:
    """Read the archive of the repository, a file a digit."""
    soundfile = _soundfile()
    (content,) = contents.values()
    recordings_of: dict[str, list[Recording]] = {"train": [], "test": []}
    rates = set()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if (match := re.fullmatch(RECORDING, name)) is None:
                continue
            samples, rate = soundfile.read(io.BytesIO(archive.read(name)), dtype="int16")
            rates.add(rate)
            split = "test" if int(match[3]) < TEST_RECORDINGS else "train"
            recording = Recording(int(match[1]), match[2], int(match[3]), samples)
            recordings_of[split].append(recording)
    (rate,) = rates
    return {split: _digits(recordings, rate) for split, recordings in recordings_of.items()}


def _digits(recordings: Iterable[Recording], rate: int) -> dict[str, Any]:
    """Turn recordings into columns, sorted by digit, speaker and number."""
    rows = sorted(recordings, key=lambda recording: recording[:3])
    return {
        "audio": [(row.samples / FULL_SCALE).astype(np.float32) for row in rows],
        "label": [str(row.digit) for row in rows],
        "speaker": [row.speaker for row in rows],
        "sample_rate": [rate] * len(rows),
    }


def read_pedal(contents: Contents) -> Mapping[str, Columns]:
    """Read what went into the pedal, guitar and oscillator, and what came out."""
    soundfile = _soundfile()
    before, after = contents.values()
    inputs, rate = soundfile.read(io.BytesIO(before), dtype="float32")
    wet, _ = soundfile.read(io.BytesIO(after), dtype="float32")
    dry, oscillator = inputs.T
    splits = {}
    for split, (start, end) in SECONDS.items():
        part = slice(start * rate, None if end is None else end * rate)
        splits[split] = {
            "dry": [dry[part]],
            "oscillator": [oscillator[part]],
            "wet": [wet[part]],
            "sample_rate": [rate],
        }
    return splits


def _pedal_file(which: str, size: int, sha256: str) -> File:
    name = f"KDonnerFlangerra12c12rg9Singles1-{which}.wav"
    commit = "f3a07c415ba134efca2a6968c15b56cc6e33a18a"
    address = on_github("Alec-Wright/CoreAudioML", commit, f"result_test/network1/{name}")
    return File(name=name, sha256=sha256, address=address, size=size)


AUDIO = (
    DataSet(
        name="fsdd",
        title="Free Spoken Digit Dataset",
        about="the digits 0 to 9 in English, spoken 50 times by each of 6 speakers, at 8 kHz; "
        "train and test share their speakers, so hold one speaker out for a harder test",
        category="many-to-one",
        task="sound → digit",
        licence="CC BY-SA 4.0",
        citation="Z. Jackson et al., Free Spoken Digit Dataset, Zenodo, 10.5281/zenodo.1342401",
        source="https://github.com/Jakobovski/free-spoken-digit-dataset",
        splits={"train": 2_700, "test": 300},
        columns={
            "audio": "samples in −1 … 1, (T,)",
            "label": "the digit",
            "speaker": "the speaker",
            "sample_rate": "samples per second",
        },
        input=("audio",),
        target="label",
        folder="fsdd",
        layouts=(
            Layout(
                (
                    File(
                        name="fsdd.npz",
                        sha256="0d744a22e53dcfdaeb0a9dc49ad92933bf5acf989ac59158758f97ff7be5978c",
                    ),
                ),
                read_digits_packed,
            ),
            Layout(
                (
                    File(
                        name="free-spoken-digit-dataset.zip",
                        sha256="b736a60900156ad58d3b4e6e096c0546256603e3a08ba33ace15186f181a28bf",
                        address="https://github.com/Jakobovski/free-spoken-digit-dataset/archive/"
                        "26eb9aaf76e81b692f806f9140c2d2777410d7a1.zip",
                        size=16_628_041,
                        members=RECORDING,
                    ),
                ),
                read_digits_archive,
            ),
        ),
    ),
    DataSet(
        name="flanger",
        title="Donner flanger pedal",
        about="ten seconds of guitar at 44.1 kHz, the pedal's measured low-frequency oscillator "
        "and the pedal's output; the clip on which the authors tested their own network (an LSTM "
        "of hidden size 32: error-to-signal ratio 0.0187), here split into 6 s, 2 s and 2 s",
        category="many-to-many",
        task="dry sound → wet sound",
        licence="not stated for the audio; the repository is under GPL-3.0",
        citation="A. Wright and V. Välimäki, Neural modeling of phaser and flanging effects, JAES "
        "2021; A. Wright, E.-P. Damskägg and V. Välimäki, Real-time black-box modelling with "
        "recurrent neural networks, DAFx 2019",
        source="https://github.com/Alec-Wright/CoreAudioML",
        splits={"train": 1, "valid": 1, "test": 1},
        columns={
            "dry": "samples of the guitar in −1 … 1, (T,)",
            "oscillator": "the pedal's oscillator, (T,)",
            "wet": "samples of the output, (T,)",
            "sample_rate": "samples per second",
        },
        input=("dry", "oscillator"),
        target="wet",
        folder="audio_effects",
        layouts=(
            Layout(
                (
                    File(
                        name="donner_flanger_input.flac",
                        sha256="39288a882d7a27a5a69d1dea6c5d87682f7b72f5945c3d31aaee710b8f160da9",
                    ),
                    File(
                        name="donner_flanger_target.flac",
                        sha256="5f880cc0468898376da97a6ca08bf6520a8102c285e66d5635cd21bbe1f3631f",
                    ),
                ),
                read_pedal,
            ),
            Layout(
                (
                    _pedal_file(
                        "input",
                        1_764_044,
                        "7502b685d70fa45a1f73e07dab5d957937f0f80d790c70695c726c9f589fd229",
                    ),
                    _pedal_file(
                        "target",
                        882_044,
                        "ad1ef3b1137b346b76d0d843670460d3b4dd3b81e8bbf4fd6f9270cc70ecc90c",
                    ),
                ),
                read_pedal,
            ),
        ),
    ),
)
