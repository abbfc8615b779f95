"""Files as bytes and as text: compression, encodings, fingerprints."""

from __future__ import annotations

import bz2
import codecs
import gzip
import hashlib
import io
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, TextIO, cast

from elman.data.table import combined
from elman.errors import DataError

SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
"""Suffixes of files that a column may name by their paths."""

COMPRESSED = (".gz", ".xz", ".bz2")
"""Suffixes of compressed files, after that of the format."""

HASHED_BYTES = 64 * 2**20
"""The fingerprint of larger files uses size and modification time, not content."""

BLOCK_BYTES = 2**20

SIGNATURES = {
    b"\x1f\x8b": "a gzip file: name it …{suffix}.gz",
    b"\xfd7zXZ": "an xz file: name it …{suffix}.xz",
    b"BZh": "a bzip2 file: name it …{suffix}.bz2",
    b"PK\x03\x04": "a zip archive or a spreadsheet: unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet or document: save it as CSV",
    b"PAR1": "a Parquet file: name it ….parquet",
    b"ARROW1": "an Arrow file: name it ….arrow",
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"RIFF": "an audio file",
    b"fLaC": "an audio file",
}
"""First bytes of files that are not text → what they are, and what to do."""


def suffix_of(path: Path) -> str:
    """Return the suffix of the format, in lower case: `.csv` of `reviews.CSV.gz`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def stem_of(path: Path) -> str:
    """Return a file's name without the suffixes of its format and compression."""
    name = path.name
    if path.suffix.lower() in COMPRESSED:
        name = name[: -len(path.suffix)]
    return Path(name).stem


@contextmanager
def open_bytes(path: Path) -> Iterator[io.BufferedIOBase]:
    """Open a file for reading, decompressing it according to its suffix.

    Raises:
        DataError: it cannot be opened, or, also while it is read, its content does not match its
            suffix.
    """
    openers: dict[str, Callable[[Path], io.BufferedIOBase]] = {
        ".gz": gzip.GzipFile,
        ".xz": lzma.LZMAFile,
        ".bz2": bz2.BZ2File,
    }
    opener = openers.get(path.suffix.lower())
    try:
        with path.open("rb") if opener is None else opener(path) as file:
            yield file
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise _not_decompressed(path, error) from error
    except OSError as error:
        if opener is not None and error.errno is None:  # what bz2 raises for a malformed file
            raise _not_decompressed(path, error) from error
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def _not_decompressed(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} is not a complete {path.suffix} file: {error}. Copy or download it again."
    )


def read_bytes(path: Path) -> bytes:
    """Read a whole file, decompressed."""
    with open_bytes(path) as file:
        return file.read()


class TextEncoding(NamedTuple):
    """The encoding of a file's text, and a note on what was assumed."""

    name: str
    note: str | None = None


@contextmanager
def open_text(path: Path, encoding: TextEncoding) -> Iterator[TextIO]:
    """Open a file as text, its line ends unchanged."""
    with open_bytes(path) as file:
        # In typeshed the three kinds of file have no common base class that can be wrapped.
        wrapped = io.TextIOWrapper(cast("IO[bytes]", file), encoding.name, newline="")
        with wrapped as text:
            yield text


def detect_encoding(path: Path) -> TextEncoding:
    """Detect the encoding of a file's text by reading all of it.

    It is UTF-8 with or without a byte order mark; else, with a note, UTF-16, or Windows-1252
    where bytes occur that it prints and Latin-1 does not, or Latin-1.

    Raises:
        DataError: the file is not text, or empty.
    """
    with open_bytes(path) as file:
        start = file.read(BLOCK_BYTES)
        if not start:
            raise DataError(
                f"{path} is empty; it must contain rows. Check that it was written, or name "
                "another file."
            )
        marked = _marked_encoding(path, start)
        if marked is not None:
            return marked
        check = _Utf8Check(path)
        while start:
            check.take(start)
            start = file.read(BLOCK_BYTES)
        return check.encoding()


def _marked_encoding(path: Path, start: bytes) -> TextEncoding | None:
    """Return the encoding that the first bytes of a file mark, None where they mark none."""
    for signature, meaning in SIGNATURES.items():
        if start.startswith(signature):
            meaning = meaning.format(suffix=suffix_of(path))
            raise DataError(f"{path} is not text; its first bytes are those of {meaning}.")
    if start.startswith(codecs.BOM_UTF8):
        return TextEncoding("utf-8-sig")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return TextEncoding("utf-16", f"{path.name} is encoded in UTF-16.")
    # Text in a Latin script has a zero as every other byte of UTF-16.
    sample = start[: 2**16]
    for name, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if len(sample) >= 4 and zeros.count(0) > 0.4 * len(zeros):
            others = sample[::2] if name == "utf-16-le" else sample[1::2]
            if others.count(0) < 0.1 * len(others):
                return TextEncoding(name, f"{path.name} was read as UTF-16.")
    return None


class _Utf8Check:
    """Checks, block by block, whether bytes are text, and in which encoding."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.line = 1
        self.wrong: tuple[int, int] | None = None
        """The first byte that is not UTF-8, and its line."""
        self.controls: set[int] = set()
        """Bytes 0x80 … 0x9F, which are printable in Windows-1252 and not in Latin-1."""

    def take(self, block: bytes) -> None:
        if (zero := block.find(b"\0")) >= 0:
            line = self.line + block.count(b"\n", 0, zero)
            raise DataError(
                f"{self.path}, line {line}: there is a NUL byte, so this is a binary or damaged "
                "file. Save it as text in UTF-8."
            )
        if self.wrong is None:
            try:
                self.decoder.decode(block)
            except UnicodeDecodeError as error:
                line = self.line + error.object[: error.start].count(b"\n")
                self.wrong = error.object[error.start], line
        self.controls.update(byte for byte in range(0x80, 0xA0) if byte in block)
        self.line += block.count(b"\n")

    def encoding(self) -> TextEncoding:
        if self.wrong is None:
            try:
                self.decoder.decode(b"", final=True)
            except UnicodeDecodeError as error:
                self.wrong = error.object[error.start], self.line
        if self.wrong is None:
            return TextEncoding("utf-8")
        undefined = {0x81, 0x8D, 0x8F, 0x90, 0x9D}
        windows = bool(self.controls) and not self.controls & undefined
        name, title = ("cp1252", "Windows-1252") if windows else ("latin-1", "Latin-1")
        byte, line = self.wrong
        return TextEncoding(
            name,
            f"{self.path.name} is not UTF-8 (byte 0x{byte:02X} in line {line}) and was read as "
            f"{title}; if its letters look wrong, save it as UTF-8.",
        )


def fingerprint_of(paths: Iterable[Path], *, contents: bool = True) -> str:
    """Return a fingerprint of files: names, sizes, and contents or modification times.

    Args:
        paths: the files; their order matters.
        contents: whether to read files up to 64 MB; otherwise, and for larger files, the
            modification time is used instead of the content.
    """
    parts: list[str | bytes] = []
    for path in paths:
        status = path.stat()
        parts += [path.name, str(status.st_size)]
        if contents and status.st_size <= HASHED_BYTES:
            parts.append(hashlib.sha256(path.read_bytes()).digest())
        else:
            parts.append(str(status.st_mtime_ns))
    return combined(parts)
