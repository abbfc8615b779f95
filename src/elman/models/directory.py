"""Names of the files in the directory of a run, and where its model is."""

from __future__ import annotations

from pathlib import Path

from elman.errors import CheckpointError

EXPERIMENT = "experiment.toml"
MODEL = "model"
RESULT = "result.json"
WEIGHTS = "weights.safetensors"
DESCRIPTION = "model.json"
DATA = "data.json"
ROWS = "rows.safetensors"


def model_directory(directory: Path) -> Path:
    """Find the model in its own directory or in that of its run."""
    for candidate in (directory, directory / MODEL):
        if (candidate / DESCRIPTION).is_file():
            return candidate
    if (directory / EXPERIMENT).is_file():
        raise CheckpointError(
            f"{directory} holds a run that has not finished; resume it with the same command and "
            "--resume."
        )
    runs = sorted(path.parents[1].name for path in directory.glob(f"*/{MODEL}/{DESCRIPTION}"))
    if runs:
        raise CheckpointError(f"{directory} holds several runs; choose one: {', '.join(runs)}.")
    raise CheckpointError(
        f"there is no model in {directory}: it should hold {DESCRIPTION} or {MODEL}/{DESCRIPTION}."
    )
