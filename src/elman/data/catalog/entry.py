"""What an entry of the catalog states: facts, files, and how files become columns."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NEXT = "next"
"""The target of a set whose next element is to be foretold."""

Columns = Mapping[str, Any]
"""Column → its values, one a row: a list, an array (rows, …), or a list of arrays (T, …)."""
Contents = Mapping[str, bytes]
"""Name of a file → what it holds, unpacked and checked."""
Reader = Callable[[Contents], Mapping[str, Columns]]
"""Makes of the contents of all files of a layout the columns of every split."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a data set.

    Attributes:
        name: of the file in the set's folder. It may lie there packed too, as `name.gz` or
            `name.xz`.
        sha256: checksum of what it holds, unpacked; see `digest`.
        address: where it is downloaded from, empty where it is not.
        size: of the download, in bytes.
        members: for a zip archive that its host packs anew at will, the pattern of the names of
            the members that count; empty where the checksum is of the file itself.
    """

    name: str
    sha256: str
    address: str = ""
    size: int = 0
    members: str = ""

    @property
    def stored_name(self) -> str:
        """The name a download is kept under: as it comes, packed or not."""
        packed = next((suffix for suffix in (".gz", ".xz") if self._arrives_as(suffix)), "")
        return self.name + packed

    def _arrives_as(self, suffix: str) -> bool:
        return self.address.endswith(suffix) and not self.name.endswith(suffix)

    def digest(self, content: bytes) -> str:
        """Return the SHA-256 of what the file holds, in hexadecimal.

        Where `members` is given it is that of the lines `SHA-256, two spaces, name`, one for each
        member of the archive whose name the pattern matches, in the order of the names.

        Raises:
            zipfile.BadZipFile: members are to be looked at, and this is no archive.
        """
        if not self.members:
            return hashlib.sha256(content).hexdigest()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = sorted(name for name in archive.namelist() if re.fullmatch(self.members, name))
            lines = [
                f"{hashlib.sha256(archive.read(name)).hexdigest()}  {name}\n" for name in names
            ]
        return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class Layout:
    """One way for a data set to lie in files, and how it is read then."""

    files: tuple[File, ...]
    read: Reader

    @property
    def has_addresses(self) -> bool:
        """Whether each file can be downloaded."""
        return all(file.address for file in self.files)

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.files)

    @property
    def in_words(self) -> str:
        """The names of the files, in the middle of a sentence."""
        names = [file.name for file in self.files]
        if len(names) > 6:
            return f"{names[0]} … {names[-1]} ({len(names)} files)"
        return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A named data set.

    Attributes:
        name: as it is asked for.
        title: as its authors call it.
        about: what it holds, and what to know before using it.
        category: how input and output stand to each other: many-to-one, many-to-many, …
        task: input → output, in a few words.
        licence: as far as it is known; the first clause, up to a semicolon, is its short form.
        citation: of the source.
        source: the page that tells of it.
        splits: split → rows.
        columns: column → what it holds.
        input: the columns that are read where nothing else is said.
        target: the column that is answered with then, or `next`: the next element of the input.
        folder: where its files lie in ELMAN_DATA and in the cache of downloads.
        layouts: the ways it may lie there, the one looked for first in front.
        by_hand: why it is not downloaded and where to get it; empty where it is.
    """

    name: str
    title: str
    about: str
    category: str
    task: str
    licence: str
    citation: str
    source: str
    splits: Mapping[str, int]
    columns: Mapping[str, str]
    input: tuple[str, ...]
    target: str
    folder: str
    layouts: tuple[Layout, ...]
    by_hand: str = field(default="")

    @property
    def download(self) -> Layout | None:
        """The layout that is downloaded, None where none is."""
        return next((layout for layout in self.layouts if layout.has_addresses), None)

    @property
    def short_licence(self) -> str:
        """The licence in a few words."""
        return self.licence.split(";")[0]


def on_github(repository: str, commit: str, path: str) -> str:
    """Return the address of a file of a repository as it stood at a commit."""
    return f"https://raw.githubusercontent.com/{repository}/{commit}/{path}"
