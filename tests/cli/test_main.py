"""The command's frame: help, version, exit codes, and failures said in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

import elman
from elman.cli import main as command
from elman.errors import DataError, OptionError


def elman_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "elman", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def verb() -> Iterator[Callable[[BaseException], None]]:
    """Add a verb `fail` to the command that raises what it is given."""
    registered = list(command.app.registered_commands)

    def add(error: BaseException) -> None:
        def fail() -> None:
            raise error

        command.app.command("fail")(fail)

    command.built.cache_clear()
    yield add
    command.app.registered_commands[:] = registered
    command.built.cache_clear()


def test_help_lists_the_verbs_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(["--help"]) == 0
    out, err = capsys.readouterr()
    for registered in command.app.registered_commands:
        assert f"\n  {registered.name}" in out
    assert err == ""


def test_every_verb_has_a_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    for registered in command.app.registered_commands:
        assert command.run([registered.name or "", "--help"]) == 0
        assert len(capsys.readouterr().out.splitlines()) > 3


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(["--version"]) == 0
    assert capsys.readouterr().out == f"elman {elman.__version__}\n"


def test_an_unknown_verb_is_a_wrong_use_and_offers_near_misses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.run(["bakends"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        "elman: unknown verb 'bakends'; did you mean 'backends'? Known verbs: backends, "
    )


def test_no_verb_shows_the_help_and_says_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.run([]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Usage: elman")
    assert err.splitlines()[-1] == "elman: say what to do: one of the commands above."


def test_a_verb_of_two_words_is_named_in_full_and_its_near_misses_offered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.run(["data", "lst"]) == 2
    assert capsys.readouterr().err == (
        "elman data: unknown verb 'lst'; did you mean 'list'? Known verbs: fetch, list, show.\n"
    )
    assert command.run(["data"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Usage: elman data")
    assert err.endswith("elman data: say what to do: one of the commands above.\n")
    assert command.run(["data", "list", "--jsn"]) == 2
    assert capsys.readouterr().err.startswith("elman data list: no such option: --jsn")


def test_an_unknown_option_names_the_verb_and_the_near_miss(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.run(["backends", "--jsn"]) == 2
    err = capsys.readouterr().err
    assert err == "elman backends: no such option: --jsn (Possible options: --json)\n"


def test_a_failure_is_one_sentence_with_the_verb_before_it(
    verb: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(DataError("reviews.csv has no column 'txt'.\nColumns: id, text."))
    assert command.run(["fail"]) == 1
    assert capsys.readouterr().err == (
        "elman fail: reviews.csv has no column 'txt'. Columns: id, text.\n"
    )


def test_an_option_of_a_wrong_value_is_a_wrong_use(
    verb: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(OptionError("delay must be 0 or more, got -1."))
    assert command.run(["fail"]) == 2
    assert capsys.readouterr().err == "elman fail: delay must be 0 or more, got -1.\n"


def test_a_file_that_cannot_be_read_is_named(
    verb: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(FileNotFoundError(2, "No such file or directory", "notes.csv"))
    assert command.run(["fail"]) == 1
    assert capsys.readouterr().err == "elman fail: notes.csv: No such file or directory.\n"


@pytest.mark.parametrize("arguments", [["--debug", "fail"], ["fail", "--debug"]])
def test_debug_lets_the_error_through_wherever_it_stands(
    verb: Callable[[BaseException], None], arguments: list[str]
) -> None:
    verb(DataError("no such corpus."))
    with pytest.raises(DataError, match="no such corpus"):
        command.run(arguments)


def test_an_interrupt_exits_130_with_a_sentence(
    verb: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(KeyboardInterrupt())
    assert command.run(["fail"]) == 130
    assert capsys.readouterr().err == "elman fail: interrupted.\n"


def test_an_interrupt_passes_on_what_the_verb_says_about_it(
    verb: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(KeyboardInterrupt("epoch 3 is saved in runs/a."))
    assert command.run(["fail"]) == 130
    assert capsys.readouterr().err == "elman fail: interrupted: epoch 3 is saved in runs/a.\n"


DEFECT = """
import sys
from elman.cli import main as command
@command.app.command("fail")
def fail() -> None:
    raise ZeroDivisionError("division by zero")
command.main()
"""


@pytest.mark.parametrize("debug", [False, True])
def test_a_defect_shows_its_traceback_only_when_asked(debug: bool) -> None:
    arguments = ["--debug", "fail"] if debug else ["fail"]
    done = subprocess.run(
        [sys.executable, "-c", DEFECT, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert ("Traceback" in done.stderr) == debug
    if not debug:
        assert done.stderr == (
            "elman: stopped by an unexpected ZeroDivisionError (division by zero); "
            "`elman --debug fail` shows where.\n"
        )


ASKED = """
import os
from elman.cli import main as command
@command.app.command("pages")
def pages() -> None:
    print(os.environ["THP_MEM_ALLOC_ENABLE"])
command.main()
"""


@pytest.mark.parametrize(("said", "seen"), [(None, "1"), ("0", "0")])
def test_the_command_asks_for_huge_pages_unless_somebody_has_decided(
    said: str | None, seen: str
) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "THP_MEM_ALLOC_ENABLE"}
    environment |= {} if said is None else {"THP_MEM_ALLOC_ENABLE": said}
    done = subprocess.run(
        [sys.executable, "-c", ASKED, "pages"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == seen


def test_a_reader_that_leaves_early_is_no_failure_to_speak_of() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; from elman.cli.main import run\n"
         "import typer\nfrom elman.cli import main as command\n"
         "@command.app.command('pour')\n"
         "def pour():\n    [typer.echo('x' * 99) for _ in range(9999)]\n"
         "sys.exit(run(['pour']))"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


def test_the_module_runs_as_the_command_does() -> None:
    done = elman_process("--version")
    assert (done.returncode, done.stdout) == (0, f"elman {elman.__version__}\n")
