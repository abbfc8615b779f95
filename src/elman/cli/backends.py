"""`elman backends`: which backends this install has, and what this processor runs."""

from __future__ import annotations

import json

import typer

from elman.cli.options import AsJSON


def backends(as_json: AsJSON = False) -> None:
    """List the backends in the order in which `auto` prefers them."""
    import elman
    from elman import _kernels

    rows = elman.backends()
    instruction_sets = _kernels.instruction_sets()
    if as_json:
        answer = {
            "backends": [row._asdict() for row in rows],
            "instruction_sets": instruction_sets,
            "compiler": _kernels.compiler(),
        }
        typer.echo(json.dumps(answer, indent=2))
        return
    width = max(len(row.name) for row in rows)
    for row in rows:
        typer.echo(f"{row.name:{width}}  {row.summary}")
        if row.why_not is not None:
            typer.echo(f"{'':{width}}  not here: {row.why_not}")
    typer.echo(f"\nThis processor runs {', '.join(instruction_sets)}.")
    typer.echo(f"The native module was built by {_kernels.compiler()}.")
