"""The guard of the whole suite: whatever tests log is searched for names and secrets, and a leak fails its test.

Heard are the log records of this process, what processes started by tests write to standard error (or to the log file
it goes to), and what is written to the flight recorder and to alerts. Known are what is planted (`planted.py`), every
secret that our own code makes or seals meanwhile, and the shapes of tokens and temporary passwords.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import html
import json
import logging
import os
import re
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from daemon.main import CHATTY
from electis_cli.adapters import identifiers
from electis_cli.adapters.sealing import Sealer
from electis_cli.db import alerts, exchanges
from electis_cli.simulator.operations import authentication
from tests.world import planted

SHORTEST_SECRET = 8
"""Shorter ones, such as the simulator's own `secret`, are words that honest messages contain (`secret.key`)."""
NAME = "person's name"
SHOWS_CALLS = "--debug-http"
SHOWN = ", with what it was asked to show"
"""Ends the name of a source in which people's names belong: somebody asked to see them. Secrets never do."""

SHAPES = {
    "bearer token": re.compile(r"(?i)\bbearer\s+[\w.~+/=-]{8,}"),
    "signed token": re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}"),
    "refresh token": re.compile(r"(?<![\w-])elr_[\w-]{43}(?![\w-])"),
    "temporary password": re.compile(r"(?<![\w-])[a-hjkmnp-z2-9]{5}(?:-[a-hjkmnp-z2-9]{5}){3}(?![\w-])"),
}
"""Secrets of other processes, which can not be known, are known by their shape.

A shape has to be exact: what is sealed is written in the letters of a token, and millions of them hold any few.
"""

TOLD = {
    "aims_exchanges": "*",
    "alerts": "*",
    "dead_letters": "*",
    "articles": "error_text",
    "label_links": "error_text",
    "sync_runs": "error_text",
    "aims_accounts": "ping_error",
}
"""Tables, and their columns, that tell of calls to AIMS in the clear."""

_OURS = ("electis", "daemon.main")
_BASE64: tuple[Callable[[bytes], bytes], ...] = (base64.b64encode, base64.urlsafe_b64encode)
_STANDARD = frozenset(vars(logging.makeLogRecord({})))


class Watch(logging.Handler):
    """Hears what is logged, learns what is secret, and tells which secrets were heard."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self._secrets: dict[str, str] = {}
        self._heard: list[tuple[str, str]] = []
        self._files: dict[Path, tuple[int, str]] = {}
        self._homes: set[Path] = set()
        self._seen: dict[Path, int] = {}
        self._guarding = threading.RLock()
        for kind, values in planted.SECRETS.items():
            self.plant(kind, *values)
        self._names = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in planted.NAMES))

    # --- learning ---------------------------------------------------------------------------------------------------

    def plant(self, kind: str, *values: str | None) -> None:
        """Learn secrets; what is too short to be one is not searched for."""
        with self._guarding:
            for value in values:
                if value is not None and len(value.strip()) >= SHORTEST_SECRET:
                    self._secrets.setdefault(value.strip(), kind)

    def plant_key(self, key: bytes) -> None:
        """Learn a master key in the forms it is written in."""
        self.plant("master key", key.hex(), *(way(key).decode() for way in _BASE64))

    def live_in(self, home: Path) -> None:
        """Learn the key and the login that processes keep in a home, and hear what its database tells of AIMS."""
        with self._guarding:
            self._homes.add(home)

    def _learn_from_homes(self) -> None:
        for home in self._homes:
            for place, kind in (("secret.key", "master key"), ("state/session.json", "session token")):
                path = home / place
                if self._has_changed(path):
                    text = path.read_text(encoding="utf-8", errors="replace")
                    self.plant(kind, *(part for part in re.findall(r'[^\s"{},:]+', text) if len(part) >= 40))

    def _has_changed(self, path: Path) -> bool:
        """Tell whether there is such a file and it was written since it was last asked for."""
        written = path.stat().st_mtime_ns if path.is_file() else 0
        before = self._seen.get(path, 0)
        self._seen[path] = written
        return written != before

    # --- hearing ----------------------------------------------------------------------------------------------------

    def emit(self, record: logging.LogRecord) -> None:
        """Hear a log record, with its traceback and whatever was attached to it."""
        if record.name.split(".")[0] == "mail":
            return  # aiosmtpd's: a server of the tests, not a part of electis
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        self.hear(f"logger {record.name}", f"{self.format(record)} {extra or ''}")

    def hear(self, source: str, text: str) -> None:
        """Hear a text that was written somewhere."""
        with self._guarding:
            self._heard.append((source, text))

    def hear_command(self, words: Sequence[str], text: str) -> None:
        """Hear what a command wrote to standard error."""
        shown = SHOWN if SHOWS_CALLS in words else ""
        named = " ".join(word if word.isprintable() and " " not in word else "..." for word in words[:2])
        self.hear(f"standard error of {named}{shown}", text)

    def follow(self, path: Path, *, shown: str = "") -> None:
        """Hear what is written to a file from its present end on; `shown` is SHOWN when it holds a command's output."""
        with self._guarding:
            self._files.setdefault(path, (path.stat().st_size if path.exists() else 0, shown))

    def hear_tables(self, ask: Callable[[str], Iterable[Iterable[Any]]]) -> None:
        """Hear what a database tells of calls to AIMS in the clear; `ask` returns the rows of a statement."""
        for table, columns in TOLD.items():
            rows = ask(f"SELECT {columns} FROM {table}")  # noqa: S608 - our own words
            self.hear(f"table {table}", "\n".join(str(value) for row in rows for value in row))

    def _read_homes(self) -> None:
        for home in self._homes:
            path = home / "data" / "electis.db"
            # A database that never got its tables tells nothing.
            with contextlib.suppress(sqlite3.OperationalError):
                if self._has_changed(path):
                    with contextlib.closing(sqlite3.connect(path)) as connection:
                        self.hear_tables(connection.execute)

    def _read_files(self) -> None:
        for path, (begin, shown) in self._files.items():
            if not path.exists():
                continue
            with path.open("rb") as file:
                file.seek(begin)
                text = file.read()
            # A line that is still being written is read as a whole the next time.
            end = text.rfind(b"\n") + 1
            self._files[path] = begin + end, shown
            self.hear(f"log file {path.name}{shown}", text[:end].decode("utf-8", "replace"))

    # --- telling ----------------------------------------------------------------------------------------------------

    def kinds_in(self, text: str) -> list[str]:
        """Return the kinds of secrets that are in a text, however it escapes them."""
        found = {kind for kind, shape in SHAPES.items() if shape.search(text)}
        with self._guarding:
            for secret, kind in self._secrets.items():
                if kind not in found and any(form in text for form in _forms(secret, text)):
                    found.add(kind)
        if self._names.search(text) or any(
            form in text for name in planted.NAMES for form in _forms(name, text) if form != name
        ):
            found.add(NAME)
        return sorted(found)

    def leaks(self, *, at_end: bool = False) -> list[str]:
        """Return what leaked since the last time: where, and which kind, never what.

        The databases of homes are read `at_end` of a test only, when nobody writes to them any more.
        """
        with self._guarding:
            self._read_files()
            if at_end:
                self._read_homes()
            heard, self._heard = self._heard, []
            if heard:
                self._learn_from_homes()
        texts: dict[str, list[str]] = {}
        for source, text in heard:
            texts.setdefault(source, []).append(text)
        return [
            f"{source}: {kind}"
            for source, parts in texts.items()
            for kind in self.kinds_in("\n".join(parts))
            if kind != NAME or not source.endswith(SHOWN)
        ]

    # --- the whole session ------------------------------------------------------------------------------------------

    def install(self) -> None:
        """Begin: hear all loggers as the daemon sets them, our own in full, and learn what is made."""
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(logging.INFO)
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger("electis").setLevel(logging.DEBUG)
        logging.getLogger("mail").setLevel(logging.WARNING)  # aiosmtpd's
        _after(identifiers, "new_token", lambda made, *_: self.plant("session token", made))
        _after(identifiers, "new_password", lambda made, *_: self.plant("temporary password", made))
        _after(authentication, "issue", lambda made, *_: self.plant("AIMS token", *made))
        _after(Sealer, "__init__", lambda _made, _sealer, key: self.plant_key(key))
        _after(Sealer, "seal", self._learn_sealed)
        _after(
            exchanges, "insert_exchange", lambda _, _uow, row: self.hear("table aims_exchanges", _told(row))
        )
        _after(alerts, "insert_dead_letter", lambda _, _uow, row: self.hear("table dead_letters", _told(row)))
        _after(alerts, "raise_alert", lambda _, _uow, **row: self.hear("table alerts", _told(row)))
        _after(subprocess.Popen, "__init__", self._follow_process)
        _after(subprocess.Popen, "communicate", self._hear_process)

    def _learn_sealed(self, _sealed: str, _sealer: Sealer, text: str, *, purpose: str) -> None:
        kind = purpose.partition("/")[0]
        # Answers are sealed because they may quote somebody; most are nothing but one of AIMS's own words.
        if kind != "answer" or len(text) >= 40:
            self.plant(f"sealed {kind}", text)

    def _follow_process(self, _made: None, process: Any, command: Any, *_: Any, **options: Any) -> None:
        process.watched_as = _words_of(command)
        file: Any = options.get("stderr")
        if file is subprocess.STDOUT:
            file = options.get("stdout")
        if process.watched_as and hasattr(file, "name") and isinstance(file.name, str):
            is_daemon = any("daemon" in word for word in process.watched_as)
            has_output = file is options.get("stdout") and not is_daemon
            self.follow(Path(file.name), shown=SHOWN if has_output else "")

    def _hear_process(self, output: Any, process: Any, *_: Any, **__: Any) -> None:
        text = output[1]
        if process.watched_as and text:
            text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
            self.hear_command(process.watched_as, text)


def _words_of(command: Any) -> list[str]:
    """Return the command line of a process that is one of ours, or a shell that starts one; else nothing."""
    words = [command] if isinstance(command, (str, bytes)) else list(command)
    texts = [os.fsdecode(word) for word in words]
    # Of a path only its end: the folder of the project may be called like it.
    names = [text if " " in text else text.rsplit("/", 1)[-1] for text in texts]
    first = next(
        (place for place, name in enumerate(names) if any(ours in name for ours in _OURS)), len(texts)
    )
    return [texts[first].split("/")[-1], *texts[first + 1 :]] if first < len(texts) else []


def _told(row: Any) -> str:
    """Return what a row tells in the clear; what is sealed is sealed."""
    return " ".join(str(value) for value in row.values())


def _forms(secret: str, text: str) -> Iterable[str]:
    """Return a secret as it may be written in a text; escaped only where the text holds the escaping mark."""
    forms = {secret}
    if "\\" in text:
        forms |= {json.dumps(secret)[1:-1], repr(secret)[1:-1], ascii(secret)[1:-1]}
    if "%" in text or "+" in text:
        forms |= {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    if "&" in text:
        forms.add(html.escape(secret))
    return forms


def _after(owner: Any, name: str, learn: Callable[..., None]) -> None:
    """Let `learn` know of every call of a function: what it returned, and what it was given."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def watched(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        learn(result, *arguments, **options)
        return result

    setattr(owner, name, watched)


WATCH = Watch()


def _fail_on_leaks(*, at_end: bool = False) -> None:
    leaks = WATCH.leaks(at_end=at_end)
    if leaks:
        pytest.fail("leaked in the clear: " + "; ".join(leaks), pytrace=False)


def pytest_configure() -> None:
    """Begin before the first module is imported; each worker of xdist has a watch of its own."""
    WATCH.install()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, Any, Any]:
    result = yield
    _fail_on_leaks()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, Any, Any]:
    """What is heard while the test's fixtures end, such as the last lines of a daemon."""
    result = yield
    _fail_on_leaks(at_end=True)
    return result
