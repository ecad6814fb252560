"""Access and refresh tokens (contract 2): JWT-shaped, opaque, and known only by being kept here."""

import base64
import hashlib

import orjson

from electis_cli.simulator.call import Refused, mint
from electis_cli.simulator.model import Token, World
from electis_cli.simulator.settings import Settings

KEEP_SECONDS = 3600.0
"""An expired token is remembered so long, to tell TOKEN_EXPIRED from TOKEN_IS_INVALID."""


def issue(world: World, settings: Settings, user: str, now: float) -> tuple[str, str]:
    """A new access token and a new refresh token for a user."""
    for kept in (world.tokens, world.refresh_tokens):
        for text in [text for text, token in kept.items() if token.expires + KEEP_SECONDS < now]:
            del kept[text]
    access = _shape(world, user, now + settings.token_seconds)
    refresh = _shape(world, user, now + settings.refresh_seconds)
    world.tokens[access] = Token(user, now + settings.token_seconds)
    world.refresh_tokens[refresh] = Token(user, now + settings.refresh_seconds)
    return access, refresh


def redeem(world: World, text: object, now: float, *, rotate: bool = True) -> str:
    """The user of a refresh token, which then is used up; refused when unknown, expired or used."""
    token = world.refresh_tokens.get(text) if isinstance(text, str) else None
    if token is None or token.used or token.expires <= now:
        raise Refused(401, "Unauthorized")
    token.used = rotate
    return token.user


def bearer(headers: dict[str, str]) -> str:
    """The token a request carries, empty when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def authenticate(world: World, settings: Settings, headers: dict[str, str], now: float) -> str:
    """The user a request speaks for; raises 401 with one of the TOKEN words of contract 2."""
    text = bearer(headers)
    token = world.tokens.get(text)
    if token is not None and token.expires > now:
        return token.user
    if not text:
        word = "TOKEN_NOT_FOUND_IN_REQUEST"
    elif token is not None:
        word = "TOKEN_EXPIRED"
    elif text.count(".") != 2 or not all(text.split(".")):
        word = "TOKEN_MALFORMED"
    elif any(known.rpartition(".")[0] == text.rpartition(".")[0] for known in world.tokens):
        word = "TOKEN_SIGNATURE_NOT_VALID"
    else:
        word = "TOKEN_IS_INVALID"
    raise Refused(401, settings.unauthorized_prefix + word)


def _shape(world: World, user: str, expires: float) -> str:
    claims = {"sub": hashlib.sha256(user.encode()).hexdigest()[:12], "exp": int(expires)}
    claims["jti"] = mint(world)
    parts = orjson.dumps({"alg": "RS256", "typ": "JWT"}), orjson.dumps(claims)
    return ".".join([*map(_url, parts), _url(mint(world).encode())])


def _url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
