"""What every entry of the catalog states, and how sets are asked for by name."""

from __future__ import annotations

import os
import re

import pytest

from elman.data.catalog import DATASETS, ROLL_SETS, load, tables
from elman.errors import OptionError

CATEGORIES = {"many-to-one", "many-to-many", "encoder-decoder", "one-to-many"}
FOLDER = os.environ.get("ELMAN_DATA")
COUNTS = {
    "ptb": ("tokens", [929_589, 73_760, 82_430]),
    "conll2000": ("chunk", [211_727, 47_377]),
    "ud-english-ewt": ("upos", [204_577, 25_147, 25_094]),
    "gesture-phase": ("phase", [1747 + 1264 + 1834 + 1073 + 1111 - 5 * 4, 1424 + 1448 - 2 * 4]),
    "tinyshakespeare": ("text", [1_003_854, 55_770, 55_770]),
}
"""Column of lists or text → elements of all rows, split by split, as the literature counts them."""


@pytest.mark.parametrize("name", DATASETS)
def test_every_entry_states_its_facts(name: str) -> None:
    entry = DATASETS[name]
    assert entry.name == name
    assert re.fullmatch(r"[a-z0-9-]+", name)
    assert entry.category in CATEGORIES
    assert "→" in entry.task
    assert min(map(len, (entry.title, entry.about, entry.licence, entry.citation))) > 4
    assert entry.source.startswith(("https://", "http://"))
    assert min(entry.splits.values()) > 0
    assert "train" in entry.splits
    assert entry.columns


@pytest.mark.parametrize("name", DATASETS)
def test_every_download_has_a_checksum_an_address_and_a_size(name: str) -> None:
    entry = DATASETS[name]
    files = [file for layout in entry.layouts for file in layout.files]
    assert all(re.fullmatch(r"[0-9a-f]{64}", file.sha256) for file in files)
    assert len({file.sha256 for file in files}) == len(files)
    assert all(file.address.startswith("https://") == (file.size > 0) for file in files)
    assert (entry.download is None) == bool(entry.by_hand)


def test_no_two_different_files_of_a_folder_have_the_same_name() -> None:
    files = {
        (entry.folder, file.name, file.sha256)
        for entry in DATASETS.values()
        for layout in entry.layouts
        for file in layout.files
    }
    assert len({(folder, name) for folder, name, _ in files}) == len(files)


def test_an_unknown_name_is_answered_with_its_near_miss() -> None:
    for ask in (load, tables):
        with pytest.raises(OptionError, match="unknown data set 'choral'; did you mean 'chorales'"):
            ask("choral")


def test_rolls_of_a_set_without_rolls_are_refused_with_the_way_to_read_it() -> None:
    with pytest.raises(OptionError) as refusal:
        load("imdb")
    assert str(refusal.value) == (
        "data set 'imdb' holds no piano rolls (text → sentiment). Read it with `tables('imdb')`, "
        "or name one of chorales, nottingham, musedata, piano-midi."
    )


def test_the_rolls_of_the_chorales_are_a_column_of_their_tables() -> None:
    rolls, read = load("chorales"), tables("chorales")
    assert list(read) == ["train", "valid", "test"]
    assert [len(table) for table in read.values()] == list(ROLL_SETS["chorales"].pieces)
    assert (read["test"].column("roll")[3] == rolls.test[3]).all()
    assert read["test"].where(3) == "chorales test, row 3"


@pytest.mark.skipif(not FOLDER, reason="reads real data sets: set ELMAN_DATA to their folder")
@pytest.mark.parametrize("name", DATASETS)
def test_real_files_have_the_rows_and_columns_the_entry_states(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELMAN_DATA", str(FOLDER))
    read, entry = tables(name), DATASETS[name]
    assert {split: len(table) for split, table in read.items()} == dict(entry.splits)
    stated = [column for column in entry.columns if "…" not in column]
    for table in read.values():
        assert [column for column in table.columns if column in stated] == stated
        assert set(entry.input) <= set(table.columns)
        assert entry.target in {*table.columns, "next"}
    if name in COUNTS:
        column, expected = COUNTS[name]
        counted = [sum(map(len, table.column(column))) for table in read.values()]
        assert counted == expected
