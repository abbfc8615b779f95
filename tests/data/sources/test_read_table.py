"""From a path, a glob, a list or a folder to a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from elman.data.sources import read_table
from elman.data.table import Table
from elman.errors import DataError, OptionError


def write(folder: Path, **contents: str) -> None:
    """Write files; `a__b_csv` is a/b.csv."""
    for name, content in contents.items():
        path = folder / ".".join(name.replace("__", "/").rsplit("_", 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def columns_of(table: Table) -> dict[str, list[object]]:
    return {name: list(table.column(name)) for name in table.columns}


def test_a_glob_is_all_its_files_below_each_other(tmp_path: Path) -> None:
    write(tmp_path, b_csv="x,y\n3,c\n", a_csv="x,y\n1,a\n2,b\n", c_tsv="other\n")
    table = read_table(f"{tmp_path}/*.csv")
    assert columns_of(table) == {"x": ["1", "2", "3"], "y": ["a", "b", "c"]}
    assert [table.where(row) for row in range(3)] == [
        "a.csv, line 2",
        "a.csv, line 3",
        "b.csv, line 2",
    ]
    assert table.stored


def test_a_list_of_files_keeps_its_order(tmp_path: Path) -> None:
    write(tmp_path, a_csv="x,y\n1,a\n", b_jsonl='{"y": "b", "x": 2}\n')
    table = read_table([tmp_path / "b.jsonl", str(tmp_path / "a.csv")])
    assert columns_of(table) == {"y": ["b", "a"], "x": ["2", "1"]}


def test_files_with_other_columns_are_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path, a_csv="x,y\n1,a\n", b_csv="x,z\n1,a\n")
    with pytest.raises(
        DataError, match=r"a\.csv and b\.csv have different columns .* has x, y; the second x, z"
    ):
        read_table(tmp_path)


def test_columns_keep_the_types_of_parquet_and_arrow(tmp_path: Path) -> None:
    data = pa.table({"x": pa.array([[1.0], []], pa.list_(pa.float32())), "y": ["a", None]})
    parquet.write_table(data, tmp_path / "it.parquet")
    feather.write_feather(data, tmp_path / "it.feather")
    with (
        pa.OSFile(str(tmp_path / "it.arrow"), "w") as sink,
        pa.ipc.new_stream(sink, data.schema) as stream,
    ):
        stream.write_table(data)
    for name in ("it.parquet", "it.feather", "it.arrow"):
        table = read_table(tmp_path / name)
        assert [x.tolist() for x in table.column("x")] == [[1.0], []]
        assert table.column("x")[0].dtype == np.float32
        assert list(table.column("y")) == ["a", None]
        assert table.where(1) == f"{name}, row 1"


@pytest.mark.parametrize("name", ["it.parquet", "it.feather", "it.arrow"])
def test_what_is_no_parquet_or_arrow_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=rf"{name} cannot be read as \.{name.split('.')[1]}"):
        read_table(tmp_path / name)


def test_an_empty_parquet_file_says_its_columns(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": pa.array([], pa.int64())}), tmp_path / "it.parquet")
    with pytest.raises(DataError, match=r"has no rows; its columns are x\."):
        read_table(tmp_path / "it.parquet")


def test_a_txt_file_is_read_by_its_content(tmp_path: Path) -> None:
    write(
        tmp_path,
        lines_txt="Hello, world.\n\nIt is, is it not?\n",
        columns_txt="text\tlabel\na film\tpos\n",
        sentences_txt="a X\nb Y\n\nc X\n",
    )
    lines = read_table(tmp_path / "lines.txt")
    assert columns_of(lines) == {"text": ["Hello, world.", "It is, is it not?"]}
    assert lines.where(1) == "lines.txt, line 3"
    assert "one text a line" in lines.notes[0]
    assert read_table(tmp_path / "columns.txt").columns == ["text", "label"]
    assert read_table(tmp_path / "sentences.txt").columns == ["tokens", "tags"]


def test_the_format_can_be_given(tmp_path: Path) -> None:
    write(tmp_path, it_data="x\ty\n1\ta\n")
    assert columns_of(read_table(tmp_path / "it.data", format="delimited")) == {
        "x": ["1"],
        "y": ["a"],
    }
    with pytest.raises(OptionError, match="unknown format 'delimitd'; did you mean 'delimited'"):
        read_table(tmp_path / "it.data", format="delimitd")


def test_a_folder_of_texts_named_after_labels(tmp_path: Path) -> None:
    write(
        tmp_path,
        names__Irish_txt="Adam\nAhearn\n",
        names__Czech_txt="Adsit\n",
        names__README_md="x",
    )
    table = read_table(tmp_path / "names")
    assert columns_of(table) == {
        "text": ["Adsit", "Adam", "Ahearn"],
        "label": ["Czech", "Irish", "Irish"],
    }
    assert table.where(2) == "Irish.txt, line 2"


def test_folders_named_after_parts_and_labels(tmp_path: Path) -> None:
    write(tmp_path, train__pos__1_txt="good", train__neg__1_txt="bad", test__pos__1_txt="fine\n!")
    table = read_table(tmp_path)
    assert columns_of(table) == {
        "text": ["fine\n!", "bad", "good"],
        "split": ["test", "train", "train"],
        "label": ["pos", "neg", "pos"],
    }
    assert table.where(0) == "test/pos/1.txt"


@pytest.mark.parametrize(("column", "suffix"), [("audio", "wav"), ("image", "png")])
def test_folders_named_after_labels_hold_sounds_or_pictures(
    tmp_path: Path, column: str, suffix: str
) -> None:
    write(tmp_path, **{f"yes__1_{suffix}": "", f"no__1_{suffix}": "", "README_txt": "about"})
    table = read_table(tmp_path)
    assert list(table.column("label")) == ["no", "yes"]
    assert table.column(column)[1] == str(tmp_path / f"yes/1.{suffix}")


def test_a_table_of_labels_names_the_files(tmp_path: Path) -> None:
    write(tmp_path, labels_csv="file,word\nb.wav,two\na.wav,one\n", a_wav="", b_wav="", c_wav="")
    table = read_table(tmp_path)
    assert columns_of(table) == {
        "audio": [str(tmp_path / "b.wav"), str(tmp_path / "a.wav")],
        "word": ["two", "one"],
    }
    assert table.where(0) == "labels.csv, line 2"
    assert table.notes == [
        f"labels.csv does not list all files of {tmp_path.name}/: 1 file left out."
    ]


def test_a_table_of_labels_that_names_a_missing_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, labels_csv="file,word\na.wav,one\nx.wav,two\nb.wav,three\n", a_wav="", b_wav="")
    with pytest.raises(DataError, match=r"labels\.csv, line 3: there is no file 'x\.wav' in"):
        read_table(tmp_path)
    write(tmp_path, labels_csv="file,word\nx,one\ny,two\n")
    with pytest.raises(
        DataError, match=r"no column holds the names of the files beside it, such as 'a\.wav'"
    ):
        read_table(tmp_path)


def test_audio_without_labels_are_noted(tmp_path: Path) -> None:
    write(tmp_path, a_wav="", b_wav="")
    table = read_table(tmp_path)
    assert table.columns == ["audio"]
    assert "has no labels" in table.notes[0]


def test_a_sound_outside_of_the_folders_of_labels_is_refused(tmp_path: Path) -> None:
    write(tmp_path, yes__a_wav="", b_wav="")
    with pytest.raises(DataError, match=r"LABEL/b\.wav; b\.wav is not\. Move it, or write a table"):
        read_table(tmp_path)


def test_the_parts_of_a_split_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path, train_csv="x,y\n1,a\n", test_csv="x,y\n2,b\n")
    with pytest.raises(DataError, match=r"parts of a split \(test\.csv, train\.csv\)"):
        read_table(tmp_path)


def test_parts_that_a_name_ends_in_are_not_mixed_either(tmp_path: Path) -> None:
    write(tmp_path, Vowels_TRAIN_csv="x,y\n1,a\n", Vowels_TEST_csv="x,y\n2,b\n")
    with pytest.raises(DataError, match=r"parts of a split .*instance '.*Vowels_TRAIN\.csv'"):
        read_table(tmp_path)
    (tmp_path / "Vowels_TRAIN.csv").rename(tmp_path / "other_test.csv")
    assert len(read_table(tmp_path)) == 2


def test_files_of_several_formats_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path, a_csv="x,y\n1,a\n", b_jsonl='{"x": 1}\n')
    with pytest.raises(DataError, match=r"several formats \(delimited, json\)\. Name the files"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("reviws.csv", r"there is no file .*reviws\.csv; did you mean '.*reviews\.csv'\?"),
        ("nothing.xyz", r"there is no file .*nothing\.xyz; .* contains empty/, reviews\.csv"),
        ("nowhere/a.csv", r"there is no folder .*nowhere"),
        ("*.tsv", r"no file matches '.*\*\.tsv'; .* contains empty/, reviews\.csv"),
        ("empty", r"empty contains no readable data; .*empty is empty"),
        ("sheet.ods", r"sheet\.ods is a spreadsheet; save it as \.xlsx, or the sheet as CSV"),
        ("model.bin", r"the suffix '\.bin' belongs to no known format.*name its format, .*: conll"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(tmp_path: Path, name: str, words: str) -> None:
    write(tmp_path, reviews_csv="x,y\n1,a\n")
    (tmp_path / "empty").mkdir()
    if Path(name).suffix in (".ods", ".bin"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=words):
        read_table(str(tmp_path / name))


def test_an_address_is_refused() -> None:
    with pytest.raises(DataError, match=r"is a URL; download it first"):
        read_table("https://example.org/a.csv")
