"""Access tokens: short-lived JSON Web Tokens signed with a key derived from the master key."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

_ALGORITHM = "HS256"


def sign_access_token(
    key: bytes,
    *,
    user_id: str,
    session_id: str,
    org_id: str | None,
    token_id: str,
    now: datetime,
    expires_at: datetime,
) -> str:
    """Return an access token; `token_id` makes every one different, so that its hash names one login."""
    import jwt  # noqa: PLC0415 - needed at a login only, and slow to import

    claims: dict[str, Any] = {
        "iss": "electis",
        "sub": user_id,
        "sid": session_id,
        "org": org_id,
        "jti": token_id,
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM)


def hash_token(token: str) -> str:
    """Return the SHA-256 a token is stored as."""
    return hashlib.sha256(token.encode()).hexdigest()
