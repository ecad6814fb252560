"""`aims doctor`: the whole way from our configuration to the labels, step by step, uncached; it changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from electis_cli.aims.checkup import Checkup, StoreCounters
from electis_cli.aims.probe import Doorstep
from electis_cli.db import ledger
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.articles import ABSENT
from electis_cli.domain.errors import (
    AimsAnswerBroken,
    AimsCompanyRefused,
    AimsNotConfigured,
    AimsRejected,
    AimsUnreachable,
    Conflict,
    ElectisError,
    Unreachable,
)
from electis_cli.domain.organizations import ArticleFormat
from electis_cli.domain.queue import LedgerRow, known_hashes
from electis_cli.services.at_aims import as_unknown_store
from electis_cli.services.change import Scope, reading
from electis_cli.services.judging import (
    judge_certificate,
    judge_format,
    judge_gateways,
    judge_labels,
    judge_queue,
    judge_skew,
    judge_token,
)
from electis_cli.services.queue import queue_status
from electis_cli.services.remote import as_agreed, shown
from electis_cli.services.steps import Course, Finding, Step, doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorView:
    """What a check-up found."""

    steps: tuple[Step, ...]
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A check-up, and its first failure: what is behind all others, and gives the exit code."""

    view: DoctorView
    failure: ElectisError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the database says, read before anything is asked."""

    organization: Organization
    stores: tuple[Store, ...]
    samples: Mapping[str, LedgerRow]


def diagnose(
    scope: Scope, *, store: str | None = None, tell: Callable[[Step], None] = lambda _: None
) -> Diagnosis:
    """Examine an organization's way to AIMS, or one store's; `tell` hears of every step as it ends.

    Logs in afresh, never retries, and changes nothing here or there. Raises StoreNotFound.
    """
    facts = _read(scope, store)
    course = Course(tell)
    found: list[Checkup] = []
    course.take("configuration", lambda: _configuration(scope, facts.organization, found), local=True)
    try:
        _ask_aims(course, scope, facts, found[0] if found else None)
    finally:
        for client in found:
            client.close()
    course.take("queue", lambda: judge_queue(queue_status(scope, store=store)), local=True)
    view = DoctorView(steps=tuple(course.steps), ok=course.first_failure is None)
    return Diagnosis(view=view, failure=course.first_failure)


def _read(scope: Scope, store: str | None) -> _Facts:
    with reading(scope) as read:
        stores = read.stores(store)
        samples = {place.code: ledger.newest_agreed_row(read.uow, place.id) for place in stores}
        return _Facts(
            organization=read.organization(),
            stores=tuple(stores),
            samples={code: row for code, row in samples.items() if row is not None},
        )


def _configuration(scope: Scope, organization: Organization, found: list[Checkup]) -> Finding:
    if scope.runtime.checkup is None:
        raise AimsNotConfigured
    client = scope.runtime.checkup(organization)
    found.append(client)
    by = f", through the proxy {client.probe.proxy_name}" if client.probe.proxy else ""
    return Finding(cause=f"{client.probe.address.prefix}, company {client.company}{by}")


def _ask_aims(course: Course, scope: Scope, facts: _Facts, client: Checkup | None) -> None:
    """Take all steps that ask somebody; without a client they are all skipped."""
    clock, ours = scope.runtime.clock, facts.organization.article_format
    doorsteps: list[tuple[datetime, Doorstep, datetime]] = []
    counters: dict[str, StoreCounters] = {}

    def with_client(work: Callable[[Checkup], Finding]) -> Callable[[], Finding]:
        def go() -> Finding:
            assert client is not None  # "configuration" failed, and every step needs it
            try:
                return work(client)
            except Unreachable as error:
                # The way to AIMS is what is examined here: asking whether it is there is no advice.
                error.fix = _advice(error)
                raise

        return go

    def knock(client: Checkup) -> Finding:
        before = clock()
        found = client.probe.knock()
        doorsteps.append((before, found, clock()))
        return Finding(cause=f"AIMS answers {found.status}, as it does without a login")

    course.take(
        "dns", with_client(lambda it: Finding(cause=", ".join(it.probe.resolve()))), needs=["configuration"]
    )
    course.take("tcp", with_client(lambda it: Finding(cause=it.probe.connect())), needs=["dns"])
    course.take("tls", with_client(lambda it: judge_certificate(it.probe.days_left())), needs=["tcp"])
    course.take("base_path", with_client(knock), needs=["tls"])
    course.take("clock_skew", lambda: judge_skew(*doorsteps[0]), needs=["base_path"])
    course.take("login", with_client(_log_in), needs=["base_path"])
    course.take("token_life", with_client(lambda it: judge_token(it.token_seconds)), needs=["login"])
    course.take("company", with_client(_company), needs=["login"])
    for place in facts.stores:

        def look(client: Checkup, place: Store = place) -> Finding:
            try:
                counters[place.code] = client.counters(place.code)
            except AimsRejected as error:
                raise as_unknown_store(error, place.code) from error
            return _store(place)

        course.take(f"store:{place.code}", with_client(look), needs=["company"])
    if not facts.stores:
        course.take(
            "store",
            lambda: doubt("There is no store yet.", "electis store create CODE --name NAME"),
            local=True,
        )
    course.take("format", with_client(lambda it: judge_format(ours, it.format_now())), needs=["company"])
    known = [place for place in facts.stores if place.code in counters and place.code in facts.samples]
    course.take(
        "article",
        with_client(
            lambda it: (
                _article(it, ours, known[0], facts.samples[known[0].code], clock()) if known else _NO_ARTICLE
            )
        ),
        needs=["company"],
    )
    needs = ["company"] if counters or not facts.stores else [f"store:{place.code}" for place in facts.stores]
    course.take("gateways", lambda: judge_gateways(counters), needs=needs, local=True)
    course.take("labels", lambda: judge_labels(counters), needs=needs, local=True)


def _advice(error: Unreachable) -> str:
    """Return what helps when AIMS gave no usable answer: what the error knows better stays."""
    if "aims ping" not in error.fix:
        return error.fix
    tell = "tell the vendor, with the file of: electis aims last --failed --har FILE"
    if isinstance(error, AimsAnswerBroken):
        return f"run electis aims doctor once more; when the answer stays broken, {tell}"
    if isinstance(error, AimsUnreachable):
        again = "run electis aims doctor again in a minute"
        return f"check the firewall or proxy before AIMS, and {again}; when it stays so, {tell}"
    return f"AIMS itself is in trouble: the queue keeps the edits and goes on when it is back; when it lasts, {tell}"


_NO_ARTICLE = Finding(cause="no article is synced yet")


def _log_in(client: Checkup) -> Finding:
    client.check_login()
    return Finding(cause="a new token")


def _company(client: Checkup) -> Finding:
    try:
        client.ping()
    except AimsCompanyRefused as error:
        if "COMPANY_NOT_FOUND" in str(error.details.get("word", "")):
            error.message = f"AIMS does not know the company {client.company}, or this user may not see it."
            error.fix = "electis aims configure --replace --company CODE --base-url URL --username NAME"
        raise
    return Finding(cause=f"{client.company} is known and licensed")


def _store(place: Store) -> Finding:
    if not place.sync_enabled:
        return doubt(
            "known to AIMS, but its sync is switched off here",
            f"electis store update {place.code} --sync-enabled",
        )
    return Finding(cause="known to AIMS")


def _article(
    client: Checkup, ours: ArticleFormat | None, place: Store, row: LedgerRow, now: datetime
) -> Finding:
    """Read one article back and compare it with what both sides agreed on; columns are named, never values."""
    if ours is None:
        return _NO_ARTICLE
    remote = client.article(place.code, row.article_id)
    theirs = as_agreed(shown(remote, ours), row, row.base) if remote is not None else None
    where = f"{row.article_id} in store {place.code}"
    if (theirs.hash if theirs else ABSENT) == row.base_hash:
        return Finding(cause=f"{where} is as we left it")
    base, content = row.base or {}, theirs.content if theirs else {}
    different = sorted(name for name in {*base, *content} if base.get(name, "") != content.get(name, ""))
    what = f"differs in {', '.join(different)}" if theirs else "is not there"
    is_settling = row.verify_after is not None and row.verify_after > now
    # A value that was never ours is no delay of AIMS's.
    if is_settling and (theirs is None or theirs.hash in known_hashes(row, now)):
        return doubt(f"{where} {what}, but was pushed only now", "run the command again in two minutes")
    raise Conflict(
        f"AIMS does not hold {where} as both sides agreed.",
        why=f"It {what}.",
        fix=f"electis sync full --store {place.code}",
    )
