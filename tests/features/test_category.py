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
