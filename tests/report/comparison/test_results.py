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


def test_the_best_seed_is_validation_s_whatever_the_test_says() -> None:
    seeds = [seed_result(1, 8.0, valid_nll=8.6), seed_result(2, 9.0, valid_nll=8.5)]
    result = CellResult(cell="gru", hidden_size=3, parameters=5, seeds=seeds)
    assert result.best_seed.seed == 2


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
