"""Rows with the same input stay in one part, or are said to be in several."""

from __future__ import annotations

from typing import Any

import pytest

from elman.experiment import DataSpec
from elman.tasks.dividing import Parts
from elman.tasks.layout import layout_of


def parts_of(columns: dict[str, list[Any]], **data: Any) -> Parts:
    return layout_of(DataSpec.model_validate({"target": "y", **data})).parts(1, columns)


def sentences(different: int) -> list[str]:
    return [f"this is the text with number {n} of many" for n in range(different)]


def inputs_of(parts: Parts) -> list[set[str]]:
    tables = [parts.train, parts.valid, parts.test]
    return [{str(x).strip() for x in table.column("x")} for table in tables if table is not None]


TEXTS = {"x": [text + " " * (k % 2) for k in range(5) for text in sentences(40)], "y": [0, 1] * 100}
LISTS = {"x": [text.split() for text in sentences(40)] * 5, "y": [0, 1] * 100}


@pytest.mark.parametrize("columns", [TEXTS, LISTS], ids=["texts", "lists"])
def test_rows_with_the_same_text_stay_in_one_part_and_are_said(columns: dict[str, Any]) -> None:
    parts = parts_of(columns)
    train, valid, test = inputs_of(parts)
    assert not train & valid
    assert not (train | valid) & test
    assert [len(train), len(valid), len(test)] == [32, 4, 4]
    assert parts.notes == [
        "160 of 200 rows have the same x as a row before them: such rows stay in one part; to "
        'divide them like any others, say --set duplicates=apart (duplicates="apart" in Python).'
    ]


def test_told_apart_they_are_divided_like_others_and_the_overlap_is_said() -> None:
    parts = parts_of(TEXTS, duplicates="apart")
    assert [len(part) for part in (parts.train, parts.valid, parts.test or [])] == [160, 20, 20]
    assert parts.notes[-1] == (
        "20 of 20 test rows have the same input as a training row, so the score there is partly "
        "one of memory."
    )


def test_a_split_of_different_texts_is_what_it_was() -> None:
    columns = {"x": sentences(100), "y": ["a", "b"] * 50}
    together, apart = parts_of(columns), parts_of(columns, duplicates="apart")
    assert together.notes == apart.notes == []
    assert inputs_of(together) == inputs_of(apart)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["red", "blue", "green"] * 40, None),  # names repeat by nature
        ([1.5, 2.5, 3.5] * 40, None),
        (["a fine long text of words", "another long text of words"] * 60, None),  # no tenth of two
        (sentences(20) * 6, "category"),
    ],
)
def test_values_that_repeat_by_nature_are_divided_as_ever(values: list[Any], kind: Any) -> None:
    columns = {"x": values, "y": [0, 1] * 60}
    together = parts_of(columns, input_kind=kind)
    assert not any("stay in one part" in note for note in together.notes)
    apart = parts_of(columns, input_kind=kind, duplicates="apart")
    assert list(together.test.column("y")) == list(apart.test.column("y"))  # type: ignore[union-attr]


def test_empty_texts_are_not_the_same_input() -> None:
    columns = {"x": ["", *sentences(59)] * 2, "y": [0, 1] * 60}
    columns["x"][60:] = [""] * 60
    assert not any("stay in one part" in note for note in parts_of(columns).notes)


def test_a_column_that_splits_decides_and_the_overlap_is_said() -> None:
    columns = {
        "x": sentences(20) * 2,
        "y": [0, 1] * 20,
        "part": ["train"] * 25 + ["valid"] * 5 + ["test"] * 10,
    }
    notes = parts_of(columns, split_column="part").notes
    assert [note.split(" have")[0] for note in notes] == [
        "5 of 5 validation rows",
        "10 of 10 test rows",
    ]


def test_rows_of_other_files_that_were_trained_on_are_counted(tmp_path: Any) -> None:
    files = {}
    for name, chosen in {"train": range(30), "valid": range(30, 40), "test": range(28, 38)}.items():
        texts = sentences(40)
        rows = "".join(f"{texts[k]},{'ab'[k % 2]}\n" for k in chosen)
        files[name] = tmp_path / f"{name}.csv"
        files[name].write_text(f"x,y\n{rows}")
    data = {
        "files": str(files["train"]),
        "valid_files": str(files["valid"]),
        "test_files": str(files["test"]),
        "target": "y",
    }
    parts = layout_of(DataSpec.model_validate(data)).parts(1)
    assert parts.notes == [
        "2 of 10 test rows have the same input as a training row, so the score there is partly one "
        "of memory."
    ]
