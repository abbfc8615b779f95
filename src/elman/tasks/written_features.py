"""Features of a network that writes: what it reads and writes must be written back as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from elman.data.table import Table
from elman.errors import ExperimentError
from elman.experiment.data import DataSpec
from elman.experiment.decoder import DecoderSpec
from elman.features.build import build_feature, parse_kind
from elman.features.feature import Feature
from elman.features.state import options_of
from elman.tasks.fitting import fit_feature

Column = tuple[Any, Sequence[str]]
"""A fitted feature and the columns it is of."""


def writable(
    data: DataSpec, decoder: DecoderSpec, train: Table, source: Column, target: Column
) -> tuple[Any, Any]:
    """Return the features of input and target, made for a network that writes.

    Texts are cut into byte pairs where nobody has said otherwise: every text can be read and
    written with them, in its own spelling. Names of symbols come from the training part alone.
    With `share_embeddings` there is one feature, fitted on both columns.

    Args:
        data: what was said of the columns.
        decoder: whether input and answer have one vocabulary.
        train: the training part.
        source: of the input, as it was found.
        target: of the target, likewise.

    Raises:
        ExperimentError: one vocabulary is asked of columns that cannot have one.
        DataError: a value cannot be taken; its file, row and column are named.
    """
    pairs = _byte_pairs(len(train))
    made = [
        _remade(feature, columns, pairs, kind, options)
        for (feature, columns), kind, options in (
            (source, data.input_kind, data.input_options),
            (target, data.target_kind, data.target_options),
        )
    ]
    if decoder.share_embeddings:
        return _fit_as_one(made, train, source, target)
    for new, (old, columns) in zip(made, (source, target), strict=True):
        if new is not old:
            fit_feature(new, train, columns)
    return made[0], made[1]


def _byte_pairs(rows: int) -> dict[str, Any]:
    """Cut into more byte pairs the more there is to learn them from."""
    return {"level": "bpe", "max_vocabulary": min(8_000, max(500, rows // 4))}


def _remade(
    feature: Any,
    columns: Sequence[str],
    pairs: Mapping[str, Any],
    kind: str | None,
    options: Mapping[str, Any],
) -> Any:
    """Make a feature anew: texts by byte pairs, unless their level was said or is characters.

    Symbols, as a target, are made as an input's are: one may be unknown.
    """
    said = dict(options) if kind is None else parse_kind(kind)[1] | dict(options)
    if getattr(feature, "as_target", False):
        return build_feature(feature.kind, said, columns=columns)
    if not feature.has_words or feature.joined or "level" in said:
        return feature
    return build_feature(feature.kind, {**pairs, **said}, columns=columns)


def _fit_as_one(
    made: Sequence[Any], train: Table, source: Column, target: Column
) -> tuple[Feature, Feature]:
    """Fit one feature on input and target, whose values have been read once and are sound."""
    one, other = made
    if not one.writable or one.kind != other.kind or options_of(one) != options_of(other):
        raise ExperimentError(
            "decoder.share_embeddings needs input and target of one kind, cut alike; here the "
            f"input is {source[0].description} and the target {target[0].description}. Say the "
            "same kind and options of both, or leave it out."
        )
    one.fit(chain(train.values(source[1]), train.values(target[1])))
    return one, one
