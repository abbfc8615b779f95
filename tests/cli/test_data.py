"""`elman data`: what it prints, where, and how it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from elman.cli import data
from elman.cli.main import run
from elman.data.catalog import DATASETS, SHIPPED


@pytest.fixture(autouse=True)
def _nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELMAN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_the_list_has_a_line_a_set_with_its_licence_and_whether_it_is_at_hand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["data", "list"]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "category", "learns", "licence", "at", "hand"]
    assert [row.split()[0] for row in rows] == list(DATASETS)
    lines = dict(zip(DATASETS, rows, strict=True))
    assert lines["chorales"].endswith("  yes")
    assert lines["fsdd"].endswith("  CC BY-SA 4.0                       no")
    assert "many-to-one      text → sentiment" in lines["imdb"]
    assert max(map(len, rows)) <= 120


def test_a_set_is_shown_with_all_that_is_known_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "show", "chorales"]) == 0
    shown = capsys.readouterr().out
    entry = DATASETS["chorales"]
    assert entry.download is not None
    assert shown.splitlines()[0] == "chorales"
    for words in (
        "category  many-to-many: notes → next notes",
        "learns    roll → next",
        "rows      229 / 76 / 77 (train / valid / test)",
        "frames    13,807 / 4,602 / 4,725; 1 a quarter note",
        "columns   roll: a piece: 88 keys per frame",
        f"licence   {entry.licence}",
        f"cite      {entry.citation}",
        f"download  {entry.download.files[0].address} (96 kB)",
        f"at hand   {SHIPPED / 'jsb_chorales.npz'}",
    ):
        assert words in shown


def test_a_set_that_is_not_at_hand_is_shown_with_the_way_to_get_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("ptb", "flickr8k"):
        assert run(["data", "show", name]) == 0
    shown = capsys.readouterr().out
    assert "ptb.train.txt and 2 more files (6.0 MB)" in shown
    assert "at hand   no; `elman data fetch ptb` downloads it" in shown
    assert "download  none: no checksum of its archives" in shown
    assert "at hand   no; `elman data fetch flickr8k` says what to put where" in shown


def test_the_list_loads_no_torch() -> None:
    program = "import sys; from elman.cli.main import run; run(['data', 'list'])"
    program += "; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)


def test_fetching_prints_the_path_on_stdout_and_the_licence_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["data", "fetch", "chorales"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{SHIPPED / 'jsb_chorales.npz'}\n"
    assert DATASETS["chorales"].licence in printed.err
    assert DATASETS["chorales"].citation in printed.err


def test_a_set_that_is_put_in_place_by_hand_fails_with_where_to_put_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["data", "fetch", "flickr8k"]) == 1
    said = capsys.readouterr().err
    assert "must be put in place by hand" in said
    assert f"Flickr_8k.testImages.txt into {tmp_path / 'elman' / 'flickr8k_1000'}" in said


def test_a_download_is_told_of_and_has_a_bar_on_a_terminal_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    download = DATASETS["temperature"].download
    assert download is not None
    (file,) = download.files
    assert data._watch(file) is None
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    bar = data._watch(file)
    assert bar is not None
    bar.update(1000)
    bar.reset()
    bar.update(bar.total)
    bar.close()
    bar.close()
    said = capsys.readouterr().err
    assert said.startswith(f"downloading {file.address} (68 kB)\n")
    assert "67.9/67.9 kB" in said


def test_a_name_that_is_none_is_a_wrong_use_with_the_near_miss(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["data", "fetch", "notingham"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(
        "elman data fetch: unknown data set 'notingham'; did you mean 'nottingham'"
    )


def test_a_folder_that_is_not_there_fails_in_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELMAN_DATA", "nowhere/at/all")
    assert run(["data", "list"]) == 1
    printed = capsys.readouterr()
    assert "ELMAN_DATA is 'nowhere/at/all', which is not a folder" in printed.err
    assert len(printed.err.splitlines()) == 1
