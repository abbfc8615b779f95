"""The records of the five categories."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

import elman
from elman.experiment.categories import CATEGORIES, WRITERS, Category
from elman.experiment.decoder import DecoderSpec
from elman.experiment.network import NetworkOptions, NetworkSpec


@pytest.mark.parametrize("category", CATEGORIES.values(), ids=lambda category: category.name)
def test_a_record_names_existing_options(category: Category) -> None:
    assert CATEGORIES[category.name] is category
    assert category.meaningless < NetworkOptions.model_fields.keys()
    assert category.meaningless_of_decoder < DecoderSpec.model_fields.keys()
    assert category.writes == (category.name in WRITERS)
    assert category.writes or not category.meaningless_of_decoder


def test_a_category_has_an_article_in_sentences() -> None:
    assert [category.spoken for category in CATEGORIES.values()] == [
        "a one-to-one network",
        "a many-to-one network",
        "a many-to-many network",
        "an encoder-decoder network",
        "a one-to-many network",
    ]


def test_an_experiment_takes_every_category() -> None:
    choices, _ = get_args(NetworkSpec.model_fields["category"].annotation)
    assert get_args(choices) == tuple(CATEGORIES)
    for name in CATEGORIES:
        assert NetworkSpec(category=name).category == name


def test_no_other_file_lists_the_categories() -> None:
    source = Path(elman.__file__).parent
    texts = {path: path.read_text(encoding="utf-8") for path in source.rglob("*.py")}
    lists = [
        f"{path.relative_to(source)}: {ast.unparse(node)}"
        for path, text in texts.items()
        if all(name in text for name in CATEGORIES)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Tuple | ast.List | ast.Set)
        and {part.value for part in node.elts if isinstance(part, ast.Constant)} >= {*CATEGORIES}
    ]
    assert lists == []
