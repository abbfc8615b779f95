"""What else a target of no given kind may have been meant as, and how to say so."""

from __future__ import annotations

from typing import Any

from elman.data.arrow import is_list
from elman.data.table import Table
from elman.errors import as_option
from elman.experiment.categories import WRITERS
from elman.experiment.data import DataSpec
from elman.features.feature import Feature
from elman.features.hot import hot, one_hot
from elman.features.separators import SEPARATORS, parts_of
from elman.tasks.fitting import sample

FEW_LABELS = 100
"""Maximum number of different symbols that may be labels."""

FEW_A_ROW = 4
"""Maximum mean number of labels of a row."""


def other_ways(
    category: str, data: DataSpec, train: Table, source: Feature, target: Any
) -> list[str]:
    """Say what else a target may have been meant as: names, labels, a text, a transcription.

    Args:
        category: of the task.
        data: in which a kind may have been given; then nothing is said.
        train: the training part.
        source: feature of the input.
        target: that of the target.
    """
    if data.target_kind is not None or len(data.target) > 1:
        return []
    name = data.target[0]
    if target.kind == "labels":
        return _instead_of_labels(name, train, source, target)
    if target.is_class:
        return [*_instead_of_classes(name, source, target), *_labels_of_classes(name, target)]
    if category not in WRITERS:
        return _instead_of_tags(name, train, target)
    notes = []
    if _tag_a_word(data, train, source, target):
        (words,) = data.input
        say = (
            f"{as_option('--input', f'{words}:symbols')} {as_option('--target', f'{name}:symbols')}"
        )
        notes.append(f"{name} has a tag for each word of {words}; to predict these, say {say}.")
    if target.is_text and _repeats(name, train):
        say = as_option("--target", f"{name}:category")
        notes.append(f"if {name} holds a class a row, not a text, say {say}.")
    if target.kind == "symbols" and _are_few(name, train, target):
        say = as_option("--target", f"{name}:labels")
        notes.append(f"if {name} holds labels, whose order does not count, say {say}.")
    if source.has_steps and not source.writable:
        notes.append(
            "if the target's symbols come in the order of the input, as in speech, say --set "
            'objective=ctc (objective="ctc" in Python).'
        )
    return notes


def _tag_a_word(data: DataSpec, train: Table, source: Feature, target: Any) -> bool:
    """Tell whether two texts have equally many words, and few different ones are in the target."""
    if not (source.is_text and target.is_text and len(data.input) == 1):
        return False
    rows = sample(train)
    texts = zip(rows.column(data.input[0]), rows.column(data.target[0]), strict=True)
    pairs = [(str(text).split(), str(tags).split()) for text, tags in texts]
    names = {tag for _, tags in pairs for tag in tags}
    several = any(len(tags) > 1 for _, tags in pairs)
    alike = all(len(words) == len(tags) for words, tags in pairs)
    return several and alike and len(names) <= FEW_LABELS


def _repeats(name: str, train: Table) -> bool:
    """Tell whether a value occurs twice on average, as classes do."""
    values = [value for value in sample(train).column(name) if isinstance(value, str)]
    return 2 * len(set(values)) <= len(values)


def _are_few(name: str, train: Table, target: Any) -> bool:
    """Tell whether lists are short and of few names, as those of labels are."""
    if not is_list(train.column(name).type) or len(target.names) > FEW_LABELS:
        return False
    lengths = [len(value) for value in sample(train).column(name) if value is not None]
    return sum(lengths) <= FEW_A_ROW * len(lengths)


def _instead_of_labels(name: str, train: Table, source: Feature, target: Any) -> list[str]:
    """Say how labels may be one name, or symbols whose order counts."""
    if target.separator is not None:
        say = as_option("--target", f"{name}:category")
        return [f"if {target.separator!r} is part of a name in {name}, not between two, say {say}."]
    if not source.has_steps or name not in train.columns or not is_list(train.column(name).type):
        return []
    if all(len(value) < 2 for value in sample(train).column(name) if value is not None):
        return []
    say = as_option("--target", f"{name}:symbols")
    if target.multi_hot:
        return [f"{name} has a 0 or 1 for each label; if they are symbols in an order, say {say}."]
    return [f"the order of the elements of {name} does not count; if it does, say {say}."]


def _instead_of_classes(name: str, source: Feature, target: Any) -> list[str]:
    """Say how classes may be texts."""
    if not (source.is_text and target.reads_as_texts):
        return []
    return [
        f"if {name} holds a text to be written, not one of {len(target.names)} classes, say "
        f"{as_option('--target', f'{name}:text')}."
    ]


def _labels_of_classes(name: str, target: Any) -> list[str]:
    """Say how classes whose names hold a separator may be several labels each."""
    names = [each for each in target.names if isinstance(each, str)]
    for separator in SEPARATORS:
        joined = [each for each in names if len(parts_of(each, separator)) > 1]
        if len(joined) > 1:
            say = as_option("--target", f"{name}:labels")
            return [
                f"{separator!r} is part of the names of {len(joined)} classes, such as "
                f"{joined[0]!r}; if it stands between several labels, say {say}."
            ]
    return []


def _instead_of_tags(name: str, train: Table, target: Any) -> list[str]:
    """Say how tags of zeros and ones, one a step, may be one class a row."""
    if target.kind != "symbols" or name not in train.columns:
        return []
    if not is_list(train.column(name).type):
        return []
    values = list(sample(train).column(name))
    if not (hot(values) and one_hot(values)):
        return []
    say = as_option("--target", f"{name}:onehot")
    return [
        f"{name} has one 0 or 1 for each step of the input; if it is one class of "
        f"{len(values[0])} a row, say {say}."
    ]
