"""What each kind of fault does to an answer (contract 9.5)."""

from dataclasses import replace

from electis_cli.simulator.call import JSON_TYPE, refusal
from electis_cli.simulator.faults import ANSWER_KINDS, Fault, Standing
from electis_cli.simulator.messages import Delivery, Response
from electis_cli.simulator.model import World

HTML_TYPE = "text/html; charset=utf-8"

_FILLER = "<p>This page is part of the AIMS dashboard. Please sign in to continue.</p>\n"
PAGE = (
    "<!DOCTYPE html>\n<html><head><title>AIMS</title></head><body>\n" + _FILLER * 330 + "</body></html>\n"
).encode()
"""About 25 KB of HTML, the host's answer to any path it does not know (contract 1, Q21)."""


def page() -> Response:
    """The HTML page with status 200."""
    return Response(200, {"content-type": HTML_TYPE}, PAGE)


def instead(standing: list[Standing], world: World, token: str) -> Response | None:
    """The answer of a fault that keeps the request from being worked at all."""
    for one in standing:
        fault = one.fault
        if fault.kind in ANSWER_KINDS and not fault.applies:
            if fault.kind == "token-invalid":
                # The token itself ends: a client that logs in again gets through.
                world.tokens.pop(token, None)
            return _answer(one)
    return None


def afterwards(standing: list[Standing], response: Response) -> Response:
    """The answer after the faults that spoil it or lose it, then those that delay it."""
    for one in standing:
        fault = one.fault
        if fault.applies:
            response = _answer(one)
        elif fault.kind == "cut":
            response = replace(response, delivery=replace(response.delivery, how="cut"))
        elif fault.kind == "empty-200":
            response = Response(200, {"content-type": JSON_TYPE}, delivery=response.delivery)
    return delayed(standing, response)


def delayed(standing: list[Standing], response: Response) -> Response:
    """The answer with all latencies of this call added up."""
    seconds = sum(one.fault.seconds for one in standing if one.fault.kind == "latency")
    if not seconds:
        return response
    delay = response.delivery.delay + seconds
    return replace(response, delivery=replace(response.delivery, delay=delay))


def _answer(one: Standing) -> Response:
    fault = one.fault
    if fault.kind == "status":
        return _status(fault)
    if fault.kind == "html":
        return page()
    if fault.kind == "soft-error":
        code = fault.code or 405
        return replace(refusal(code, fault.message or "STORE_CODE_NOT_FOUND"), status=200)
    if fault.kind == "token-invalid":
        return refusal(401, fault.message or "Unauthorized: TOKEN_IS_INVALID")
    delivery = Delivery("hang" if fault.kind == "hang" else "reset", fault_id=one.id)
    return Response(0, delivery=delivery)


def _status(fault: Fault) -> Response:
    code = fault.code or 503
    if fault.body == "empty":
        return Response(code, dict(fault.headers))
    if fault.body == "html":
        text = f"<html><head><title>{code}</title></head><body><h1>{code}</h1></body></html>\n"
        return Response(code, {"content-type": HTML_TYPE, **fault.headers}, text.encode())
    plain = refusal(code, fault.message or _WORDS.get(code, "FAULT"))
    return replace(plain, headers={**plain.headers, **fault.headers})


_WORDS = {
    401: "Unauthorized",
    403: "LICENSE_EXPIRED",
    429: "TOO_MANY_REQUESTS",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
