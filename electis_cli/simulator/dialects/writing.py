"""An operation's answer put on the wire in a dialect (contract 9.4)."""

from dataclasses import replace

import orjson

from electis_cli.simulator.call import JSON_TYPE, Call, Reply
from electis_cli.simulator.devices import Json
from electis_cli.simulator.dialects import quirks
from electis_cli.simulator.dialects.choice import Dialect
from electis_cli.simulator.dialects.spellings import renamed
from electis_cli.simulator.messages import Response
from electis_cli.simulator.surface import GROUP

DIGITS_AT_MOST = 15
"""Longer ids would not survive as numbers everywhere."""
DETAILS = {"odd": quirks.odd_detail, "none": quirks.no_images}
MIXED = {"x-totalpages": "x-totalPages", "x-totalelements": "x-totalElements"}


def write(reply: Reply, call: Call) -> Response:
    """The answer as bytes; errors are always written the usual way."""
    operation, settings = call.operation, call.settings
    if (
        call.request.method != "GET"
        and operation.bearer
        and reply.status == 200
        and reply.payload is not None
    ):
        reply.status = settings.write_status
    dialect = call.dialects.of(operation.method, operation.path.removeprefix(GROUP))
    if dialect.is_plain:
        return reply.encode()
    if reply.payload is None:
        if dialect.nothing == "200":
            return Response(200, {"content-type": JSON_TYPE})
        return reply.encode()
    headers = {"content-type": JSON_TYPE, **_paging(reply.headers, dialect.paging)}
    if reply.bare:
        content = (
            _with_code(dict(reply.payload), dialect) if "responseCode" in reply.payload else reply.payload
        )
    else:
        content = _wrapped(replace(reply, payload=_payload(reply, call, dialect)), dialect)
    return Response(reply.status, headers, orjson.dumps(content))


def _payload(reply: Reply, call: Call, dialect: Dialect) -> dict[str, Json]:
    """The payload with its values and names as the dialect has them."""
    payload: dict[str, Json] = reply.payload
    operation = call.operation
    if dialect.devices == "odd":
        payload = quirks.odd_device(payload, operation)
    if dialect.detail in DETAILS:
        payload = DETAILS[dialect.detail](payload, operation)
    if dialect.quoting == "csv":
        payload = quirks.quoted(payload)
    if dialect.levels == "numbers":
        payload = quirks.measured(payload)
    if dialect.empty:
        columns = (call.found_company.format or {}).get("articleData", []) if call.found_company else []
        payload = _emptied(payload, dialect.empty, columns)
    if dialect.labels in ("omitted", "some"):
        payload = _unlabeled(payload, reply.rows, dialect.labels)
    if dialect.ids == "numeric":
        payload = _numbered(payload)
    if dialect.data == "flat":
        payload = _flat(payload)
    if dialect.spelling in ("seen", "other"):
        payload = quirks.other_gateways(payload)
    if dialect.stores == "codes":
        payload = quirks.bare_stores(payload, operation)
    return renamed(payload, dialect.spelling, operation.id)


def _wrapped(reply: Reply, dialect: Dialect) -> Json:
    payload: dict[str, Json] = reply.payload
    names = list(reply.payload)
    # The list's name may have been spelled another way; its place among the names is the same.
    rows = payload[names[-1]] if reply.rows and names else None
    codes: dict[str, Json] = {"responseCode": str(reply.status), "responseMessage": reply.message}
    wrap = dialect.wrap
    if wrap == "bare":
        return payload if rows is None else rows
    if wrap in ("wrapped", "wrapped-rows") and payload:
        codes["responseMessage"] = rows if wrap == "wrapped-rows" and rows is not None else payload
        return _with_code(codes, dialect)
    if wrap == "data" and payload:
        return _with_code(codes | {"data": payload if rows is None else rows}, dialect)
    return _with_code(codes | payload, dialect)


def _with_code(content: dict[str, Json], dialect: Dialect) -> dict[str, Json]:
    if dialect.message and content.get("responseMessage") in ("SUCCESS", "OK"):
        content["responseMessage"] = dialect.message
    if dialect.code == "absent":
        del content["responseCode"]
    elif dialect.code and content["responseCode"] != "206":
        content["responseCode"] = dialect.code
    return content


def _emptied(node: Json, way: str, columns: list[str], *, inside: bool = False) -> Json:
    if isinstance(node, list):
        return [_emptied(one, way, columns) for one in node]
    if not isinstance(node, dict):
        return node
    made = {}
    for name, value in node.items():
        if _is_columns(name, value):
            # With null and text every column of the format is there.
            full = dict.fromkeys(columns) | value if way in ("null", "text") else value
            made[name] = _emptied(full, way, columns, inside=True)
        elif isinstance(value, str) or value is None:
            if value or way != "missing":
                made[name] = _as(value, way, inside=inside)
        else:
            made[name] = _emptied(value, way, columns)
    return made


def _as(value: str | None, way: str, *, inside: bool) -> str | None:
    if way == "blank":
        return f"{value or ''} " if inside else value
    return value or (None if way == "null" else "")


def _unlabeled(payload: dict[str, Json], rows: str, way: str) -> dict[str, Json]:
    def without(row: Json) -> Json:
        return {name: value for name, value in row.items() if name != "assignedLabel"}

    if rows and payload[rows] and isinstance(payload[rows][0], dict):
        found = [
            row if way == "some" and place % 2 else without(row) for place, row in enumerate(payload[rows])
        ]
        return payload | {rows: found}
    made: dict[str, Json] = without(payload)
    return made


def _numbered(node: Json) -> Json:
    if isinstance(node, list):
        return [_numbered(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        name: _number(value)
        if name == "articleId"
        else value
        if _is_columns(name, value)
        else _numbered(value)
        for name, value in node.items()
    }


def _is_columns(name: str, value: Json) -> bool:
    """Whether this is an article's data, whose names and texts are the client's own."""
    return name == "data" and isinstance(value, dict)


def _number(value: Json) -> Json:
    if isinstance(value, list):
        return [_number(one) for one in value]
    is_canonical = (
        isinstance(value, str)
        and len(value) <= DIGITS_AT_MOST
        and value.isascii()
        and value.isdigit()
        and str(int(value)) == value
    )
    return int(value) if is_canonical else value


def _flat(node: Json) -> Json:
    if isinstance(node, list):
        return [_flat(one) for one in node]
    if not isinstance(node, dict):
        return node
    own = {name: _flat(value) for name, value in node.items() if name != "data"}
    data = node.get("data")
    if isinstance(data, dict):
        return data | own
    return own | {"data": _flat(data)} if "data" in node else own


def _paging(headers: dict[str, str], way: str) -> dict[str, str]:
    if way == "off":
        return {name: value for name, value in headers.items() if not name.startswith("x-")}
    return {MIXED.get(name, name): value for name, value in headers.items()} if way == "mixed" else headers
