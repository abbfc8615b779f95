"""Names that look alike, several names in one cell, codes, and identifiers that repeat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from elman.data.arrow import as_text, is_text
from elman.data.identity import FEWEST_OWN, is_named_like_identifier, may_identify
from elman.data.numbers import FEW_STRAYS, MANY_STRAYS, NOT_NUMBERS
from elman.data.table import Table
from elman.errors import as_option
from elman.features.guesses import CODES
from elman.features.names import ALIKE, listed_alike, tidy
from elman.features.separators import parts_of, separator_in
from elman.tasks.check.finding import Finding
from elman.tasks.check.profile import GIVEN, INPUT, TARGET, ColumnProfile
from elman.tasks.fitting import sample

MOST_NAMES = 20_000
"""Different names that are compared; more are no classes."""

FEWEST_IDS = 20
"""Fewest different identifiers of things that have several rows each."""

_ID = re.compile(r"(?i:(?:.*[\W_])?id[\W_]*)|.*[a-z](?:Id|ID)")
"""Names of numbers that name things, and measure nothing."""

_STRAY = re.compile(rf"column '(.+)' {NOT_NUMBERS}: (.+)\.$", re.DOTALL)


def findings_of_names(
    table: Table, profile: ColumnProfile, strays: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield what the names in a column show.

    Args:
        table: rows.
        profile: of an input or target column.
        strays: column → the note that says why it is not read as numbers; see `strays_in`.
    """
    if is_text(table.column(profile.name).type):
        yield from _alike(table, profile)
    if profile.why == GIVEN:
        return
    if is_text(table.column(profile.name).type):
        yield from _several(table, profile)
    yield from _codes(profile, strays.get(profile.name))
    yield from _repeating_ids(table, profile)
    yield from _own_names(table, profile)


def strays_in(notes: Iterable[str]) -> dict[str, str]:
    """Find the notes on columns of mostly numbers that are not read as such, by the columns."""
    return {stray[1]: note for note in notes if (stray := _STRAY.match(note))}


def _alike(table: Table, profile: ColumnProfile) -> Iterator[Finding]:
    """Yield a finding on names that differ only in case, spaces, accents or at their ends."""
    import pyarrow.compute as pc

    name = profile.name
    if profile.kind != "category" or (profile.distinct or 0) > MOST_NAMES:
        return
    is_target = TARGET in profile.role
    counts: dict[str, int] = {}
    for each in pc.value_counts(as_text(table.arrow(name)).drop_null()).to_pylist():
        cell = str(tidy(each["values"]) if is_target else each["values"])
        counts[cell] = counts.get(cell, 0) + each["counts"]
    if listed := listed_alike(counts):
        yield Finding(
            "alike",
            (name,),
            f"{name} has {ALIKE}: {listed}",
            "" if profile.why == GIVEN else "they are kept apart",
            "if they are one, write them alike",
            f"write them alike, or say {_option(profile)}",
            said_by_task=is_target,
        )


def _several(table: Table, profile: ColumnProfile) -> Iterator[Finding]:
    """Yield a finding on cells that hold several names with a separator between."""
    name = profile.name
    values = sample(table).arrow(name)
    if profile.kind.partition(":")[0] not in {"category", "text", "labels"}:
        return
    if not is_text(values.type):
        return
    texts = [cell for cell in as_text(values).to_pylist() if cell and not cell.isspace()]
    separator = separator_in(set(texts), len(texts))
    if separator is None:
        return
    example = next((text for text in texts if len(parts_of(text, separator)) > 1), texts[0])
    is_labels = profile.kind == "labels"
    other = "category" if is_labels else "labels"
    yield Finding(
        "separators",
        (name,),
        f"{name} has several names in one cell, with {separator!r} between, such as {example!r}",
        f"it is read as {profile.read_as}",
        f"to read it as {other}, say {_option(profile, other)}",
        f"say {_option(profile, 'labels')} or {_option(profile, 'category')}",
        said_by_task=TARGET in profile.role,
    )


def _codes(profile: ColumnProfile, stray: str | None) -> Iterator[Finding]:
    """Yield a finding on a column of digits, or mostly of numbers, that is not read as numbers."""
    name = profile.name
    if stray is None and profile.why != CODES:
        return
    found = f"{name} holds {CODES}" if stray is None else stray.removesuffix(".")
    as_numbers = _option(profile, "number")
    override, kept = f"say {as_numbers}", ""
    answers = f"say {_option(profile)} or {as_numbers}"
    if found.endswith(MANY_STRAYS.removesuffix(".")):
        override = "correct these cells, or leave them empty"
        kept = f"; to keep it so, say {_option(profile)}"
        answers = f"say {_option(profile)}, or {override}"
    elif found.endswith(FEW_STRAYS.removesuffix(".")):
        override += ", which takes such cells for missing"
    yield Finding(
        "codes",
        (name,),
        found,
        f"it is read as {profile.read_as}",
        f"if it holds numbers, {override}{kept}",
        answers,
    )


def _repeating_ids(table: Table, profile: ColumnProfile) -> Iterator[Finding]:
    """Yield a finding on the identifier of things that have several rows each."""
    name, distinct, rows = profile.name, profile.distinct or 0, len(table)
    fewest = 3 if profile.kind == "number" and _ID.fullmatch(name.strip()) else FEWEST_IDS
    if TARGET in profile.role or not fewest <= distinct < FEWEST_OWN * rows:
        return
    if not is_named_like_identifier(name) or not may_identify(table.arrow(name)):
        return
    as_category = f" as a category, {_option(profile, 'category')};"
    yield Finding(
        "groups",
        (name,),
        f"{name} is named like an identifier, and has {distinct:,} values in {rows:,} rows",
        f"it is read as {profile.read_as}",
        f"to read it{as_category * (profile.kind != 'category')} to leave it out, say "
        f"{as_option('--ignore', name)}; to keep the rows of one in the same part, say "
        f"{as_option('--group', name)}",
        f"say {as_option('--ignore', name)} or {_option(profile)}",
    )


def _own_names(table: Table, profile: ColumnProfile) -> Iterator[Finding]:
    """Yield a finding on names of which most rows have their own."""
    name, distinct, rows = profile.name, profile.distinct or 0, len(table)
    if INPUT not in profile.role or profile.kind != "category" or distinct < FEWEST_IDS:
        return
    if 2 * distinct > rows:
        yield Finding(
            "own names",
            (name,),
            f"{name} has {distinct:,} names in {rows:,} rows, so that little can be learned of "
            "each",
            "it is read as a category",
            f"if it only numbers the rows, leave it out: {as_option('--ignore', name)}",
            f"say {as_option('--ignore', name)} or {_option(profile)}",
            said_by_task=True,
        )


def _option(profile: ColumnProfile, kind: str | None = None) -> str:
    """Write the option that says the kind of a column."""
    option = "--target" if TARGET in profile.role else "--read"
    return as_option(option, f"{profile.name}:{kind or profile.kind}")
