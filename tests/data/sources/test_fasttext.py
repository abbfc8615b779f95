"""fastText's lines: labels and a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from elman.data.sources import read_table
from elman.errors import DataError


def write(folder: Path, content: str, name: str = "it.txt") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_a_label_a_line_is_a_column_of_labels_and_texts_stay_as_written(tmp_path: Path) -> None:
    content = "__label__007  a  fine film, see\n\n__label__neg\tdull __labels__\n__label__x\n"
    table = read_table(write(tmp_path, content))
    assert list(table.column("label")) == ["007", "neg", "x"]
    assert list(table.column("text")) == ["a  fine film, see", "dull __labels__", ""]
    assert table.where(1) == "it.txt, line 3"
    assert "fastText's lines; its columns are text and label" in table.notes[0]


def test_several_labels_in_any_line_make_lists_of_all(tmp_path: Path) -> None:
    content = "__label__a __label__b good\n__label__c bad one\n__label__a in __label__d between\n"
    table = read_table(write(tmp_path, content))
    assert list(table.column("labels")) == [["a", "b"], ["c"], ["a", "d"]]
    assert list(table.column("text")) == ["good", "bad one", "in between"]


def test_a_file_with_one_other_line_is_a_text(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "__label__a good\nno label here\n"))
    assert table.columns == ["text"]


def test_labels_may_stand_anywhere_where_the_format_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "good film __label__pos\n__label__neg bad\n", "it.train")
    table = read_table(path, format="fasttext")
    assert list(table.column("label")) == ["pos", "neg"]
    assert list(table.column("text")) == ["good film", "bad"]


@pytest.mark.parametrize("line", ["no label", "__label__ nameless"])
def test_a_line_without_a_label_is_refused(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, f"__label__a x\n\n{line}\n")
    with pytest.raises(DataError, match=r"it\.txt, line 3: there is no label"):
        read_table(path, format="fasttext")


def test_running_text_is_left_as_it_is(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "__label__a x\n__label__b y\n"), running_text=True)
    assert list(table.column("text")) == ["__label__a x\n", "__label__b y\n"]
