"""Every error Elman raises on purpose.

```
ElmanError
├── ShapeError        a tensor's axes are not the ones asked for      (also a ValueError)
├── OptionError       an option is unknown or its value out of range  (also a ValueError)
├── BackendError      a backend asked for by name cannot run          (also a RuntimeError)
├── DataError         a file or data set is missing or malformed      (also a ValueError)
├── CheckpointError   a saved model or checkpoint cannot be read      (also a ValueError)
├── ExperimentError   an experiment's specification is wrong          (also a ValueError)
├── MissingDependencyError
│                     a package of an extra is missing      (also a ModuleNotFoundError)
└── PluginError       what another package adds cannot be used        (also an ImportError)
```
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Iterable
from typing import Any

LISTED = 40
"""Names that an error lists; of more it lists the five most like the wrong one."""


class ElmanError(Exception):
    """The root of the tree: catch this to catch whatever Elman raises on purpose."""


class ShapeError(ElmanError, ValueError):
    """A tensor's axes are not the ones asked for."""


class OptionError(ElmanError, ValueError):
    """An option is unknown or its value is out of range."""


class BackendError(ElmanError, RuntimeError):
    """A backend that was asked for by name cannot run this case."""


class DataError(ElmanError, ValueError):
    """A file or a data set is missing or malformed."""


class CheckpointError(ElmanError, ValueError):
    """A saved model or checkpoint cannot be read."""


class ExperimentError(ElmanError, ValueError):
    """An experiment's specification is wrong."""


class MissingDependencyError(ElmanError, ModuleNotFoundError):
    """A package that an extra of Elman brings is not installed, or cannot be imported."""


class PluginError(ElmanError, ImportError):
    """What another package adds through its entry points cannot be used."""


def unknown(
    kind: str, name: object, known: Iterable[str], *, error: type[ElmanError] = OptionError
) -> ElmanError:
    """Build the error for a name that is not one of the known ones, near miss first.

    Args:
        kind: what the name names, in the singular: `cell`, `merge`, `data set`.
        name: the name as the user wrote it.
        known: the names that would have been right.
        error: class of the error.

    Returns:
        The error, to be raised by the caller.

    >>> unknown("cell", "gur", ["gru", "lstm", "simple"])
    OptionError("unknown cell 'gur'; did you mean 'gru'? Known cells: gru, lstm, simple.")
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    head, of, rest = kind.partition(" of ")
    kinds = re.sub("(?<=[^aeiou])y$", "ie", head) + f"s{of}{rest}"
    if len(names) > LISTED:
        names = [*difflib.get_close_matches(str(name), names, n=5, cutoff=0.3), "…"]
    return error(f"unknown {kind} {name!r}{hint} Known {kinds}: {', '.join(names)}.")


def import_extra(module: str, extra: str, purpose: str) -> Any:
    """Import a module of a package that is installed with an extra of Elman alone.

    Args:
        module: its full name: `scipy.signal`.
        extra: which brings the package: `audio`.
        purpose: what needs it, as the subject of the sentence: `reading a sound file`.

    Returns:
        The module.

    Raises:
        MissingDependencyError: it cannot be imported; the command that installs it is named.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"{purpose} needs the package {module.partition('.')[0]}, which cannot be imported "
            f'({error}). Install it: pip install "elman[{extra}]".',
            name=error.name,
        ) from error


def counted(number: int, noun: str) -> str:
    """Say how many there are of something, given in the singular.

    >>> counted(1, "row"), counted(4362, "row"), counted(0, "category")
    ('1 row', '4,362 rows', '0 categories')
    """
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {re.sub('(?<=[^aeiou])y$', 'ie', noun)}s"
