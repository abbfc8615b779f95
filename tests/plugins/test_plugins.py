"""Entry points of other packages: read when a name is not built in, and refused in words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from elman import plugins
from elman.errors import OptionError, PluginError, unknown
from elman.plugins import Registry
from packages import install

GROUP = "elman.numbers"


def numbers() -> Registry[int]:
    return Registry(
        GROUP, {"one": 1, "two": 2}, lambda _, n: None if isinstance(n, int) else "is no number"
    )


def test_a_package_adds_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "toy-three", {GROUP: {"three": "toy_three:THREE"}}, "THREE = 3")
    registry = numbers()
    assert list(registry) == ["one", "two", "three"]
    assert len(registry) == 3
    assert dict(registry) == {"one": 1, "two": 2, "three": 3}
    assert "three" in registry
    assert "four" not in registry
    assert registry.get("four") is None


def test_another_group_does_not_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "toy-three", {"elman.x": {"three": "toy_three:T"}}, "T = 3")
    assert list(numbers()) == ["one", "two"]


def test_listing_names_imports_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "toy-bad", {GROUP: {"bad": "toy_bad:B"}}, "raise RuntimeError")
    registry = numbers()
    assert "bad" in registry
    assert list(registry) == ["one", "two", "bad"]
    assert "toy_bad" not in sys.modules


def test_a_built_in_name_is_looked_up_without_reading_entry_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def guests(_: str) -> Any:
        raise AssertionError("entry points were read")

    monkeypatch.setattr(plugins, "guests", guests)
    registry = numbers()
    assert registry["one"] == 1
    assert "two" in registry
    with pytest.raises(AssertionError, match="entry points were read"):
        registry["three"]


def test_entry_points_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "toy-three", {GROUP: {"three": "toy_three:T"}}, "T = [3]")
    registry: Registry[Any] = Registry(GROUP, {}, lambda _, __: None)
    assert registry["three"] is registry["three"]
    assert plugins.guests(GROUP) is plugins.guests(GROUP)


def test_an_unknown_name_is_told_with_the_guests_among_the_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "toy-three", {GROUP: {"three": "toy_three:T"}}, "T = 3")
    with pytest.raises(KeyError, match="thre"):
        numbers()["thre"]
    with pytest.raises(OptionError, match=r"mean 'three'\? Known numbers: one, three, two"):
        raise unknown("number", "thre", numbers())


def test_a_built_in_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "toy-two", {GROUP: {"two": "toy_two:T"}}, "T = 22")
    words = "toy-two 1.0 declares 'two' in elman.numbers, which is Elman's own; it must take anothe"
    registry = numbers()
    assert registry["two"] == 2
    with pytest.raises(PluginError, match=words):
        list(registry)
    with pytest.raises(PluginError, match=words):
        registry["three"]


def test_two_packages_with_one_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "toy-a", {GROUP: {"three": "toy_a:T"}}, "T = 3")
    install(tmp_path, monkeypatch, "toy-b", {GROUP: {"three": "toy_b:T"}}, "T = 3")
    words = "toy-a 1.0 and toy-b 1.0 both declare 'three' in elman.numbers; uninstall one"
    with pytest.raises(PluginError, match=words):
        numbers()["three"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_module", "failed: ModuleNotFoundError: No module named 'no_such_module'"),
        ("x = 1", "failed: AttributeError: module 'toy_bad' has no attribute 'THREE'"),
        ("def", "failed: SyntaxError: invalid syntax"),
        ("raise ValueError('bad luck')", "failed: ValueError: bad luck. Repair or uninstall it."),
        ("THREE = 'three'", "but toy_bad:THREE is no number"),
    ],
)
def test_a_package_that_cannot_be_used_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, words: str
) -> None:
    install(tmp_path, monkeypatch, "toy-bad", {GROUP: {"three": "toy_bad:THREE"}}, code)
    with pytest.raises(PluginError) as caught:
        numbers()["three"]
    assert str(caught.value).startswith("toy-bad 1.0 declares 'three' in elman.numbers, ")
    assert words in str(caught.value)


def test_importing_elman_reads_no_entry_points() -> None:
    code = (
        "import sys, importlib.metadata as m\n"
        "def fail(**_): raise SystemExit('entry points were read')\n"
        "m.entry_points = fail\n"
        "import elman, elman.plugins\n"
        "elman.plugins.Registry('elman.numbers', {}, None)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
