"""A request taken apart before the lock is taken: where it goes, what its body holds, whom it names."""

import hashlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import orjson

from electis_cli.simulator.devices import Json
from electis_cli.simulator.faults import Asked
from electis_cli.simulator.messages import Request
from electis_cli.simulator.surface import GROUP, Operation, surface
from electis_cli.simulator.tokens import bearer

PREFIXES = (("/c1/common", "c1"), ("/common", "common"))
"""Cluster prefixes (contract 1), the longer one first."""

UNREADABLE: Final = object()
"""The body was sent but is not JSON."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of a request without looking at the world."""

    request: Request
    cluster: str
    path: str
    """The path below the cluster prefix."""
    operation: Operation | None
    path_values: dict[str, str]
    body: Json
    articles: list[str]
    records: int
    token: str

    def asked(self, now: float) -> Asked:
        """The request as faults look at it."""
        return Asked(
            method=self.request.method,
            path=self.request.path,
            relative=self.path.removeprefix(GROUP),
            cluster=self.cluster,
            company=self.path_values.get("company") or _first(self.request, "company"),
            store=_first(self.request, "store"),
            articles=frozenset(self.articles),
            token=self.token,
            now=now,
        )

    @property
    def body_sha256(self) -> str:
        """The body's hash, empty without a body."""
        return hashlib.sha256(self.request.body).hexdigest() if self.request.body else ""

    @property
    def token_mark(self) -> str:
        """Tells tokens apart without giving one away."""
        return hashlib.sha256(self.token.encode()).hexdigest()[:12] if self.token else ""


def arrive(request: Request) -> Arrival:
    """Take a request apart."""
    cluster, path = _split(request.path)
    operations, values = surface().at(path) if cluster else ({}, {})
    body = _decode(request)
    records, articles = _named(body)
    return Arrival(
        request=request,
        cluster=cluster,
        path=path,
        operation=operations.get(request.method),
        path_values=values,
        body=body,
        articles=articles,
        records=records,
        token=bearer(request.headers),
    )


def _split(path: str) -> tuple[str, str]:
    for prefix, cluster in PREFIXES:
        if path.startswith(prefix + "/"):
            return cluster, path[len(prefix) :]
    return "", path


def _decode(request: Request) -> Json:
    if not request.body:
        return None
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        # One client logs in this way (contract 2).
        return dict(parse_qsl(request.body.decode("utf-8", "replace")))
    try:
        return orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return UNREADABLE


def _named(body: Json) -> tuple[int, list[str]]:
    """How many records an article write carries and which articles it names."""
    if isinstance(body, list):
        ids = [one.get("articleId") if isinstance(one, dict) else None for one in body]
    elif isinstance(body, dict) and isinstance(body.get("articleDeleteList"), list):
        ids = body["articleDeleteList"]
    else:
        return 0, []
    return len(ids), [one for one in ids if isinstance(one, str)]


def _first(request: Request, name: str) -> str:
    values = request.query.get(name)
    return values[0] if values else ""
