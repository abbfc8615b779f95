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

COMPRESSED = (".gz", ".xz", ".bz2")
"""Suffixes that stand behind a format's own."""

HASHED_BYTES = 64 * 2**20
"""Larger files are known by size and time of change, not by their content."""

BLOCK_BYTES = 2**20

SIGNATURES = {
    b"\x1f\x8b": "compressed by gzip: name it …{suffix}.gz",
    b"\xfd7zXZ": "compressed by xz: name it …{suffix}.xz",
    b"BZh": "compressed by bzip2: name it …{suffix}.bz2",
    b"PK\x03\x04": "a zip archive or a spreadsheet: unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet or document: save it as CSV",
    b"PAR1": "a Parquet file: name it ….parquet",
    b"ARROW1": "an Arrow file: name it ….arrow",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"RIFF": "a sound",
    b"fLaC": "a sound",
}
"""How files begin that are not text, and what to do about them."""


def suffix_of(path: Path) -> str:
    """Return the suffix that tells the format, in lower case: `.csv` of `reviews.CSV.gz`."""
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
    """Open a file for reading, decompressing it where its suffix says so.

    Raises:
        DataError: it cannot be opened, or what it holds is not what its suffix says; also while
            it is being read.
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
        if opener is not None and error.errno is None:  # bz2's word for a malformed file
            raise _not_decompressed(path, error) from error
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def _not_decompressed(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} is not a whole {path.suffix} file: {error}. Copy or download it again."
    )


def read_bytes(path: Path) -> bytes:
    """Read a whole file, decompressed."""
    with open_bytes(path) as file:
        return file.read()


class TextEncoding(NamedTuple):
    """How the text of a file is encoded, and what had to be assumed about it."""

    name: str
    note: str | None = None


@contextmanager
def open_text(path: Path, encoding: TextEncoding) -> Iterator[TextIO]:
    """Open a file as text, its ends of lines as they are."""
    with open_bytes(path) as file:
        # To typeshed no base class of the three kinds of file is one that can be wrapped.
        wrapped = io.TextIOWrapper(cast("IO[bytes]", file), encoding.name, newline="")
        with wrapped as text:
            yield text


def detect_encoding(path: Path) -> TextEncoding:
    """Find out how a file's text is encoded, by reading all of it.

    UTF-8 with or without a byte order mark is taken as it is. UTF-16, and what is neither, is
    taken too, with a note: Windows-1252 where it has its quotation marks, else Latin-1.

    Raises:
        DataError: the file is not text, or empty.
    """
    with open_bytes(path) as file:
        start = file.read(BLOCK_BYTES)
        if not start:
            raise DataError(f"{path} is empty.")
        marked = _marked_encoding(path, start)
        if marked is not None:
            return marked
        check = _Utf8Check(path)
        while start:
            check.take(start)
            start = file.read(BLOCK_BYTES)
        return check.encoding()


def _marked_encoding(path: Path, start: bytes) -> TextEncoding | None:
    """Tell an encoding by the first bytes of a file, None where they do not say."""
    for signature, meaning in SIGNATURES.items():
        if start.startswith(signature):
            meaning = meaning.format(suffix=suffix_of(path))
            raise DataError(f"{path} is not text: by its first bytes it is {meaning}.")
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
                return TextEncoding(name, f"{path.name} was taken to be encoded in UTF-16.")
    return None


class _Utf8Check:
    """Tells, block by block, whether bytes are text, and in which encoding."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.line = 1
        self.wrong: tuple[int, int] | None = None
        """Byte that is not UTF-8 and its line."""
        self.controls: set[int] = set()
        """Bytes 0x80 … 0x9F, which print in Windows-1252 and not in Latin-1."""

    def take(self, block: bytes) -> None:
        if (zero := block.find(b"\0")) >= 0:
            line = self.line + block.count(b"\n", 0, zero)
            raise DataError(
                f"{self.path}, line {line}: there is a NUL byte, so this is not text but a binary "
                "file, or a damaged one. Save it as text in UTF-8."
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
        name, said = ("cp1252", "Windows-1252") if windows else ("latin-1", "Latin-1")
        byte, line = self.wrong
        return TextEncoding(
            name,
            f"{self.path.name} is not UTF-8 (byte 0x{byte:02X} in line {line}) and was read as "
            f"{said}; where its letters look wrong, save it as UTF-8.",
        )


def fingerprint_of(paths: Iterable[Path], *, contents: bool = True) -> str:
    """Return a fingerprint of files: names, sizes, and contents or times of change.

    Args:
        paths: the files; their order counts.
        contents: whether to read files up to 64 MB; else, and for larger ones, the time of the
            last change stands for the content.
    """
    parts: list[str | bytes] = []
    for path in paths:
        facts = path.stat()
        parts += [path.name, str(facts.st_size)]
        if contents and facts.st_size <= HASHED_BYTES:
            parts.append(hashlib.sha256(path.read_bytes()).digest())
        else:
            parts.append(str(facts.st_mtime_ns))
    return combined(parts)
