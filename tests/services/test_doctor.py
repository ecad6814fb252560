"""`aims doctor` against the simulator: all well when all is well, and under every fault the right step is named."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from electis_cli.aims.address import check_allowed, normalize_address
from electis_cli.aims.checkup import Checkup
from electis_cli.aims.connection import Credentials, Timeouts
from electis_cli.aims.probe import Doorstep, Probe
from electis_cli.db import accounts, organizations, stores
from electis_cli.domain import errors
from electis_cli.services import spaces
from electis_cli.services.change import Scope
from electis_cli.services.doctor import diagnose
from electis_cli.services.judging import NO_DATE, judge_certificate, judge_skew, judge_token
from electis_cli.services.recording import make_recorder
from electis_cli.services.secrets import open_aims_password
from electis_cli.services.steps import Course, Finding, Verdict
from tests.world import ledger as world
from tests.world.databases import ENGINES, FakeClock
from tests.world.tls import tls_server

NAMES = [
    "configuration", "dns", "tcp", "tls", "base_path", "clock_skew", "login", "token_life", "company", "store:001",
    "format", "article", "gateways", "labels", "queue",
]  # fmt: skip


@pytest.fixture
def engine_kind():
    """One engine for most: nearly everything here is between us and AIMS."""
    return "sqlite"


@pytest.fixture
def clock():
    """The real time: AIMS's clock and certificates are compared with it."""
    return FakeClock(datetime.now(UTC))


def with_checkup(scope, *, allowed="", proxy=None, ca_file=None, seconds=8.0):
    """Return the scope with the means to examine AIMS, as wiring makes them, with a deadline of its own."""
    runtime = scope.runtime

    def examine(organization):
        if organization.aims_base_url is None:
            raise errors.AimsNotConfigured
        address = normalize_address(organization.aims_base_url, organization.aims_cluster)
        check_allowed(address, allowed_hosts=allowed, embedded=not allowed)
        timeouts = Timeouts(connect=seconds, call=seconds)
        options = {"clock": runtime.clock, "timeouts": timeouts, "ca_file": ca_file}
        return Checkup(
            address,
            Credentials(
                company=organization.aims_company,
                username=organization.aims_username,
                password=open_aims_password(runtime.sealer, organization),
            ),
            pause=lambda _: None,
            record=make_recorder(runtime.database, runtime.sealer, organization.id, runtime.new_id),
            probe=Probe(address, **options, proxy=proxy),
            **options,
        )

    return replace(scope, runtime=replace(runtime, checkup=examine))


@pytest.fixture
def patient(connected):
    """An organization at the simulator that can be examined."""
    return with_checkup(connected)


@pytest.fixture
def impatient(connected):
    """The same, examined by somebody who does not wait long: for an AIMS that never answers."""
    return with_checkup(connected, seconds=1.0)


def examine(scope: Scope, **options):
    """Return the steps by name, and the first failure."""
    diagnosis = diagnose(scope, **options)
    return {step.name: step for step in diagnosis.view.steps}, diagnosis.failure


def verdicts(steps):
    return {name: step.status.value for name, step in steps.items()}


def change_organization(scope, **values):
    with scope.runtime.database.write() as uow:
        organizations.update_organization(uow, scope.org_id, values)
        uow.commit()


def assert_fails_at(steps, failure, name, kind):
    """The step fails, nothing before it does, and it says what to do."""
    failed = [step.name for step in steps.values() if step.status is Verdict.FAIL]
    assert failed[0] == name, verdicts(steps)
    assert isinstance(failure, kind)
    assert steps[name].cause
    assert steps[name].fix


def test_all_is_well(patient, cloud):
    heard = []
    diagnosis = diagnose(patient, tell=heard.append)
    assert diagnosis.view.ok
    assert diagnosis.failure is None
    assert [step.name for step in diagnosis.view.steps] == NAMES
    assert {step.status for step in diagnosis.view.steps} == {Verdict.PASS}, verdicts(
        {s.name: s for s in heard}
    )
    assert tuple(heard) == diagnosis.view.steps
    assert all(step.ms >= 0 for step in heard)


@pytest.mark.parametrize("engine_kind", ENGINES)
def test_a_synced_article_and_a_linked_label_are_looked_at(patient, cloud):
    spaces.create_space(patient, "4-117", data={"ITEM_NAME": "Dana Levi"})
    world.push(patient)
    world.link(cloud, world.label_codes(cloud, 1)[0], "4-117")
    steps, failure = examine(patient)
    assert failure is None
    assert "4-117" in steps["article"].cause
    assert "Dana" not in steps["article"].cause
    assert "1 of 1 linked labels online" in steps["labels"].cause


def test_it_changes_nothing_and_logs_in_afresh(patient, cloud):
    accounts_before = world.account_of(patient)
    world.push(patient)  # leaves a token with the client of the sync
    logins = cloud.world.counters.logins
    diagnose(patient)
    diagnose(patient)
    assert cloud.world.counters.logins == logins + 2
    assert world.account_of(patient) == accounts_before
    assert {entry.method for entry in cloud.journal.after() if not entry.path.endswith("/token")} == {"GET"}
    assert world.open_alerts(patient) == []


# --- faults, from the first step to the last ------------------------------------------------------------------------


def test_no_account(scope):
    steps, failure = examine(with_checkup(scope))
    assert_fails_at(steps, failure, "configuration", errors.AimsNotConfigured)
    assert verdicts(steps)["dns"] == verdicts(steps)["labels"] == "SKIP"
    assert verdicts(steps)["queue"] == "PASS"


def test_a_host_that_is_not_allowed(connected):
    steps, failure = examine(with_checkup(connected, allowed="https://aims.example"))
    assert_fails_at(steps, failure, "configuration", errors.HostNotAllowed)


def test_a_name_that_does_not_resolve(patient):
    change_organization(patient, aims_base_url="https://nowhere.invalid")
    patient = with_checkup(patient, allowed="https://nowhere.invalid")
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "dns", errors.AimsUnreachable)
    assert steps["tcp"].cause == "needs dns"


def test_a_refused_connection(patient, simulator_server):
    simulator_server.stop()
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "tcp", errors.AimsUnreachable)
    assert verdicts(steps)["login"] == "SKIP"


@pytest.mark.parametrize(
    ("host", "days", "word"), [("localhost", -1, "expired"), ("elsewhere.example", 9, "another host")]
)
def test_a_bad_certificate(patient, simulator_server, tmp_path, host, days, word):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    begins = datetime.now(UTC) - timedelta(days=30)
    leaf = authority.issue_cert(host, not_before=begins, not_after=datetime.now(UTC) + timedelta(days=days))
    with tls_server(leaf) as port:
        url = f"https://localhost:{port}"
        change_organization(patient, aims_base_url=url)
        steps, failure = examine(with_checkup(patient, allowed=url, ca_file=str(tmp_path / "ca.pem")))
    assert_fails_at(steps, failure, "tls", errors.AimsUnreachable)
    assert word in steps["tls"].cause


def test_a_certificate_that_ends_soon(patient, simulator_server, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    leaf = authority.issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days=9, hours=1))
    with tls_server(leaf, to=simulator_server.port) as port:
        url = f"https://localhost:{port}"
        change_organization(patient, aims_base_url=url)
        steps, failure = examine(with_checkup(patient, allowed=url, ca_file=str(tmp_path / "ca.pem")))
    assert failure is None, verdicts(steps)
    assert steps["tls"].status is Verdict.WARN
    assert "9 more days" in steps["tls"].cause


def test_the_wrong_base_path(patient, cloud):
    cloud.faults.add("html", cluster="common")
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "base_path", errors.AimsAnswerBroken)
    assert "--cluster c1" in steps["base_path"].fix


def test_a_server_in_maintenance(patient, cloud):
    cloud.faults.add("status", code=503, body="html")
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "base_path", errors.AimsAmbiguous)
    assert "503" in steps["base_path"].cause


def test_a_server_that_hangs(impatient, cloud):
    cloud.faults.add("hang")
    began = time.monotonic()
    steps, failure = examine(impatient)
    assert time.monotonic() - began < 10
    assert_fails_at(steps, failure, "base_path", errors.Unreachable)


def test_a_hang_behind_the_login(impatient, cloud):
    cloud.faults.add("hang", path="/store*")
    began = time.monotonic()
    steps, failure = examine(impatient)
    assert time.monotonic() - began < 10
    assert_fails_at(steps, failure, "company", errors.AimsAmbiguous)


def test_a_clock_that_is_behind_the_simulators(patient, cloud):
    cloud.clock.advance(120)
    steps, failure = examine(patient)
    assert failure is None
    assert steps["clock_skew"].status is Verdict.WARN
    cloud.clock.advance(300)
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "clock_skew", errors.Misconfigured)


@pytest.mark.parametrize("seconds", [400, -400])
def test_clocks_that_disagree(patient, monkeypatch, clock, seconds):
    monkeypatch.setattr(
        Probe, "knock", lambda _: Doorstep(status=405, date=clock() + timedelta(seconds=seconds))
    )
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "clock_skew", errors.Misconfigured)
    assert ("behind" if seconds > 0 else "ahead") in steps["clock_skew"].cause
    assert verdicts(steps)["login"] == "PASS"


def test_a_refused_login(patient, cloud):
    cloud.faults.add("status", code=401, path="/api/v2/token", method="POST")
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "login", errors.AimsLoginRefused)
    assert "configure" in steps["login"].fix
    assert verdicts(steps)["company"] == "SKIP"


@pytest.mark.parametrize(("seconds", "status"), [(60, "WARN"), (3600, "PASS")])
def test_the_life_of_a_token(patient, cloud, seconds, status):
    cloud.settings = replace(cloud.settings, token_seconds=seconds)
    steps, _ = examine(patient)
    assert steps["token_life"].status.value == status


def test_an_expired_license(patient, cloud):
    cloud.company("ACME").licensed = False
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "company", errors.AimsCompanyRefused)
    assert "LICENSE_EXPIRED" in steps["company"].cause
    assert verdicts(steps)["store:001"] == verdicts(steps)["gateways"] == "SKIP"


def test_an_unknown_company(patient):
    change_organization(patient, aims_company="NOBODY")
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "company", errors.AimsCompanyRefused)
    assert "NOBODY" in steps["company"].cause
    assert "--company" in steps["company"].fix


def test_an_unknown_store(bench, simulator_server):
    scope = with_checkup(bench.organization(store_codes=("001", "909"), base_url=simulator_server.base_url))
    steps, failure = examine(scope)
    assert_fails_at(steps, failure, "store:909", errors.AimsRejected)
    assert steps["store:909"].cause.startswith("AIMS has no store 909.")
    assert "STORE_CODE_NOT_FOUND" in steps["store:909"].cause
    assert steps["store:909"].fix == "electis aims store list"
    assert verdicts(steps)["store:001"] == verdicts(steps)["gateways"] == "PASS"
    only, failure = examine(scope, store="001")
    assert failure is None
    assert "store:909" not in only


def test_a_store_that_is_switched_off_here(patient):
    with patient.runtime.database.write(patient.org_id) as uow:
        stores.update_store(uow, world.store_of(patient).id, {"sync_enabled": False})
        uow.commit()
    steps, _ = examine(patient)
    assert steps["store:001"].status is Verdict.WARN
    assert steps["store:001"].fix == "electis store update 001 --sync-enabled"


def test_throttling_stops_the_questions(patient, cloud):
    cloud.faults.add("status", code=429, path="/store/summary", headers={"Retry-After": "7"})
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "store:001", errors.AimsThrottled)
    assert steps["format"].cause == steps["article"].cause == "AIMS asked for fewer requests"
    assert world.calls(cloud, "GET", "/upload/format") == []


def test_no_format_at_aims(patient, cloud):
    cloud.company("ACME").format = None
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "format", errors.FormatMissing)


def test_no_format_here(patient):
    change_organization(patient, article_format=None)
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "format", errors.FormatMissing)
    assert steps["format"].fix == "electis aims format fetch"


def test_another_format_at_aims(patient, cloud):
    known = cloud.company("ACME").format
    cloud.company("ACME").format = {**known, "articleData": [*known["articleData"], "FLOOR"]}
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "format", errors.FormatChanged)
    assert "FLOOR" in steps["format"].cause
    assert steps["format"].fix == "electis aims format fetch"


def test_an_article_that_was_changed_elsewhere(patient, cloud, clock):
    spaces.create_space(patient, "4-117", data={"ITEM_NAME": "Dana Levi"})
    world.push(patient)
    world.edit(cloud, "4-117", name="Somebody Else")
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "article", errors.Conflict)
    assert "ITEM_NAME" in steps["article"].cause
    assert "Somebody" not in steps["article"].cause
    world.remove(cloud, "4-117")
    assert "not there" in examine(patient)[0]["article"].cause


def test_an_article_that_aims_does_not_show_yet(patient, cloud, clock):
    spaces.create_space(patient, "4-117", data={"ITEM_NAME": "Dana Levi"})
    world.push(patient)
    spaces.update_space(patient, "4-117", data={"ITEM_NAME": "Dana Cohen"})
    world.push(patient)
    world.edit(cloud, "4-117", name="Dana Levi")
    assert examine(patient)[0]["article"].status is Verdict.WARN  # it may still be settling
    clock.advance(world.SETTLED)
    assert_fails_at(*examine(patient), "article", errors.Conflict)
    spaces.update_space(patient, "4-117", data={"ITEM_NAME": "Dana Bar"})
    world.push(patient)
    world.remove(cloud, "4-117")
    assert examine(patient)[0]["article"].status is Verdict.WARN


def test_gateways_offline(patient, cloud):
    first, *_, last = cloud.store("ACME", "001").gateways.values()
    first.down_until = cloud.clock.now() + 600
    steps, failure = examine(patient)
    assert failure is None
    assert (steps["gateways"].status, steps["gateways"].cause) == (Verdict.WARN, "1 of 2 online")
    last.down_until = cloud.clock.now() + 600
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "gateways", errors.Unreachable)


def test_labels_offline(patient, cloud):
    spaces.create_space(patient, "4-117", data={"ITEM_NAME": "Dana Levi"})
    world.push(patient)
    codes = world.label_codes(cloud, 2)
    for code in codes:
        world.link(cloud, code, "4-117")
    world.label(cloud, codes[0]).online = False
    steps, failure = examine(patient)
    assert failure is None
    assert steps["labels"].status is Verdict.WARN
    world.label(cloud, codes[1]).online = False
    steps, failure = examine(patient)
    assert_fails_at(steps, failure, "labels", errors.Unreachable)


def test_a_queue_that_stands_still(patient):
    with patient.runtime.database.write(patient.org_id) as uow:
        accounts.save_account(uow, {"breaker": "open", "breaker_reason": "health"})
        stores.update_store(uow, world.store_of(patient).id, {"paused_at": patient.runtime.clock()})
        uow.commit()
    steps, failure = examine(patient)
    assert failure is None
    assert steps["queue"].status is Verdict.WARN
    assert steps["queue"].cause == "stopped (health); store 001 is paused"
    assert steps["queue"].fix == "electis aims ping"


# --- the parts ------------------------------------------------------------------------------------------------------


NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "PASS"),
        (59, "PASS"),
        (-60, "PASS"),
        (62, "WARN"),
        (-62, "WARN"),
        (299, "WARN"),
        (302, "FAIL"),
        (-302, "FAIL"),
    ],
)
def test_the_clocks_are_compared_as_exactly_as_a_date_header_allows(seconds, expected):
    course = Course(lambda _: None)
    found = Doorstep(status=405, date=NOW + timedelta(seconds=seconds))
    course.take("clock_skew", lambda: judge_skew(NOW, found, NOW + timedelta(milliseconds=200)))
    assert course.steps[0].status.value == expected


def test_a_slow_answer_is_no_skew():
    found = Doorstep(status=405, date=NOW + timedelta(seconds=80))
    assert not judge_skew(NOW, found, NOW + timedelta(seconds=90)).is_doubtful


def test_a_server_without_a_clock_is_no_failure():
    assert judge_skew(NOW, Doorstep(status=405, date=None), NOW).cause == NO_DATE


def test_thresholds():
    assert judge_certificate(20.9).is_doubtful
    assert not judge_certificate(21.5).is_doubtful
    assert not judge_certificate(None).is_doubtful
    assert judge_token(None).is_doubtful
    assert judge_token(299).is_doubtful
    assert not judge_token(300).is_doubtful


def test_no_step_begins_when_the_time_is_over():
    course = Course(lambda _: None, budget=-1)
    course.take("asks", Finding)
    course.take("looks", Finding, local=True)
    assert [step.status for step in course.steps] == [Verdict.SKIP, Verdict.PASS]


# --- fixes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "fault", "settings", "advice"),
    [
        ("base_path", "reset", {}, "firewall or proxy"),
        ("base_path", "hang", {}, "firewall or proxy"),
        ("base_path", "status", {"code": 503}, "AIMS itself is in trouble"),
        ("format", "status", {"code": 500, "path": "/articles/upload/format"}, "AIMS itself is in trouble"),
        ("format", "cut", {"path": "/articles/upload/format"}, "electis aims last --failed --har FILE"),
    ],
    ids=["reset", "hang", "503", "500", "cut"],
)
def test_the_fix_of_a_failed_step_is_not_to_ask_whether_aims_is_there(
    impatient, cloud, step, fault, settings, advice
):
    cloud.faults.add(fault, **settings)

    steps, failure = examine(impatient)

    assert_fails_at(steps, failure, step, errors.Unreachable)
    assert advice in steps[step].fix
    assert "aims ping" not in steps[step].fix


def test_the_fix_of_a_closed_port_is_to_look_at_the_way(patient, simulator_server):
    simulator_server.stop()

    steps, _ = examine(patient)

    assert steps["tcp"].fix.startswith("check the network, the firewall")
