"""A push that is stopped from outside while it is at it: not one more write (design 5.4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from electis_cli.db import stores
from electis_cli.domain.errors import AimsRejected, AimsUnreachable
from electis_cli.services import labels as label_service
from electis_cli.services import ping, queue, queued_commands, spaces
from electis_cli.services.change import Change
from electis_cli.services.push.report import Ending
from tests.world.ledger import Through, account_of, articles_at, label_codes, push, store_of, through
from tests.world.orders import led_calls

STOPS = {
    "paused": Ending.PAUSED,
    "disabled": Ending.DISABLED,
    "health": Ending.BREAKER,
    "format": Ending.BREAKER,
}
STOPPED_BY = pytest.mark.parametrize("reason", sorted(STOPS))


def stop(scope, clock, reason):
    """Stop a store as somebody else would: a person, another store's push, or the daemon's ping."""
    if reason == "paused":
        queue.pause(scope, store="001", why="moving day")
        return
    with scope.runtime.database.write(scope.org_id) as uow:
        if reason == "disabled":
            stores.update_store(uow, store_of(scope).id, {"sync_enabled": False})
        else:
            change = Change(uow=uow, scope=scope, now=clock())
            ping.open_breaker(change, reason=reason, error=AimsUnreachable())
        uow.commit()


def stopped_in_a_call(scope, clock, reason, *names, batch_size=500, error=None):
    """Return a scope that is stopped during its first write, and the list of its writes."""
    sent = []

    class Stopping(Through):
        def __getattr__(self, name):
            found = getattr(self.client, name)
            if name not in names:
                return found

            def call(*arguments, **options):
                sent.append(name)
                if len(sent) == 1:
                    stop(scope, clock, reason)
                    if error is not None:
                        raise error
                return found(*arguments, **options)

            return call

    tuned = replace(scope.runtime, tuning=replace(scope.runtime.tuning, batch_size=batch_size))
    return through(replace(scope, runtime=tuned), Stopping), sent


def make(scope, count):
    for number in range(count):
        spaces.create_space(scope, f"S{number}", data={"TITLE": "1"})


def assert_halted(scope, report, sent, reason):
    assert (len(sent), report.ending) == (1, STOPS[reason])
    if reason == "health":
        assert account_of(scope).breaker == "open"
        assert report.error == "health"
    if reason == "paused":
        assert report.error == "moving day"


@STOPPED_BY
def test_no_further_batch_is_sent(connected, cloud, clock, reason):
    make(connected, 6)
    scope, sent = stopped_in_a_call(connected, clock, reason, "push_articles", batch_size=2)
    assert_halted(connected, push(scope), sent, reason)
    assert len(articles_at(cloud)) == 2


@STOPPED_BY
def test_no_creation_follows_an_update(connected, cloud, clock, reason):
    make(connected, 1)
    push(connected)
    spaces.update_space(connected, "S0", data={"TITLE": "2"})
    spaces.create_space(connected, "NEW", data={})
    scope, sent = stopped_in_a_call(connected, clock, reason, "push_articles")
    assert_halted(connected, push(scope), sent, reason)
    assert articles_at(cloud) == ["S0"]


@STOPPED_BY
def test_a_refused_batch_is_not_halved(connected, cloud, clock, reason):
    make(connected, 4)
    scope, sent = stopped_in_a_call(connected, clock, reason, "push_articles", error=AimsRejected())
    assert_halted(connected, push(scope), sent, reason)
    assert articles_at(cloud) == []


@STOPPED_BY
def test_no_label_is_linked_after_its_article(connected, cloud, clock, reason):
    make(connected, 1)
    label_service.link_label(connected, label_codes(cloud, 1)[0], "S0")
    scope, sent = stopped_in_a_call(connected, clock, reason, "push_articles", "link_labels")
    assert_halted(connected, push(scope), sent, reason)


@STOPPED_BY
def test_no_command_is_sent(connected, cloud, clock, reason):
    queue.pause(connected)
    code = label_codes(cloud, 1)[0]
    queued_commands.queue_blink(connected, [code])
    queue.pause(connected, resume=True)
    make(connected, 1)
    scope, sent = stopped_in_a_call(connected, clock, reason, "push_articles")
    assert_halted(connected, push(scope), sent, reason)
    assert led_calls(cloud) == []


@STOPPED_BY
def test_what_was_stopped_goes_on_where_it_was(connected, cloud, clock, reason):
    make(connected, 6)
    scope, _ = stopped_in_a_call(connected, clock, reason, "push_articles", batch_size=2)
    push(scope)
    queue.pause(connected, resume=True)
    with connected.runtime.database.write(connected.org_id) as uow:
        stores.update_store(uow, store_of(connected).id, {"sync_enabled": True})
        uow.commit()
    ping.ping(connected)
    if reason == "format":
        return  # only `aims format fetch` lifts that
    push(connected)
    push(connected)
    assert len(articles_at(cloud)) == 6
