"""An AIMS token that processes share, so that not each logs in (Q26): sealed, in an owner's file, with a lock."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from electis_cli.adapters.sealing import Sealer
from electis_cli.domain.errors import MasterKeyProblem

_LARGEST = 64 * 1024
_STEP = 0.05
_PREFIX = "aims-token"


class TokenFile:
    """Keeps one account's token as text; whatever is wrong with the file, there is just no token in it."""

    def __init__(
        self,
        folder: Path,
        *,
        account: tuple[str, ...],
        sealed_password: str,
        sealer: Sealer,
        patience: float,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`sealed_password` is part of the name, so that a changed one never meets the token of the old one.

        `patience` is how many seconds to wait for another process that logs in.
        """
        self._account = f"{_PREFIX}.{_digest(*account)}"
        name = _digest(*account, sealed_password)
        self._file = folder / f"{self._account}.{name}"
        self._lock = folder / f"{self._account}.lock"
        self._purpose = f"aims-token/{name}"
        self._sealer = sealer
        self._patience = patience
        self._pause = pause

    def read(self) -> str | None:
        """Return the text that is kept; None when there is none, it is damaged, or the file is not only ours."""
        with contextlib.suppress(OSError, UnicodeDecodeError, MasterKeyProblem):
            descriptor = os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                is_open = status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
                if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or is_open:
                    return None
                sealed = file.read(_LARGEST).decode("ascii")
            return self._sealer.open(sealed, purpose=self._purpose)
        return None

    def write(self, text: str) -> None:
        """Keep a text in the place of what was kept for the account; where that can not be, nothing is kept."""
        draft = self._file.with_name(f"{self._file.name}.{secrets.token_hex(4)}")
        with contextlib.suppress(OSError):
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="ascii") as file:
                    file.write(self._sealer.seal(text, purpose=self._purpose))
                draft.replace(self._file)
            finally:
                draft.unlink(missing_ok=True)
            for old in self._file.parent.glob(f"{self._account}.*"):
                # Of a password that was changed, and drafts of processes that were killed.
                if old not in {self._file, self._lock}:
                    old.unlink(missing_ok=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Be the one process that logs in. After the patience it goes on without: two logins are better than none."""
        descriptor = self._take()
        try:
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)  # which frees the lock

    def _take(self) -> int | None:
        try:
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:
            return None
        until = time.monotonic() + self._patience
        try:
            while not _is_locked(descriptor):
                if time.monotonic() >= until:
                    os.close(descriptor)
                    return None
                self._pause(_STEP)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: every process for itself
    return True


def _digest(*parts: str) -> str:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
