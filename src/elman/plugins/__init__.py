"""Plugins: what other packages add to Elman, found through the entry points they declare.

A package that brings a cell declares it in its `pyproject.toml`:

    [project.entry-points."elman.cells"]
    leaky = "leaky_rnn:LEAKY"

`Registry` is how Elman reads such a group: a mapping from names to objects, the built-in entries
first. Nothing is read when Elman is imported. The entry points of a group are read once,
when a name is looked up that is not built in, or when all names are listed; a package is imported
when one of its names is looked up, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from elman.errors import PluginError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["Registry", "guests", "load", "origin"]

Entry = TypeVar("Entry")

_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What importing another package's module may raise."""


@cache
def guests(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of a group by name, read once and not imported.

    Args:
        group: `elman.cells`, `elman.features`, `elman.objectives` or `elman.sources`.

    Raises:
        PluginError: two installed packages declare the same name.
    """
    from importlib.metadata import entry_points

    by_name: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=group), key=lambda entry: (entry.name, origin(entry))):
        if entry.name in by_name:
            raise PluginError(
                f"{origin(by_name[entry.name])} and {origin(entry)} both declare {entry.name!r} "
                f"in {group}; uninstall one of them."
            )
        by_name[entry.name] = entry
    return by_name


def load(entry: EntryPoint) -> Any:
    """Import the object that an entry point names.

    Raises:
        PluginError: the import fails; the sentence names the package and repeats the error.
    """
    try:
        return entry.load()
    except _FAILURES as error:
        raise PluginError(
            f"{origin(entry)} declares {entry.name!r} in {entry.group}, and importing "
            f"{entry.value} failed: {type(error).__name__}: {error}. Repair or uninstall it."
        ) from error


def origin(entry: EntryPoint) -> str:
    """Name the installed package that declares an entry point, with its version."""
    if entry.dist is None:
        return "an installed package"
    return f"{entry.dist.name} {entry.dist.version}"


class Registry(Mapping[str, Entry], Generic[Entry]):
    """Objects by name: the built-in entries, then those of other packages.

    Args:
        group: the group of entry points in which other packages declare theirs.
        built_in: Elman's own entries.
        check: says what is wrong with a loaded object; None where nothing is.

    Raises:
        PluginError: at a lookup or a listing, where a package takes the name of a built-in entry,
            cannot be imported, or declares an object that `check` refuses. A lookup of a built-in
            name never raises.
    """

    def __init__(
        self,
        group: str,
        built_in: Mapping[str, Entry],
        check: Callable[[str, Any], str | None],
    ) -> None:
        self.group = group
        self.built_in = built_in
        self._check = check
        self._loaded: dict[str, tuple[EntryPoint, Entry]] = {}

    def __getitem__(self, name: str) -> Entry:
        if name in self.built_in:
            return self.built_in[name]
        entry = self._guests()[name]
        if name not in self._loaded or self._loaded[name][0] is not entry:
            self._loaded[name] = entry, self._load(entry)
        return self._loaded[name][1]

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in self._guests()

    def __iter__(self) -> Iterator[str]:
        return iter([*self.built_in, *self._guests()])

    def __len__(self) -> int:
        return len(self.built_in) + len(self._guests())

    def __repr__(self) -> str:
        return f"Registry({self.group!r}, {', '.join(self)})"

    def _guests(self) -> Mapping[str, EntryPoint]:
        """Return the entry points of other packages, none with the name of a built-in entry."""
        others = guests(self.group)
        for name, entry in others.items():
            if name in self.built_in:
                raise PluginError(
                    f"{origin(entry)} declares {name!r} in {self.group}, which is Elman's own; "
                    "it must take another name. Repair or uninstall it."
                )
        return others

    def _load(self, entry: EntryPoint) -> Entry:
        loaded = load(entry)
        wrong = self._check(entry.name, loaded)
        if wrong is not None:
            raise PluginError(
                f"{origin(entry)} declares {entry.name!r} in {self.group}, but {entry.value} "
                f"{wrong}."
            )
        return loaded  # type: ignore[no-any-return]
