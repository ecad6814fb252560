"""What faults do to an answer AIMS gave (contract 9.5): lose it, cut it, delay it, make it odd."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import formatdate

import orjson

from electis_cli.simulator.call import JSON_TYPE
from electis_cli.simulator.clock import stamp
from electis_cli.simulator.devices import Json
from electis_cli.simulator.faults.answers import answer
from electis_cli.simulator.faults.fault import Asked
from electis_cli.simulator.faults.standing import Standing
from electis_cli.simulator.messages import How, Response

STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?Z?")
CUTS: dict[str, How] = {"": "cut", "chunked": "chunked", "close": "close"}
BODY_STEPS = 4
"""A delay between body chunks is shared by so many."""


def afterwards(standing: list[Standing], asked: Asked, response: Response) -> Response:
    """The answer after the faults that spoil it or lose it, then those that delay it."""
    for one in standing:
        fault = one.fault
        if fault.applies:
            response = answer(one, asked)
        elif fault.kind == "cut" and fault.form == "short":
            # Half of the body with the length of half a body: only its content tells.
            response = replace(response, body=response.body[: len(response.body) // 2])
        elif fault.kind == "cut":
            delivery = replace(response.delivery, how=CUTS[fault.form])
            response = replace(response, delivery=delivery)
        elif fault.kind == "empty-200":
            response = Response(200, {"content-type": JSON_TYPE}, delivery=response.delivery)
        elif fault.kind == "auth-odd":
            response = _odd_login(response, fault.shape)
        elif fault.kind == "malformed":
            response = MALFORMED[fault.shape](response)
    return delayed(standing, asked, response)


def delayed(standing: list[Standing], asked: Asked, response: Response) -> Response:
    """The answer with all latencies of this call added up, and by the clock of a skewed server."""
    for one in standing:
        fault = one.fault
        if fault.kind == "clock-skew":
            response = _skewed(response, asked.now, fault.seconds, fault.form)
        if fault.kind != "latency":
            continue
        seconds = fault.seconds + fault.ramp * (one.fired - 1) + fault.spread * one.chance.random()
        delivery = response.delivery
        if fault.form == "body":
            delivery = replace(delivery, pause=delivery.pause + seconds / BODY_STEPS)
        else:
            delivery = replace(delivery, delay=delivery.delay + seconds)
        response = replace(response, delivery=delivery)
    return response


def _odd_login(response: Response, form: str) -> Response:
    if not _is_json(response):
        return response
    content = orjson.loads(response.body)
    if form == "string":
        content["responseMessage"] = "Password has expired"
        return _with(response, content)
    found = content["responseMessage"]
    if not isinstance(found, dict):
        return response
    found = found.get("tokens", found)
    if form == "no-expires":
        found.pop("expires_in", None)
    elif "expires_in" in found:
        found["expires_in"] = str(found["expires_in"])
    return _with(response, content)


def _skewed(response: Response, now: float, seconds: float, form: str) -> Response:
    date = formatdate(now + seconds, usegmt=True)
    made = replace(response, headers={**response.headers, "date": date})
    if not _is_json(made):
        return made

    def shift(match: re.Match[str]) -> str:
        day, time, fraction = match.groups()
        found = datetime.fromisoformat(f"{day}T{time}{(fraction or '')[:7]}").replace(tzinfo=UTC)
        moved = found.timestamp() + seconds
        if form == "zulu":
            return stamp(moved, 3).replace(" ", "T") + "Z"
        digits = {"seconds": 0, "millis": 3}.get(form, len(fraction or ".") - 1)
        return stamp(moved, digits)

    def walk(node: Json) -> Json:
        if isinstance(node, dict):
            # The columns of an article are the client's own.
            return {name: value if name == "data" else walk(value) for name, value in node.items()}
        if isinstance(node, list):
            return [walk(one) for one in node]
        return STAMP.sub(shift, node) if isinstance(node, str) and STAMP.fullmatch(node) else node

    return _with(made, walk(orjson.loads(response.body)))


def _numbers(node: Json) -> Json:
    """Numbers where texts are: the codes, and every text of the first row."""
    if isinstance(node, dict):
        return {
            name: 4711 if isinstance(value, str) else _numbers(value)
            for name, value in node.items()
            if name != "responseMessage"
        }
    return [_numbers(node[0]), *node[1:]] if isinstance(node, list) and node else node


def _arrays(node: Json) -> Json:
    """Arrays where objects are, as PHP writes empty ones; the outermost object stays."""
    if isinstance(node, list):
        return [_arrays(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        name: list(value.values()) if isinstance(value, dict) else _arrays(value)
        for name, value in node.items()
    }


def _objects(node: Json) -> Json:
    """Objects where arrays are, their places as names."""
    if not isinstance(node, dict):
        return node
    return {
        name: {str(place): one for place, one in enumerate(value)} if isinstance(value, list) else value
        for name, value in node.items()
    }


def _decoded(change: Callable[[Json], Json]) -> Callable[[Response], Response]:
    def make(response: Response) -> Response:
        return _with(response, change(orjson.loads(response.body))) if _is_json(response) else response

    return make


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Response], Response]:
    def make(response: Response) -> Response:
        return replace(response, body=change(response.body)) if _is_json(response) else response

    return make


def _named_latin(response: Response) -> Response:
    latin = {"content-type": "application/json; charset=iso-8859-1"}
    return replace(response, headers=response.headers | latin) if _is_json(response) else response


def _doubled(body: bytes) -> bytes:
    """Every top name twice; the first time with a value that is wrong."""
    names = orjson.loads(body)
    if not isinstance(names, dict):
        return body
    wrong = b",".join(orjson.dumps(name) + b":null" for name in names)
    return b"{" + wrong + b"," + body[1:] if names else body


MALFORMED: dict[str, Callable[[Response], Response]] = {
    "truncated": _bytes(lambda body: body[: len(body) * 2 // 3]),
    "trailing": _bytes(lambda body: body + b"\n<!-- served by gw-3 -->"),
    "charset": _named_latin,
    "charset-body": _bytes(lambda body: body.decode().encode("utf-16-le")),
    "bom": _bytes(lambda body: b"\xef\xbb\xbf" + body),
    "number": _decoded(_numbers),
    "array": _decoded(_arrays),
    "object": _decoded(_objects),
    "duplicate": _bytes(_doubled),
}


def _is_json(response: Response) -> bool:
    return bool(response.body) and response.headers.get("content-type", "").startswith("application/json")


def _with(response: Response, content: Json) -> Response:
    return replace(response, body=orjson.dumps(content))
