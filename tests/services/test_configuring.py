"""Connecting an organization to AIMS: tried first, stored only when all of it is right."""

from __future__ import annotations

import pytest

from electis_cli.db import trail
from electis_cli.db.organizations import own_organization
from electis_cli.domain.access import Role
from electis_cli.domain.errors import (
    AimsAnswerBroken,
    AimsCompanyRefused,
    AimsLoginRefused,
    AimsUnreachable,
    AlreadyExists,
    FormatMissing,
    InvalidInput,
    PermissionRefused,
)
from electis_cli.services import configuring, ping, spaces
from electis_cli.services.push.report import Ending
from electis_cli.services.secrets import open_aims_password
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.world.ledger import account_of, open_alerts, push, rows_of
from tests.world.organizations import FORMAT

PASSWORD = "the-aims-password"


@pytest.fixture
def fresh(bench):
    """An organization that AIMS was never configured for, with the format of another life taken away."""
    return bench.organization()


def configure(scope, server, **changes):
    values = {"base_url": server.base_url, "company": "ACME", "username": "tester", "password": PASSWORD}
    return configuring.configure(scope, **{**values, **changes})


def organization_of(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return own_organization(uow)


def test_a_working_account_is_stored_with_its_format(fresh, simulator_server, clock):
    view = configure(fresh, simulator_server)
    assert (view.base_url, view.cluster, view.company, view.username) == (
        simulator_server.base_url, "common", "ACME", "tester",
    )  # fmt: skip
    assert view.columns == FORMAT.columns
    assert view.aims_stores == ("001", "002", "003")
    assert view.meeting_columns == {
        "name": "MEETING_NAME", "time": "MEETING_TIME", "participants": "PARTICIPANTS",
    }  # fmt: skip
    assert view.warnings == ()
    organization = organization_of(fresh)
    assert (organization.article_format, organization.format_fetched_at) == (FORMAT, clock())
    assert organization.aims_base_url == simulator_server.base_url


def test_the_password_is_stored_sealed_and_shown_nowhere(fresh, simulator_server):
    view = configure(fresh, simulator_server)
    organization = organization_of(fresh)
    assert PASSWORD not in organization.aims_password
    assert open_aims_password(fresh.runtime.sealer, organization) == PASSWORD
    assert PASSWORD not in repr(view)
    with fresh.runtime.database.read(fresh.org_id) as uow:
        told = repr(trail.list_audit(uow)) + repr(trail.list_events(uow))
    assert PASSWORD not in told
    assert organization.aims_password not in told
    assert "aims:configured" in told


@pytest.mark.parametrize("suffix", ["", "/", "/common", "/common/"])
def test_the_base_url_may_be_written_in_several_ways(fresh, simulator_server, suffix):
    view = configure(fresh, simulator_server, base_url=simulator_server.base_url + suffix)
    assert (view.base_url, view.cluster) == (simulator_server.base_url, "common")


def test_the_other_cluster_is_another_world(fresh, simulator_server):
    view = configure(fresh, simulator_server, base_url=f"{simulator_server.base_url}/c1")
    assert view.cluster == "c1"


def unchanged(scope):
    organization = organization_of(scope)
    return (organization.aims_base_url, organization.aims_username, organization.aims_password) == (None,) * 3


@pytest.mark.parametrize(
    ("changes", "fault", "kind"),
    [
        ({"base_url": "http://127.0.0.1:1"}, None, AimsUnreachable),
        ({"base_url": "ftp://nowhere"}, None, InvalidInput),
        ({"cluster": "c9"}, None, InvalidInput),
        ({"company": "NOBODY"}, None, AimsCompanyRefused),
        ({}, {"fault": "html", "path": "*/token"}, AimsAnswerBroken),
        ({}, {"fault": "status", "code": 401, "path": "*/token"}, AimsLoginRefused),
        ({}, {"fault": "status", "code": 403, "path": "/articles/upload/format"}, AimsCompanyRefused),
        ({}, {"fault": "html", "path": "/store"}, AimsAnswerBroken),
    ],
    ids=["unreachable", "no-url", "no-cluster", "company", "html", "password", "license", "half-way"],
)
def test_what_is_wrong_is_said_exactly_and_nothing_is_stored(
    fresh, simulator_server, cloud, changes, fault, kind
):
    if fault is not None:
        cloud.faults.add(**fault)
    with pytest.raises(kind):
        configure(fresh, simulator_server, **changes)
    assert unchanged(fresh)


def test_a_wrong_password_is_said_to_be_one(fresh):
    with SimulatorServer(Simulator(Settings(username="tester", password="right"))) as server:
        with pytest.raises(AimsLoginRefused) as caught:
            configure(fresh, server)
        assert unchanged(fresh)
        assert PASSWORD not in f"{caught.value} {caught.value.why}"
        assert configure(fresh, server, password="right").username == "tester"


def test_an_account_without_a_format_is_not_stored(fresh, simulator_server, cloud):
    with cloud.lock:
        cloud.company("ACME").format = None
    with pytest.raises(FormatMissing, match="ACME"):
        configure(fresh, simulator_server)
    assert unchanged(fresh)


def test_a_dry_run_tries_everything_and_stores_nothing(fresh, simulator_server):
    view = configure(fresh, simulator_server, dry_run=True)
    assert (view.dry_run, view.columns) == (True, FORMAT.columns)
    assert unchanged(fresh)


def test_a_configured_account_is_replaced_only_on_purpose(connected, simulator_server):
    with pytest.raises(AlreadyExists):
        configure(connected, simulator_server, username="other")
    assert organization_of(connected).aims_username == "tester"
    assert configure(connected, simulator_server, username="other", replace_existing=True).username == "other"


def test_only_those_who_may_change_settings_connect_an_account(bench, fresh, simulator_server, cloud):
    for role in (Role.MANAGER, Role.VIEWER):
        with pytest.raises(PermissionRefused):
            configure(bench.as_role(fresh, role), simulator_server)
    assert cloud.world.counters.logins == 0


def test_a_format_without_meeting_columns_is_a_warning(fresh, simulator_server, cloud):
    with cloud.lock:
        company = cloud.company("ACME")
        columns = [
            one for one in company.format["articleData"] if one not in {"MEETING_TIME", "PARTICIPANTS"}
        ]
        company.format = {**company.format, "articleData": columns}
    view = configure(fresh, simulator_server)
    assert view.meeting_columns["time"] is None
    assert [word for word in ("time", "participants") if any(word in warning for warning in view.warnings)] == [
        "time", "participants",
    ]  # fmt: skip


def test_a_store_that_aims_does_not_know_is_a_warning(bench, simulator_server):
    scope = bench.organization(store_codes=("001", "777"))
    view = configure(scope, simulator_server)
    assert view.warnings == ("Store 777 is not known to AIMS.",)


def test_a_new_password_lets_a_stopped_queue_go_on(bench):
    with SimulatorServer(Simulator(Settings(username="tester", password=PASSWORD))) as server:
        scope = bench.organization(base_url=server.base_url)
        spaces.create_space(scope, "A", data={})
        ping.ping(scope)
        assert push(scope).ending is Ending.BREAKER
        configure(scope, server, replace_existing=True)
        assert (account_of(scope).breaker, open_alerts(scope)) == ("closed", [])
        assert push(scope).created == 1


def test_another_format_renders_everything_again(connected, simulator_server, cloud):
    for name in ("A", "B"):
        spaces.create_space(connected, name, data={})
    push(connected)
    with cloud.lock:
        company = cloud.company("ACME")
        company.format = {**company.format, "articleData": [*company.format["articleData"], "FLOOR"]}
    configure(connected, simulator_server, replace_existing=True)
    assert [row.is_dirty for row in rows_of(connected).values()] == [True, True]
