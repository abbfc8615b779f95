"""Checksums of encoded files, by which a damaged one is noticed."""

from __future__ import annotations

import zlib
from pathlib import Path

CHECKSUM = "checksum.txt"

_AT_ONCE = 1 << 22
"""Bytes of a file that are read at a time."""


def seal(folder: Path) -> None:
    """Write beside the files of a folder what their checksums are."""
    (folder / CHECKSUM).write_bytes(_checksums(folder))


def is_sound(folder: Path) -> bool:
    """Tell whether the files of a folder are those that were sealed."""
    try:
        return (folder / CHECKSUM).read_bytes() == _checksums(folder)
    except OSError:
        return False


def _checksums(folder: Path) -> bytes:
    """Return the CRC-32 of each file, a line each."""
    lines = []
    for path in sorted(folder.glob("*.npy")):
        checksum = 0
        with path.open("rb") as file:
            while content := file.read(_AT_ONCE):
                checksum = zlib.crc32(content, checksum)
        lines.append(f"{path.name} {checksum:08x}\n")
    return "".join(lines).encode()
