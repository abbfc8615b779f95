"""The figures of a search: its history, importance, curves and parallel coordinates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from elman.report.curves import ROUND
from elman.report.search.findings import short, value_text
from elman.report.search.results import SearchResult, TrialResult
from elman.report.style import FONT_SIZE, THEME

BEST, OTHERS, PRUNED = THEME["simple"], THEME["gru"], THEME["guide"]
"""Colours of the best trial, of the others, and of those that were ended early."""

EDGE = 0.03
"""Share of an axis that is left beside the first and the last value of a choice."""


def _scaled(search: SearchResult, value: float) -> float:
    return 100 * value if search.measure.share else value


def _score_label(search: SearchResult) -> str:
    side = "higher" if search.measure.higher_is_better else "lower"
    return f"{search.measure.title}{', %' if search.measure.share else ''} ({side} is better)"


def draw_history(axes: Axes, search: SearchResult) -> None:
    """Draw the score of every trial, and the best until then."""
    finished = sorted(search.finished, key=lambda trial: trial.number)
    numbers = [trial.number for trial in finished]
    values = [_scaled(search, trial.score or 0.0) for trial in finished]
    better = np.maximum if search.measure.higher_is_better else np.minimum
    so_far = better.accumulate(values)
    last = max(trial.number for trial in search.trials)
    axes.step([*numbers, last], [*so_far, so_far[-1]], where="post", color=OTHERS, linewidth=1.6)
    axes.plot(numbers, values, "o", color=OTHERS, alpha=0.55, markersize=5)
    best = numbers.index(search.best_trial)
    axes.plot(search.best_trial, values[best], "o", color=BEST, markersize=7)
    ended = [trial.number for trial in search.trials if trial.score is None]
    foot = axes.get_xaxis_transform()
    axes.plot(ended, [0.02] * len(ended), "|", color=THEME["muted"], markersize=8, transform=foot)
    axes.set_xlabel("trial")
    axes.set_ylabel(_score_label(search))
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=ROUND, integer=True))


def draw_importance(axes: Axes, search: SearchResult) -> None:
    """Draw the share of the differences in score that each setting explains."""
    shares = sorted(search.importance.items(), key=lambda pair: pair[1])
    names = [short(name) for name, _ in shares]
    axes.barh(names, [100 * share for _, share in shares], color=OTHERS, height=0.6)
    for row, (_, share) in enumerate(shares):
        text = f" {100 * share:.0f}%"
        axes.text(100 * share, row, text, va="center", size=FONT_SIZE, color=THEME["ink"])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.margins(x=0.12)


def draw_curves(axes: Axes, search: SearchResult) -> None:
    """Draw what the epochs of every trial were compared by."""
    for trial in search.trials:
        epochs = range(1, len(trial.curve) + 1)
        is_best = trial.number == search.best_trial
        colour = BEST if is_best else OTHERS if trial.state == "finished" else PRUNED
        axes.plot(
            epochs,
            trial.curve,
            color=colour,
            linewidth=2 if is_best else 0.9,
            alpha=1 if is_best or trial.state != "finished" else 0.5,
            zorder=3 if is_best else 2,
            marker="o" if len(trial.curve) == 1 else None,
            markersize=3,
        )
    settled = [value for trial in search.trials for value in trial.curve[len(trial.curve) // 10 :]]
    bottom, top = np.quantile(settled, 0.02), max(settled)
    margin = 0.06 * (top - bottom) or 1.0
    axes.set_ylim(bottom - margin, top + margin)
    axes.set_xlabel("epoch")
    axes.set_ylabel("validation (higher is better)")
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND, integer=True))


def draw_parallel(axes: Axes, search: SearchResult) -> None:
    """Draw every finished trial as a line over one upright axis a setting, and one of the score."""
    names = [*search.space]
    scales = [_Scale(search.space[name]) for name in names]
    finished = search.finished
    scores = [trial.score or 0.0 for trial in finished]
    low, high = min(scores), max(scores)

    def heights(trial: TrialResult) -> list[float]:
        places = [
            scale.place(trial.settings[name]) for name, scale in zip(names, scales, strict=True)
        ]
        score = trial.score or 0.0
        return [*places, (score - low) / (high - low) if high > low else 0.5]

    for rank, trial in reversed([*enumerate(finished)]):
        is_best = trial.number == search.best_trial
        strength = 0.75 - 0.6 * rank / max(1, len(finished) - 1)
        axes.plot(
            range(len(names) + 1),
            heights(trial),
            color=BEST if is_best else OTHERS,
            alpha=1.0 if is_best else strength,
            linewidth=2.4 if is_best else 1.1,
            zorder=3 if is_best else 2,
        )
    for column, scale in enumerate(scales):
        _mark(axes, column, scale.marks())
    ends = [(0.0, low), (1.0, high)] if high > low else [(0.5, low)]
    _mark(axes, len(names), [(place, search.text(value)) for place, value in ends])
    axes.set_xticks(range(len(names) + 1))
    score = search.score.replace("_", " ")
    axes.set_xticklabels([*(short(name).replace("_", "\n") for name in names), score])
    axes.set_yticks([])
    axes.set_ylim(-0.06, 1.06)
    axes.set_xlim(-0.15, len(names) + 0.45)
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(axis="x", length=0)


def _mark(axes: Axes, column: int, marks: list[tuple[float, str]]) -> None:
    """Draw an upright axis with its marks at the right."""
    axes.plot([column, column], [0, 1], color=THEME["muted"], linewidth=0.8, zorder=1)
    for place, text in marks:
        axes.text(
            column + 0.05,
            place,
            text,
            size=FONT_SIZE - 1,
            va="center",
            color=THEME["ink"],
            zorder=4,
        )


class _Scale:
    """Where the values of a setting lie on an axis from 0 to 1."""

    def __init__(self, values: Any) -> None:
        self.choices: list[Any] | None = values if isinstance(values, list) else None
        self.values = values

    def place(self, value: Any) -> float:
        """Return the place of a value."""
        if self.choices is not None:
            steps = len(self.choices) - 1
            return EDGE + (1 - 2 * EDGE) * self.choices.index(value) / steps if steps else 0.5
        low, high = self.values["low"], self.values["high"]
        if self.values.get("log"):
            return math.log(value / low) / math.log(high / low)
        place: float = (value - low) / (high - low)
        return place

    def marks(self) -> list[tuple[float, str]]:
        """Return the places that are marked, with their texts."""
        ends = self.choices or [self.values["low"], self.values["high"]]
        return [(self.place(value), value_text(value)) for value in ends]
