"""Several targets of a row, encoded side by side, each of which may be missing."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from elman.errors import DataError, OptionError
from elman.features.category import CategoryFeature
from elman.features.joint import JointFeature, lacks_target
from elman.features.kinds import feature_from_json
from elman.features.labels import LabelsFeature
from elman.features.number import NumberFeature
from elman.features.series import SeriesFeature
from elman.features.symbols import SymbolsFeature

PRIORITY, HOURS = ["high", "low", "mid"], [1.0, 3.0, 2.0]


def rows() -> JointFeature:
    return JointFeature(
        {
            "priority": CategoryFeature(as_target=True).fit(PRIORITY),
            "hours": NumberFeature(as_target=True).fit(HOURS),
            "tags": LabelsFeature().fit(["a;b", "c"]),
        }
    )


def steps() -> JointFeature:
    return JointFeature(
        {
            "pos": SymbolsFeature(as_target=True).fit([["N", "V", "N"]]),
            "load": SeriesFeature(as_target=True).fit([[1.0, 3.0]]),
        }
    )


def test_a_row_is_the_encodings_of_its_targets_side_by_side() -> None:
    feature = rows()
    high = 1 / math.sqrt(2 / 3)
    expected = [1, high, 0, 1, 1]
    assert feature.encode(["low", 3, "b;c"]).tolist() == pytest.approx(expected)
    assert feature.widths == [1, 1, 3]
    assert (feature.has_steps, feature.objectives) == (False, ("joint",))
    assert feature.encoding.numbers == 5
    words = "one of 3 classes (priority), a number (hours) and any of 3 labels (tags)"
    assert feature.description == words


def test_a_step_is_too() -> None:
    feature = steps()
    encoded = feature.encode([["V", "N", "V"], [3.0, 1.0, 3.0]])
    assert encoded.tolist() == [[1, 1], [0, -1], [1, 1]]
    assert (feature.has_steps, feature.objectives) == (True, ("step-joint",))
    tags, load = feature.decode(encoded)
    assert tags == ["V", "N", "V"]
    np.testing.assert_allclose(load, [3.0, 1.0, 3.0])


def test_a_row_comes_back_with_a_value_of_each_target() -> None:
    feature = rows()
    for value in (["mid", 2.5, ["a"]], ["high", 1.0, []], [None, 1.5, ["a", "c"]]):
        decoded = feature.decode(feature.encode(value))
        assert decoded == [value[0], pytest.approx(value[1]), value[2]]
    assert feature.as_in_data(["mid", 2.5, ["a"]]) == {
        "priority": "mid",
        "hours": 2.5,
        "tags": ["a"],
    }


def test_a_target_that_is_missing_is_nan_and_labels_may_be_none() -> None:
    encoded = rows().encode([" ", None, ""])
    assert encoded[:2].isnan().all()
    assert encoded[2:].tolist() == [0, 0, 0]
    assert rows().decode(encoded) == [None, None, []]


@pytest.mark.parametrize("absent", [None, "", [], [None, None], np.array([math.nan, math.nan])])
def test_a_sequence_of_targets_that_is_missing_is_nan_at_each_step_of_the_others(
    absent: Any,
) -> None:
    encoded = steps().encode([absent, [3.0, 1.0]])
    assert encoded[:, 0].isnan().all()
    assert encoded[:, 1].tolist() == [1, -1]
    assert steps().encode([absent, None]).shape == (0, 2)


def test_numbers_that_are_whole_are_no_missing_ones() -> None:
    series = SeriesFeature(as_target=True)
    assert not lacks_target(series, np.array([0, 0]))
    assert not lacks_target(series, [0, 0])
    assert not lacks_target(CategoryFeature(as_target=True), False)


def test_each_target_is_learned_from_the_rows_that_have_it() -> None:
    feature = rows().fit([["x", 10, "a"], ["y", None, ""], [None, 30, "b"]])
    parts: Any = feature.targets
    assert parts["priority"].names == ("x", "y")
    assert parts["hours"].scaling.mean.tolist() == [20]
    assert parts["tags"].names == ("a", "b")
    assert feature.notes == ["tags: 1 of 3 values have no label."]


def test_it_comes_back_from_json_the_same() -> None:
    for feature, value in ((rows(), ["mid", 1.25, "a"]), (steps(), [["N"], [2.0]])):
        again = feature_from_json(json.loads(json.dumps(feature.to_json())))
        assert torch.equal(again.encode(value), feature.encode(value))
        assert again.to_json() == feature.to_json()
        assert again.columns == feature.columns


def test_each_column_has_the_traits_of_its_own_feature() -> None:
    feature = rows()
    assert [feature.kind_of_column(name) for name in feature.columns] == [
        "category",
        "number",
        "labels",
    ]
    assert [feature.reads_numbers(name) for name in feature.columns] == [False, True, False]
    assert feature.feature_of("tags") is feature.targets["tags"]


@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [
        (rows(), ["odd", 1, ""], "priority: the class 'odd'|priority: .*'odd'"),
        (rows(), ["low", "many", ""], "hours: the number must be a number, got 'many'"),
        (steps(), [["N"], [1.0, 2.0]], "pos and load must have the same number of steps, got 1"),
        (steps(), [["N", "V"], [1.0, None]], "load: the series at step 1 is missing"),
    ],
)
def test_a_malformed_target_is_refused_by_its_column(
    feature: JointFeature, value: list[Any], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        feature.encode(value)


def test_targets_of_rows_beside_targets_of_steps_are_refused() -> None:
    with pytest.raises(OptionError, match="must all have steps, or all have none"):
        JointFeature({**rows().targets, **steps().targets})


def test_a_vocabulary_that_floats_do_not_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elman.features.joint.LARGEST_VOCABULARY", 2)
    with pytest.raises(OptionError, match=r"column 'priority' has 3 names; .* Predict it alone"):
        rows()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"kind": "joint"}, "it must hold the 'parts'"),
        ({"kind": "joint", "learned": {"parts": {}}}, "it must hold the 'parts'"),
        ({"kind": "joint", "learned": {"parts": {"a": {}}}}, "must say its kind"),
    ],
)
def test_a_malformed_state_is_refused(state: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        feature_from_json(state)
