"""The article ledger: bumps in order, revival, tombstones, and the contents that are known as ours."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from electis_cli.db import acknowledging, alerts, claims, intents, label_queue, labels, leases, ledger
from electis_cli.domain.articles import ABSENT
from electis_cli.domain.queue import MOST_KNOWN, State
from tests.world.ledger import letters_of, open_alerts, rows_of, store_of

WEEK = timedelta(days=7)


@pytest.fixture
def write(scope):
    """Return how to run something in a committed transaction of the organization."""

    def run(work):
        with scope.runtime.database.write(scope.org_id) as uow:
            result = work(uow)
            uow.commit()
        return result

    return run


@pytest.fixture
def store_id(scope):
    return store_of(scope).id


@pytest.fixture
def bump(write, store_id, clock):
    """Return how to bump articles of store 001."""
    return lambda **changes: write(lambda uow: ledger.bump(uow, store_id, changes, clock()))


@pytest.fixture
def put(write, store_id):
    """Return how to write columns of ledger rows."""
    return lambda *changes: write(lambda uow: ledger.update_rows(uow, store_id, changes))


def due(scope, *, tombstones=False, limit=100, after=0.0):
    now = scope.runtime.clock() + timedelta(seconds=after)
    with scope.runtime.database.write(scope.org_id) as uow:
        found = claims.due_ids(uow, store_of(scope).id, now, limit=limit, tombstones=tombstones)
        ids = [article_id for article_id, _ in found]
        place = store_of(scope).id
        rows = claims.due_rows(uow, place, now, tombstones=tombstones, ids=ids)
    assert [row.article_id for row in rows] == ids, "what is claimed is what was due, in the same order"
    return ids


def bury(write, scope, store_id, subject):
    def work(uow):
        alert = alerts.raise_alert(
            uow, alert_id=scope.runtime.new_id(), cause="dead-letter:x", text="x", store_id=store_id,
            now=scope.runtime.clock(),
        )  # fmt: skip
        alerts.insert_dead_letter(
            uow,
            {
                "id": scope.runtime.new_id(), "store_id": store_id, "kind": "article", "subject": subject,
                "alert_id": alert, "error_class": "E-AIMS-REJECTED", "error_text": "x", "attempts": 1,
                "at": scope.runtime.clock(),
            },
        )  # fmt: skip

    write(work)


# --- bumps ----------------------------------------------------------------------------------------------------------


def test_a_first_bump_makes_a_row_that_waits_to_be_pushed(scope, bump):
    bump(A=False)
    row = rows_of(scope)["A"]
    assert (row.desired_version, row.synced_version, row.desired_deleted) == (1, 0, False)
    assert row.is_dirty
    assert due(scope) == ["A"]


def test_articles_are_due_in_the_order_of_their_last_change(scope, bump):
    bump(B=False, A=False)
    bump(C=False)
    assert due(scope) == ["B", "A", "C"]
    bump(B=False)
    assert due(scope) == ["A", "C", "B"]
    assert due(scope, limit=2) == ["A", "C"]


def begin(write, store_id, clock, holder, *, limit=100):
    """Take the lease of a push and see what is due, as a push begins."""

    def work(uow):
        values = leases.lease_values(uow, leases.push_resource(store_id), holder, seconds=60)
        return claims.take_lease_and_look(uow, store_id, values, clock(), limit=limit)

    return write(work)


def test_a_push_begins_with_its_lease_and_with_what_is_due_those_in_doubt_last(
    write, bump, put, clock, store_id
):
    assert begin(write, store_id, clock, "one") == (1, []), "the lease alone, when nothing is due"
    write(lambda uow: leases.free_leases(uow, ["one"]))
    bump(B=False, A=False, C=False)
    put({"article_id": "B", "doubts": 1, "inflight_version": 1, "last_tried_at": clock()})
    bump(D=True)
    assert begin(write, store_id, clock, "one") == (2, [("A", None), ("C", None), ("B", clock())])
    write(lambda uow: leases.free_leases(uow, ["one"]))
    assert begin(write, store_id, clock, "one", limit=1) == (3, [("A", None)])


def test_who_does_not_get_the_lease_is_not_told_what_is_due(write, bump, clock, store_id):
    bump(A=False)
    assert begin(write, store_id, clock, "one") == (1, [("A", None)])
    assert begin(write, store_id, clock, "another") == (None, [])


def test_a_tombstone_is_due_on_its_own_and_a_new_article_of_that_name_ends_it(scope, bump):
    bump(A=False)
    bump(A=True)
    assert (due(scope), due(scope, tombstones=True)) == ([], ["A"])
    bump(A=False)
    row = rows_of(scope)["A"]
    assert (row.desired_version, row.desired_deleted) == (3, False)
    assert (due(scope), due(scope, tombstones=True)) == (["A"], [])


@pytest.mark.parametrize("state", [State.FAILED, State.HELD, State.CONFLICT])
def test_a_new_edit_revives_a_row_that_was_given_up(scope, bump, put, clock, state):
    bump(A=False)
    put(
        {
            "article_id": "A", "state": state.value, "attempts": 8, "doubts": 3, "error_class": "E",
            "error_text": "no", "next_attempt_at": clock() + WEEK,
        }
    )  # fmt: skip
    assert due(scope) == []
    bump(A=False)
    row = rows_of(scope)["A"]
    assert (row.state, row.attempts, row.doubts) == (State.ACTIVE, 0, 0)
    assert (row.error_class, row.error_text, row.next_attempt_at) == (None, None, None)
    assert due(scope) == ["A"]


def test_a_new_edit_ends_the_dead_letter_of_its_article_and_no_other(scope, write, bump, store_id):
    bump(A=False, B=False)
    bury(write, scope, store_id, "A")
    bury(write, scope, store_id, "B")
    bump(A=False)
    assert [letter["subject"] for letter in letters_of(scope)] == ["B"]
    (alert,) = open_alerts(scope)
    assert alert["count"] == 2, "one alert per cause, counted"


def test_a_bump_leaves_what_both_sides_agreed_on_and_what_is_in_flight(scope, bump, put):
    bump(A=False)
    flight = {"inflight_version": 1, "inflight_hash": "h", "inflight_epoch": 4}
    put({"article_id": "A", "base": {"T": "x"}, "base_hash": "b", **flight})
    bump(A=False)
    row = rows_of(scope)["A"]
    assert (row.base, row.base_hash) == ({"T": "x"}, "b")
    assert (row.inflight_version, row.inflight_hash, row.inflight_epoch) == (1, "h", 4)


def test_bumping_nothing_is_nothing(scope, bump):
    bump()
    assert rows_of(scope) == {}


def test_two_writers_that_touch_the_same_articles_in_opposite_order_both_get_through(scope, bump):
    names = [f"{number:03}" for number in range(50)]
    bump(**dict.fromkeys(names, False))
    bump(**dict.fromkeys(reversed(names), False))
    assert due(scope) == names[::-1]
    assert {row.desired_version for row in rows_of(scope).values()} == {2}


def test_more_articles_than_one_statement_takes(scope, bump):
    names = [f"{number:04}" for number in range(1203)]
    bump(**dict.fromkeys(names, False))
    assert due(scope, limit=5000) == names
    assert len(rows_of(scope)) == 1203


# --- claiming and acknowledging -------------------------------------------------------------------------------------


def test_a_row_waits_until_its_next_attempt(scope, bump, put, clock):
    bump(A=False)
    put({"article_id": "A", "next_attempt_at": clock() + timedelta(seconds=10)})
    assert due(scope, after=9) == []
    assert due(scope, after=10) == ["A"]


def acknowledge(write, store_id, clock, *names):
    """Acknowledge articles in a new epoch of the lease, and return the number this took."""

    def work(uow):
        lease = leases.take_lease(uow, leases.push_resource(store_id), "me", seconds=60)
        number = acknowledging.acknowledge(
            uow, store_id, lease, names, are_deleted=False, now=clock(), verify_after=clock()
        )
        leases.release_lease(uow, lease)
        return number

    return write(work)


def test_an_acknowledgement_agrees_on_what_flew_and_leaves_other_epochs_alone(
    scope, bump, put, write, store_id, clock
):
    bump(A=False, B=False, C=False)
    old, new = {"TITLE": "old"}, {"TITLE": "new"}
    for name in ("A", "B"):
        put(
            {
                "article_id": name, "base": old, "base_hash": "h-old", "echo": {"TITLE": "OLD"}, "echo_rounds": 1,
                "inflight_version": 1, "inflight_epoch": 2, "attempts": 3, "error_text": "x",
                "inflight_hash": "h-old" if name == "B" else "h-new", "inflight_content": old if name == "B" else new,
            }
        )  # fmt: skip
    bump(A=False)

    acknowledge(write, store_id, clock, "A", "B", "C")
    assert [row.synced_version for row in rows_of(scope).values()] == [0, 0, 0], "another epoch"
    number = acknowledge(write, store_id, clock, "A", "B", "C")

    rows = rows_of(scope)
    assert (rows["A"].synced_version, rows["A"].is_dirty) == (1, True), "changed meanwhile, and due again"
    assert (rows["A"].base, rows["A"].base_hash, rows["A"].echo, rows["A"].echo_rounds) == (
        new,
        "h-new",
        None,
        0,
    )
    assert (rows["B"].base, rows["B"].echo, rows["B"].echo_rounds) == (old, {"TITLE": "OLD"}, 1), (
        "the same again"
    )
    for name in ("A", "B"):
        row = rows[name]
        assert (row.inflight_version, row.inflight_hash, row.inflight_content, row.inflight_epoch) == (
            None,
        ) * 4
        assert (row.attempts, row.error_text, row.acked_at, row.touched_seq) == (0, None, clock(), number)
    assert rows["C"].synced_version == 0, "nothing of it flew"


def test_the_database_refuses_an_acknowledgement_of_what_nobody_wanted(bump, put):
    from electis_cli.domain.errors import ChangedMeanwhile

    bump(A=False)
    with pytest.raises(ChangedMeanwhile):
        put({"article_id": "A", "synced_version": 2})


def test_counts_by_status_agree_with_the_rows(scope, bump, put, store_id):
    bump(**dict.fromkeys("ABCDEF", False))
    put({"article_id": "A", "synced_version": 1})
    put({"article_id": "B", "inflight_version": 1})
    for article_id, state in (("C", State.FAILED), ("D", State.HELD), ("E", State.CONFLICT)):
        put({"article_id": article_id, "state": state.value})
    with scope.runtime.database.read(scope.org_id) as uow:
        counts = ledger.count_by_status(uow, [store_id])[store_id]
    assert counts == {"synced": 1, "syncing": 1, "failed": 1, "held": 1, "conflict": 1, "pending": 1}


def test_when_aims_is_back_everything_that_waited_for_it_is_due(scope, write, bump, put, clock, store_id):
    bump(A=False, B=False)
    later = clock() + timedelta(minutes=15)
    put({"article_id": "A", "next_attempt_at": later, "odd_since": None})
    put({"article_id": "B", "next_attempt_at": later, "odd_since": clock()})
    write(lambda uow: claims.wake_rows(uow, store_id))
    assert due(scope) == ["A"], "B waits for somebody else's edit to settle, not for AIMS"


# --- what was asked of labels ---------------------------------------------------------------------------------------


def asked(scope, store_id, since, kind="link"):
    with scope.runtime.database.read(scope.org_id) as uow:
        return intents.intents_by_label(uow, store_id, ["A", "B"], since, kind=kind)


def test_what_was_asked_of_a_label_is_known_for_a_week_since_it_was_last_asked(scope, write, clock, store_id):
    def remember(*values):
        pairs = [("A", value) for value in values]
        write(lambda uow: intents.remember_intents(uow, store_id, pairs, clock(), kind="link"))

    remember("old", "again", "-")
    clock.advance(6 * 86400)
    remember("again")
    clock.advance(2 * 86400)
    assert asked(scope, store_id, clock() - WEEK) == {"A": {"again"}}
    write(lambda uow: intents.forget_intents(uow, clock() - WEEK))
    assert asked(scope, store_id, clock() - 10 * WEEK) == {"A": {"again"}}


def test_at_most_fifty_intents_of_a_label_are_known_the_newest(scope, write, clock, store_id):
    for number in range(MOST_KNOWN + 5):
        pair = [("A", f"h{number}")]
        write(lambda uow, it=pair: intents.remember_intents(uow, store_id, it, clock(), kind="link"))
        clock.advance(1)
    assert asked(scope, store_id, clock() - WEEK)["A"] == {
        f"h{number}" for number in range(5, MOST_KNOWN + 5)
    }


def test_a_page_that_was_asked_for_is_no_link(scope, write, clock, store_id):
    write(lambda uow: intents.remember_intents(uow, store_id, [("A", "2")], clock(), kind="page"))
    assert asked(scope, store_id, clock() - WEEK) == {}
    assert asked(scope, store_id, clock() - WEEK, kind="page") == {"A": {"2"}}


def test_a_tombstone_is_forgotten_a_week_after_aims_confirmed_it_and_not_before(
    scope, write, bump, put, clock, store_id
):
    bump(A=True, B=True, C=False, D=True)
    acked = {"synced_version": 1, "base_hash": ABSENT, "acked_at": clock()}
    put({"article_id": "A", **acked}, {"article_id": "C", **acked})
    put({"article_id": "D", **acked, "inflight_version": 1})
    clock.advance(7 * 86400)
    assert write(lambda uow: ledger.forget_tombstones(uow, clock() - WEEK)) == 0
    clock.advance(1)
    assert write(lambda uow: ledger.forget_tombstones(uow, clock() - WEEK)) == 1
    assert sorted(rows_of(scope)) == ["B", "C", "D"]


# --- wishes ---------------------------------------------------------------------------------------------------------

CODE = "0123456789AB"


def test_a_wish_is_one_row_per_label_and_a_new_one_revives_it(scope, write, clock, store_id):
    wish = lambda article, page=None: write(  # noqa: E731
        lambda uow: labels.save_wish(
            uow, label_code=CODE, store_id=store_id, article_id=article, page=page, now=clock()
        )
    )
    find = lambda: write(lambda uow: labels.find_wish(uow, CODE))  # noqa: E731
    wish("A")
    first = find()
    write(lambda uow: labels.update_wish(uow, CODE, {"state": State.FAILED.value, "attempts": 8}))
    wish("B", 2)
    second = find()
    assert (first.version, second.version) == (1, 2)
    assert (second.desired_article, second.desired_page, second.attempts) == ("B", 2, 0)
    assert second.state is State.ACTIVE


def test_an_observed_link_never_replaces_a_wish(scope, write, clock, store_id):
    write(
        lambda uow: labels.save_wish(
            uow, label_code=CODE, store_id=store_id, article_id="A", page=None, now=clock()
        )
    )
    observed = {"label_code": CODE, "store_id": store_id, "article_id": "B", "page": None, "now": clock()}
    assert write(lambda uow: labels.save_observed(uow, **observed)) is False
    assert write(lambda uow: labels.find_wish(uow, CODE)).desired_article == "A"
    other = {**observed, "label_code": "0123456789AC"}
    assert write(lambda uow: labels.save_observed(uow, **other)) is True
    found = write(lambda uow: labels.find_wish(uow, "0123456789AC"))
    assert (found.origin, found.acked_article, found.is_dirty) == ("observed", "B", False)


def test_a_query_for_dirty_wishes_finds_those_that_are(scope, write, clock, store_id):
    """What a wish is in Python and in SQL is one thing: every combination of wished, shown, page and doubt."""
    kinds = list(product((None, "A", "B"), (None, "A"), (None, 1, 2), (None, 1), (None, 1, 2)))
    codes = [f"{number:012X}" for number in range(len(kinds))]

    def make(uow):
        for code, (desired, acked, page, shown, inflight) in zip(codes, kinds, strict=True):
            labels.save_wish(
                uow, label_code=code, store_id=store_id, article_id=desired, page=page, now=clock()
            )
            values = {"acked_article": acked, "acked_page": shown, "inflight_version": inflight, "version": 2}
            labels.update_wish(uow, code, values)

    write(make)
    known = write(lambda uow: labels.wishes_by_code(uow, codes))
    found = write(lambda uow: label_queue.unsettled_wishes(uow, store_id))
    assert {wish.label_code for wish in found} == {code for code, wish in known.items() if wish.is_dirty}
    assert 0 < len(found) < len(kinds) == len(known)


def test_links_of_a_deleted_article_are_forgotten_so_that_the_wishes_are_sent_again(
    scope, write, clock, store_id
):
    for code, article in ((CODE, "A"), ("0123456789AC", "B")):
        write(
            lambda uow, c=code, a=article: labels.save_wish(
                uow, label_code=c, store_id=store_id, article_id=a, page=1, now=clock()
            )
        )
        write(
            lambda uow, c=code, a=article: labels.update_wish(
                uow, c, {"acked_article": a, "acked_page": 1, "synced_version": 1}
            )
        )
    write(lambda uow: labels.forget_links(uow, store_id, ["A"], clock()))
    first, second = (write(lambda uow, c=code: labels.find_wish(uow, c)) for code in (CODE, "0123456789AC"))
    assert (first.acked_article, first.acked_page, first.wants_link) == (None, None, True)
    assert not second.is_dirty
