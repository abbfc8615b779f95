"""Parts and classes that are too small to choose or to measure by, and targets of one value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from elman.data.arrow import as_text, is_list, is_text
from elman.data.splits import PART_NAMES
from elman.data.table import Table
from elman.errors import as_option, counted
from elman.features.checks import shown
from elman.features.guesses import CODES
from elman.features.names import tidy
from elman.tasks.check.finding import Finding
from elman.tasks.check.profile import GIVEN, ColumnProfile
from elman.tasks.dividing import Parts

if TYPE_CHECKING:
    import pyarrow as pa

FEW = 20
"""Fewer validation rows than this say little about which weights are best."""

RARE = 10
"""Fewer rows of a class than this are not in every part, if a tenth of the rows is for each."""

SHOWN = 5
"""Classes that are named before the rest is counted."""


def findings_of_target(table: Table, profile: ColumnProfile) -> Iterator[Finding]:
    """Yield a finding on a target with a single value, or on classes that have hardly any rows.

    Args:
        table: rows.
        profile: of a target, not of lists.
    """
    name, rows = profile.name, len(table)
    if profile.distinct == 1 and rows > 1:
        yield Finding(
            "one value",
            (name,),
            f"{name} is {profile.example} in all {counted(rows, 'row')}, so that there is nothing "
            "to predict",
            "",
            "choose another target",
            said_by_task=True,
        )
    elif profile.kind == "category":
        yield from _whole_numbers(table, profile)
        yield from _rare(table, name)


def _whole_numbers(table: Table, profile: ColumnProfile) -> Iterator[Finding]:
    """Yield a finding on whole numbers that are taken to be classes."""
    name = profile.name
    if profile.why in {GIVEN, CODES} or (profile.distinct or 0) < 3:
        return
    if not _are_whole(table.arrow(name)):
        return
    number, category = (as_option("--target", f"{name}:{kind}") for kind in ("number", "category"))
    yield Finding(
        "whole numbers",
        (name,),
        f"{name} has {profile.distinct:,} different whole numbers",
        "they are read as classes",
        f"to predict a number, say {number}",
        f"say {category} or {number}",
    )


def _are_whole(values: pa.ChunkedArray) -> bool:
    """Tell whether all values are whole numbers, as such or written out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_text(values.type):
        return bool(pa.types.is_integer(values.type))
    text = pc.utf8_trim_whitespace(as_text(values))
    return bool(pc.all(pc.match_substring_regex(text, r"^[+-]?\d+$|^$")).as_py())


def _rare(table: Table, name: str) -> Iterator[Finding]:
    """Yield a finding on classes of few rows, and of less than half their share of them."""
    import pyarrow.compute as pc

    counts: dict[Any, int] = {}
    for each in pc.value_counts(table.arrow(name).drop_null()).to_pylist():
        label = tidy(each["values"])
        counts[label] = counts.get(label, 0) + each["counts"]
    counts.pop("", None)
    rows = sum(counts.values())
    least = min(RARE, rows / max(1, len(counts)) / 2)
    rare = sorted((each for each, count in counts.items() if count < least), key=counts.__getitem__)
    if not rare:
        return
    has, them = ("has", "it") if len(rare) == 1 else ("have", "them")
    listed = ", ".join(f"{shown(each)} ({counts[each]})" for each in rare[:SHOWN])
    more = f" and {len(rare) - SHOWN:,} more" if len(rare) > SHOWN else ""
    yield Finding(
        "rare",
        (name,),
        f"{len(rare):,} of the {len(counts):,} classes of {name} {has} fewer than {RARE} of "
        f"{rows:,} rows: {listed}{more}",
        "",
        f"that is too few to learn or to measure, so give more rows of {them}, or make {them} one "
        "with another class",
    )


def findings_of_parts(parts: Parts, classes: Sequence[ColumnProfile]) -> Iterator[Finding]:
    """Yield what the sizes of the parts show.

    Args:
        parts: of the rows.
        classes: the targets that are classes.
    """
    for name in (profile.name for profile in classes):
        if name in parts.train.columns and not is_list(parts.train.column(name).type):
            yield from _never_trained(parts, name)
    yield from _too_few(parts, classes)


def _too_few(parts: Parts, classes: Sequence[ColumnProfile]) -> Iterator[Finding]:
    """Yield a finding on a validation part that is too small to choose weights by."""
    rows = len(parts.valid)
    many = [each for each in classes if (each.distinct or 0) > rows]
    if rows >= FEW and not many:
        return
    found = f"the validation part has {counted(rows, 'row')}, too few to choose weights by"
    if rows >= FEW:
        found = (
            f"the validation part has {counted(rows, 'row')}, fewer than {many[0].name} has "
            f"classes ({many[0].distinct:,})"
        )
    yield Finding(
        "validation",
        (),
        found,
        "",
        "scores will differ from seed to seed, so train with several (--seed 2); give more rows, "
        "or a larger share of them (--set valid_fraction=0.2)",
    )


def _never_trained(parts: Parts, name: str) -> Iterator[Finding]:
    """Yield a finding on classes of which no training row, or no other row, is an example."""
    known = _classes(parts.train, name)
    others = [part for part in (parts.valid, parts.test) if part is not None]
    for label, part in zip(("valid", "test"), others, strict=False):
        strange = sorted(_classes(part, name) - known, key=str)
        if strange:
            yield Finding(
                "strangers",
                (name,),
                f"{_listed(strange)} of {name} {'is' if len(strange) == 1 else 'are'} in the "
                f"{PART_NAMES[label]} part and in no training row, so never predicted",
                said_by_task=True,
            )


def _classes(table: Table, name: str) -> set[Any]:
    import pyarrow.compute as pc

    values = table.arrow(name)
    names = as_text(values) if is_text(values.type) else values
    return {tidy(each) for each in pc.unique(names.drop_null()).to_pylist()} - {""}


def _listed(names: Sequence[object]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(map(shown, names[:SHOWN])) + more
