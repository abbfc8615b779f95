"""Features of a network that writes: they must restore every value as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from elman.data.table import Table
from elman.errors import ExperimentError
from elman.experiment.data import DataSpec
from elman.experiment.decoder import DecoderSpec
from elman.features.build import build_feature, parse_kind
from elman.features.feature import Feature
from elman.features.mixture import MixtureFeature
from elman.features.state import options_of
from elman.tasks.fitting import fit_feature

Column = tuple[Any, Sequence[str]]
"""A fitted feature and its columns."""


def writable(
    data: DataSpec, decoder: DecoderSpec, train: Table, source: Column, target: Column
) -> tuple[Any, Any]:
    """Return the features of input and target, made for a network that writes.

    Texts are split into byte pairs by default: every text can be read and written with them, in
    its own spelling. Names of symbols come from the training part alone.
    With `share_embeddings` there is one feature, fitted on both columns.

    Args:
        data: kinds and options that were given.
        decoder: whether input and target share a vocabulary.
        train: the training part.
        source: of the input, as inferred.
        target: of the target, likewise.

    Raises:
        ExperimentError: columns are to share a vocabulary and cannot.
        DataError: a value cannot be taken; its file, row and column are named.
    """
    pairs = _byte_pairs(len(train))
    rebuilt = [
        _with_main_rebuilt(feature, pairs, data)
        if isinstance(feature, MixtureFeature)
        else _rebuilt(feature, columns, pairs, *_said(data, columns, kind, options))
        for (feature, columns), kind, options in (
            (source, data.input_kind, data.input_options),
            (target, data.target_kind, data.target_options),
        )
    ]
    if decoder.share_embeddings:
        return _fit_as_one(rebuilt, train, source, target)
    for new, (old, columns) in zip(rebuilt, (source, target), strict=True):
        if new is not old:
            fit_feature(new, train, columns)
    return rebuilt[0], rebuilt[1]


def _byte_pairs(rows: int) -> dict[str, Any]:
    """Return the options of byte pairs: more of them for more rows."""
    return {"level": "bpe", "max_vocabulary": min(8_000, max(500, rows // 4))}


def _said(
    data: DataSpec, columns: Sequence[str], kind: str | None, options: Mapping[str, Any]
) -> tuple[str | None, Mapping[str, Any]]:
    """Return the kind and the options that were given: of a lone column, those of its own too."""
    own = dict(data.columns.get(columns[0], {})) if len(columns) == 1 else {}
    said = own.pop("kind", kind)
    return None if said is None else str(said), {**options, **own}


def _rebuilt(
    feature: Any,
    columns: Sequence[str],
    pairs: Mapping[str, Any],
    kind: str | None,
    options: Mapping[str, Any],
) -> Any:
    """Rebuild a feature: texts with byte pairs, unless a level was given or it is characters.

    Symbols of a target are built as those of an input: one may be unknown.
    """
    given = dict(options) if kind is None else parse_kind(kind)[1] | dict(options)
    if getattr(feature, "as_target", False):
        return build_feature(feature.kind, given, columns=columns)
    if not feature.has_words or feature.joined or "level" in given:
        return feature
    return build_feature(feature.kind, {**pairs, **given}, columns=columns)


def _with_main_rebuilt(
    feature: MixtureFeature, pairs: Mapping[str, Any], data: DataSpec
) -> MixtureFeature:
    """Rebuild the text of a mixture that a network attends to while it writes."""
    main, *others = feature.parts
    if not main.feature.has_words or main.feature.joined:  # nor has what stands side by side a kind
        return feature
    said, options = _said(data, main.columns, main.feature.kind, {})
    kind, variant = parse_kind(str(said))
    given = {**variant, **options}
    if "level" in given:
        return feature
    return MixtureFeature([replace(main, feature=build_feature(kind, {**pairs, **given})), *others])


def _fit_as_one(
    features: Sequence[Any], train: Table, source: Column, target: Column
) -> tuple[Feature, Feature]:
    """Fit one feature on input and target, whose values are known to be sound."""
    one, other = features
    if not one.writable or one.kind != other.kind or options_of(one) != options_of(other):
        raise ExperimentError(
            "decoder.share_embeddings needs input and target of the same kind and options; here "
            f"the input is {source[0].description} and the target {target[0].description}. Give "
            "both the same kind and options, or leave it out."
        )
    one.fit(chain(train.values(source[1]), train.values(target[1])))
    return one, one
