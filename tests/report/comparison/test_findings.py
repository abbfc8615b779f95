"""Sentences: what they say follows from the numbers, whichever way these fall."""

from __future__ import annotations

import pytest
import torch

from elman.inspection.gradient_flow import GradientFlow
from elman.report.comparison.findings import (
    against_published,
    fading,
    percent,
    question,
    spread_text,
    vanishing,
    verdict,
)
from report.examples import comparison, falling

SIMPLE, GRU, LSTM = (8.9, 8.92), (8.5, 8.52), (8.6, 8.62)


def said(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_cell_whose_interval_meets_no_other_is_called_best() -> None:
    results = comparison({"simple": SIMPLE, "gru": GRU, "lstm": LSTM})
    assert said(verdict(results)) == (
        "The GRU is best: 8.51 ± 0.01 nats per frame on the test split, clear of the LSTM "
        "(8.61 ± 0.01) and the simple cell (8.91 ± 0.01)."
    )


def test_cells_whose_intervals_meet_have_no_clear_winner() -> None:
    results = comparison({"simple": SIMPLE, "gru": (8.4, 8.6), "lstm": (8.45, 8.65)})
    assert said(verdict(results)) == (
        "There is no clear winner: the GRU has the lowest mean, 8.50 ± 0.14 nats per frame, but "
        "its interval overlaps that of the LSTM (8.55 ± 0.14)."
    )


def test_the_simple_cell_may_win() -> None:
    results = comparison({"gru": GRU, "simple": (8.1, 8.11)})
    assert verdict(results).startswith("The simple cell is best")


def test_one_seed_is_not_enough_to_call_a_winner() -> None:
    results = comparison({"gru": [8.5], "lstm": [8.6]})
    assert verdict(results) == (
        "The GRU comes first with 8.50 nats per frame, 0.10 ahead of the LSTM – but with one "
        "seed per cell, this lead may be chance."
    )


def test_the_highest_accuracy_is_the_best_and_is_told_in_per_cent() -> None:
    results = comparison(
        {"simple": (0.8, 0.81), "gru": (0.86, 0.87), "lstm": (0.9, 0.91)}, score="accuracy"
    )
    assert said(verdict(results)) == (
        "The LSTM is best: an accuracy of 90.5% ± 0.7% on the test split, clear of the GRU "
        "(86.5% ± 0.7%) and the simple cell (80.5% ± 0.7%)."
    )


def test_accuracies_whose_intervals_meet_have_no_clear_winner() -> None:
    results = comparison({"gru": (0.86, 0.9), "lstm": (0.87, 0.88)}, score="accuracy")
    assert said(verdict(results)) == (
        "There is no clear winner: the GRU has the highest mean, an accuracy of 88.0% ± 2.8%, but "
        "its interval overlaps that of the LSTM (87.5% ± 0.7%)."
    )


def test_one_seed_of_a_share_is_ahead_by_points() -> None:
    results = comparison({"gru": [0.86], "lstm": [0.84]}, score="macro_f1")
    assert verdict(results) == (
        "The GRU comes first with a macro F1 of 86.0%, 2.0 points ahead of the LSTM – but with "
        "one seed per cell, this lead may be chance."
    )


def test_cells_that_score_the_same_come_first_together() -> None:
    alone = comparison({"gru": [0.86], "lstm": [0.86], "simple": [0.5]}, score="accuracy")
    assert verdict(alone) == (
        "The GRU and the LSTM share first place with an accuracy of 86.0%; one seed per cell "
        "cannot separate them."
    )
    pairs = comparison({"gru": (0.8, 0.9), "lstm": (0.9, 0.8)}, score="accuracy")
    assert said(verdict(pairs)) == (
        "There is no clear winner: the GRU and the LSTM have the same mean, an accuracy of 85.0% ± "
        "7.1%."
    )


@pytest.mark.parametrize(
    ("score", "reached"),
    [
        ("mase", "a MASE of 0.850"),
        ("r2", "an R² of 0.850"),
        ("smape", "an sMAPE of 85.0%"),
        ("perplexity", "a perplexity of 0.850"),
        ("mae", "a mean absolute error of 0.850"),
        ("bits_per_character", "0.850 bits per character"),
        ("sequence_accuracy", "85.0% of the rows without a mistake"),
        ("nll", "a negative log-likelihood of 0.850"),
    ],
)
def test_a_score_is_called_by_its_name_or_its_unit(score: str, reached: str) -> None:
    results = comparison({"gru": [0.85]}, score=score, kind="series", dataset="mine")
    assert verdict(results) == f"The GRU reaches {reached} on the test split."


def test_a_single_cell_is_told_alone() -> None:
    results = comparison({"gru": GRU})
    assert said(verdict(results)) == "The GRU reaches 8.51 ± 0.01 nats per frame on the test split."
    assert question(results) == "How good is the GRU?"
    assert question(comparison({"simple": SIMPLE, "gru": GRU, "lstm": LSTM})) == (
        "Which cell is best: simple, GRU or LSTM?"
    )


@pytest.mark.parametrize(
    ("published", "sentence"),
    [
        ({}, None),
        ({"gru": 8.61}, "Better than the published number: the GRU by 0.10."),
        ({"gru": 8.41}, "Worse than the published number: the GRU by 0.10."),
        (
            {"simple": 9.11, "gru": 8.41, "lstm": 8.62},
            "Better than the published number: the simple cell by 0.20 and the LSTM by 0.01; "
            "worse than it: the GRU by 0.10.",
        ),
    ],
)
def test_published_numbers_missed_stand_beside_those_beaten(
    published: dict[str, float], sentence: str | None
) -> None:
    results = comparison({"simple": SIMPLE, "gru": GRU, "lstm": LSTM}, published=published)
    assert against_published(results) == sentence


def test_a_deviation_is_written_only_where_there_are_seeds_to_deviate() -> None:
    alone = comparison({"gru": [8.5]}).results[0]
    assert spread_text(alone.test, 1) == "8.50"
    pair = comparison({"gru": (8.4, 8.6)}).results[0]
    assert said(spread_text(pair.test, 2, digits=1)) == "8.5 ± 0.1"


def test_a_gradient_that_halves_every_step_is_a_thousandth_after_ten() -> None:
    measured = fading(falling(0.5))
    assert measured.faded == 10
    assert measured.kept == pytest.approx(0.5)


def test_a_gradient_that_never_fades_says_so() -> None:
    measured = fading(falling(1.0))
    assert measured.faded is None
    assert measured.kept == pytest.approx(1.0)


def test_a_gradient_that_underflows_to_zero_has_faded_but_no_share_is_made_up() -> None:
    norms = torch.tensor([1.0, 1e-2, 1e-4, 0.0, 0.0], dtype=torch.float64)
    measured = fading(GradientFlow(torch.arange(5), norms, None, rows=1))
    assert measured.faded == 2
    assert measured.kept is None


def test_the_longest_memory_is_the_one_that_keeps_most_a_step_whichever_cell_that_is() -> None:
    flows = {
        "simple": (falling(0.5), falling(0.9)),
        "lstm": (falling(0.6), falling(0.1)),
        "gru": (falling(0.5), falling(0.5)),
    }
    assert vanishing(flows) == [
        "Once trained, the simple cell keeps 90% of the gradient at every step back – the most: "
        "over 20 steps it shrinks 8.2-fold.",
        "The LSTM keeps 10%: over 20 steps it shrinks 1.0 · 10²⁰-fold.",
        "Training lengthened the memory of the simple cell.",
        "Training shortened the memory of the LSTM.",
    ]


def test_an_exploding_gradient_is_said_to_grow() -> None:
    (sentence,) = vanishing({"gru": (falling(1.1), falling(1.1))})
    assert sentence.endswith(
        "keeps 110% of the gradient at every step back: over 20 steps it grows 6.73-fold."
    )


def test_sequences_too_short_to_measure_are_left_without_a_sentence() -> None:
    assert vanishing({"gru": (falling(0.5, steps=1), falling(0.5, steps=1))}) == []


@pytest.mark.parametrize(
    ("share", "text"), [(0.5, "50%"), (0.012, "1.2%"), (0.991, "99.1%"), (1.0, "100.0%")]
)
def test_a_share_near_nothing_or_near_all_is_written_finer(share: float, text: str) -> None:
    assert percent(share) == text
