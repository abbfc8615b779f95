"""The figures of the report of a run: learning curve, calibration, predicted and true values.

No figure holds text of the user's: a name may be in any script and longer than any axis, so names
are in the page around the figure.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import ArrayLike, NDArray

from elman.errors import ShapeError
from elman.evaluation.classification import Calibration
from elman.report.curves import ROUND, limits_after_the_descent
from elman.report.run.facts import CurvePoint, PredictedNumbers, PredictedSeries
from elman.report.style import FONT_SIZE, THEME, css_colour, label_line_ends

MOST_POINTS = 1500
"""Maximum number of points in a scatter plot, evenly spaced."""
MOST_STEPS = 2000
"""Maximum number of steps of a series that are drawn: the first ones."""
SPARK = (220, 40)
"""Width and height of an input drawn beside its prediction, in pixels."""

TRUTH = THEME["muted"]
_BESIDE = ["", "%Y", "%Y", "%Y-%m-%d", "%Y-%m-%d", "%Y-%m-%d %H:%M"]
"""What stands beside an axis of dates whose ticks are years, months, days, hours, …"""

Line = tuple[NDArray[np.float64], NDArray[np.float64]]


def curve_of(curve: Sequence[CurvePoint], quantity: Literal["train", "valid", "score"]) -> Line:
    """Return epochs and values of one quantity, where it was measured and is finite."""
    pairs = [(point.epoch, getattr(point, quantity)) for point in curve]
    known = [(epoch, value) for epoch, value in pairs if value is not None and math.isfinite(value)]
    epochs, values = np.asarray(known, np.float64).reshape(-1, 2).T
    return epochs, values


def draw_losses(
    axes: Axes, curve: Sequence[CurvePoint], *, colour: str, selected: int | None, unit: str
) -> None:
    """Draw training dotted, validation solid, and a line at the selected epoch."""
    train, valid = curve_of(curve, "train"), curve_of(curve, "valid")
    _draw_line(axes, train, colour, alpha=0.7, linewidth=1.3, linestyle=(0, (1, 1.6)))
    _draw_line(axes, valid, colour, linewidth=2)
    curves = [values for _, values in (train, valid) if len(values)]
    axes.set_ylim(*limits_after_the_descent(curves))
    ends = {
        name: line[1][-1] for name, line in (("train", train), ("valid", valid)) if len(line[1])
    }
    _finish_curve(axes, selected, unit)
    label_line_ends(axes, ends, dict.fromkeys(ends, colour))


def draw_score_curve(
    axes: Axes, curve: Sequence[CurvePoint], *, colour: str, selected: int | None, title: str
) -> None:
    """Draw the validation part's score by epoch."""
    _draw_line(axes, curve_of(curve, "score"), colour, linewidth=2)
    axes.margins(y=0.08)
    _finish_curve(axes, selected, title)


def _draw_line(axes: Axes, line: Line, colour: str, **style: object) -> None:
    """Draw a line; a single epoch, which has no line, as a dot."""
    axes.plot(*line, color=colour, marker="o" if len(line[0]) == 1 else "", **style)  # type: ignore[arg-type]


def _finish_curve(axes: Axes, selected: int | None, unit: str) -> None:
    axes.set_xlim(left=0)
    if selected is not None:
        axes.axvline(selected, color=THEME["guide"], linewidth=1.2, zorder=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel(unit)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=ROUND))


def draw_calibration(axes: Axes, calibration: Calibration, *, colour: str) -> None:
    """Draw accuracy against predicted probability; larger dots hold more predictions."""
    axes.plot([0, 1], [0, 1], color=THEME["guide"], linewidth=1.2)
    sizes = np.sqrt(np.asarray(calibration.counts) / max(calibration.counts))
    axes.plot(calibration.confidence, calibration.accuracy, color=colour, linewidth=1, alpha=0.5)
    axes.scatter(
        calibration.confidence,
        calibration.accuracy,
        s=8 + 70 * sizes,
        color=colour,
        linewidths=0,
        zorder=3,
    )
    axes.set(xlim=(0, 1.03), ylim=(0, 1.03), xlabel="predicted probability", ylabel="accuracy")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1))


def draw_scatter(axes: Axes, numbers: PredictedNumbers, *, colour: str) -> None:
    """Draw predicted against true numbers, and the line where they are equal."""
    truths, predicted = (np.ravel(np.asarray(each, np.float64)) for each in numbers)
    chosen = np.unique(np.linspace(0, len(truths) - 1, MOST_POINTS).astype(np.int64))
    low, high = (f(each(truths), each(predicted)) for f, each in ((min, np.min), (max, np.max)))
    axes.plot([low, high], [low, high], color=THEME["guide"], linewidth=1.2)
    points = truths[chosen], predicted[chosen]
    axes.plot(*points, "o", color=colour, alpha=0.35, markersize=3.5, mew=0)
    axes.set(xlabel="true", ylabel="predicted")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=ROUND))


def draw_series(axes: Axes, series: PredictedSeries, *, colour: str) -> None:
    """Draw a true series, the prediction over it, and the past before both."""
    past = np.ravel(np.asarray(series.past, np.float64))[-MOST_STEPS:]
    truth, predicted, naive, low, high = (
        np.ravel(np.asarray(each, np.float64))[:MOST_STEPS]
        for each in (series.truth, series.prediction, series.naive, series.low, series.high)
    )
    before, steps = _steps_of(series)
    if len(past):
        joined = np.concatenate([before, steps[: len(truth[:1])]])
        until = np.concatenate([past, truth[:1]])
        axes.plot(joined, until, color=TRUTH, linewidth=1, alpha=0.6)
        axes.axvline(_between(before[-1], steps[0]), color=THEME["guide"], linewidth=1.2)
    dot = "o" if len(predicted) == 1 else ""  # one step makes no line
    if len(low):
        edge = 5 if len(low) == 1 else 0  # a band of one step has no width
        axes.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=edge)
    if len(truth):
        axes.plot(steps, truth, color=TRUTH, linewidth=2.6, alpha=0.6, label="true", marker=dot)
    if len(naive):
        dotted: dict[str, Any] = {"linewidth": 1, "linestyle": (0, (1, 1.6)), "markersize": 4}
        axes.plot(steps, naive, color=THEME["ink"], marker=dot, label="naive", **dotted)
    axes.plot(steps, predicted, color=colour, linewidth=1.2, label="predicted", marker=dot)
    axes.margins(x=0.02 if dot else 0)
    if np.issubdtype(steps.dtype, np.datetime64):
        locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
        dates = ConciseDateFormatter(locator, offset_formats=_BESIDE)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates)
        axes.xaxis.get_offset_text().set(size=FONT_SIZE, color=THEME["muted"])
    else:
        axes.set_xlabel("time" if np.size(series.times) else "step")
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=ROUND, integer=True))
    axes.legend(loc="best", frameon=False, labelcolor="linecolor", fontsize=FONT_SIZE)


def _steps_of(series: PredictedSeries) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return where the past and the predicted steps that are drawn lie on the axis."""
    past, ahead = np.size(series.past), np.size(series.prediction)
    times = np.asarray(series.times)
    if not len(times):
        times = np.arange(-past, ahead)
    return times[:past][-MOST_STEPS:], times[past:][:MOST_STEPS]


def _between(last: Any, first: Any) -> Any:
    """Return the middle of two steps: numbers or dates."""
    return last + (first - last) / 2


def draw_by_step(
    axes: Axes, lines: Mapping[str, Sequence[float | None]], *, colour: str, title: str
) -> None:
    """Draw a quantity of every step ahead, of the model and dotted of the naive forecast.

    Args:
        axes: where to draw.
        lines: `model`, and `naive` where it is known → a value a step, None where it is unknown.
        colour: of the model.
        title: of the axis.
    """
    drawn = {name: np.array(values, np.float64) for name, values in lines.items() if values}
    drawn = {name: values for name, values in drawn.items() if not np.isnan(values).all()}
    chosen = {name: colour if name == "model" else THEME["ink"] for name in drawn}
    for name, values in drawn.items():
        dotted = {"linewidth": 1, "linestyle": (0, (1, 2))}
        style: dict[str, Any] = {"linewidth": 2} if name == "model" else dotted
        marker = "o" if len(values) == 1 else ""
        axes.plot(np.arange(1, len(values) + 1), values, color=chosen[name], marker=marker, **style)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.02)
    axes.set(xlabel="steps ahead", ylabel=title)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=ROUND))
    ends = {name: float(values[~np.isnan(values)][-1]) for name, values in drawn.items()}
    label_line_ends(axes, ends, chosen)


def draw_coverage(
    axes: Axes, coverage: Sequence[float | None], *, nominal: float, colour: str
) -> None:
    """Draw the share of true values within an interval by step ahead, beside what it should be."""
    axes.axhline(nominal, color=THEME["guide"], linewidth=1.2)
    steps = np.arange(1, len(coverage) + 1)
    marker = "o" if len(coverage) == 1 else ""
    axes.plot(steps, np.array(coverage, np.float64), color=colour, linewidth=2, marker=marker)
    axes.set(ylim=(0, 1.03), xlabel="steps ahead", ylabel="share of true values within")
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND, integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1))


def draw_levels(axes: Axes, shares: Sequence[tuple[float, float]], *, colour: str) -> None:
    """Draw the share of true values below each quantile against its level."""
    levels, below = np.array(shares, np.float64).T
    axes.plot([0, 1], [0, 1], color=THEME["guide"], linewidth=1.2)
    axes.plot(levels, below, color=colour, linewidth=1, marker="o", markersize=5)
    axes.set(xlim=(0, 1.03), ylim=(0, 1.03), xlabel="level of the quantile")
    axes.set_ylabel("share of true values below")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1))


def spark_line(values: ArrayLike) -> Markup:
    """Draw an input over time, two lines of text high: one line per column.

    Args:
        values: (T,) or (T, k); where one is missing the line is broken.

    Raises:
        ShapeError: it has other axes, or no step.
    """
    columns = np.asarray(values, np.float64)
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.ndim != 2 or not columns.size:
        raise ShapeError(f"an input to draw must be (T,) or (T, k), got {np.shape(values)}.")
    width, height = SPARK
    every = -(-len(columns) // width)
    columns = columns[::every]
    known = columns[np.isfinite(columns)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    across = np.linspace(1, width - 1, len(columns)) if len(columns) > 1 else np.array([width / 2])
    up = height - 2 - (columns - low) / ((high - low) or 1.0) * (height - 4)
    lines = [_path(across, up[:, column]) for column in range(columns.shape[1])]
    colour = css_colour(THEME["gru"])
    return Markup(
        f'<svg class="spark" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<path d="{" ".join(lines)}" fill="none" style="stroke: {colour}"/></svg>'
    )


def _path(across: NDArray[np.float64], up: NDArray[np.float64]) -> str:
    """Return a line as an SVG path, broken where a value is missing."""
    steps, pen = [], "M"
    for x, y in zip(across, up, strict=True):
        if math.isfinite(y):
            steps.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
        else:
            pen = "M"
    return " ".join(steps)


def picture_address(pixels: ArrayLike) -> str:
    """Encode a picture as PNG in a `data:` address.

    Args:
        pixels: (H, W) or (H, W, 3), uint8.

    Raises:
        ShapeError: it has other axes or another type.
    """
    from PIL import Image

    values = np.asarray(pixels)
    if values.dtype != np.uint8 or not (values.ndim == 2 or values.shape[2:] == (3,)):
        raise ShapeError(
            f"a picture must be (H, W) or (H, W, 3) of uint8, got {values.shape} of {values.dtype}."
        )
    file = io.BytesIO()
    Image.fromarray(values).save(file, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
