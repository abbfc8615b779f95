"""What a search has found, in sentences computed from its numbers."""

from __future__ import annotations

from typing import Any

from elman.data.splits import PART_NAMES
from elman.errors import counted
from elman.report.search.results import SearchResult, State


def question(search: SearchResult) -> str:
    """Ask what the page answers."""
    return f"Which settings suit “{search.title}” best?"


def verdict(search: SearchResult) -> str:
    """Say what the best settings reach, and what the default ones do, on validation and test."""
    if search.best.settings == search.default.settings:
        reached = _scores(search, search.best.scores)
        return f"None of the trials was better than the default settings: {reached}."
    before, after = search.default.scores, search.best.scores
    parts = [part for part in ("valid", "test") if part in before and part in after]
    changes = [
        f"{search.text(before[part])} → {search.text(after[part])} on the {PART_NAMES[part]} rows"
        for part in parts
    ]
    return f"{search.measure.title}: {', '.join(changes)}, from the default settings to the best."


def caution(search: SearchResult) -> str:
    """Say what the scores of the best trial are worth."""
    if search.best.settings == search.default.settings:
        return ""
    chosen = (
        "The best of many validation scores is a little better than the settings deserve, because "
        "they were chosen by it"
    )
    if "test" not in search.best.scores:
        return f"{chosen}; there are no test rows to tell by how much."
    before, after = search.default.scores.get("test"), search.best.scores["test"]
    if before is None:
        return f"{chosen}; the test rows decided nothing."
    sign = 1 if search.measure.higher_is_better else -1
    gained = sign * (after - before) > 0
    if gained:
        return f"{chosen}; the test rows decided nothing, and agree."
    return (
        f"{chosen}. On the test rows, which decided nothing, the best settings are no better than "
        "the default ones."
    )


def counts(search: SearchResult) -> str:
    """Say how many trials there were, and how they ended."""
    said: dict[State, str] = {
        "finished": "trained to the end",
        "pruned": "ended early, because others were better by then",
        "failed": "failed",
    }
    ended = [
        f"{search.counted(state)} {words}" for state, words in said.items() if search.counted(state)
    ]
    return f"{counted(len(search.trials), 'trial')}: {', '.join(ended)}."


def short(name: str) -> str:
    """Write the last part of a setting's name, which tells it from the others of a space.

    >>> short("training.learning_rate")
    'learning_rate'
    """
    return name.rpartition(".")[2]


def value_text(value: Any) -> str:
    """Write the value of a setting.

    >>> value_text(0.00123456), value_text([64, 32]), value_text("gru"), value_text(True)
    ('0.00123', '[64, 32]', 'gru', 'true')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.3g}" if isinstance(value, float) else "–" if value is None else str(value)


def tried(values: Any) -> str:
    """Write the values of a setting that were tried, as they were declared.

    >>> tried(["gru", "lstm"]), tried({"low": 1e-4, "high": 0.01, "log": True})
    ('gru, lstm', '0.0001 … 0.01, logarithmic')
    """
    if isinstance(values, list):
        return ", ".join(map(value_text, values))
    scale = ", logarithmic" if values.get("log") else ""
    return f"{value_text(values['low'])} … {value_text(values['high'])}{scale}"


def _scores(search: SearchResult, scores: dict[str, float]) -> str:
    shown = [
        f"{search.text(value)} on the {PART_NAMES[part]} rows" for part, value in scores.items()
    ]
    return f"{search.measure.title} {', '.join(shown)}"
