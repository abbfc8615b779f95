"""Where the files of data sets lie, how they get there, and what goes wrong."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from elman.data.catalog import DATASETS, SHIPPED, DataSet, File, Layout, fetch, locate, tables
from elman.data.catalog import registry as catalog
from elman.errors import DataError

TRAIN, TEST = b"one\ntwo\n", b"three\n"
LINES = {"train": ["one", "two"], "test": ["three"]}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_parts(contents: Mapping[str, bytes]) -> dict[str, dict[str, list[str]]]:
    return {
        name.removesuffix(".txt"): {"text": content.decode().split()}
        for name, content in contents.items()
    }


def read_whole(contents: Mapping[str, bytes]) -> dict[str, dict[str, list[str]]]:
    train, test = contents["whole.txt"].decode().split("|")
    return {"train": {"text": train.split()}, "test": {"text": test.split()}}


def tiny(address: str = "http://127.0.0.1:9") -> DataSet:
    """A set that lies in one file, or in two that are downloaded, one of them packed."""
    whole = File(name="whole.txt", sha256=sha256(TRAIN + b"|" + TEST))
    train = File(name="train.txt", sha256=sha256(TRAIN), address=f"{address}/train.txt", size=8)
    test = File(name="test.txt", sha256=sha256(TEST), address=f"{address}/test.txt.gz", size=26)
    return replace(
        DATASETS["trec"],
        name="tiny",
        folder="tiny_folder",
        layouts=(Layout((whole,), read_whole), Layout((train, test), read_parts)),
    )


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts entries into the catalog beside those that are there."""

    def enter(*entries: DataSet) -> None:
        known = {**DATASETS, **{entry.name: entry for entry in entries}}
        monkeypatch.setattr(catalog, "DATASETS", MappingProxyType(known))

    return enter


@pytest.fixture
def served(server: Any, entered: Any) -> Path:
    """The tiny set on a server of this machine; gives the folder that is served."""
    (server.folder / "train.txt").write_bytes(TRAIN)
    (server.folder / "test.txt.gz").write_bytes(gzip.compress(TEST))
    entered(tiny(server.address))
    return server.folder


def lines(name: str) -> dict[str, list[str]]:
    return {split: list(table.column("text")) for split, table in tables(name).items()}


def put(folder: Path, **files: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content)
    return folder


def test_elman_data_comes_before_the_shipped_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "polyphonic_music" / "jsb_chorales.npz"
    put(file.parent)
    file.write_bytes((SHIPPED / file.name).read_bytes())
    monkeypatch.setenv("ELMAN_DATA", str(tmp_path))
    assert fetch("chorales") == file


def test_elman_data_without_the_chorales_leaves_the_shipped_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELMAN_DATA", str(tmp_path))
    assert fetch("chorales") == SHIPPED / "jsb_chorales.npz"


@pytest.mark.parametrize(
    ("names", "place"),
    [
        (("train_txt", "test_txt"), ""),
        (("train_txt_gz", "test_txt_xz"), ""),
        (("whole_txt_xz",), "whole.txt.xz"),
    ],
)
def test_files_in_elman_data_may_be_packed_and_lie_in_either_layout(
    names: tuple[str, ...],
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    entered: Any,
) -> None:
    entered(tiny())
    pack = {"txt": bytes, "gz": gzip.compress, "xz": lzma.compress}
    content = {"train": TRAIN, "test": TEST, "whole": TRAIN + b"|" + TEST}
    folder = put(
        tmp_path / "tiny_folder",
        **{name: pack[name.split("_")[-1]](content[name.split("_")[0]]) for name in names},
    )
    monkeypatch.setenv("ELMAN_DATA", str(tmp_path))
    assert lines("tiny") == LINES
    assert fetch("tiny") == (folder / place if place else folder)


def test_some_files_of_a_layout_are_not_the_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "tiny_folder", train_txt=TRAIN)
    monkeypatch.setenv("ELMAN_DATA", str(tmp_path))
    assert locate(tiny()) is None


def test_a_set_is_downloaded_once_into_the_cache(served: Path, tmp_path: Path) -> None:
    assert locate(catalog.DATASETS["tiny"]) is None
    assert lines("tiny") == LINES
    for file in served.iterdir():
        file.unlink()
    folder = tmp_path / "cache" / "elman" / "tiny_folder"
    assert fetch("tiny") == folder
    assert sorted(file.name for file in folder.iterdir()) == ["test.txt.gz", "train.txt"]
    assert lines("tiny") == LINES


def test_what_is_there_of_a_download_is_not_downloaded_again(served: Path, tmp_path: Path) -> None:
    put(tmp_path / "cache" / "elman" / "tiny_folder", test_txt=TEST)
    (served / "test.txt.gz").unlink()
    fetch("tiny")
    assert lines("tiny") == LINES


def test_a_set_missing_from_elman_data_is_not_downloaded_unasked(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELMAN_DATA", str(served))
    with pytest.raises(DataError) as refusal:
        tables("tiny")
    for words in (
        f"neither in {served / 'tiny_folder'} nor in {tmp_path / 'cache/elman/tiny_folder'}",
        "Put whole.txt or train.txt and test.txt into one of them",
        "or run `elman data fetch tiny` to download http://127.0.0.1",
        "/train.txt and 1 more.",
    ):
        assert words in str(refusal.value)
    fetch("tiny")
    assert lines("tiny") == LINES


def test_elman_data_pointing_nowhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELMAN_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"ELMAN_DATA is '.*nowhere', which is not a folder. Set"):
        tables("chorales")


@pytest.mark.parametrize("damage", ["cut short", "altered"])
def test_a_damaged_file_is_refused_with_both_checksums(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entered: Any
) -> None:
    entered(tiny())
    damaged = {"cut short": TRAIN[:-2], "altered": b"0ne\ntwo\n"}[damage]
    folder = put(tmp_path / "tiny_folder", train_txt=damaged, test_txt=TEST)
    monkeypatch.setenv("ELMAN_DATA", str(tmp_path))
    words = f"{sha256(damaged)}, expected {sha256(TRAIN)}. It is cut short, altered"
    for ask in (tables, fetch):
        with pytest.raises(DataError, match=words) as refusal:
            ask("tiny")
        assert str(refusal.value).startswith(f"{folder / 'train.txt'} is not train.txt of")
        assert "run `elman data fetch tiny`, or download http" in str(refusal.value)


@pytest.mark.parametrize("name", ["test_txt_gz", "test_txt_xz"])
@pytest.mark.parametrize(
    "content",
    [b"?", gzip.compress(TEST)[:-9], lzma.compress(TEST)[:-9]],
    ids=["neither", "gzip cut short", "xz cut short"],  # gzip stores the time: no bytes in a name
)
def test_a_file_that_cannot_be_unpacked_is_refused(
    name: str, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entered: Any
) -> None:
    entered(tiny())
    put(tmp_path / "tiny_folder", train_txt=TRAIN, **{name: content})
    monkeypatch.setenv("ELMAN_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"test\.txt\.[gx]z is not .* it cannot be unpacked"):
        tables("tiny")


def test_a_damaged_download_is_refused_and_not_kept(served: Path, tmp_path: Path) -> None:
    (served / "test.txt.gz").write_bytes(gzip.compress(TEST)[:-7])
    with pytest.raises(DataError, match=r"arrived damaged and was not kept.*ELMAN_DATA"):
        tables("tiny")
    kept = tmp_path / "cache" / "elman" / "tiny_folder"
    assert [file.name for file in kept.iterdir()] == ["train.txt"]


def test_a_download_of_something_else_is_refused_with_both_checksums(served: Path) -> None:
    (served / "train.txt").write_bytes(b"<html>gone</html>")
    found = sha256(b"<html>gone</html>")
    with pytest.raises(DataError, match=f"17 bytes .* {found}, expected {sha256(TRAIN)}"):
        tables("tiny")


def test_without_a_network_the_error_says_what_to_fetch_and_where_to_put_it(
    tmp_path: Path, entered: Any
) -> None:
    entered(tiny("http://127.0.0.1:9"))
    with pytest.raises(DataError) as refusal:
        tables("tiny")
    for words in (
        "could not be downloaded",
        "`elman data fetch tiny`",
        f"http://127.0.0.1:9/train.txt by other means to {tmp_path}/cache/elman/tiny_folder/train",
        "ELMAN_DATA to a folder with whole.txt or train.txt and test.txt in tiny_folder/",
    ):
        assert words in str(refusal.value)


def test_a_file_the_server_does_not_have_is_told_like_a_missing_network(served: Path) -> None:
    (served / "train.txt").unlink()
    with pytest.raises(DataError, match="could not be downloaded: 404"):
        tables("tiny")


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot be stored: .*XDG_CACHE_HOME"):
        tables("nottingham")


@pytest.mark.usefixtures("served")
def test_a_cache_that_may_not_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "cache")

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", refuse)
    with pytest.raises(DataError, match=r"cannot be stored: .*Permission denied.*XDG_CACHE_HOME"):
        tables("tiny")


def test_a_set_without_known_checksums_is_not_downloaded(tmp_path: Path, entered: Any) -> None:
    whole = tiny().layouts[:1]
    entered(replace(tiny(), layouts=whole, by_hand="it is at https://example.org."))
    folder = tmp_path / "cache" / "elman" / "tiny_folder"
    with pytest.raises(DataError) as refusal:
        fetch("tiny")
    assert str(refusal.value) == (
        "data set 'tiny' must be put in place by hand: it is at https://example.org. "
        f"Put whole.txt into {folder}; checksums are looked at then."
    )
    with pytest.raises(DataError, match=r"Put whole.txt into one .* by hand: it is at https"):
        tables("tiny")
    put(folder, whole_txt=b"other")
    with pytest.raises(DataError, match=r"Delete it and put the right one in its place. it is at"):
        tables("tiny")
    put(folder, whole_txt=TRAIN + b"|" + TEST)
    assert lines("tiny") == LINES


class Bar:
    """Remembers how pooch moves it."""

    def __init__(self) -> None:
        self.total = self.place = self.closed = 0

    def update(self, size: int) -> None:
        self.place += size

    def reset(self) -> None:
        self.place = 0

    def close(self) -> None:
        self.closed += 1


def test_each_download_is_watched_to_its_end(served: Path) -> None:
    bars: dict[str, Bar] = {}

    def watch(file: File) -> Bar:
        return bars.setdefault(file.name, Bar())

    (served / "test.txt.gz").unlink()
    with pytest.raises(DataError, match="404"):
        fetch("tiny", watch)
    assert list(bars) == ["train.txt", "test.txt"]
    assert bars["train.txt"].place == bars["train.txt"].total == len(TRAIN)
    assert all(bar.closed for bar in bars.values())


def zip_of(path: Path, members: Mapping[str, bytes], compression: int) -> bytes:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path.read_bytes()


def test_the_checksum_of_an_archive_s_members_does_not_depend_on_how_it_is_packed(
    tmp_path: Path,
) -> None:
    members = {"x/a.wav": b"aaaa" * 9, "x/b.wav": b"bb", "x/README": b"old"}
    listing = "".join(f"{sha256(members[name])}  {name}\n" for name in ("x/a.wav", "x/b.wav"))
    file = File(name="x.zip", sha256="", members=r"x/.*\.wav")
    turned = {**dict(reversed(members.items())), "x/README": b"new"}
    stored = zip_of(tmp_path / "1.zip", members, zipfile.ZIP_STORED)
    packed = zip_of(tmp_path / "2.zip", turned, zipfile.ZIP_DEFLATED)
    assert stored != packed
    assert file.digest(stored) == file.digest(packed) == sha256(listing.encode())
    other = zip_of(tmp_path / "3.zip", members | {"x/b.wav": b"bc"}, zipfile.ZIP_STORED)
    assert file.digest(other) != file.digest(stored)


def test_what_should_be_an_archive_and_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "fsdd")
    (tmp_path / "fsdd" / "free-spoken-digit-dataset.zip").write_bytes(b"?")
    monkeypatch.setenv("ELMAN_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"cannot be unpacked \(File is not a zip file\)"):
        tables("fsdd")
