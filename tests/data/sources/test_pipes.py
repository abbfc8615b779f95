"""Pipes, which are read once."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import json
import lzma
import os
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import elman
from elman.data.limits import VARIABLE
from elman.data.sources import read_table
from elman.data.sources.standard_input import read_standard_input
from elman.data.table import Table
from elman.errors import DataError
from fuzz import formats

CSV = b"text,label\ngood,yes\nbad,no\n"
ROWS = [{"text": "good", "label": "yes"}, {"text": "bad", "label": "no"}]
DATA = pa.Table.from_pylist(ROWS)


@contextmanager
def fifo(path: Path, content: bytes) -> Iterator[Path]:
    """A FIFO into which some content is written, once."""
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(content,))
    writer.start()
    yield path
    writer.join()


@contextmanager
def descriptor(content: bytes) -> Iterator[str]:
    """The path of a pipe as a shell makes it for `<(…)`."""
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    yield f"/dev/fd/{reading}"
    writer.join()
    os.close(reading)


def values_of(table: Table) -> list[dict[str, object]]:
    return [{name: table.column(name)[row] for name in table.columns} for row in range(len(table))]


def archive() -> bytes:
    file = io.BytesIO()
    np.savez(file, text=["good", "bad"], label=["yes", "no"])
    return file.getvalue()


CONTENTS: dict[str, bytes] = {
    "csv": CSV,
    "semicolons": CSV.replace(b",", b";"),
    "csv.gz": gzip.compress(CSV),
    "csv.xz": lzma.compress(CSV),
    "csv.bz2": bz2.compress(CSV),
    "jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in ROWS),
    "json": json.dumps(ROWS, indent=1).encode(),
    "marked": b"\xef\xbb\xbf" + CSV,
    "parquet": formats.parquet_file(DATA),
    "arrow": formats.arrow_file(DATA),
    "npz": archive(),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_pipe_is_read_by_its_first_bytes(kind: str) -> None:
    with descriptor(CONTENTS[kind]) as path:
        table = read_table(path)
    assert values_of(table) == ROWS
    assert table.source == path
    assert table.where(1).startswith(f"{path}, ")


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "pipe"])
def test_a_fifo_is_read_once_and_keeps_its_name(tmp_path: Path, name: str) -> None:
    content = CSV.replace(b",", b"\t") if name.endswith("tsv") else CSV
    with fifo(tmp_path / name, content) as path:
        table = read_table(path)
    assert values_of(table) == ROWS
    assert table.where(1) == f"{name if '.' in name else path}, line 3"


def test_the_format_can_be_named() -> None:
    with descriptor(b"a, b\nc, d\n") as path:
        table = read_table(path, format="lines")
    assert list(table.column("text")) == ["a, b", "c, d"]
    with descriptor(b"a, b\nc, d\n") as path:
        running = read_table(path, format="lines", running_text=True)
    assert list(running.column("text")) == ["a, b\n", "c, d\n"]
    with descriptor(b"EU B-ORG\n\nPeter B-PER\n") as path:
        assert len(read_table(path, format="conll")) == 2


def test_pipes_and_files_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(CSV)
    with descriptor(CSV) as one, descriptor(CSV) as other:
        table = read_table([one, tmp_path / "rows.csv", other])
        places = [table.where(row) for row in (0, 2, 4)]
    assert values_of(table) == ROWS * 3
    assert places == [f"{one}, line 2", "rows.csv, line 2", f"{other}, line 2"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "/dev/fd/[0-9]+ is empty"),
        (b"\n\n", "/dev/fd/[0-9]+ is empty"),
        (b"a,b\n1,2,3\n4,5\n6,7\n", "^/dev/fd/[0-9]+, line 2: expected 2 fields"),
        (b"\x1f\x8bno", "^/dev/fd/[0-9]+ is not a complete .gz file"),
    ],
)
def test_what_is_wrong_is_said_with_the_name_of_the_pipe(content: bytes, words: str) -> None:
    with descriptor(content) as path, pytest.raises(DataError, match=words):
        read_table(path)


def test_an_endless_pipe_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0.01")
    with pytest.raises(DataError, match=f"what /dev/urandom gives would take .*{VARIABLE}"):
        read_table("/dev/urandom")


def test_a_pipe_that_is_gone_cannot_be_read_again() -> None:
    with descriptor(CSV) as path:
        read_table(path)
    with pytest.raises(DataError, match=f"{path} cannot be read again: it was a pipe"):
        read_table(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "read",
    [
        lambda: read_standard_input(io.BytesIO(CSV)),
        lambda: read_standard_input(io.BytesIO(CONTENTS["jsonl"])),
        lambda: _read_descriptor(CONTENTS["jsonl"]),
    ],
)
def test_a_copy_lives_as_long_as_a_table_made_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[], Table]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    selected = read().select([1])
    gc.collect()
    assert selected.where(0).endswith((", line 2", ", line 3"))
    assert len(list(tmp_path.iterdir())) == 1
    del selected
    gc.collect()
    assert not list(tmp_path.iterdir())
    with pytest.raises(DataError):
        read_standard_input(io.BytesIO(b"a,b\n1,2,3\n4,5\n6,7\n"))
    assert not list(tmp_path.iterdir())


def _read_descriptor(content: bytes) -> Table:
    with descriptor(content) as path:
        return read_table(path)


def test_a_model_is_trained_used_and_measured_on_pipes(tmp_path: Path) -> None:
    rows = [f"a {word} film {n},{label}" for n in range(20) for word, label in PAIRS]
    content = "\n".join(["text,label", *rows]).encode()
    with descriptor(content) as path:
        settings = {"hidden_size": 3, "embedding_size": 2, "epochs": 1, "accelerator": "cpu"}
        model = elman.train(path, target="label", out=tmp_path / "run", **settings)
    with descriptor(content) as path:
        assert len(model.predict(path)) == 40
    with descriptor(content) as path:
        assert model.evaluate(path)["rows"] == 40
    with pytest.raises(DataError, match="cannot be read again: it was a pipe"):
        model.evaluate()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="needs bash")
def test_the_command_line_reads_what_a_shell_pipes(tmp_path: Path) -> None:
    rows = [f"a {word} film {n},{label}" for n in range(30) for word, label in PAIRS]
    with gzip.open(tmp_path / "rows.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(["text,label", *rows]))
    program = "from elman.cli.main import main; main()"
    small = "--epochs 1 --set hidden_size=3 --set embedding_size=2 --set accelerator=cpu"
    script = (
        f"set -e; elman() {{ {sys.executable} -c '{program}' \"$@\"; }}; "
        f"in={shlex.quote(str(tmp_path))}; "
        f"elman train <(zcat $in/rows.csv.gz) --target label {small} --out $in/run; "
        "elman predict $in/run <(zcat $in/rows.csv.gz) --out $in/out.csv; "
        "elman evaluate $in/run <(zcat $in/rows.csv.gz); "
        "! elman evaluate $in/run"
    )
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()) == 61
    assert "Traceback" not in done.stderr
    assert "cannot be read again: it was a pipe" in done.stderr


PAIRS = (("good", "yes"), ("bad", "no"))
