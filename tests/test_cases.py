"""Small files that people have, each of a kind that is easily misread: what is right of each.

The kinds are tested beside the code, with inputs made there. These are the files themselves; they
do not come with the project, and without them the tests are skipped.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from elman.data.sources import read_table
from elman.errors import DataError, ElmanError
from elman.models.model import Model
from elman.runs.run import Prepared, prepare
from elman.runs.train import experiment_for, train

CASES = Path(__file__).parents[2] / "shared" / "cases"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the files are not beside the project")


def prepared(name: str, **settings: Any) -> Prepared:
    experiment, source = experiment_for(str(CASES / name), settings)
    return prepare(experiment, source)


def notes_of(ready: Prepared) -> str:
    return "\n".join([*ready.parts.notes, *ready.task.notes])


def trained(name: str, out: Path, **settings: Any) -> Model:
    return train(str(CASES / name), out=out / "run", **({"hidden_size": 16} | settings))


def names_of(ready: Prepared) -> set[Any]:
    target: Any = ready.task.target
    return set(target.names)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_codes_keep_their_zeros(ending: str) -> None:
    ready = prepared(f"label_leading_zeros.{ending}", target="code")
    assert names_of(ready) == {"0010", "010", "0100", "1000"}


def test_a_model_reads_another_format_by_its_own_kinds(tmp_path: Path) -> None:
    model = trained("label_leading_zeros.jsonl", tmp_path, target="code", epochs=2)
    assert model.evaluate("test")["accuracy"] == 1
    assert model.evaluate(str(CASES / "label_leading_zeros.csv"))["accuracy"] == 1


def test_007_and_7_are_two_series() -> None:
    ready = prepared(
        "series_007_and_7.csv", sequence_id="store", time="day", target="sales", horizon=3
    )
    assert list(ready.parts.train.column("store")) == ["007", "7"]


def test_an_id_is_left_out_and_a_code_is_a_category() -> None:
    ready = prepared("churn2.csv", target="churn")
    assert ready.task.input_columns == ("age", "plan", "monthly_fee", "zip")
    assert ready.task.input.kind_of_column("zip") == "category"
    assert "customer_id" in notes_of(ready)
    assert "'zip' is not read as numbers" in notes_of(ready)


def test_an_id_at_the_first_row_alone_is_filled_down() -> None:
    ready = prepared(
        "sentence_id_first_row_only.csv", sequence_id="Sentence #", input="Word", target="Tag"
    )
    lengths = [len(words) for part in ready.parts[:3] if part for words in part.column("Word")]
    assert lengths == [5] * 60
    assert "a blank means the id above" in notes_of(ready)


def test_a_blank_is_no_group() -> None:
    ready = prepared("group_blank.csv", input="text", target="label", group="speaker")
    assert [len(part) for part in ready.parts[:3] if part] == [160, 20, 20]
    assert "belongs to no group" in notes_of(ready)


def test_zeros_and_ones_are_one_of_n_or_any_of_n() -> None:
    assert "one of 2 classes" in prepared("onehot.jsonl", target="label").task.sentence
    assert "any of 3 labels" in prepared("multihot.jsonl", target="labels").task.sentence


def test_the_separator_of_labels_is_seen_and_said() -> None:
    ready = prepared("genres_comma.csv", target="genres:labels")
    assert names_of(ready) == {"comedy", "drama", "war"}
    assert "',' between" in notes_of(ready)
    ready = prepared("tickets-multi.csv", input="Description", target="Tags")
    assert {"logistics", "retention", "money"} < names_of(ready)


def test_names_are_trimmed_and_near_ones_said() -> None:
    ready = prepared("label-space.csv", target="label")
    assert names_of(ready) == {"Yes", "yes", "no"}
    assert "'yes' (60) and 'Yes' (120)" in notes_of(ready)


def test_thousands_marks_are_read_and_said() -> None:
    ready = prepared("thousands.csv", target="price")
    prices = [price for part in ready.parts[:3] if part for price in part.column("price")]
    assert min(prices) > 100_000
    assert "'575,432' is read as 575432" in notes_of(ready)


def test_whole_numbers_are_tokens_like_strings(tmp_path: Path) -> None:
    columns = {"input": "src:symbols", "target": "tgt:symbols"}
    model = trained("seq2seq_int_tokens.jsonl", tmp_path, epochs=1, **columns)
    (written,) = model.predict([[7, 1, 5]])
    assert set(written) <= {str(number) for number in range(10)}
    target = model.task.target
    assert target.as_given([7, 1]) == target.as_given(["7", "1"]) == ["7", "1"]


def test_names_never_learned_are_counted_and_the_score_they_forbid_is_named(
    tmp_path: Path,
) -> None:
    model = trained("lab_yesno.csv", tmp_path, target="label", epochs=2)
    scores = model.scores(str(CASES / "lab_ja.csv"))
    assert any("100 of 200 rows have classes that the model never" in n for n in scores.notes)
    assert "log_loss" in scores.undefined


def test_a_score_that_fits_short_texts_leads(tmp_path: Path) -> None:
    model = trained("glossary-short.tsv", tmp_path, input="DE", target="EN", epochs=1)
    scores = model.scores("test")
    assert scores.main == "sequence_accuracy"
    assert "bleu" in scores.undefined or scores.values["bleu"] >= 0


def test_a_forecast_has_the_zone_and_the_next_hour_of_the_data(tmp_path: Path) -> None:
    model = trained("tz_offset.csv", tmp_path, time="time", target="load", horizon=6, epochs=1)
    times = [str(time).replace(" ", "T") for time in model.forecast()["time"]]
    assert times[0] == "2023-11-30T01:00:00+01:00"


def test_eight_digits_are_a_date(tmp_path: Path) -> None:
    model = trained("yyyymmdd.csv", tmp_path, time="date", target="price", horizon=6, epochs=1)
    assert str(model.forecast()["date"][0]).startswith("2023-10-28")


def test_a_line_of_white_space_ends_a_sentence() -> None:
    table = read_table(CASES / "tab-blank-lines.conll")
    assert len(table) == 60
    assert all("" not in tags for tags in table.column("tags"))


def test_comments_are_no_tokens_however_many_fields_they_have() -> None:
    table = read_table(CASES / "comment_of_two_fields.conll")
    assert len(table) == 60
    assert all("#" not in tokens for tokens in table.column("tokens"))
    assert "60 comment lines" in table.notes[0]


def test_windows_stay_within_their_file() -> None:
    ready = prepared("runs_window", target="vibration", window=10)
    spans = [part.spans.sequence for part in ready.parts[:3] if part and part.spans]
    assert {int(number) for each in spans for number in each} == {0, 1}
    assert "a sequence each" in notes_of(ready)


def test_a_folder_of_sequence_files_has_its_labels_from_a_table() -> None:
    ready = prepared("seqfolder", target="state")
    assert sum(len(part) for part in ready.parts[:3] if part) == 20
    assert names_of(ready) == {"faulty", "ok"}


def test_nested_objects_are_columns_and_lists_of_objects_sequences(tmp_path: Path) -> None:
    table = read_table(CASES / "nested.jsonl")
    assert {"session.user.country", "events.type", "events.meta.dwell"} <= set(table.columns)
    assert table.column("events.type")[0][:2] == ["view", "click"]
    trained("nested.jsonl", tmp_path, target="bought", input="events.type", epochs=1)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("comment-lines.tsv", ["DE", "EN", "Note"]),
        ("preamble.csv", ["text", "label", "score"]),
    ],
)
def test_what_stands_above_a_table_is_skipped_and_said(name: str, columns: list[str]) -> None:
    table = read_table(CASES / name)
    assert table.columns == columns
    assert "were skipped" in table.notes[0]


def test_a_name_may_hold_a_colon() -> None:
    assert "doc:text" in prepared("colon_in_name.csv", target="label").task.input_columns
    ready = prepared("colon_in_name.csv", target="label", input="doc:text")
    assert ready.task.input_columns == ("doc:text",)


def test_the_same_text_is_not_on_both_sides_of_the_split() -> None:
    ready = prepared("dup.csv", target="label")
    train_rows, *others = [set(part.column("text")) for part in ready.parts[:3] if part]
    assert not train_rows & set.union(*others)
    assert "rows have the same text" in notes_of(ready)


def run(script: str, *arguments: str, folder: Path) -> str:
    finished = subprocess.run(
        [sys.executable, str(CASES / script), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout


@pytest.mark.slow
def test_the_index_of_a_frame_is_a_column_and_a_series_of_texts_is_one(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    assert "Error" not in run("frames.py", folder=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("batch_first_later.py", "elman.layers.lstm with gradients (1, 2, 4) | no_grad (1, 2, 4)"),
        ("dropout_later.py", "elman.layers.lstm 0.1"),
        ("gradcheck_data.py", "elman.layers.lstm entries whose finite difference is wrong: 0"),
        ("jit_trace.py", "elman.layers.lstm traced"),
        ("layers/stale_min.py", "right output differs by 0.0"),
    ],
)
def test_a_layer_behaves_as_that_of_torch(script: str, words: str, tmp_path: Path) -> None:
    assert words in run(script, folder=tmp_path)


@pytest.mark.slow
def test_an_exported_program_loads_after_an_import(tmp_path: Path) -> None:
    run("export_then_load.py", folder=tmp_path)
    assert run("export_then_load.py", "load", folder=tmp_path) == "loaded\n"


def test_a_run_does_not_go_on_with_other_data(tmp_path: Path) -> None:
    data = tmp_path / "d.csv"
    shutil.copy(CASES / "hostile" / "keepn.csv", data)
    settings: dict[str, Any] = {"target": "label", "hidden_size": 8, "out": tmp_path / "run"}
    train(str(data), epochs=1, **settings)
    with data.open("a") as file:
        file.write("red dog great,pos\n")
    with pytest.raises(ElmanError, match="rows"):
        Model.load(tmp_path / "run").evaluate("test")
    with pytest.raises(ElmanError, match="rows"):
        train(str(data), epochs=1, resume=True, **settings)


HOSTILE = {
    "segv1.feather": "",
    "segv4.arrow": "",
    "flip-bl.feather": "",
    "deep5000.json": "line",
    "sur.jsonl": "line",
    "bom_bad.csv": "line",
    "u16odd.csv": "",
    "huge.npz": "bytes",
    "raw.npz": "",
    "trunc.npz": "",
}
"""File → what its refusal mentions."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_file_is_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(DataError, match=name.replace(".", r"\.")) as refusal:
        read_table(CASES / "hostile" / name)
    assert HOSTILE[name] in str(refusal.value)
    assert "Python objects" not in str(refusal.value)


@pytest.mark.parametrize("name", ["sview.parquet", "sview.arrow", "date.arrow", "bigint.json"])
def test_a_type_is_cast_or_named(name: str) -> None:
    try:
        table = read_table(CASES / "hostile" / name)
    except DataError as refusal:
        assert name in str(refusal)  # noqa: PT017 - either is right
    else:
        assert [len(list(table.column(each))) for each in table.columns].count(len(table))


@pytest.mark.usefixtures("pages")
def test_a_run_with_infinite_scores_finishes(tmp_path: Path) -> None:
    model = trained("hostile/inf_score.jsonl", tmp_path, target="y", epochs=1, learning_rate=1e6)
    assert (tmp_path / "run" / "result.json").is_file()
    assert model.scores("test").count
