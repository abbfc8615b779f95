"""`elman data`: what it prints, where, and how it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from elman.cli.main import run
from elman.data.catalog import DATASETS, SHIPPED


@pytest.fixture(autouse=True)
def _nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELMAN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_the_list_tells_licence_size_and_what_is_at_hand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["data", "list"]) == 0
    printed = capsys.readouterr().out
    chorales, nottingham = printed.split("\n\n")[:2]
    assert chorales.splitlines()[0] == "chorales"
    for words in (
        "229 / 76 / 77 (train / valid / test)",
        "13,807 / 4,602 / 4,725; 1 a quarter note",
        "many-to-many, synchronous",
        DATASETS["chorales"].licence,
        DATASETS["chorales"].citation,
        f"{DATASETS['chorales'].remote.address} (96 kB)",
        f"at hand   {SHIPPED / 'jsb_chorales.npz'}",
    ):
        assert words in chorales
    assert "at hand   no; `elman data fetch nottingham` downloads it" in nottingham


def test_the_list_has_every_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "list"]) == 0
    blocks = capsys.readouterr().out.split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == list(DATASETS)


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
