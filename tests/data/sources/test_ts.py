"""The UEA/UCR archive's format: series, labels as written, and what is refused."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from elman import train
from elman.data.sources import read_table
from elman.errors import DataError

VOWELS = """# Japanese vowels, shortened
@problemName Vowels
@timeStamps false
@missing true
@univariate false
@dimensions 2
@equalLength false
@classLabel true 01 1 x y
@data
1.5,1.25,?:0.5,-1e2,NaN:01
2,3:4,5:1
"""


def write(folder: Path, content: str, name: str = "it_TRAIN.ts") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_dimensions_are_numbers_a_step_and_labels_keep_their_spelling(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, VOWELS))
    assert table.columns == ["series", "label"]
    first, second = table.column("series")
    np.testing.assert_array_equal(first, [[1.5, 0.5], [1.25, -100], [np.nan, np.nan]])
    np.testing.assert_array_equal(second, [[2, 4], [3, 5]])
    assert list(table.column("label")) == ["01", "1"]
    assert [table.where(row) for row in range(2)] == [
        "it_TRAIN.ts, line 10",
        "it_TRAIN.ts, line 11",
    ]
    assert table.notes == []


def test_one_dimension_is_a_plain_series(tmp_path: Path) -> None:
    content = "@univariate true\n@CLASSLABEL\ttrue a b\n@DATA\n 1, 2,3 : a\n\n4,5,6:b\n"
    table = read_table(write(tmp_path, content))
    assert [series.tolist() for series in table.column("series")] == [[1, 2, 3], [4, 5, 6]]
    assert list(table.column("label")) == ["a", "b"]


def test_a_number_to_predict_is_a_target(tmp_path: Path) -> None:
    content = "@univariate true\n@targetlabel true\n@data\n1,2:0.5\n3,4:?\n"
    assert list(read_table(write(tmp_path, content)).column("target")) == [0.5, None]


def test_cases_without_labels_are_noted(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "@univariate true\n@classLabel false\n@data\n1,2\n3,4\n"))
    assert table.columns == ["series"]
    assert "has no labels" in table.notes[0]


def test_a_compressed_file_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "it.ts.gz"
    path.write_bytes(gzip.compress(VOWELS.encode()))
    assert len(read_table(path)) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (VOWELS + "1,2:3,4:z\n", "line 12: the label 'z' is not among .*: 01, 1, x, y"),
        (
            VOWELS.replace("@equalLength false", "@equalLength true"),
            "line 11: the case has 2 steps",
        ),
    ],
)
def test_cases_unlike_the_header_are_noted(tmp_path: Path, content: str, words: str) -> None:
    (note,) = read_table(write(tmp_path, content)).notes
    assert re.search(words, note)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (VOWELS + "1,2:3,4\n", "line 12: the label is missing"),
        (VOWELS + "1,2:01\n", "line 12: expected 2 dimensions, as in line 10, got 1"),
        (
            VOWELS + "1,2:3,4,5:x\n",
            "line 12: the dimensions of a case must be equally long, got 2, 3",
        ),
        (VOWELS + "1,2:3,four:x\n", "line 12: value 2 of dimension 2 is 'four'"),
        (VOWELS + "1,2:3,:x\n", "line 12: value 2 of dimension 2 is ''"),
        (VOWELS + "(0,1.5),(1,2):(0,3),(1,4):x\n", "line 12: the steps have timestamps"),
        (VOWELS.replace("timeStamps false", "timeStamps true"), "has timestamps at its steps"),
        (VOWELS.partition("1.5")[0], "has no cases after its line @data"),
        (VOWELS.partition("@data")[0], "has no line @data"),
        ("1,2,3:a\n", "line 1: a case stands before the line @data"),
        ("@problemName x\n@data\n1,2:a\n", "does not say whether its cases have labels"),
        ("@targetLabel true\n@data\n1,2:a\n", "line 3: the target 'a' is no number"),
        ("", "is empty"),
    ],
)
def test_malformed_files_are_refused_with_the_line(
    tmp_path: Path, content: str, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read_table(write(tmp_path, content))


@pytest.mark.usefixtures("pages")
def test_a_training_and_a_test_file_are_all_that_is_needed(tmp_path: Path) -> None:
    header = "@univariate false\n@dimensions 2\n@classLabel true 1 2\n@data\n"
    lines = [f"{n},{n + 1},{n % 3}:0.5,{n % 2},1:{1 + n % 2}\n" for n in range(24)]
    training = write(tmp_path, header + "".join(lines))
    test = write(tmp_path, header + "".join(lines[:6]), "it_TEST.ts")
    train(
        str(training), test_files=[str(test)], target="label", epochs=1, hidden_size=3,
        out=tmp_path / "run",
    )  # fmt: skip
    assert (tmp_path / "run" / "report.html").exists()
