"""Files are written whole or not at all, and never in another way."""

from __future__ import annotations

import ast
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import elman
from elman.files import unfinished, write_atomically

SOURCE = Path(elman.__file__).parent
WRITERS = frozenset({"write_text", "write_bytes", "save", "savez", "savefig", "tofile", "dump"})
"""Methods and functions that write a file, or may write one."""
ALLOWED = {
    "batches/encoding.py: open": "values of any size, in a folder that gets its name at the end",
    "batches/encoding.py: save": "in the same folder",
    "cli/main.py: open": "the null device, where nobody reads stdout any more",
    "data/sources/pipes.py: open": "in a temporary folder",
    "batches/sealing.py: write_bytes": "into a folder that gets its name when it is complete",
    "files.py: write_bytes": "what all others write through",
    "models/model.py: save": "a model as files, which writes through elman.files",
    "models/saving.py: save": "of what it was trained on, which writes through elman.files",
    "music/midi.py: save": "to memory",
    "music/piano_roll.py: savefig": "to memory",
    "report/run/figures.py: save": "to memory",
    "report/style.py: savefig": "to memory",
    "runs/run.py: save": "of a model, which writes through elman.files",
    "training/checkpoint.py: save": "to memory",
}
"""File and call of each write that is not one of `elman.files` → why it is allowed."""


def writes(code: str) -> Iterator[str]:
    """Yield the name of every call in a module that writes a file, or may write one."""
    if not any(f"{name}(" in code for name in (*WRITERS, "open")):
        return
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in WRITERS or (name == "open" and _opens_to_write(node)):
                yield name


def _opens_to_write(call: ast.Call) -> bool:
    arguments = (*call.args, *(keyword.value for keyword in call.keywords))
    modes = [each.value for each in arguments if isinstance(each, ast.Constant)]
    modes = [mode for mode in modes if isinstance(mode, str) and set(mode) <= set("rwaxbt+")]
    return any(set(mode) & set("wax+") for mode in modes) or "O_WR" in ast.unparse(call)


def test_every_file_is_written_through_elman_files_with_listed_exceptions() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {name}"
        for path in SOURCE.rglob("*.py")
        for name in writes(path.read_text(encoding="utf-8"))
    }
    assert found == set(ALLOWED)


@pytest.mark.parametrize(
    "code",
    [
        "path.write_text('x', encoding='utf-8')",
        "path.open('w', encoding='utf-8')",
        "open(path, mode='ab')",
        "np.save(path, x)",
        "figure.savefig(path)",
        "os.open(path, os.O_WRONLY)",
    ],
)
def test_another_way_of_writing_is_detected(code: str) -> None:
    assert len(list(writes(code))) == 1


@pytest.mark.parametrize("code", ["path.open('rb')", "open(path)", "path.read_text('utf-8')"])
def test_reading_is_not_detected_as_writing(code: str) -> None:
    assert list(writes(code)) == []


def test_strings_are_written_in_utf_8_and_bytes_unchanged(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new" / "text", "ǫ")
    write_atomically(tmp_path / "new" / "bytes", b"\xff")
    assert (tmp_path / "new" / "text").read_bytes() == b"\xc7\xab"
    assert (tmp_path / "new" / "bytes").read_bytes() == b"\xff"


def test_a_missing_folder_is_reported_with_the_requested_file(tmp_path: Path) -> None:
    path = tmp_path / "no" / "text"
    with pytest.raises(FileNotFoundError) as refusal:
        write_atomically(path, "x", make_folder=False)
    assert refusal.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_fails_leaves_only_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write_half() -> None:
        with unfinished(path) as part:
            part.write_bytes(b"ne")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write_half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed_and_a_file_keeps_its_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o600)
    link.symlink_to(path)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_special_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, b"sent")
    assert os.read(reader, 9) == b"sent"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as refusal:
        write_atomically(tmp_path, b"x")
    assert refusal.value.filename == str(tmp_path)


def test_a_full_disk_is_said_of_the_file_that_was_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "result.json"
    write_atomically(path, "old")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_atomically(path, "new")
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
