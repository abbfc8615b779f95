"""JSON in its three layouts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from elman.data.sources import read_table
from elman.errors import DataError


def write(folder: Path, content: str | bytes, name: str = "it.jsonl") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_an_object_a_line_is_a_row_that_knows_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, '{"text": "a", "tags": ["x"]}\n\n{"text": "ü", "tags": [], "n": 2}\n')
    table = read_table(path)
    assert list(table.column("text")) == ["a", "ü"]
    assert list(table.column("tags")) == [["x"], []]
    assert list(table.column("n")) == [None, 2]
    assert [table.where(row) for row in range(2)] == ["it.jsonl, line 1", "it.jsonl, line 3"]


@pytest.mark.parametrize(
    "content",
    [
        '[{"a": 1, "b": "x"}, {"a": 2.5}]',
        '{"a": [1, 2.5], "b": ["x", null]}',
        '{"a": 1, "b": "x"}\n{"a": 2.5}\n',
        '[\n {"a": 1,\n "b": "x"},\n {"a": 2.5}\n]',
    ],
)
def test_a_json_file_may_have_any_of_three_layouts(tmp_path: Path, content: str) -> None:
    table = read_table(write(tmp_path, content, "it.json"))
    assert list(table.column("a")) == [1, 2.5]
    assert list(table.column("b")) == ["x", None]


def test_nan_and_long_objects_are_read(tmp_path: Path) -> None:
    long = "x" * 3_000_000
    path = write(tmp_path, json.dumps({"a": 1.0, "t": long}) + '\n{"a": NaN, "t": "y"}\n')
    table = read_table(path)
    assert table.column("t")[0] == long
    assert str(table.column("a")[1]) == "nan"


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    assert list(read_table(write(tmp_path, b'\xef\xbb\xbf{"a": 1}\n')).column("a")) == [1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("\n\n", "contains no rows|there are no rows"),
        ('{"a": 1}\n{"a": \n', r"it\.jsonl, line 2: this is not JSON: Expecting value"),
        (
            '{"a": 1}\n[1, 2]\n',
            r'line 2: every line must be an object such as \{"text".*got a list',
        ),
        ('{"a": 1}\n5\n', "line 2: every line must be an object .* got a number"),
        ('{"a": 1}\n\n{"a": "x"}\n', "line 3: column 'a' holds a string, but a number in line 1"),
        ('{"a": [1]}\n{"a": 1}\n', "line 2: column 'a' holds a number, but a list in line 1"),
        (b'{"a": "caf\xe9"}\n', r"is not JSON, which is always UTF-8: .*byte 0xE9 in line 1"),
    ],
)
def test_malformed_lines_are_refused_with_their_number(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read_table(write(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1, 2]", "row 0: a row must be a dict from columns to values, got int"),
        ("[]", "got a list that is empty"),
        ('{"a": 1}', "must contain a list of objects"),
        ('[{"a": 1},\n {"a": }]', r"it\.json, line 2: this is not JSON"),
        ('{"a": [1], "b": [1, 2]}', "equally many rows: 'a' has 1, 'b' has 2"),
        ('[{"a": 1}, {"a": "x"}]', "column 'a' mixes types: row 0 holds 1"),
    ],
)
def test_malformed_values_are_refused(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(write(tmp_path, content, "it.json"))
