"""Every error Elman raises on purpose.

```
ElmanError
├── ShapeError        a tensor has the wrong shape       (also a ValueError and a RuntimeError)
│   └── InputTypeError
│                     what must be a tensor is not one   (also a TypeError and an AttributeError)
├── OptionError       an option is unknown or its value out of range
│   │                                                    (also a ValueError and a RuntimeError)
│   └── OptionTypeError
│                     a value is of another type than the option           (also a TypeError)
├── BackendError      a backend chosen by name cannot run             (also a RuntimeError)
├── DataError         a file or data set is missing or malformed      (also a ValueError)
├── CheckpointError   a saved model or checkpoint cannot be read      (also a ValueError)
├── ExperimentError   an experiment's specification is wrong          (also a ValueError)
├── MissingDependencyError
│                     a package of an extra is missing      (also a ModuleNotFoundError)
└── PluginError       what another package adds cannot be used        (also an ImportError)
```

torch.nn raises ValueError for some wrong shapes and options, RuntimeError for others, TypeError or
AttributeError for some wrong types; code that catches one of them around a layer of torch.nn
catches the same around Elman's.
"""

from __future__ import annotations

import difflib
import importlib
import re
import shlex
from collections.abc import Iterable
from typing import Any

LISTED = 40
"""Maximum number of names in an error; beyond it, only the five most similar are listed."""


class ElmanError(Exception):
    """The base class of every error that Elman raises on purpose."""


class ShapeError(ElmanError, ValueError, RuntimeError):
    """A tensor has the wrong shape."""


class InputTypeError(ShapeError, TypeError, AttributeError):
    """What must be a tensor is a list, an array or something else."""


class OptionError(ElmanError, ValueError, RuntimeError):
    """An option is unknown or its value is out of range."""


class OptionTypeError(OptionError, TypeError):
    """A value is of another type than the option takes."""


class BackendError(ElmanError, RuntimeError):
    """A backend that was chosen by name cannot run this case."""


class DataError(ElmanError, ValueError):
    """A file or a data set is missing or malformed."""


class CheckpointError(ElmanError, ValueError):
    """A saved model or checkpoint cannot be read."""


class ExperimentError(ElmanError, ValueError):
    """An experiment's specification is wrong."""


class MissingDependencyError(ElmanError, ModuleNotFoundError):
    """A package of one of Elman's extras is not installed, or cannot be imported."""


class PluginError(ElmanError, ImportError):
    """What another package adds through its entry points cannot be used."""


def as_option(name: str, value: str) -> str:
    """Write an option as it is typed on the command line, quoted as a shell needs it.

    >>> as_option("--sequence-id", "Sentence #"), as_option("--target", "tags:labels")
    ("--sequence-id 'Sentence #'", '--target tags:labels')
    """
    quoted = shlex.quote(value)
    if quoted == value and value.endswith((".", ",", ":")):  # which might end the sentence
        quoted = f"'{value}'"
    return f"{name} {quoted}"


def unknown(
    kind: str, name: object, known: Iterable[str], *, error: type[ElmanError] = OptionError
) -> ElmanError:
    """Build the error for an unknown name; the nearest known name is offered.

    Args:
        kind: what is named, in the singular: `cell`, `merge`, `data set`.
        name: the name as the user wrote it.
        known: the known names.
        error: class of the error.

    Returns:
        The error, for the caller to raise.

    >>> unknown("cell", "gur", ["gru", "lstm", "simple"])
    OptionError("unknown cell 'gur'; did you mean 'gru'? Known cells: gru, lstm, simple.")
    """
    names = sorted(known)
    nearest = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else "."
    head, preposition, rest = kind.partition(" of ")
    stem = re.sub("(?<=[^aeiou])y$", "ie", re.sub("x$", "xe", head))
    kinds = f"{stem}s{preposition}{rest}"
    if not all(any(map(str.isalnum, each)) for each in names):
        names = list(map(repr, names))
    if len(names) > LISTED:
        names = [*difflib.get_close_matches(str(name), names, n=5, cutoff=0.3), "…"]
    return error(f"unknown {kind} {name!r}{hint} Known {kinds}: {', '.join(names)}.")


def import_extra(module: str, extra: str, purpose: str) -> Any:
    """Import a module from a package that only an extra of Elman installs.

    Args:
        module: full name of the module: `scipy.signal`.
        extra: the extra that installs the package: `audio`.
        purpose: what needs the module, as the subject of a sentence: `reading a sound file`.

    Returns:
        The module.

    Raises:
        MissingDependencyError: the module cannot be imported; the error names the command that
            installs it.
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
    """Write a count with its noun, given in the singular.

    >>> counted(1, "row"), counted(4362, "row"), counted(0, "category")
    ('1 row', '4,362 rows', '0 categories')
    """
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {re.sub('(?<=[^aeiou])y$', 'ie', noun)}s"
