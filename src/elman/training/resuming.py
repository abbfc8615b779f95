"""From which checkpoint a training run goes on, and with which settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from elman.errors import CheckpointError
from elman.experiment.training import CHANGEABLE, TrainingSettings
from elman.training.checkpoint import Checkpoint, load_checkpoint
from elman.training.history import History
from elman.training.keeping import BEFORE, BEST, CHECKPOINTS, LAST, WITHIN


class Found(NamedTuple):
    """A checkpoint that training goes on from, and the file that holds it."""

    checkpoint: Checkpoint
    path: Path


def is_begun(directory: Path) -> bool:
    """Tell whether there is a checkpoint in the directory of a run."""
    return any((directory / name).exists() for name in (LAST, BEFORE, WITHIN))


def find_checkpoint(directory: Path, say: Callable[[str], None]) -> Found:
    """Read the checkpoint that holds most of a run.

    That is the one of the last epoch, or of the one written before where it is damaged; and behind
    it the one in the middle of the epoch that follows.

    Args:
        directory: of the run, in which there is a checkpoint.
        say: takes a sentence about each damaged file that is passed over.

    Raises:
        CheckpointError: no checkpoint of the run can be read.
    """
    found, damage = None, ""
    for name in (LAST, BEFORE):
        path = directory / name
        if not path.exists():
            continue
        try:
            found = Found(load_checkpoint(path), path)
        except CheckpointError as error:
            damage = damage or str(error)
            continue
        break
    if found is None and damage:
        raise CheckpointError(
            f"{damage} Or delete {directory / CHECKPOINTS} and resume: training then begins anew, "
            "with the same settings."
        )
    if found is not None and damage:
        say(f"{damage} Training goes on from {found.path}, after epoch {_epochs(found)}.")
    within = _within(directory, say)
    if within is not None and (found is None or _history(within) == _history(found)):
        return within
    if found is None:
        raise CheckpointError(
            f"there is no sound checkpoint in {directory / CHECKPOINTS}; delete it and resume: "
            "training then begins anew, with the same settings."
        )
    return found


def _within(directory: Path, say: Callable[[str], None]) -> Found | None:
    """Read the checkpoint in the middle of an epoch, if there is one; a damaged one is said."""
    path = directory / WITHIN
    if not path.exists():
        return None
    try:
        return Found(load_checkpoint(path), path)
    except CheckpointError as error:
        say(f"{error} Training goes on from the end of the epoch before.")
        return None


def _history(found: Found) -> Any:
    return found.checkpoint.facts.get("history", {}).get("epochs")


def _epochs(found: Found) -> int:
    return len(_history(found) or ())


def check_best(directory: Path, history: History) -> None:
    """Check at once, not at the end of training, that the best weights so far are sound.

    Raises:
        CheckpointError: they are missing or damaged.
    """
    if not history.epochs:
        return
    try:
        load_checkpoint(directory / BEST)
    except CheckpointError as error:
        raise CheckpointError(
            f"{error} Or delete {directory / CHECKPOINTS} and resume: training then begins anew, "
            "with the same settings."
        ) from error


def changes_since(
    facts: Mapping[str, Any], settings: TrainingSettings, seed: int, path: Path
) -> list[str]:
    """Say which settings a run goes on with that it did not begin with.

    Args:
        facts: of the checkpoint.
        settings: of the run as it goes on.
        seed: of the run as it goes on.
        path: of the checkpoint.

    Raises:
        CheckpointError: the seed, or a setting that is none of `CHANGEABLE`, is another one.
    """
    changes = []
    here = {"seed": seed} | settings.model_dump()
    there = {"seed": facts["seed"]} | facts["settings"]
    for name, value in here.items():
        before = there[name] if name in there else _default(name)
        if before == value:
            continue
        if name not in CHANGEABLE:
            raise CheckpointError(
                f"{path} was written with {name} = {before!r}, and this run has {value!r}: a run "
                f"resumes with its own settings, but for {', '.join(CHANGEABLE)}. Train in another "
                "directory."
            )
        changes.append(f"training.{name} = {value!r} instead of {before!r}")
    return changes


def _default(name: str) -> Any:
    """Return the default of a setting, which a run of an earlier version had."""
    return TrainingSettings.model_fields[name].default
