"""Spans as conlleval finds and counts them: by hand, and against its own state machine."""

from __future__ import annotations

import random
from typing import Any

import pytest

from elman.errors import DataError
from elman.evaluation.spans import Span, is_bio, span_scores, spans


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("O O", []),
        ("B-NP I-NP O", [(0, 2, "NP")]),
        ("B-NP B-NP", [(0, 1, "NP"), (1, 2, "NP")]),
        ("I-NP I-NP", [(0, 2, "NP")]),
        ("O I-NP", [(1, 2, "NP")]),
        ("B-NP I-VP", [(0, 1, "NP"), (1, 2, "VP")]),
        ("B-NP I-VP I-NP", [(0, 1, "NP"), (1, 2, "VP"), (2, 3, "NP")]),
        ("I-NP B-NP I-NP", [(0, 1, "NP"), (1, 3, "NP")]),
        ("B-NP O I-NP", [(0, 1, "NP"), (2, 3, "NP")]),
        ("B-A-B I-A-B", [(0, 2, "A-B")]),
        ("", []),
    ],
)
def test_spans_begin_and_end_where_conlleval_says(
    tags: str, found: list[tuple[int, int, str]]
) -> None:
    assert spans(tags.split()) == [Span(*each) for each in found]


def test_a_hit_has_the_right_start_end_and_type() -> None:
    truths = [["B-NP", "I-NP", "O", "B-VP", "B-PP"], ["B-NP", "O"]]
    predictions = [["B-NP", "I-NP", "O", "B-NP", "B-PP"], ["B-NP", "I-NP"]]
    overall, by_type = span_scores(truths, predictions)
    # True: NP 0…2, VP, PP; NP. Predicted: NP 0…2, NP, PP; NP 0…2. Right: NP 0…2 and PP.
    assert (overall.precision, overall.recall, overall.f1) == (2 / 4, 2 / 4, 2 / 4)
    assert [(each.name, each.support, each.answered, each.f1) for each in by_type] == [
        ("NP", 2, 3, 2 / 5),
        ("PP", 1, 1, 1.0),
        ("VP", 1, 0, 0.0),
    ]


def test_a_span_ends_with_its_sentence() -> None:
    two = span_scores([["B-NP"], ["I-NP"]], [["B-NP"], ["I-NP"]]).overall
    assert two.support == 2


def conlleval(truths: list[list[str]], predictions: list[list[str]]) -> tuple[int, int, int]:
    """Count right, true and predicted spans with the state machine of conlleval.pl."""

    def ends(before: str, mark: str, type_before: str, type_: str) -> bool:
        return (before in "BI" and mark in "BO") or (before != "O" and type_before != type_)

    def starts(before: str, mark: str, type_before: str, type_: str) -> bool:
        return (
            mark == "B" or (before == "O" and mark == "I") or (mark != "O" and type_before != type_)
        )

    right = true = predicted = 0
    inside = False
    was = [("O", ""), ("O", "")]
    for truth, prediction in zip(truths, predictions, strict=True):
        for pair in [*zip(truth, prediction, strict=True), ("O", "O")]:  # A boundary reads as O.
            now = [(tag[:1], tag[2:]) for tag in pair]
            end = [ends(old[0], new[0], old[1], new[1]) for old, new in zip(was, now, strict=True)]
            start = [
                starts(old[0], new[0], old[1], new[1]) for old, new in zip(was, now, strict=True)
            ]
            if inside and all(end) and was[0][1] == was[1][1]:
                inside, right = False, right + 1
            elif inside and (end[0] != end[1] or now[0][1] != now[1][1]):
                inside = False
            if all(start) and now[0][1] == now[1][1]:
                inside = True
            true, predicted = true + start[0], predicted + start[1]
            was = now
    return right, true, predicted


@pytest.mark.parametrize("seed", range(50))
def test_counts_agree_with_the_state_machine_of_conlleval(seed: int) -> None:
    chance = random.Random(seed)
    tags = ["O", "B-A", "I-A", "B-B", "I-B"]
    truths = [[chance.choice(tags) for _ in range(chance.randint(1, 9))] for _ in range(6)]
    predictions = [
        [tag if chance.random() < 0.7 else chance.choice(tags) for tag in truth] for truth in truths
    ]
    overall = span_scores(truths, predictions).overall
    right, true, predicted = conlleval(truths, predictions)
    assert (overall.support, overall.answered) == (true, predicted)
    assert overall.recall * true == pytest.approx(right)


@pytest.mark.parametrize(
    ("tags", "bio"),
    [
        (["O", "B-X", "I-X"], True),
        (["B-X"], True),
        (["O"], False),
        ([], False),
        (["NOUN", "VERB"], False),
        (["O", "B-X", "E-X"], False),
        (["B", "I", "O"], False),
        (["B-", "O"], False),
        ([0, 1], False),
    ],
)
def test_tags_are_known_to_mark_spans_by_their_looks(tags: list[Any], bio: bool) -> None:
    assert is_bio(tags) is bio


def test_a_tag_that_marks_no_span_is_named() -> None:
    with pytest.raises(DataError, match="tag 'NOUN' at step 1 marks no span"):
        spans(["O", "NOUN"])
    with pytest.raises(DataError, match="tag 'E-NP' at step 0"):
        spans(["E-NP"])
