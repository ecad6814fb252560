"""The demo's stage: starts the real processes, runs the real commands, and draws what labels show."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unicodedata
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from electis_cli.commands.launch import daemon_command, simulator_command
from electis_cli.domain.errors import ElectisError, Misconfigured, TimeUp

_PATIENCE = 30.0
_WIDTH = 34


def examples_folder() -> Path:
    """Return the folder of example files: inside the installed package, or the repository's."""
    packaged = Path(__file__).resolve().parent.parent / "examples"
    found = packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "examples"
    if not found.is_dir():
        raise Misconfigured("The example files are not installed.")
    return found


@dataclass(slots=True, kw_only=True)
class Stage:
    """One run of the demo in one folder."""

    folder: Path
    home: Path
    marker: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    base_url: str = ""

    @property
    def state_file(self) -> Path:
        """Where the simulator keeps its state."""
        return self.folder / "aims.json"

    @property
    def process_ids(self) -> list[str]:
        """The processes that run in the background."""
        return [str(process.pid) for process in self.processes]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process: a home of its own, and nothing set by whoever watches."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("ELECTIS_")}
        return {**own, "ELECTIS_HOME": str(self.home), "ELECTIS_KEYRING": "false"}

    def say(self, text: str) -> None:
        """Announce the next act."""
        print(f"\n\033[1m{text}\033[0m\n" if sys.stdout.isatty() else f"\n{text}\n", flush=True)

    def run(self, *arguments: str, stdin: str = "", shown: str = "") -> str:
        """Run one electis command as a process, show it as one would type it, and return what it printed.

        Raises ElectisError when it fails.
        """
        typed = " ".join(_quoted(shown if shown and item.endswith(".csv") else item) for item in arguments)
        print(f"  $ {'echo ... | ' if stdin else ''}electis {typed}", flush=True)
        began = time.monotonic()
        process: subprocess.Popen[str] | None = None
        try:
            with _interrupted_afterwards():
                process = subprocess.Popen(
                    [sys.executable, "-m", "electis_cli", *arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    encoding="utf-8",
                    env=self.environment,
                )
            printed, complaint = process.communicate(stdin + "\n" if stdin else "")
        except BaseException:
            # Interrupted: the demo is over only when nothing of it runs any more.
            if process is not None:
                process.kill()
                process.communicate()
            raise
        for line in printed.rstrip().splitlines():
            print(f"    {line}")
        print(f"    ({time.monotonic() - began:.1f} s)", flush=True)
        if process.returncode:
            raise ElectisError(
                f"The demo's command failed with exit code {process.returncode}: electis {typed}",
                why=complaint.strip(),
            )
        return printed

    def start_simulator(self) -> int:
        """Start the simulator on a free port and return the port."""
        command = simulator_command(
            ["--port", "0", "--state", str(self.state_file), "--update-seconds", "0.2"]
        )
        process = self._start(command, "simulator.log", stdout=subprocess.PIPE)
        assert process.stdout is not None
        ready = process.stdout.readline().strip()
        if " ready at " not in ready:
            raise Misconfigured(
                "The simulator did not start.", why=(self.folder / "simulator.log").read_text()
            )
        print(f"    {ready}")
        self.base_url = ready.split(" ready at ")[1].split(" ")[0]
        return int(self.base_url.rsplit(":", 1)[1])

    def start_daemon(self) -> None:
        """Start the daemon."""
        print("  $ electis daemon run &", flush=True)
        self._start(daemon_command(), "daemon.log", stdout=subprocess.DEVNULL)

    def _start(self, command: Sequence[str], log: str, *, stdout: int) -> subprocess.Popen[str]:
        with (self.folder / log).open("a", encoding="utf-8") as file, _interrupted_afterwards():
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=file,
                text=True,
                env=self.environment,
                start_new_session=True,  # Ctrl-C is for the demo, which then ends them in order
            )
            self.processes.append(process)
        return process

    def remember(self) -> None:
        """Write down what keeps running, so that the next demo in this folder can end it."""
        self.marker.write_text("\n".join(self.process_ids), encoding="ascii")

    def stop(self) -> None:
        """End daemon and simulator, the daemon first: it finishes the batch in flight."""
        for process in reversed(self.processes):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
            if process.stdout is not None:
                process.stdout.close()

    # --- looking at the labels --------------------------------------------------------------------------------------

    def labels(self, store: str, codes: Sequence[str]) -> list[dict[str, Any]]:
        """Return what some labels display, as the simulator's control interface tells."""
        every = self._ask(f"/_simulator/labels?company=ACME&store={store}")["labels"]
        by_code = {label["label"]: label for label in every if label["cluster"] == "common"}
        return [by_code[code] for code in codes]

    def label_codes(self, store: str, count: int) -> list[str]:
        """Return the codes of the first labels of a store."""
        every = self._ask(f"/_simulator/labels?company=ACME&store={store}")["labels"]
        return sorted(label["label"] for label in every if label["cluster"] == "common")[:count]

    def wait_for_labels(self, store: str, codes: Sequence[str]) -> None:
        """Wait until labels have drawn what AIMS took; radio takes its time. Raises TimeUp."""
        deadline = time.monotonic() + _PATIENCE
        while any(label["status"] == "PROCESSING" for label in self.labels(store, codes)):
            if time.monotonic() > deadline:
                raise TimeUp("The labels did not finish drawing.")
            time.sleep(0.1)

    def unseated_person(self) -> str:
        """Return the id of somebody without a space."""
        return str(next(person["external_id"] for person in self._list("people") if not person["space"]))

    def free_space(self) -> str:
        """Return the id of a space nobody sits in."""
        return str(next(space["external_id"] for space in self._list("space") if not space["person"]))

    def _list(self, noun: str) -> list[dict[str, Any]]:
        listed = subprocess.run(
            [sys.executable, "-m", "electis_cli", noun, "list", "-o", "json"],
            capture_output=True,
            encoding="utf-8",
            env=self.environment,
            check=True,
        )
        found: list[dict[str, Any]] = json.loads(listed.stdout)
        return found

    def _ask(self, path: str) -> dict[str, Any]:
        # Only ever this machine, and never through a proxy of the environment.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.base_url + path, timeout=_PATIENCE) as answer:
            body: dict[str, Any] = json.load(answer)
            return body


@contextlib.contextmanager
def _interrupted_afterwards() -> Iterator[None]:
    """Let a Ctrl-C wait for the end of the block: inside `Popen` it would leave a process that nobody knows."""
    if threading.current_thread() is not threading.main_thread():  # only the main one is interrupted
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def show_labels(labels: Sequence[dict[str, Any]]) -> None:
    """Draw labels side by side, two in a row."""
    for start in range(0, len(labels), 2):
        drawn = [_drawing(label) for label in labels[start : start + 2]]
        height = max(len(lines) for lines in drawn)
        for lines in drawn:
            lines[-1:-1] = [_row("")] * (height - len(lines))
        for row in zip(*drawn, strict=True):
            print("    " + "  ".join(row))
    print(flush=True)


def _drawing(label: dict[str, Any]) -> list[str]:
    values = [
        f"{value}" for column, value in label["lines"] if column not in {"ARTICLE_ID", "NFC_URL", "EMAIL"}
    ]
    shown = [label["article_id"], *values] if label["article_id"] else ["", "(blank)"]
    head = f" {label['label']} "
    foot = f" page {label['page']} " if label["article_id"] else ""
    return [
        "┌─" + head + "─" * (_WIDTH - len(head) + 1) + "┐",
        *(_row(line) for line in shown[:6]),
        "└" + "─" * (_WIDTH - len(foot) + 1) + foot + "─┘",
    ]


def _row(text: str) -> str:
    """Return one line of a label, cut and padded by what a terminal shows, not by characters."""
    cut, width = "", 0
    for character in text.replace("\n", " "):
        cells = (
            0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        )
        if width + cells > _WIDTH:
            break
        cut, width = cut + character, width + cells
    return f"│ {cut}{' ' * (_WIDTH - width)} │"


def _quoted(text: str) -> str:
    return (
        f"'{text}'"
        if any(character in text for character in " ;'\"") and "'" not in text
        else (f'"{text}"' if " " in text or "'" in text else text)
    )
