"""JSON text to values: whatever is no JSON is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from elman.data.sources import read_table
from elman.data.sources.json_text import DEEPEST, Decoder, JsonText
from elman.errors import DataError

CASES = Path(__file__).parents[4] / "shared" / "cases" / "hostile"

OBJECT = '{"k": ', "}"


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return f'{{"b": "x", "a": {opening * depth}1{closing * depth}}}'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"a\\udc00": 1}]', r"the name of column 'a\\udc00' holds half of a surrogate pair"),
        ('[{"a": 1},\n {"a": 2},\n]', "line 3: .*a comma too many before it"),
        ('[\n{"a": 1,}]', "line 2: .*a comma too many before it"),
        ("[\n{'a': 1}]", "line 2: .*double quotes"),
        ('[\n{"a": None}]', "line 2: .*write true, false and null"),
        ('[{"a": 1},\n// the second\n{"a": 2}]', "line 2: .*JSON has no comments"),
        ('[{"a": 1},\n{"a": 2', "line 2: .*the file ends within a value"),
        ('[{"a": 1},\n{"a": "a text that', "line 2: .*the file ends within a value"),
        ('{"a": 1},\n{"a": 2}', "line 1: .*a list stands in .*, and lines without commas"),
        ('[{"a": 1}]\n[{"a": 2}]', "line 2: .*Extra data"),
        ('[{"a": 1}\n{"a": 2}]', "line 2: .*Expecting ',' delimiter"),
        ('[{"a": 1,\n"b": {"}": 2},\n"a": 3}]', "line 3: the key 'a' occurs twice"),
        ('{"a": [1],\n"b": {"c": 1, "c": 2}}', "line 2: the key 'c' occurs twice"),
        ('[{"a": "1e999"},\n{"a": 1e999}]', "line 2: 1e999 is beyond the largest number"),
        ('[{"b": "x"},\n{"b": "\\ud83d"}]', r"line 2, column 'b': '\\ud83d' holds half of"),
        (f"\n[{nested(DEEPEST + 1)}]", f"line 2.*lists lie within each other more than {DEEPEST}"),
        (f"\n[{nested(20_000)}]", f"line 2: lists or objects lie .* more than {DEEPEST} deep"),
        (f"\n[{nested(80, *OBJECT)}]", f"line 2: objects lie .* more than {DEEPEST} deep"),
        (f"\n[{nested(9_999, *OBJECT)}]", f"line 2: .* lie .* more than {DEEPEST} deep"),
    ],
)
@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_what_is_no_json_is_refused_with_its_line(
    tmp_path: Path, content: str, words: str, suffix: str
) -> None:
    path = tmp_path / f"it.{suffix}"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=f"it.{suffix}.*{words}"):
        read_table(path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"a": 1, "a": 1}', "line 3: the key 'a' occurs twice"),
        ('{"a": 1,}', "line 3: .*a comma too many"),
        ('{"a": "\\udc00"}', "line 3, column 'a': .* no character"),
        ('{"a": "cut', "line 3: .*the line ends within a value"),
        ('{"a": 1} x', "line 3: .*Expecting value"),
        (nested(5_000), "line 3: lists or objects lie"),
    ],
)
def test_a_line_that_is_no_json_is_named(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "it.jsonl"
    path.write_text(f'{{"a": "x"}}\n\n{line}\n{{"a": "y"}}\n', encoding="utf-8")
    with pytest.raises(DataError, match=rf"it\.jsonl, {words}"):
        read_table(path)


def test_lists_that_are_not_too_deep_are_read(tmp_path: Path) -> None:
    path = tmp_path / "it.jsonl"
    path.write_text(nested(5), encoding="utf-8")
    assert list(read_table(path).column("a")) == [[[[[[1]]]]]]


def test_pairs_of_surrogates_are_one_character(tmp_path: Path) -> None:
    path = tmp_path / "it.jsonl"
    path.write_text('{"a": "\\ud83d\\ude00"}\n', encoding="utf-8")
    assert list(read_table(path).column("a")) == ["\U0001f600"]


def test_words_within_strings_are_not_taken_for_those_outside(tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    path.write_text('{"t": ["NaN", "say \\"NaN\\""],\n "n": [NaN,\n 1]}', encoding="utf-8")
    assert read_table(path).notes == [
        "it.json, line 2: NaN is not JSON and was read as a missing value."
    ]


def test_elements_know_their_lines(tmp_path: Path) -> None:
    text = JsonText("\n[1, 2,\n\n3]", Decoder(tmp_path))
    assert list(text.elements()) == [(2, 1), (2, 2), (4, 3)]


@pytest.mark.parametrize("name", ["deep5000.json", "sur.jsonl", "bigint.json"])
def test_hostile_files_are_refused_with_the_line(name: str) -> None:
    if not CASES.exists():
        pytest.skip("the cases are not beside the project")
    with pytest.raises(DataError, match=rf"{name}, line \d+"):
        read_table(CASES / name)
