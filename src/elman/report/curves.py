"""The curves of a comparison: test scores, learning curves, the vanishing gradient."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray
from torch import Tensor

from elman.inspection.gradient_flow import GradientFlow
from elman.report.comparison.results import Comparison, EpochRecord
from elman.report.style import FONT_SIZE, THEME, colours, label, label_line_ends, power_of_ten

DECADES = 10
"""How far below its top the picture of the vanishing gradient reaches, in powers of ten."""

ROUND = [1, 2, 5, 10]
"""Steps between ticks that read well."""

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def draw_test_scores(axes: Axes, comparison: Comparison) -> None:
    """Draw every seed's test score as a dot, mean ± sd as a bar, the published one as a diamond.

    Where there are no test rows, the scores are those of the validation rows.
    """
    scale = 100 if comparison.measure.share else 1
    chosen = colours(result.cell for result in comparison.results)
    for row, result in enumerate(comparison.results):
        colour = chosen[result.cell]
        scores = [scale * seed.value(comparison.part) for seed in result.seeds]
        if len(scores) > 1:
            spread = np.std(scores, ddof=1)
            axes.errorbar(
                np.mean(scores), row, xerr=spread, color=colour, linewidth=2.2, capsize=4, zorder=2
            )
        axes.plot(np.mean(scores), row, "|", color=colour, markersize=16, markeredgewidth=2.2)
        axes.plot(scores, [row] * len(scores), "o", color=colour, alpha=0.45, markersize=6)
        if result.published is not None:
            known = scale * result.published
            axes.plot(known, row, "D", color=THEME["muted"], fillstyle="none", markersize=6.5)
    axes.set_yticks(range(len(comparison.results)))
    names = axes.set_yticklabels([label(result.cell) for result in comparison.results])
    for name, result in zip(names, comparison.results, strict=True):
        name.set(color=chosen[result.cell], weight="bold", size=FONT_SIZE + 0.5)
    axes.set_ylim(len(comparison.results) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.08)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND))
    axes.set_xlabel(_what_is_better(comparison))


def _what_is_better(comparison: Comparison) -> str:
    """Label the axis: the score, and the side on which it is better."""
    side = "right" if comparison.measure.higher_is_better else "left"
    part = "test" if comparison.part == "test" else "validation"
    name = f", {comparison.unit}" if comparison.unit else f" {comparison.score_name}"
    share = ", %" if comparison.measure.share else ""
    return f"{part}{name}{share} ({side} is better)"


def draw_learning_curves(
    axes: Axes, comparison: Comparison, *, against: Literal["epoch", "seconds"]
) -> None:
    """Draw validation by epoch or by seconds: seeds thin, mean bold; training's mean dotted.

    A mean is drawn as far as every seed of the cell reaches: farther, it would be the mean of
    another set of runs and would jump. The steep first tenth of the curves may leave the picture
    at the top.
    """
    chosen = colours(result.cell for result in comparison.results)
    ends, means = {}, []
    for result in comparison.results:
        colour = chosen[result.cell]
        valid = [_curve(seed.curve, against, "valid_loss") for seed in result.seeds]
        train = _mean_curve([_curve(seed.curve, against, "train_loss") for seed in result.seeds])
        for x, y in valid:
            axes.plot(x, y, color=colour, alpha=0.3, linewidth=0.8)
        x, y = _mean_curve(valid)
        dot = "o" if len(x) == 1 else None  # one epoch makes no line
        axes.plot(x, y, color=colour, linewidth=2, marker=dot)
        axes.plot(*train, color=colour, alpha=0.6, linewidth=1.1, linestyle=(0, (1, 1.6)))
        ends[result.cell] = float(y[-1])
        means += [y, train[1]]
    axes.set_ylim(*limits_after_the_descent(means))
    axes.set_xlim(left=0)
    axes.set_xlabel(against)
    axes.set_ylabel(comparison.loss_unit)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=ROUND))
    label_line_ends(axes, ends, chosen)


def _curve(records: Sequence[EpochRecord], x: str, y: str) -> Curve:
    pairs = [(getattr(record, x), getattr(record, y)) for record in records]
    xs, ys = np.asarray(pairs, dtype=np.float64).reshape(-1, 2).T
    return xs, ys


def _mean_curve(curves: Sequence[Curve]) -> Curve:
    """Average curves as far as all of them reach, each interpolated linearly where needed."""
    start = max(x[0] for x, _ in curves)
    end = min(x[-1] for x, _ in curves)
    if end < start:  # They do not overlap, as runs of one epoch: the mean of their ends.
        ends = np.array([(x[-1], y[-1]) for x, y in curves]).mean(axis=0)
        return ends[:1], ends[1:]
    grid = np.unique(np.concatenate([x[(x >= start) & (x <= end)] for x, _ in curves]))
    return grid, np.mean([np.interp(grid, x, y) for x, y in curves], axis=0)


def limits_after_the_descent(curves: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """Find limits that show where curves settle, up to the highest value after the first tenth."""
    bottom = min(float(curve.min()) for curve in curves)
    top = max(float(curve[len(curve) // 10 :].max()) for curve in curves)
    margin = 0.05 * (top - bottom) or 1.0
    return bottom - margin, top + margin


def draw_gradient_flow(
    axes: Axes,
    flows: Mapping[str, GradientFlow],
    *,
    limits: tuple[float, float] | None = None,
    across: str = "steps back from the loss, T − t",
    up: str = "‖∂loss(T) / ∂h(t)‖",
) -> None:
    """Draw ‖∂loss(T)/∂h(t)‖ against T − t for each cell, on a logarithmic axis.

    The LSTM's ‖∂loss(T)/∂c(t)‖ is the thinner, dashed line. A norm that is zero, or has underflowed
    to zero, has no place on a logarithmic axis: its line ends there.

    Args:
        axes: where to draw.
        flows: cell → its gradient flow.
        limits: limits of the vertical axis, which two pictures can share; None for `flow_limits`
            of these flows.
        across: label of the horizontal axis.
        up: label of the vertical axis.
    """
    chosen = colours(flows)
    for cell, flow in flows.items():
        norms = _positive(flow.hidden)
        axes.plot(flow.distance, norms, color=chosen[cell], linewidth=2, label=label(cell))
        if flow.cell is not None:
            memory = _positive(flow.cell)
            axes.plot(
                flow.distance,
                memory,
                color=chosen[cell],
                linewidth=1.1,
                linestyle="--",
                label=f"{label(cell)}, c(t)",
            )
    axes.set_yscale("log")
    axes.set_ylim(*(limits or flow_limits(flows.values())))
    axes.set_xlim(left=0)
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND, integer=True))
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.legend(loc="best", frameon=False, labelcolor="linecolor", fontsize=FONT_SIZE)


def _positive(norms: Tensor) -> NDArray[np.float64]:
    values = norms.numpy().astype(np.float64)
    return np.where(values > 0, values, np.nan)


def flow_limits(flows: Iterable[GradientFlow]) -> tuple[float, float]:
    """Find whole powers of ten around all norms that are not zero, at most `DECADES` apart."""
    norms = [norm for flow in flows for norm in (flow.hidden, flow.cell) if norm is not None]
    values = np.concatenate([_positive(norm) for norm in norms])
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.1, 10.0
    top = math.ceil(math.log10(values.max()) + 0.05)
    bottom = math.floor(math.log10(values.min()) - 0.05)
    return 10.0 ** max(bottom, top - DECADES), 10.0**top
