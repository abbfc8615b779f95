"""Which score leads, what stands beside it, and which classes are never predicted."""

from __future__ import annotations

import pytest

from elman.evaluation.joint import joint_scores
from elman.evaluation.leading import (
    LEADING,
    are_short,
    beside,
    is_uneven,
    leading_score,
    missed_classes,
    never_predicted,
)
from elman.evaluation.measures import MEASURES
from elman.evaluation.scores import KINDS, score

NEARLY_ALL = ["a"] * 9 + ["b"]


def test_every_kind_of_score_has_a_leading_one_that_exists() -> None:
    assert set(KINDS) - {"forecast"} <= set(LEADING)
    assert {name for names in LEADING.values() for name in names} <= set(MEASURES)


def test_the_first_that_is_computed_leads() -> None:
    names = ["rmse", "mase"]
    assert leading_score("regression", names, names) == "mase"
    assert leading_score("regression", names, ["rmse"]) == "rmse"
    assert leading_score("regression", ["rmse"], []) == "rmse"
    assert leading_score("regression", names, names, first="rmse") == "rmse"


def test_answers_of_fewer_than_five_words_are_short() -> None:
    assert are_short(words=9, answers=2)
    assert not are_short(words=10, answers=2)


def test_samples_of_a_sound_are_led_by_the_share_of_their_energy() -> None:
    truths, predictions = [[1.0, 2.0]], [[1.0, 1.0]]
    assert score("series", truths, predictions).main == "rmse"
    of_sound = score("series", truths, predictions, sound=True)
    assert (of_sound.main, of_sound.value) == ("error_to_signal", 1 / 5)
    broken = score("series", truths, [[1.0, float("inf")]], sound=True)
    assert broken.main == "error_to_signal"


def classes(*supports: int) -> list[dict[str, object]]:
    return [{"name": str(place), "support": each} for place, each in enumerate(supports)]


def test_classes_are_uneven_where_one_has_twice_the_rows_of_another() -> None:
    assert is_uneven(classes(5, 10))
    assert not is_uneven(classes(6, 10))
    assert not is_uneven(classes(6, 10, 0))
    assert not is_uneven([])


def test_macro_f1_stands_beside_the_accuracy_of_uneven_classes_alone() -> None:
    uneven = score("classification", NEARLY_ALL, ["a"] * 10)
    assert beside(uneven, "accuracy") == ("macro_f1",)
    assert uneven.values["macro_f1"] == pytest.approx(18 / 19 / 2)
    assert beside(uneven, "log_loss") == ()
    assert beside(score("classification", ["a", "b"], ["a", "a"]), "accuracy") == ()
    both = joint_scores({"size": uneven, "price": score("regression", [1.0], [1.0])})
    assert beside(both, "accuracy of size") == ("macro_f1 of size",)
    assert beside(both, "rmse of price") == ()


def test_a_class_that_is_never_predicted_is_named_with_its_rows() -> None:
    scores = score("classification", NEARLY_ALL, ["a"] * 10)
    assert missed_classes(scores, "accuracy") == "never predicted: 'b' (1)"
    assert missed_classes(scores, "log_loss") == ""
    assert scores.notes == ("never predicted: 'b' (1); in brackets the rows that have it.",)
    both = joint_scores({"size": scores, "price": score("regression", [1.0], [1.0])})
    assert missed_classes(both, "accuracy of size") == "never predicted: 'b' (1)"


def test_a_class_that_was_never_learned_is_not_said_to_be_never_predicted() -> None:
    scores = score("classification", ["a", "b"], ["a", "a"], names=["a"])
    assert missed_classes(scores, "accuracy") == ""
    assert not any("never predicted" in note for note in scores.notes)


def test_of_many_missed_classes_the_commonest_three_are_named() -> None:
    missed = [{**each, "answered": 0} for each in classes(1, 5, 3, 2, 0, 4)]
    assert never_predicted(missed) == "never predicted: '1' (5), '5' (4), '2' (3), 2 more"


def test_tags_and_labels_that_are_never_predicted_are_noted() -> None:
    tags = score("tagging", [["N", "V"]], [["N", "N"]])
    assert tags.notes == ("never predicted: 'V' (1); in brackets the steps that have it.",)
    labels = score("labels", [["x", "y"], ["x"]], [["x"], ["x"]])
    assert labels.notes == ("never predicted: 'y' (1); in brackets the rows that have it.",)
    assert missed_classes(labels, "micro_f1") == "never predicted: 'y' (1)"
