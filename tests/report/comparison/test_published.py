"""Numbers of the literature."""

from __future__ import annotations

import pytest

from elman.data.catalog import ROLL_SETS
from elman.report.comparison.published import PUBLISHED, published_result


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
