"""The report of a search: one self-contained HTML page, without scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from elman.data.splits import PART_NAMES
from elman.files import write_atomically
from elman.report.page import Picture, draw_inline, render, thousands
from elman.report.search.figures import draw_curves, draw_history, draw_importance, draw_parallel
from elman.report.search.findings import (
    caution,
    counts,
    question,
    short,
    tried,
    value_text,
    verdict,
)
from elman.report.search.results import SearchResult
from elman.report.style import PANEL

SHOWN = 12
"""Trials that the table shows, the best."""


def write_search_report(path: Path, search: SearchResult) -> None:
    """Write the page of a search; the same input gives the same bytes."""
    write_atomically(path, render_search(search))


def render_search(search: SearchResult) -> str:
    """Make the page of a search."""
    rows = [f"{thousands(count)} {PART_NAMES[part]}" for part, count in search.rows.items()]
    return render(
        "search.html",
        search=search,
        question=question(search),
        verdict=verdict(search),
        caution=caution(search),
        counts=counts(search),
        history=draw_inline("history", lambda axes: draw_history(axes, search)),
        pictures=_pictures(search),
        parallel=_parallel(search),
        settings=_settings(search),
        trials=_trials(search),
        failures=[trial for trial in search.trials if trial.why],
        data=f"{', '.join(rows)} rows",
    )


def _pictures(search: SearchResult) -> list[Picture]:
    """Draw the importance of the settings and the curves of the trials, where there are any."""
    pictures = []
    if search.importance:
        size = (PANEL[0], max(PANEL[1], 0.6 + 0.28 * len(search.importance)))
        drawing = draw_inline("importance", lambda axes: draw_importance(axes, search), size)
        pictures.append(Picture(drawing, "Importance of the settings"))
    if any(trial.curve for trial in search.trials):
        drawing = draw_inline("curves", lambda axes: draw_curves(axes, search))
        pictures.append(Picture(drawing, "Learning curves of the trials"))
    return pictures


def _parallel(search: SearchResult) -> Any:
    size = (max(2 * PANEL[0], 1.05 * (len(search.space) + 1)), 3.6)
    return draw_inline("parallel", lambda axes: draw_parallel(axes, search), size)


def _settings(search: SearchResult) -> list[tuple[str, str, str, str]]:
    """Lay out each setting: its name, what was tried, the default and the best value."""
    default, best = search.default.settings, search.best.settings
    return [
        (name, tried(values), value_text(default.get(name)), value_text(best[name]))
        for name, values in search.space.items()
    ]


def _trials(search: SearchResult) -> dict[str, Any]:
    """Lay out the best trials: number, score, epochs, seconds and settings."""
    names = [*search.space]
    return {
        "columns": [
            "Validation",
            "Epochs",
            "Seconds",
            *(short(name).replace("_", " ") for name in names),
        ],
        "rows": [
            (
                trial.number,
                [
                    search.text(trial.score or 0.0),
                    str(trial.epochs),
                    f"{trial.seconds:.0f}",
                    *[value_text(trial.settings[name]) for name in names],
                ],
            )
            for trial in search.finished[:SHOWN]
        ],
        "left": max(0, len(search.finished) - SHOWN),
    }
