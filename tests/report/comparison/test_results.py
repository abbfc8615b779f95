"""A comparison's values, JSON and tables."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from elman.report.comparison.results import (
    CellResult,
    Comparison,
    EpochRecord,
    SeedResult,
    Spread,
    digits,
    number_text,
)


def seed_result(
    seed: int, test_nll: float, valid_nll: float | None = None, **changes: Any
) -> SeedResult:
    values = {
        "seed": seed,
        "score": "nll",
        "scores": {
            "train": {"nll": 8.0},
            "valid": {"nll": test_nll - 0.25 if valid_nll is None else valid_nll},
            "test": {"nll": test_nll},
        },
        "best_epoch": 40 + seed,
        "epochs": 50,
        "seconds": 10.0 * seed,
        "seconds_per_epoch": 0.2 * seed,
        "curve": [
            EpochRecord(epoch=1, seconds=0.2, train_loss=9.0, valid_loss=9.5, learning_rate=0.01)
        ],
    }
    return SeedResult(**values | changes)


def comparison(**changes: Any) -> Comparison:
    gru = CellResult(
        cell="gru",
        hidden_size=41,
        parameters=19_809,
        published=8.54,
        published_source="Chung",
        seeds=[seed_result(1, 8.5), seed_result(2, 8.7)],
    )
    simple = CellResult(
        cell="simple", hidden_size=[9, 7], parameters=1_234, seeds=[seed_result(1, 9.125)]
    )
    values = {
        "dataset": "chorales",
        "title": "JSB Chorales",
        "parameters": 20_000,
        "epochs": 50,
        "threads": 2,
        "machine": "A Processor",
        "command": "elman compare chorales",
        "results": [gru, simple],
    }
    return Comparison(**values | changes)


def test_the_spread_is_the_mean_and_the_sample_standard_deviation() -> None:
    spread = Spread.of([1.0, 2.0, 6.0])
    assert spread.mean == 3.0
    assert spread.std == pytest.approx(7**0.5)
    assert Spread.of([4.0]) == Spread(mean=4.0, std=0.0)


def test_a_cell_is_summarised_over_its_seeds() -> None:
    gru = comparison().results[0]
    assert str(gru.test) == "8.60 ± 0.14"
    assert gru.valid.mean == pytest.approx(8.35)
    assert gru.train == Spread(mean=8.0, std=0.0)
    assert gru.seconds.mean == 15.0
    assert gru.seconds_per_epoch.mean == pytest.approx(0.3)
    assert gru.best_epoch.mean == 41.5


def test_json_gives_the_same_comparison_back() -> None:
    whole = comparison()
    assert Comparison.model_validate_json(whole.model_dump_json()) == whole


def test_json_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra"):
        Comparison.model_validate({**comparison().model_dump(), "winner": "gru"})


def test_the_table_has_a_row_a_cell_and_a_dash_where_nothing_is_published() -> None:
    rows = comparison().rows()
    headings = comparison().headings()
    assert all(len(row) == len(headings) for row in rows)
    assert headings[3:5] == ("valid nll", "test nll")
    assert rows == [
        ("gru", "41", "19,809", "8.35 ± 0.14", "8.60 ± 0.14", "15", "0.300", "8.54"),
        ("simple", "9 7", "1,234", "8.88", "9.12", "10", "0.200", "–"),
    ]


def test_the_page_says_the_numbers_their_circumstances_and_their_sources() -> None:
    page = comparison().to_markdown()
    assert page.startswith("# JSB Chorales\n")
    assert "| gru | 41 | 19,809 | 8.35 ± 0.14 | 8.60 ± 0.14 | 15 | 0.300 | 8.54 |" in page
    assert "standard deviation over 2 seeds" in page
    assert "selected on the validation split within 50 epochs; 2 threads of A Processor." in page
    assert "Published, on the test split: Chung (gru)." in page
    assert "`elman compare chorales`" in page


def test_without_published_numbers_the_page_says_so() -> None:
    lonely = comparison(results=[comparison().results[1]])
    assert lonely.sources() == "No published numbers are known for this data set."
    assert "of every piece; one seed; weights" in lonely.circumstances()


def test_a_comparison_of_before_is_read_with_the_same_losses() -> None:
    whole = comparison()
    old = whole.model_dump(exclude={"version", "kind", "task", "counts", "loss_unit", "terms"})
    old = {name: value for name, value in old.items() if name not in {"notes", "select"}}
    for result in old["results"]:
        for seed in result["seeds"]:
            del seed["score"]
            for part, scores in seed.pop("scores").items():
                seed[f"{part}_nll"] = scores["nll"]
    assert Comparison.model_validate(old) == whole


def of_shares(**changes: Any) -> Comparison:
    def seed(number: int, accuracy: float) -> SeedResult:
        scores = {"accuracy": accuracy, "log_loss": 1.25 - accuracy}
        parts = {"valid": {**scores, "accuracy": accuracy - 0.01}, "test": scores}
        return seed_result(number, 0.0, score="accuracy", scores=parts)

    cells = {"gru": (0.9, 0.88), "lstm": (0.7, 0.72)}
    results = [
        CellResult(
            cell=cell, hidden_size=5, parameters=99, seeds=[seed(n, a) for n, a in enumerate(each)]
        )
        for cell, each in cells.items()
    ]
    told = {"kind": "classification", "dataset": "mine", "terms": "as many as ours has"}
    return comparison(results=results, **told | changes)


def test_shares_are_told_in_per_cent_and_without_published_numbers() -> None:
    whole = of_shares()
    assert whole.headings() == (
        *("cell", "hidden", "parameters", "valid accuracy", "test accuracy", "seconds", "s/epoch"),
    )
    assert whole.rows()[0] == ("gru", "5", "99", "88.0% ± 1.4%", "89.0% ± 1.4%", "5", "0.100")
    assert [result.cell for result in whole.ranked] == ["gru", "lstm"]
    assert whole.sources() == ""
    assert (
        "Accuracy: the share of right predictions; higher is better; mean ±" in whole.to_markdown()
    )
    assert "The budget is 20,000 parameters, as many as ours has." in whole.circumstances()


def test_other_scores_have_decimals_of_their_own() -> None:
    whole = of_shares()
    assert whole.text(whole.results[0], "test", "log_loss") == "0.360 ± 0.014"
    assert whole.text(whole.results[0], "test", "mse") == "–"


def test_a_long_name_of_a_score_stands_below_the_part_s() -> None:
    seed = seed_result(
        1, 0.0, score="sequence_accuracy", scores={"valid": {"sequence_accuracy": 0.5}}
    )
    cell = CellResult(cell="gru", hidden_size=5, parameters=9, seeds=[seed])
    whole = comparison(results=[cell], kind="tagging")
    assert whole.headings()[3:] == ("valid\nsequence accuracy", "seconds", "s/epoch")
    assert "| valid sequence accuracy |" in whole.to_markdown()
    assert whole.part == "valid"


@pytest.mark.parametrize(
    ("score", "means", "expected"),
    [
        ("nll", [9.0, 11.0], 2),
        ("accuracy", [0.5], 1),
        ("mae", [0.0345, 0.01], 4),
        ("mae", [1234.5, 0.1], 0),
        ("mae", [0.0], 2),
        ("r2", [-0.123], 3),
    ],
)
def test_decimals_follow_the_size_of_the_numbers(
    score: str, means: list[float], expected: int
) -> None:
    assert digits(score, means) == expected


def test_a_number_below_zero_has_a_true_minus_sign() -> None:
    assert number_text(-0.25, "r2", 2) == "−0.25"
    assert number_text(0.25, "r2", 2, signed=True) == "+0.25"
