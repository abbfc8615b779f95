"""The report of a run: one HTML page that needs nothing else.

`write_run_report` turns the facts of one trained network into a page without scripts and without
anything fetched from elsewhere. Facts come ready-made, see `run_facts`; sentences are computed in
`run_findings`, figures drawn in `run_figures`, tables and marked texts laid out in `run_tables`;
the page's shape is `templates/run.html`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from markupsafe import Markup
from matplotlib.axes import Axes

from elman.evaluation.classification import Calibration
from elman.features.roll import as_roll
from elman.files import write_atomically
from elman.inspection.gradient_flow import GradientFlow
from elman.music.piano_roll import pitch_range
from elman.report.curves import DECADES, draw_gradient_flow, flow_limits
from elman.report.page import Picture, draw_inline, render, thousands
from elman.report.roll_picture import GREATEST_ROLL, roll_picture
from elman.report.run.facts import PredictedSeries, RunFacts
from elman.report.run.figures import (
    MOST_POINTS,
    MOST_STEPS,
    curve_of,
    draw_calibration,
    draw_losses,
    draw_scatter,
    draw_score_curve,
    draw_series,
)
from elman.report.run.findings import (
    answer,
    beside,
    duration,
    flow_said,
    part_name,
    question,
    setting_text,
)
from elman.report.run.tables import (
    class_rows,
    confusion_rows,
    label_colours,
    marks,
    score_rows,
    segments,
    tokens,
    wrong_rows,
    wrong_segments,
)
from elman.report.run.written import attention_tables, written_rows
from elman.report.style import colours

SQUARE = (4.3, 3.9)
"""Size of a figure whose axes are alike, in inches."""
BROAD = (8.9, 2.6)
"""Size of a series, which fills the page."""
FEWEST_DISTANCES = 11
"""Distances of a gradient flow that are drawn, where there are so many."""


def write_run_report(path: str | os.PathLike[str], facts: RunFacts) -> Path:
    """Write the page of a run; the same facts give the same bytes.

    Args:
        path: of the HTML file; its folder is made where it is missing.
        facts: what to show.

    Returns:
        The path of the page.

    Raises:
        ShapeError: something to draw has other axes than its kind has.
        DataError: a roll holds something other than zeros and ones.
    """
    page = render_run(facts)
    target = Path(path)
    # Text of the user's may hold half a surrogate pair, which no encoding of Unicode can write.
    write_atomically(target, page.encode(errors="backslashreplace"))
    return target


def render_run(facts: RunFacts) -> str:
    """Make the page of a run; raises as `write_run_report`."""
    colour = colours([facts.cell])[facts.cell]
    details = facts.final.details
    return render(
        "run.html",
        facts=facts,
        question=question(facts),
        answer=answer(facts),
        beside=beside(facts.final),
        scores=score_rows(facts.scores),
        part=part_name(facts.part),
        parts=[(part_name(part), thousands(rows)) for part, rows in facts.parts.items()],
        duration=duration,
        setting_text=setting_text,
        curves=_curves(facts, colour),
        spans=class_rows(details["spans"]) if "spans" in details else None,
        classes=class_rows(details["classes"]) if "classes" in details else None,
        confusion=(
            confusion_rows(details["names"], details["confusion"])
            if "confusion" in details
            else None
        ),
        wrong=wrong_rows(facts.wrong),
        sentences=[(tokens(each), each.where) for each in facts.sentences],
        weighed=[(marks(each), each) for each in facts.weighed],
        captions=written_rows(facts.captions),
        written=[(title, written_rows(rows)) for title, rows in facts.written.items() if rows],
        attended=attention_tables(facts.attended),
        numbers=_numbers(facts, colour),
        series=[_series(number, each, colour) for number, each in enumerate(facts.series)],
        **_bands(facts),
        **_rolls(facts, colour),
        **_flow(facts),
    )


def _curves(facts: RunFacts, colour: str) -> list[Picture]:
    """Draw losses and score by epoch, and how sure the answers are, as far as they are known."""
    curve, pictures = facts.curve, []

    def losses(axes: Axes) -> None:
        draw_losses(axes, curve, colour=colour, selected=facts.selected, unit=facts.loss_unit)

    def score(axes: Axes) -> None:
        title = facts.score_title
        draw_score_curve(axes, curve, colour=colour, selected=facts.selected, title=title)

    if len(curve_of(curve, "train")[0]) or len(curve_of(curve, "valid")[0]):
        said = "Dotted: training, measured during the epoch. Solid: validation, after it."
        pictures.append(Picture(draw_inline("losses", losses), "Loss by epoch", said))
    if len(curve_of(curve, "score")[0]):
        said = "On the validation part, after every epoch."
        pictures.append(Picture(draw_inline("score", score), "Score by epoch", said))
    if "calibration" in facts.final.details:
        sure = Calibration(**facts.final.details["calibration"])

        def certainty(axes: Axes) -> None:
            draw_calibration(axes, sure, colour=colour)

        said = (
            f"Share of right answers among {part_name(facts.part)} answers given with about the "
            "same probability; larger dots hold more of them. On the line the model is as sure as "
            "it is right; below it, too sure."
        )
        pictures.append(Picture(draw_inline("certainty", certainty), "How sure it is", said))
    return pictures


def _numbers(facts: RunFacts, colour: str) -> Picture | None:
    """Draw predicted against true numbers."""
    numbers = facts.numbers
    if numbers is None:
        return None
    drawing = draw_inline(
        "scatter", lambda axes: draw_scatter(axes, numbers, colour=colour), SQUARE
    )
    count = np.asarray(numbers.truths).size
    shown = (
        f"{thousands(MOST_POINTS)} of {thousands(count)} rows, evenly spaced."
        if count > MOST_POINTS
        else ""
    )
    return Picture(drawing, "Predicted against true", shown)


def _series(number: int, series: PredictedSeries, colour: str) -> Picture:
    """Draw one true and predicted series."""
    steps = len(np.asarray(series.truth))
    shown = f"The first {thousands(MOST_STEPS)} of {thousands(steps)} steps."
    drawing = draw_inline(
        f"series-{number}", lambda axes: draw_series(axes, series, colour=colour), BROAD
    )
    return Picture(drawing, series.title, shown if steps > MOST_STEPS else "")


def _bands(facts: RunFacts) -> dict[str, Any]:
    """Lay out labels along time: truth above answer, and below them where they differ."""
    chosen = label_colours(facts.bands)
    laid_out = [
        {
            "title": bands.title,
            "rows": [
                ("true", segments(bands.truths, chosen)),
                ("answer", segments(bands.answers, chosen)),
                ("wrong", wrong_segments(bands.truths, bands.answers)),
            ],
            "end": (
                f"{thousands(len(bands.truths))} steps"
                if bands.step_seconds is None
                else duration(len(bands.truths) * bands.step_seconds)
            ),
        }
        for bands in facts.bands
        if len(bands.truths)
    ]
    return {
        "bands": laid_out,
        "legend": [(n, Markup(f"background: {c}")) for n, c in chosen.items()],
    }


def _rolls(facts: RunFacts, colour: str) -> dict[str, Any]:
    """Draw the music, all of it with the same keys and frames."""
    rolls = [each._replace(roll=as_roll(each.roll)) for each in facts.rolls]
    if not rolls:
        return {"rolls": [], "frames": None}
    longest = max(len(each.roll) for each in rolls)
    frames = min(GREATEST_ROLL, longest)
    notes = pitch_range(each.roll[:frames] for each in rolls)
    pictures = [
        roll_picture(
            f"roll-{number}",
            each.title,
            each.roll,
            colour=colour,
            notes=notes,
            frames=frames,
            frames_per_beat=each.frames_per_beat,
            file=f"{number + 1}.mid",
        )
        for number, each in enumerate(rolls)
    ]
    return {"rolls": pictures, "frames": frames if longest > frames else None}


def _flow(facts: RunFacts) -> dict[str, Any]:
    """Draw how the gradient fades, both directions on the same axis."""
    flow = facts.flow
    if flow is None:
        return {"flows": []}
    limits = flow_limits(flow.directions.values())
    pictures = []
    for name, each in flow.directions.items():
        shown = _above(each, limits[0])

        def draw(axes: Axes, name: str = name, shown: GradientFlow = shown) -> None:
            last = "T" if name == "forward" else "1"
            draw_gradient_flow(
                axes,
                {facts.cell: shown},
                limits=limits,
                across=f"distance in steps, {'T − t' if name == 'forward' else 't − 1'}",
                up=f"‖∂loss({last}) / ∂h(t)‖" if flow.per_step else "‖∂loss / ∂h(t)‖",
            )

        title = f"{name.capitalize()} direction" if len(flow.directions) > 1 else "After training"
        pictures.append(Picture(draw_inline(f"flow-{name}", draw), title))
    return {
        "flows": pictures,
        "flow_said": flow_said(flow),
        "flow_rows": max(each.rows for each in flow.directions.values()),
        "has_memory": any(each.cell is not None for each in flow.directions.values()),
        "decades": DECADES,
    }


def _above(flow: GradientFlow, bottom: float) -> GradientFlow:
    """Cut a flow where it leaves the picture at the bottom for good."""
    norms = flow.hidden if flow.cell is None else torch.maximum(flow.hidden, flow.cell)
    visible = (norms >= bottom).nonzero().flatten().tolist()
    seen = max([FEWEST_DISTANCES, *[distance + 2 for distance in visible[-1:]]])
    return flow._replace(
        distance=flow.distance[:seen],
        hidden=flow.hidden[:seen],
        cell=None if flow.cell is None else flow.cell[:seen],
    )
