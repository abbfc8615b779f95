"""Files as bytes: compression, and its limit."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from elman.data.limits import VARIABLE
from elman.data.sources import read_table
from elman.data.sources.files import open_bytes
from elman.errors import DataError

PACKERS = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("suffix", PACKERS)
def test_a_file_that_unpacks_beyond_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"rows.csv{suffix}"
    path.write_bytes(PACKERS[suffix](b"text,label\n" + b"good,yes\nbad,no\n" * 100_000))
    assert path.stat().st_size < 20_000
    monkeypatch.setenv(VARIABLE, "0.001")
    with pytest.raises(DataError, match=f"rows.csv{suffix}, unpacked, would take .*{VARIABLE}"):
        read_table(path)
    monkeypatch.setenv(VARIABLE, "0.1")
    assert len(read_table(path)) == 200_000


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_compressed_file_reads_like_a_plain_one(tmp_path: Path, suffix: str) -> None:
    content = b"".join(b"%d,good\n" % row for row in range(9_999))
    path = tmp_path / f"rows.csv{suffix}"
    path.write_bytes(PACKERS[suffix](content))
    with open_bytes(path) as file:
        assert file.readline() == b"0,good\n"
        assert file.read() == content[7:]


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("damage", [lambda packed: packed[:-9], lambda packed: b"no" + packed])
def test_a_damaged_compressed_file_is_refused(
    tmp_path: Path, suffix: str, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"rows.csv{suffix}"
    path.write_bytes(damage(PACKERS[suffix](b"text,label\n" + b"good,yes\nbad,no\n" * 1000)))
    with pytest.raises(DataError, match=f"is not a complete {suffix} file"):
        read_table(path)
