"""The report of a comparison: one self-contained HTML page.

`write_comparison_report` turns the numbers of a comparison, the gradient flow of each cell and, of
piano rolls, a piece of music by each into a page that has no scripts and loads nothing: figures are
SVG inside the page, the style sheet is in its head. Sentences come from
`findings` and `music`, which compute them; figures from `curves` and `piano_roll`; the page's shape
from `templates/comparison.html`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes

from elman.data.catalog import ROLL_SETS
from elman.evaluation.measures import MEASURES
from elman.features.roll import Roll, as_roll
from elman.files import write_atomically
from elman.inspection.gradient_flow import GradientFlow
from elman.music.piano_roll import pitch_range
from elman.report.comparison.findings import (
    NBSP,
    PARTS,
    against_published,
    fading,
    named,
    percent,
    question,
    score_text,
    spread_text,
    vanishing,
    verdict,
)
from elman.report.comparison.results import CellResult, Comparison
from elman.report.curves import (
    DECADES,
    draw_gradient_flow,
    draw_learning_curves,
    draw_test_scores,
    flow_limits,
)
from elman.report.page import Picture, draw_inline, render, thousands
from elman.report.roll_picture import GREATEST_ROLL, roll_picture
from elman.report.run.facts import Flow, GeneratedText
from elman.report.run.findings import flow_said
from elman.report.style import PANEL, THEME, colours, label

FADING = (
    "Steps to a thousandth, before",
    "Steps to a thousandth, after",
    "Kept per step, before",
    "Kept per step, after",
)
"""Headings of the table of the vanishing gradient, after that of the cell."""

Flows = Mapping[str, tuple[GradientFlow, GradientFlow]]


def write_comparison_report(
    path: str | os.PathLike[str],
    comparison: Comparison,
    *,
    generated: Mapping[str, Roll] = MappingProxyType({}),
    real: Roll | None = None,
    flows: Flows = MappingProxyType({}),
    reading: Flow | None = None,
    texts: Mapping[str, str] = MappingProxyType({}),
    sampling: str = "",
) -> Path:
    """Write the page of a comparison; the same input gives the same bytes.

    Args:
        path: path of the HTML file; its folder is made where it is missing.
        comparison: the numbers.
        generated: cell → a roll that the cell composed, (T, 88); may be empty.
        real: a roll from the data set to show beside them, (T, 88); None for other data.
        flows: cell → gradient flow before and after training; may be empty.
        reading: how the gradient flow of one of the networks was measured; None for piano rolls.
        texts: cell → a text that its network generated; may be empty.
        sampling: how these texts were sampled.

    Returns:
        The path of the page.

    Raises:
        ShapeError: a roll is not (T, 88).
        DataError: a roll holds values other than zeros and ones.
    """
    page = render_comparison(
        comparison,
        generated=generated,
        real=real,
        flows=flows,
        reading=reading,
        texts=texts,
        sampling=sampling,
    )
    target = Path(path)
    write_atomically(target, page)
    return target


def render_comparison(
    comparison: Comparison,
    *,
    generated: Mapping[str, Roll] = MappingProxyType({}),
    real: Roll | None = None,
    flows: Flows = MappingProxyType({}),
    reading: Flow | None = None,
    texts: Mapping[str, str] = MappingProxyType({}),
    sampling: str = "",
) -> str:
    """Make the page of a comparison; arguments as for `write_comparison_report`."""
    seeds = max(len(result.seeds) for result in comparison.results)
    return render(
        "comparison.html",
        comparison=comparison,
        seeds=seeds,
        seed_names=_seed_names(comparison),
        question=question(comparison),
        verdict=verdict(comparison),
        against_published=against_published(comparison),
        sources=_sources(comparison),
        part=PARTS[comparison.part],
        data=_data(comparison),
        scores=_scores(comparison),
        curves=_learning_curves(comparison),
        every_score=_every_score(comparison),
        texts=[
            GeneratedText(text, how=f"Written by {named(cell)}.") for cell, text in texts.items()
        ],
        sampling=sampling,
        **_table(comparison, seeds),
        **({"rolls": []} if real is None else _music(comparison, real, generated)),
        **_vanishing(flows, reading),
    )


def _table(comparison: Comparison, seeds: int) -> dict[str, Any]:
    """Lay out the table: headings after that of the cell, and one row of numbers per cell."""
    over = " ± sd" if seeds > 1 else ""
    chosen = colours(result.cell for result in comparison.results)
    parts = _measured(comparison)
    columns = [
        "Hidden size",
        "Parameters",
        *[f"{PARTS[part].capitalize()}{over}" for part in parts],
        *(["Published", "Difference"] if comparison.of_rolls else []),
        "Best epoch",
        "Seconds",
        "Seconds per epoch",
    ]
    rows = [
        (label(result.cell), chosen[result.cell], _row(comparison, result))
        for result in comparison.results
    ]
    return {"columns": columns, "rows": rows, "chief": 1 + len(parts)}


def _measured(comparison: Comparison) -> list[str]:
    """List the parts that the table shows; the last one decides."""
    return ["valid", "test"] if comparison.part == "test" else ["valid"]


def _row(comparison: Comparison, result: CellResult) -> list[str]:
    seeds = len(result.seeds)
    return [
        " + ".join(map(str, result.sizes)),
        thousands(result.parameters),
        *[score_text(comparison, result, part) for part in _measured(comparison)],
        *(_beside_published(comparison, result) if comparison.of_rolls else []),
        spread_text(result.best_epoch, seeds, digits=0),
        spread_text(result.seconds, seeds, digits=0),
        spread_text(result.seconds_per_epoch, seeds),
    ]


def _beside_published(comparison: Comparison, result: CellResult) -> tuple[str, str]:
    """Write the published number and the difference of ours; dashes where there is none."""
    if result.published is None:
        return "–", "–"
    difference = result.chief(comparison.part).mean - result.published
    return comparison.number(result.published), comparison.number(difference, signed=True)


def _every_score(comparison: Comparison) -> dict[str, Any] | None:
    """Lay out all scores of the part that decides, one per column; None if there is only one."""
    part = comparison.part
    names = [
        name
        for name in comparison.results[0].seeds[0].scores[part]
        if all(result.score(part, name) is not None for result in comparison.results)
    ]
    if comparison.of_rolls or len(names) < 2:
        return None
    chosen = colours(result.cell for result in comparison.results)
    return {
        "columns": [MEASURES[name].title for name in names],
        "chief": names.index(comparison.score),
        "rows": [
            (
                label(result.cell),
                chosen[result.cell],
                [comparison.text(result, part, name).replace(" ", NBSP) for name in names],
            )
            for result in comparison.results
        ],
        "said": [f"{MEASURES[name].title}: {MEASURES[name].meaning}." for name in names],
    }


def _seed_names(comparison: Comparison) -> str:
    """List the seeds, only once where all cells have the same."""
    by_cell = {
        label(result.cell): ", ".join(str(seed.seed) for seed in result.seeds)
        for result in comparison.results
    }
    if len(set(by_cell.values())) == 1:
        return next(iter(by_cell.values()))
    return "; ".join(f"{cell}: {seeds}" for cell, seeds in by_cell.items())


def _sources(comparison: Comparison) -> list[str]:
    """List the sources of the published numbers, each once."""
    sources = [result.published_source for result in comparison.results]
    return list(dict.fromkeys(source for source in sources if source))


def _data(comparison: Comparison) -> str:
    """Describe the data set, from the catalog if it is there, and count its rows."""
    known = ROLL_SETS.get(comparison.dataset)
    if comparison.of_rolls and known is not None:
        counts = [
            f"{pieces} pieces ({thousands(frames)} frames) for {split}"
            for split, pieces, frames in zip(
                ("training", "validation", "test"), known.pieces, known.frames, strict=True
            )
        ]
        return f"{known.title}: {known.about}; {', '.join(counts)}."
    if not comparison.counts:
        return comparison.dataset
    if comparison.kind == "forecast":
        series = thousands(comparison.counts["train"])
        last = "the last values of each are for validation and test"
        return f"{comparison.dataset}: {series} series; {last}."
    rows = [f"{thousands(count)} {PARTS[part]}" for part, count in comparison.counts.items()]
    return f"{comparison.dataset}: {', '.join(rows)} rows."


def _scores(comparison: Comparison) -> Markup:
    size = (PANEL[0], 0.75 + 0.36 * len(comparison.results))
    return draw_inline("scores", lambda axes: draw_test_scores(axes, comparison), size)


def _learning_curves(comparison: Comparison) -> list[Picture]:
    by_epoch = draw_inline(
        "by-epoch", lambda axes: draw_learning_curves(axes, comparison, against="epoch")
    )
    by_seconds = draw_inline(
        "by-seconds", lambda axes: draw_learning_curves(axes, comparison, against="seconds")
    )
    return [Picture(by_epoch, "By epoch"), Picture(by_seconds, "By seconds")]


def _music(comparison: Comparison, real: Roll, generated: Mapping[str, Roll]) -> dict[str, Any]:
    """Draw the real piece, then that of each cell, all over the same keys and frames."""
    whole = {"real": as_roll(real), **{cell: as_roll(roll) for cell, roll in generated.items()}}
    frames = min(GREATEST_ROLL, len(whole["real"]))
    notes = pitch_range(roll[:frames] for roll in whole.values())
    chosen = {**colours(result.cell for result in comparison.results), "real": THEME["muted"]}
    pictures = []
    known = ROLL_SETS.get(comparison.dataset)
    for number, (piece, roll) in enumerate(whole.items()):
        title = "A real piece" if number == 0 else f"Composed by {named(piece)}"
        pictures.append(
            roll_picture(
                f"roll-{number}",
                title,
                roll,
                colour=chosen[piece],
                notes=notes,
                frames=frames,
                frames_per_beat=known.frames_per_beat if known else 1,
                file=f"{piece}.mid",
            )
        )
    longest = max(len(roll) for roll in whole.values())
    return {"rolls": pictures, "shown": frames if longest > frames else None}


def _vanishing(flows: Flows, reading: Flow | None) -> dict[str, Any]:
    """Draw how the gradient of each cell fades, before and after training, on one axis."""
    if not flows:
        return {"vanishing": []}
    fades = reading is None or reading.pooling == "last"
    up = {} if reading is None or reading.per_step else {"up": "‖∂loss / ∂h(t)‖"}
    limits = flow_limits(flow for pair in flows.values() for flow in pair)
    pictures = []
    for which, when in enumerate(("before", "after")):
        some = {cell: pair[which] for cell, pair in flows.items()}

        def draw(axes: Axes, some: Mapping[str, GradientFlow] = some) -> None:
            draw_gradient_flow(axes, some, limits=limits, **up)

        pictures.append(
            Picture(draw_inline(f"vanishing-{when}", draw), f"{when.capitalize()} training")
        )
    return {
        "vanishing": pictures,
        "vanishing_said": vanishing(flows) if reading is None or fades else flow_said(reading),
        "reading": reading and reading._replace(directions={}),
        "bidirectional": reading is not None and len(reading.directions) > 1,
        "fading_columns": FADING,
        "fadings": [
            _fading_row(label(cell), colours(flows)[cell], *flows[cell]) for cell in flows if fades
        ],
        "rows_of_flow": max(after.rows for _, after in flows.values()),
        "has_memory": any(after.cell is not None for _, after in flows.values()),
        "decades": DECADES,
    }


def _fading_row(
    cell: str, colour: str, before: GradientFlow, after: GradientFlow
) -> tuple[str, str, list[str]]:
    """Write a row of the table: faded before and after training, kept before and after."""
    both = fading(before), fading(after)
    within = f"> {int(before.distance[-1])}", f"> {int(after.distance[-1])}"
    faded = [
        none if each.faded is None else str(each.faded)
        for each, none in zip(both, within, strict=True)
    ]
    return cell, colour, faded + ["–" if each.kept is None else percent(each.kept) for each in both]
