"""Sentences in CoNLL columns: what is written is read back, or refused in words."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elman.data.conll_rows import conll_of
from elman.data.sinks import write_table
from elman.data.sources import read_table
from elman.errors import DataError

FIELDS = st.one_of(
    st.sampled_from(
        ["#", "#sun", "# x", "O", "B-PER", "New York", " a", "-DOCSTART-", "\u00a0", ""]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=4),
)


def read_back(folder: Path, columns: dict[str, Any]) -> dict[str, list[list[str]]]:
    write_table(columns, folder / "it.conll", None, io.BytesIO())
    table = read_table(folder / "it.conll")
    return {name: list(table.column(name)) for name in table.columns}


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_fields_are_read_back_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    sentences = data.draw(
        st.lists(st.lists(st.tuples(FIELDS, FIELDS), min_size=1, max_size=4), min_size=1)
    )
    columns = {
        "tokens": [[token for token, _ in sentence] for sentence in sentences],
        "tags": [[tag for _, tag in sentence] for sentence in sentences],
    }
    try:
        got = read_back(tmp_path, columns)
    except DataError as error:
        assert "conll cannot hold" in str(error)  # noqa: PT017 - either is right
        return
    assert got == columns


def test_columns_keep_their_names_and_the_prediction_is_the_last(tmp_path: Path) -> None:
    columns = {
        "ID": [7, 8],
        "WORD": [["New York", "is"], ["so"]],
        "Part of speech": [["N", "V"], ["A"]],
        "tags": [["B-LOC", "O"], ["O"]],
        "predicted tags": [["B-LOC", "O"], ["B-LOC"]],
    }
    assert conll_of(columns) == (
        "# global.columns = WORD\tPart of speech\ttags\tpredicted tags\n"
        "# ID = 7\nNew York\tN\tB-LOC\tB-LOC\nis\tV\tO\tO\n\n"
        "# ID = 8\nso\tA\tO\tB-LOC\n\n"
    )
    del columns["ID"]
    assert read_back(tmp_path, columns) == columns


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"text": ["a b"], "label": ["x"]}, "of text, label, none holds lists. Write csv or"),
        ({"text": ["a b"], "tags": [["O", "O"]]}, "of text, tags, tags holds lists"),
        (
            {"tokens": [["a"], ["b", "c"]], "tags": [["O"], ["O"]]},
            "row 2: each column must have a field for every token, got tokens 2, tags 1",
        ),
        ({"tokens": [["a"], []], "tags": [["O"], []]}, "row 2: .*, got tokens 0, tags 0"),
        ({"tokens": [["a"], None], "tags": [["O"], ["O"]]}, "row 2: .*, got tokens 0, tags 1"),
        ({"tokens": [["a", ""]], "tags": [["O", "O"]]}, "'tokens' holds '', which is empty"),
        ({"tokens": [["a\tb"]], "tags": [["O"]]}, "contains a tab, a line end or a NUL"),
        ({"tokens": [["a", "# b"]], "tags": [["O", "O"]]}, "holds '# b', which begins a comment"),
        ({"tokens": [["-DOCSTART-"]], "tags": [["O"]]}, "which begins a document"),
        ({"tokens": [["a"]], "tags": [["O "]]}, "the space at the end of 'O ' would be lost"),
        ({"id": [["a"]], "tags": [["O"]]}, "which does not number a token"),
        ({"tokens": [["#a"]], "tags": [["O"]]}, "all tokens begin with #"),
        ({"to\nkens": [["a"]], "tags": [["O"]]}, r"the name 'to\\nkens'"),
    ],
)
def test_what_would_not_be_read_back_is_refused_in_words(
    columns: dict[str, Any], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        conll_of(columns)


def test_a_single_value_on_several_lines_stays_one_comment(tmp_path: Path) -> None:
    columns = {"tokens": [["a"]], "tags": [["O"]], "text": ["one\ntwo\tB"]}
    assert '# text = "one\\ntwo\\tB"\n' in conll_of(columns)
    assert read_back(tmp_path, columns) == {"tokens": [["a"]], "tags": [["O"]]}


def test_tsv_is_written_with_tabs_and_read_back(tmp_path: Path) -> None:
    columns = {"text": ["a, b", 'c\td "e"'], "n": [1, 2]}
    write_table(columns, tmp_path / "it.tsv", None, io.BytesIO())
    assert (tmp_path / "it.tsv").read_bytes().startswith(b'"text"\t"n"\n"a, b"\t1\n')
    table = read_table(tmp_path / "it.tsv")
    assert list(table.column("text")) == columns["text"]


@pytest.mark.parametrize(
    ("lists", "cells"),
    [
        ([["O", "B"], [], ["B"]], ["O B", "", "B"]),
        ([["O", "B"], ["New York"]], ['["O", "B"]', '["New York"]']),
        ([["O"], [""], []], ['["O"]', '[""]', "[]"]),
        ([["O"], [1, 2], None], ['["O"]', "[1, 2]", ""]),
    ],
)
def test_lists_of_words_are_joined_by_spaces_in_csv_where_a_whole_column_can_be(
    lists: list[list[Any]], cells: list[str], tmp_path: Path
) -> None:
    columns = {"tags": lists, "id": [7] * len(lists)}
    write_table(columns, tmp_path / "it.csv", None, io.BytesIO())
    lines = (tmp_path / "it.csv").read_text(encoding="utf-8").splitlines()
    assert [row["tags"] for row in csv.DictReader(lines)] == cells
