"""The check of the data: what each column holds, what was found, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from elman.data.arrow import is_list
from elman.data.splits import PART_NAMES
from elman.features.build import kind_class
from elman.tasks.check.choice import EMPTY, TIMES
from elman.tasks.check.date_words import findings_of_dates
from elman.tasks.check.finding import Finding, refuse, sentences_of
from elman.tasks.check.hot import findings_of_hot
from elman.tasks.check.lengths import findings_of_lengths
from elman.tasks.check.naming import findings_of_names, strays_in
from elman.tasks.check.profile import (
    INPUT,
    LEFT_OUT,
    TARGET,
    ColumnProfile,
    lines_of,
    profile_of,
)
from elman.tasks.check.sizes import findings_of_parts, findings_of_target
from elman.tasks.fitting import sample
from elman.tasks.named_kinds import kind_of

if TYPE_CHECKING:
    from elman.tasks.dividing import Parts
    from elman.tasks.given import Given


@dataclass(frozen=True)
class Check:
    """What is known of the data before training.

    Attributes:
        source: what was read, in words.
        rows: number of rows that were read, those without a target left out.
        profiles: one a column, in their order.
        findings: what was found, in the order in which it is said.
        notes: what else was assumed while reading and dividing, a sentence each.
        parts: name of a part → its rows; empty where the rows could not be divided.
        rows_name: what these are called: series, where a forecast is asked for.
    """

    source: str
    rows: int
    profiles: Sequence[ColumnProfile]
    findings: Sequence[Finding]
    notes: Sequence[str] = ()
    parts: Mapping[str, int] | None = None
    rows_name: str = "rows"

    @property
    def sentences(self) -> list[str]:
        """What was found and assumed, but for what the task says once it reads the columns."""
        found = sentences_of(each for each in self.findings if not each.said_by_task)
        return [*found, *self.notes]

    @property
    def all_sentences(self) -> list[str]:
        """What was found and assumed, a sentence each."""
        return [*sentences_of(self.findings), *self.notes]

    def refuse_assumptions(self) -> None:
        """Refuse what was decided without being asked, for `data.strict`.

        Raises:
            ExperimentError: something was; all of it is listed, with the settings that answer it.
        """
        refuse(self.findings, self.source)

    @property
    def rows_of_parts(self) -> str:
        """How many rows each part has, in words; empty where they could not be divided."""
        return rows_in_words(self.parts or {}, self.rows_name)

    def table(self, most: int | None = None, width: int | None = None) -> list[str]:
        """Write a line a column, and one above; see `profile.lines_of`."""
        return lines_of(self.profiles, most, width)

    def to_json(self) -> dict[str, Any]:
        """Describe the check in JSON values."""
        return {
            "source": self.source,
            "rows": self.rows,
            "parts": self.parts,
            "columns": [each.to_json() for each in self.profiles],
            "findings": [each.to_json() for each in self.findings],
            "notes": list(self.notes),
        }


def check_of(given: Given, parts: Parts | None = None) -> Check:
    """Check data.

    Args:
        given: what was read.
        parts: into which it was divided; None where it could not be.
    """
    table, series = given.shown, bool(given.layout.data.horizon)
    profiles = [_profile(given, name) for name in table.columns]
    findings = list(parts.findings if parts else given.findings)
    said = {each.sentence for each in findings}
    notes = dict.fromkeys([*table.notes, *(parts.notes if parts else ())])
    strays = strays_in(notes)
    used = [each for each in profiles if INPUT in each.role or TARGET in each.role]
    for profile in used:
        findings += findings_of_names(table, profile, strays)
        findings += findings_of_hot(table, profile)
        findings += findings_of_lengths(table, profile)
        if TARGET in profile.role and profile.steps is None:
            findings += findings_of_target(table, profile)
    for profile in profiles:
        findings += findings_of_dates(table, profile)
    if parts is not None and not series:
        findings += findings_of_parts(parts, [each for each in used if _are_classes(each)])
    repeated = {f"{each.found}." for each in findings if each.code == "codes"}
    return Check(
        table.source,
        len(table),
        profiles,
        findings,
        [note for note in notes if note not in said and note not in repeated],
        None if parts is None else parts.sizes,
        "series" if series else "rows",
    )


def rows_in_words(parts: Mapping[str, int], name: str = "rows") -> str:
    """Write how many rows each part has.

    Args:
        parts: name of a part → its rows.
        name: what rows are called.

    >>> rows_in_words({"train": 1_600, "valid": 200, "test": 200})
    '1,600 training, 200 validation and 200 test rows'
    """
    counts = [f"{rows:,} {PART_NAMES[part]}" for part, rows in parts.items()]
    return f"{', '.join(counts[:-1])} and {counts[-1]} {name}" if counts else ""


def _profile(given: Given, name: str) -> ColumnProfile:
    """Describe one column by its role."""
    table, role, data = given.shown, given.roles[name], given.layout.data
    if INPUT in role or TARGET in role:
        is_target = TARGET in role
        if is_target and data.horizon:
            return profile_of(table, name, role, kind="number", why="a series to forecast")
        kind = kind_of(data, name, as_target=is_target)
        steps = _steps(given, name) if is_target and kind is None else None
        return profile_of(table, name, role, kind=kind, steps=steps)
    if name in given.left_out.get(TIMES, []):
        return profile_of(table, name, role, kind="date", why="dates or times")
    if name in given.left_out.get(EMPTY, []):
        return profile_of(table, name, role, kind="", why="no value")
    if role == LEFT_OUT:
        return profile_of(table, name, role)
    return profile_of(table, name, role, kind="", why="")


def _steps(given: Given, name: str) -> list[int] | None:
    """Return the lengths of a sample of input sequences, which tell tags from labels."""
    rows = sample(given.shown)
    inputs = [each for each, role in given.roles.items() if role == INPUT]
    lists = [each for each in inputs if is_list(rows.column(each).type)]
    if not lists or not is_list(rows.column(name).type):
        return None
    return [0 if value is None else len(value) for value in rows.column(lists[0])]


def _are_classes(profile: ColumnProfile) -> bool:
    if TARGET not in profile.role or not profile.kind:
        return False
    return bool(kind_class(profile.kind).is_class) and profile.steps is None
