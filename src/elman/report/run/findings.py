"""What a run reached, in sentences computed from its scores."""

from __future__ import annotations

import math
from typing import Any

from elman.evaluation.measures import MEASURES, Scores
from elman.inspection.gradient_flow import GradientFlow
from elman.report.comparison.findings import FALL, NBSP, PARTS, faded_to, fading, percent
from elman.report.page import thousands
from elman.report.run.facts import Flow, RunFacts
from elman.report.style import power_of_ten

_QUESTIONS = {
    "classification": "How well does it tell the {target}?",
    "labels": "How well does it tell the {target}?",
    "regression": "How near does it come to the {target}?",
    "series": "How near does it stay to the {target}?",
    "forecast": "How well does it foresee the {target}?",
    "tagging": "How well does it tag every step with its {target}?",
    "transcription": "How well does it write down the {target}?",
    "translation": "How well does it write the {target}?",
    "caption": "How well does it write the {target} of a picture?",
    "language": "How well does it foresee what comes next?",
    "roll": "How well does it foresee what comes next?",
}


_TOLD = ("one-to-many", "encoder-decoder")
"""Categories in which what comes next is of a column of its own."""


def question(facts: RunFacts) -> str:
    """Ask what the scores answer."""
    told = facts.final.kind == "language" and facts.category in _TOLD
    asked = "How well does it foresee the {target}?" if told else _QUESTIONS[facts.final.kind]
    return asked.format(target=facts.target or "answer")


def answer(facts: RunFacts) -> str:
    """Answer in one sentence, by the chief score of the last part that was scored."""
    scores = facts.final
    over = f"{thousands(scores.count)} {part_name(facts.part)} {scores.unit}"
    chief = value_text(scores, scores.main)
    said = {
        "accuracy": f"{chief} of {over} are right.",
        "rmse": f"It is off by {chief} (root mean square) over {over}.",
        "perplexity": f"Over {over} it is as unsure as among {chief} equally likely ones.",
        "bits_per_character": f"It needs {chief} bits a character over {over}.",
        "nll": f"Its negative log-likelihood over {over} is {chief} nats each.",
        "label_error_rate": f"{chief} edits a symbol mend its answers to {over}.",
        "error_to_signal": f"Its error has {scores.value:.2%} of the signal’s energy over {over}.",
        "bleu": f"What it writes reaches a BLEU of {chief}, out of 100, over {over}.",
        "bleu_4": f"What it writes reaches a BLEU-4 of {chief}, out of 100, over {over}.",
        "chrf": f"What it writes reaches a chrF of {chief}, out of 100, over {over}.",
        "sequence_accuracy": f"{chief} of {over} are right from beginning to end.",
        "mase": f"Its mean error over {over} is {chief} times that of the seasonal naive forecast"
        f"{' in their past' if 'seasonal_naive' in scores.details else ''}.",
    }
    title = MEASURES[scores.main].title
    return said.get(scores.main, f"{title}: {chief} over {over}.")


def beside(scores: Scores) -> str:
    """Set the chief score beside what needs no model, where that is known; else say nothing."""
    commonest = scores.details.get("commonest")
    if commonest is not None:
        name, share = commonest["name"], commonest["share"]
        always = f"lways answering “{name}” would be right in {share:.2%}."
        if scores.main == "accuracy":
            return f"A{always}"
        return f"{value_text(scores, 'accuracy')} of the {scores.unit} are right; a{always}"
    if scores.kind in {"translation", "caption", "transcription"}:
        return _exactly_right(scores)
    naive = scores.details.get("seasonal_naive", {})
    if scores.main in naive:
        title = MEASURES[scores.main].title
        title = title if title.isupper() else title[0].lower() + title[1:]
        return (
            f"The seasonal naive forecast has a {title} of {number_text(naive[scores.main])} on "
            "the same values."
        )
    if "mase" in scores.values:
        than = "better" if scores.values["mase"] < 1 else "no better"
        return f"That is {than} than repeating the value of one season ago."
    return ""


def _exactly_right(scores: Scores) -> str:
    """Say how many sequences are right as a whole, where that is not what the headline says."""
    if scores.main == "sequence_accuracy" or "sequence_accuracy" not in scores.values:
        return ""
    share = scores.values["sequence_accuracy"]
    if share == 0:
        return f"None of the {scores.unit} is right from beginning to end."
    return f"{share:.2%} of the {scores.unit} are right from beginning to end."


def flow_said(flow: Flow) -> list[str]:
    """Say how fast the gradient fades in each direction, or why it need not."""
    if flow.pooling != "last":
        reader = "attention" if flow.pooling == "attention" else f"{flow.pooling} pooling"
        return [
            f"The {reader} reads every state, so that the gradient reaches each by a way of its "
            "own and need not fade, even where the recurrent layers forget."
        ]
    said = {name: _fading_said(each) for name, each in flow.directions.items()}
    if len(said) == 1:
        return [f"{sentence[0].upper()}{sentence[1:]}" for sentence in said.values()]
    return [f"{name.capitalize()}: {sentence}" for name, sentence in said.items()]


def _fading_said(flow: GradientFlow) -> str:
    """Say the half-distance, the distance to a thousandth, and what each step leaves."""
    halved, faded, kept = faded_to(flow, 0.5), *fading(flow)
    farthest = _steps(int(flow.distance[-1]))
    if halved is None:
        said = f"over {farthest} the gradient does not fall to half"
    elif faded is None:
        said = f"the half-distance is {_steps(halved)}, and over {farthest} it does not fall to "
        said += f"1/{FALL}"
    else:
        said = f"the half-distance is {_steps(halved)}, and after {_steps(faded)} 1/{FALL} is left"
    if kept is not None:
        said += f"; in the far half of the curve each step leaves {percent(kept)}"
    return f"{said}."


def _steps(count: int) -> str:
    return f"{count}{NBSP}step{'' if count == 1 else 's'}"


def value_text(scores: Scores, name: str) -> str:
    """Write one score: a share in per cent, any other number in four figures."""
    value = scores.values[name]
    return f"{value:.2%}" if MEASURES[name].share else number_text(value)


def number_text(value: float) -> str:
    """Write a number of any size in four figures, with a true minus sign."""
    size = abs(value)
    if value == 0 or 1e-3 <= size < 1e4:
        text = f"{value:.4g}"
    elif 1e4 <= size < 1e9:
        text = thousands(round(value))
    else:
        exponent = math.floor(math.log10(size))
        text = f"{value / 10.0**exponent:.3f}{NBSP}·{NBSP}{power_of_ten(10.0**exponent)}"
    return text.replace("-", "−")


def part_name(part: str) -> str:
    """Call a part of the data by its name in words."""
    return PARTS.get(part, part)


def duration(seconds: float) -> str:
    """Write a time of any length: `48 s`, `12 min 5 s`, `2 h 3 min`."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"{seconds:.1f}{NBSP}s" if seconds < 10 else f"{whole}{NBSP}s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes}{NBSP}min {rest}{NBSP}s"
    return f"{hours}{NBSP}h {minutes}{NBSP}min"


def setting_text(value: Any) -> str:
    """Write a setting as an experiment's file does."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(setting_text, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {setting_text(each)}" for key, each in value.items())
        return f"{{{inside}}}"
    return str(value)
