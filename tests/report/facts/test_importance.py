"""The page of a model of several columns says what each contributes, and never at a great cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from elman.errors import DataError
from elman.report.facts import importance
from elman.report.facts.importance import AFFORDABLE, cost_of_a_row, importance_of, plan_for
from report.pages import Page
from roads import ROADS, Road, travelled, untrained

pytestmark = pytest.mark.usefixtures("pages")


def text_of(folder: Path) -> str:
    return Page((folder / "run" / "report.html").read_text(encoding="utf-8")).text


def test_the_page_says_what_each_column_contributes(tmp_path: Path) -> None:
    travelled(ROADS["measurements to a class"], tmp_path)
    _, _, after = text_of(tmp_path).partition("What each column contributes")
    section, _, _ = after.partition(" Calibration ")
    assert "Fall of accuracy, percentage points" in section
    for words in ("length", "width", "colour", " ± ", "mean of 5 shufflings", "on all 6 valid"):
        assert words in section, words


def test_the_page_of_an_error_says_how_far_it_rises(tmp_path: Path) -> None:
    travelled(ROADS["measurements to a number"], tmp_path)
    assert "How far the root mean squared error rises" in text_of(tmp_path)


@pytest.mark.parametrize("name", ["text to a class", "windows to the next value"])
def test_a_single_column_has_nothing_to_be_compared_with(name: str, tmp_path: Path) -> None:
    travelled(ROADS[name], tmp_path)
    assert "What each column contributes" not in text_of(tmp_path)


def measured(road: Road, folder: Path) -> dict[str, Any]:
    model, parts = untrained(road, folder)
    return importance_of(model, parts)


def test_what_would_take_long_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importance, "AFFORDABLE", 0)
    assert measured(ROADS["measurements to a class"], tmp_path) == {
        "importance_note": "Not measured here: shuffling 3 columns would take long. In Python, "
        "load the run and call model.importance(rows=…, repeats=…)."
    }


def test_a_score_that_is_not_computed_costs_the_section_and_not_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise DataError("Log loss is not computed: it is infinite.")

    monkeypatch.setattr(importance, "column_importance", refuse)
    travelled(ROADS["measurements to a class"], tmp_path)
    said = "What each column contributes Not measured: Log loss is not computed: it is infinite."
    assert said in text_of(tmp_path)


@pytest.mark.parametrize("columns", [2, 10, 100, 500, 3_000])
@pytest.mark.parametrize("cost", [100, 2_000, 50_000])
@pytest.mark.parametrize("available", [8, 400, 10**6])
def test_no_plan_costs_more_than_is_affordable(columns: int, cost: int, available: int) -> None:
    plan = plan_for(columns, available, cost)
    if plan is None:
        assert columns * 40 * cost > 0.9 * AFFORDABLE or columns >= 3_000
        return
    assert 1 <= plan.rows <= min(1_000, available)
    assert 1 <= plan.repeats <= 5
    assert columns * plan.repeats * plan.rows * cost <= AFFORDABLE


def test_few_columns_have_all_rows_and_shufflings_and_many_have_fewer() -> None:
    assert plan_for(10, 10**6, 120) == (1_000, 5)
    assert plan_for(10, 300, 120) == (300, 5)
    assert plan_for(500, 10**6, 200) == (175, 1)
    assert plan_for(5, 10**6, 4_000) == (198, 5)


def test_long_rows_cost_more(tmp_path: Path) -> None:
    costs = {}
    for name in ("measurements to a class", "a long table to a class"):
        (tmp_path / name).mkdir()
        model, parts = untrained(ROADS[name], tmp_path / name)
        costs[name] = cost_of_a_row(model, parts.valid)
        if name.startswith("a long"):
            lengths = [len(cells[0]) for cells in parts.valid.values(model.task.input_columns)]
            steps = sum(lengths) / len(lengths)
            assert costs[name] == pytest.approx(100 + 10 * steps + 0.2 * 2 * steps)
    assert costs["measurements to a class"] == pytest.approx(100.6)
