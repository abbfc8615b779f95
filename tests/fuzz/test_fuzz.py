"""A few of the trials; `python -m fuzz.run` does any number of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from elman.data import limits
from elman.data.sources import read_table

from . import silence, trial

COUNTS = {"read": 1200, "fit": 500, "picture": 500, "sound": 200, "predict": 60, "silence": 600}


@pytest.mark.sampled(6)
@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("kind", trial.KINDS)
def test_damaged_files_end_in_words_or_in_a_result(
    kind: str, part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(limits.VARIABLE, "1")
    count = COUNTS[kind] // 3
    for seed in range(part * count, (part + 1) * count):
        trial.refused(kind, seed, tmp_path)
    assert not list(tmp_path.iterdir())


def test_rows_that_are_left_out_without_a_note_are_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "read_table", lambda path: read_table(path).select(range(2)))
    monkeypatch.setattr(silence, "damage", lambda *given: given[1])
    with pytest.raises(AssertionError):
        trial.refused("silence", 0, tmp_path)


def test_an_exception_that_is_not_elmans_is_no_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise UnicodeError("no sentence")

    monkeypatch.setattr(trial, "KINDS", {"read": fail})
    with pytest.raises(UnicodeError):
        trial.refused("read", 0, tmp_path)
