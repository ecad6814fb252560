"""Every fault of contract 9.5 over real HTTP: the class it ends in, in bounded time, and nothing done twice.

The cases are the source of docs/aims-faults.md, which `make generate` writes.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from electis_cli.aims import deadline
from electis_cli.aims.address import normalize_address
from electis_cli.aims.client import AimsClient
from electis_cli.aims.connection import Credentials, Timeouts
from electis_cli.aims.inspection import AimsInspector
from electis_cli.commands.exit_codes import exit_code_of
from electis_cli.domain import errors
from electis_cli.domain.articles import Article
from electis_cli.services import spaces
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from electis_cli.simulator.faults.kinds import KINDS
from tests.world.command_line import until
from tests.world.ledger import SETTLED, article_writes, calls, push, rows_of, sync
from tests.world.organizations import FORMAT, make_connector
from tests.world.tls import tls_server

STORE = "001"
CALL_SECONDS = 1.0
TRIES = 3
"""So often a read is tried; a write is sent once."""
GRACE = 1.5
"""What a busy machine may add to the deadline of one call."""

Outcome = type[errors.ElectisError] | None
"""How a call ends: the class of its error, None when it succeeds."""

AMBIGUOUS, BROKEN, REJECTED = errors.AimsAmbiguous, errors.AimsAnswerBroken, errors.AimsRejected
LOGIN, COMPANY, THROTTLED = errors.AimsLoginRefused, errors.AimsCompanyRefused, errors.AimsThrottled
LISTING = errors.UnreliableListing

PLACES = {
    "read": ("GET", "/config/article/info"),
    "write": ("POST", "/articles"),
    "order": ("PATCH", "/gateway"),
    "login": ("POST", "/api/v2/token"),
}
NAMES = {"read": "reading", "write": "writing articles", "order": "a reboot", "login": "login"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One form of a fault, and how each kind of call ends under it; a call that is not named can not meet it."""

    kind: str
    form: str = ""
    ends: dict[str, Outcome]
    values: dict[str, Any] = field(default_factory=dict)
    sent: int = 1
    """How often a write is sent at most; two only where AIMS refused the token of the first."""
    note: str = ""
    wide: bool = False
    """The fault is met by other calls than the one that is tried."""

    @property
    def id(self) -> str:
        told = {"applied", "code", "count", "seconds"}
        more = [f"{name}={value}" for name, value in self.values.items() if name in told]
        return "-".join([self.kind, *([self.form] if self.form else []), *more])


def everywhere(outcome: Outcome) -> dict[str, Outcome]:
    return dict.fromkeys(PLACES, outcome)


def calls_only(outcome: Outcome) -> dict[str, Outcome]:
    return dict.fromkeys(("read", "write", "order"), outcome)


def losing(kind: str, form: str = "", **values: Any) -> list[Case]:
    """A fault that may strike before the request took effect or after it."""
    return [
        Case(kind=kind, form=form, values=values, ends=everywhere(AMBIGUOUS)),
        Case(
            kind=kind,
            form=form,
            values={**values, "applied": True},
            ends={"write": AMBIGUOUS, "order": AMBIGUOUS},
            note=LOST,
        ),
    ]


LOST = "AIMS did it, and the answer got lost"
RENEWED = "a fresh token is fetched, and this call alone is sent again"
COUNTED = "rows are missing: the full sync counts, and ends in UnreliableListing (13)"
HARMLESS = "the answer is understood all the same"

CASES: list[Case] = [
    Case(kind="latency", values={"seconds": 0.1}, ends=everywhere(None), note="shorter than the deadline"),
    Case(
        kind="latency", values={"seconds": 3.0}, ends=everywhere(AMBIGUOUS), note="longer than the deadline"
    ),
    Case(
        kind="latency", form="body", values={"seconds": 6.0}, ends=everywhere(AMBIGUOUS), note="drop by drop"
    ),
    *(Case(kind="429", form=form, ends=everywhere(THROTTLED)) for form in KINDS["429"].forms),
    *(case for form in KINDS["5xx"].forms for case in losing("5xx", form)),
    *losing("status", code=503),
    Case(
        kind="status", values={"code": 405}, ends=everywhere(REJECTED), note="AIMS's word for a bad request"
    ),
    Case(kind="status", values={"code": 403, "message": "LICENSE_EXPIRED"}, ends=everywhere(COMPANY)),
    *losing("hang"),
    *losing("hang", "stall"),
    Case(
        kind="refuse",
        ends={**everywhere(AMBIGUOUS), "read": errors.AimsUnreachable},
        note="a read is tried again, on a connection of its own that nobody takes",
    ),
    Case(kind="refuse", values={"applied": True}, ends={"write": AMBIGUOUS, "order": AMBIGUOUS}, note=LOST),
    *losing("reset"),
    Case(kind="cut", ends=everywhere(AMBIGUOUS)),
    Case(kind="cut", form="short", ends=everywhere(BROKEN), note="the length fits what is left of it"),
    Case(kind="cut", form="chunked", ends=everywhere(AMBIGUOUS)),
    Case(kind="cut", form="close", ends=everywhere(BROKEN), note="nothing said how long it would be"),
    Case(kind="malformed", form="truncated", ends=everywhere(BROKEN)),
    Case(kind="malformed", form="trailing", ends=everywhere(BROKEN)),
    Case(kind="malformed", form="charset", ends=everywhere(None), note=HARMLESS),
    Case(kind="malformed", form="charset-body", ends=everywhere(BROKEN)),
    Case(kind="malformed", form="bom", ends=everywhere(None), note=HARMLESS),
    Case(kind="malformed", form="number", ends=everywhere(AMBIGUOUS), note="an unknown number as the code"),
    Case(kind="malformed", form="array", ends={"read": BROKEN, "write": None, "order": None, "login": LOGIN}),
    Case(kind="malformed", form="object", ends={**everywhere(None), "read": BROKEN}),
    Case(kind="malformed", form="duplicate", ends=everywhere(None), note=HARMLESS),
    Case(kind="html", ends=everywhere(BROKEN)),
    Case(kind="html", values={"applied": True}, ends={"write": BROKEN, "order": BROKEN}, note=LOST),
    Case(kind="html", form="json", ends=everywhere(BROKEN)),
    Case(kind="empty-200", ends=everywhere(BROKEN), note="never an empty store"),
    Case(kind="soft-error", ends=everywhere(REJECTED), note="HTTP 200 with 405 inside"),
    *(
        Case(kind="auth-expiry", form=form, ends=calls_only(None), sent=2, note=RENEWED)
        for form in KINDS["auth-expiry"].forms
    ),
    Case(kind="token-invalid", values={"count": 1}, ends=calls_only(None), sent=2, note=RENEWED),
    Case(kind="token-invalid", ends=calls_only(LOGIN), sent=2, note="the fresh token is refused too"),
    Case(
        kind="refresh-refused", ends=calls_only(None), sent=2, wide=True, note="the login has the last word"
    ),
    Case(kind="login-refused", ends={"login": LOGIN}),
    Case(kind="auth-odd", form="string", ends={"login": LOGIN}),
    Case(kind="auth-odd", form="no-expires", ends={"login": None}, note="an hour is assumed"),
    Case(kind="auth-odd", form="text-expires", ends={"login": None}, note=HARMLESS),
    Case(kind="license", ends=calls_only(COMPANY), note="no second login"),
    Case(kind="company", ends=calls_only(COMPANY), note="no second login"),
    *(Case(kind="maintenance", form=form, ends=everywhere(AMBIGUOUS)) for form in KINDS["maintenance"].forms),
    *(
        Case(kind="clock-skew", form=form, values={"seconds": 7200}, ends=everywhere(None), note=HARMLESS)
        for form in KINDS["clock-skew"].forms
    ),
    *(
        Case(kind="partial-push", form=form, values={"limit": 1}, ends={"write": None}, note=note)
        for form, note in {
            "": "the refused records are counted and named",
            "wrong": "the counts are wrong: the push reads back what is there",
            "no-log": "counted, not named: the push reads back what is there",
            "wrong+no-log": "the push reads back what is there",
        }.items()
    ),
    Case(
        kind="reject-article",
        values={"articles": ("NEW",)},
        ends={"write": REJECTED},
        note="one bad record refuses the array; the push halves it",
    ),
    Case(
        kind="lost-push",
        ends={"write": None},
        note="accepted and not kept: the push is verified later by reading",
    ),
    Case(
        kind="delayed-visibility", ends={"read": None}, wide=True, note="known versions are not foreign edits"
    ),
    Case(
        kind="delayed-visibility",
        form="pages",
        values={"every": 2},
        ends={"read": None},
        note="known versions are not foreign edits",
    ),
    Case(kind="stale-read", ends={"read": None}, note="known versions are not foreign edits"),
    Case(
        kind="empty-info",
        ends={"read": None},
        note=COUNTED,
    ),
    Case(kind="page-shift", form="insert", ends={"read": None}, note="each article once"),
    Case(
        kind="page-shift", form="delete", ends={"read": None}, note="missing is believed the second time only"
    ),
    *(
        Case(kind="page-ignored", form=form, ends={"read": LISTING}, note="the first page again and again")
        for form in KINDS["page-ignored"].forms
    ),
    Case(kind="page-dup", form="dup", ends={"read": None}, note="each article once"),
    Case(kind="page-dup", form="skip", ends={"read": LISTING}),
    Case(kind="page-dup", form="short", ends={"read": None}, note="a short page is not the last one"),
    Case(kind="page-dup", form="total-low", ends={"read": None}, note=COUNTED),
    Case(kind="page-dup", form="total-high", ends={"read": LISTING}),
    Case(kind="size-cap", values={"limit": 2}, ends={"read": None}, note="read to the end all the same"),
    *(
        Case(kind="stuck-label", form=form, ends={"write": None}, note="housekeeping follows the label")
        for form in KINDS["stuck-label"].forms
    ),
    *(
        Case(kind="foreign-writer", form=form, ends={"read": None}, note="the full sync judges the edit")
        for form in KINDS["foreign-writer"].forms
    ),
    Case(kind="label-flap", ends={"read": None}, note="links are observed, never changed"),
]
CHANGING = {"delayed-visibility", "stale-read", "empty-info", "page-shift", "foreign-writer"}
"""Faults under which AIMS itself lists something else; under any other, what is read is what was written."""
OUTSIDE: dict[str, tuple[Outcome, str]] = {
    "refuse: nobody listens": (errors.AimsUnreachable, "nothing was sent"),
    "dns": (errors.AimsUnreachable, "nothing was sent"),
    "tls": (errors.AimsUnreachable, "the certificate is not believed; nothing was sent"),
}
"""Faults below HTTP: the harness makes them, and every call meets them alike."""


def make_client(base_url: str, clock: Callable[[], Any], **options: Any) -> AimsClient:
    return AimsClient(
        normalize_address(base_url),
        Credentials(company="ACME", username="tester", password="secret"),
        clock=clock,
        timeouts=Timeouts(connect=CALL_SECONDS, call=CALL_SECONDS),
        pause=lambda _: None,
        **options,
    )


def make_article(article_id: str) -> Article:
    columns = dict.fromkeys(FORMAT.content_columns, "")
    data = {**columns, "ARTICLE_ID": article_id, "ITEM_NAME": article_id}
    return Article(article_id=article_id, name=article_id, nfc_url="", data=data)


TRUST = functools.cache(deadline.authorities)
"""Loading the machine's certificates takes longer than most calls here; once is enough."""


@pytest.fixture(autouse=True)
def certificates_are_loaded_once(monkeypatch):
    monkeypatch.setattr(deadline, "authorities", TRUST)


@pytest.fixture(scope="module")
def shared_server() -> Iterator[SimulatorServer]:
    with SimulatorServer(Simulator(Settings(labels_per_store=4, stores=("001",)))) as running:
        yield running


def is_open(base_url: str) -> bool:
    parts = urlsplit(base_url)
    with contextlib.suppress(OSError), socket.create_connection((parts.hostname, parts.port), timeout=1):
        return True
    return False


@pytest.fixture
def server(shared_server: SimulatorServer) -> SimulatorServer:
    """One server for all cases, as it was at its start: no articles, no faults, every gateway back, the port open."""
    cloud = shared_server.simulator
    cloud.faults.clear()
    until(lambda: is_open(shared_server.base_url), "the port that `refuse` closed")
    cloud.clock.advance(300)
    with cloud.lock:
        place = cloud.store("ACME", STORE)
        place.articles.clear()
        place.articles_changed()
    return shared_server


@pytest.fixture
def client(server: SimulatorServer, clock: Callable[[], Any]) -> Iterator[AimsClient]:
    with contextlib.closing(make_client(server.base_url, clock, page_size=2)) as made:
        yield made


def attempt(cloud: Simulator, client: AimsClient, call: str, case: Case) -> None:
    if call == "read":
        listed = list(client.articles(STORE))
        if case.kind not in CHANGING and case.note != COUNTED:
            assert {one.article_id: one.data.get("ITEM_NAME") for one in listed} == {
                one: one for one in "ABCDE"
            }
    elif call == "write":
        client.push_articles(STORE, [make_article("NEW")], merge=False)
    elif call == "order":
        AimsInspector(client).reboot_gateway(STORE, min(cloud.store("ACME", STORE).gateways))
    else:
        client.check_login()


def is_slow(case: Case, call: str) -> bool:
    """A read that is left without an answer is tried three times."""
    return call == "read" and (case.kind == "hang" or case.values.get("seconds", 0) in {3.0, 6.0})


TRIED = [
    pytest.param(case, call, id=f"{case.id}-{call}", marks=[pytest.mark.slow] if is_slow(case, call) else [])
    for case in CASES
    for call in case.ends
]


@pytest.mark.parametrize(("case", "call"), TRIED)
def test_every_fault_ends_in_its_class_in_time_and_is_not_repeated(server, client, case, call):
    cloud = server.simulator
    if call != "login":
        client.push_articles(STORE, [make_article(one) for one in "ABCDE"], merge=False)
    method, path = PLACES[call]
    before = len(calls(cloud, method, path))
    where = {} if case.wide else {"method": method, "path": path}
    cloud.faults.add(case.kind, form=case.form, **where, **case.values)
    if case.kind == "refresh-refused":
        cloud.faults.add("auth-expiry", method=method, path=path)

    began = time.monotonic()
    outcome = None
    try:
        attempt(cloud, client, call, case)
    except errors.ElectisError as error:
        outcome = type(error)
    took = time.monotonic() - began
    cloud.faults.clear()

    expected = case.ends[call]
    assert outcome is expected
    tries = TRIES if call == "read" else 1
    assert took < tries * CALL_SECONDS + GRACE
    made = calls(cloud, method, path)[before:]
    if call in {"write", "order"}:
        assert 1 <= len(made) <= case.sent
        assert sum(entry.taken for entry in made) <= 1, "nothing is done twice"
        if case.values.get("applied"):
            assert [entry.taken for entry in made] == [True]
    elif expected not in {None, LISTING}:
        assert len(made) <= TRIES


def closed_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("fault", OUTSIDE)
def test_a_fault_below_http_is_unreachable_in_time(clock, fault, tmp_path):
    with contextlib.ExitStack() as stack:
        if fault == "tls":
            trusted, strange = trustme.CA(), trustme.CA()
            trusted.cert_pem.write_to_path(tmp_path / "authority.pem")
            port = stack.enter_context(tls_server(strange.issue_cert("127.0.0.1")))
            client = make_client(f"https://127.0.0.1:{port}", clock, ca_file=str(tmp_path / "authority.pem"))
        else:
            client = make_client("https://nowhere.invalid" if fault == "dns" else closed_port(), clock)
        stack.callback(client.close)
        began = time.monotonic()
        with pytest.raises(errors.ElectisError) as caught:
            list(client.articles(STORE))
        assert type(caught.value) is OUTSIDE[fault][0]
        assert time.monotonic() - began < TRIES * CALL_SECONDS + GRACE


def test_every_kind_and_form_of_the_simulator_is_tried():
    tried = {(case.kind, case.form or KINDS[case.kind].forms[0]) for case in CASES}
    offered = {(kind, form) for kind, known in KINDS.items() for form in known.forms if kind != "partial"}
    assert offered == tried, "`partial` is another name of `partial-push`"


# --- what only a full sync can see ----------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite"])
def engine_kind(request):
    """The faults are AIMS's; the services' own tests try both databases."""
    return request.param


@pytest.mark.parametrize("case", [case for case in CASES if case.note == COUNTED], ids=lambda case: case.id)
def test_rows_that_are_missing_without_a_sign_are_missed_by_the_count(connected, cloud, clock, case):
    account = make_connector(connected.runtime.sealer, clock, page_size=2)
    scope = replace(connected, runtime=replace(connected.runtime, connect=account))
    for one in "ABCDE":
        spaces.create_space(scope, one, data={"TITLE": one})
    push(scope)
    sync(scope)
    before = rows_of(scope)
    cloud.faults.add(case.kind, form=case.form, path="/config/article/info", **case.values)
    for _ in range(2):
        clock.advance(SETTLED)
        with pytest.raises(LISTING):
            sync(scope)
    assert rows_of(scope) == before
    assert article_writes(cloud) == 1


def test_columns_that_are_no_object_are_not_taken_for_empty_ones(connected, cloud, clock):
    spaces.create_space(connected, "A", data={"TITLE": "window"})
    push(connected)
    sync(connected)
    cloud.faults.add("malformed", form="array", method="GET", path="/config/article/info")
    for _ in range(3):
        clock.advance(SETTLED)
        with contextlib.suppress(errors.Unreachable, LISTING):
            sync(connected)
    assert spaces.show_space(connected, "A").data == {"TITLE": "window"}


# --- the page -------------------------------------------------------------------------------------------------------

HEAD = """# Faults of AIMS, and how electis ends under them

Written by `make generate` from `tests/aims/test_fault_classes.py`, where every line is a test against the simulator
over real HTTP, with a deadline of one second for a call. The faults are those of section 9.5 of the wire contract, by
the names and forms that `electis aims simulate --fault` and `electis aims fault add` take; `page-ignored` is one more.

Reading is tried up to three times. A write (articles, a reboot) is sent once, and once more only when AIMS refused the
token of the first: then it had done nothing. "succeeds" means that the call itself ends well; the remark says who deals
with what is odd about the data.

| fault | form | call | ends in | exit code | remark |
| --- | --- | --- | --- | --- | --- |
"""


def shown(outcome: Outcome) -> tuple[str, str]:
    if outcome is None:
        return "succeeds", "0"
    return f"`{outcome.__name__}` ({outcome.code})", str(exit_code_of(outcome()))


def form_of(case: Case) -> str:
    told = ("code", "count", "seconds", "message", "limit", "every", "articles")
    words = [case.form or KINDS[case.kind].forms[0]]
    words += [
        f"{name}={'|'.join(v) if isinstance(v, tuple) else v}"
        for name in told
        if (v := case.values.get(name))
    ]
    words += ["applied=yes"] if case.values.get("applied") else []
    return ", ".join(f"`{word}`" for word in words if word)


def rendering() -> str:
    """Return docs/aims-faults.md: one line per fault, form and outcome, from the tests' own parameters."""
    lines = []
    for case in CASES:
        by_outcome: dict[Outcome, list[str]] = {}
        for call, outcome in case.ends.items():
            by_outcome.setdefault(outcome, []).append(NAMES[call])
        for outcome, names in by_outcome.items():
            called = "any" if len(names) == len(PLACES) else ", ".join(names)
            lines.append([case.kind, form_of(case), called, *shown(outcome), case.note])
    for fault, (outcome, note) in OUTSIDE.items():
        kind, _, form = fault.partition(": ")
        lines.append([kind, form, "any", *shown(outcome), note])
    return HEAD + "".join("| " + " | ".join(line) + " |\n" for line in lines)
