"""What every `import` command does around its one service call: reading the file, the progress bar, the counts."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from electis_cli.commands.access import default_store, open_scope
from electis_cli.commands.options import OutputFormat
from electis_cli.commands.output import show_one
from electis_cli.domain.errors import UsageProblem

if TYPE_CHECKING:
    from electis_cli.services.change import Scope
    from electis_cli.services.imports import ImportView

ImportFile = Annotated[
    str, typer.Argument(metavar="FILE", help="A CSV file in UTF-8 with a header; - is standard input.")
]
_STANDARD_INPUT = "<stdin>"


class ImportService(Protocol):
    """One of the functions of `services.imports`."""

    def __call__(
        self,
        scope: Scope,
        content: bytes,
        *,
        source: str,
        store: str | None,
        dry_run: bool,
        progress: Callable[[str, int, int], None] | None,
    ) -> ImportView:
        """Import a file."""


def run_import(
    noun: str, file: str, *, store: str | None, dry_run: bool, output: OutputFormat, fields: str | None
) -> None:
    """Import a file of spaces, people or conference rooms and show what became of its rows."""
    content = read_bytes(file)
    with open_scope() as scope:
        from electis_cli.services import imports

        services: dict[str, ImportService] = {
            "space": imports.import_spaces,
            "people": imports.import_people,
            "conference": imports.import_rooms,
        }
        with _progress_bar() as progress:
            view = services[noun](
                scope,
                content,
                source=_STANDARD_INPUT if file == "-" else Path(file).name,
                store=default_store(store),
                dry_run=dry_run,
                progress=progress,
            )
        show_one(view, output, fields=fields, name="file")


def read_bytes(file: str) -> bytes:
    """Return what a file or standard input holds. Raises UsageProblem."""
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageProblem(f"The file {file} can not be read.", why=f"{reason}.") from error


@contextlib.contextmanager
def _progress_bar() -> Iterator[Callable[[str, int, int], None] | None]:
    """Yield what draws a progress bar on standard error, or None when that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def progress(step: str, done: int, total: int) -> None:
            bar.update(task, description=step, completed=done, total=total)

        yield progress
