"""Files that are a sequence each, with the labels of a table or of their subfolders."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from elman.data.sources import files_of, read_table
from elman.errors import DataError

Steps = dict[str, Sequence[float]]


def steps_of(number: int, steps: int = 4) -> Steps:
    """Series of different lengths and values for each file."""
    return {
        "speed": [number + 0.5 * step for step in range(steps + number)],
        "pulse": [60.0 + number * step for step in range(steps + number)],
    }


def write_delimited(path: Path, columns: Steps, mark: str = ",") -> None:
    rows = zip(*columns.values(), strict=True)
    lines = [mark.join(columns), *(mark.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def write_tsv(path: Path, columns: Steps) -> None:
    write_delimited(path, columns, "\t")


def write_json_lines(path: Path, columns: Steps) -> None:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_parquet(path: Path, columns: Steps) -> None:
    parquet.write_table(pa.table(columns), path)


def write_feather(path: Path, columns: Steps) -> None:
    feather.write_feather(pa.table(columns), path)


def write_npz(path: Path, columns: Steps) -> None:
    np.savez(path, **{name: np.array(values) for name, values in columns.items()})


def write_npy(path: Path, columns: Steps) -> None:
    array = np.array(list(zip(*columns.values(), strict=True)), [(name, float) for name in columns])
    np.save(path, array)


def files(
    folder: Path, names: Sequence[str], write: Callable[[Path, Steps], None] = write_delimited
) -> Path:
    """Write files of different content into a folder and its subfolders."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, steps_of(number))
    return folder


def labelled(folder: Path, *lines: str, name: str = "labels.csv") -> Path:
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def values(table: Any, name: str) -> list[Any]:
    return [np.asarray(each, float).tolist() for each in table.column(name)]


@pytest.mark.parametrize(
    ("suffix", "write"),
    [
        ("csv", write_delimited),
        ("tsv", write_tsv),
        ("jsonl", write_json_lines),
        ("parquet", write_parquet),
        ("feather", write_feather),
        ("npz", write_npz),
        ("npy", write_npy),
    ],
)
def test_a_file_is_a_sequence_with_the_row_that_names_it(
    tmp_path: Path, suffix: str, write: Callable[[Path, Steps], None]
) -> None:
    folder = files(tmp_path, [f"{name}.{suffix}" for name in "abc"], write)
    labelled(folder, "file,state,age", f"c.{suffix},ok,7", f"a.{suffix},bad,9", f"b.{suffix},ok,8")
    table = read_table(folder)
    assert table.columns == ["file", "state", "age", "speed", "pulse"]
    assert list(table.column("file")) == list("cab")
    assert list(table.column("state")) == ["ok", "bad", "ok"]
    assert values(table, "pulse") == [list(steps_of(n)["pulse"]) for n in (2, 0, 1)]
    assert "labels.csv, line 2" in table.where(0)
    assert table.notes == [
        f"{folder.name}/: 3 files, a sequence each, with the row of labels.csv that names it in "
        "column 'file'; its name without suffix is the id, in column 'file'."
    ]


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("state,name", "ok,{}/{}.csv"),
        ("state,name", "ok,{}/{}"),
        ("state,name", "ok,./{}/{}.csv"),
        ("state,name", "ok,{}\\{}.csv"),
        ("state,name", "ok,walks/{}/{}.csv"),
        ("machine,state,name", "{},ok,{}.csv"),
        ("machine,state,name", "{},ok,{}"),
    ],
)
def test_a_file_is_named_by_path_or_stem_perhaps_with_a_column_of_subfolders(
    tmp_path: Path, header: str, named: str
) -> None:
    places = [("m1", "x"), ("m2", "x"), ("m2", "y")]
    folder = files(tmp_path / "walks", [f"{m}/{name}.csv" for m, name in places])
    labelled(folder, header, *(named.format(*place) for place in reversed(places)))
    table = read_table(folder)
    assert values(table, "speed") == [list(steps_of(n)["speed"]) for n in (2, 1, 0)]
    assert list(table.column("file")) == ["m2/y", "m2/x", "m1/x"]


def test_a_name_without_suffix_is_the_id_where_the_table_calls_its_column_otherwise(
    tmp_path: Path,
) -> None:
    folder = files(tmp_path, ["r07.csv", "r7.csv"])
    labelled(folder, "run,state", "r07,ok", "r7,bad")
    table = read_table(folder)
    assert list(table.column("file")) == ["r07", "r7"]
    assert values(table, "speed") == [list(steps_of(n)["speed"]) for n in (0, 1)]


@pytest.mark.parametrize("name", ["metadata.jsonl", "Labels.tsv", "index.csv"])
def test_the_table_of_labels_may_have_another_usual_name_and_form(
    tmp_path: Path, name: str
) -> None:
    folder = files(tmp_path, ["a.csv", "b.csv"])
    rows = {"file_name": ["a.csv", "b.csv"], "state": ["ok", "bad"]}
    if name.endswith("jsonl"):
        write_json_lines(folder / name, rows)  # type: ignore[arg-type]
    else:
        write_delimited(folder / name, rows, "\t" if name.endswith("tsv") else ",")  # type: ignore[arg-type]
    table = read_table(folder)
    assert list(table.column("state")) == ["ok", "bad"]
    assert len(table) == 2


def test_files_that_are_listed_and_absent_or_there_and_not_listed_are_said(tmp_path: Path) -> None:
    folder = files(tmp_path, ["a.csv", "b.csv", "c.csv"])
    labelled(folder, "file,state", "a.csv,ok", "z.csv,bad", "c.csv,bad")
    table = read_table(folder)
    assert list(table.column("file")) == ["a", "c"]
    assert "labels.csv lists 1 file that does not exist: z.csv (line 3); left out." in table.notes
    unlisted = f"labels.csv does not list 1 file of {folder.name}/: b.csv; left out."
    assert unlisted in table.notes


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["file,state", "a.csv,ok", "a,bad", "b.csv,ok"], "line 2 and line 3 both name"),
        (["file,speed", "a.csv,1", "b.csv,2"], "both have a column 'speed'; rename one"),
        (["who,state", "ann,ok", "bob,bad"], "no column holds the names of the files beside it"),
        (["file,state", "x.csv,ok", "a.csv,ok", "b.csv,ok"], "several files, .*m1.*x.csv and .*m2"),
    ],
)
def test_a_table_of_labels_that_does_not_fit_is_refused(
    tmp_path: Path, lines: list[str], words: str
) -> None:
    folder = files(tmp_path, ["a.csv", "b.csv", "m1/x.csv", "m2/x.csv"])
    labelled(folder, *lines)
    with pytest.raises(DataError, match=words):
        read_table(folder)


def test_labels_are_repeated_in_every_step_where_steps_are_asked_for(tmp_path: Path) -> None:
    folder = files(tmp_path, ["a.csv", "b.csv"])
    labelled(folder, "file,state", "b.csv,bad", "a.csv,ok")
    table = read_table(folder, by_file=True)
    assert list(table.column("file")) == ["b"] * 5 + ["a"] * 4
    assert list(table.column("state")) == ["bad"] * 5 + ["ok"] * 4
    assert table.where(5) == "a.csv, line 2 (labels.csv, line 3)"


def test_subfolders_are_labels_where_files_are_sequences(tmp_path: Path) -> None:
    folder = files(tmp_path, ["ill/a.csv", "ill/b.csv", "well/a.csv"])
    table = read_table(folder, by_file=True)
    assert table.columns == ["label", "file", "speed", "pulse"]
    assert list(dict.fromkeys(table.column("file"))) == ["ill/a", "ill/b", "well/a"]
    assert list(table.column("label"))[-1] == "well"
    assert files_of(folder).labels == ["label", "split"]
    assert read_table(folder).columns == ["speed", "pulse"], "plain rows are concatenated"


def test_subfolders_named_after_parts_give_the_part_of_each_sequence(tmp_path: Path) -> None:
    folder = files(tmp_path, ["train/ill/a.csv", "train/well/b.csv", "test/ill/c.csv"])
    table = read_table(folder, by_file=True)
    rows = zip(table.column("file"), table.column("split"), table.column("label"), strict=True)
    assert set(rows) == {("a", "train", "ill"), ("b", "train", "well"), ("c", "test", "ill")}


def test_files_keep_a_column_of_their_own_with_the_name_of_the_id(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("file,speed\nf1,2\nf2,3\n")
    assert list(read_table(tmp_path, by_file=True).column("file")) == ["f1", "f2"] * 2


def test_two_folders_with_a_file_of_one_name_are_not_joined(tmp_path: Path) -> None:
    folders = [str(files(tmp_path / name, ["a.csv"])) for name in ("one", "two")]
    with pytest.raises(DataError, match="one and two both have a file 'a'"):
        read_table(folders, by_file=True)


def test_the_id_is_the_name_without_suffix_of_a_single_file_too(tmp_path: Path) -> None:
    folder = files(tmp_path, ["run.csv"])
    assert set(read_table(folder / "run.csv", by_file=True).column("file")) == {"run"}


def test_a_readme_beside_files_in_subfolders_is_no_data(tmp_path: Path) -> None:
    folder = files(tmp_path, ["m/a.csv", "m/b.csv"])
    labelled(folder, "file,state", "a.csv,ok", "b.csv,bad")
    (folder / "notes.txt").write_text("Recorded in spring.\n")
    assert list(read_table(folder).column("state")) == ["ok", "bad"]


CASE = Path(__file__).parents[3].parent / "shared" / "cases" / "seqfolder"


@pytest.mark.skipif(not CASE.is_dir(), reason="the shared cases are not here")
def test_the_case_of_a_folder_of_runs_is_read() -> None:
    table = read_table(CASE)
    assert len(table) == 20
    assert {"file", "state", "vibration"} <= set(table.columns)
