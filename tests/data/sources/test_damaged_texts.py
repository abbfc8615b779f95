"""Damaged files of JSON, series and labelled lines: a table or a sentence, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elman.data.sources import read_table
from elman.errors import DataError

WHOLE = {
    "lines.jsonl": '{"a": 1, "e": [{"t": "x"}, {"t": 0.5}]}\n{"e": [], "u": {"v": "ü"}}\n',
    "list.json": '[{"a": 1, "b": {"c": [{"d": 1}, {"e": [1]}]}}, {"a": 2.5}]',
    "columns.json": '{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}',
    "split.json": '{"columns": ["a", "b"], "index": [0, 1], "data": [[1, "x"], [2, "y"]]}',
    "squad.json": '{"data": [{"title": "T", "paragraphs": [{"qas": [{"id": 1}]}]}]}',
    "it.ts": "@univariate false\n@classLabel true 1 2\n@data\n1,2,?:3,4,5:1\n1,2,3:3,4,5:2\n",
    "it.txt": "__label__a a good film\n__label__b __label__c bad\n",
}
TOKENS = [
    '"', "{", "}", "[", "]", ",", ":", "null", "true", "NaN", "-Infinity", "1e999", "9" * 30,
    "\\ud800", "{}", "[]", '"a":', '{"x": 1}', "\n", "\0", "@", "?", "(", "__label__", "\ufeff",
]  # fmt: skip
CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 9), st.sampled_from(["", *TOKENS])),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("name", WHOLE)
def test_the_files_are_whole_before_they_are_damaged(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(WHOLE[name], encoding="utf-8")
    assert len(read_table(tmp_path / name)) >= 1


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=CHANGES)
def test_a_damaged_file_is_a_table_or_a_sentence(
    tmp_path: Path, name: str, changes: list[tuple[float, int, str]]
) -> None:
    text = WHOLE[name]
    for share, deleted, inserted in changes:
        place = int(share * len(text))
        text = text[:place] + inserted + text[place + deleted :]
    (tmp_path / name).write_text(text, encoding="utf-8")
    try:
        table = read_table(tmp_path / name)
    except DataError as refusal:
        assert name in str(refusal)  # noqa: PT017 - a table is as right
        return
    for column in table.columns:
        assert len(list(table.column(column))) == len(table)
    assert name in table.where(len(table) - 1)
