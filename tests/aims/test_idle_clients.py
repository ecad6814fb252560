"""Clients that a daemon keeps between two pushes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from electis_cli.aims.idle_clients import IdleClients
from electis_cli.db import exchanges, organizations
from electis_cli.domain.articles import Article
from electis_cli.domain.errors import AimsAmbiguous
from electis_cli.services import spaces
from electis_cli.services.push.report import Ending
from electis_cli.services.push.store import push_store
from electis_cli.services.secrets import seal_aims_password
from electis_cli.settings import load_settings
from electis_cli.wiring import make_runtime
from tests.world.ledger import store_of

ARTICLE = Article(article_id="A", name="A", nfc_url="", data={"ARTICLE_ID": "A", "ITEM_NAME": "A"})


class Client:
    """What is kept: it knows whether somebody hung up."""

    def __init__(self):
        self.is_open = True

    def hang_up(self):
        self.is_open = False


def test_who_comes_next_gets_the_client_that_was_used_last_and_nobody_else_the_same_one():
    idle, first, second = IdleClients(), Client(), Client()
    idle.keep("one", first)
    idle.keep("one", second)
    assert idle.take("another") is None
    assert [idle.take("one") for _ in range(3)] == [second, first, None]
    assert first.is_open
    assert second.is_open


def test_of_very_many_the_oldest_are_hung_up():
    idle, clients = IdleClients(), [Client() for _ in range(20)]
    for number, client in enumerate(clients):
        idle.keep(number, client)
    assert [client.is_open for client in clients] == [False] * 4 + [True] * 16
    assert idle.take(0) is None
    assert idle.take(19) is clients[19]


def test_in_the_end_all_are_hung_up_also_one_that_comes_back_late():
    idle, kept, late = IdleClients(), Client(), Client()
    idle.keep("one", kept)
    idle.close()
    idle.keep("one", late)
    assert not kept.is_open
    assert not late.is_open
    assert idle.take("one") is None


@pytest.fixture
def keeper(connected, organization):
    """Return a runtime that keeps its clients, as a daemon's does."""
    runtime = make_runtime(
        load_settings().model_copy(update={"aims_hosts": organization.aims_base_url, "call_seconds": 1.0}),
        database=connected.runtime.database,
        sealer=connected.runtime.sealer,
        clock=connected.runtime.clock,
        keep_clients=True,
    )
    yield runtime
    runtime.hang_up()


@pytest.fixture
def organization(connected):
    """Return the organization with its account."""
    with connected.runtime.database.read(connected.org_id) as uow:
        return organizations.own_organization(uow)


def test_the_next_push_goes_on_with_the_client_of_the_one_before(keeper, organization):
    first = keeper.connect(organization)
    first.check_login()
    beside = keeper.connect(organization)
    assert beside is not first, "two at the same time share none"
    first.close()
    assert keeper.connect(organization) is first
    assert first.stores(), "it still works"
    first.close()
    beside.close()


@pytest.mark.parametrize("column", ["aims_company", "aims_username", "aims_password", "code"])
def test_an_account_that_was_changed_gets_a_client_of_its_own(keeper, organization, column):
    first = keeper.connect(organization)
    first.close()
    other = "another"
    if column == "aims_password":
        other = seal_aims_password(keeper.sealer, organization.id, "another")
    changed = keeper.connect(replace(organization, **{column: other}))
    assert changed is not first
    changed.close()


def test_a_write_goes_through_although_aims_has_hung_up_meanwhile(keeper, organization, simulator_server):
    client = keeper.connect(organization)
    client.stores()
    client.close()
    simulator_server.stop()
    simulator_server.start()
    again = keeper.connect(organization)
    assert again is client
    again.push_articles("001", [ARTICLE], merge=True)
    assert list(simulator_server.simulator.store("ACME", "001").articles) == ["A"]
    again.close()


def test_a_client_whose_call_nobody_answered_serves_the_next_push(keeper, organization, cloud):
    client = keeper.connect(organization)
    client.check_login()
    hang = cloud.faults.add("hang", path="/articles", method="PUT")
    with pytest.raises(AimsAmbiguous):
        client.push_articles("001", [ARTICLE], merge=True)
    client.close()
    cloud.faults.remove(hang)
    again = keeper.connect(organization)
    assert again is client
    assert not list(again.articles("001"))
    again.close()


def test_what_one_push_held_back_is_written_before_the_client_goes_to_the_next(keeper, organization):
    client = keeper.connect(organization)
    client.connection.hold_exchanges()
    client.stores()
    held = [exchange.path for exchange in client.connection.held_exchanges]
    client.close()
    assert not client.connection.held_exchanges
    with keeper.database.read(organization.id) as uow:
        written = [one["path"] for one in exchanges.list_exchanges(uow, None)]
    assert held
    assert set(held) <= set(written)


def test_a_push_without_its_file_of_authorities_gives_the_lease_back(
    keeper, organization, connected, tmp_path
):
    settings = load_settings().model_copy(update={"aims_ca_file": tmp_path / "gone.pem"})
    runtime = make_runtime(settings, database=keeper.database, sealer=keeper.sealer, keep_clients=True)
    spaces.create_space(connected, "A", data={"TITLE": "x"})
    store_id = store_of(connected).id
    report = push_store(runtime, organization.id, store_id)
    assert (report.ending, report.error_code) == (Ending.NO_ACCOUNT, "E-CONFIG")
    assert push_store(keeper, organization.id, store_id).created == 1
