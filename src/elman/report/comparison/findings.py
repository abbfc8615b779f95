"""The findings of a comparison, in sentences computed from its numbers.

No cell is favoured. A difference between two means counts only where the intervals mean ± standard
deviation over seeds do not overlap; with one seed there is no such interval, and the sentence says
so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from elman.data.splits import PART_NAMES
from elman.inspection.gradient_flow import GradientFlow
from elman.report.comparison.results import CellResult, Comparison, Spread
from elman.report.style import label, power_of_ten

NBSP = "\N{NO-BREAK SPACE}"
FALL = 1000
"""A gradient so many times smaller than at T counts as faded."""

NOTICEABLE = 0.005
"""The smallest change in the share kept per step that the text mentions."""


"""Names of the parts of the data in text."""

_SPELT_WITH_A_VOWEL = ("F1", "R²", "sMAPE")
"""Names of scores that are pronounced with a vowel at the start."""


class Fading(NamedTuple):
    """How one gradient fades.

    Attributes:
        faded: first distance at which the norm is `FALL` times below its value at distance 0; None
            where there is none.
        kept: share of the norm that is kept per step back, the geometric mean over the far half of
            the distances; None where there are too few of them, or the norm is zero there.
    """

    faded: int | None
    kept: float | None


def spread_text(spread: Spread, seeds: int, digits: int = 2) -> str:
    """Write a mean, with its standard deviation if there are several seeds."""
    mean = f"{spread.mean:.{digits}f}"
    return mean if seeds < 2 else f"{mean}{NBSP}±{NBSP}{spread.std:.{digits}f}"


def score_text(comparison: Comparison, result: CellResult, part: str) -> str:
    """Write the main score of a cell on a part, without line breaks."""
    return comparison.text(result, part).replace(" ", NBSP)


def named(cell: str) -> str:
    """Name a cell inside a sentence: `the GRU`, `the simple cell`."""
    return f"the {label(cell)} cell" if label(cell).islower() else f"the {label(cell)}"


def question(comparison: Comparison) -> str:
    """Ask which cell is best; for a single cell, how good it is."""
    *most, last = [label(result.cell) for result in comparison.results]
    if not most:
        return f"How good is {named(comparison.results[0].cell)}?"
    return f"Which cell is best: {', '.join(most)} or {last}?"


def verdict(comparison: Comparison) -> str:
    """Say in one sentence which cell is best on the test split, and how certainly."""
    best, *others = comparison.ranked
    part = comparison.part
    split = f"on the {PART_NAMES[part]} split"
    reached = _reached(comparison, best)
    if not others:
        return _sentence(f"{named(best.cell)} reaches {reached} {split}")
    if min(len(best.seeds), len(others[0].seeds)) < 2:
        tied = [each for each in comparison.ranked if each.chief(part) == best.chief(part)]
        if len(tied) > 1:
            cells = _listed(named(each.cell) for each in tied)
            return _sentence(
                f"{cells} share first place with {reached}; one seed per cell cannot separate them"
            )
        return _sentence(
            f"{named(best.cell)} comes first with {reached}, {_lead(comparison)} "
            f"{named(others[0].cell)} – but with one seed per cell, this lead may be chance"
        )
    rivals = [other for other in others if _overlap(best.chief(part), other.chief(part))]
    compared = _listed(
        f"{named(other.cell)} ({score_text(comparison, other, part)})" for other in rivals or others
    )
    if not rivals:
        return _sentence(f"{named(best.cell)} is best: {reached} {split}, clear of {compared}")
    if all(other.chief(part).mean == best.chief(part).mean for other in rivals):
        cells = _listed(named(each.cell) for each in (best, *rivals))
        return _sentence(f"There is no clear winner: {cells} have the same mean, {reached}")
    extreme = "highest" if comparison.measure.higher_is_better else "lowest"
    return _sentence(
        f"There is no clear winner: {named(best.cell)} has the {extreme} mean, {reached}, but its "
        f"interval overlaps {'that' if len(rivals) == 1 else 'those'} of {compared}"
    )


def _reached(comparison: Comparison, result: CellResult) -> str:
    """Write what a cell reaches: `8.51 nats per frame`, `an accuracy of 86.4%`."""
    value = score_text(comparison, result, comparison.part)
    if comparison.unit:
        return f"{value} {comparison.unit}"
    name = comparison.score_name
    article = "an" if name[0] in "aeiou" or name.startswith(_SPELT_WITH_A_VOWEL) else "a"
    return f"{article} {name} of {value}"


def _lead(comparison: Comparison) -> str:
    """Write by how much the first cell leads the second, as precisely as scores are shown."""
    first, second = (result.chief(comparison.part).mean for result in comparison.ranked[:2])
    gap = comparison.number(abs(first - second))
    if comparison.measure.share:
        gap = f"{gap.removesuffix('%')} points"
    return f"{gap} ahead of"


def against_published(comparison: Comparison) -> str | None:
    """Compare the means with the published numbers in one sentence, if there are any."""
    better: list[str] = []
    worse: list[str] = []
    for result in comparison.results:
        if result.published is None:
            continue
        difference = result.chief(comparison.part).mean - result.published
        ahead = -difference if comparison.measure.higher_is_better else difference
        side = better if ahead <= 0 else worse
        side.append(f"{named(result.cell)} by {comparison.number(abs(difference))}")
    if not better and not worse:
        return None
    if not better:
        return _sentence(f"Worse than the published number: {_listed(worse)}")
    if not worse:
        return _sentence(f"Better than the published number: {_listed(better)}")
    return _sentence(
        f"Better than the published number: {_listed(better)}; worse than it: {_listed(worse)}"
    )


def faded_to(flow: GradientFlow, share: float) -> int | None:
    """Find the first distance at which the norm is at most a share of that at distance 0."""
    norms = flow.hidden.numpy()
    weak = np.flatnonzero(norms <= norms[0] * share)
    return int(weak[0]) if weak.size else None


def fading(flow: GradientFlow) -> Fading:
    """Measure how the norm of ∂loss(T)/∂h(t) fades with distance."""
    norms = flow.hidden.numpy()
    near, far = len(norms) // 2, len(norms) - 1
    kept = None
    if far > near and norms[near] > 0 and norms[far] > 0:
        kept = math.exp((math.log(norms[far]) - math.log(norms[near])) / (far - near))
    return Fading(faded_to(flow, 1 / FALL), kept)


def vanishing(flows: Mapping[str, tuple[GradientFlow, GradientFlow]]) -> list[str]:
    """Say in sentences what the picture of the vanishing gradient shows.

    Args:
        flows: cell → its gradient flow before and after training.

    Returns:
        The sentences; none where the sequences are too short to tell.
    """
    before = {cell: fading(pair[0]).kept for cell, pair in flows.items()}
    after = {cell: fading(pair[1]).kept for cell, pair in flows.items()}
    kept = {cell: share for cell, share in after.items() if share is not None}
    if not kept:
        return []
    order = sorted(kept, key=lambda cell: kept[cell])
    longest = order[-1]
    sentences = [
        f"Once trained, {named(longest)} keeps {percent(kept[longest])} of the gradient at every "
        f"step back{' – the most' if len(order) > 1 else ''}: {_over(20, kept[longest])}."
    ]
    if len(order) > 1:
        shortest = order[0]
        sentences.append(
            f"{_capital(named(shortest))} keeps {percent(kept[shortest])}: "
            f"{_over(20, kept[shortest])}."
        )
    pairs = [(cell, before[cell], after[cell]) for cell in flows]
    changes = [(cell, now - then) for cell, then, now in pairs if then and now]
    longer = [named(cell) for cell, change in changes if change >= NOTICEABLE]
    shorter = [named(cell) for cell, change in changes if change <= -NOTICEABLE]
    if longer:
        sentences.append(f"Training lengthened the memory of {_listed(longer)}.")
    if shorter:
        sentences.append(f"Training shortened the memory of {_listed(shorter)}.")
    return sentences


def percent(share: float) -> str:
    """Write a share as a percentage, with a decimal where it needs one."""
    rounded = round(share, 3)
    return f"{share:.1%}" if rounded < 0.1 or 0.985 < rounded < 1.015 else f"{share:.0%}"


def _over(steps: int, kept: float) -> str:
    """Say how much is left after a number of steps."""
    left = kept**steps
    if left >= 1:
        return f"over {steps} steps it grows {left:.3g}-fold"
    return f"over {steps} steps it shrinks {_round(1 / left)}-fold"


def _round(number: float) -> str:
    """Write a number of any size in two figures."""
    if number < 1e6:
        return f"{float(f'{number:.2g}'):,.6g}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    exponent = math.floor(math.log10(number))
    return f"{number / 10**exponent:.1f} · {power_of_ten(10.0**exponent)}"


def _overlap(one: Spread, other: Spread) -> bool:
    """Tell whether the two intervals mean ± standard deviation overlap."""
    return abs(one.mean - other.mean) <= one.std + other.std


def _listed(items: Iterable[str]) -> str:
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last


def _sentence(words: str) -> str:
    return f"{_capital(words)}."


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
