"""What the page says of a forecast: beside naive ones, by step, by series and by level."""

from __future__ import annotations

from typing import Any

from elman.errors import counted
from elman.evaluation.measures import Scores, measure_of
from elman.report.page import Picture, draw_inline, thousands
from elman.report.run.figures import draw_by_step, draw_coverage, draw_levels
from elman.report.run.findings import number_text

MODEL = "this model"


def forecast_sections(scores: Scores, colour: str, before: str) -> dict[str, Any]:
    """Lay out the details of a forecast's scores; empty for another kind.

    Args:
        scores: of the part that the headline speaks of.
        colour: of the figures.
        before: what the names of the figures begin with.
    """
    details = scores.details
    if scores.kind != "forecast" or "by_step" not in details:
        return {"beside": None, "by_series": None, "by_step": [], "intervals": []}
    return {
        "beside": _beside_naive(scores),
        "by_series": _by_series(details),
        "by_step": _by_step(details, colour, before),
        "intervals": _intervals(details, colour, before),
    }


def _beside_naive(scores: Scores) -> dict[str, Any] | None:
    """Lay out the model beside every naive forecast of the same values, the best first."""
    naive = scores.details.get("naive")
    if not naive:
        return None
    columns = list(dict.fromkeys([scores.main, "mae"]))
    columns = [name for name in columns if any(name in each for each in naive.values())]
    rows = {MODEL: scores.values, **naive}
    order = sorted(rows, key=lambda name: rows[name].get(columns[0], float("inf")))
    return {
        "columns": [measure_of(name).title for name in columns],
        "rows": [
            (name, [_number(rows[name].get(column)) for column in columns], name == MODEL)
            for name in order
        ],
    }


def _by_series(details: dict[str, Any]) -> dict[str, Any] | None:
    """Lay out the best, the median and the worst series, beside the best naive forecast."""
    ranked, better = details.get("by_series"), details.get("naive_better")
    if ranked is None or ranked["of"] < 2:
        return None
    words = ""
    if better is not None:
        words = (
            f"The best naive forecast over all, {details['best_naive']}, is better than this model "
            f"for {thousands(better['series'])} of {thousands(better['of'])} series."
        )
    return {
        "title": measure_of(ranked["by"]).title,
        "of": thousands(ranked["of"]),
        "all": len(ranked["rows"]) == ranked["of"],
        "words": words,
        "naive": details.get("best_naive"),
        "rows": [
            (
                row["place"],
                str(row["series"]),
                _number(row["model"]),
                _number(row["naive"]),
                row["naive"] is not None and row["naive"] < row["model"],
            )
            for row in ranked["rows"]
        ],
    }


def _by_step(details: dict[str, Any], colour: str, before: str) -> list[Picture]:
    """Draw the error of every step ahead, of the model and of the best naive forecast."""
    by_step = details["by_step"]
    title = measure_of(by_step["unit"]).title
    lines = {name: by_step[name] for name in ("model", "naive") if name in by_step}
    caption = "Mean absolute error of all forecasts at each step ahead"
    if by_step["unit"] == "mase":
        caption += ", as a multiple of that of the seasonal naive forecast on their past"
    if "naive" in lines:
        caption += f". Dotted: the best naive forecast, {details['best_naive']}"
    drawing = draw_inline(
        f"{before}by-step", lambda axes: draw_by_step(axes, lines, colour=colour, title=title)
    )
    return [Picture(drawing, "Error by step ahead", f"{caption}.")]


def _intervals(details: dict[str, Any], colour: str, before: str) -> list[Picture]:
    """Draw how often true values lie below each quantile, and within the interval."""
    pictures, levels, by_step = [], details.get("levels"), details["by_step"]
    if levels and len(levels) > 1:
        drawing = draw_inline(
            f"{before}levels", lambda axes: draw_levels(axes, levels, colour=colour)
        )
        caption = (
            "On the line the model is well calibrated: of all true values, the share that lies "
            "below a quantile is its level."
        )
        pictures.append(Picture(drawing, "True values below each quantile", caption))
    if coverage := by_step.get("coverage"):
        nominal = by_step["interval"]
        drawing = draw_inline(
            f"{before}coverage",
            lambda axes: draw_coverage(axes, coverage, nominal=nominal, colour=colour),
        )
        count = counted(by_step["forecasts"], "forecast")
        caption = f"The line marks {nominal:.0%}; each point is the share of {count}."
        title = f"Coverage of the {nominal:.0%} interval by step ahead"
        pictures.append(Picture(drawing, title, caption))
    return pictures


def _number(value: float | None) -> str:
    return "–" if value is None else number_text(value)
