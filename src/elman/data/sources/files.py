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
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any, NamedTuple, TextIO, cast

from elman.data import limits
from elman.data.sources.encodings import (
    ESCAPES,
    TITLES,
    guess_encoding,
    is_damaged_utf8,
    known_encoding,
    marked_encoding,
    unmarked_wide_encoding,
)
from elman.data.table import combined
from elman.errors import DataError

COMPRESSED = (".gz", ".xz", ".bz2")
"""Suffixes of compressed files, after that of the format."""

HASHED_BYTES = 64 * 2**20
"""The fingerprint of larger files uses size and modification time, not content."""

BLOCK_BYTES = 2**20

SAMPLE_BYTES = 2**17
"""Number of bytes, in lines that are not ASCII alone, from which an encoding is guessed."""

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
            suffix, or unpacks to more than `limits` allows.
    """
    openers: dict[str, Callable[[Path], io.BufferedIOBase]] = {
        ".gz": gzip.GzipFile,
        ".xz": lzma.LZMAFile,
        ".bz2": bz2.BZ2File,
    }
    opener = openers.get(path.suffix.lower())
    try:
        if opener is None:
            with path.open("rb") as file:
                yield file
        else:
            with opener(path) as packed, io.BufferedReader(_Unpacked(packed, path)) as file:
                yield file
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise _not_decompressed(path, error) from error
    except OSError as error:
        if opener is not None and error.errno is None:  # what bz2 raises for a malformed file
            raise _not_decompressed(path, error) from error
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


class _Unpacked(io.RawIOBase):
    """What a compressed file unpacks to, up to the limit."""

    def __init__(self, packed: io.BufferedIOBase, path: Path) -> None:
        self.packed = packed
        self.path = path
        self.size = 0
        self.max_bytes = limits.max_bytes()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        count = self.packed.readinto(buffer)
        self.size += count
        if self.size > self.max_bytes:
            limits.check(self.size, f"{self.path}, unpacked,")
        return count


def _not_decompressed(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} is not a complete {path.suffix} file: {error}. Copy or download it again."
    )


def read_bytes(path: Path) -> bytes:
    """Read a whole file, decompressed."""
    with open_bytes(path) as file:
        return file.read()


def begins_line(path: Path, mark: bytes) -> bool:
    """Tell whether some line of a file begins with a mark, in an encoding that extends ASCII."""
    before = b"\n"
    with open_bytes(path) as file:
        while block := file.read(BLOCK_BYTES):
            block = before + block
            if b"\n" + mark in block or b"\r" + mark in block:
                return True
            before = block[-1:]
    return False


class TextEncoding(NamedTuple):
    """The encoding of a file's text, and a note on what was assumed."""

    name: str
    note: str | None = None
    mark: int = 0
    """Length of a byte order mark that is not this encoding's, and so is left out."""


_named: ContextVar[str | None] = ContextVar("_named", default=None)


@contextmanager
def named_encoding(name: str) -> Iterator[None]:
    """Read files as an encoding within this context, those apart that say they are in another.

    Raises:
        OptionError: there is no such encoding of text.
    """
    token = _named.set(known_encoding(name))
    try:
        yield
    finally:
        _named.reset(token)


@contextmanager
def open_text(path: Path, encoding: TextEncoding) -> Iterator[TextIO]:
    """Open a file as text, its line ends unchanged."""
    with open_bytes(path) as file:
        file.read(encoding.mark)
        # In typeshed the three kinds of file have no common base class that can be wrapped.
        wrapped = io.TextIOWrapper(cast("IO[bytes]", file), encoding.name, newline="")
        with wrapped as text:
            yield text


def detect_encoding(path: Path) -> TextEncoding:
    """Detect the encoding of a file's text by reading all of it.

    It is the one of the byte order mark; or UTF-8, if all bytes fit it; or the one that is named,
    see `named_encoding`. Otherwise it is guessed, with a note.

    Raises:
        DataError: the file is empty or not text, or a byte does not fit the encoding; its line
            and position are named.
    """
    with open_bytes(path) as file:
        start = file.read(BLOCK_BYTES)
    if not start:
        raise DataError(
            f"{path} is empty; it must contain rows. Check that it was written, or name another "
            "file."
        )
    for signature, meaning in SIGNATURES.items():
        if start.startswith(signature):
            meaning = meaning.format(suffix=suffix_of(path))
            raise DataError(f"{path} is not text; its first bytes are those of {meaning}.")
    named = _named.get()
    if named in ("utf-16", "utf-32"):  # without a mark, the order of bytes must be told
        named = unmarked_wide_encoding(start) or f"{named}-le"
    if (marked := marked_encoding(start)) is not None:
        return _marked(path, *marked, named)
    if named is None and (wide := unmarked_wide_encoding(start)) is not None:
        title = TITLES[wide]
        _refuse_fault(path, wide, f"it was taken for {title}, for it has a zero in every letter")
        return TextEncoding(wide, f"{path.name} was read as {title}.")
    if named is not None and named.startswith(("utf-16", "utf-32")):
        _refuse_fault(path, named, f"encoding = {named!r} was given")
        return TextEncoding(named)
    check = _check_utf8(path)
    if check.fault is not None:
        return _not_utf8(path, check.fault, named)
    if check.beyond_ascii or named is None:
        if check.beyond_ascii or not check.escapes or _fault_in(path, "iso2022_jp") is not None:
            note = f"{path.name} was read as UTF-8, which it is, and not as {named}."
            return TextEncoding("utf-8", note if named not in (None, "utf-8") else None)
        title = TITLES["iso2022_jp"]
        return TextEncoding("iso2022_jp", f"{path.name} was read as {title}.")
    _refuse_fault(path, named, f"encoding = {named!r} was given")
    return TextEncoding(named)


def _marked(path: Path, name: str, length: int, named: str | None) -> TextEncoding:
    """Return the encoding that a mark says, unless another one is named and it does not fit."""
    fault, title = _fault_in(path, name, mark=length), TITLES[name]
    if fault is not None and named is not None and not named.startswith(name[:6]):
        _refuse_fault(path, named, f"encoding = {named!r} was given", mark=length)
        return TextEncoding(named, mark=length)
    if fault is not None:
        raise _does_not_fit(path, fault, title, f"its first bytes mark it as {title}")
    if name == "utf-8":
        return TextEncoding("utf-8-sig")
    return TextEncoding(name[:6], f"{path.name} is encoded in {title}.")


def _not_utf8(path: Path, fault: _Fault, named: str | None) -> TextEncoding:
    """Return the encoding of a file that is not UTF-8: as named, or guessed."""
    if named is not None:
        _refuse_fault(path, named, f"encoding = {named!r} was given")
        return TextEncoding(named)
    sample = _lines_beyond_ascii(path)
    if is_damaged_utf8(sample):
        raise _does_not_fit(path, fault, "UTF-8", "most of its letters are UTF-8")
    guess = guess_encoding(sample)
    if guess is None:
        raise DataError(
            f"{path} is not UTF-8 ({fault}), and its encoding cannot be told. Save it as UTF-8, or "
            "set data.encoding, for instance to gb18030, shift_jis or cp1251."
        )
    title = TITLES[guess.name]
    _refuse_fault(path, guess.name, f"the letters before look like {title}")
    shown = f", as in {guess.example!r}" if guess.example else ""
    return TextEncoding(
        guess.name,
        f"{path.name} is not UTF-8 ({fault}) and was read as {title}{shown}; if that looks wrong, "
        "save it as UTF-8 or set data.encoding.",
    )


class _Fault(NamedTuple):
    """The first byte of a file that does not fit an encoding."""

    byte: int
    line: int
    position: int

    def __str__(self) -> str:
        return f"byte 0x{self.byte:02X} in line {self.line}"


class _Utf8Check(NamedTuple):
    """What is known of a file after all of its bytes have been decoded as UTF-8."""

    fault: _Fault | None
    beyond_ascii: bool
    escapes: bool
    """Whether letters of ISO-2022-JP are begun."""


def _check_utf8(path: Path) -> _Utf8Check:
    beyond_ascii = escapes = False
    line = 1
    with open_bytes(path) as file:
        while block := file.read(BLOCK_BYTES):
            if (zero := block.find(b"\0")) >= 0:
                line += block.count(b"\n", 0, zero)
                raise DataError(
                    f"{path}, line {line}: there is a NUL byte, so this is a binary or damaged "
                    "file. Save it as text in UTF-8."
                )
            beyond_ascii |= not block.isascii()
            escapes |= any(escape in block for escape in ESCAPES)
            line += block.count(b"\n")
    return _Utf8Check(_fault_in(path, "utf-8") if beyond_ascii else None, beyond_ascii, escapes)


def _fault_in(path: Path, name: str, mark: int = 0) -> _Fault | None:
    """Return the first byte of a file that does not fit an encoding, None if all do."""
    decoder = codecs.getincrementaldecoder(name)()
    position, line, block = 0, 1, b"?"
    with open_bytes(path) as file:
        position += len(file.read(mark))
        while block:
            block = file.read(BLOCK_BYTES)
            held = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                before = error.object[: error.start]
                line += before.decode(name, errors="replace").count("\n")
                return _Fault(error.object[error.start], line, position - held + error.start)
            if (zero := text.find("\0")) >= 0:
                line += text.count("\n", 0, zero)
                return _Fault(0, line, position + len(text[:zero].encode(name, errors="replace")))
            line += text.count("\n")
            position += len(block)
    return None


def _refuse_fault(path: Path, name: str, why: str, mark: int = 0) -> None:
    fault = _fault_in(path, name, mark)
    if fault is not None:
        raise _does_not_fit(path, fault, TITLES.get(name, name), why)


def _does_not_fit(path: Path, fault: _Fault, title: str, why: str) -> DataError:
    return DataError(
        f"{path}, line {fault.line}: byte 0x{fault.byte:02X} at position {fault.position} is not "
        f"{title}; {why}. Mend or remove it and save the file as UTF-8, or set data.encoding to "
        "the encoding that the whole file is in."
    )


def _lines_beyond_ascii(path: Path) -> bytes:
    """Return the first lines that contain bytes beyond ASCII, by which encodings are told apart."""
    lines, size = [], 0
    with open_bytes(path) as file:
        while size < SAMPLE_BYTES and (line := file.readline(SAMPLE_BYTES)):
            if not line.isascii():
                lines.append(line)
                size += len(line)
    return b"".join(lines)


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
