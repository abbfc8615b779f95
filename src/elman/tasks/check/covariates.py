"""What was found and assumed about the columns that a forecast reads beside its target."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence

from elman.tasks.check.finding import Finding, listed, options


def left_out(names: Sequence[str], why: str) -> Finding:
    """Say that columns are not read, and why."""
    return Finding(
        "left out",
        tuple(names),
        f"{listed(names)} ({why})",
        "it is not read" if len(names) == 1 else "they are not read",
        "to choose the columns, name them with --input",
        f"say {options('--ignore', names)}, or name the columns to read with --input",
    )


def as_categories(names: Sequence[str]) -> Finding:
    """Say that columns of names are read as categories."""
    one = len(names) == 1
    return Finding(
        "categories",
        tuple(names),
        f"{listed(names)} {'holds' if one else 'hold'} names",
        f"{'it is read as a category' if one else 'they are read as categories'}",
        answers=f"say {options('--read', [f'{name}:category' for name in names])}",
    )


def of_unknown_future(names: Sequence[str]) -> Finding:
    """Say that the future of categories is taken to be unknown."""
    known = options("--known", names)
    return Finding(
        "future",
        tuple(names),
        f"nothing is said about the future of {listed(names)}",
        "it is taken to be unknown",
        f"where it is known, say {known}",
        f"say {known} or {options('--input', names)}",
    )


def per_series(kinds: Mapping[str, str]) -> Finding:
    """Say that columns have one value a series.

    Args:
        kinds: column → `number` or `category`.
    """
    named = [f"{name} ({kind})" for name, kind in kinds.items()]
    one = len(named) == 1
    return Finding(
        "per series",
        tuple(kinds),
        f"{listed(named)} {'is' if one else 'are'} constant within every series",
        f"{'it has' if one else 'they have'} one value a series",
        answers=f"say --set {shlex.quote(f'per_sequence={json.dumps(list(kinds))}')}",
    )
