"""The check of a whole table: roles, findings in their order, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from elman.errors import DataError, ExperimentError
from elman.experiment import Experiment
from elman.runs.check import Checked, check_data
from elman.runs.run import prepare
from elman.runs.train import experiment_for
from roads import write_csv, write_json_lines

ROWS = 120


def checked(path: Path, **settings: Any) -> Checked:
    experiment, _ = experiment_for(str(path), settings)
    return check_data(experiment)


def customers(folder: Path, rows: int = ROWS) -> Path:
    """A table as a business has it."""
    header = ["customer_id", "since", "country", "plan", "zip", "fee", "share", "state", "left"]
    lines = [
        [
            10_000 + 7 * n,
            f"{n % 28 + 1:02}.{n % 12 + 1:02}.2023",
            "DE",
            ("Basic", "basic", "Pro")[n % 3],
            f"{(7919 * n) % 90_000:05}",
            f"{n % 50 + 1},{n % 89 + 10} €",
            f"{n % 41} %",
            ("gone", "active", "trial")[n % 2 * (1 + n // 2 % 2)],
            "" if n % 40 == 39 else ("yes", "no")[n % 2],
        ]
        for n in range(rows)
    ]
    return write_csv(folder / "customers.csv", header, lines)


def test_every_column_has_a_line_with_its_role_and_kind(tmp_path: Path) -> None:
    check, problem = checked(customers(tmp_path), target="left")
    assert problem == ""
    assert [(each.name, each.role, each.kind) for each in check.profiles] == [
        ("customer_id", "left out", "number"),
        ("since", "left out", "date"),
        ("country", "left out", "category"),
        ("plan", "input", "category"),
        ("zip", "input", "category"),
        ("fee", "input", "number"),
        ("share", "input", "number"),
        ("state", "input", "category"),
        ("left", "target", "category"),
    ]
    assert check.parts == {"train": 93, "valid": 12, "test": 12}


def test_findings_come_in_the_order_in_which_they_matter(tmp_path: Path) -> None:
    check, _ = checked(customers(tmp_path), target="left")
    assert [each.code for each in check.findings] == [
        "unanswered", "dates", "constants", "identifiers", "answers", "alike", "codes",
        "own names", "validation",
    ]  # fmt: skip
    assert any("'1,10 €' is read as 1.1" in note for note in check.notes)
    assert not any("zip" in note for note in check.notes), "said by a finding already"


def test_what_was_found_is_among_the_notes_of_a_run_once(tmp_path: Path) -> None:
    experiment, _ = experiment_for(str(customers(tmp_path)), {"target": "left"})
    prepared = prepare(experiment)
    notes = [*prepared.parts.notes, *prepared.task.notes]
    assert sum("customer_id has a value of its own" in note for note in notes) == 1
    assert sum("'zip' is not read as numbers" in note for note in notes) == 1
    assert len(set(notes)) == len(notes)
    assert prepared.experiment.data.input == ["plan", "zip", "fee", "share", "state"]


def test_strictness_refuses_every_assumption_at_once_with_its_settings(tmp_path: Path) -> None:
    path = customers(tmp_path)
    experiment, _ = experiment_for(str(path), {"target": "left", "strict": True})
    with pytest.raises(ExperimentError) as refusal:
        prepare(experiment)
    words = str(refusal.value)
    assert words.startswith(
        "data.strict (--strict) refuses what would be assumed about customers.csv: (1) 3 of 120 "
        "rows of customers.csv have no left: fill in what is missing, or remove such rows; (2) "
    )
    for part in (
        "customer_id has a value of its own in each row, as an identifier has: say --ignore "
        "customer_id or --read customer_id; ",
        "state gives left away: each of its 3 values has one left alone: say --ignore state or "
        "--read state; ",
        "as codes have: say --read zip:category or --read zip:number; ",
    ):
        assert part in words


def test_once_all_is_said_nothing_is_refused(tmp_path: Path) -> None:
    rows = [[n, "DE", ("a", "b")[n % 2], n % 7, ("yes", "no")[n % 2]] for n in range(ROWS)]
    path = write_csv(tmp_path / "t.csv", ["id", "country", "flag", "size", "left"], rows)
    settings = {"target": "left", "strict": True, "ignore": ["id", "country"]}
    experiment, _ = experiment_for(str(path), settings | {"columns": {"flag": {}}})
    prepared = prepare(experiment)
    assert prepared.task.input_columns == ("flag", "size")
    with pytest.raises(ExperimentError, match="flag repeats left"):
        prepare(experiment_for(str(path), settings)[0])


def test_columns_that_cannot_be_read_together_are_checked_all_the_same(tmp_path: Path) -> None:
    rows = [[f"a text of its own number {n}", n % 7, "ab"[n % 2]] for n in range(ROWS)]
    check, _ = checked(write_csv(tmp_path / "t.csv", ["text", "size", "y"], rows), target="y")
    assert [each.kind for each in check.profiles] == ["text", "number", "category"]


def test_without_a_target_all_columns_are_what_may_be_read(tmp_path: Path) -> None:
    check, problem = checked(customers(tmp_path))
    assert {each.role for each in check.profiles} == {"input", "left out"}
    assert problem == ""


def test_rows_that_cannot_be_divided_are_checked_and_the_reason_is_said(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", ["x", "y"], [[1, "a"]])
    check, problem = checked(path, target="y")
    assert [each.name for each in check.profiles] == ["x", "y"]
    assert (check.parts, problem.startswith("t.csv has 1 row, too few")) == (None, True)


def test_columns_with_other_roles_are_named_after_them(tmp_path: Path) -> None:
    rows = [[f"s{n // 6}", n % 6, 0.5 * n, n % 5, "ab"[n // 6 % 2]] for n in range(240)]
    path = write_csv(tmp_path / "t.csv", ["who", "day", "x", "z", "y"], rows)
    check, _ = checked(path, target="y", sequence_id="who", time="day", ignore="z")
    assert {each.name: (each.role, each.kind) for each in check.profiles} == {
        "who": ("sequence id", ""),
        "day": ("time", ""),
        "x": ("input", "series"),
        "z": ("ignored", ""),
        "y": ("target", "category"),
    }
    settings = {"target": "x", "sequence_id": "who", "time": "day", "input": ["x", "z"]}
    check, _ = checked(path, window=4, **settings)
    assert {each.name: each.role for each in check.profiles} == {
        "who": "sequence id", "day": "time", "x": "input, target", "z": "input", "y": "left out",
    }  # fmt: skip


def test_the_columns_of_a_forecast_have_their_roles(tmp_path: Path) -> None:
    rows = [[n, n % 12 + 0.5, n % 7, n % 3, "DE"] for n in range(200)]
    path = write_csv(tmp_path / "t.csv", ["t", "sales", "price", "staff", "land"], rows)
    check, _ = checked(path, target="sales", time="t", horizon=3, known="price", ignore="land")
    assert {each.name: each.role for each in check.profiles} == {
        "t": "time", "sales": "target", "price": "known", "staff": "input", "land": "ignored",
    }  # fmt: skip


def test_the_next_step_of_a_text_has_no_target(tmp_path: Path) -> None:
    rows = [[n, f"a line of its own, number {n}"] for n in range(ROWS)]
    check, _ = checked(write_csv(tmp_path / "t.csv", ["id", "line"], rows), target="next")
    assert [(each.name, each.role) for each in check.profiles] == [
        ("id", "left out"),
        ("line", "input"),
    ]


def test_tags_are_told_from_labels_by_the_steps_beside_them(tmp_path: Path) -> None:
    words = [{"w": [f"w{n}", "b", "c"], "t": ["X", "Y", "Z"]} for n in range(60)]
    check, _ = checked(write_json_lines(tmp_path / "t.jsonl", words), target="t")
    assert [each.kind for each in check.profiles] == ["symbols", "symbols"]


def test_rows_that_repeat_are_found_and_kept_together(tmp_path: Path) -> None:
    rows = [[f"a text of its own number {n // 2}", "ab"[n % 2]] for n in range(ROWS)]
    path = write_csv(tmp_path / "t.csv", ["text", "y"], rows)
    check, _ = checked(path, target="y")
    (finding,) = (each for each in check.findings if each.code == "duplicates")
    assert finding.decided == "such rows stay in one part"
    check, _ = checked(path, target="y", duplicates="together", strict=True)
    check.refuse_assumptions()


def test_a_check_is_json(tmp_path: Path) -> None:
    check, _ = checked(customers(tmp_path), target="left")
    described = check.to_json()
    assert described["rows"] == 117
    assert described["columns"][3] == {
        "name": "plan", "role": "input", "kind": "category",
        "why": "3 different names, repeated", "missing": 0, "distinct": 3, "example": "Basic",
        "steps": None,
    }  # fmt: skip
    assert described["findings"][2]["code"] == "constants"


def test_values_in_python_are_checked() -> None:
    values = {"id": list(range(60)), "x": [n % 5 for n in range(60)], "y": ["a", "b"] * 30}
    empty = Experiment.from_values({"data": {"target": "y"}}, origin="it")
    check, _ = check_data(empty, values)
    assert [each.role for each in check.profiles] == ["left out", "input", "target"]
    with pytest.raises(DataError):
        check_data(empty, {"x": object()})
