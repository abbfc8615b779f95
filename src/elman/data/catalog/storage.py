"""Where the files of data sets lie, and how they get there: never without their checksum.

A set is read from the first of these places that has all files of one of its layouts:

1. `ELMAN_DATA/FOLDER/`, where the environment variable ELMAN_DATA names a folder;
2. the package itself, which ships the chorales;
3. the user's cache (XDG_CACHE_HOME or the system's like), into which it is downloaded once.

pooch downloads, moves the bar and knows where the cache is. Its registry is not used: it compares a
file as it arrives, and the catalog states what a file holds, unpacked, or the members of an archive
that its host packs anew at will.
"""

from __future__ import annotations

import gzip
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from elman.data.catalog.entry import DataSet, File, Layout
from elman.errors import DataError
from elman.files import unfinished

SHIPPED = Path(__file__).parents[1] / "shipped"
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.decompress,
    ".xz": lzma.decompress,
}
"""What a file's name may end in beside its own, and how it is unpacked then."""
NOT_AN_ARCHIVE = (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


class Copy(NamedTuple):
    """A data set as it lies on this machine."""

    layout: Layout
    paths: tuple[Path, ...]
    """One for each file of the layout."""

    @property
    def place(self) -> Path:
        """The file, or the folder of the files where there are several."""
        return self.paths[0] if len(self.paths) == 1 else self.paths[0].parent


class Bar(Protocol):
    """A progress bar as pooch moves it."""

    total: int

    def update(self, size: int) -> None:
        """Move it so many bytes."""

    def reset(self) -> None:
        """Move it to the beginning."""

    def close(self) -> None:
        """Take it away; once more does no harm."""


Watch = Callable[[File], Bar | None]
"""Is told of a download as it begins, and may give a bar for it."""


def unwatched(_file: File) -> None:
    """Watch no download."""


def locate(dataset: DataSet) -> Copy | None:
    """Say which files the set would be read from, None where it must be fetched first.

    Raises:
        DataError: ELMAN_DATA is set and is not a folder.
    """
    for folder in _folders(dataset):
        for layout in dataset.layouts:
            paths = [_path_in(folder, file) for file in layout.files]
            if all(paths):
                return Copy(layout, tuple(path for path in paths if path))
    return None


def contents(dataset: DataSet, copy: Copy) -> dict[str, bytes]:
    """Read the files of a set and check what they hold.

    Returns:
        Name of each file → what it holds, unpacked.

    Raises:
        DataError: a file cannot be read, or does not hold what the catalog says.
    """
    return {
        file.name: _content(dataset, file, path)
        for file, path in zip(copy.layout.files, copy.paths, strict=True)
    }


def download(dataset: DataSet, watch: Watch = unwatched) -> Copy:
    """Download the files of a set into the cache; one cut short or altered is not kept.

    Args:
        dataset: the set, which has a layout with addresses or says why it has none.
        watch: is told of each download as it begins.

    Returns:
        The files in the cache.

    Raises:
        DataError: the set has no address, cannot be reached or stored, or arrives damaged.
    """
    layout = dataset.download
    if layout is None:
        raise DataError(
            f"data set {dataset.name!r} must be put in place by hand: {dataset.by_hand} Put "
            f"{' or '.join(layout.in_words for layout in dataset.layouts)} into "
            f"{' or '.join(map(str, _own_folders(dataset)))}; checksums are looked at then."
        )
    folder = _cache(dataset)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_stored(dataset, error) from error
    for file in layout.files:
        if _path_in(folder, file) is None:
            _retrieve(dataset, file, folder / file.stored_name, watch)
    return Copy(layout, tuple(_path_in(folder, file) or folder for file in layout.files))


def missing(dataset: DataSet) -> DataError:
    """Say where a set was looked for and how to get it."""
    where = " nor in ".join(map(str, _own_folders(dataset)))
    files = " or ".join(layout.in_words for layout in dataset.layouts)
    way_out = f"Put {files} into one of them"
    if dataset.download is not None:
        way_out += (
            f", or run `elman data fetch {dataset.name}` to download {_addresses(dataset.download)}"
        )
    elif dataset.by_hand:
        way_out += f"; it must be put there by hand: {dataset.by_hand.removesuffix('.')}"
    return DataError(f"data set {dataset.name!r} is neither in {where}. {way_out}.")


def _folders(dataset: DataSet) -> Iterator[Path]:
    """Yield the folders a set is looked for in."""
    folder = _data_folder()
    if folder is not None:
        yield folder / dataset.folder
    yield SHIPPED
    yield _cache(dataset)


def _own_folders(dataset: DataSet) -> list[Path]:
    """List the folders in which a user may put a set's files."""
    return [folder for folder in _folders(dataset) if folder != SHIPPED]


def _data_folder() -> Path | None:
    """The folder ELMAN_DATA names, None where it is not set."""
    value = os.environ.get("ELMAN_DATA")
    if not value:
        return None
    folder = Path(value).expanduser()
    if not folder.is_dir():
        raise DataError(
            f"ELMAN_DATA is {value!r}, which is not a folder. Set it to the folder that holds a "
            "folder for each data set, or unset it to have data sets downloaded."
        )
    return folder


def _cache(dataset: DataSet) -> Path:
    """The folder in which the downloads of a set lie or would lie."""
    import pooch

    return Path(pooch.os_cache("elman")) / dataset.folder


def _path_in(folder: Path, file: File) -> Path | None:
    """Find a file in a folder, packed or not."""
    candidates = (folder / f"{file.name}{suffix}" for suffix in UNPACK)
    return next((path for path in candidates if path.is_file()), None)


def _content(dataset: DataSet, file: File, path: Path) -> bytes:
    """Read a file, unpack it, and refuse it where its checksum is not the catalog's."""
    way_out = _way_out(dataset, file)
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise DataError(f"data set {dataset.name!r} cannot be read: {error}.") from error
    try:
        content = UNPACK[path.name.removeprefix(file.name)](stored)
        found = file.digest(content)
    except NOT_AN_ARCHIVE as error:
        raise DataError(
            f"{path} is not {file.name} of the data set {dataset.name!r}: it cannot be unpacked "
            f"({error}). It is cut short or altered. {way_out}"
        ) from error
    if found != file.sha256:
        raise DataError(
            f"{path} is not {file.name} of the data set {dataset.name!r}: its {len(content):,} "
            f"bytes have the SHA-256 {found}, expected {file.sha256}. It is cut short, altered or "
            f"another version. {way_out}"
        )
    return content


def _way_out(dataset: DataSet, file: File) -> str:
    """Say what to do about a file that is not the right one."""
    if dataset.download is None:
        return f"Delete it and put the right one in its place. {dataset.by_hand}"
    other = f", or download {file.address}" if file.address else ""
    return f"Delete it and run `elman data fetch {dataset.name}`{other}."


def _retrieve(dataset: DataSet, file: File, target: Path, watch: Watch) -> None:
    """Download a file; it has its name only once it is whole and checked."""
    import pooch

    bar = watch(file)
    try:
        with unfinished(target) as part:
            pooch.HTTPDownloader(progressbar=bar or False)(file.address, str(part), None)
            _check_download(dataset, file, part, target)
    except PermissionError as error:
        raise _not_stored(dataset, error) from error
    except OSError as error:  # requests' errors are OSErrors too
        raise DataError(
            f"data set {dataset.name!r} could not be downloaded: {error}. When the network is "
            f"there, run `elman data fetch {dataset.name}`. "
            f"{_by_other_means(dataset, file, target)}"
        ) from error
    finally:
        if bar is not None:
            bar.close()


def _check_download(dataset: DataSet, file: File, part: Path, target: Path) -> None:
    """Refuse a download that does not hold what the catalog says."""
    stored = part.read_bytes()
    try:
        found = file.digest(UNPACK[target.name.removeprefix(file.name)](stored))
    except NOT_AN_ARCHIVE as error:
        found = f"that of no archive ({error})"
    if found != file.sha256:
        raise DataError(
            f"data set {dataset.name!r} arrived damaged and was not kept: the {len(stored):,} "
            f"bytes from {file.address} have the SHA-256 {found}, expected {file.sha256}. Run "
            f"`elman data fetch {dataset.name}` once more. "
            f"{_by_other_means(dataset, file, target)}"
        )


def _by_other_means(dataset: DataSet, file: File, target: Path) -> str:
    """Say how to do without the download."""
    names = " or ".join(layout.in_words for layout in dataset.layouts)
    return (
        f"Download {file.address} by other means to {target}, or set ELMAN_DATA to a folder with "
        f"{names} in {dataset.folder}/."
    )


def _not_stored(dataset: DataSet, error: OSError) -> DataError:
    """Say that the cache cannot be written, and what else to do."""
    return DataError(
        f"data set {dataset.name!r} cannot be stored: {error}. Make {_cache(dataset)} writable, "
        "set XDG_CACHE_HOME to a folder that is, or set ELMAN_DATA to a folder that has the set "
        f"in {dataset.folder}/."
    )


def _addresses(layout: Layout) -> str:
    """Name what would be downloaded."""
    first = layout.files[0].address
    return first if len(layout.files) == 1 else f"{first} and {len(layout.files) - 1} more"
