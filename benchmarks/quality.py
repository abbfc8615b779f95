"""How good the recipes are: trains each, with several seeds where asked, and writes the page."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import baselines
from elman.evaluation.measures import MEASURES
from elman.experiment import read_experiment
from elman.runs.run import RunResult, TrainedRun, machine, run_experiment
from elman.training.progress import progress_on_stderr


class Goal(NamedTuple):
    """What a recipe is to reach on the test part.

    Attributes:
        score: name of the score.
        least: what it must reach; None where it is reported without a goal.
        minutes: that training may take.
        beside: runs what the recipe is set beside.
        seeds: how many runs the scores are of; 3 means the seeds 1, 2, 3.
    """

    score: str
    least: float | None
    minutes: float
    beside: Callable[[], str] | None = None
    seeds: int = 1


GOALS = {
    "sentiment": Goal("accuracy", 0.885, 30),
    "sentiment-sst2": Goal("accuracy", 0.82, 30, lambda: baselines.bag_of_words("sentiment-sst2")),
    "questions": Goal("accuracy", 0.90, 20, lambda: baselines.bag_of_words("questions"), seeds=3),
    "surnames": Goal("macro_f1", None, 10, baselines.surnames, seeds=3),
    "parts-of-speech": Goal("accuracy", 0.940, 30),
    "chunks": Goal("f1", 0.930, 30),
    "chunks-pos": Goal("f1", 0.943, 30),
    "words": Goal("perplexity", 95.0, 90),
    "characters": Goal("bits_per_character", None, 20),
    "gestures": Goal("accuracy", None, 15, baselines.gestures, seeds=3),
    "digits": Goal("accuracy", 0.98, 15),
    "sequential-mnist": Goal("accuracy", 0.98, 60),
    "permuted-mnist": Goal("accuracy", 0.92, 60),
    "pedal": Goal("error_to_signal", None, 20, baselines.pedal),
    "vowels": Goal("accuracy", None, 3, lambda: baselines.nearest_neighbour("vowels"), seeds=3),
    "power": Goal("accuracy", None, 3, lambda: baselines.nearest_neighbour("power"), seeds=3),
    "gunpoint": Goal("accuracy", None, 3, lambda: baselines.nearest_neighbour("gunpoint"), seeds=3),
    "temperature": Goal("mase", 1.0, 5, seeds=3),
    "sunspots": Goal("mase", 1.0, 5, seeds=3),
    "airline": Goal("mase", 1.0, 5, seeds=3),
    "temperature-28": Goal("mase", 1.0, 5, seeds=3),
    "sunspots-24": Goal("mase", 1.0, 5, seeds=3),
    "airline-12": Goal("mase", 1.0, 5, seeds=3),
    "ett-24": Goal("mse", 0.42, 30, seeds=3),
    "ett-96": Goal("mse", None, 30, seeds=3),
    "translation": Goal("bleu", 35.0, 90),
    "captions": Goal("bleu_4", None, 30, baselines.captions),
    "surnames-by-language": Goal("bits_per_character", None, 10),
}
WITH_DEFAULTS = (
    "sentiment",
    "sentiment-sst2",
    "questions",
    "surnames",
    "parts-of-speech",
    "chunks",
    "gestures",
    "digits",
    "vowels",
    "power",
    "gunpoint",
)
"""Classification and tagging recipes that are compared with a run without options."""

HEADINGS = (
    "recipe",
    "score",
    "validation",
    "test",
    "goal",
    "",
    "parameters",
    "best epoch",
    "minutes",
    "allowed",
)

AHEAD = ("recipe", "MASE", "naive", "MSE", "naive", "MAE", "naive", "wQL", "80% interval holds")


def page(*, runs: Path, recipes: Sequence[str], defaults: Sequence[str]) -> str:
    """Train recipes and compare their scores with the goals.

    Args:
        runs: directory with one directory per recipe and seed; finished runs of the same
            experiment are not run again.
        recipes: names of `GOALS`.
        defaults: names of `WITH_DEFAULTS` that are also trained with default settings.
    """
    lines = ["# Scores of the recipes", "", *_about()]
    lines += [f"| {' | '.join(HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
    trained = {name: _train(name, runs) for name in recipes}
    lines += [_row(name, trained[name]) for name in recipes]
    beside = [(name, GOALS[name].beside) for name in recipes]
    lines += ["", "## Comparison with simple methods on the same rows", ""]
    lines += [f"* **{name}**: {method()}." for name, method in beside if method is not None]
    if forecasts := [name for name in recipes if read_experiment(name).data.horizon]:
        lines += ["", "## Forecasts of several steps, compared with the seasonal naive one", ""]
        lines += [f"| {' | '.join(AHEAD)} |", f"|{' --- |' * len(AHEAD)}"]
        lines += [_ahead_row(name, trained[name]) for name in forecasts]
    if "gestures" in recipes:
        lines += ["", "## Gestures: the effect of a delay", "", *_delays(runs)]
    if defaults:
        lines += ["", "## The same data with default settings", ""]
        lines += ["| recipe | score | tuned | defaults | minutes |"]
        lines += ["| --- | --- | ---: | ---: | ---: |"]
        lines += [_default_row(name, trained[name], runs) for name in recipes if name in defaults]
    lines += ["", f"{machine()}; each run on one thread, with other processes running.", ""]
    return "\n".join(lines)


def _about() -> list[str]:
    return [
        "Each recipe is trained by `elman train RECIPE`. Weights, and the settings of the recipes, "
        "were selected on the validation rows; every run also prints its test score, so these were "
        "seen along the way. Mean ± standard deviation over seeds where there are several.",
        "",
    ]


def _train(name: str, runs: Path) -> list[TrainedRun]:
    results = []
    for seed in range(1, GOALS[name].seeds + 1):
        experiment = read_experiment(name).override({"seed": seed})
        directory = runs / f"{name}-seed{seed}"
        results.append(run_experiment(experiment, directory, progress=progress_on_stderr()))
    return results


def _row(name: str, trained: Sequence[TrainedRun]) -> str:
    goal, results = GOALS[name], [run.result for run in trained]
    tested = [result.scores["test"].values[goal.score] for result in results]
    measure = MEASURES[goal.score]
    verdict = ""
    if goal.least is not None:
        mean = statistics.fmean(tested)
        reached = mean >= goal.least if measure.higher_is_better else mean <= goal.least
        verdict = "met" if reached else "**missed**"
    sign = "≥" if measure.higher_is_better else "≤"
    minutes = statistics.fmean(result.seconds for result in results) / 60
    cells = [
        f"`{name}`",
        measure.title,
        _spread(results, "valid", goal.score),
        _spread(results, "test", goal.score),
        "report" if goal.least is None else f"{sign} {goal.least:g}",
        verdict,
        f"{trained[0].model.parameters:,}",
        ", ".join(str(result.best_epoch) for result in results),
        f"{minutes:.1f}",
        f"{goal.minutes:g}",
    ]
    return f"| {' | '.join(cells)} |"


def _ahead_row(name: str, trained: Sequence[TrainedRun]) -> str:
    """Set forecasts beside the seasonal naive ones from the same origins."""
    results = [run.result for run in trained]
    naive = results[0].scores["test"].details["seasonal_naive"]
    cells = [f"`{name}`"]
    for score in ("mase", "mse", "mae"):
        cells += [_spread(results, "test", score), f"{naive[score]:.4g}"]
    for score in ("weighted_quantile_loss", "coverage"):
        there = score in results[0].scores["test"].values
        cells.append(_spread(results, "test", score) if there else "")
    return f"| {' | '.join(cells)} |"


def _spread(results: Sequence[RunResult], part: str, score: str) -> str:
    values = [result.scores[part].values[score] for result in results]
    if len(values) == 1:
        return f"{values[0]:.4g}"
    return f"{statistics.fmean(values):.4g} ± {statistics.stdev(values):.2g}"


def _delays(runs: Path) -> list[str]:
    """Train the gestures with several delays, and with a network that sees the whole video."""
    lines = [
        "| network | seconds of look-ahead | accuracy | macro F1 |",
        "| --- | ---: | ---: | ---: |",
    ]
    networks: dict[str, tuple[dict[str, object], str]] = {
        f"delay of {delay} frames": ({"delay": delay}, f"{delay / 30:.2f}") for delay in (0, 5, 15)
    }
    networks["bidirectional"] = ({"delay": 0, "bidirectional": True}, "to the end")
    for name, (changes, seconds) in networks.items():
        experiment = read_experiment("gestures").override(changes)
        directory = runs / f"gestures-{name.replace(' ', '-')}"
        run = run_experiment(experiment, directory, progress=progress_on_stderr())
        values = run.result.scores["test"].values
        lines.append(
            f"| {name} | {seconds} | {values['accuracy']:.3f} | {values['macro_f1']:.3f} |"
        )
    return lines


def _default_row(name: str, trained: Sequence[TrainedRun], runs: Path) -> str:
    """Train with the columns of a recipe and Elman's defaults for all other settings.

    Kinds are inferred from the data, except for audio, which the catalog has as plain samples.
    """
    score = GOALS[name].score
    recipe = read_experiment(name)
    kept = ["name", "input", "target", "time", "window", "season"]
    kept += ["input_kind", "input_options"] if recipe.data.input_kind == "audio" else []
    data = {key: value for key, value in recipe.to_values()["data"].items() if key in kept}
    plain = type(recipe).from_values({"seed": 1, "data": data}, origin=name)
    run = run_experiment(plain, runs / f"{name}-defaults", progress=progress_on_stderr())
    default = run.result.scores["test"].values[score]
    tuned = statistics.fmean(each.result.scores["test"].values[score] for each in trained)
    minutes = run.result.seconds / 60
    return f"| `{name}` | {MEASURES[score].title} | {tuned:.3f} | {default:.3f} | {minutes:.1f} |"
