"""Any call to AIMS as an admin writes it: kept within the organization, and never with a secret in what is shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import orjson

from electis_cli.domain.access import Action
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsAnswerBroken,
    AimsRejected,
    ElectisError,
    InvalidInput,
    OrganizationNotFound,
    StoreNotFound,
    UsageProblem,
)
from electis_cli.services.at_aims import AtAims, at_aims, may_have_happened
from electis_cli.services.change import Scope

if TYPE_CHECKING:
    from electis_cli.aims.inspection import RawAnswer

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
READS = frozenset({"GET", "HEAD"})
REDACTED = "[redacted]"

_SECRET_NAME = re.compile(r"token|passw|secret|authorization|api[-_]?key|credential", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"(?i:bearer\s+)\S+|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]+)?")  # the second is a JWT
_STORE_NAMES = frozenset({"store", "storecode", "stationcode", "fromstore", "tostore"})
_MAILED_AWAY = frozenset({"export", "email"})  # contract 4: the answer would go out by mail
_LOGIN = re.compile(r"^(?:/api/v3(?:/|$)|/api/v2/token(?:/|$)|/api/v2/common/login/?$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCall:
    """One call, checked: its path below `/api/v2`, and its query without the company."""

    method: str
    path: str
    query: Mapping[str, str | Sequence[str]]
    body: Any = None

    @property
    def is_read(self) -> bool:
        """True when the call changes nothing."""
        return self.method in READS


@dataclass(frozen=True, slots=True, kw_only=True)
class RawView:
    """A call and its answer, without secrets; `curl` only for one that was not sent."""

    method: str
    path: str
    status: int | None
    milliseconds: int | None
    pages: int
    body: Any
    curl: str | None = None


def parse_call(
    method: str, path: str, *, query: Sequence[str] = (), body: str | None = None, all_pages: bool = False
) -> RawCall:
    """Return the call a person meant. Raises UsageProblem, and InvalidInput for a body that is no JSON."""
    verb = method.upper()
    if verb not in METHODS:
        raise UsageProblem(f"{method!r} is no method.", why="AIMS knows " + ", ".join(METHODS) + ".")
    if all_pages and verb != "GET":
        raise UsageProblem("Only a GET has pages.", fix="leave --all-pages out")
    if body is not None and verb in READS:
        raise UsageProblem(f"A {verb} has no body.", fix="leave --body out")
    below, _, behind = path.partition("?")
    given = [*parse_qsl(behind, keep_blank_values=True), *(_pair(item) for item in query)]
    grouped: dict[str, list[str]] = {}
    for name, value in given:
        grouped.setdefault(name, []).append(value)
    return RawCall(
        method=verb,
        path=_path(below),
        query={name: values[0] if len(values) == 1 else values for name, values in grouped.items()},
        body=None if body is None else _json(body),
    )


def call_aims(scope: Scope, call: RawCall, *, all_pages: bool = False, dry_run: bool = False) -> RawView:
    """Do a call, or say what it would be. Reads are for those who may read the settings, writes for admins.

    The company and the stores a call names are the organization's own. Raises PermissionRefused, StoreNotFound,
    OrganizationNotFound, and AimsAmbiguous for a write whose answer was lost: it is sent once.
    """
    action = Action.READ_SETTINGS if call.is_read else Action.CHANGE_SETTINGS
    with at_aims(scope, action) as at:
        query = _within(at, call.query)
        if dry_run:
            return RawView(
                method=call.method, path=call.path, status=None, milliseconds=None, pages=0, body=None,
                curl=_as_curl(at, call, query),
            )  # fmt: skip
        try:
            if all_pages:
                answer = at.ask.raw_pages(call.path, query)
            elif call.is_read:
                answer = at.ask.raw(call.method, call.path, query)
            else:
                answer = _write(at, call, query)
        except (AimsAnswerBroken, AimsRejected) as error:
            raise _about_path(error, call) from error
    return RawView(
        method=call.method,
        path=call.path,
        status=answer.status,
        milliseconds=answer.milliseconds,
        pages=answer.pages,
        body=redact(answer.body),
    )


def _about_path(error: AimsAnswerBroken | AimsRejected, call: RawCall) -> ElectisError:
    """Return the error of a call: where AIMS answers a path that it may not have, it is the path to look at first."""
    is_page = isinstance(error, AimsAnswerBroken) and ("text/html" in error.why or " is a page " in error.why)
    if not is_page and "answered 404" not in error.why:
        return error
    return type(error)(
        f"AIMS has nothing at {call.path}, or not on this installation.",
        why=f"{error.why} What AIMS does not have it answers with a page, or with 404.",
        fix="check the path; when others fail like it: electis aims doctor",
        **error.details,
    )


def redact(value: Any) -> Any:
    """Return JSON without tokens and passwords, by the names of fields and the looks of texts."""
    if isinstance(value, Mapping):
        return {
            name: REDACTED if _SECRET_NAME.search(str(name)) and _is_text(item) else redact(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [redact(item) for item in value]
    return _SECRET_TEXT.sub(REDACTED, value) if isinstance(value, str) else value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _write(at: AtAims, call: RawCall, query: Mapping[str, Any]) -> RawAnswer:
    place = next((place for place in at.places if place.code == query.get("store")), None)
    after = {"query": redact(dict(query))}
    with at.writing("aims:called", "call", f"{call.method} {call.path}", after=after, place=place):
        try:
            return at.ask.raw(call.method, call.path, query, call.body)
        except AimsAmbiguous as error:
            raise may_have_happened(error, fix="look before you repeat it: electis aims last") from error


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise UsageProblem(
            f"{text!r} does not say which parameter has which value.", fix="--query NAME=VALUE"
        )
    return name.strip(), value


def _path(given: str) -> str:
    """Return a path below `/api/v2`: it may be given whole, from `/common` on, or without it as in the contract."""
    path = given.strip()
    path = path if path.startswith("/") else f"/{path}"
    marked = path.find("/api/v")
    whole = path[marked:] if marked >= 0 else ""
    if whole.startswith("/api/v2/"):
        path = whole.removeprefix("/api/v2")
    elif whole or "://" in given:
        raise UsageProblem(
            f"{given!r} is not a path of AIMS.",
            why="It is given below /api/v2/common; where AIMS is was told by `aims configure`.",
            fix="electis aims api GET /store",
        )
    elif not path.startswith("/common/"):
        path = path if path == "/token" or path.startswith("/token/") else f"/common{path}"
    if not re.fullmatch(r"[A-Za-z0-9_\-./]+", path) or ".." in path or "//" in path:
        raise UsageProblem(f"{given!r} is not a path of AIMS.", fix="electis aims api GET /store")
    if _LOGIN.match("/api/v2" + path):
        raise UsageProblem(
            "electis logs in by itself.",
            why="The answers of these calls are tokens, and those are never shown.",
            fix="electis aims ping",
        )
    return path


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput("The body is not JSON.", why=str(error)) from error


def _within(at: AtAims, query: Mapping[str, str | Sequence[str]]) -> dict[str, Any]:
    """Return the query when it stays in the organization: its own company, and stores that electis knows."""
    company = at.organization.aims_company or at.organization.code
    known = {place.code for place in at.places}
    for name, value in query.items():
        values = [value] if isinstance(value, str) else list(value)
        folded = name.casefold()
        if folded in _MAILED_AWAY:
            raise UsageProblem(
                f"The parameter {name} is not sent.",
                why="AIMS would send the data out by mail.",
                fix="--all-pages",
            )
        if folded == "company" and values != [company]:
            raise OrganizationNotFound(f"This organization has the company {company} at AIMS, and no other.")
        for code in values if folded in _STORE_NAMES else ():
            if code not in known:
                raise StoreNotFound(
                    f"There is no store {code} here.",
                    why="A call is kept within the stores that electis has, whatever AIMS has besides.",
                    fix="electis store list",
                )
    return {name: value for name, value in query.items() if name.casefold() != "company"}


def _as_curl(at: AtAims, call: RawCall, query: Mapping[str, Any]) -> str:
    url, whole = at.ask.url(call.path, query)
    words = ["curl", *(["--head"] if call.method == "HEAD" else ["--request", call.method])]
    words += [
        f"{url}?{urlencode(redact(whole), doseq=True)}",
        "--header",
        f"Authorization: Bearer {REDACTED}",
    ]
    if call.body is not None:
        body = orjson.dumps(redact(call.body)).decode()
        words += ["--header", "Content-Type: application/json", "--data", body]
    return shlex.join(words)
