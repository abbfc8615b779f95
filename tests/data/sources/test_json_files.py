"""JSON: objects a line, a list of them, columns; values keep their identity."""

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
        '{\n "a": 1,\n "b": "x"\n}\n{\n "a": 2.5\n}',
    ],
)
def test_a_json_file_may_have_any_of_these_layouts(tmp_path: Path, content: str) -> None:
    table = read_table(write(tmp_path, content, "it.json"))
    assert list(table.column("a")) == [1, 2.5]
    assert list(table.column("b")) == ["x", None]


def test_the_only_object_of_a_file_of_lines_is_a_row_on_several_lines_too(tmp_path: Path) -> None:
    for content in ('{"a": [1, 2], "b": "x"}', '{\n "a": [1, 2],\n "b": "x"\n}\n'):
        table = read_table(write(tmp_path, content))
        assert [value.tolist() for value in table.column("a")] == [[1, 2]]
        assert list(table.column("b")) == ["x"]


def test_an_object_whose_first_line_ends_like_one_is_one_value(tmp_path: Path) -> None:
    path = write(tmp_path, '{"schema": {"fields": []}\n, "data": [{"a": 1}, {"a": 2}]}', "it.json")
    assert list(read_table(path).column("a")) == [1, 2]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-16-le"])
def test_other_encodings_of_unicode_are_read(tmp_path: Path, encoding: str) -> None:
    content = '{"text": "grün"}\r\n{"text": "blau"}\r\n' * 3
    table = read_table(write(tmp_path, content.encode(encoding)))
    assert list(table.column("text"))[:2] == ["grün", "blau"]


def test_long_objects_are_read(tmp_path: Path) -> None:
    long = "x" * 3_000_000
    path = write(tmp_path, json.dumps({"a": 1.0, "t": long}) + '\n{"a": 2, "t": "y"}\n')
    assert read_table(path).column("t")[0] == long


def test_nan_is_a_missing_value_of_any_column_and_noted(tmp_path: Path) -> None:
    path = write(tmp_path, '{"n": 3, "t": "NaN"}\n{"n": NaN, "t": NaN}\n')
    table = read_table(path)
    assert list(table.column("n")) == [3, None]
    assert list(table.column("t")) == ["NaN", None]
    assert table.notes == ["it.jsonl, line 2: NaN is not JSON and was read as a missing value."]
    assert "line 1: -Infinity" in read_table(write(tmp_path, '{"n": -Infinity}\n')).notes[0]


@pytest.mark.parametrize("text", ["2024-01-01", "2024-01-01 10:00:00", "0010", "1E5", "true", "NA"])
def test_a_string_stays_the_string(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, json.dumps({"a": text, "b": [text, text]}) + "\n")
    assert list(read_table(path).column("a")) == [text]
    assert list(read_table(path).column("b")) == [[text, text]]


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)])
def test_an_integer_of_64_bits_is_exact(tmp_path: Path, number: int) -> None:
    table = read_table(write(tmp_path, f'{{"a": {number}, "b": [{number}, 1]}}\n{{"a": 5}}\n'))
    assert list(table.column("a")) == [number, 5]
    assert table.column("b")[0].tolist() == [number, 1]
    assert table.notes == []


@pytest.mark.parametrize("digits", [20, 19, 400, 5000])
def test_longer_integers_make_their_column_text_as_written(tmp_path: Path, digits: int) -> None:
    table = read_table(write(tmp_path, f'{{"a": 7}}\n{{"a": {"9" * digits}}}\n'))
    assert list(table.column("a")) == ["7", "9" * digits]
    assert "more than 64 bits, the first in line 2" in table.notes[0]


def test_a_whole_number_that_is_rounded_among_fractions_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a": 3}\n{"a": 9007199254740993}\n{"a": 0.5}\n')
    table = read_table(path)
    assert list(table.column("a")) == [3.0, 2.0**53, 0.5]
    assert "the whole number in line 2 has too many digits" in table.notes[0]
    assert read_table(write(tmp_path, '{"a": 3}\n{"a": 0.5}\n')).notes == []


@pytest.mark.parametrize(
    "content",
    [
        '{"zip": "0123", "n": 1.50}\n{"zip": 4567, "n": 2}\n{"zip": 1.10}\n',
        '[{"zip": "0123", "n": 1.50}, {"zip": 4567, "n": 2}, {"zip": 1.10}]',
        '{"zip": ["0123", 4567, 1.10], "n": [1.50, 2, null]}',
    ],
)
def test_numbers_among_strings_are_text_as_written(tmp_path: Path, content: str) -> None:
    table = read_table(write(tmp_path, content, "it.json"))
    assert list(table.column("zip")) == ["0123", "4567", "1.10"]
    assert list(table.column("n")) == [1.5, 2, None]
    assert "a number in" in table.notes[0]
    assert "as they are written" in table.notes[0]


def test_numbers_among_strings_within_lists_are_text_too(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, '{"a": ["x", 1.0]}\n{"a": [2]}\n'))
    assert list(table.column("a")) == [["x", "1.0"], ["2"]]


def test_truth_values_among_others_are_text_as_written(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a": true, "b": true}\n{"a": "True", "b": false}\n{"a": 1.0}\n')
    table = read_table(path)
    assert list(table.column("a")) == ["true", "True", "1.0"]
    assert list(table.column("b")) == [True, False, None]
    assert table.notes == [
        "column 'a' of it.jsonl holds a truth value in line 1 and a string in line 2 and a number "
        "in line 3; all its values were read as text, as they are written."
    ]


def test_truth_values_stay_what_they_are(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a": true, "b": [false, null]}\n{"a": null, "b": []}\n')
    assert list(read_table(path).column("a")) == [True, None]
    assert list(read_table(path).column("b")) == [[False, None], []]


def test_columns_of_many_chunks_are_of_one_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("elman.data.sources.nested.CHUNK", 3)
    rows: list[dict[str, object]] = [{"n": 1, "e": []} for _ in range(4)]
    rows += [{"n": 0.5, "e": [{"t": "x"}, {"t": None}]}, {"n": 2**53 + 1}]
    rows += [{"late": "y", "e": [{"p": 1}]}] * 2
    table = read_table(write(tmp_path, "".join(f"{json.dumps(row)}\n" for row in rows)))
    assert list(table.column("n")) == [1, 1, 1, 1, 0.5, 2**53, None, None]
    assert list(table.column("e.t"))[:5] == [[], [], [], [], ["x", None]]
    assert list(table.column("e.t"))[5:] == [None, [None], [None]]
    assert [None if v is None else len(v) for v in table.column("e.p")] == [0] * 4 + [2, None, 1, 1]
    assert list(table.column("late")) == [None] * 6 + ["y"] * 2
    assert table.where(7) == "it.jsonl, line 8"


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    assert list(read_table(write(tmp_path, b'\xef\xbb\xbf{"a": 1}\n')).column("a")) == [1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("\n\n", "contains no rows|there are no rows"),
        ('{"a": 1}\n{"a": \n', r"it\.jsonl, line 2: this is not JSON: the line ends within"),
        (
            '{"a": 1}\n[1, 2]\n',
            r'line 2: every line must be an object such as \{"text".*got a list',
        ),
        ('{"a": 1}\n5\n', "line 2: every line must be an object .* got a number"),
        ('{"a": 1}\n\n{"a": [true]}\n', "line 3: column 'a' holds a list, but a number in line 1"),
        ('{"a": "x"}\n{"a": {"b": 1}}\n', "line 2: column 'a' holds an object, but a string in li"),
        ('{"a": [{"b": 1}]}\n{"a": 3}\n', "line 2: column 'a' holds a number, but a list of obj"),
        ('{"a": [{"b": 1}, 2]}\n', "line 1: the list 'a' mixes objects and other values: a number"),
        (
            '{"a": [1, [2]]}\n',
            "line 1: column 'a' holds a .* in a list, but a .* in a list in line 1",
        ),
        ('{"a": 1, "b": {"c": 2}, "b.c": 3}\n', "it.jsonl has two columns 'b.c'"),
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
        ("[1, 2]", "row 0: a row must be an object such as .*, got a number"),
        ("[]", "got a list that is empty"),
        ('{"a": 1}', "must contain a list of objects"),
        ('[{"a": 1},\n {"a": }]', r"it\.json, line 2: this is not JSON"),
        ('{"a": [1], "b": [1, 2]}', "equally many rows: 'a' has 1, 'b' has 2"),
        (
            '[{"a": 1},\n {"a": [1]}]',
            "line 2: column 'a' holds a list, but a number in line 1",
        ),
        ('{"a": [true, [1]]}', "row 1: column 'a' holds a list, but a truth value in row 0"),
    ],
)
def test_malformed_values_are_refused(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(write(tmp_path, content, "it.json"))
