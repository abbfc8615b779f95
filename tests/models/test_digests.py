"""Digests of rows depend on what the columns hold, not on how a file writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import elman
from elman.data.sources import read_table
from elman.data.table import Table
from elman.models.digests import digest_of_part, digests_of
from elman.models.model import Model
from elman.models.trained_on import DataRecord, TrainedOn
from elman.training.progress import NoProgress
from roads import NEXT_CHARACTER, ROADS, untrained

WORDS = ["good", "bad", "fine", "dull", "great", "weak"]


def digests(task: Any, columns: dict[str, list[Any]]) -> list[int]:
    return list(digests_of(task, Table.from_columns(columns, origin="new")).tolist())


def test_a_row_has_the_same_digest_in_every_format(tmp_path: Path) -> None:
    model, _ = untrained(ROADS["measurements to a number"], tmp_path)
    columns = [*model.task.input_columns, *model.task.target_columns]
    rows = [dict(zip(columns, (7, "hill", 0.25, 1, 2), strict=False)) for _ in range(2)]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    lines = [",".join(columns), *(",".join(map(str, row.values())) for row in rows)]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    as_texts = {name: [str(row[name]) for row in rows] for name in columns}
    tables = [
        read_table(tmp_path / "a.jsonl"),
        read_table(tmp_path / "a.csv"),
        Table.from_columns(as_texts, origin="texts"),
        Table.from_columns({name: [row[name] for row in rows] for name in columns}, origin="it"),
    ]
    found = {tuple(digests_of(model.task, table).tolist()) for table in tables}
    assert len(found) == 1
    (same,) = found
    assert same[0] == same[1]


def test_symbols_and_labels_are_the_same_in_a_list_and_in_a_text(tmp_path: Path) -> None:
    tags, _ = untrained(ROADS["tokens to tags"], tmp_path)
    listed = digests(tags.task, {"tokens": [["in", "Oslo"]], "tags": [["O", "B"]]})
    assert listed == digests(tags.task, {"tokens": ["in Oslo"], "tags": [" O  B"]})
    assert listed != digests(tags.task, {"tokens": ["in Oslo"], "tags": ["B O"]})
    labels, _ = untrained(ROADS["text to several labels"], tmp_path)
    (column,) = labels.task.target_columns
    mark = getattr(labels.task.target, "separator", ";")
    listed = digests(labels.task, {"text": ["a film"], column: [["x", "y"]]})
    assert listed == digests(labels.task, {"text": ["a film"], column: [f"y{mark}x"]})


def test_what_only_looks_like_the_end_of_a_number_is_a_name(tmp_path: Path) -> None:
    model, _ = untrained(ROADS["tokens to tags"], tmp_path)
    names = ["E-71", "e5", "+", ".", "-.5e3"]
    tags = [model.task.target.names[0]] * len(names)
    columns = dict(
        zip((*model.task.input_columns, *model.task.target_columns), ([names], [tags]), strict=True)
    )
    assert len(digests(model.task, columns)) == 1


def test_rows_that_differ_in_any_column_have_other_digests(tmp_path: Path) -> None:
    model, _ = untrained(ROADS["text to a class"], tmp_path)
    texts = ["a", "b", "a b", "", None, "a", "010", "10"]
    labels = ["good", "good", "good", "good", "good", "bad", "good", "good"]
    found = digests(model.task, {"text": texts, "label": labels})
    assert found[3] == found[4]  # an empty text and a missing one are the same
    assert len(set(found)) == len(texts) - 1


def test_a_part_has_another_digest_in_another_order(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["text to a class"], tmp_path)
    rows = digests_of(model.task, parts.train)
    assert digest_of_part(rows) == digest_of_part(rows.copy())
    assert digest_of_part(rows) != digest_of_part(rows[::-1])


def reviews(count: int) -> dict[str, list[str]]:
    texts = [f"{WORDS[n % 6]} {WORDS[n // 6 % 6]} film {n}" for n in range(count)]
    return {"text": texts, "label": ["pos" if n % 2 else "neg" for n in range(count)]}


def trained(source: Any, out: Path, **settings: Any) -> Model:
    settings = {"target": "label", "input_kind": "text", "epochs": 1, "hidden_size": 3} | settings
    return elman.train(source, out=out, progress=NoProgress(), **settings)


def test_evaluating_on_training_rows_is_said(tmp_path: Path) -> None:
    model = trained(reviews(60), tmp_path / "run")
    new = reviews(80)
    said = "48 of 80 rows are training rows of this model; scores on"
    assert any(note.startswith(said) for note in model.scores(new).notes)
    assert any(note.startswith(said) for note in elman.load(tmp_path / "run").scores(new).notes)
    unseen = {name: values[60:] for name, values in new.items()}
    assert model.scores(unseen).notes == ()


def test_of_more_rows_than_are_kept_a_sample_estimates_the_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("elman.models.trained_on.MOST_DIGESTS", 100)
    model = trained(reviews(400), tmp_path / "run")
    assert (tmp_path / "run" / "model" / "rows.safetensors").stat().st_size < 100 * 8 + 400
    loaded = elman.load(tmp_path / "run")
    assert loaded.trained_on is not None
    assert not loaded.trained_on.complete
    assert model.trained_on is not None
    np.testing.assert_array_equal(loaded.trained_on.digests, model.trained_on.digests)
    (note,) = loaded.scores(reviews(400)).notes
    share = int(note.removeprefix("about ").split("%")[0])
    assert 65 <= share <= 95  # 320 of 400
    assert "% of 400 rows are training rows" in note


def test_time_steps_that_a_forecast_was_trained_on_are_counted(tmp_path: Path) -> None:
    days = np.arange("2024-01-01", "2024-04-10", dtype="datetime64[D]").astype(str).tolist()
    rows = [
        {"day": day, "shop": shop, "sales": float((n * step) % 11)}
        for step, shop in ((3, "north"), (7, "south"))
        for n, day in enumerate(days)
    ]
    settings = {"target": "sales", "time": "day", "sequence_id": "shop", "horizon": 5}
    path = tmp_path / "sales.csv"
    path.write_text(
        "day,shop,sales\n" + "".join(f"{r['day']},{r['shop']},{r['sales']}\n" for r in rows)
    )
    model = elman.train(path, out=tmp_path / "run", progress=NoProgress(), epochs=1, **settings)
    (note,) = [note for note in model.scores(path).notes if "training time steps" in note]
    assert note.startswith("158 of 198 time steps are training time steps of this model")
    later = tmp_path / "later.csv"
    later.write_text(path.read_text().replace("2024", "2028"))
    assert not [note for note in model.scores(later).notes if "training time steps" in note]


def test_a_model_without_digests_evaluates_as_before(tmp_path: Path) -> None:
    trained(reviews(60), tmp_path / "run")
    (tmp_path / "run" / "model" / "rows.safetensors").unlink()
    model = elman.load(tmp_path / "run")
    assert model.trained_on is None
    assert model.scores(reviews(60)).notes == ()


def test_a_record_says_what_differs() -> None:
    record = DataRecord(
        columns=["a"],
        rows={"train": 8, "test": 2},
        digests={"train": "x", "test": "y"},
        features="",
    )
    assert record.difference(record) == ""
    other = record.model_copy(update={"digests": {"train": "x", "test": "z"}})
    assert record.difference(other) == "10 rows, as many as then; other test rows"
    more = other.model_copy(update={"rows": {"train": 9, "test": 2}, "digests": {}})
    assert record.difference(more) == "10 rows then, 11 now; other training and test rows"


def test_digests_come_back_from_their_file(tmp_path: Path) -> None:
    record = DataRecord(columns=[], rows={}, digests={}, features="")
    kept = TrainedOn(record, np.array([3, 2**63 + 5, 2**64 - 1], np.uint64), complete=True)
    kept.save(tmp_path / "rows.safetensors")
    again = TrainedOn.load(record, tmp_path / "rows.safetensors")
    np.testing.assert_array_equal(again.digests, kept.digests)
    assert again.complete


def test_blank_lines_are_nobody_s_training_rows(tmp_path: Path) -> None:
    model, _ = untrained(NEXT_CHARACTER, tmp_path)
    (column,) = model.task.input_columns
    assert digests(model.task, {column: ["", "a", None, " \n"]})[0] == 0
    known = {"text": [f"line {n}\n" if n % 2 else "\n" for n in range(60)]}
    trained = elman.train(
        known, out=tmp_path / "run", target="next", epochs=1, hidden_size=3, progress=NoProgress()
    )
    assert trained.scores({"text": ["\n", "new\n", "\n"]}).notes == ()
    (note,) = trained.scores({"text": ["\n", "line 1\n", "\n"]}).notes
    assert note.startswith("1 of 3 rows is a training row of this model")
