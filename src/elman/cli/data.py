"""`elman data`: which named data sets there are, and getting them onto this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from elman.data.catalog import DataSet

app = typer.Typer(help="Named data sets: list them, fetch them.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """List the named data sets: what they hold, licence, source, and whether they are at hand."""
    from elman.data.catalog import DATASETS

    typer.echo("\n\n".join(describe(dataset) for dataset in DATASETS.values()))


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A name that `elman data list` shows.")],
) -> None:
    """Download a data set unless it is at hand, check it, and print where it is."""
    from elman.data import catalog

    dataset = catalog.find(name)
    path = catalog.fetch(name)
    typer.echo(f"{dataset.title}. Licence: {dataset.licence}. Cite: {dataset.citation}.", err=True)
    typer.echo(path)


def describe(dataset: DataSet) -> str:
    """Say what the catalog knows of a data set, one fact a line below its name."""
    from elman.data.catalog import locate

    path = locate(dataset)
    facts = {
        "title": f"{dataset.title}: {dataset.about}",
        "category": dataset.category,
        "pieces": f"{_parts(dataset.pieces)} (train / valid / test)",
        "frames": f"{_parts(dataset.frames)}; {dataset.frames_per_beat} a quarter note",
        "licence": dataset.licence,
        "cite": dataset.citation,
        "source": f"{dataset.remote.address} ({dataset.remote.size / 1000:,.0f} kB)",
        "at hand": str(path) if path else f"no; `elman data fetch {dataset.name}` downloads it",
    }
    return "\n".join([dataset.name, *(f"  {label:<10}{text}" for label, text in facts.items())])


def _parts(counts: tuple[int, int, int]) -> str:
    return " / ".join(f"{count:,}" for count in counts)
