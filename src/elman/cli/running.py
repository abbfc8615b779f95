"""What the verbs that train share: running, and the scores of a run in a line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elman.evaluation.scores import Scores
    from elman.experiment import Experiment
    from elman.runs.run import RunResult, TrainedRun

MOST_TARGETS = 8
"""Maximum number of targets whose main scores a line holds."""


def trained(experiment: Experiment, directory: Path, *, resume: bool) -> TrainedRun:
    """Train in a directory, with the progress on stderr.

    Raises:
        KeyboardInterrupt: it was interrupted, or asked to stop; the message says how to go on.
    """
    from elman.runs.train import train_run
    from elman.training.progress import progress_on_stderr

    with said_how_to_go_on("the same command with --resume"):
        return train_run(experiment, directory, resume=resume, progress=progress_on_stderr())


@contextmanager
def said_how_to_go_on(how: str) -> Iterator[None]:
    """Say, where training is interrupted or asked to stop, what goes on with it.

    Args:
        how: what goes on: `the same command`.
    """
    from elman.training.stopping import StoppedError

    try:
        yield
    except StoppedError as stopped:
        stopped.args = (f"training stopped {stopped}; {how} goes on from there.",)
        raise
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(f"{how} goes on from the last checkpoint.") from interrupt


def summary_of(result: RunResult) -> str:
    """Write the main scores of the validation and test rows, with the plain guesses not beaten."""
    return " · ".join(
        f"{part} {_in_short(scores)}" for part, scores in result.scores.items() if part != "train"
    )


def _in_short(scores: Scores) -> str:
    """Write the main score, of each target where there are several."""
    names = scores.headlines
    shown = [_one_in_short(scores, name) for name in names[:MOST_TARGETS]]
    more = len(names) - len(shown)
    return ", ".join([*shown, *[f"{more} more"] * (more > 0)])


def _one_in_short(scores: Scores, name: str) -> str:
    """Write a score, those beside it, and the plain guess that it is not better than, if any."""
    score, of, target = name.partition(" of ")
    title = f"{score.replace('_', ' ')}{of}{target}"
    if name in scores.undefined:
        return f"{title} not computed ({scores.undefined[name]})"
    from elman.evaluation.leading import beside, missed_classes
    from elman.evaluation.plain_guesses import not_beaten

    others = [
        f", {other.partition(' of ')[0].replace('_', ' ')} {scores.values[other]:.4g}"
        for other in beside(scores, name)
    ]
    said = [each for each in (not_beaten(scores, name), missed_classes(scores, name)) if each]
    brackets = f" ({'; '.join(said)})" if said else ""
    return f"{title} {scores.values[name]:.4g}{''.join(others)}{brackets}"
