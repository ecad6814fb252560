"""The flight recorder as an HTTP archive (HAR 1.2), to be passed on: no contents, no credentials, nobody's name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from electis_cli.adapters.whole_file import write_whole
from electis_cli.aims.address import normalize_address
from electis_cli.aims.recorder import LOGIN_PATHS
from electis_cli.domain.errors import AimsNotConfigured
from electis_cli.domain.redaction import own_word
from electis_cli.services.change import Scope, reading
from electis_cli.services.recording import ExchangeView
from electis_cli.version import VERSION

_JSON = "application/json"
# Fields of AIMS's answers that hold codes, ids, times and counts; whatever else an error answer says may be somebody's.
_PLAIN_FIELDS = frozenset(
    {
        "responseCode", "returnCode", "status", "code", "errorCode", "timestamp", "path", "customBatchId",
        "inputBatchId", "batchId", "validCount", "invalidCount", "errorIndex", "txSequence",
    }
)  # fmt: skip
_LONGEST_PLAIN = 100


def make_har(scope: Scope, views: Sequence[ExchangeView]) -> dict[str, Any]:
    """Return an HTTP archive of exchanges, oldest first. Raises AimsNotConfigured."""
    with reading(scope) as read:
        organization = read.organization()
    if organization.aims_base_url is None:
        raise AimsNotConfigured
    prefix = normalize_address(organization.aims_base_url, organization.aims_cluster).prefix
    entries = [_entry(view, prefix) for view in reversed(views)]
    comment = "Contents are digests; of error answers the shape is kept, and AIMS's own words."
    log = {
        "version": "1.2",
        "creator": {"name": "electis", "version": VERSION},
        "entries": entries,
        "comment": comment,
    }
    return {"log": log}


def write_har(path: Path, archive: Mapping[str, Any]) -> None:
    """Write an archive, for its owner only; whoever reads meanwhile sees the old file or the new one, whole.

    Raises InvalidInput.
    """
    write_whole(path, json.dumps(archive, ensure_ascii=False, indent=2) + "\n")


def _entry(view: ExchangeView, prefix: str) -> dict[str, Any]:
    query = {name: str(value) for name, value in view.query.items()}
    request: dict[str, Any] = {
        "method": view.method,
        "url": prefix + view.path + (f"?{urlencode(query)}" if query else ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [],
        "queryString": [{"name": name, "value": value} for name, value in query.items()],
        "headersSize": -1,
        "bodySize": -1,
    }
    if view.request_digest:
        request["postData"] = {
            "mimeType": _JSON,
            "params": [],
            "text": "",
            "comment": f"sha256 {view.request_digest}",
        }
    content: dict[str, Any] = {"size": 0, "mimeType": _JSON if view.status else "x-unknown"}
    if view.answer_digest:
        content["comment"] = f"sha256 {view.answer_digest}"
    if view.answer_body and not view.path.startswith(LOGIN_PATHS):
        content["text"] = scrubbed(view.answer_body)
        content["size"] = len(content["text"].encode())
    return {
        "startedDateTime": view.at.isoformat(timespec="milliseconds"),
        "time": view.milliseconds,
        "request": request,
        "response": {
            "status": view.status or 0,
            "statusText": _phrase(view.status),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [],
            "content": content,
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": view.milliseconds, "receive": 0},
        "comment": " ".join(part for part in (view.answer, view.error_class) if part),
        "_id": view.id,
        "_store": view.store,
        "_subjects": list(view.subjects),
        "_batchId": view.batch_id,
        "_error": view.error_class,
    }


def scrubbed(text: str) -> str:
    """Return an error answer as it may be passed on: its shape, codes, ids and AIMS's own words.

    An allow-list, because an answer may quote whatever was sent: free text becomes its length.
    """
    try:
        return json.dumps(_scrubbed(json.loads(text), key=""), ensure_ascii=False)
    except ValueError:
        return _hidden(text)


def _scrubbed(value: Any, *, key: str) -> Any:
    if isinstance(value, dict):
        return {_name(name): _scrubbed(item, key=name) for name, item in value.items()}
    if isinstance(value, list):
        return [_scrubbed(item, key=key) for item in value]
    if not isinstance(value, str):
        return value
    is_plain = key in _PLAIN_FIELDS and len(value) <= _LONGEST_PLAIN and " " not in value.strip()
    return value if is_plain or own_word(value) else _hidden(value)


def _name(name: str) -> str:
    """Return a field's name; a map from people's names to something would have odd ones."""
    return (
        name if name.isascii() and name.replace("_", "").isalnum() and name[:1].islower() else _hidden(name)
    )


def _hidden(text: str) -> str:
    return f"[{len(text)} characters]"


def _phrase(status: int | None) -> str:
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return ""
