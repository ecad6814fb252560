"""What faults answer in place of AIMS, or after it took the request in (contract 9.5)."""

from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate

import orjson

from electis_cli.simulator.call import JSON_TYPE, refusal
from electis_cli.simulator.clock import zulu
from electis_cli.simulator.faults.fault import Asked
from electis_cli.simulator.faults.standing import Standing
from electis_cli.simulator.messages import Delivery, How, Response
from electis_cli.simulator.model import World

HTML_TYPE = "text/html; charset=utf-8"
RETRY_SECONDS = 5.0

_FILLER = "<p>This page is part of the AIMS dashboard. Please sign in to continue.</p>\n"
PAGE = (
    "<!DOCTYPE html>\n<html><head><title>AIMS</title></head><body>\n" + _FILLER * 330 + "</body></html>\n"
).encode()
"""About 25 KB of HTML, the host's answer to any path it does not know (contract 1, Q21)."""
WORDS = {
    401: "Unauthorized",
    403: "LICENSE_EXPIRED",
    429: "TOO_MANY_REQUESTS",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def page(content_type: str = HTML_TYPE) -> Response:
    """The HTML page with status 200."""
    return Response(200, {"content-type": content_type}, PAGE)


def instead(standing: list[Standing], asked: Asked, world: World) -> Response | None:
    """The answer of a fault that keeps the request from being worked at all."""
    for one in standing:
        if one.fault.answers and not one.fault.applies:
            if one.fault.kind in ("token-invalid", "auth-expiry"):
                # The token itself ends: a client that logs in again gets through.
                world.tokens.pop(asked.token, None)
            return answer(one, asked)
    return None


def answer(one: Standing, asked: Asked) -> Response:
    """What the fault says."""
    made = _ANSWERS[one.fault.kind](one, asked)
    return replace(made, headers={**made.headers, **one.fault.headers})


def _status(one: Standing, _: Asked) -> Response:
    code = one.fault.code or 503
    if one.fault.body == "empty":
        return Response(code)
    return _proxy(code) if one.fault.body == "html" else refusal(code, _words(one, code))


def _throttle(one: Standing, asked: Asked) -> Response:
    seconds = one.fault.seconds or RETRY_SECONDS
    made = refusal(429, _words(one, 429))
    value = {
        "seconds": str(int(seconds)),
        "date": formatdate(asked.now + seconds, usegmt=True),
        "garbage": "soon; perhaps",
        "none": "",
    }[one.fault.shape]
    return replace(made, headers={**made.headers, "retry-after": value}) if value else made


def _broken(one: Standing, _: Asked) -> Response:
    fault, form = one.fault, one.fault.shape
    code = fault.code or {"html": 502, "retry-after": 503}.get(
        form, 503 if fault.kind == "maintenance" else 500
    )
    if form == "empty":
        return Response(code)
    if form == "html":
        return _proxy(code)
    made = refusal(code, _words(one, code))
    if form == "retry-after":
        # Of a maintenance window `seconds` is the length; nobody is told it.
        wait = RETRY_SECONDS if fault.kind == "maintenance" else fault.seconds or RETRY_SECONDS
        return replace(made, headers={**made.headers, "retry-after": str(int(wait))})
    return made


def _html(one: Standing, _: Asked) -> Response:
    return page(JSON_TYPE if one.fault.shape == "json" else HTML_TYPE)


def _undelivered(how: How) -> Callable[[Standing, Asked], Response]:
    def make(one: Standing, _: Asked) -> Response:
        stalls = one.fault.shape == "stall"
        delivery = Delivery("stall" if stalls else how, fault_id=one.id, seconds=one.fault.seconds)
        if stalls:
            return Response(200, {"content-type": JSON_TYPE}, b"{}" + b" " * 998, delivery)
        return Response(0, delivery=delivery)

    return make


def _soft(one: Standing, _: Asked) -> Response:
    code = one.fault.code or 405
    return replace(refusal(code, one.fault.message or "STORE_CODE_NOT_FOUND"), status=200)


def _forbidden(word: str) -> Callable[[Standing, Asked], Response]:
    return lambda one, _: refusal(403, one.fault.message or word)


def _invalid(one: Standing, _: Asked) -> Response:
    return refusal(401, one.fault.message or "Unauthorized: TOKEN_IS_INVALID")


def _refused(one: Standing, _: Asked) -> Response:
    return refusal(401, one.fault.message or "Unauthorized")


def _expired(one: Standing, asked: Asked) -> Response:
    form, message = one.fault.shape, one.fault.message or "Unauthorized: TOKEN_EXPIRED"
    if form == "framework":
        # What the framework under AIMS says by itself (Q6).
        fields = {"timestamp": zulu(asked.now), "status": 401, "error": "Unauthorized", "message": ""}
        content = orjson.dumps({**fields, "path": asked.path})
        return Response(401, {"content-type": JSON_TYPE}, content)
    if form == "empty":
        return Response(401)
    if form == "text":
        return Response(401, {"content-type": "text/plain"}, b"Unauthorized")
    return refusal(int(form), message)


def _proxy(code: int) -> Response:
    text = f"<html><head><title>{code}</title></head><body><h1>{code}</h1></body></html>\n"
    return Response(code, {"content-type": HTML_TYPE}, text.encode())


def _words(one: Standing, code: int) -> str:
    return one.fault.message or WORDS.get(code, "FAULT")


_ANSWERS: dict[str, Callable[[Standing, Asked], Response]] = {
    "status": _status,
    "429": _throttle,
    "5xx": _broken,
    "maintenance": _broken,
    "html": _html,
    "hang": _undelivered("hang"),
    "reset": _undelivered("reset"),
    "refuse": _undelivered("refuse"),
    "soft-error": _soft,
    "license": _forbidden("LICENSE_EXPIRED"),
    "company": _forbidden("COMPANY_NOT_FOUND"),
    "token-invalid": _invalid,
    "auth-expiry": _expired,
    "refresh-refused": _refused,
    "login-refused": _refused,
}
