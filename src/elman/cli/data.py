"""`elman data`: list the named data sets and download them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from elman.data.catalog import DataSet, File

app = typer.Typer(help="List the named data sets, show or download one.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="Name, as `elman data list` shows it.")]
HEADINGS = ("name", "category", "learns", "licence", "at hand")


@app.command("list")
def list_() -> None:
    """List the named data sets, and whether they are on this machine."""
    from elman.data.catalog import DATASETS

    rows = [HEADINGS, *map(_row, DATASETS.values())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


@app.command()
def show(name: NameArgument) -> None:
    """Show a data set: rows, columns, licence, citation, source, place."""
    from elman.data.catalog import find

    typer.echo(describe(find(name)))


@app.command()
def fetch(name: NameArgument) -> None:
    """Download a data set if it is not on this machine, verify it, and print its path."""
    from elman.data import catalog

    dataset = catalog.find(name)
    path = catalog.fetch(name, _watch)
    typer.echo(f"{dataset.title}. Licence: {dataset.licence}. Cite: {dataset.citation}.", err=True)
    typer.echo(path)


def describe(dataset: DataSet) -> str:
    """Describe a data set, one fact per line below its name."""
    from elman.data.catalog import RollSet, locate

    counts = " / ".join(f"{rows:,}" for rows in dataset.splits.values())
    facts = {
        "title": f"{dataset.title}: {dataset.about}",
        "category": f"{dataset.category}: {dataset.task}",
        "learns": f"{', '.join(dataset.input)} → {dataset.target}",
        "rows": f"{counts} ({' / '.join(dataset.splits)})",
    }
    if isinstance(dataset, RollSet):
        frames = " / ".join(f"{count:,}" for count in dataset.frames)
        facts["frames"] = f"{frames}; {dataset.frames_per_beat} a quarter note"
    copy = locate(dataset)
    facts |= {
        "columns": "\n            ".join(
            f"{name}: {what}" for name, what in dataset.columns.items()
        ),
        "licence": dataset.licence,
        "cite": dataset.citation,
        "source": dataset.source,
        "download": _download(dataset),
        "at hand": str(copy.place) if copy else _no(dataset),
    }
    return "\n".join([dataset.name, *(f"  {label:<10}{text}" for label, text in facts.items())])


def _row(dataset: DataSet) -> tuple[str, ...]:
    from elman.data.catalog import locate

    at_hand = "yes" if locate(dataset) else "no"
    return (dataset.name, dataset.category, dataset.task, dataset.short_licence, at_hand)


def _download(dataset: DataSet) -> str:
    """Describe what is downloaded from where."""
    layout = dataset.download
    if layout is None:
        return f"none: {dataset.by_hand}"
    more = f" and {len(layout.files) - 1} more files" if len(layout.files) > 1 else ""
    return f"{layout.files[0].address}{more} ({_size(layout.size)})"


def _no(dataset: DataSet) -> str:
    if dataset.download is None:
        return f"no; `elman data fetch {dataset.name}` says what to put where"
    return f"no; `elman data fetch {dataset.name}` downloads it"


def _size(count: int) -> str:
    """Format a number of bytes in kB or MB."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"


def _watch(file: File) -> _DownloadBar | None:
    """Print what is being downloaded to stderr, with a progress bar on a terminal."""
    typer.echo(f"downloading {file.address} ({_size(file.size)})", err=True)
    return _DownloadBar(file.size) if sys.stderr.isatty() else None


class _DownloadBar:
    """A bar on the terminal that pooch moves.

    Args:
        size: of the download in bytes.
    """

    def __init__(self, size: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

        self._bars = Progress(
            BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=Console(stderr=True)
        )
        self.total = size
        self._task = self._bars.add_task("", total=size)
        self._bars.start()

    def update(self, size: int) -> None:
        """Advance it by a number of bytes."""
        self._bars.update(self._task, advance=size, total=self.total or None)

    def reset(self) -> None:
        """Set it back to zero."""
        self._bars.update(self._task, completed=0)

    def close(self) -> None:
        """Remove it; may be called twice."""
        self._bars.stop()
