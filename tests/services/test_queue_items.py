"""The queue item by item: what is listed, how it is narrowed down, and everything about one of them."""

from __future__ import annotations

import pytest

from electis_cli.db import exchanges
from electis_cli.domain.commands import CommandState
from electis_cli.domain.errors import NotFound, UsageProblem
from electis_cli.domain.queue import Status
from electis_cli.domain.watching import ItemKind
from electis_cli.services import label_orders, labels, queue, queued_commands, spaces
from electis_cli.services.queue_details import show_item
from electis_cli.services.queue_items import queue_items
from tests.world.ledger import label_codes, letters_of, push, rows_of, store_of


def refuse(cloud, *names, message="FIELD_IS_MISSING"):
    return cloud.faults.add("reject-article", articles=names, message=message)


@pytest.fixture
def codes(cloud):
    return label_codes(cloud, 4)


@pytest.fixture
def mixed(connected, cloud, codes):
    """A failed article, a pending one, one that is to be deleted, a label's wish, and a command, in a paused store."""
    spaces.create_space(connected, "GONE", data={})
    spaces.create_space(connected, "BAD", data={"TITLE": "x"})
    refuse(cloud, "BAD")
    push(connected)
    queue.pause(connected)
    spaces.create_space(connected, "NEW", data={})
    spaces.delete_space(connected, "GONE")
    labels.link_label(connected, codes[0], "NEW")
    queued_commands.queue_blink(connected, [codes[1]])
    return connected


def named(items):
    return [(item.kind, item.id) for item in items if item.kind != "command"]


# --- the list -------------------------------------------------------------------------------------------------------


def test_everything_that_waits_is_listed_in_the_order_it_is_pushed(mixed, codes):
    items = queue_items(mixed)
    assert [(item.kind, item.status, item.detail) for item in items] == [
        ("article", Status.FAILED, None),
        ("article", Status.PENDING, None),
        ("article", Status.PENDING, "deletion"),
        ("label", Status.PENDING, "link NEW"),
        ("command", CommandState.PENDING, f"blink {codes[1]}"),
    ]
    assert (items[-1].desired_version, items[-1].attempts, items[-1].store) == (None, 0, "001")


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ({"kinds": [ItemKind.LABEL]}, 1),
        ({"kinds": [ItemKind.COMMAND, ItemKind.LABEL]}, 2),
        ({"statuses": ["failed"]}, 1),
        ({"statuses": ["failed", "pending"]}, 5),
        ({"statuses": ["pending"], "kinds": [ItemKind.ARTICLE]}, 2),
        ({"statuses": ["held"]}, 0),
        ({"error": "e-aims-rejected"}, 1),
        ({"error": "field_is"}, 1),
        ({"error": "E-AIMS"}, 0),
        ({"error": "nothing of the kind"}, 0),
        ({"limit": 2}, 2),
        ({"statuses": ["pending"], "limit": 2}, 2),
    ],
    ids=str,
)
def test_the_list_is_narrowed_down(mixed, choice, found):
    assert len(queue_items(mixed, **choice)) == found


def test_a_command_that_has_ended_or_run_out_is_not_in_the_list(mixed, clock):
    clock.advance(300)
    assert queue_items(mixed, kinds=[ItemKind.COMMAND]) == []


# --- one of them ----------------------------------------------------------------------------------------------------


def test_a_failed_article_is_shown_with_its_dead_letter_and_its_last_call(mixed):
    view = show_item(mixed, "BAD")
    (letter,) = letters_of(mixed)
    assert (view.kind, view.store, view.status, view.attempts, view.in_flight) == (
        ItemKind.ARTICLE, "001", Status.FAILED, 1, False,
    )  # fmt: skip
    assert (view.desired_version, view.synced_version) == (1, 0)
    assert (view.dead_letter["id"], view.dead_letter["cause"]) == (
        letter["id"],
        "dead-letter:001:FIELD_IS_MISSING",
    )
    assert "FIELD_IS_MISSING" in view.error
    assert view.known_contents == 1, "what was sent is known as ours, whatever became of it"
    assert view.last_tried_at == rows_of(mixed)["BAD"].last_tried_at
    with mixed.runtime.database.read(mixed.org_id) as uow:
        call = exchanges.find_exchange(uow, view.last_exchange)
    assert (call["method"], call["subjects"]) == ("POST", ["BAD"])


def test_a_synced_article_and_a_wish_are_shown_too(connected, codes):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    article = show_item(connected, "A")
    assert (article.status, article.dead_letter, article.facts["agreed"]) == (Status.SYNCED, None, True)
    assert article.facts["acked_at"] == rows_of(connected)["A"].acked_at
    wish = show_item(connected, codes[0].lower())
    assert (wish.kind, wish.id, wish.status, wish.detail) == (
        ItemKind.LABEL,
        codes[0],
        Status.SYNCED,
        "link A",
    )
    assert (wish.facts["article"], wish.facts["acked_article"]) == ("A", "A")
    assert wish.last_exchange is not None
    assert wish.known_contents >= 1


def test_an_article_in_flight_says_so(connected, cloud, clock):
    spaces.create_space(connected, "A", data={})
    cloud.faults.add("reset", path="/articles", method="POST")
    push(connected)
    view = show_item(connected, "A")
    assert (view.in_flight, view.facts["inflight_version"], view.status) == (True, 1, Status.SYNCING)


def test_a_command_is_shown_before_and_after_its_end(connected, cloud, codes, clock):
    label_orders.blink_labels(connected, codes[:2])  # the same order, past the queue
    clock.advance(10)
    queue.pause(connected)
    view = queued_commands.queue_blink(connected, codes[:2], duration="1m")
    shown = show_item(connected, view.id)
    assert (shown.kind, shown.status, shown.last_exchange) == (ItemKind.COMMAND, CommandState.PENDING, None)
    assert (shown.facts["labels"], shown.facts["created_by"]) == (codes[:2], connected.actor.email)
    queue.pause(connected, resume=True)
    push(connected)
    other = queued_commands.queue_blink(connected, codes[:2])
    shown = show_item(connected, view.id)
    assert (shown.status, shown.attempts, shown.in_flight) == (CommandState.DONE, 1, False)
    assert shown.facts["ended_at"] == clock()
    with connected.runtime.database.read(connected.org_id) as uow:
        call = exchanges.find_exchange(uow, shown.last_exchange)
    assert (call["at"], call["subjects"]) == (clock(), codes[:2])
    assert show_item(connected, other.id).status is CommandState.DONE
    queue.pause(connected)
    late = queued_commands.queue_blink(connected, codes[:1])
    clock.advance(300)
    assert show_item(connected, late.id).status is CommandState.EXPIRED


def test_what_nobody_knows_and_what_several_are_called(bench, simulator_server):
    scope = bench.organization(base_url=simulator_server.base_url, store_codes=("001", "002"))
    code = "0848A6EBE2BA"
    for store in ("001", "002"):
        spaces.create_space(scope, "A", data={}, store=store)
    with pytest.raises(NotFound) as missing:
        show_item(scope, "nothing")
    assert missing.value.fix
    with pytest.raises(UsageProblem, match="article in store 001, article in store 002"):
        show_item(scope, "A")
    assert show_item(scope, "A", store="002").store == "002"
    spaces.create_space(scope, code, data={}, store="001")
    labels.link_label(scope, code, "A", store="001")
    with pytest.raises(UsageProblem, match="article in store 001, label in store 001"):
        show_item(scope, code)
    assert show_item(scope, code, kind=ItemKind.LABEL).detail == "link A"
    with pytest.raises(NotFound):
        show_item(scope, "A", kind=ItemKind.COMMAND)


def test_nobody_is_shown_an_item_of_another_organization_or_store(bench, connected, simulator_server, codes):
    from electis_cli.domain.access import Role

    spaces.create_space(connected, "A", data={})
    queue.pause(connected)
    view = queued_commands.queue_blink(connected, codes[:1])
    other = bench.organization("OTHER", base_url=simulator_server.base_url)
    two = bench.organization("TWOST", base_url=simulator_server.base_url, store_codes=("001", "002"))
    spaces.create_space(two, "A", data={}, store="001")
    for scope in (other, bench.as_role(two, Role.MANAGER, store="002")):
        for name in ("A", view.id):
            with pytest.raises(NotFound):
                show_item(scope, name)
    assert store_of(connected).paused_at is not None
