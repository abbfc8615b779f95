"""The code blocks of a page: found, run, and their commands parsed by the real parsers.

A page's ```python blocks are run in order, in one namespace. What a ```text block directly below
one shows is what it printed; `…` stands for anything. The ```sh blocks hold commands: each
`elman …` among them is parsed, so that every verb, option and setting on a page exists; those below
a comment `<!-- run -->` are run as well.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer

from elman.cli.main import Invocation, app, run
from elman.experiment import full_name, parse_overrides
from elman.networks.decoding import DecodingOptions

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FENCED = re.compile(
    r"^(?P<mark><!-- run -->\n+)?```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
BETWEEN_COMMANDS = {"|", "||", "&&", ";", "<", ">", ">>"}


class Block(NamedTuple):
    """A fenced block of a page.

    Args:
        language: `python`, `sh`, `text`, …
        text: what stands between the fences.
        line: of its first line on the page, from 0.
        runs: whether the page marks its commands to be run.
        shown: what a ```text block directly below says that it printed, or None.
    """

    language: str
    text: str
    line: int
    runs: bool
    shown: str | None


def blocks(page: Path, *languages: str) -> list[Block]:
    """Find the blocks of a page in some languages, or all."""
    text = page.read_text(encoding="utf-8")
    found = list(FENCED.finditer(text))
    below = [*found[1:], None][: len(found)]
    return [
        Block(
            match["language"],
            match["text"],
            text.count("\n", 0, match.start("text")),
            match["mark"] is not None,
            _output_of(text, match, following),
        )
        for match, following in zip(found, below, strict=True)
        if not languages or match["language"] in languages
    ]


def _output_of(page: str, block: re.Match[str], below: re.Match[str] | None) -> str | None:
    """Read the ```text block that follows another with nothing between."""
    if below is None or below["language"] != "text":
        return None
    return None if page[block.end() : below.start()].strip() else below["text"]


def run_python(page: Path, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run the Python blocks of a page in order; compare what they print with what it shows.

    Args:
        page: the page.
        names: what its examples take for granted.

    Returns:
        The names as the last block leaves them.
    """
    namespace = {"__name__": "__page__"} | (names or {})
    for block in blocks(page, "python"):
        code = compile("\n" * block.line + block.text, str(page), "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, namespace)
        if block.shown is not None:
            assert_prints(printed.getvalue(), block.shown, f"{page.name}, line {block.line}")
    return namespace


def assert_prints(printed: str, shown: str, where: str) -> None:
    """Compare what was printed with what a page shows, where `…` stands for anything."""
    parts = map(re.escape, shown.rstrip().split("…"))
    agree = re.fullmatch(".*?".join(parts), printed.rstrip(), re.DOTALL)
    assert agree, f"{where}: the page shows\n{shown}\nand this was printed\n{printed}"


def commands(text: str) -> Iterator[list[str]]:
    """Read the commands of a shell block, a pipe's one by one, each as a list of words."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        command: list[str] = []
        for word in lexer:
            if word in BETWEEN_COMMANDS:
                yield command
                command = []
            else:
                command.append(word)
        yield command


def elman_commands(text: str) -> list[list[str]]:
    """Read what stands after `elman` in every such command of a shell block."""
    return [command[1:] for command in commands(text) if command[:1] == ["elman"]]


def assert_parses(arguments: list[str]) -> None:
    """Parse a command as `elman` would, its settings too, without running it."""
    context: Any = None
    command: Any = typer.main.get_command(app)
    name, words = "elman", [word for word in arguments if word != "--debug"]
    invocation = Invocation()
    while True:
        try:
            context = command.make_context(name, list(words), parent=context, obj=invocation)
        except typer.Exit:  # `--version` and `--help` answer while they are parsed
            return
        if not hasattr(command, "commands"):
            break
        name, command, words = command.resolve_command(context, words)
    settings = parse_overrides(context.params.get("settings") or [])
    if name == "predict":
        DecodingOptions(**settings)
        return
    for setting in settings:
        full_name(setting)


def run_commands(block: Block) -> None:
    """Run the `elman` commands of a block; compare what they print with what the page shows."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for arguments in elman_commands(block.text):
            assert run(arguments) == 0, f"elman {shlex.join(arguments)} failed"
    if block.shown is not None:
        assert_prints(printed.getvalue(), block.shown, f"line {block.line}")
