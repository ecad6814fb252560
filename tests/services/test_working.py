"""Turns of the daemon: what they come to, and what of it is news for its log."""

from __future__ import annotations

from electis_cli.services.working import Place, push_turn
from tests.world.ledger import store_of


def turn_of(scope, store_id):
    place = Place(org_id=scope.org_id, store_id=store_id, code=store_id)
    return push_turn(scope.runtime, place, lambda: False)


def test_a_store_that_was_deleted_since_somebody_told_of_it_is_no_news(scope):
    turn = turn_of(scope, "nowhere")
    assert (turn.outcome, turn.is_news) == ("gone", False)


def test_a_push_that_found_nothing_to_do_is_no_news(connected):
    turn = turn_of(connected, store_of(connected).id)
    assert (turn.subject, turn.counts, turn.is_news) == ("001", {}, False)
