"""The report of a run: one HTML page that needs nothing else.

`write_run_report` turns the facts of one trained network into a page without scripts and without
anything fetched from elsewhere. `facts` defines what it shows; `findings` computes sentences,
`figures` draws, `tables` and `written` lay out tables and marked texts; `templates/run.html` is the
page.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
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
    baseline,
    duration,
    flow_in_words,
    part_name,
    question,
    setting_text,
)
from elman.report.run.forecast import forecast_sections
from elman.report.run.importance import importance_tables
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
"""Size of a series, as wide as the page."""
MOST_ANSWERS = 20
"""Maximum number of targets that have a section of their own."""
FEWEST_DISTANCES = 11
"""Minimum number of distances of a gradient flow that are drawn, if there are so many."""


def write_run_report(path: str | os.PathLike[str], facts: RunFacts) -> Path:
    """Write the page of a run; the same facts give the same bytes.

    Args:
        path: of the HTML file; its folder is created if need be.
        facts: what to show.

    Returns:
        The path of the page.

    Raises:
        ShapeError: values to draw have wrong axes.
        DataError: a roll holds something other than zeros and ones.
    """
    page = render_run(facts)
    target = Path(path)
    # Text of the user's may hold half a surrogate pair, which no encoding of Unicode can write.
    write_atomically(target, page.encode(errors="backslashreplace"))
    return target


def render_run(facts: RunFacts) -> str:
    """Return the page of a run; raises as `write_run_report`."""
    colour = colours([facts.cell])[facts.cell]
    each = facts.answers[:MOST_ANSWERS] or [facts]
    return render(
        "run.html",
        facts=facts,
        question=question(facts),
        answer=answer(facts),
        baseline=baseline(facts.final),
        scores=score_rows(facts.scores),
        part=part_name(facts.part),
        parts=[(part_name(part), thousands(rows)) for part, rows in facts.parts.items()],
        duration=duration,
        setting_text=setting_text,
        curves=_curves(facts, colour),
        importance=importance_tables(facts.importance, colour),
        answers=[_answer(place, of_target, facts, colour) for place, of_target in enumerate(each)],
        more_answers=max(0, len(facts.answers) - MOST_ANSWERS),
        captions=written_rows(facts.captions),
        written=[(title, written_rows(rows)) for title, rows in facts.written.items() if rows],
        attended=attention_tables(facts.attended),
        **_rolls(facts, colour),
        **_flow(facts),
    )


def _answer(place: int, facts: RunFacts, page: RunFacts, colour: str) -> dict[str, Any]:
    """Lay out what is shown of a target.

    Args:
        place: of the target, counted from 0.
        facts: of the target; those of the page where it has one target.
        page: facts of the page.
        colour: of the figures.
    """
    details, is_one_of_several = facts.final.details, facts is not page
    before = f"target-{place}-" if is_one_of_several else ""
    return {
        "of_target": facts.target if is_one_of_several else "",
        "answer": answer(facts),
        "baseline": baseline(facts.final),
        "kind": facts.final.kind,
        "calibration": _calibration(facts, colour, before),
        "spans": class_rows(details["spans"]) if "spans" in details else None,
        "classes": class_rows(details["classes"]) if "classes" in details else None,
        "confusion": (
            confusion_rows(details["names"], details["confusion"])
            if "confusion" in details
            else None
        ),
        "wrong": wrong_rows(facts.wrong),
        "sentences": [(tokens(each), each.where) for each in facts.sentences],
        "weighed": [(marks(each), each) for each in facts.weighed],
        "weights_note": facts.weights_note,
        "numbers": _numbers(facts, colour, before),
        "ahead": _all_series(f"{before}ahead", facts.ahead, colour),
        "series": _all_series(f"{before}series", facts.series, colour),
        "series_note": facts.series_note,
        **forecast_sections(facts.final, colour, before),
        **_bands(facts),
    }


def _curves(facts: RunFacts, colour: str) -> list[Picture]:
    """Draw losses and score by epoch, as far as they are known."""
    curve, pictures = facts.curve, []

    def losses(axes: Axes) -> None:
        draw_losses(axes, curve, colour=colour, selected=facts.selected, unit=facts.loss_unit)

    def score(axes: Axes) -> None:
        title = facts.score_title
        draw_score_curve(axes, curve, colour=colour, selected=facts.selected, title=title)

    if len(curve_of(curve, "train")[0]) or len(curve_of(curve, "valid")[0]):
        caption = "Dotted: training, averaged over the epoch. Solid: validation, after it."
        pictures.append(Picture(draw_inline("losses", losses), "Loss by epoch", caption))
    if len(curve_of(curve, "score")[0]):
        caption = "On the validation data, after every epoch."
        pictures.append(Picture(draw_inline("score", score), "Score by epoch", caption))
    return pictures


def _calibration(facts: RunFacts, colour: str, before: str) -> Picture | None:
    """Draw accuracy against predicted probability, where probabilities are known."""
    if "calibration" not in facts.final.details:
        return None
    calibration = Calibration(**facts.final.details["calibration"])
    drawing = draw_inline(
        f"{before}calibration", lambda axes: draw_calibration(axes, calibration, colour=colour)
    )
    caption = (
        f"Accuracy of the {part_name(facts.part)} predictions with about the same probability; "
        "larger dots hold more of them. On the diagonal the model is well calibrated, below it "
        "overconfident."
    )
    return Picture(drawing, "Accuracy by predicted probability", caption)


def _numbers(facts: RunFacts, colour: str, before: str) -> Picture | None:
    """Draw predicted against true numbers."""
    numbers = facts.numbers
    if numbers is None:
        return None
    drawing = draw_inline(
        f"{before}scatter", lambda axes: draw_scatter(axes, numbers, colour=colour), SQUARE
    )
    count = np.asarray(numbers.truths).size
    caption = (
        f"{thousands(MOST_POINTS)} of {thousands(count)} rows, evenly spaced."
        if count > MOST_POINTS
        else ""
    )
    return Picture(drawing, "Predicted against true", caption)


def _all_series(name: str, many: Sequence[PredictedSeries], colour: str) -> list[Picture]:
    return [_series(f"{name}-{number}", each, colour) for number, each in enumerate(many)]


def _series(name: str, series: PredictedSeries, colour: str) -> Picture:
    """Draw one true and predicted series; `name` is that of the figure."""
    steps = len(np.asarray(series.truth))
    caption = f"The first {thousands(MOST_STEPS)} of {thousands(steps)} steps."
    drawing = draw_inline(name, lambda axes: draw_series(axes, series, colour=colour), BROAD)
    return Picture(drawing, series.title, caption if steps > MOST_STEPS else "")


def _bands(facts: RunFacts) -> dict[str, Any]:
    """Lay out tags over time: true above predicted ones, and where they differ below."""
    chosen = label_colours(facts.bands)
    laid_out = [
        {
            "title": bands.title,
            "rows": [
                ("true", segments(bands.truths, chosen)),
                ("predicted", segments(bands.predictions, chosen)),
                ("wrong", wrong_segments(bands.truths, bands.predictions)),
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
    """Draw the piano rolls, all with the same range of keys and frames."""
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
    """Draw how the gradient vanishes, both directions on the same axis."""
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
        "flow_words": flow_in_words(flow),
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
