"""The `elman` command: its verbs, and what a failure of one looks like.

Results go to stdout, progress and errors to stderr. The exit code is 0 for done, 1 for failed,
2 for a wrong use of the command, and as shells count 130 for Ctrl-C, 143 for SIGTERM; the last line
of a failure is one sentence.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from elman import __version__
from elman.cli import (
    backends,
    check,
    compare,
    data,
    evaluate,
    forecast,
    generate,
    predict,
    runs,
    train,
    tune,
)
from elman.errors import ElmanError, OptionError, unknown

FAILED, WRONG_USE = 1, 2


@dataclass
class Invocation:
    """What is known of a call of the command while it runs.

    Args:
        debug: whether a failure shows where it came from.
        verbs: the words that were understood so far: `data`, `list`.
    """

    debug: bool = False
    verbs: list[str] = field(default_factory=list)

    def sentence(self, message: str) -> str:
        """Say a failure in one line, with the name of the command before it."""
        return f"{' '.join(['elman', *self.verbs])}: {' '.join(message.split())}"


class Verbs(TyperGroup):
    """The verbs by name; a name that is none of them is answered with its near misses."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; where there are none, show what there is to say."""
        if not args:
            typer.echo(ctx.get_help(), err=True)
            raise OptionError("say what to do: one of the commands above.")
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the verb that the first argument names."""
        if args[0] not in self.commands:
            raise unknown("verb", args[0], self.commands)
        ctx.obj.verbs.append(args[0])
        return super().resolve_command(ctx, args)


class Listing(Verbs):
    """Verbs of which the first, which lists, is meant where none is named, or a folder alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        named = args and (args[0] in self.commands or args[0] in ctx.help_option_names)
        if not named and (not args or args[0].startswith("-") or Path(args[0]).is_dir()):
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Verbs,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"elman {__version__}")
        raise typer.Exit


DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")]
VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
]


@app.callback()
def elman(
    debug: DebugOption = False,  # `run` reads it, wherever it stands
    version: VersionOption = False,
) -> None:
    """Recurrent neural networks: train, compare and explain simple, LSTM and GRU cells."""


app.command("check")(check.check)
app.command("train")(train.train)
app.command("forecast")(forecast.forecast)
app.command("evaluate")(evaluate.evaluate)
app.command("predict")(predict.predict)
app.command("generate")(generate.generate)
app.command("compare")(compare.compare)
app.command("tune")(tune.tune)
app.add_typer(data.app, name="data", cls=Verbs)
app.add_typer(runs.app, name="runs", cls=Listing)
app.command("backends")(backends.backends)


@cache
def built() -> Any:
    """Build the command from its functions' signatures, once a process."""
    return typer.main.get_command(app)


def run(arguments: Sequence[str]) -> int:
    """Run the command and say a failure in one sentence on stderr.

    Args:
        arguments: what stands after `elman` on the command line; `--debug` may stand anywhere.

    Returns:
        The exit code.
    """
    invocation = Invocation(debug="--debug" in arguments)
    command = built()
    rest = [argument for argument in arguments if argument != "--debug"]
    try:
        with command.make_context("elman", rest, obj=invocation) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    except KeyboardInterrupt as interrupt:
        message = f"interrupted{f': {interrupt}' if str(interrupt) else '.'}"
        typer.echo(invocation.sentence(message), err=True)
        return 128 + getattr(interrupt, "number", signal.SIGINT)  # as shells count
    except BrokenPipeError:
        # Whoever read stdout has left, as in `elman data list | head`: nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (ElmanError, OSError, typer.TyperException) as error:
        if invocation.debug:
            raise
        typer.echo(invocation.sentence(_message_of(error)), err=True)
        return _exit_code_of(error)
    return 0


def _message_of(error: ElmanError | OSError | typer.TyperException) -> str:
    if isinstance(error, typer.TyperException):
        message = error.format_message()
        return message[:1].lower() + message[1:]
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}."
    return str(error)


def _exit_code_of(error: ElmanError | OSError | typer.TyperException) -> int:
    if isinstance(error, typer.TyperException):
        return error.exit_code
    return WRONG_USE if isinstance(error, OptionError) else FAILED


def _report_defect(
    arguments: Sequence[str],
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
) -> None:
    """Say in one sentence, as `sys.excepthook`, that something failed which never should."""
    if "--debug" in arguments:
        sys.__excepthook__(kind, error, trace)
        return
    typer.echo(
        f"elman: stopped by an unexpected {kind.__name__} ({error}); "
        f"`elman --debug {shlex.join(arguments)}` shows where.",
        err=True,
    )


def main() -> NoReturn:
    """Run the command with the arguments of this process, and end the process.

    PyTorch is asked for memory in huge pages of 2 MiB, which Linux grants where it may: a training
    step that takes and returns hundreds of MiB otherwise spends a quarter of its time in the
    kernel. Whoever has set the variable is obeyed.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    arguments = sys.argv[1:]
    sys.excepthook = partial(_report_defect, arguments)
    sys.exit(run(arguments))
