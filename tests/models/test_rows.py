"""Rows come back with their answers, in every format, as they went in."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

import elman
from elman.data.sinks import write_table
from elman.data.sources.standard_input import read_standard_input
from elman.errors import DataError, OptionError
from elman.models.model import Model
from elman.models.rows import rows_from_standard_input
from roads import ROADS, untrained

REVIEWS = {"id": [7, 8, 9], "text": ["a fine film", "a dull plot, dull", "great"]}


def predicted_table(model: Model, source: Any, *, probabilities: bool = False) -> dict[str, Any]:
    table = model.table(source, with_targets=False)
    return model.predictor.columns(table, probabilities=probabilities)


def written(columns: dict[str, Any], as_format: str) -> bytes:
    stream = io.BytesIO()
    write_table(columns, None, as_format, stream)
    return stream.getvalue()


def test_answers_stand_beside_the_rows_under_the_name_of_the_target(tmp_path: Path) -> None:
    model = untrained(ROADS["text to a class"], tmp_path).model
    table = predicted_table(model, REVIEWS)
    assert list(table) == ["id", "text", "label"]
    assert table["id"] == REVIEWS["id"]
    assert table["label"] == model.predict(REVIEWS["text"])


def test_the_truth_is_not_overwritten_by_the_answer(tmp_path: Path) -> None:
    model = untrained(ROADS["text to a class"], tmp_path).model
    table = predicted_table(model, {**REVIEWS, "label": ["good", "bad", "good"]})
    assert table["label"] == ["good", "bad", "good"]
    assert table["predicted label"] == model.predict(REVIEWS["text"])


def test_every_name_has_a_column_of_its_probability_on_request(tmp_path: Path) -> None:
    model = untrained(ROADS["text to a class"], tmp_path).model
    table = predicted_table(model, REVIEWS, probabilities=True)
    answers, likely = model.predict(REVIEWS["text"], probabilities=True)
    assert table["label"] == answers
    names = getattr(model.task.target, "names")  # noqa: B009
    for place, name in enumerate(names):
        np.testing.assert_allclose(table[f"p({name})"], [row[place] for row in likely])
    assert np.add(table["p(good)"], table["p(bad)"]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "rows", "words"),
    [
        ("text to a class", {"text": ["fine"]}, None),
        (
            "text to a class",
            {"text": [" "]},
            "the data, row 0: text is empty; predicted all the sa",
        ),
        (
            "text to a class",
            {"text": ["fine", "", "great", "\t"]},
            "text is empty in 2 rows, the first the data, row 1; predicted all the same, from no i",
        ),
        (
            "tokens to tags",
            {"tokens": [["He"], []]},
            "the data, row 1: tokens is empty; there is nothing to predict.",
        ),
        (
            "measurements to a number",
            {"rooms": [None], "area": [80.5]},
            "1 of 1 row has no number in rooms, where no training row lacks one (the data, row 0)",
        ),
    ],
)
def test_rows_without_anything_to_read_are_counted_and_the_first_is_named(
    name: str, rows: dict[str, Any], words: str | None, tmp_path: Path
) -> None:
    model = untrained(ROADS[name], tmp_path).model
    notes = model.predictor.notes_of(model.table(rows, with_targets=False))
    assert [note.startswith(words or "") for note in notes] == ([] if words is None else [True])


def test_a_row_without_one_of_its_texts_is_said_though_it_has_another(tmp_path: Path) -> None:
    rows = {
        "title": ["late parcel", "refund", "broken door"] * 20,
        "body": ["where is it", "I want my money", "send a new one"] * 20,
        "size": [1.5, 2.5, 3.5] * 20,
        "label": ["a", "b", "c"] * 20,
    }
    texts = ["title:text", "body:text", "size"]
    settings: dict[str, Any] = {"input": texts, "target": "label", "epochs": 1, "hidden_size": 3}
    model = elman.train(rows, out=tmp_path / "run", **settings)
    later = {"title": ["refund", "", " "], "body": ["why", "when", None], "size": [1.0, 2.0, 3.0]}
    assert sorted(model.predictor.notes_of(model.table(later, with_targets=False))) == [
        "the data, row 2: body is empty; predicted all the same, from the other columns.",
        "title is empty in 2 rows, the first the data, row 1; predicted all the same, from the "
        "other columns.",
    ]


def test_a_row_without_a_token_has_an_answer_without_a_tag(tmp_path: Path) -> None:
    model = untrained(ROADS["tokens to tags"], tmp_path).model
    columns = predicted_table(model, {"tokens": [["He"], []]})
    assert [len(tags) for tags in columns["tags"]] == [1, 0]


@pytest.mark.parametrize("name", ["measurements to a number", "tokens to tags"])
def test_probabilities_are_refused_where_a_row_has_none(name: str, tmp_path: Path) -> None:
    model, parts = untrained(ROADS[name], tmp_path)
    words = re.escape(f"one target a row; this model's task is {ROADS[name].sentence}.")
    with pytest.raises(OptionError, match=words):
        predicted_table(model, parts.valid, probabilities=True)


@pytest.mark.parametrize("name", list(ROADS))
@pytest.mark.parametrize("as_format", ["csv", "jsonl", "parquet"])
def test_every_kind_of_answer_can_be_written_in_every_format(
    name: str, as_format: str, tmp_path: Path
) -> None:
    model, parts = untrained(ROADS[name], tmp_path)
    columns = predicted_table(model, parts.valid)
    content = written(columns, as_format)
    if as_format == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
    elif as_format == "jsonl":
        rows = [json.loads(line) for line in content.decode().splitlines()]
    else:
        rows = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
    assert len(rows) == len(parts.valid)
    assert all(list(row) == list(columns) for row in rows)
    last = list(columns)[-1]
    for row, value in zip(rows, columns[last], strict=True):
        if as_format != "csv":
            np.testing.assert_equal(np.asarray(row[last]), np.asarray(value))
        elif isinstance(value, str):
            assert row[last] == value
        elif isinstance(value, float):
            assert float(row[last]) == value
        elif isinstance(value, list):
            assert row[last].split() == value
        else:
            np.testing.assert_allclose(json.loads(row[last]), value)


def test_text_with_commas_quotes_and_other_scripts_survives(tmp_path: Path) -> None:
    texts = ['he said "no", and left', "Ωmega\nnew line", "電影"]
    model = untrained(ROADS["text to a class"], tmp_path).model
    columns = predicted_table(model, {"text": texts})
    rows = list(csv.DictReader(io.StringIO(written(columns, "csv").decode(), newline="")))
    assert [row["text"] for row in rows] == texts
    lines = written(columns, "jsonl").decode().splitlines()
    assert [json.loads(line)["text"] for line in lines] == texts
    assert "電影" in lines[2]


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.csv", b'"id","text"'), ("b/a.jsonl", b'{"id": 7'), ("a.parquet", b"PAR")],
)
def test_a_file_s_name_says_its_format_and_its_folder_is_made(
    name: str, begins: bytes, tmp_path: Path
) -> None:
    write_table(REVIEWS, tmp_path / name, None, io.BytesIO())
    assert (tmp_path / name).read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("out", "as_format", "words"),
    [
        ("a.cvs", None, r"unknown output suffix '\.cvs'; did you mean '\.csv'\?"),
        (None, "jsnl", r"unknown format 'jsnl'; did you mean 'jsonl'\?"),
    ],
)
def test_an_unknown_format_is_refused_with_its_near_miss(
    out: str | None, as_format: str | None, words: str, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=words):
        write_table(REVIEWS, None if out is None else tmp_path / out, as_format, io.BytesIO())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"id,text\n7,a fine film\n8,dull\n",
        b"id;text\n7;a fine film\n8;dull\n",
        b'{"id": 7, "text": "a fine film"}\n{"id": 8, "text": "dull"}\n',
        b'[{"id": 7, "text": "a fine film"}, {"id": 8, "text": "dull"}]',
        b'\xef\xbb\xbf{"id": 7, "text": "a fine film"}\n{"id": 8, "text": "dull"}',
        b"\xef\xbb\xbfid,text\r\n7,a fine film\r\n8,dull\r\n",
    ],
)
def test_rows_are_read_from_a_stream_whether_csv_or_json(content: bytes) -> None:
    table = read_standard_input(io.BytesIO(content))
    assert table.columns == ["id", "text"]
    assert list(map(int, table.column("id"))) == [7, 8]
    assert list(table.column("text")) == ["a fine film", "dull"]


@pytest.mark.parametrize("name", [name for name, road in ROADS.items() if "time" in road.settings])
def test_a_long_table_on_standard_input_is_laid_out_as_a_file_of_it(
    name: str, tmp_path: Path
) -> None:
    model = untrained(ROADS[name], tmp_path).model
    path = ROADS[name].write(tmp_path)
    from_file = predicted_table(model, path)
    with path.open("rb") as stream:
        table = rows_from_standard_input(model, stream)
    given = predicted_table(model, table)
    assert list(given) == list(from_file)
    assert list(given.values())[-1] == list(from_file.values())[-1]
    assert "standard input, line" in table.where(1)


def test_a_list_on_standard_input_is_a_sequence_of_its_own(tmp_path: Path) -> None:
    model = untrained(ROADS["windows to the next value"], tmp_path).model
    table = rows_from_standard_input(model, io.BytesIO(b'{"celsius": [1, 2, 3, 4, 5, 6, 7, 8]}'))
    assert len(predicted_table(model, table)["next_celsius"]) == 1


def test_a_single_object_with_a_list_is_one_row() -> None:
    table = read_standard_input(io.BytesIO(b'{"tokens": ["the", "cat"]}\n'))
    assert list(table.column("tokens")) == [["the", "cat"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "standard input is empty; it must contain rows of CSV or JSON lines"),
        (b" \n\n", "standard input is empty"),
        (b'{"id": 7}\n{"id": 8\n', "standard input, line 2"),
        (b"id,text\n7,a\n8\n", "standard input, line 3"),
    ],
)
def test_a_malformed_stream_is_refused_with_its_line(content: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read_standard_input(io.BytesIO(content))
    assert tempfile.gettempdir() not in str(caught.value)


def test_a_value_that_cannot_be_taken_names_its_row(tmp_path: Path) -> None:
    model = untrained(ROADS["measurements to a class"], tmp_path).model
    rows = b"length,width,colour\n1.5,0.5,red\nlong,0.5,red\n"
    with pytest.raises(DataError, match=r"standard input, .*length"):
        predicted_table(model, read_standard_input(io.BytesIO(rows)))


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    model = untrained(ROADS["text to a class"], tmp_path).model
    with pytest.raises(DataError, match=r"the data: unknown column 'text'; did you mean 'txt'\?"):
        predicted_table(model, {"txt": ["a"]})


def test_a_series_is_forecast_beyond_its_last_row(tmp_path: Path) -> None:
    road = ROADS["windows to the next value"]
    model = untrained(road, tmp_path).model
    length = model.experiment.data.window
    rows = [{"day": day, "celsius": float(day)} for day in range(length + 2)]
    table = predicted_table(model, rows)
    answers = table[model.task.target_columns[0]]
    assert len(answers) == 3
    assert answers[-1] == model.predict([[row["celsius"] for row in rows[-length:]]])[0]


def test_dates_are_written_as_text() -> None:
    columns = {"day": [date(2021, 3, 4)], "days": [[date(2021, 3, 4), date(2021, 3, 5)]]}
    (line,) = written(columns, "jsonl").decode().splitlines()
    assert json.loads(line) == {"day": "2021-03-04", "days": ["2021-03-04", "2021-03-05"]}
    assert b"2021-03-04 2021-03-05" in written(columns, "csv")
