"""What the names in a column show: near twins, several in a cell, codes, ids that repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from elman.data.numbers import with_numbers
from elman.data.table import Table
from elman.tasks.check.finding import Finding
from elman.tasks.check.naming import findings_of_names, strays_in
from elman.tasks.check.profile import profile_of


def found(
    values: Sequence[Any], name: str = "x", role: str = "input", kind: str | None = None
) -> list[Finding]:
    table, _ = with_numbers(Table.from_columns({name: values}, "it.csv"), likely=[name])
    profile = profile_of(table, name, role, kind=kind)
    return list(findings_of_names(table, profile, strays_in(table.notes)))


def sentences(findings: Sequence[Finding]) -> list[str]:
    return [finding.sentence for finding in findings]


CITIES = ["Kiel", "kiel", "Kiel ", "Bonn", "Bo\u0308nn", "B\u00f6nn"] * 20


def test_names_that_look_alike_are_shown_with_their_counts() -> None:
    assert sentences(found(CITIES)) == [
        "x has names that differ only in case, spaces, accents or punctuation at the end: 'Kiel' "
        "(20) and 'kiel' (20) and 'Kiel ' (20), 'Bonn' (20) and 'Bo\u0308nn' (20) and 'B\u00f6nn' "
        "(20). They are kept apart; if they are one, write them alike."
    ]


def test_of_a_target_they_are_trimmed_and_composed_and_said_by_the_task_too() -> None:
    (finding,) = found(CITIES, role="target")
    assert "'Kiel' (40) and 'kiel' (20), 'Bonn' (20) and 'B\u00f6nn' (40)" in finding.sentence
    assert finding.said_by_task


def test_where_the_kind_is_given_alike_names_are_said_and_nothing_is_decided() -> None:
    (finding,) = found(CITIES, kind="category")
    assert (finding.code, finding.decided) == ("alike", "")


@pytest.mark.parametrize(
    "values",
    [
        ["Yes", "no"] * 20,
        ["C", "C++", "C#"] * 20,
        [f"a text of its own {n}" for n in range(60)],
        [1, 2, 3] * 20,
    ],
)
def test_names_that_differ_are_no_finding(values: list[Any]) -> None:
    assert found(values) == []


TAGS = ["late;vip", "late", "vip", "new;late", "new"] * 20


def test_several_names_in_a_cell_of_an_input_are_said_with_the_kind_that_splits_them() -> None:
    assert sentences(found(TAGS)) == [
        "x has several names in one cell, with ';' between, such as 'late;vip': it is read as a "
        "category; to read it as labels, say --read x:labels."
    ]


def test_of_a_target_they_are_labels_and_the_other_kind_is_said() -> None:
    (finding,) = found(TAGS, role="target")
    assert finding.said_by_task
    assert finding.sentence == (
        "x has several names in one cell, with ';' between, such as 'late;vip': it is read as "
        "labels; to read it as category, say --target x:category."
    )


def test_a_place_with_its_country_is_one_name() -> None:
    assert found(["Paris, France", "Rome, Italy", "Lyon, France"] * 20) == []


def test_codes_are_categories_and_the_cell_that_shows_it_is_said_once() -> None:
    findings = found(["01067", "80331", "20095"] * 20, "zip")
    assert sentences(findings) == [
        "column 'zip' is not read as numbers: it.csv, row 0 holds '01067', which has a leading "
        "zero, as codes have. It is read as a category; if it holds numbers, say --read zip:number."
    ]


def test_a_word_among_numbers_is_said_with_what_becomes_of_the_column() -> None:
    (finding,) = found(["1.5", "2.5", "3.5", "about 3"] * 20, "size")
    assert finding.sentence == (
        "column 'size' is not read as numbers: it.csv, row 3 holds 'about 3', which is no number; "
        "20 of 80 cells are such, too many to leave out. It is read as a category; if it holds "
        "numbers, correct these cells, or leave them empty; to keep it so, say "
        "--read size:category."
    )


def test_whole_numbers_that_are_too_large_are_codes() -> None:
    (finding,) = found([2**60 + n % 9 for n in range(60)])
    assert finding.sentence == (
        "x holds codes: whole numbers with a leading zero, or too large to be exact. It is read as "
        "a category; if it holds numbers, say --read x:number."
    )


def test_names_of_which_most_rows_have_their_own_are_said() -> None:
    (finding,) = found([f"{7 * n:05}" for n in range(90)] + ["00000"] * 60, "zip")[1:]
    assert finding.sentence == (
        "zip has 90 names in 150 rows, so that little can be learned of each: it is read as a "
        "category; if it only numbers the rows, leave it out: --ignore zip."
    )


def test_a_number_that_is_called_an_id_is_said_however_few_there_are() -> None:
    (finding,) = found([n % 6 for n in range(300)], "plan_id")
    assert "plan_id is named like an identifier, and has 6 values in 300 rows" in finding.sentence


def test_an_identifier_that_repeats_is_said_with_all_that_it_may_be() -> None:
    assert sentences(found([n % 30 for n in range(300)], "store_id")) == [
        "store_id is named like an identifier, and has 30 values in 300 rows: it is read as a "
        "number; to read it as a category, --read store_id:category; to leave it out, say --ignore "
        "store_id; to keep the rows of one in the same part, say --group store_id."
    ]


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([n % 30 for n in range(300)], "age"),
        ([n % 6 for n in range(300)], "plan_number"),
        ([n % 2 for n in range(300)], "plan_id"),
        (list(range(300)), "store_id"),
        ([n % 30 for n in range(300)], "price_index"),
        ([n % 30 + 0.5 for n in range(300)], "index"),
    ],
)
def test_other_numbers_are_no_identifiers_that_repeat(values: list[float], name: str) -> None:
    assert found(values, name) == []


@pytest.mark.parametrize("values", [TAGS, ["01067", "80331"] * 30, [n % 30 for n in range(300)]])
def test_where_the_kind_is_given_nothing_is_assumed(values: list[Any]) -> None:
    assert found(values, "store_id", kind="category") == []
