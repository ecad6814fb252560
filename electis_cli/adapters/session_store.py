"""Where the CLI keeps a login: the system's keyring, else a file that only its owner can read."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

SERVICE = "electis"
KEYRING_SECONDS = 3.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A login as the CLI keeps it."""

    access_token: str
    refresh_token: str
    email: str

    def __repr__(self) -> str:
        return "StoredSession(...)"


class SessionStore:
    """Saves, loads and forgets the login of one profile."""

    def __init__(self, folder: Path, *, account: str, use_keyring: bool) -> None:
        """`account` tells logins of different homes and profiles apart within one keyring."""
        self._file = folder / "session.json"
        self._account = account
        self._use_keyring = use_keyring

    def save(self, session: StoredSession) -> str:
        """Keep a login and return where: `keyring` or the file's path."""
        text = json.dumps(asdict(session))
        if self._use_keyring and _in_keyring(lambda ring: _set(ring, self._account, text)):
            self._file.unlink(missing_ok=True)
            return "keyring"
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_name(f"session.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(self._file)
        return str(self._file)

    def load(self) -> StoredSession | None:
        """Return the login that is kept, or None."""
        text: str | None = None
        with contextlib.suppress(OSError):
            text = self._file.read_text(encoding="utf-8")
        if text is None and self._use_keyring:
            text = _in_keyring(lambda ring: ring.get_password(SERVICE, self._account))
        if not text:
            return None
        try:
            return StoredSession(**json.loads(text))
        except (ValueError, TypeError):
            return None

    @property
    def place(self) -> str | None:
        """Where the login is kept: `keyring` or the file's path; None when there is none."""
        if self._file.exists():
            return str(self._file)
        return "keyring" if self.load() is not None else None

    @contextlib.contextmanager
    def refreshing(self) -> Iterator[None]:
        """Let one process at a time exchange the refresh token."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_name("session.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def forget(self) -> None:
        """Forget the login."""
        self._file.unlink(missing_ok=True)
        if self._use_keyring:
            _in_keyring(lambda ring: ring.delete_password(SERVICE, self._account))


def _set(ring: object, account: str, text: str) -> bool:
    ring.set_password(SERVICE, account, text)  # type: ignore[attr-defined]
    return bool(ring.get_password(SERVICE, account) == text)  # type: ignore[attr-defined]


def _in_keyring(use: Callable[..., Result]) -> Result | None:
    """Use the keyring for at most three seconds: a locked or half-present one hangs instead of refusing."""
    answers: list[Result] = []

    def work() -> None:
        import keyring  # noqa: PLC0415 - takes longer to import than most commands take
        from keyring.errors import KeyringError  # noqa: PLC0415

        with contextlib.suppress(KeyringError, OSError):
            answers.append(use(keyring))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(KEYRING_SECONDS)
    return answers[0] if answers else None
