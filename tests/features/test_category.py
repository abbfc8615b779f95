"""One of a fixed set of classes."""

from __future__ import annotations

import pytest

from elman.errors import DataError
from elman.features.category import CategoryFeature


def test_names_of_an_input_have_ids_from_one_and_unknown_or_missing_ones_are_zero() -> None:
    feature = CategoryFeature().fit(["red", "blue", None, "", float("nan")])
    assert feature.names == ("blue", "red")
    assert [feature.encode(name).item() for name in ("blue", "red", "green", None, "")] == [
        1, 2, 0, 0, 0,
    ]  # fmt: skip
    assert feature.encoding.ids == (3,)
    assert feature.decode(feature.encode("green")) is None
    assert feature.notes == ["3 missing values count as unknown."]


def test_classes_of_a_target_have_ids_from_zero_and_counts() -> None:
    feature = CategoryFeature(as_target=True).fit(["pos", "neg", "pos"])
    assert feature.names == ("neg", "pos")
    assert feature.counts == (1, 2)
    assert feature.encoding.ids == (2,)
    assert feature.decode(feature.encode("pos")) == "pos"
    assert feature.description == "one of 2 classes"


def test_whole_numbers_are_sorted_by_size_and_decoded_as_numbers() -> None:
    feature = CategoryFeature(as_target=True).fit([10, 2.0, 9])
    assert feature.names == (2, 9, 10)
    assert feature.decode(feature.encode("10")) == 10


def test_true_and_false_are_decoded_as_such() -> None:
    feature = CategoryFeature(as_target=True).fit([True, False])
    assert feature.decode(feature.encode(True)) is True
    assert feature.names == (False, True)


def test_an_unseen_class_is_an_error_with_a_near_miss() -> None:
    feature = CategoryFeature(as_target=True).fit(["English", "French"])
    with pytest.raises(
        DataError,
        match=r"the class 'Englsh' does not occur in .*; did you mean 'English'\? Known classes",
    ):
        feature.encode("Englsh")


@pytest.mark.parametrize("value", [None, "", float("nan")])
def test_a_missing_class_is_an_error(value: object) -> None:
    feature = CategoryFeature(as_target=True).fit(["a", "b"])
    with pytest.raises(DataError, match="the class is missing; fill it in, or leave the row out"):
        feature.encode(value)
    with pytest.raises(DataError, match="the class is missing"):
        CategoryFeature(as_target=True).fit(["a", value])


def test_a_single_class_is_refused_as_target_and_accepted_as_input() -> None:
    with pytest.raises(
        DataError, match=r"at least two classes, and all 3 training values are 'spam'"
    ):
        CategoryFeature(as_target=True).fit(["spam"] * 3)
    assert CategoryFeature().fit(["spam"] * 3).names == ("spam",)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([None, ""], "there is no class in the 2 training rows"),
        ([2.5], "a category must be a name .* For measured numbers use kind 'number'"),
        ([["a"]], r"a category must be a name .* got \['a'\]"),
        (["a", 1], "must be of one type"),
    ],
)
def test_malformed_values_are_refused(values: list[object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        CategoryFeature().fit(values)


def test_classes_that_never_repeat_are_noted() -> None:
    assert CategoryFeature().fit("abc").notes == [
        "each of the 3 classes occurs only once, so nothing can be learned from them."
    ]


def test_spaces_around_a_class_are_dropped_and_said() -> None:
    feature = CategoryFeature(as_target=True).fit(["Yes", "no", "Yes ", "\tno"])
    assert (feature.names, feature.counts) == (("Yes", "no"), (2, 2))
    assert feature.encode(" no").item() == 1
    assert feature.notes == ["spaces around names are dropped in 2 values, such as 'Yes '."]


@pytest.mark.parametrize(
    "pair",
    [("Yes", "yes"), ("not spam", "notspam"), ("Café", "Cafe"), ("ok", "ok."), ("ﬁsh", "fish")],
)
def test_classes_that_look_alike_stay_apart_and_are_said(pair: tuple[str, str]) -> None:
    one, other = pair
    feature = CategoryFeature(as_target=True).fit([one, other, other, "third", "third"])
    assert len(feature.names) == 3
    (note,) = feature.notes
    assert f"{one!r} (1)" in note
    assert f"{other!r} (2)" in note


@pytest.mark.parametrize("pair", [("か", "が"), ("C", "C++"), (":)", ":("), ("a", "b")])
def test_other_classes_are_not_said_to_look_alike(pair: tuple[str, str]) -> None:
    assert CategoryFeature(as_target=True).fit([*pair, *pair]).notes == []


def test_zeros_and_a_one_are_classes_by_its_place_and_come_back_as_such() -> None:
    values = [[0, 1, 0], [1, 0, 0], [0.0, 1.0, 0.0]]
    assert CategoryFeature.seen_in(values) == {"one_hot": True}
    assert CategoryFeature.seen_in([[0, 1], [1, 1]]) == {}
    feature = CategoryFeature(as_target=True, one_hot=True).fit(values)
    assert (feature.names, feature.counts) == ((0, 1, 2), (1, 2, 0))
    assert feature.encode([0, 0, 1]).item() == 2
    assert feature.as_in_data(feature.decode(feature.encode([0, 0, 1]))) == [0, 0, 1]
    assert CategoryFeature.from_json(feature.to_json()).encode([False, True, False]).item() == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([0, 0, 0], "zeros and a single one, got .* for any number of ones use kind 'labels'"),
        ([1, 0], "a list of 3 zeros and ones, one a name, .* with 2 elements"),
        (1, "must be a list of zeros and ones"),
        (None, "the class is missing"),
    ],
)
def test_what_is_not_one_class_among_zeros_is_refused(value: object, words: str) -> None:
    feature = CategoryFeature(as_target=True, one_hot=True).fit([[0, 1, 0], [1, 0, 0]])
    with pytest.raises(DataError, match=words):
        feature.encode(value)


def test_classes_of_other_parts_alone_are_known_and_not_learned() -> None:
    feature = CategoryFeature(as_target=True).fit(["a", "b", "c", "a"])
    feature.mark_never_learned({1})
    for each in (feature, CategoryFeature.from_json(feature.to_json())):
        assert each.names == ("a", "b", "c")
        assert each.learned() == ["a", "c"]
        assert each.encode("b").item() == 1


def test_an_input_that_no_training_row_has_is_found() -> None:
    feature = CategoryFeature().fit(["a", "b"])
    assert feature.never_learned("x") == {0: "x"}
    assert feature.never_learned("a") == feature.never_learned(None) == {}
