"""The entry point: builds the tree, runs one command, and turns every error into words and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated, Any

import typer

from electis_cli.commands.exit_codes import EXIT_BROKEN_PIPE, EXIT_INTERRUPTED
from electis_cli.commands.failure import MACHINE_FORMATS, show_failure
from electis_cli.commands.tree import CURRENT_OUTPUT, LazyGroup
from electis_cli.domain.errors import ElectisError, InvalidInput, UsageProblem
from electis_cli.version import VERSION

# Typer carries its own copy of click; these are its errors, named through what Typer itself exports.
_ParseError: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"electis {VERSION}")
        raise typer.Exit


@app.callback()
def electis(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Keep electronic labels true: what the database says is what AIMS shows."""


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    CURRENT_OUTPUT["format"] = _format_in(arguments)
    if "_ELECTIS_COMPLETE" in os.environ:
        from electis_cli.commands.completion import answer_shells

        answer_shells()
    try:
        command = typer.main.get_command(app)
        result = command.main(args=arguments, prog_name="electis", standalone_mode=False)
        sys.stdout.flush()
    except _ParseError as error:
        return _show_usage(error)
    except (typer.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit) as leaving:
        # Typer answers a broken pipe with an exit of its own.
        if isinstance(leaving, SystemExit) and not isinstance(leaving.__context__, BrokenPipeError):
            raise
        return _end_pipe()
    except ElectisError as error:
        # What was typed wrongly is typed again with the command's own help at hand.
        if not error.fix and isinstance(error, (InvalidInput, UsageProblem)) and "command" in CURRENT_OUTPUT:
            error.fix = f"{CURRENT_OUTPUT['command']} --help"
        return show_failure(error, output=CURRENT_OUTPUT["format"])
    except Exception as error:
        if os.environ.get("ELECTIS_DEBUG"):
            raise
        return show_failure(_bug(error), output=CURRENT_OUTPUT["format"])
    return result if isinstance(result, int) else 0


def _end_pipe() -> int:
    """The reader is gone; closing standard output must not complain again while Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = sys.__stdout__
    return EXIT_BROKEN_PIPE


def _bug(error: Exception) -> ElectisError:
    """Return what a person reads of a bug: where it is, without the values that were at hand."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return ElectisError(
        "This is a bug in electis; nothing was committed after it.",
        why=f"{type(error).__name__} in {place.filename.rsplit('/', 1)[-1]}, line {place.lineno}.",
        fix="run the command again with ELECTIS_DEBUG=1 and report what it prints",
    )


def _show_usage(error: Any) -> int:
    """Show what was wrong with the command line; a group called without a command gets its help."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message(), file=sys.stderr)
        return 2
    path = context.command_path if context else "electis"
    usage = UsageProblem(error.format_message(), fix=f"{path} --help")
    return show_failure(usage, output=CURRENT_OUTPUT["format"])


def _format_in(arguments: list[str]) -> str:
    """Return the output format an argument list asks for, before it is known to be valid."""
    for place, argument in enumerate(arguments):
        if argument in {"-o", "--output"} and arguments[place + 1 : place + 2]:
            return arguments[place + 1]
        for machine in MACHINE_FORMATS:
            if argument in {f"-o{machine}", f"--output={machine}", f"-o={machine}"}:
                return machine
    return "table"
