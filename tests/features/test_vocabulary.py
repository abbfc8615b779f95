"""Names and ids."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elman.errors import DataError
from elman.features.vocabulary import NameCounter, Vocabulary, as_name, unseen


def test_names_are_sorted_by_count_then_by_name() -> None:
    vocabulary = Vocabulary.from_counts({"b": 2, "a": 2, "c": 5, "d": 1})
    assert vocabulary.names == ("c", "a", "b", "d")
    assert vocabulary.counts == (5, 2, 2, 1)
    assert vocabulary.ids(["c", "a", "zebra"]) == [1, 2, 0]


def test_rare_names_and_those_beyond_the_maximum_size_are_left_out() -> None:
    counts = {"b": 2, "a": 2, "c": 5, "d": 1}
    assert Vocabulary.from_counts(counts, min_count=2).names == ("c", "a", "b")
    assert Vocabulary.from_counts(counts, max_size=2).names == ("c", "a")


def test_names_may_be_sorted_without_regard_to_counts() -> None:
    vocabulary = Vocabulary.by_name({"b": 1, "c": 5, "a": 2}, unknown=True)
    assert (vocabulary.names, vocabulary.counts) == (("a", "b", "c"), (2, 1, 5))
    assert vocabulary.find("a") == 1
    assert Vocabulary.by_name({10: 1, 9: 1}, unknown=False).find(9) == 0


def test_without_an_unknown_id_the_names_begin_at_zero() -> None:
    vocabulary = Vocabulary.from_counts({"x": 1, "y": 3}, unknown=False)
    assert [vocabulary.find(name) for name in ("y", "x", "z")] == [0, 1, None]
    assert len(vocabulary) == 2
    assert vocabulary.name(0) == "y"


@given(st.lists(st.text()), st.booleans())
def test_an_id_is_decoded_to_its_name(names: list[str], unknown: bool) -> None:
    vocabulary = Vocabulary.from_counts(Counter(names), unknown=unknown)
    for name in names:
        index = vocabulary.find(name)
        assert index is not None
        assert vocabulary.name(index) == name
    assert len(vocabulary) == len(set(names)) + unknown


def test_an_id_that_does_not_exist_is_refused() -> None:
    vocabulary = Vocabulary(["a"], [1])
    assert vocabulary.name(0) is None
    for index in (-1, 2):
        with pytest.raises(DataError, match=rf"ids run from 0 to 1, got {index}"):
            vocabulary.name(index)


def test_a_number_and_the_string_of_its_digits_are_one_name() -> None:
    assert Vocabulary(["3", "x"], [1, 1]).find(3) == 1
    assert Vocabulary([2, 3], [1, 1]).find("3") == 2
    assert Vocabulary([False, True], [1, 1]).find("True") == 2
    assert Vocabulary([2, 3], [1, 1]).find(True) is None


@pytest.mark.parametrize(
    ("value", "name"),
    [("a", "a"), (3, 3), (3.0, 3), (np.int16(3), 3), (np.float32(2), 2), (np.bool_(True), True)],
)
def test_strings_whole_numbers_and_truths_are_names(value: object, name: object) -> None:
    assert as_name(value, "a tag") == name
    assert type(as_name(value, "a tag")) is type(name)


def test_other_values_are_no_names() -> None:
    with pytest.raises(DataError, match=r"a tag must be a name .*got 2.5. For measured numbers"):
        as_name(2.5, "a tag")
    with pytest.raises(DataError, match=r"a tag must be a name .*got \['x'\]\.$"):
        as_name(["x"], "a tag")


def test_names_of_two_types_are_refused_with_an_example_of_each() -> None:
    counter = NameCounter("a category")
    counter.add("yes")
    with pytest.raises(
        DataError, match=r"got 1 \(a whole number\) after 'yes' \(a string\); make them"
    ):
        counter.add(1)
    truths = NameCounter("a category")
    truths.add(True)
    with pytest.raises(DataError, match=r"got 1 \(a whole number\) after True \(true or false\)"):
        truths.add(1)


def test_an_unseen_name_is_reported_with_the_nearest_and_ten_known_names() -> None:
    names = [f"tag{place}" for place in range(18)]
    message = str(unseen("tag", "tagg3", names, "Correct it."))
    assert message.startswith(
        "the tag 'tagg3' does not occur in the training rows; did you mean 'tag3'"
    )
    assert message.endswith("tag9, … (18 in all). Correct it.")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"names": ["a", 1], "counts": [1, 1], "unknown": True}, "must all be strings, whole"),
        ({"names": [1.5], "counts": [1], "unknown": True}, "must all be strings, whole"),
        ({"names": ["a", "a"], "counts": [1, 1], "unknown": True}, "its names must be unique"),
        (
            {"names": ["a"], "counts": [], "unknown": True},
            "its names must be unique, each with its count",
        ),
        ({"names": ["a"], "counts": [1]}, "it must hold"),
    ],
)
def test_malformed_json_is_refused(state: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        Vocabulary.from_json(state, "text")
