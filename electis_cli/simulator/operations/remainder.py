"""Operations without rules of their own: answers in the shape the contract describes, from one small store.

A write is remembered by its operation and scope; a read answers its schema, with what was written laid over it.
"""

from typing import Any

from electis_cli.simulator.call import Call, Reply
from electis_cli.simulator.devices import Json

BLANKS: dict[str, Json] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": []}
CODES = ("responseCode", "responseMessage")


def answer(call: Call) -> Reply:
    """Remember a write; answer any operation in the shape of its schema."""
    made = shaped(call.operation.answer)
    scope = "/".join([call.operation.path, call.text("store")])
    if call.request.method != "GET":
        call.company.remembered[scope] = {"query": dict(call.request.query), "body": call.body}
        return Reply(made)
    written = call.company.remembered.get(scope, {}).get("body")
    return Reply(
        made | {name: written[name] for name in made if isinstance(written, dict) and name in written}
    )


def shaped(schema: dict[str, Any] | None) -> dict[str, Json]:
    """An object of a schema with blank values, without the two codes."""
    made = _blank(schema or {})
    return (
        {name: value for name, value in made.items() if name not in CODES} if isinstance(made, dict) else {}
    )


def _blank(schema: dict[str, Any]) -> Json:
    if "properties" in schema:
        return {name: _blank(one) for name, one in schema["properties"].items()}
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type")
    return {} if kind == "object" else BLANKS.get(kind if isinstance(kind, str) else "", "")
