"""Columns of zeros and ones that stand for one class, or any labels, of a row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import as_text, is_number, is_text
from elman.data.table import Table
from elman.errors import as_option
from elman.features.hot import hot, one_hot
from elman.tasks.check.finding import Finding
from elman.tasks.check.profile import GIVEN, TARGET, ColumnProfile
from elman.tasks.fitting import sample

_STEM = re.compile(r"([^\W_]+)[\W_]")

_WORDS = {"is", "has", "was", "had", "can", "flag", "in", "on", "no", "with"}
"""Stems that say nothing of what columns have in common."""


def siblings_of(table: Table, columns: Sequence[str], targets: Sequence[str]) -> list[str]:
    """Return the columns that say which class a row has if it is not that of a target.

    These are columns of zeros and ones whose names begin like that of a target, as in `label_a`,
    `label_b` and `label_c`, if each row has a single 1 in all of them.
    """
    found: list[str] = []
    for target in targets:
        group = _group(table, [*columns, *targets], target)
        if len(group) > 2 and bool(np.all(sum(group.values()) == 1)):
            found += [name for name in group if name in columns and name not in found]
    return found


def labels_beside(table: Table, columns: Sequence[str], targets: Sequence[str]) -> list[str]:
    """Return the columns of zeros and ones that may be labels of a row, as a target is."""
    found: list[str] = []
    for target in targets:
        stem = _STEM.match(target)
        if stem is None or stem[1].lower() in _WORDS:
            continue
        group = _group(table, [*columns, *targets], target)
        found += [name for name in group if name in columns and name not in found]
    return found


def findings_of_hot(table: Table, profile: ColumnProfile) -> Iterator[Finding]:
    """Yield a finding on a column of lists of zeros and ones, all of one length.

    Args:
        table: rows.
        profile: of an input or target column.
    """
    name = profile.name
    if profile.steps is None or profile.steps[0] != profile.steps[2] or profile.distinct != 2:
        return
    if profile.why == GIVEN:
        return
    values = [value for value in sample(table).column(name) if value is not None]
    if not hot(values):
        return
    option = "--target" if TARGET in profile.role else "--read"
    single = one_hot(values)
    form = "zeros and a single one" if single else "zeros and ones"
    kinds = [kind for kind in _KINDS[single] if kind.partition(":")[0] != profile.kind]
    said = " or ".join(as_option(option, f"{name}:{kind}") for kind in kinds)
    meaning = _MEANING.get(profile.kind, f"a {profile.kind} of {len(values[0])} steps")
    yield Finding(
        "hot",
        (name,),
        f"each row of {name} has {form}, {len(values[0])} in all",
        f"it is read as {meaning}",
        f"to read it otherwise, say {said}",
        f"say {as_option(option, f'{name}:{profile.kind}')} or {said}",
        said_by_task=TARGET in profile.role and profile.kind in {"labels", "symbols"},
    )


_KINDS = {
    True: ("category:onehot", "labels:multihot", "symbols"),
    False: ("labels:multihot", "symbols"),
}
"""Whether there is a single one → the kinds that lists of zeros and ones may be."""

_MEANING = {
    "category": "one class a row",
    "labels": "labels, one a place",
    "symbols": "a tag a step",
}


def _group(table: Table, columns: Sequence[str], target: str) -> dict[str, NDArray[np.float64]]:
    """Return the columns of zeros and ones that are named like a target, itself among them."""
    stem = _STEM.match(target)
    if stem is None:
        return {}
    alike = [name for name in columns if (each := _STEM.match(name)) and each[1] == stem[1]]
    values = {name: bits for name in alike if (bits := _bits(table, name)) is not None}
    return values if target in values else {}


def _bits(table: Table, name: str) -> NDArray[np.float64] | None:
    """Return the zeros and ones of a column; None of any other."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table.arrow(name)
    if is_text(values.type):  # classes are kept as they are written
        text = pc.utf8_trim_whitespace(as_text(values))
        if not pc.all(pc.is_in(text, pa.array(["0", "1"], text.type))).as_py():
            return None
        values = text.cast(pa.int64())
    if values.null_count or not (is_number(values.type) or pa.types.is_boolean(values.type)):
        return None
    numbers = values.cast(pa.float64())
    least, most = pc.min_max(numbers).as_py().values()
    if (least, most) != (0.0, 1.0):
        return None
    bits: NDArray[np.float64] = numbers.to_numpy()
    return bits if bool(np.isin(bits, (0.0, 1.0)).all()) else None
