"""What a good enough password is (length over character classes)."""

from __future__ import annotations

from electis_cli.domain.errors import WeakPassword

LEAST_LENGTH = 10
GREATEST_LENGTH = 200
LEAST_DIFFERENT = 5

_KNOWN_BAD = frozenset(
    {
        "0123456789", "1234567890", "12345678910", "1q2w3e4r5t", "abcdefghij", "administrator", "changeme123",
        "electis123", "iloveyou123", "letmein1234", "passw0rd123", "password12", "password123", "password1234",
        "qwerty12345", "qwertyuiop", "welcome1234",
    }
)  # fmt: skip


def weakness(password: str, *, email: str = "") -> str | None:
    """Return why `password` is too weak, as a sentence, or None when it is good enough."""
    folded = password.casefold()
    name = email.partition("@")[0].casefold()
    if len(password) < LEAST_LENGTH:
        return f"It has {len(password)} characters; at least {LEAST_LENGTH} are needed."
    if len(password) > GREATEST_LENGTH:
        return f"It has more than {GREATEST_LENGTH} characters."
    if len(set(folded)) < LEAST_DIFFERENT:
        return f"It has fewer than {LEAST_DIFFERENT} different characters."
    if folded in _KNOWN_BAD:
        return "It is one of the passwords that are tried first."
    if len(name) > 2 and name in folded:  # names of one or two letters occur in any text
        return "It contains the name of its own email address."
    return None


def require_strong(password: str, *, email: str = "") -> None:
    """Raise WeakPassword, with the reason, unless `password` is good enough."""
    reason = weakness(password, email=email)
    if reason is not None:
        raise WeakPassword("The new password is too weak.", why=reason)
