"""The options of a network: each is stated once, reaches the builder, or is refused."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

import elman
from elman.errors import OptionError
from elman.experiment.categories import CATEGORIES, Category
from elman.experiment.decoder import DecoderSpec, DecodingSpec
from elman.experiment.forecast import ForecastSpec
from elman.experiment.network import NetworkOptions, NetworkSpec
from elman.experiment.words import checked_options
from elman.layers.mlp import ACTIVATIONS
from elman.networks.decoding import DecodingOptions
from elman.networks.objectives.distributions import DISTRIBUTIONS
from elman.networks.options import check_meaning, check_meaning_of_decoder, known_category

SOURCE = Path(elman.__file__).parent
BUILDERS = (
    "build",
    "build_columns",
    "build_writer",
    "build_forecaster",
    "components",
    "options",
)

OTHER: dict[str, Any] = {
    "cell": "lstm",
    "hidden_size": [5, 3],
    "convolutions": [{"channels": 7, "kernel": 3, "stride": 2}],
    "pooling": "max",
    "context": "each",
    "head": [3],
    "activation": "tanh",
    "dropout_kind": "locked",
    "cell_options": {"peephole": True},
    "backend": "reference",
    "attention": "dot",
    "conditioning": "each",
}
"""Option → another value than its default, where that is neither a number nor a bool."""


def others(model: type[BaseModel]) -> list[tuple[str, Any]]:
    """List every option with another value than its default."""

    def other(name: str, default: Any) -> Any:
        if name in OTHER or not isinstance(default, int | float | None):
            return OTHER[name]
        if isinstance(default, bool):
            return not default
        return 0.5 if isinstance(default, float) else 7

    return [(name, other(name, field.default)) for name, field in model.model_fields.items()]


EACH_CATEGORY = pytest.mark.parametrize(
    "category", CATEGORIES.values(), ids=lambda category: category.name
)
EACH_OPTION = pytest.mark.parametrize(("name", "value"), others(NetworkOptions), ids=str)
EACH_OF_THE_DECODER = pytest.mark.parametrize(("name", "value"), others(DecoderSpec), ids=str)


@pytest.mark.parametrize(
    ("model", "base", "again"),
    [
        (NetworkSpec, NetworkOptions, set()),
        (DecodingOptions, DecodingSpec, {"max_length"}),  # whose default needs no training part
    ],
)
def test_a_class_states_only_what_the_one_below_does_not(
    model: type[BaseModel], base: type[BaseModel], again: set[str]
) -> None:
    assert model.__annotations__.keys() & base.model_fields.keys() == again
    assert model.model_fields.keys() > base.model_fields.keys()


def test_no_second_class_states_the_options_of_a_network() -> None:
    rooms = [path for room in ("experiment", "networks") for path in (SOURCE / room).rglob("*.py")]
    classes = {
        node.name: {
            part.target.id
            for part in node.body
            if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
        }
        for path in rooms
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    for model in (NetworkOptions, DecoderSpec, DecodingSpec, ForecastSpec):
        fields = model.model_fields.keys()
        alike = {name for name, stated in classes.items() if len(stated & fields) > 4}
        assert alike == {model.__name__}


@EACH_OPTION
def test_an_option_of_an_experiment_is_handed_to_the_builder(name: str, value: Any) -> None:
    arguments = NetworkSpec.model_validate({name: value}).arguments()
    assert arguments == {name: value}
    checked = checked_options(NetworkOptions, arguments, "network")
    assert checked.model_dump(include={name}) == {name: value}


def test_what_only_an_experiment_says_is_not_handed_to_the_builder() -> None:
    spec = NetworkSpec(
        category="one-to-one", parameters=9, objective="regression", label_smoothing=0.1
    )
    assert spec.arguments() == {}


def test_the_builder_reads_every_option() -> None:
    texts = [(SOURCE / "networks" / f"{name}.py").read_text("utf-8") for name in BUILDERS]
    for model, variables in ((NetworkOptions, "checked|own|options"), (DecoderSpec, "writing")):
        read = {name for text in texts for name in re.findall(rf"(?:{variables})\.(\w+)", text)}
        assert model.model_fields.keys() <= read


def test_the_choices_of_an_experiment_are_those_that_there_are() -> None:
    activations = get_args(NetworkOptions.model_fields["activation"].annotation)
    distributions = get_args(ForecastSpec.model_fields["distribution"].annotation)
    assert {*activations} == {*ACTIVATIONS}
    assert {*distributions} == {*DISTRIBUTIONS, "point"}


@EACH_CATEGORY
@EACH_OPTION
def test_an_option_is_refused_where_the_record_says_so(
    category: Category, name: str, value: Any
) -> None:
    asked = NetworkOptions.model_validate({"hidden_size": 5} | {name: value})
    if name not in category.meaningless:
        check_meaning(category, asked)
        return
    with pytest.raises(OptionError) as refused:
        check_meaning(category, asked)
    words = f"{name}={value!r} has no meaning in {category.spoken}; leave it out."
    assert str(refused.value) == words


@EACH_CATEGORY
@EACH_OF_THE_DECODER
def test_an_option_of_the_decoder_is_refused_where_the_record_says_so(
    category: Category, name: str, value: Any
) -> None:
    writing = DecoderSpec.model_validate({name: value})
    if category.writes and name not in category.meaningless_of_decoder:
        check_meaning_of_decoder(category, writing)
        return
    with pytest.raises(OptionError) as refused:
        check_meaning_of_decoder(category, writing)
    words = f"decoder.{name}={value!r} has no meaning in {category.spoken}; leave it out."
    assert str(refused.value) == words


@EACH_CATEGORY
def test_what_has_a_recurrent_part_needs_its_size(category: Category) -> None:
    if not category.recurrent:
        check_meaning(category, NetworkOptions())
        return
    with pytest.raises(OptionError, match=f"{category.spoken} needs a hidden_size; give one"):
        check_meaning(category, NetworkOptions())


def test_an_unknown_category_is_refused_with_its_near_miss() -> None:
    assert known_category("many-to-one") is CATEGORIES["many-to-one"]
    with pytest.raises(OptionError, match="unknown category 'many-to-few'; did you mean 'many-to"):
        known_category("many-to-few")
