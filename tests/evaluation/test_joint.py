"""The scores of several targets stand side by side, each under the name of its target."""

from __future__ import annotations

import json

import pytest

from elman.errors import OptionError
from elman.evaluation.joint import joint_scores, scores_by_target
from elman.evaluation.measures import Scores, measure_of
from elman.evaluation.scores import score


def both() -> dict[str, Scores]:
    return {
        "priority": score("classification", ["a", "b", "b"], ["a", "a", "b"], learned=["a"]),
        "hours of work": score("regression", [1.0, 2.0], [1.0, 4.0]),
    }


def test_each_score_has_the_name_of_its_target() -> None:
    each = both()
    scores = joint_scores(each, ["a note."])
    assert scores.values == {
        **{f"{name} of priority": value for name, value in each["priority"].values.items()},
        **{f"{name} of hours of work": v for name, v in each["hours of work"].values.items()},
    }
    assert scores.main == "accuracy of priority"
    assert (scores.kind, scores.count, scores.unit) == ("joint", 3, "rows")
    assert scores.notes[0].startswith("priority: 2 of 3 rows have classes")
    assert scores.notes[-1] == "a note."
    assert list(scores.details["never_learned"]) == ["priority"]


def test_reasons_are_told_by_target() -> None:
    each = {"a": score("regression", [2.0, 2.0], [1.0, 4.0])}
    scores = joint_scores(each)
    assert scores.undefined == {"r2 of a": "the true values do not vary"}
    assert scores.reasons == ["R² of a is not computed: the true values do not vary."]


def test_a_line_holds_the_main_score_and_one_of_each_other_target() -> None:
    scores = joint_scores(both())
    assert scores.headlines == ["accuracy of priority", "rmse of hours of work"]
    led = scores.led_by("mae of hours of work")
    assert led.headlines == ["mae of hours of work", "accuracy of priority"]
    assert not led.higher_is_better
    assert score("regression", [1.0], [1.0]).headlines == ["rmse"]


def test_the_scores_of_each_come_back_from_json() -> None:
    each = both()
    scores = joint_scores(each)
    again = Scores.model_validate(json.loads(scores.model_dump_json()))
    assert again == Scores.model_validate(json.loads(again.model_dump_json()))
    found = scores_by_target(again)
    assert list(found) == list(each)
    for name, own in found.items():
        assert own.values == each[name].values
    assert scores_by_target(each["priority"]) == {}


def test_the_measure_of_a_score_knows_its_target() -> None:
    measure = measure_of("micro_f1 of a tag of b")
    assert (measure.title, measure.higher_is_better, measure.share) == (
        "Micro F1 of a tag of b",
        True,
        True,
    )
    with pytest.raises(OptionError, match="unknown score 'micro_f2'; did you mean 'micro_f1'"):
        measure_of("micro_f2 of tags")
    with pytest.raises(OptionError, match="did you mean 'mae of hours of work'"):
        joint_scores(both()).check_name("mae of hours")
