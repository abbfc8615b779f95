"""What each column contributes, as the page shows it: bars, numbers and what they mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from markupsafe import Markup

from elman.report.page import thousands
from elman.report.run.column_falls import ColumnFall, ColumnFalls
from elman.report.run.findings import number_text
from elman.report.style import css_colour

MOST_COLUMNS = 30
"""Maximum number of columns that are drawn: those that contribute most."""

NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"

Writer = Callable[[float], str]


class Bar(NamedTuple):
    """A column, its bar and its line, as positions from left to right, and its numbers."""

    column: str
    fall: str
    bar: Markup | None
    line: Markup | None


def importance_tables(many: Iterable[ColumnFalls], colour: str) -> list[dict[str, Any]]:
    """Lay out the columns of each score, those that contribute most first.

    Args:
        many: one a score.
        colour: of the bars, one of `THEME`.
    """
    return [_table(falls, colour) for falls in many]


def _table(falls: ColumnFalls, colour: str) -> dict[str, Any]:
    order = sorted(falls.columns, key=lambda each: (-each.fall, each.column))
    shown = order[:MOST_COLUMNS]
    ends = [0.0, *(end for each in shown for end in _ends(each) if math.isfinite(end))]
    low, width = min(ends), max(ends) - min(ends) or 1.0
    write = _writer(max(map(abs, ends)), share=falls.share)
    return {
        "score": falls.score,
        "heading": _heading(falls),
        "zero": Markup(f"left: {100 * -low / width:.2f}%"),
        "rows": [_bar(each, (low, width), write, colour) for each in shown],
        "explained": importance_in_words(falls),
    }


def _heading(falls: ColumnFalls) -> str:
    unit = ", percentage points" if falls.share else ""
    return f"{_change(falls).capitalize()} of {_in_sentence(falls.score)}{unit}"


def _change(falls: ColumnFalls) -> str:
    return "fall" if falls.higher_is_better else "rise"


def importance_in_words(falls: ColumnFalls) -> str:
    """Say what was shuffled, on which rows and how often, and how to read the result."""
    several = falls.repeats > 1
    mean = f"the mean of {falls.repeats} shufflings" if several else "one shuffling"
    line = "; the line reaches one standard deviation to either side" if several else ""
    whole = f"{falls.value:.2%}" if falls.share else number_text(falls.value)
    return (
        f"How far the {_in_sentence(falls.score)} {_change(falls)}s when the cells of one column "
        f"are shuffled among the {falls.rows_name}, so that it says nothing about them any more. "
        f"Without shuffling it is {whole}. A bar is {mean}{line}. {_measured_on(falls)} Columns "
        "that carry the same information share it: while one is shuffled, the network still reads "
        f"the others.{_left_out(len(falls.columns) - MOST_COLUMNS)}"
    )


def _measured_on(falls: ColumnFalls) -> str:
    """Say how many rows were measured, and why not more."""
    rows = f"all {thousands(falls.rows)} validation {falls.rows_name}"
    if falls.rows < falls.available:
        rows = f"{thousands(falls.rows)} of {thousands(falls.available)} validation "
        rows += f"{falls.rows_name}, drawn at random"
    limit = f"; more would take long with {thousands(len(falls.columns))} columns"
    return f"Measured on {rows}{limit if falls.limited else ''}."


def _left_out(count: int) -> str:
    if count <= 0:
        return ""
    if count == 1:
        return " 1 more column, which contributes no more than these, is not shown."
    return f" {thousands(count)} more columns, which contribute no more than these, are not shown."


def _in_sentence(title: str) -> str:
    return title if title[:2].isupper() or not title[1:].islower() else title[0].lower() + title[1:]


def _ends(each: ColumnFall) -> tuple[float, float, float]:
    spread = each.spread or 0.0
    return each.fall - spread, each.fall, each.fall + spread


def _bar(each: ColumnFall, axis: tuple[float, float], write: Writer, colour: str) -> Bar:
    if not math.isfinite(each.fall):
        return Bar(each.column, "not computed", None, None)
    left, end, right = _ends(each)
    start, stop = sorted((0.0, end))
    bar = f"{_stretch(start, stop, axis)}; background: {css_colour(colour)}"
    line = None if each.spread is None else Markup(_stretch(left, right, axis))
    text = write(end) if each.spread is None else f"{write(end)} ± {write(each.spread)}"
    return Bar(each.column, text, Markup(bar), line)


def _stretch(start: float, stop: float, axis: tuple[float, float]) -> str:
    """Return the style of what reaches from one value to another."""
    low, width = axis
    return f"left: {100 * (start - low) / width:.2f}%; width: {100 * (stop - start) / width:.2f}%"


def _writer(greatest: float, *, share: bool) -> Writer:
    """Return what writes falls and spreads, all with the decimals that suit the greatest."""
    if share:
        return lambda value: f"{100 * value:.2f}".replace("-", "−")
    decimals = 3 - math.floor(math.log10(greatest)) if greatest else 0
    if not -6 <= decimals <= 6:
        return number_text
    return lambda value: _grouped(value, max(0, decimals))


def _grouped(value: float, decimals: int) -> str:
    """Write a number with some decimals, its thousands in groups."""
    return f"{value:,.{decimals}f}".replace("-", "−").replace(",", NARROW_SPACE)
