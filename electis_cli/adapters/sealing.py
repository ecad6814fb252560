"""The master key, and what is sealed with it: AIMS passwords and mail bodies are never stored in the clear."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from electis_cli.domain.errors import MasterKeyProblem

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = "v1."


class Sealer:
    """Seals and opens short texts with AES-256-GCM; `purpose` binds a sealed text to its place."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise MasterKeyProblem(
                "The master key does not have 32 bytes.", fix="electis init prints where it is kept"
            )
        self._key = key
        self._cipher = AESGCM(self.derive("sealing"))

    def __repr__(self) -> str:
        return "Sealer(...)"

    def derive(self, purpose: str) -> bytes:
        """Return a key for one purpose, so that no two uses share one."""
        return hmac.new(self._key, b"electis/" + purpose.encode(), hashlib.sha256).digest()

    @property
    def fingerprint(self) -> str:
        """What tells this key from others without telling anything of it."""
        return self.derive("fingerprint").hex()[:16]

    def seal(self, text: str, *, purpose: str) -> str:
        """Return a text sealed."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode(), purpose.encode())
        return _VERSION + base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, sealed: str, *, purpose: str) -> str:
        """Return a sealed text; raises MasterKeyProblem when it was sealed with another key or for another place."""
        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(_VERSION))
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise MasterKeyProblem(
                "A stored secret can not be opened with this master key.",
                fix="set ELECTIS_SECRET_KEY_FILE to the key this database was made with",
            ) from error


def parse_key(text: str) -> bytes:
    """Return a master key from its text form (64 hexadecimal digits, or base64 of 32 bytes)."""
    stripped = text.strip()
    with contextlib.suppress(ValueError):
        if len(key := bytes.fromhex(stripped)) == _KEY_BYTES:
            return key
    with contextlib.suppress(binascii.Error, ValueError):
        if len(key := base64.b64decode(stripped, altchars=b"-_", validate=True)) == _KEY_BYTES:
            return key
    raise MasterKeyProblem(
        "The master key can not be read.",
        why="It is 64 hexadecimal digits, or base64 of 32 bytes.",
        fix="check ELECTIS_SECRET_KEY",
    )


def read_key_file(path: Path) -> bytes:
    """Return the master key in a file; raises MasterKeyProblem when there is none."""
    try:
        return parse_key(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError) as error:
        raise MasterKeyProblem(
            f"The master key file {path} can not be read.",
            fix="set ELECTIS_SECRET_KEY_FILE to the key this database was made with",
        ) from error


def create_key_file(path: Path) -> bytes:
    """Make a new master key and write it to a file only its owner can read; an existing file is used as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_bytes(_KEY_BYTES)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link never overwrites: of two inits at once, one key wins and both use it.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return read_key_file(path)
