"""Numbers of the literature."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from elman.data.catalog import ROLL_SETS
from elman.report.comparison.published import (
    PUBLISHED,
    RECALLED,
    published_result,
    recalled_in_words,
)


@pytest.mark.parametrize(
    ("dataset", "losses"),
    [
        ("nottingham", {"simple": 3.13, "gru": 3.23, "lstm": 3.20}),
        ("chorales", {"simple": 9.10, "gru": 8.54, "lstm": 8.67}),
        ("musedata", {"simple": 6.23, "gru": 5.99, "lstm": 6.23}),
        ("piano-midi", {"simple": 9.03, "gru": 8.82, "lstm": 9.03}),
    ],
)
def test_networks_of_20_thousand_parameters_stand_beside_chung_s(
    dataset: str, losses: dict[str, float]
) -> None:
    for cell, loss in losses.items():
        result = published_result(dataset, cell, 19_800)
        assert result is not None
        assert result.test_nll == loss
        assert result.source == "Chung et al. 2014, arXiv:1412.3555, Table 2"


def test_large_networks_stand_beside_bai_s() -> None:
    result = published_result("chorales", "lstm", 300_000)
    assert result is not None
    assert result == (8.45, "Bai et al. 2018, arXiv:1803.01271, Table 1")
    assert published_result("chorales", "gru", 70_000) == published_result(
        "chorales", "gru", 20_000
    )


def test_what_nobody_has_published_is_none() -> None:
    assert published_result("chorales", "other", 20_000) is None
    assert published_result("my own", "gru", 20_000) is None


def test_every_published_table_is_of_a_known_data_set() -> None:
    assert {table.dataset for table in PUBLISHED} == set(ROLL_SETS)


def test_those_who_published_the_corpora_are_quoted_as_recalled() -> None:
    assert recalled_in_words("nottingham") == (
        "Boulanger-Lewandowski, Bengio and Vincent 2012, arXiv:1206.6392, Table 1, as recalled: "
        "RNN 4.46, RNN (HF) 3.89."
    )
    assert set(RECALLED) == set(ROLL_SETS)
    assert recalled_in_words("my own") == ""


def test_our_numbers_agree_with_theirs_as_the_page_says() -> None:
    results = Path(__file__).parents[3] / "benchmarks/results/chung.md"
    page = results.read_text(encoding="utf-8")
    for name, (_, hessian_free) in RECALLED.items():
        title = ROLL_SETS[name].title.removesuffix(".de")
        section = page.partition(f"## {title}: the next frame of 88 keys, 20,000")[2].split("##")[0]
        ours = re.findall(r"\| (\d\.\d\d) ± \d\.\d\d \| \d\.\d\d \|", section)
        assert len(ours) == 3
        assert all(abs(float(loss) - hessian_free) < 0.2 for loss in ours)
