"""Columns that are ignored or read in any case, by name; names of none are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from elman.errors import DataError, ExperimentError
from elman.runs.check import check_data
from elman.runs.run import Prepared, prepare
from elman.runs.train import experiment_for
from roads import write_csv

ROWS = 60


def table(folder: Path) -> Path:
    header = ["id", "size", "zip", "day", "who", "y"]
    rows = [
        [3 * n, n % 7, f"{n % 9:03}", f"2024-01-{n % 28 + 1:02}", f"w{n % 12}", "ab"[n % 2]]
        for n in range(ROWS)
    ]
    return write_csv(folder / "t.csv", header, rows)


def prepared(folder: Path, **settings: Any) -> Prepared:
    return prepare(experiment_for(str(table(folder)), {"target": "y"} | settings)[0])


def test_what_is_ignored_is_not_read_and_the_rest_is(tmp_path: Path) -> None:
    assert prepared(tmp_path).task.input_columns == ("size", "zip", "who")
    assert prepared(tmp_path, ignore=["who", "size"]).task.input_columns == ("zip",)


def test_a_column_is_read_beside_the_others_where_it_would_be_left_out(tmp_path: Path) -> None:
    columns = {"id": {}}
    assert prepared(tmp_path, columns=columns).task.input_columns == ("id", "size", "zip", "who")


def test_a_kind_is_told_from_the_name_of_a_column_that_is_read(tmp_path: Path) -> None:
    ready = prepared(tmp_path, columns={"zip:number": {}})
    assert ready.experiment.data.columns == {"zip": {"kind": "number"}}
    assert ready.task.input.kind_of_column("zip") == "number"


def test_the_calendar_of_a_column_of_dates_can_be_the_input(tmp_path: Path) -> None:
    ready = prepared(tmp_path, input="day:date")
    assert ready.task.input_columns == ("day",)
    assert ready.task.input.encoding.numbers == 7


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ignore": ["siz"]}, "unknown column 'siz'; did you mean 'size'?"),
        ({"columns": {"siz": {}}}, "unknown column 'siz'; did you mean 'size'?"),
        ({"columns": {"siz:number": {}}}, "unknown column 'siz'; did you mean 'size'?"),
        ({"ignore": ["y"]}, r"column 'y' is ignored \(data.ignore, --ignore\) and named by data.t"),
        ({"ignore": ["size"], "input": ["size"]}, "and named by data.input; leave it out of one"),
        ({"ignore": ["who"], "group": "who"}, "and named by data.group; leave it out of one"),
        ({"ignore": ["id"], "columns": {"id": {}}}, "and named by data.columns; leave it out"),
        ({"ignore": ["size", "id", "zip", "who"]}, "no input column is left"),
    ],
)
def test_names_that_contradict_the_table_are_refused(
    tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ExperimentError, match=words):
        prepared(tmp_path, **settings)


def test_the_ignored_column_of_a_wide_table_is_no_step(tmp_path: Path) -> None:
    header = [*(f"t{n}" for n in range(12)), "y"]
    rows = [[*(0.5 * n * k for k in range(12)), "ab"[n % 2]] for n in range(ROWS)]
    path = write_csv(tmp_path / "w.csv", header, rows)
    ready = prepare(experiment_for(str(path), {"target": "y", "ignore": ["t11"]})[0])
    assert ready.task.input_columns == ("series",)
    assert len(ready.parts.train.column("series")[0]) == 11


def test_a_saved_experiment_reads_the_same_rows_in_the_order_of_their_dates(
    tmp_path: Path,
) -> None:
    ready = prepared(tmp_path, split_order="time")
    assert "rows are split in the order of day, the latest for the test." in ready.parts.notes
    assert ready.parts.test is not None
    days = [max(part.column("day")) for part in (ready.parts.train, ready.parts.valid)]
    assert days[0] <= min(ready.parts.valid.column("day"))
    assert days[1] <= min(ready.parts.test.column("day"))
    again = prepare(ready.experiment)
    assert again.parts.test is not None
    assert list(map(str, again.parts.test.column("id"))) == list(
        map(str, ready.parts.test.column("id"))
    )


def ambiguous(folder: Path) -> Path:
    """Write a table of dates of which day and month look alike."""
    rows = [[f"{n % 12 + 1:02}/{n * 5 % 12 + 1:02}/2023", n % 7, "ab"[n % 2]] for n in range(ROWS)]
    return write_csv(folder / "d.csv", ["when", "size", "y"], rows)


def test_a_date_that_has_two_readings_is_refused_with_its_line_and_an_option_that_works(
    tmp_path: Path,
) -> None:
    path, settings = str(ambiguous(tmp_path)), {"target": "y"}
    with pytest.raises(DataError, match=r"d.csv, line 3, column when: '02/06/2023' is") as caught:
        prepare(experiment_for(path, {**settings, "columns": {"when:date": {}}})[0])
    options = re.findall(r"--read (\S+[^.\s])", str(caught.value))
    assert options == ["when:date:%d/%m/%Y", "when:date:%m/%d/%Y"]
    months = []
    for option in options:
        said = {**settings, "columns": {"when:date": {}, option: {}}}
        ready = prepare(experiment_for(path, said)[0])
        feature = ready.task.input.feature_of("when")
        months.append(feature.decode(feature.encode("02/06/2023")))
    assert months == ["2023-06-02", "2023-02-06"]


def test_rows_are_split_by_dates_whose_format_is_said(tmp_path: Path) -> None:
    path, settings = str(ambiguous(tmp_path)), {"target": "y", "split_order": "time"}
    notes = prepare(experiment_for(path, settings)[0]).parts.notes
    (note,) = [note for note in notes if "the order in which they stand" in note]
    assert note.endswith("Say --set data.time_format=%d/%m/%Y or --set data.time_format=%m/%d/%Y.")
    for said in ({"time_format": "%d/%m/%Y"}, {"columns": {"when:date:%d/%m/%Y": {}}}):
        parts = prepare(experiment_for(path, {**settings, **said})[0]).parts
        assert "rows are split in the order of when, the latest for the test." in parts.notes
        assert parts.test is not None
        assert {cell[3:5] for cell in parts.test.column("when")} == {"12", "11"}


def test_two_columns_of_dates_are_said_to_be_the_reason_for_the_order(tmp_path: Path) -> None:
    rows = [
        [f"2023-01-{n % 28 + 1:02}", f"2023-02-{n % 28 + 1:02}", n % 7, "ab"[n % 2]]
        for n in range(ROWS)
    ]
    path = write_csv(tmp_path / "t.csv", ["start", "end", "size", "y"], rows)
    ready = prepare(experiment_for(str(path), {"target": "y", "split_order": "time"})[0])
    assert (
        "rows are split in the order in which they stand, because both start and end hold dates."
        in ready.parts.notes
    )
    assert not any("--set split_order" in note for note in ready.parts.notes)


def test_a_word_among_dates_is_an_assumption_that_strict_refuses(tmp_path: Path) -> None:
    rows = [
        ["never" if n % 9 == 2 else f"2023-01-{n % 28 + 1:02}", "ab"[n % 2]] for n in range(ROWS)
    ]
    path = str(write_csv(tmp_path / "n.csv", ["since", "y"], rows))
    with pytest.raises(ExperimentError, match=r"n.csv, line 4, column since: 'never' is no date"):
        check_data(experiment_for(path, {"target": "y"})[0]).check.refuse_assumptions()


def test_cells_without_a_date_are_counted_by_the_check_and_in_training(tmp_path: Path) -> None:
    rows = [
        ["N/A" if n % 5 == 0 else f"2023-01-{n % 28 + 1:02}", n % 7, "ab"[n % 2]]
        for n in range(ROWS)
    ]
    path = str(write_csv(tmp_path / "n.csv", ["since", "size", "y"], rows))
    checked = check_data(experiment_for(path, {"target": "y"})[0]).check
    assert "since holds 'N/A' in 12 cells, where the date is missing." in checked.sentences
    assert next(each for each in checked.profiles if each.name == "since").missing == 12
    ready = prepare(experiment_for(path, {"target": "y", "columns": {"since:date": {}}})[0])
    (note,) = [note for note in ready.task.notes if "missing" in note]
    assert re.fullmatch(
        r"since: (\d+) dates are missing, and marked as such: 'N/A' in \1 cells\.", note
    )
