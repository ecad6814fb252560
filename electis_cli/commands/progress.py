"""How a long command tells on standard error how far it is: a bar, a line now and then, or JSON lines."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from electis_cli.services.bulk.doing import Written

_SECONDS_BETWEEN_LINES = 30.0
_SECONDS_BETWEEN_JSON = 1.0


class ProgressMode(StrEnum):
    """How progress is told."""

    AUTO = "auto"
    JSON = "json"
    NONE = "none"


ProgressOption = Annotated[
    ProgressMode,
    typer.Option(
        "--progress", help="A bar on a terminal, else a line every 30 s; or JSON lines; or nothing."
    ),
]


def _leave() -> None:
    """Nothing is drawn."""


class Shown:
    """Told how far a bulk change is; `written` is what is safe by now."""

    def __init__(self, mode: ProgressMode, written: Written) -> None:
        self.written = written
        self._mode = mode
        self._began = self._last = time.monotonic()
        self._step_began = self._began
        self._step, self._done = "", 0
        self._total: int | None = None
        self._most = 0
        self.clear: Callable[[], None] = _leave
        """Takes away what is drawn, before something else is written."""

    def tell(self, step: str, done: int, total: int | None) -> None:
        """Note how far a step is, and tell when it is time."""
        now = time.monotonic()
        is_new = step != self._step
        if is_new:
            self._step, self._step_began = step, now
        self._done, self._total = done, total
        self._most = max(self._most, done)
        pause = _SECONDS_BETWEEN_JSON if self._mode is ProgressMode.JSON else _SECONDS_BETWEEN_LINES
        if now - self._last >= pause or (is_new and self._mode is ProgressMode.JSON):
            self._last = now
            self._say(now)

    def end(self) -> None:
        """Say in one line what it took; for people at a terminal, and in JSON."""
        self.clear()
        seconds = time.monotonic() - self._began
        rate = round(self._most / seconds) if seconds else 0
        if self._mode is ProgressMode.JSON:
            self._json(
                {"step": "done", "done": self._most, "seconds": round(seconds, 1), "rows_per_second": rate}
            )
        elif self._mode is ProgressMode.AUTO and sys.stderr.isatty():
            print(f"{self._most:,} rows in {seconds:.1f} s ({rate:,} a second)", file=sys.stderr)

    def stop(self) -> None:
        """Tell somebody who interrupted it where it stands."""
        if self.written.batches:
            print(
                f"Interrupted: {self.written.rows:,} changes in {self.written.batches} batches are written."
                " Run the same command again: what is written is skipped.",
                file=sys.stderr,
            )
        else:
            print("Interrupted: nothing was written. Run the same command again.", file=sys.stderr)

    def _rate_and_left(self, now: float) -> tuple[int, int | None]:
        passed = now - self._step_began
        rate = self._done / passed if passed > 0 else 0.0
        left = round((self._total - self._done) / rate) if self._total and rate else None
        return round(rate), left

    def _say(self, now: float) -> None:
        rate, left = self._rate_and_left(now)
        if self._mode is ProgressMode.JSON:
            values = {"step": self._step, "done": self._done, "total": self._total}
            self._json({**values, "rows_per_second": rate, "seconds_left": left})
        elif self._mode is ProgressMode.AUTO and not sys.stderr.isatty():
            of = f" of about {self._total:,}" if self._total else ""
            rest = f", about {left} s left" if left is not None else ""
            print(f"{self._step} {self._done:,}{of} rows, {rate:,} a second{rest}", file=sys.stderr)

    @staticmethod
    def _json(values: dict[str, Any]) -> None:
        print(json.dumps({"progress": values}), file=sys.stderr, flush=True)


@contextlib.contextmanager
def showing_progress(mode: ProgressMode, *, quiet: bool = False) -> Iterator[Shown]:
    """Show progress while the block runs, and say where things stand when somebody interrupts it."""
    from electis_cli.services.bulk.doing import Written

    shown = Shown(ProgressMode.NONE if quiet and mode is ProgressMode.AUTO else mode, Written())
    try:
        if mode is ProgressMode.AUTO and not quiet and sys.stderr.isatty():
            with _bar(shown):
                yield shown
        else:
            yield shown
    except KeyboardInterrupt:
        shown.stop()
        raise


@contextlib.contextmanager
def _bar(shown: Shown) -> Iterator[None]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    # Whoever wrote to standard output would find it on standard error, were it redirected as it is by default.
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        shown.clear = bar.stop
        task = bar.add_task("reading", total=None, rate="")
        tell, began = shown.tell, time.monotonic()

        def draw(step: str, done: int, total: int | None) -> None:
            tell(step, done, total)
            passed = time.monotonic() - began
            rate = f"{done / passed:,.0f}/s" if passed > 0 and done else ""
            bar.update(task, description=step, completed=done, total=total, rate=rate)

        shown.tell = draw  # type: ignore[method-assign] # the same, drawn
        yield
