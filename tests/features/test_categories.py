"""Several columns of categories beside each other: ids, gaps, and what is refused."""

from __future__ import annotations

import json

import pytest

from elman.errors import DataError
from elman.features.categories import Categories


def learned() -> Categories:
    categories = Categories(["sky", "open", "route"])
    categories.count("sky", ["wet", "dry", None, "  ", "dry"])
    categories.count("open", [True, False, True])
    categories.count("route", ["10", "9", "10"])
    categories.learn()
    return categories


def test_names_have_ids_from_one_by_alphabet_size_or_truth() -> None:
    categories = learned()
    assert categories.ids("sky", ["dry", "wet"]).tolist() == [1, 2]
    assert categories.ids("open", [True, False]).tolist() == [2, 1]
    assert categories.ids("route", ["9", "10"]).tolist() == [1, 2]
    assert [categories.size(name) for name in categories.columns] == [3, 3, 3]


def test_what_is_missing_or_unknown_has_the_id_zero() -> None:
    assert learned().ids("sky", [None, "", " ", float("nan"), "hail"]).tolist() == [0] * 5


def test_a_name_is_the_same_in_a_file_without_types() -> None:
    categories = learned()
    assert categories.ids("open", ["true", "FALSE"]).tolist() == [2, 1]
    assert categories.ids("route", [10, 9.0]).tolist() == [2, 1]
    assert categories.ids("sky", [" wet "]).tolist() == [2]


def test_unknown_names_are_listed_as_often_as_they_occur() -> None:
    assert learned().unknown("sky", ["hail", "wet", None, "hail "]) == ["hail", "hail"]


def test_gaps_are_those_of_the_training_cells_and_are_noted() -> None:
    categories = Categories(["sky"])
    categories.count("sky", ["wet", None, "dry"])
    assert categories.learn() == ["column 'sky': 1 missing training value: read as unknown."]
    assert categories.has_gaps("sky")
    assert not learned().has_gaps("open")


def test_names_and_changes_are_counted_as_often_as_they_occur() -> None:
    categories = Categories(["sky"])
    categories.count("sky", ["wet ", "wet ", "Wet", "wet"])
    assert categories.learn() == [
        "column 'sky': spaces around names are dropped in 2 values, such as 'wet '.",
        "column 'sky': names that differ only in case, spaces, accents or punctuation at the end "
        "are kept apart: 'wet' (3) and 'Wet' (1); if they are one, write them alike.",
    ]


def test_categories_are_alike_after_a_round_trip_through_json() -> None:
    state = json.loads(json.dumps(learned().to_json()))
    restored = Categories.from_json(state, "forecast")
    assert restored.to_json() == learned().to_json()
    assert restored.ids("sky", ["dry", "hail", "wet"]).tolist() == [1, 0, 2]
    assert restored.has_gaps("sky")
    assert restored.columns == ("sky", "open", "route")


def test_a_malformed_state_is_refused() -> None:
    with pytest.raises(DataError, match="a feature of kind 'forecast' is malformed"):
        Categories.from_json({"sky": {"vocabulary": {}, "gaps": False}}, "forecast")
    with pytest.raises(DataError, match="a feature of kind 'forecast' is malformed"):
        Categories.from_json({"sky": ["wet"]}, "forecast")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([None, ""], "column 'sky' is missing in all training rows; leave the column out"),
        (["wet", 3], r"all names in column 'sky' must be of one type, got 3"),
        ([0.5], "column 'sky' must be a name"),
    ],
)
def test_cells_that_are_no_names_are_refused_with_their_column(
    cells: list[object], words: str
) -> None:
    categories = Categories(["sky"])
    with pytest.raises(DataError, match=words):
        _learn(categories, cells)


def _learn(categories: Categories, cells: list[object]) -> None:
    categories.count("sky", cells)
    categories.learn()
