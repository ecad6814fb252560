"""While AIMS works on one batch the next is claimed; whatever happens, one write at a time and none lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from electis_cli.adapters.beside import in_a_thread
from electis_cli.db import claims
from electis_cli.domain.errors import DatabaseUnavailable
from electis_cli.services import spaces
from electis_cli.services.push import delivery
from electis_cli.services.push.report import Ending
from electis_cli.services.queue import pause
from electis_cli.services.recording import last_exchanges
from electis_cli.services.runtime import at_once
from tests.world.ledger import push, rows_of

NAMES = [f"4-{number}" for number in range(1, 8)]
WAYS = {"at once": at_once, "in a thread": in_a_thread, "at the last moment": lambda work: work}


@pytest.fixture(params=WAYS)
def scope(request, connected):
    """Seven spaces to push, in loads of two."""
    tuning = replace(connected.runtime.tuning, batch_size=2, listing_fresh_seconds=20)
    scope = replace(connected, runtime=replace(connected.runtime, tuning=tuning, beside=WAYS[request.param]))
    for name in NAMES:
        spaces.create_space(scope, name, data={"TITLE": name})
    return scope


def titles(cloud):
    return {key: article.data["TITLE"] for key, article in cloud.store("ACME", "001").articles.items()}


def in_flight(scope):
    return {name for name, row in rows_of(scope).items() if row.inflight_version is not None}


def writes(scope):
    return [row for row in last_exchanges(scope, writes=True) if row.path.endswith("/articles")]


def test_all_loads_arrive_one_call_after_the_other(scope, cloud):
    report = push(scope)

    assert (report.ending, report.created, report.article_calls) == (Ending.DONE, 7, 4)
    assert titles(cloud) == dict(zip(NAMES, NAMES, strict=True))
    assert not any(row.is_dirty or row.inflight_version for row in rows_of(scope).values())
    assert cloud.world.counters.parallel_peak == 1
    sent = [list(row.subjects) for row in reversed(writes(scope))]
    assert sent == [NAMES[0:2], NAMES[2:4], NAMES[4:6], NAMES[6:]], "each is recorded, in its order"


def test_what_was_claimed_behind_a_call_that_failed_is_pushed_later(scope, cloud, clock):
    cloud.faults.add("status", code=503, method="POST", path="/articles", after=1, count=1)

    assert push(scope).ending is Ending.TROUBLE
    assert len(titles(cloud)) == 2
    assert in_flight(scope) <= set(NAMES[2:4]), "what was not sent is not in doubt"
    clock.advance(3600)
    assert push(scope).ending is Ending.DONE

    assert titles(cloud) == dict(zip(NAMES, NAMES, strict=True))
    assert not any(row.is_dirty for row in rows_of(scope).values())
    assert [row.status for row in reversed(writes(scope))][:2] == [200, 503]


def test_what_is_on_its_way_is_acknowledged_when_the_next_can_not_be_claimed(scope, cloud, monkeypatch):
    note, asked = claims.note_intents, []

    def break_the_second(*given, **options):
        asked.append(1)
        if len(asked) == 2:
            raise DatabaseUnavailable(why="a test")
        return note(*given, **options)

    monkeypatch.setattr(claims, "note_intents", break_the_second)
    with pytest.raises(DatabaseUnavailable):
        push(scope)

    assert list(titles(cloud)) == NAMES[:2]
    assert [name for name, row in rows_of(scope).items() if not row.is_dirty] == NAMES[:2]
    assert len(writes(scope)) == 1


def test_a_store_paused_meanwhile_gets_nothing_more(scope, cloud, monkeypatch):
    send = delivery._send

    def pause_after(*given):
        answer = send(*given)
        pause(scope, store="001", why="a test")
        scope.runtime.clock.advance(2)  # AIMS took its time
        return answer

    monkeypatch.setattr(delivery, "_send", pause_after)

    assert push(scope).ending is Ending.PAUSED
    assert len(titles(cloud)) == 2
    assert in_flight(scope) == set()
    assert [name for name, row in rows_of(scope).items() if not row.is_dirty] == NAMES[:2]


def test_who_is_told_to_stop_sends_nothing_more_and_leaves_nothing_in_doubt(scope, cloud, monkeypatch):
    send, sent = delivery._send, []
    monkeypatch.setattr(delivery, "_send", lambda *given: (sent.append(1), send(*given))[1])

    assert push(scope, should_stop=lambda: bool(sent)).ending is Ending.STOPPED

    assert list(titles(cloud)) == NAMES[:2]
    assert [name for name, row in rows_of(scope).items() if not row.is_dirty] == NAMES[:2]
    assert in_flight(scope) == set()


def test_an_edit_at_aims_during_a_long_call_is_not_overwritten_unseen(scope, cloud, clock, monkeypatch):
    push(scope)
    clock.advance(3600)
    for name in NAMES[:4]:
        spaces.update_space(scope, name, data={"TITLE": "ours"})
    send, calls = delivery._send, []

    def take_long(*given):
        calls.append(1)
        if len(calls) == 1:
            cloud.store("ACME", "001").articles[NAMES[3]].data["TITLE"] = "theirs"
            clock.advance(30)  # longer than what was read is believed
        return send(*given)

    monkeypatch.setattr(delivery, "_send", take_long)
    push(scope)

    assert titles(cloud) == dict.fromkeys(NAMES[:3], "ours") | {NAMES[3]: "theirs"} | {
        name: name for name in NAMES[4:]
    }
