"""A search for better settings: trials that validation decides between, and the best one trained.

```
runs/tune-NAME/study.db        the trials, as an Optuna study; with --storage elsewhere
              /search.toml     the experiment, with the space that is searched
              /trial-0000/ …   a run a trial, its test rows not measured; the first has the defaults
              /best/           the run of the best settings, with its experiment.toml
              /tune.json       settings and scores of all trials
              /tune.html       the page of the search
```
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w

from elman.errors import ExperimentError, OptionError, counted, import_extra
from elman.experiment import Experiment, full_name, read_experiment
from elman.files import locked, write_atomically
from elman.models.directory import EXPERIMENT
from elman.models.model import Model
from elman.models.trained_on import TrainedOn
from elman.report.search.results import Contender, SearchResult, State, TrialResult
from elman.runs.run import (
    Prepared,
    RunResult,
    TrainedRun,
    announce,
    machine,
    prepare,
    run_experiment,
)
from elman.runs.search_space import Space, declared_space, default_space
from elman.runs.study import Pruner, importance_of, open_study, pruner_of
from elman.runs.train import experiment_for
from elman.runs.trials import Outcome, PrunedError, Pruning, draw, run_trial
from elman.training.progress import Progress, progress_on_stderr

BEST, DEFAULT = "best", "default"
STATES: Mapping[str, State] = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}
"""State of a trial to Optuna → what it is called here."""


class Tuned(NamedTuple):
    """What a search returns: the best model, all trials, and where their page is."""

    model: Model
    search: SearchResult
    report: Path


def tune(
    source: Any,
    *,
    trials: int = 30,
    out: str | Path | None = None,
    space: Mapping[str, Any] | None = None,
    storage: str | None = None,
    pruner: Pruner = "median",
    progress: Progress | None = None,
    **settings: Any,
) -> Tuned:
    """Search for better settings, and train the best once more, its test rows measured.

    The first trial has the settings that suit the task. The others are compared with it by the
    score of the validation rows. The same call goes on with a search that was interrupted, or
    with more trials.

    Args:
        source: as for `elman.train`.
        trials: number of trials, those of an earlier call and of other machines included.
        out: directory of the search; None for `runs/tune-NAME`.
        space: setting → a list of values, or a table with `low`, `high` and `log`; None for
            `tune.space` of the experiment, or else for a space around the default settings.
        storage: address of a database that several machines share; their directories have the same
            name, which is that of the study. None for a file in the directory.
        pruner: what ends trials early: `median`, `halving` or `none`.
        progress: shows the progress; None to show it on stderr.
        settings: settings that all trials share, as for `elman.train`.

    Raises:
        ExperimentError: the specification or the space is wrong, or the directory holds another
            search.
        DataError: the data cannot be read, or a value is malformed.
        OptionError: the number of trials, the pruner or the database is wrong.
        MissingDependencyError: Optuna is not installed.
    """
    import_extra("optuna", "tune", "a search")
    if trials < 1:
        raise OptionError(f"a search needs at least 1 trial, got {trials}.")
    experiment, values = experiment_for(source, settings)
    directory = Path("runs", f"tune-{experiment.data.title}") if out is None else Path(out)
    base = experiment.without_tune()
    declared = experiment.tune.space if space is None else space
    given = declared_space(declared, base) if declared else {}
    prepared = prepare(base, values)
    fixed = {full_name(name) for name in settings}
    chosen = given or default_space(prepared.experiment, fixed)
    if not chosen:
        raise ExperimentError(
            "no setting is left to search: all that would be varied are given; leave one out, or "
            "declare [tune.space]."
        )
    progress = progress or progress_on_stderr()
    announce(directory.name, *prepared, progress)
    stopping = pruner_of(pruner, prepared.experiment.training.epochs)
    with locked(directory):
        study = open_study(
            directory,
            storage,
            stopping,
            experiment=base,
            space=chosen,
            data=TrainedOn.of(prepared.task, prepared.parts).record,
        )
        search = _Search(
            base,
            values,
            prepared,
            chosen,
            study,
            directory,
            progress,
            is_shared=storage is not None,
            pruner=pruner,
        )
        search.run(trials)
        return search.finish()


class _Search:
    """A search under way: what its trials share, and its study.

    Args:
        base: the experiment whose settings are varied.
        source: values passed in Python, where the experiment names no data.
        prepared: the experiment with its data and its default settings.
        space: setting → the values to try.
        study: of Optuna.
        directory: of the search.
        progress: shows the progress.
        is_shared: whether other machines may train trials of the study.
        pruner: what ends trials early.
    """

    def __init__(
        self,
        base: Experiment,
        source: Any,
        prepared: Prepared,
        space: Space,
        study: Any,
        directory: Path,
        progress: Progress,
        *,
        is_shared: bool,
        pruner: str,
    ) -> None:
        self.is_shared = is_shared
        self.pruner = pruner
        self.base = base
        self.source = source
        self.prepared = prepared
        self.space = space
        self.study = study
        self.directory = directory
        self.progress = progress
        self.defaults = _settings_of(prepared.experiment, space)
        self.place = f"{platform.node()}:{directory.resolve()}"

    def run(self, trials: int) -> None:
        """Train until the study has so many trials, the interrupted ones first."""
        self._write_space()
        begun = self.study.get_trials(deepcopy=False)
        if not begun and self.has_defaults:
            stored = {name: self.space[name].stored(v) for name, v in self.defaults.items()}
            self.study.enqueue_trial(stored, skip_if_exists=True)
        done = sum(trial.state.is_finished() for trial in begun)
        with self.progress.task(self.directory.name, max(trials, done), done=done) as task:
            while (trial := self._next(trials)) is not None:
                task.advance(self._run(trial))

    @property
    def has_defaults(self) -> bool:
        """Whether the default settings lie within the space."""
        return all(each.holds(self.defaults[name]) for name, each in self.space.items())

    def _write_space(self) -> None:
        values = self.base.model_dump(exclude_none=True, exclude_unset=True)
        values["tune"] = {"space": {name: each.to_value() for name, each in self.space.items()}}
        write_atomically(self.directory / "search.toml", tomli_w.dumps(values))

    def _next(self, trials: int) -> Any:
        """Return an interrupted trial of this directory, or a new one; None where all are begun."""
        optuna = import_extra("optuna", "tune", "a search")
        known = self.study.get_trials(deepcopy=False)
        for trial in known:
            mine = not self.is_shared or trial.user_attrs.get("place") == self.place
            if trial.state.name == "RUNNING" and mine:
                return optuna.trial.Trial(self.study, trial._trial_id)
        if sum(trial.state.name != "WAITING" for trial in known) >= trials:
            return None
        trial = self.study.ask()
        trial.set_user_attr("place", self.place)
        return trial

    def folder(self, number: int) -> Path:
        """Return the directory of a trial."""
        return self.directory / f"trial-{number:04}"

    def experiment_with(self, settings: Mapping[str, Any]) -> Experiment:
        """Return the experiment with the settings of a trial; as it is with the default ones."""
        is_default = self.has_defaults and dict(settings) == self.defaults
        return self.base if is_default else self.base.override(settings)

    def _run(self, trial: Any) -> str:
        """Train with the settings of a trial and tell the study how it ended; say so."""
        settings = draw(trial, self.space, self.base.seed)
        is_default = settings == self.defaults
        folder, select = self.folder(trial.number), self.prepared.experiment.training.select
        try:
            outcome = self._outcome(trial, settings, select, folder, prunes=not is_default)
        except PrunedError:
            outcome = None
        if is_default and outcome is not None and outcome.why:
            raise ExperimentError(f"the experiment itself cannot be trained: {outcome.why}")
        return f"{folder.name}: {self._tell(trial, outcome)}"

    def _tell(self, trial: Any, outcome: Outcome | None) -> str:
        """Tell the study how a trial ended, None if it was pruned; return it in words."""
        state = import_extra("optuna", "tune", "a search").trial.TrialState
        if outcome is None:
            self.study.tell(trial, state=state.PRUNED)
            return "pruned"
        if outcome.result is None:
            trial.set_user_attr("why", outcome.why)
            self.study.tell(trial, state=state.FAIL)
            self.progress.say(f"note: trial {trial.number} failed: {outcome.why}")
            return "failed"
        scores = outcome.result.scores["valid"]
        trial.set_user_attr("score", scores.main)
        trial.set_user_attr("epochs", outcome.result.epochs)
        trial.set_user_attr("seconds", outcome.result.seconds)
        self.study.tell(trial, scores.value if scores.higher_is_better else -scores.value)
        return f"{scores.main.replace('_', ' ')} {scores.value:.4g}"

    def _outcome(
        self, trial: Any, settings: Mapping[str, Any], select: Any, folder: Path, *, prunes: bool
    ) -> Outcome:
        try:
            experiment = self.experiment_with(settings)
        except ExperimentError as error:
            return Outcome(why=str(error))
        return run_trial(
            experiment,
            folder,
            lambda: Pruning(trial, select, folder, prunes=prunes),
            source=self.source,
            progress=self.progress,
        )

    def finish(self) -> Tuned:
        """Train the best settings with the test rows measured, and write the page.

        Raises:
            ExperimentError: no trial has a score.
        """
        from elman.report.search.page import write_search_report

        trials = self.study.get_trials(deepcopy=False)
        found = [self._result(trial) for trial in trials]
        records = [record for record in found if record is not None]
        scored = [trial for trial in trials if trial.state.name == "COMPLETE"]
        if not scored:
            raise ExperimentError(
                f"no trial in {self.directory} was trained to its end; search with more trials."
            )
        chosen = min(scored, key=lambda each: (-each.value, each.number))
        record = next(each for each in records if each.number == chosen.number)
        best = self._train_best(record.settings)
        default = self._default_scores(best, is_best=record.settings == self.defaults)
        valid = best.result.scores["valid"]
        search = SearchResult(
            title=self.base.title or self.base.data.title,
            task=self.prepared.task.sentence,
            score=valid.main,
            rows=best.result.rows,
            space={name: each.to_value() for name, each in self.space.items()},
            trials=records,
            importance=importance_of(self.study),
            default=Contender(settings=self.defaults, scores=default),
            best=Contender(settings=record.settings, scores=_main_scores(best.result)),
            best_trial=record.number,
            pruner=self.pruner,
            seed=self.base.seed,
            machine=machine(),
        )
        write_atomically(self.directory / "tune.json", search.model_dump_json(indent=2))
        page = self.directory / "tune.html"
        write_search_report(page, search)
        return Tuned(best.model, search, page)

    def _result(self, trial: Any) -> TrialResult | None:
        """Return what is known of a trial that has ended; None of another."""
        if trial.state.name not in STATES:
            return None
        params = trial.params
        settings = {name: each.read(params[name]) for name, each in self.space.items()}
        score = None
        if trial.state.name == "COMPLETE":  # a pruned one has the value of its last epoch
            from elman.evaluation.measures import measure_of

            higher = measure_of(trial.user_attrs["score"]).higher_is_better
            score = trial.value if higher else -trial.value
        curve = [value for _, value in sorted(trial.intermediate_values.items())]
        return TrialResult(
            number=trial.number,
            state=STATES[trial.state.name],
            settings=settings,
            score=score,
            curve=curve,
            epochs=trial.user_attrs.get("epochs", len(curve)),
            seconds=trial.user_attrs.get("seconds", 0.0),
            why=trial.user_attrs.get("why", ""),
        )

    def _train_best(self, settings: Mapping[str, Any]) -> TrainedRun:
        """Train the best settings as `elman train` would; a run of other settings makes room."""
        experiment, directory = self.experiment_with(settings), self.directory / BEST
        if (directory / EXPERIMENT).exists():
            complete = prepare(experiment, self.source).experiment
            if complete.differences(read_experiment(directory / EXPERIMENT)):
                shutil.rmtree(directory)
        number = counted(len(settings), "setting")
        self.progress.say(f"{directory}: training the best {number} with the test rows measured.")
        return run_experiment(
            experiment, directory, source=self.source, progress=self.progress, announces=False
        )

    def _default_scores(self, best: TrainedRun, *, is_best: bool) -> dict[str, float]:
        """Measure the default settings on the validation and test rows."""
        if is_best:
            return _main_scores(best.result)
        first = self.folder(0)
        run = run_experiment(
            self.base,
            first if self.has_defaults and first.exists() else self.directory / DEFAULT,
            source=self.source,
            progress=self.progress,
            page=False,
            measures_test=False,
            announces=False,
        )
        scores, parts = _main_scores(run.result), self.prepared.parts
        if parts.test is not None:
            measured = run.model.predictor.scores_with_guess(
                parts.test, self.base.score, parts.train
            )
            main = run.result.scores["valid"].main
            if main in measured.values:
                scores["test"] = measured.values[main]
        return scores


def _main_scores(result: RunResult) -> dict[str, float]:
    """Return the main score of the validation and test rows, where it is computed."""
    main = result.scores["valid"].main
    return {
        part: scores.values[main]
        for part, scores in result.scores.items()
        if part != "train" and main in scores.values
    }


def _settings_of(experiment: Experiment, space: Space) -> dict[str, Any]:
    """Return the values that an experiment has of the settings of a space."""
    found: dict[str, Any] = {}
    for name in space:
        value: Any = experiment.model_dump()
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        found[name] = value
    return found
