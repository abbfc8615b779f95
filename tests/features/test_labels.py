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
        ("a;a", "the label 'a' is given twice"),
        (None, "the labels are missing; give an empty list if none applies"),
        (3, "labels must be a list of names, or a string with ';' between them, got 3"),
        ([2.5], "label 0 must be a name"),
    ],
)
def test_malformed_values_are_refused(value: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        LabelsFeature().fit(["a;b"]).encode(value)


def test_values_without_any_label_and_an_empty_separator_are_refused() -> None:
    with pytest.raises(DataError, match="there is no label in the 2 training rows"):
        LabelsFeature().fit(["", []])
    with pytest.raises(OptionError, match="separator must be at least one character"):
        LabelsFeature(separator="")


def test_labels_of_other_parts_alone_are_known_and_not_learned() -> None:
    feature = LabelsFeature().fit([["a", "b"], ["c"]])
    feature.mark_never_learned({0})
    for each in (feature, LabelsFeature.from_json(feature.to_json())):
        assert each.learned() == ["b", "c"]
        assert each.encode(["a"]).tolist() == [1, 0, 0]
