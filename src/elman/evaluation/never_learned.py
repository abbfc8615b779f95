"""True names that cannot be predicted, because no training row has them, or never are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from elman.errors import counted
from elman.evaluation.leading import never_predicted
from elman.evaluation.measures import Measured

MOST_NAMES = 8
"""Greatest number of names that a note lists, the most frequent first."""

Where = Callable[[int], str]
"""Row → its place, in words."""


class NeverLearned(NamedTuple):
    """A true name that cannot be predicted.

    Attributes:
        name: the name, as the data has it.
        times: how many rows, or steps, have it.
        row: the first row that has it.
        near: the name that can be predicted and differs from it only in case or white space.
    """

    name: Hashable
    times: int
    row: int
    near: Hashable | None


def never_learned(
    truths: Sequence[Collection[Hashable]], names: Sequence[Hashable]
) -> list[NeverLearned]:
    """Count the true names that are not among those that can be predicted, most frequent first.

    Args:
        truths: the true names of each row.
        names: the names that can be predicted.
    """
    known = set(names)
    counts: dict[Hashable, int] = {}
    first: dict[Hashable, int] = {}
    for row, of_row in enumerate(truths):
        for name in of_row:
            if name not in known:
                counts[name] = counts.get(name, 0) + 1
                first.setdefault(name, row)
    near = {folded(name): name for name in names}
    order = sorted(counts, key=lambda name: (-counts[name], str(name)))
    return [NeverLearned(name, counts[name], first[name], near.get(folded(name))) for name in order]


def folded(name: Hashable) -> str:
    """Return a name without what is easily mistyped: case and white space.

    >>> folded(" New  York") == folded("new york"), folded("yes") == folded("ja")
    (True, False)
    """
    return "".join(str(name).casefold().split())


def note_of(
    found: Iterable[NeverLearned],
    affected: int,
    total: int,
    *,
    noun: str,
    unit: str,
    where: Where | None = None,
) -> str:
    """Say in a sentence which true names were never learned, and where they are.

    Args:
        found: what `never_learned` returned, at least one.
        affected: units with such a name.
        total: all units.
        noun: what is named, in the singular: `class`, `tag`.
        unit: what is counted, in the singular: `row`, `step`.
        where: row → its place; None to give the row's number.

    >>> found = never_learned([["yes"], ["ja"], ["Yes"]], ["no", "yes"])
    >>> note_of(found, 2, 3, noun="class", unit="row")  # doctest: +NORMALIZE_WHITESPACE
    "2 of 3 rows have classes that the model never learned ('Yes' 1: row 2, where it learned 'yes';
    'ja' 1: row 1); they count as errors."
    """
    found = list(found)
    listed = []
    for each in found[:MOST_NAMES]:
        place = f"row {each.row}" if where is None else where(each.row)
        more = ", …" if each.times > 1 else ""
        near = "" if each.near is None else f", where it learned {each.near!r}"
        listed.append(f"{each.name!r} {each.times:,}: {place}{more}{near}")
    if len(found) > MOST_NAMES:
        listed.append(f"and {counted(len(found) - MOST_NAMES, 'other name')}")
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    have = "has" if affected == 1 else "have"
    count = "it counts as an error" if affected == 1 else "they count as errors"
    return (
        f"{affected:,} of {counted(total, unit)} {have} {plural} that the model never learned "
        f"({'; '.join(listed)}); {count}."
    )


def add_never_predicted(measured: Measured, details: dict[str, Any], *, unit: str = "row") -> None:
    """Note the true names that are never predicted, if there are any.

    Args:
        measured: takes the note.
        details: with `classes`, and `never_learned`, of which something else is said.
        unit: what has a name: a row, or a step.
    """
    unknown = {each["name"] for each in details.get("never_learned", ())}
    if missed := never_predicted(details["classes"], unknown):
        measured.notes.append(f"{missed}; in brackets the {unit}s that have it.")


def add_never_learned(
    measured: Measured,
    details: dict[str, Any],
    truths: Sequence[Sequence[Hashable]],
    names: Sequence[Hashable] | None,
    *,
    noun: str,
    where: Where | None,
    by_step: bool = False,
) -> None:
    """Note the true names that are not among those that can be predicted, if there are any.

    Args:
        measured: takes the note.
        details: takes `never_learned`, a `NeverLearned` each.
        truths: the true names of each row.
        names: the names that can be predicted; None where these are not known.
        noun: what is named, in the singular.
        where: row → its place.
        by_step: whether each name is that of a step, and steps are counted.
    """
    found = [] if names is None else never_learned(truths, names)
    if not found:
        return
    strange = {each.name for each in found}
    affected = sum(each.times for each in found)
    total = sum(map(len, truths))
    if not by_step:
        affected, total = sum(not strange.isdisjoint(row) for row in truths), len(truths)
    unit = "step" if by_step else "row"
    measured.notes.append(note_of(found, affected, total, noun=noun, unit=unit, where=where))
    details["never_learned"] = [each._asdict() for each in found]
