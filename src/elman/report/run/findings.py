"""The results of a run in sentences, computed from its scores."""

from __future__ import annotations

import math
from typing import Any

from elman.data.splits import PART_NAMES
from elman.evaluation.leading import beside, missed_classes
from elman.evaluation.measures import Scores, measure_of
from elman.evaluation.plain_guesses import plain_guess
from elman.experiment.categories import WRITERS
from elman.inspection.gradient_flow import GradientFlow
from elman.report.comparison.findings import FALL, NBSP, faded_to, fading, percent
from elman.report.page import thousands
from elman.report.run.facts import Flow, RunFacts
from elman.report.style import power_of_ten
from elman.training.progress import in_time_units

_PREDICTS = "How well does it predict {target}?"
_PREDICTS_NEXT = "How well does it predict what comes next?"

_QUESTIONS = {
    "forecast": "How well does it forecast {target}?",
    "tagging": "How well does it predict {target} at each step?",
    "series": "How well does it predict {target} at each step?",
    "transcription": "How well does it transcribe {target}?",
    "translation": "How well does it write {target}?",
    "caption": "How well does it write {target} for a picture?",
    "language": _PREDICTS_NEXT,
    "roll": _PREDICTS_NEXT,
}
"""Kind of score → question; any other kind asks how well the target is predicted."""


MOST_TARGETS = 5
"""Maximum number of targets that the headline speaks of."""


def question(facts: RunFacts) -> str:
    """Ask how well the target is predicted."""
    writes = facts.final.kind == "language" and facts.category in WRITERS
    text = _PREDICTS if writes else _QUESTIONS.get(facts.final.kind, _PREDICTS)
    return text.format(target=facts.target or "the target")


def answer(facts: RunFacts) -> str:
    """Answer with the main score of the last part that was scored, of each target a sentence."""
    if facts.answers:
        return " ".join(
            f"{each.target}: {_answer(each)[0].lower()}{_answer(each)[1:]}"
            for each in facts.answers[:MOST_TARGETS]
        )
    return _answer(facts)


def _answer(facts: RunFacts) -> str:
    scores = facts.final
    over = f"{thousands(scores.count)} {part_name(facts.part)} {scores.unit}"
    if scores.main in scores.undefined:
        return f"Its {_title(scores.main)} is not computed: {scores.undefined[scores.main]}."
    value = value_text(scores, scores.main)
    sentences = {
        "accuracy": f"It predicts {value} of {over} correctly.",
        "rmse": f"Its root mean squared error is {value} over {over}.",
        "perplexity": f"Its perplexity is {value} over {over}: as uncertain as a choice among "
        f"{value} equally likely ones.",
        "bits_per_character": f"It needs {value} bits per character over {over}.",
        "nll": f"Its negative log-likelihood over {over} is {value} nats each.",
        "label_error_rate": f"Its outputs differ from the targets by {value} edits per symbol over "
        f"{over}.",
        "error_to_signal": f"Its error has {scores.value:.2%} of the signal’s energy over {over}.",
        "bleu": f"Its outputs reach a BLEU of {value} out of 100 over {over}.",
        "bleu_4": f"Its outputs reach a BLEU-4 of {value} out of 100 over {over}.",
        "chrf": f"Its outputs reach a chrF of {value} out of 100 over {over}.",
        "sequence_accuracy": f"It predicts {value} of {over} exactly.",
        "mase": f"Its mean absolute error over {over} is {value} times that of the seasonal naive "
        f"forecast{' on their past' if 'naive' in scores.details else ''}.",
    }
    return sentences.get(scores.main, f"Its {_title(scores.main)} is {value} over {over}.")


def baseline(scores: Scores) -> str:
    """Compare the main score with what a plain guess has, where one is known, and say what the
    main score may hide: how many sequences are exactly right, how uneven classes fare.
    """
    said = [_classes_in_words(scores), _exactly_right(scores), _plainly(scores)]
    return " ".join(filter(None, said))


def _plainly(scores: Scores) -> str:
    """Say what the best plain guess has by the main score."""
    commonest = scores.details.get("commonest")
    guess = plain_guess(scores, scores.main)
    if commonest is not None and (guess is None or scores.main == "f1"):
        words, share = f"always {commonest['name']!r}", commonest["share"]
        right = value_text(scores, "accuracy")
        return f"{right} of the {scores.unit} are correct; {words} would be right for {share:.2%}."
    if guess is not None and "naive" in scores.details:
        return _beside_naive(scores, *guess)
    if guess is not None:
        words, value = guess
        text = f"{value:.2%}" if measure_of(scores.main).share else number_text(value)
        if scores.main == "accuracy":
            return f"A plain guess, {words}, would be right for {text}."
        return f"A plain guess, {words}, has {text}."
    if scores.main == "rmse" and scores.values.get("r2", 1.0) < 1:
        error = scores.value / math.sqrt(1 - scores.values["r2"])
        return f"Always predicting their mean would have one of {number_text(error)}."
    if "mase" in scores.values:
        than = "better" if scores.values["mase"] < 1 else "no better"
        return f"That is {than} than repeating the value of one season ago."
    return ""


def _beside_naive(scores: Scores, best: str, naive: float) -> str:
    """Compare the main score with that of the best naive forecast."""
    beside = (
        f"the best naive forecast, {best}, has a {_title(scores.main)} of {number_text(naive)} on "
        "the same values."
    )
    than = "no better"
    if scores.value != naive:
        than = "better" if scores.value < naive else "worse"
    return f"That is {than} than naive: {beside}"


def _classes_in_words(scores: Scores) -> str:
    """Say what macro F1 is where classes are uneven, and which class is never predicted."""
    said = [
        f"Classes are uneven: its {_title(name)} is {value_text(scores, name)}."
        for name in beside(scores, scores.main)
    ]
    if missed := missed_classes(scores, scores.main):
        said.append(f"{missed[0].upper()}{missed[1:]}.")
    return " ".join(said)


def _title(name: str) -> str:
    """Return the title of a score as it stands inside a sentence."""
    title = measure_of(name).title
    return title if title.isupper() else title[0].lower() + title[1:]


def _exactly_right(scores: Scores) -> str:
    """Say how many sequences are exactly right, unless the headline does."""
    if scores.kind not in {"translation", "caption", "transcription"}:
        return ""
    if scores.main == "sequence_accuracy" or "sequence_accuracy" not in scores.values:
        return ""
    share = scores.values["sequence_accuracy"]
    if share == 0:
        return f"None of the {scores.unit} is predicted exactly."
    return f"{share:.2%} of the {scores.unit} are predicted exactly."


def flow_in_words(flow: Flow) -> list[str]:
    """Say how fast the gradient vanishes in each direction, or why it need not."""
    if flow.pooling != "last":
        reader = "Attention" if flow.pooling == "attention" else f"{flow.pooling.title()} pooling"
        return [
            f"{reader} reads every state, so the gradient reaches each state directly and need "
            "not vanish, even where the recurrent layers forget."
        ]
    sentences = {name: _fading_in_words(each) for name, each in flow.directions.items()}
    if len(sentences) == 1:
        return [f"{sentence[0].upper()}{sentence[1:]}" for sentence in sentences.values()]
    return [f"{name.capitalize()}: {sentence}" for name, sentence in sentences.items()]


def _fading_in_words(flow: GradientFlow) -> str:
    """State the half-distance, the distance to a thousandth, and what each step leaves."""
    halved, faded, kept = faded_to(flow, 0.5), *fading(flow)
    farthest = _steps(int(flow.distance[-1]))
    if halved is None:
        sentence = f"over {farthest} the gradient does not fall to half"
    elif faded is None:
        sentence = f"the half-distance is {_steps(halved)}, and over {farthest} it does not fall "
        sentence += f"to 1/{FALL}"
    else:
        sentence = (
            f"the half-distance is {_steps(halved)}, and after {_steps(faded)} 1/{FALL} is left"
        )
    if kept is not None:
        sentence += f"; in the far half of the curve each step leaves {percent(kept)}"
    return f"{sentence}."


def _steps(count: int) -> str:
    return f"{count}{NBSP}step{'' if count == 1 else 's'}"


def value_text(scores: Scores, name: str) -> str:
    """Format one score: a share in per cent, any other number in four figures."""
    if name not in scores.values:
        return "not computed" if name in scores.undefined else "–"
    value = scores.values[name]
    return f"{value:.2%}" if measure_of(name).share else number_text(value)


def number_text(value: float) -> str:
    """Format a number of any size in four figures, with a true minus sign."""
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
    """Return the name of a part of the data in words."""
    return PART_NAMES.get(part, part)


def duration(seconds: float) -> str:
    """Format a duration on one line: `4.2 s`, `48 s`, `12 min 5 s`, `2 h 3 min`."""
    text = f"{seconds:.1f} s" if seconds < 10 else in_time_units(seconds)
    return text.replace(" ", NBSP)


def setting_text(value: Any) -> str:
    """Format a setting as an experiment's file does."""
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
