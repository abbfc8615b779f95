"""The report of a comparison: one HTML page that needs nothing else.

`write_comparison_report` turns the numbers of a comparison, a piece of music by each cell and their
gradient flows into a page without scripts and without anything fetched from elsewhere: figures are
SVG inside the page, the style sheet stands in its head. Sentences come from `findings` and `music`,
which compute them; figures from `curves` and `piano_roll`; the page's shape from
`templates/comparison.html`.
"""

from __future__ import annotations

import base64
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes

import elman
from elman.data.catalog import DATASETS
from elman.evaluation.comparison import CellResult, Comparison
from elman.features.roll import Roll, as_roll
from elman.inspection.curves import (
    DECADES,
    draw_gradient_flow,
    draw_learning_curves,
    draw_test_scores,
    flow_limits,
)
from elman.inspection.findings import (
    against_published,
    fading,
    named,
    percent,
    question,
    spread_text,
    vanishing,
    verdict,
)
from elman.inspection.gradient_flow import GradientFlow
from elman.inspection.midi import encode_midi
from elman.inspection.music import describe
from elman.inspection.piano_roll import draw_piano_roll, pitch_range
from elman.inspection.style import (
    FONT_SIZE,
    PANEL,
    THEME,
    colours,
    css_colour,
    inline_svg,
    label,
    panel,
)

GREATEST_ROLL = 96
"""Frames of a roll that are drawn; more would be too narrow to read on a phone."""
FADING = (
    "Steps to a thousandth, before",
    "Steps to a thousandth, after",
    "Kept per step, before",
    "Kept per step, after",
)
"""Headings of the table of the vanishing gradient, after the cell's own."""
ROLL = (4.3, 2.5)
"""Size of a roll's picture in inches."""

Flows = Mapping[str, tuple[GradientFlow, GradientFlow]]


class Picture(NamedTuple):
    """A figure of the page: the drawing, its title, what to know about it, and how it sounds.

    `midi` is a `data:` address, so that the page holds the music itself; `file` is what a reader
    saves it as.
    """

    svg: Markup
    title: str
    caption: str = ""
    midi: str = ""
    file: str = ""


def write_comparison_report(
    path: str | os.PathLike[str],
    comparison: Comparison,
    *,
    generated: Mapping[str, Roll],
    real: Roll,
    flows: Flows,
) -> Path:
    """Write the page of a comparison; the same input gives the same bytes.

    Args:
        path: of the HTML file; its folder is made where it is missing.
        comparison: the numbers.
        generated: cell → a roll that cell composed, (T, 88); may be empty.
        real: a roll from the data set to see beside them, (T, 88).
        flows: cell → gradient flow before and after training; may be empty.

    Returns:
        The path of the page.

    Raises:
        ShapeError: a roll is not (T, 88).
        DataError: a roll holds something other than zeros and ones.
    """
    page = render_comparison(comparison, generated=generated, real=real, flows=flows)
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")
    return target


def render_comparison(
    comparison: Comparison, *, generated: Mapping[str, Roll], real: Roll, flows: Flows
) -> str:
    """Make the page of a comparison; arguments as for `write_comparison_report`."""
    environment = Environment(
        loader=PackageLoader("elman.inspection"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    seeds = max(len(result.seeds) for result in comparison.results)
    return environment.get_template("comparison.html").render(
        comparison=comparison,
        theme=THEME,
        seeds=seeds,
        seed_names=_seed_names(comparison),
        thousands=_thousands,
        css=css_colour,
        elman_version=elman.__version__,
        versions=f"PyTorch {torch.__version__}, Python {platform.python_version()}",
        question=question(comparison),
        verdict=verdict(comparison),
        against_published=against_published(comparison),
        sources=_sources(comparison),
        data=_data(comparison.dataset),
        scores=_scores(comparison),
        curves=_learning_curves(comparison),
        **_table(comparison, seeds),
        **_music(comparison, real, generated),
        **_vanishing(flows),
    )


def _table(comparison: Comparison, seeds: int) -> dict[str, Any]:
    """Lay out the table: headings after the cell's own, and a row of numbers a cell."""
    over = " ± sd" if seeds > 1 else ""
    chosen = colours(result.cell for result in comparison.results)
    columns = [
        "Hidden size",
        "Parameters",
        f"Validation{over}",
        f"Test{over}",
        "Published",
        "Difference",
        "Best epoch",
        "Seconds",
        "Seconds an epoch",
    ]
    rows = [
        (label(result.cell), chosen[result.cell], _row(result)) for result in comparison.results
    ]
    return {"columns": columns, "rows": rows, "chief": 3}


def _row(result: CellResult) -> list[str]:
    seeds = len(result.seeds)
    sizes = result.hidden_size if isinstance(result.hidden_size, list) else [result.hidden_size]
    published, difference = "–", "–"
    if result.published is not None:
        published = f"{result.published:.2f}"
        difference = f"{result.test.mean - result.published:+.2f}".replace("-", "−")
    return [
        " + ".join(map(str, sizes)),
        _thousands(result.parameters),
        spread_text(result.valid, seeds),
        spread_text(result.test, seeds),
        published,
        difference,
        spread_text(result.best_epoch, seeds, digits=0),
        spread_text(result.seconds, seeds, digits=0),
        spread_text(result.seconds_per_epoch, seeds),
    ]


def _thousands(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _seed_names(comparison: Comparison) -> str:
    """List the seeds, once where all cells have the same."""
    named = {
        label(result.cell): ", ".join(str(seed.seed) for seed in result.seeds)
        for result in comparison.results
    }
    if len(set(named.values())) == 1:
        return next(iter(named.values()))
    return "; ".join(f"{cell}: {seeds}" for cell, seeds in named.items())


def _sources(comparison: Comparison) -> list[str]:
    """List where the published numbers stand, each source once."""
    sources = [result.published_source for result in comparison.results]
    return list(dict.fromkeys(source for source in sources if source))


def _data(name: str) -> str:
    """Say what a data set is, as far as the catalog knows it."""
    known = DATASETS.get(name)
    if known is None:
        return name
    counts = [
        f"{pieces} pieces ({_thousands(frames)} frames) for {split}"
        for split, pieces, frames in zip(
            ("training", "validation", "test"), known.pieces, known.frames, strict=True
        )
    ]
    return f"{known.title}: {known.about}; {', '.join(counts)}."


def _draw(name: str, draw: Callable[[Axes], None], size: tuple[float, float] = PANEL) -> Markup:
    """Draw a figure of one pair of axes and make it part of the page."""
    figure, axes = panel(*size)
    draw(axes)
    return Markup(inline_svg(figure, name))


def _scores(comparison: Comparison) -> Markup:
    size = (PANEL[0], 0.75 + 0.36 * len(comparison.results))
    return _draw("scores", lambda axes: draw_test_scores(axes, comparison), size)


def _learning_curves(comparison: Comparison) -> list[Picture]:
    by_epoch = _draw(
        "by-epoch", lambda axes: draw_learning_curves(axes, comparison, against="epoch")
    )
    by_seconds = _draw(
        "by-seconds", lambda axes: draw_learning_curves(axes, comparison, against="seconds")
    )
    return [Picture(by_epoch, "By epoch"), Picture(by_seconds, "By seconds")]


def _music(comparison: Comparison, real: Roll, generated: Mapping[str, Roll]) -> dict[str, Any]:
    """Draw the real piece first, then each cell's, all with the same keys and frames."""
    whole = {"real": as_roll(real), **{cell: as_roll(roll) for cell, roll in generated.items()}}
    frames = min(GREATEST_ROLL, len(whole["real"]))
    shown = {piece: roll[:frames] for piece, roll in whole.items()}
    notes = pitch_range(shown.values())
    chosen = {**colours(result.cell for result in comparison.results), "real": THEME["muted"]}
    pictures = []
    for number, (piece, roll) in enumerate(shown.items()):

        def draw(axes: Axes, piece: str = piece, roll: Roll = roll) -> None:
            draw_piano_roll(axes, roll, colour=chosen[piece], notes=notes)
            axes.set_xlim(0, frames)
            axes.set_xlabel("frames", color=THEME["muted"], size=FONT_SIZE)
            axes.tick_params(labelcolor=THEME["ink"], labelsize=FONT_SIZE)

        said = describe(whole[piece])
        caption = "Silence: no key is ever pressed." if said is None else str(said)
        title = "A real piece" if number == 0 else f"Composed by {named(piece)}"
        drawing = _draw(f"roll-{number}", draw, ROLL)
        midi = _midi(whole[piece], comparison.dataset)
        pictures.append(Picture(drawing, title, caption, midi, f"{piece}.mid"))
    longest = max(len(roll) for roll in whole.values())
    return {"rolls": pictures, "shown": frames if longest > frames else None}


def _midi(roll: Roll, dataset: str) -> str:
    """Encode a roll as MIDI in a `data:` address."""
    known = DATASETS.get(dataset)
    encoded = encode_midi(roll, frames_per_beat=known.frames_per_beat if known else 1)
    return f"data:audio/midi;base64,{base64.b64encode(encoded).decode()}"


def _vanishing(flows: Flows) -> dict[str, Any]:
    if not flows:
        return {"vanishing": []}
    limits = flow_limits(flow for pair in flows.values() for flow in pair)
    pictures = []
    for which, when in enumerate(("before", "after")):
        some = {cell: pair[which] for cell, pair in flows.items()}

        def draw(axes: Axes, some: Mapping[str, GradientFlow] = some) -> None:
            draw_gradient_flow(axes, some, limits=limits)

        pictures.append(Picture(_draw(f"vanishing-{when}", draw), f"{when.capitalize()} training"))
    return {
        "vanishing": pictures,
        "vanishing_said": vanishing(flows),
        "fading_columns": FADING,
        "fadings": [_fading_row(label(cell), colours(flows)[cell], *flows[cell]) for cell in flows],
        "rows_of_flow": max(after.rows for _, after in flows.values()),
        "has_memory": any(after.cell is not None for _, after in flows.values()),
        "decades": DECADES,
    }


def _fading_row(
    cell: str, colour: str, before: GradientFlow, after: GradientFlow
) -> tuple[str, str, list[str]]:
    """Write how a cell's gradient fades: faded before and after, kept before and after."""
    both = fading(before), fading(after)
    within = f"> {int(before.distance[-1])}", f"> {int(after.distance[-1])}"
    faded = [
        none if each.faded is None else str(each.faded)
        for each, none in zip(both, within, strict=True)
    ]
    return cell, colour, faded + ["–" if each.kept is None else percent(each.kept) for each in both]
