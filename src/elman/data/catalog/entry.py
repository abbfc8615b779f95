"""An entry of the catalog: facts about a data set, its files, and how they become columns."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NEXT = "next"
"""The target of a set whose next element is predicted."""

Columns = Mapping[str, Any]
"""Column → its values, one a row: a list, an array (rows, …), or a list of arrays (T, …)."""
Contents = Mapping[str, bytes]
"""Name of a file → its content, decompressed and verified."""
Reader = Callable[[Contents], Mapping[str, Columns]]
"""From the contents of all files of a layout to the columns of every split."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a data set.

    Attributes:
        name: name of the file in the set's folder. It may also be compressed there, as `name.gz`
            or `name.xz`.
        sha256: checksum of its content, decompressed; see `digest`.
        address: URL it is downloaded from; empty where it is not downloaded.
        size: size of the download in bytes.
        members: for a zip archive that its host may repack, a pattern for the names of the
            members that the checksum covers; empty where the checksum is of the file itself.
    """

    name: str
    sha256: str
    address: str = ""
    size: int = 0
    members: str = ""

    @property
    def stored_name(self) -> str:
        """The name under which a download is stored, compressed as it was downloaded."""
        suffix = next((suffix for suffix in (".gz", ".xz") if self._is_compressed(suffix)), "")
        return self.name + suffix

    def _is_compressed(self, suffix: str) -> bool:
        return self.address.endswith(suffix) and not self.name.endswith(suffix)

    def digest(self, content: bytes) -> str:
        """Return the SHA-256 of the file's content, in hexadecimal.

        Where `members` is given, it is the digest of the lines `SHA-256, two spaces, name`, one
        for each member of the archive whose name the pattern matches, sorted by name.

        Raises:
            zipfile.BadZipFile: `members` is given and the content is not a zip archive.
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
    """One way in which a data set is stored in files, and its reader."""

    files: tuple[File, ...]
    read: Reader

    @property
    def has_addresses(self) -> bool:
        """Whether each file can be downloaded."""
        return all(file.address for file in self.files)

    @property
    def size(self) -> int:
        """Size of the download in bytes."""
        return sum(file.size for file in self.files)

    @property
    def in_words(self) -> str:
        """The names of the files, as part of a sentence."""
        names = [file.name for file in self.files]
        if len(names) > 6:
            return f"{names[0]} … {names[-1]} ({len(names)} files)"
        return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A named data set.

    Attributes:
        name: name on the command line.
        title: the authors' name for it.
        about: what it contains, and what to know before using it.
        category: category of network it suits: many-to-one, many-to-many, …
        task: input → output, in a few words.
        licence: licence, as far as it is known; the first clause, up to a semicolon, is its short
            form.
        citation: citation of the source.
        source: URL of the page that describes it.
        splits: split → number of rows.
        columns: column → its description.
        input: default input columns.
        target: default target column, or `next`: the next element of the input.
        folder: folder of its files in ELMAN_DATA and in the download cache.
        layouts: possible layouts of its files, in the order in which they are looked for.
        by_hand: why it is not downloaded and where to get it; empty where it is downloaded.
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
    """Return the URL of a file in a repository at a commit."""
    return f"https://raw.githubusercontent.com/{repository}/{commit}/{path}"
