"""Any number of a fixed set of labels."""

from __future__ import annotations

import pytest
import torch

from elman.errors import DataError, OptionError
from elman.features.labels import LabelsFeature


def test_names_become_zeros_and_ones_in_the_order_of_the_alphabet() -> None:
    feature = LabelsFeature().fit([["war", "drama"], ["comedy"], []])
    assert feature.names == ("comedy", "drama", "war")
    assert feature.counts == (1, 1, 1)
    assert feature.encode(["war", "comedy"]).tolist() == [1.0, 0.0, 1.0]
    assert feature.decode(torch.tensor([0.0, 1.0, 1.0])) == ["drama", "war"]
    assert feature.encoding.numbers == 3
    assert feature.notes == ["1 of 3 values have no label."]


def test_a_string_is_split_at_the_separator_and_an_empty_one_has_no_label() -> None:
    feature = LabelsFeature(separator="|").fit(["a | b", "c"])
    assert feature.encode("c|a").tolist() == [1.0, 0.0, 1.0]
    assert feature.encode("").tolist() == feature.encode([]).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            "a;x",
            "the label 'x' does not occur in the training rows. Known labels: a, b. Correct it",
        ),
        (3, "labels must be a list of names, or a string with ';' between them, got 3"),
        ([2.5], "label 0 must be a name"),
    ],
)
def test_malformed_values_are_refused(value: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        LabelsFeature().fit(["a;b"]).encode(value)


def test_a_missing_value_has_no_label() -> None:
    feature = LabelsFeature().fit([["a"], None, "", float("nan"), ["b", " "]])
    assert feature.notes == ["3 of 5 values have no label."]
    assert feature.encode(None).tolist() == [0.0, 0.0]


def test_a_label_given_twice_counts_once_and_is_said() -> None:
    feature = LabelsFeature(separator=",").fit(["a, b, a", "b"])
    assert feature.counts == (1, 2)
    assert feature.encode("b,b").tolist() == feature.encode(["b", "b "]).tolist() == [0.0, 1.0]
    assert "a label is given twice in 1 of 2 values; it counts once." in feature.notes


@pytest.mark.parametrize(
    ("values", "separator"),
    [
        (["logistics, retention", "money", "bug, money"], ","),
        (["a;b", "b", "c"], ";"),
        (["a | b", "c"], "|"),
        (["Smith, John; Doe, Jane", "Doe, Jane", "Roe, Jim"], ";"),
        (["indoor/outdoor, dry", "dry", "wet, dry"], ","),
        (["red/blue", "red", "blue"], "/"),
        (["one", "two"], None),
        ([["a", "b"], ["b"]], None),
    ],
)
def test_the_separator_is_seen_in_the_values(values: list[object], separator: str | None) -> None:
    options = LabelsFeature.seen_in(values)
    assert options == ({} if separator is None else {"separator": separator})
    feature = LabelsFeature(**options).fit(values)
    several = [note for note in feature.notes if "several labels" in note]
    assert bool(several) == (separator is not None)


def test_zeros_and_ones_are_labels_by_their_place_and_come_back_as_such() -> None:
    values = [[0, 1, 1], [1, 0, 0], [0, 0, 0], None]
    assert LabelsFeature.seen_in(values) == {"multi_hot": True}
    feature = LabelsFeature(multi_hot=True).fit([[0, 1, 0], [False, False, True], [0.0, 1.0, 1.0]])
    assert (feature.names, feature.counts) == ((0, 1, 2), (0, 2, 2))
    assert feature.encode([1, 0, 1]).tolist() == [1.0, 0.0, 1.0]
    assert feature.encode(None).tolist() == [0.0, 0.0, 0.0]
    decoded = feature.decode(torch.tensor([1, 0, 1]))
    assert (decoded, feature.as_in_data(decoded)) == ([0, 2], [1, 0, 1])
    assert LabelsFeature.from_json(feature.to_json()).as_in_file(decoded) == [1, 0, 1]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1, 0], r"a list of 3 zeros and ones, one a name, got \[1, 0\] with 2 elements"),
        ([1, 2, 0], r"must be a list of zeros and ones, one a name, got \[1, 2, 0\]"),
        (["0", "1", "0"], "must be a list of zeros and ones"),
        ("b", "must be a list of zeros and ones, one a name, got 'b'"),
    ],
)
def test_what_is_no_list_of_zeros_and_ones_is_refused(value: object, words: str) -> None:
    feature = LabelsFeature(multi_hot=True).fit([[0, 1, 0], [1, 0, 0]])
    with pytest.raises(DataError, match=words):
        feature.encode(value)


def test_labels_of_strings_are_strings_in_a_file_and_lists_in_python() -> None:
    feature = LabelsFeature(separator=",").fit(["war,drama", "war"])
    assert feature.as_in_data(["drama", "war"]) == ["drama", "war"]
    assert feature.as_in_file(["drama", "war"]) == "drama,war"
    assert LabelsFeature().fit([["war"]]).as_in_file(["war"]) == ["war"]


def test_names_are_trimmed_and_composed_and_those_alike_are_said() -> None:
    feature = LabelsFeature().fit([["War ", "war"], ["cafe\u0301"], ["café", "War"]])
    assert feature.names == ("War", "café", "war")
    assert feature.counts == (2, 2, 1)
    assert feature.notes == [
        "spaces around names are dropped in 1 value, such as 'War '.",
        "letters with separate accents are composed (Unicode NFC) in 1 value.",
        "names that differ only in case, spaces, accents or punctuation at the end are kept apart: "
        "'War' (2) and 'war' (1); if they are one, write them alike.",
    ]


def test_values_without_any_label_and_an_empty_separator_are_refused() -> None:
    with pytest.raises(DataError, match="there is no label in the 2 training rows"):
        LabelsFeature().fit(["", []])
    with pytest.raises(OptionError, match="separator must be at least one character"):
        LabelsFeature(separator="")
    with pytest.raises(OptionError, match="leave one of them out"):
        LabelsFeature(separator=",", multi_hot=True)


def test_labels_of_other_parts_alone_are_known_and_not_learned() -> None:
    feature = LabelsFeature().fit([["a", "b"], ["c"]])
    feature.mark_never_learned({0})
    for each in (feature, LabelsFeature.from_json(feature.to_json())):
        assert each.learned() == ["b", "c"]
        assert each.encode(["a"]).tolist() == [1, 0, 0]
