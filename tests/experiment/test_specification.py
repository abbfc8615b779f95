"""Specifications: reading and writing TOML, recipes, overrides and errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from elman.data.catalog import DATASETS, ROLL_SETS
from elman.errors import ElmanError, ExperimentError
from elman.experiment import (
    Experiment,
    full_name,
    parse_overrides,
    read_experiment,
    recipes,
)
from elman.features.feature import Encoding
from elman.layers import parameter_count
from elman.networks.build import solved, specified_network
from elman.networks.objectives import objective_from_json
from rolls import roll_task

SMALL = "[data]\nname = 'chorales'\n[network]\nhidden_size = 3\n"


def small(**overrides: Any) -> Experiment:
    return Experiment.from_toml(SMALL).override(overrides)


def built(experiment: Experiment) -> Any:
    """Return the experiment's network for piano rolls, with its hidden size solved for."""
    task = roll_task()
    spec = solved(experiment.network, task.input.encoding, task.make_objective())
    return specified_network(spec, task.input.encoding, task.make_objective())


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_survives_a_round_trip_through_toml(name: str) -> None:
    experiment = read_experiment(name)
    assert Experiment.from_toml(experiment.to_toml()) == experiment
    assert experiment.data.name in DATASETS
    assert experiment.title


def test_there_is_a_recipe_for_every_corpus_of_music() -> None:
    assert {read_experiment(name).data.name for name in recipes()} >= set(ROLL_SETS)


def test_every_default_is_written_out() -> None:
    text = small().to_toml()
    for section in (small().network, small().training):
        for name, value in section.model_dump(exclude_none=True).items():
            line = f"[network.{name}]" if value == {} else f"{name} = "
            assert line in text


def test_an_experiment_needs_only_a_data_section() -> None:
    experiment = Experiment.from_toml("[data]\n")
    assert experiment.data.title == "data"
    assert (experiment.network.hidden_size, experiment.network.parameters) == (None, None)
    assert Experiment.from_toml(experiment.to_toml()) == experiment


def test_a_single_name_is_read_as_a_list() -> None:
    one = Experiment.from_toml("[data]\nfiles = 'a/reviews*.csv'\ntarget = 'label'\n")
    assert one == Experiment.from_toml("[data]\nfiles = ['a/reviews*.csv']\ntarget = ['label']\n")
    assert one.data.title == "reviews"


def test_a_file_is_read_like_a_recipe(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SMALL, encoding="utf-8")
    assert read_experiment(path) == small()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[data", "experiment is not TOML: "),
        (SMALL.replace("hidden_size", "hiden_size"), "unknown network key 'hiden_size'; did you"),
        ("sed = 1\n" + SMALL, "experiment: unknown key 'sed'; did you mean 'seed'? Known keys:"),
        ("[network]\nhidden_size = 3", "experiment lacks data; it has no default."),
        (
            SMALL.replace("'chorales'", "'a'\nfiles = 'b.csv'"),
            "give either name, a data set, or files; got both",
        ),
        (SMALL.replace("'chorales'", "'a'\nsequence_id = 'id'"), "knows its own sequences"),
        (SMALL.replace("'chorales'", "'a'\nsplit_order = 'tme'"), "did you mean 'time'?"),
        (SMALL.replace("'chorales'", "'a'\nvalid_fraction = 1.0"), "must be less than 1, got 1.0"),
        (SMALL + "category = 'many-to-non'", "did you mean 'many-to-one'?"),
        (SMALL + "pooling = 'lst'", "did you mean 'last'?"),
        (SMALL + "parameters = 5", "give either hidden_size or parameters; got both"),
        (SMALL + "cell = 3", "network.cell must be a valid string, got 3."),
        (SMALL.replace("3", "0"), "network.hidden_size must be a whole number from 1 up, or a li"),
        (SMALL.replace("3", "[3, 'x']"), "network.hidden_size must be a whole number"),
        (SMALL.replace("3", "[3, 4]") + "num_layers = 2", "leave num_layers out"),
        (SMALL + "dropout = 1.0", "network.dropout must be less than 1, got 1.0."),
        (SMALL + "delay = -1", "network.delay must be greater than or equal to 0, got -1."),
        (SMALL + "[network.cell_options]\nx = [1]", "must be true, false, a number or a string"),
        (SMALL + "[training]\noptimizer = 'adm'", "unknown optimizer 'adm'; did you mean 'adam'?"),
        (SMALL + "[training]\nepochs = 0", "training.epochs must be greater than or equal to 1"),
        (SMALL + "[training]\nmomentum = 0.9", "training: momentum = 0.9 has no effect with opti"),
        (SMALL + "delay = 3\n[training]\nchunk_length = 9", "a network with delay = 3 reads a seq"),
        (
            SMALL + "bidirectional = true\n[training]\nchunk_length = 9",
            "experiment: a network with bidirectional = true reads a sequence's future, so",
        ),
        (SMALL.replace("[network]", "season = 12\n[network]"), "season = 12 has no effect without"),
        ("seed = -1\n" + SMALL, "seed must be greater than or equal to 0, got -1."),
    ],
)
def test_a_wrong_specification_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ExperimentError, match=re.escape(words)):
        Experiment.from_toml(text)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: read_experiment("choral"), "unknown recipe 'choral'; did you mean 'chorales'?"),
        (lambda: read_experiment("gone.toml"), "there is no experiment file gone.toml."),
        (lambda: small(lerning_rate=1), "unknown setting 'lerning_rate'; did you mean 'learning_r"),
        (lambda: small().override({"training.epoch": 1}), "did you mean 'training.epochs'?"),
        (lambda: parse_overrides(["epochs"]), "a setting is written name=value"),
        (lambda: parse_overrides(["a=[1"]), "must be written as in TOML"),
    ],
)
def test_unknown_names_are_refused_in_words(ask: Callable[[], object], words: str) -> None:
    with pytest.raises(ExperimentError, match=re.escape(words)):
        ask()


def test_overrides_are_parsed_as_toml_values() -> None:
    texts = ["a=1", "b.c = 1e-3", "d=true", "e=[64, 32]", 'f="x y"', "g=cosine", "h=32-true"]
    expected = [1, 0.001, True, [64, 32], "x y", "cosine"]
    assert list(parse_overrides(texts[:-1]).values()) == expected
    with pytest.raises(ExperimentError, match="as in TOML"):
        parse_overrides(texts[-1:])


def test_a_setting_may_be_given_by_its_last_part() -> None:
    assert full_name("epochs") == "training.epochs"
    assert full_name("cell") == "network.cell"
    assert full_name("seed") == "seed"
    assert full_name("network.cell_options.peephole") == "network.cell_options.peephole"
    assert full_name("loss_weights.priority") == "network.loss_weights.priority"
    assert full_name("data.columns.tags.kind") == "data.columns.tags.kind"


def test_the_last_parts_of_all_settings_differ() -> None:
    sections = ("data", "network", "training")
    names = [name for s in sections for name in type(getattr(small(), s)).model_fields]
    names += ["title", "seed"]
    assert len(names) == len(set(names))


def test_overrides_change_only_the_settings_they_name() -> None:
    changed = small(cell="lstm", epochs=7, seed=4).override({"network.cell_options.peephole": True})
    assert changed.network.cell == "lstm"
    assert changed.network.cell_options == {"peephole": True}
    assert changed.training.epochs == 7
    assert changed.seed == 4
    assert small().differences(changed) == [
        "network.cell = 'gru', there 'lstm'",
        "network.cell_options.peephole = 'not given', there True",
        "seed = 1, there 4",
        "training.epochs = 200, there 7",
    ]


def test_a_hidden_size_replaces_a_budget_and_the_other_way_round() -> None:
    budget = small(parameters=500)
    assert (budget.network.hidden_size, budget.network.parameters) == (None, 500)
    sizes = budget.override({"hidden_size": [4, 3]})
    assert (sizes.network.hidden_size, sizes.network.parameters) == ([4, 3], None)
    with pytest.raises(ExperimentError, match="give either hidden_size or parameters; got both"):
        small(hidden_size=3, parameters=500)


def test_files_replace_a_data_set_and_the_other_way_round() -> None:
    files = small().override({"data.files": ["a.csv"]})
    assert (files.data.name, files.data.files) == (None, ["a.csv"])
    assert files.override({"data.name": "chorales"}) == small()


def test_defaults_fill_in_only_settings_that_are_not_given() -> None:
    defaults = {"network.hidden_size": 9, "network.cell": "lstm", "training.epochs": 5}
    assert small().with_defaults(defaults) == small(cell="lstm", epochs=5)
    budget = small(parameters=500, epochs=3).with_defaults(defaults)
    assert budget == small(parameters=500, epochs=3, cell="lstm")


@pytest.mark.parametrize("cell", ["simple", "gru", "lstm"])
def test_a_budget_is_met_as_nearly_as_hidden_sizes_allow(cell: str) -> None:
    def parameters(size: int) -> int:
        return parameter_count(built(small(cell=cell, hidden_size=size)))

    task = roll_task()
    budget = small(cell=cell, parameters=20_000).network
    spec = solved(budget, task.input.encoding, task.make_objective())
    assert spec.parameters is None
    size = spec.hidden_size
    assert isinstance(size, int)
    distances = [abs(parameters(s) - 20_000) for s in (size - 1, size, size + 1)]
    assert min(distances) == distances[1]


def test_the_network_has_every_option_of_the_specification() -> None:
    spec = small(
        cell="lstm", hidden_size=[5, 3], bidirectional=True, delay=2, output_dropout=0.25
    ).override({"network.cell_options.peephole": True})
    encoding, objective = Encoding(numbers=7), {"name": "step-regression", "size": 2}
    network: Any = specified_network(spec.network, encoding, objective_from_json(objective))
    assert network.delay == 2
    assert network.recurrent.bidirectional
    assert network.recurrent.num_layers == 2
    assert network.recurrent.input_size == 7
    assert any("peephole" in name for name, _ in network.named_parameters())


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"network.cell": "gur"}, "unknown cell 'gur'; did you mean 'gru'?"),
        ({"network.cell_options.peephole": True}, "unknown gru option 'peephole'"),
        ({"network.parameters": 5}, "parameters=5 is too small a budget"),
        ({"network.backend": "nativ"}, "nativ"),
    ],
)
def test_a_network_that_cannot_be_built_is_refused_in_words(
    overrides: dict[str, Any], words: str
) -> None:
    experiment = small().override(overrides)
    with pytest.raises(ElmanError, match=re.escape(words)):
        built(experiment)


@pytest.mark.parametrize("mark", [",", "."])
def test_a_decimal_mark_is_a_value_without_quotes(mark: str) -> None:
    assert parse_overrides([f"decimal={mark}"]) == {"decimal": mark}


def test_a_column_named_by_an_option_keeps_what_is_said_of_it_elsewhere() -> None:
    name = 'data.columns."date.of.birth"'
    said = small().override({f"{name}.time_format": "%d/%m/%Y"})
    both = said.override({name: {}, 'data.columns."when:date"': {}})
    assert both.data.columns == {"date.of.birth": {"time_format": "%d/%m/%Y"}, "when:date": {}}
