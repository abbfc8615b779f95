"""Plain text as one running text: all of it is kept, and every row has its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elman.data.sources import read_table
from elman.errors import DataError


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(source: Any) -> list[str]:
    return list(read_table(source, running_text=True).column("text"))


def test_the_rows_are_the_lines_with_their_ends_blank_ones_too(tmp_path: Path) -> None:
    path = write(tmp_path / "story.txt", "Once,\n\n  a king.\r\nThe end")
    assert rows_of(path) == ["Once,\n", "\n", "  a king.\n", "The end\n"]
    table = read_table(path, running_text=True)
    assert [table.where(row) for row in (0, 3)] == ["story.txt, line 1", "story.txt, line 4"]
    assert table.notes == ["story.txt was read as one running text with line ends."]


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1))
def test_the_pieces_of_a_line_of_any_length_join_to_it(tmp_path_factory: Any, line: str) -> None:
    line = "x" + 30 * line  # not blank, and often longer than a row
    path = write(tmp_path_factory.mktemp("text") / "long.txt", line)
    pieces = rows_of(path)
    assert "".join(pieces) == f"{line}\n"


def test_a_long_line_is_cut_before_a_blank_and_keeps_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / "page.txt", "short\n" + "word " * 50 + "\n")
    table = read_table(path, running_text=True)
    pieces = list(table.column("text"))
    assert pieces[0] == "short\n"
    assert max(map(len, pieces)) <= 100
    assert all(piece.startswith(" word") for piece in pieces[2:])
    assert table.where(len(table) - 1) == "page.txt, line 2"


def test_a_letter_keeps_the_marks_that_follow_it(tmp_path: Path) -> None:
    path = write(tmp_path / "marks.txt", "x" * 99 + "e\u0301\u0323" + "y" * 20)
    assert rows_of(path) == ["x" * 99 + "e\u0301\u0323", "y" * 20 + "\n"]


@pytest.mark.parametrize("source", ["books", "books/*.txt", ["books/a.txt", "books/b.txt"]])
def test_several_files_are_one_text_in_the_order_of_their_names(
    source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("books/b.txt"), "third\n")
    write(Path("books/a.txt"), "first\nsecond")
    table = read_table(source, running_text=True)
    assert list(table.column("text")) == ["first\n", "second\n", "third\n"]
    assert table.where(2) == "b.txt, line 1"
    assert table.source == "a.txt and 1 more"


def test_the_spans_are_the_characters_of_the_rows(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "story.txt", "ab\n\nc\n"), running_text=True)
    assert table.spans is not None
    assert [part.tolist() for part in table.spans] == [[0, 0, 0], [0, 3, 4], [3, 4, 6]]


def test_a_text_in_latin_1_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "old.txt", "Fräulein\n".encode("latin-1"))
    table = read_table(path, running_text=True)
    assert list(table.column("text")) == ["Fräulein\n"]
    assert "was read as Latin-1" in table.notes[0]


def test_files_with_columns_are_tables_as_ever(tmp_path: Path) -> None:
    path = write(tmp_path / "names.csv", "name\nAda\nEmmy\n")
    assert list(read_table(path, running_text=True).column("name")) == ["Ada", "Emmy"]


def test_what_looks_like_columns_by_chance_is_text(tmp_path: Path) -> None:
    path = write(tmp_path / "night.txt", "It was night.\n\nThere fell night.\n")
    assert read_table(path).columns == ["tokens", "column_2", "tags"]
    assert rows_of(path) == ["It was night.\n", "\n", "There fell night.\n"]


def test_a_file_of_format_lines_is_text_whatever_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "poem.md", "Roses\nViolets\n")
    assert list(read_table(path, format="lines", running_text=True).column("text")) == [
        "Roses\n",
        "Violets\n",
    ]


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (("train.txt", "test.txt"), "test.txt, train.txt"),
        (("train/a.txt", "valid/b.txt"), "train, valid"),
    ],
)
def test_the_parts_of_a_split_are_not_mixed(
    names: tuple[str, ...], parts: str, tmp_path: Path
) -> None:
    for name in names:
        write(tmp_path / "books" / name, "a text\n")
    with pytest.raises(DataError, match=rf"parts of a split \({parts}\).*--valid and --test"):
        read_table(tmp_path / "books", running_text=True)


@pytest.mark.parametrize(
    ("content", "words"), [("", "is empty"), ("\n \n", "contains only blank lines")]
)
def test_a_text_of_nothing_is_refused(content: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"story\.txt .*{words}"):
        read_table(write(tmp_path / "story.txt", content), running_text=True)


def test_a_file_that_is_not_there_is_refused_as_ever(tmp_path: Path) -> None:
    write(tmp_path / "story.txt", "text\n")
    with pytest.raises(DataError, match=r"there is no file .*; did you mean .*story\.txt"):
        read_table(tmp_path / "storey.txt", running_text=True)
