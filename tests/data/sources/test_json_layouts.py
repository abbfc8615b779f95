"""JSON files of one value: pandas' orientations, SQuAD, lists under a key."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elman.data.sources import read_table
from elman.data.table import Table
from elman.errors import DataError

ORIENTATIONS = ("records", "split", "index", "columns", "values", "table")
FRAME: dict[str, list[Any]] = {
    "text": ["a", "b", "c"],
    "code": ["001", "010", "100"],
    "n": [1, 2, 3],
    "x": [0.5, None, 1.5],
    "ok": [True, False, True],
    "day": ["2024-01-01", "2024-01-02", "2024-01-03"],
    "steps": [[1, 2], [], [3]],
}


def read(folder: Path, value: Any, name: str = "it.json") -> Table:
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return read_table(path)


def columns_of(table: Table) -> dict[str, list[Any]]:
    columns = {name: list(table.column(name)) for name in table.columns}
    return {
        name: [v.tolist() if hasattr(v, "tolist") else v for v in values]
        for name, values in columns.items()
    }


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_what_pandas_writes_comes_back(tmp_path: Path, orientation: str) -> None:
    table = read(tmp_path, pd.DataFrame(FRAME).to_json(orient=orientation))  # type: ignore[call-overload]
    expected = FRAME
    if orientation == "values":
        expected = {f"column_{n}": v for n, v in enumerate(FRAME.values(), start=1)}
        assert "names no columns" in table.notes[0]
    else:
        assert table.notes == []
    assert columns_of(table) == expected


@pytest.mark.parametrize("orientation", ["split", "index", "columns", "table"])
@pytest.mark.parametrize("labels", [["p", "q", "r"], [7, 8, 10], ["01", "02", "03"]])
def test_labels_of_rows_are_a_column_and_noted(
    tmp_path: Path, orientation: str, labels: list[Any]
) -> None:
    frame = pd.DataFrame(FRAME, index=labels)
    table = read(tmp_path, frame.to_json(orient=orientation))  # type: ignore[call-overload]
    assert columns_of(table) == {"index": labels, **FRAME} or columns_of(table) == {
        "index": [int(label) for label in labels],
        **FRAME,
    }
    assert "the labels of the rows" in table.notes[0]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8"), max_size=5),
            st.integers(-(2**63), 2**63 - 1),
            st.booleans(),
            st.lists(st.integers(-5, 5), max_size=3),
        ),
        min_size=2,
        max_size=6,
    ),
    orientation=st.sampled_from(["records", "split", "index", "columns", "table"]),
)
def test_any_rows_come_back_from_every_orientation(
    tmp_path: Path, rows: list[tuple[Any, ...]], orientation: str
) -> None:
    columns = dict(zip(["t", "n", "b", "s"], map(list, zip(*rows, strict=True)), strict=True))
    written = io.StringIO()
    pd.DataFrame(columns).to_json(written, orient=orientation)  # type: ignore[call-overload]
    assert columns_of(read(tmp_path, written.getvalue())) == columns


def test_a_list_of_lists_may_begin_with_the_names(tmp_path: Path) -> None:
    table = read(tmp_path, [["name", "n"], ["a", 1], ["b", 2]])
    assert columns_of(table) == {"name": ["a", "b"], "n": [1, 2]}
    assert "its first list has the names" in table.notes[0]
    assert columns_of(read(tmp_path, [["a", "x"], ["b", "y"]])) == {
        "column_1": ["a", "b"],
        "column_2": ["x", "y"],
    }


@pytest.mark.parametrize("version", ["1.1", "v2.0"])
def test_a_row_of_squad_is_a_question(tmp_path: Path, version: str) -> None:
    answered = {"id": "q1", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 4}]}
    questions: list[dict[str, Any]] = [answered]
    if version == "v2.0":
        unanswered = {"id": "q2", "question": "Why?", "answers": [], "is_impossible": True}
        questions = [answered | {"is_impossible": False}, unanswered]
    paragraphs = [{"context": "It is Ada.", "qas": questions}, {"context": "None.", "qas": []}]
    squad = {"version": version, "data": [{"title": "Ada", "paragraphs": paragraphs}]}
    table = read(tmp_path, squad)
    columns = columns_of(table)
    assert list(columns)[:6] == [
        "id", "title", "context", "question", "answers.text", "answers.answer_start",
    ]  # fmt: skip
    assert columns["answers.text"] == [["Ada"], []][: len(questions)]
    assert columns["answers.answer_start"] == [[4], []][: len(questions)]
    assert columns["context"] == ["It is Ada."] * len(questions)
    assert "a row is a question" in table.notes[0]


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ({"data": [{"a": 1}, {"a": 2}]}, "the objects in 'data'."),
        ({"version": 2, "rows": [{"a": 1}, {"a": 2}]}, "in 'rows'; left out: 'version'."),
        ({"r": {"n": 2, "docs": [{"a": 1}, {"a": 2}]}}, "the objects in 'r.docs'."),
        ({"tags": ["x"], "items": [{"a": 1}, {"a": 2}]}, "in 'items'; left out: 'tags'."),
    ],
)
def test_the_only_list_of_objects_is_the_rows(tmp_path: Path, value: Any, note: str) -> None:
    table = read(tmp_path, value)
    assert columns_of(table) == {"a": [1, 2]}
    assert note in table.notes[0]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"train": [{"a": 1}], "test": [{"a": 2}]}, "several lists of objects: 'train', 'test'"),
        ({"x": {"a": 1, "b": 2}, "y": {"a": 3, "b": 4}}, "got an object of 'x', 'y'"),
        ({"columns": ["a", "b"], "data": [[1, 2], [3]]}, "row 1: 'columns' names 2 columns, and"),
        ({"columns": ["a", "a"], "data": [[1, 2]]}, "has 2 columns named 'a'"),
        ({"columns": ["a"], "index": [1, 2], "data": [[1]]}, "2 labels, and there are 1 rows"),
        ([[1, 2], [3]], "row 1: expected a list of 2 values, as in row 0, got 1"),
        ({"data": [{"title": "t", "paragraphs": [{"context": "c"}]}]}, "a list of questions"),
        ("5", "got a number"),
        ('"x"', "got a string"),
    ],
)
def test_values_of_no_layout_or_several_are_refused(tmp_path: Path, value: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(tmp_path, value)


def test_the_rows_of_an_object_of_objects_have_columns_of_one_kind(tmp_path: Path) -> None:
    people = {"ada": {"age": 36, "town": "Ulm"}, "bo": {"age": 4, "town": "Bonn"}}
    expected = {"index": ["ada", "bo"], "age": [36, 4], "town": ["Ulm", "Bonn"]}
    assert columns_of(read(tmp_path, people)) == expected
    turned = {"age": {"ada": 36, "bo": 4}, "town": {"ada": "Ulm", "bo": "Bonn"}}
    assert columns_of(read(tmp_path, turned)) == expected


def test_where_both_fit_the_rows_are_those_that_are_more_which_is_said(tmp_path: Path) -> None:
    words = {name: {"de": f"{name} de", "fr": f"{name} fr"} for name in ("one", "two", "six")}
    table = read(tmp_path, words)
    assert table.columns == ["index", "de", "fr"]
    assert "its outer keys, which are more, were read as the rows" in table.notes[1]
