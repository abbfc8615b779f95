"""The check of a forecast: what is assumed of its columns, refused when asked, and what leaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from elman.errors import ExperimentError
from elman.runs.check import check_data
from elman.runs.run import prepare
from elman.runs.train import experiment_for
from roads import write_csv

STEPS = 60
ASKED: dict[str, Any] = {"target": "sold", "time": "t", "sequence_id": "shop", "horizon": 4}


def shops(tmp_path: Path) -> str:
    """Three shops: sales, what they bring in, the sky, the region and remarks, a step a row."""
    rows = [
        [
            shop,
            t,
            7 * t % 11,
            2.5 * (7 * t % 11),
            ("wet", "dry")[t % 3 == 0],
            region,
            f"note {shop}{t}",
        ]
        for shop, region in (("a", "north"), ("b", "south"), ("c", "south"))
        for t in range(STEPS)
    ]
    columns = ["shop", "t", "sold", "income", "sky", "region", "remark"]
    return str(write_csv(tmp_path / "shops.csv", columns, rows))


def refusal(path: str, **settings: Any) -> str:
    experiment, _ = experiment_for(path, {**ASKED, "strict": True, **settings})
    with pytest.raises(ExperimentError) as error:
        prepare(experiment)
    return str(error.value)


def test_strictness_refuses_what_a_forecast_would_assume(tmp_path: Path) -> None:
    said = refusal(shops(tmp_path))
    for part in (
        "remark (texts that hardly repeat): say --ignore remark, or name the columns to read with "
        "--input; ",
        "sky holds names: say --read sky:category; ",
        "nothing is said about the future of sky: say --known sky or --input sky; ",
        "region (category) is constant within every series: say --set 'per_sequence=[\"region\"]'",
    ):
        assert part in said


def test_what_is_said_of_columns_as_on_the_command_line_settles_it(tmp_path: Path) -> None:
    said = {"columns": {"sky:category": {}, "region": {}}, "known": ["sky"], "ignore": ["remark"]}
    assert refusal(shops(tmp_path), **said).endswith(
        "shops.csv: (1) region (category) is constant within every series: say --set "
        "'per_sequence=[\"region\"]'."
    )


@pytest.mark.parametrize("said", ["remark", "remark:category"])
def test_a_column_that_is_to_be_read_is_read(said: str, tmp_path: Path) -> None:
    path = shops(tmp_path)
    assert "remark" not in prepare(experiment_for(path, ASKED)[0]).task.input_columns
    experiment, _ = experiment_for(path, {**ASKED, "columns": {said: {}}})
    assert "remark" in prepare(experiment).task.series.past_categories


def test_once_all_is_said_a_forecast_is_not_refused(tmp_path: Path) -> None:
    said = {"input": ["sky"], "columns": {"sky": {"kind": "category"}}, "per_sequence": ["region"]}
    experiment, _ = experiment_for(shops(tmp_path), {**ASKED, "strict": True, **said})
    assert {"sky", "region"} <= set(prepare(experiment).task.input_columns)


def test_parts_of_series_are_counted_in_series(tmp_path: Path) -> None:
    check, _ = check_data(experiment_for(shops(tmp_path), ASKED)[0])
    assert check.rows_of_parts == "3 training, 3 validation and 3 test series"
    assert not any(each.code == "validation" for each in check.findings)


def test_a_known_column_that_gives_the_target_away_is_said(tmp_path: Path) -> None:
    experiment, _ = experiment_for(shops(tmp_path), {**ASKED, "known": ["income"]})
    said = check_data(experiment).check.sentences
    assert any(each.startswith("income repeats sold") for each in said), said


def test_the_past_of_such_a_column_gives_nothing_away(tmp_path: Path) -> None:
    experiment, _ = experiment_for(shops(tmp_path), ASKED)
    assert not any("repeats sold" in each for each in check_data(experiment).check.sentences)
