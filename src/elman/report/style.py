"""The style of all figures: one colour per cell, the axes, and inline SVG.

Figures are drawn with matplotlib's `Figure` (never pyplot, so nothing global is touched) in the
colours of `THEME`. `inline_svg` turns each of those colours into a CSS variable of the same name,
so that one drawing serves a light page, a dark page and a printed one.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from elman.music.piano_roll import GUIDE, SHADE

# Cells in the colours of Okabe and Ito (2008), which the colour-blind can tell apart.
THEME = {
    "ink": "#20242b",
    "muted": "#6a7280",
    "guide": GUIDE,
    "rule": "#e3e5e9",
    "shade": SHADE,
    "simple": "#d55e00",
    "gru": "#0072b2",
    "lstm": "#00875f",
    "other-1": "#b8568f",
    "other-2": "#a87b00",
    "other-3": "#3f8fc4",
    "other-4": "#5b5f9e",
}
LABELS = {
    "simple": "simple",
    "gru": "GRU",
    "lstm": "LSTM",
    "mingru": "minGRU",
    "minlstm": "minLSTM",
    "lru": "LRU",
    "slstm": "sLSTM",
}

PANEL = (4.3, 2.95)
"""Size of one panel in inches: two fit side by side on a desk, one fills a phone."""
FONT_SIZE = 9.0

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_ELSEWHERE = re.compile(r' (?:width|height)="[^"]*pt"|<style.*?</style>|<!--.*?-->', re.DOTALL)
_REFERENCE = re.compile(r'(\bid="|href="#|url\(#)')


def label(cell: str) -> str:
    """Name a cell as the text and the figures do: `GRU` for `gru`."""
    return LABELS.get(cell, cell)


def colours(cells: Iterable[str]) -> dict[str, str]:
    """Choose a colour for each cell: the three classic ones always the same, others by order."""
    spare = (name for name in THEME if name.startswith("other-"))
    chosen: dict[str, str] = {}
    for cell in cells:
        if cell not in chosen:
            chosen[cell] = THEME[cell if cell in THEME else next(spare, "muted")]
    return chosen


def panel(width: float = PANEL[0], height: float = PANEL[1]) -> tuple[Figure, Axes]:
    """Make a figure with one pair of light axes: two spines, faint horizontal lines."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    soften(axes)
    return figure, axes


def soften(axes: Axes) -> None:
    """Remove from the axes whatever is not data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(THEME["muted"])
    axes.spines[["bottom", "left"]].set_linewidth(0.6)
    axes.grid(axis="y", color=THEME["rule"], linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(
        which="both", color=THEME["muted"], labelcolor=THEME["ink"], labelsize=FONT_SIZE, width=0.6
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(color=THEME["muted"], size=FONT_SIZE)


def power_of_ten(value: float) -> str:
    """Format a power of ten: 10⁻³."""
    exponent = round(math.log10(value))
    return "1" if exponent == 0 else f"10{str(exponent).translate(_SUPERSCRIPT)}"


def label_line_ends(axes: Axes, ends: dict[str, float], chosen: dict[str, str]) -> None:
    """Write each cell's name at the right, at the height where its line ends, none overlapping.

    Args:
        axes: limits and scale must be final.
        ends: cell → last value of its line, in data units.
        chosen: cell → colour.
    """
    to_fraction = axes.transData + axes.transAxes.inverted()
    left = axes.get_xlim()[0]
    heights = {cell: to_fraction.transform((left, end))[1] for cell, end in ends.items()}
    order = sorted(heights, key=lambda cell: heights[cell])
    for cell, height in zip(order, _spread([heights[c] for c in order], gap=0.075), strict=True):
        axes.text(
            1.02,
            height,
            label(cell),
            transform=axes.transAxes,
            color=chosen[cell],
            size=FONT_SIZE,
            weight="bold",
            va="center",
        )


def _spread(heights: list[float], gap: float) -> list[float]:
    """Move ascending heights apart to at least `gap`, as little as possible, within 0 … 1."""
    placed = [min(max(height, 0.02), 0.98) for height in heights]
    for upper in range(1, len(placed)):
        crowd = gap - (placed[upper] - placed[upper - 1])
        if crowd > 0:
            placed[upper - 1] -= crowd / 2
            placed[upper] += crowd / 2
            for lower in range(upper - 1, 0, -1):
                placed[lower - 1] = min(placed[lower - 1], placed[lower] - gap)
    return placed


def inline_svg(figure: Figure, name: str) -> str:
    """Draw a figure as an SVG element for an HTML page, the same bytes every time.

    Text stays text, in the page's own font; colours of `THEME` become CSS variables with the
    light colour as fallback; ids begin with `name`, so that figures of one page do not clash.

    Args:
        figure: the figure.
        name: of the figure, unique in its page: letters and hyphens.

    Returns:
        `<svg …>…</svg>`.
    """
    drawing = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        _lay_out(figure)
        figure.savefig(drawing, format="svg", transparent=True, metadata=no_metadata)
    svg = drawing.getvalue()
    svg = _ELSEWHERE.sub("", svg[svg.index("<svg") :])
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg)
    svg = re.sub(r"font: ((?:bold )?[\d.]+px) [^;\"]*", r"font: \1 inherit", svg)
    svg = _REFERENCE.sub(rf"\g<1>{name}-", svg)
    for colour in THEME.values():
        svg = svg.replace(colour, css_colour(colour))
    return svg.strip()


def _lay_out(figure: Figure) -> None:
    """Place the axes once and for all, as `savefig` does after drawing the whole figure in vain."""
    FigureCanvasSVG(figure)  # its letters have the final widths
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine(None)


def css_colour(colour: str) -> str:
    """Return a colour of `THEME` as the CSS variable of the page's style sheet."""
    names = {value: name for name, value in THEME.items()}
    return f"var(--{names[colour]}, {colour})"
