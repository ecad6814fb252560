"""Labels on their way to AIMS: links after their article, unlinks before a delete, page flips last (design 5.1)."""

from __future__ import annotations

import pytest

from electis_cli.domain.conference import Meeting
from electis_cli.domain.queue import State, Status, status_of_wish
from electis_cli.services import (
    aims_whitelist,
    conferences,
    draining,
    label_actions,
    labels,
    people,
    queue,
    spaces,
    working,
)
from electis_cli.services.explain.explaining import explain
from electis_cli.services.housekeeping import keep_house
from electis_cli.services.push.report import Ending
from electis_cli.services.recording import last_exchanges
from electis_cli.simulator import display
from tests.world.ledger import (
    SETTLED,
    Through,
    account_of,
    article,
    articles_at,
    calls,
    label,
    label_codes,
    letters_of,
    open_alerts,
    push,
    remove,
    rows_of,
    statuses,
    sync,
    through,
    wish_of,
)


@pytest.fixture
def codes(cloud):
    return label_codes(cloud, 6)


def kinds(cloud):
    """Return the writes AIMS met, in order."""
    names = {
        "/common/articles": "article",
        "/labels/link": "link",
        "/labels/unlink": "unlink",
        "/labels/page": "page",
    }
    found = []
    for entry in cloud.journal.after():
        name = next((name for end, name in names.items() if entry.path.endswith(end)), None)
        if name is not None and entry.method != "GET":
            found.append("delete" if entry.method == "DELETE" else name)
    return found


# --- order ----------------------------------------------------------------------------------------------------------


def test_a_label_is_linked_after_the_article_it_shows(connected, cloud, codes):
    spaces.create_space(connected, "A", data={"TITLE": "x"})
    labels.link_label(connected, codes[0], "A")
    report = push(connected)
    assert (report.created, report.linked) == (1, 1)
    assert kinds(cloud) == ["article", "link"]
    assert label(cloud, codes[0]).articles == ["A"]
    assert status_of_wish(wish_of(connected, codes[0])) is Status.SYNCED


def test_a_label_of_a_room_is_linked_and_then_flipped_to_the_meeting(connected, cloud, codes):
    conferences.create_room(connected, "3")
    labels.link_label(connected, codes[0], "C3")
    conferences.toggle_meeting(connected, "3")
    push(connected)
    assert kinds(cloud) == ["article", "link", "page"]
    assert label(cloud, codes[0]).page == 2


def test_a_meeting_updates_the_article_first_and_flips_the_page_last(connected, cloud, codes):
    conferences.create_room(connected, "3")
    labels.link_label(connected, codes[0], "C3")
    push(connected)
    cloud.journal.clear()
    conferences.toggle_meeting(connected, "3", meeting=Meeting(name="Budget"))
    report = push(connected)
    assert (report.updated, report.flipped) == (1, 1)
    assert kinds(cloud) == ["article", "page"]
    assert label(cloud, codes[0]).page == 2
    conferences.toggle_meeting(connected, "3")
    push(connected)
    assert label(cloud, codes[0]).page == 1


def test_nothing_is_flipped_that_shows_the_right_page(connected, cloud, codes):
    conferences.create_room(connected, "3")
    labels.link_label(connected, codes[0], "C3")
    push(connected)
    cloud.journal.clear()
    conferences.update_room(connected, "3", name="Board room")
    push(connected)
    assert kinds(cloud) == ["article"]


def test_a_label_of_a_space_is_never_flipped(connected, cloud, codes):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    spaces.update_space(connected, "A", data={"TITLE": "x"})
    push(connected)
    assert "page" not in kinds(cloud)


def test_a_label_is_unlinked_before_its_article_is_deleted(connected, cloud, codes):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    cloud.journal.clear()
    labels.unlink_label(connected, codes[0])
    spaces.delete_space(connected, "A")
    push(connected)
    assert kinds(cloud) == ["unlink", "delete"]
    assert (articles_at(cloud), label(cloud, codes[0]).articles) == ([], [])


def test_a_label_moves_to_another_article_before_its_old_one_is_deleted(connected, cloud, codes):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    cloud.journal.clear()
    spaces.create_space(connected, "B", data={})
    labels.link_label(connected, codes[0], "B")
    spaces.delete_space(connected, "A")
    push(connected)
    assert kinds(cloud) == ["article", "link", "delete"]
    assert label(cloud, codes[0]).articles == ["B"]


def test_many_labels_cost_one_call(connected, cloud, codes):
    spaces.create_space(connected, "A", data={})
    for code in codes:
        labels.link_label(connected, code, "A")
    report = push(connected)
    assert (report.linked, report.label_calls) == (6, 1)


def test_a_quiet_store_costs_no_label_call(connected, cloud, codes):
    conferences.create_room(connected, "3")
    labels.link_label(connected, codes[0], "C3")
    push(connected)
    assert push(connected).label_calls == 0


# --- waiting --------------------------------------------------------------------------------------------------------


def test_a_link_waits_while_its_article_can_not_be_pushed(connected, cloud, codes):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    fault = cloud.faults.add("reject-article", articles=("A",))
    report = push(connected)
    assert (report.failed, report.linked, report.label_calls) == (1, 0, 0)
    assert status_of_wish(wish_of(connected, codes[0])) is Status.PENDING
    cloud.faults.remove(fault)
    spaces.update_space(connected, "A", data={"TITLE": "good"})
    assert push(connected).linked == 1


def test_a_link_to_an_article_that_somebody_just_edits_waits_for_the_edit(connected, cloud, codes, clock):
    spaces.create_space(connected, "A", data={})
    push(connected)
    spaces.update_space(connected, "A", data={"TITLE": "x"})
    labels.link_label(connected, codes[0], "A")
    cloud.journal.clear()
    push(connected)
    assert kinds(cloud) == ["article", "link"]


def test_a_delete_does_not_wait_for_ever_for_a_label_that_can_not_leave(connected, cloud, codes, clock):
    for name in ("A", "B"):
        spaces.create_space(connected, name, data={})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    cloud.faults.add("reject-article", articles=("B",))
    spaces.update_space(connected, "B", data={"TITLE": "refused"})
    labels.link_label(connected, codes[0], "B")
    spaces.delete_space(connected, "A")
    for _ in range(12):
        push(connected)
        clock.advance(7200)
    assert articles_at(cloud) == ["B"], "a day is long enough to wait for one label"


def test_wishes_of_a_deleted_article_are_dormant_and_keep_no_queue_from_being_empty(connected, cloud, codes):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    spaces.delete_space(connected, "A")
    view = draining.drain(connected)
    assert view.empty
    assert queue.queue_status(connected)[0].labels_pending == 0
    assert working.due_pushes(connected.runtime) == [], "the daemon would look at this store for ever"


def test_dormant_wishes_wake_up_when_their_article_comes_back(connected, cloud, codes):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    spaces.delete_space(connected, "A")
    push(connected)
    assert label(cloud, codes[0]).articles == []
    assert wish_of(connected, codes[0]).acked_article is None
    spaces.create_space(connected, "A", data={"TITLE": "again"})
    report = push(connected)
    assert (report.created, report.linked) == (1, 1)
    assert label(cloud, codes[0]).articles == ["A"]


def test_labels_of_an_article_that_others_deleted_are_linked_again_when_it_is_back(
    connected, cloud, codes, clock
):
    for name in ("A", "B"):
        spaces.create_space(connected, name, data={})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    clock.advance(SETTLED)
    remove(cloud, "A")
    sync(connected)
    clock.advance(SETTLED)
    sync(connected)
    report = push(connected)
    assert (report.created, report.linked) == (1, 1), "AIMS broke the link when the article was deleted"
    assert label(cloud, codes[0]).articles == ["A"]


def test_labels_of_an_article_found_absent_by_the_push_are_linked_again(connected, cloud, codes, clock):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    clock.advance(SETTLED)
    remove(cloud, "A")
    spaces.update_space(connected, "A", data={"TITLE": "x"})
    push(connected)
    assert label(cloud, codes[0]).articles == ["A"]


# --- refusals -------------------------------------------------------------------------------------------------------


def test_one_refused_label_is_a_dead_letter_and_the_others_are_linked(connected, cloud, codes):
    spaces.create_space(connected, "A", data={})
    bad = codes[0][:-1] + ("0" if codes[0][-1] != "0" else "1")
    for code in (*codes, bad):
        labels.link_label(connected, code, "A")
    report = push(connected)
    assert (report.linked, report.failed) == (6, 1)
    assert [label(cloud, code).articles for code in codes] == [["A"]] * 6
    wish = wish_of(connected, bad)
    assert (wish.state, wish.attempts) == (State.FAILED, 1)
    assert "CHECKSUM" in wish.error_text
    assert [(letter["kind"], letter["subject"]) for letter in letters_of(connected)] == [("label", bad)]
    assert [alert["id"] for alert in open_alerts(connected)] == [letters_of(connected)[0]["alert_id"]]
    assert push(connected).label_calls == 0, "given up until somebody acts"


def test_a_refused_label_is_tried_again_when_somebody_says_so(connected, cloud, codes):
    spaces.create_space(connected, "A", data={})
    with cloud.lock:
        cloud.store("ACME", "001").whitelist_on = True
    labels.link_label(connected, codes[0], "A")
    push(connected)
    told = "label is not in the whiteList. The store has a whitelist, and this label is not on it."
    assert told in wish_of(connected, codes[0]).error_text
    assert told in letters_of(connected)[0]["error_text"]
    assert told in open_alerts(connected)[0]["text"]
    refused = last_exchanges(connected, failed=True)[0]
    assert (refused.status, refused.answer) == (405, "405 label is not in the whiteList")
    with cloud.lock:
        cloud.store("ACME", "001").whitelist_on = False
    assert queue.retry(connected, [codes[0]]) == 1
    assert push(connected).linked == 1
    assert letters_of(connected) == []


def test_a_page_the_label_does_not_have_fails_the_flip_and_keeps_the_link(connected, cloud, codes):
    with cloud.lock:
        label(cloud, codes[0]).pages = 1
    conferences.create_room(connected, "3")
    labels.link_label(connected, codes[0], "C3")
    conferences.toggle_meeting(connected, "3")
    report = push(connected)
    assert (report.linked, report.failed) == (1, 1)
    wish = wish_of(connected, codes[0])
    assert (wish.state, wish.acked_article) == (State.FAILED, "C3")
    assert label(cloud, codes[0]).articles == ["C3"]


def test_a_new_wish_revives_a_label_that_was_given_up(connected, cloud, codes):
    spaces.create_space(connected, "A", data={})
    fault = cloud.faults.add("status", code=405, message="SOMETHING", path="/labels/link")
    labels.link_label(connected, codes[0], "A")
    push(connected)
    cloud.faults.remove(fault)
    labels.link_label(connected, codes[0], "A")
    assert push(connected).linked == 1
    assert wish_of(connected, codes[0]).state is State.ACTIVE
    assert queue.queue_status(connected)[0].dead_letters == 0


def test_a_used_up_label_quota_stops_no_article(connected, cloud, codes, clock):
    cloud.company("ACME").label_quota = 0
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    spaces.update_space(connected, "A", data={"TITLE": "x"})
    clock.advance(60)
    push(connected)
    assert article(cloud, "A").data["TITLE"] == "x"
    assert account_of(connected).breaker == "closed"


# --- lost answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wished", ["B", None])
def test_a_link_or_unlink_that_aims_lost_is_repeated_however_old_the_link_it_replaced(
    connected, cloud, codes, clock, wished
):
    for name in ("A", "B"):
        spaces.create_space(connected, name, data={"TITLE": name})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    clock.advance(8 * 86400)
    keep_house(connected.runtime, connected.org_id)
    if wished:
        labels.link_label(connected, codes[0], wished)
    else:
        labels.unlink_label(connected, codes[0])

    class Lost(Through):
        def link_labels(self, store, links):
            pass

        def unlink_labels(self, store, codes):
            pass

    push(through(connected, Lost))
    assert label(cloud, codes[0]).articles == ["A"]
    for _ in range(2):
        sync(connected)
        clock.advance(SETTLED)
    push(connected)
    assert label(cloud, codes[0]).articles == ([wished] if wished else [])
    assert wish_of(connected, codes[0]).desired_article == wished


@pytest.mark.parametrize("applied", [False, True])
def test_a_flip_without_an_answer_is_flipped_again(connected, cloud, codes, clock, applied):
    conferences.create_room(connected, "3")
    labels.link_label(connected, codes[0], "C3")
    push(connected)
    conferences.toggle_meeting(connected, "3")
    cloud.faults.add("reset", path="/labels/page", applied=applied, count=1)
    assert push(connected).ending is Ending.TROUBLE
    wish = wish_of(connected, codes[0])
    assert (wish.acked_page, wish.wants_page, wish.attempts) == (None, True, 0)
    clock.advance(900)
    assert push(connected).flipped == 1
    assert label(cloud, codes[0]).page == 2
    assert status_of_wish(wish_of(connected, codes[0])) is Status.SYNCED


@pytest.mark.parametrize("applied", [False, True])
def test_a_link_without_an_answer_is_linked_again(connected, cloud, codes, clock, applied):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    cloud.faults.add("reset", path="/labels/link", applied=applied, count=1)
    push(connected)
    clock.advance(900)
    push(connected)
    assert label(cloud, codes[0]).articles == ["A"]
    assert (wish_of(connected, codes[0]).is_dirty, letters_of(connected)) == (False, [])


@pytest.mark.parametrize("then", ["unlinked", "back on A"])
def test_a_wish_that_changed_while_a_link_was_in_doubt_is_carried_out(connected, cloud, codes, clock, then):
    for name in ("A", "B"):
        spaces.create_space(connected, name, data={})
    if then == "back on A":
        labels.link_label(connected, codes[0], "A")
        push(connected)
    labels.link_label(connected, codes[0], "B")
    cloud.faults.add("reset", path="/labels/link", applied=True, count=1)
    push(connected)
    assert label(cloud, codes[0]).articles == ["B"]
    if then == "back on A":
        labels.link_label(connected, codes[0], "A")
    else:
        labels.unlink_label(connected, codes[0])
    clock.advance(900)
    assert len(working.due_pushes(connected.runtime)) == 1
    push(connected)
    assert label(cloud, codes[0]).articles == (["A"] if then == "back on A" else [])
    wish = wish_of(connected, codes[0])
    assert (wish.is_dirty, wish.inflight_version, letters_of(connected)) == (False, None, [])


def test_a_doubt_outlives_a_refused_call(connected, cloud, codes, clock):
    """The link took effect unseen; the next call is refused before AIMS looks at it: the label may still show A."""
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    cloud.faults.add("reset", path="/labels/link", applied=True, count=1)
    push(connected)
    cloud.faults.add("status", code=429, path="/labels/link", count=1)
    clock.advance(900)
    push(connected)
    labels.unlink_label(connected, codes[0])
    clock.advance(900)
    push(connected)
    assert label(cloud, codes[0]).articles == []


def test_a_throttled_label_call_leaves_nobody_looking_busy(connected, cloud, codes):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    cloud.faults.add("status", code=429, path="/labels/link", count=1)
    push(connected)
    assert status_of_wish(wish_of(connected, codes[0])) is Status.PENDING, "nothing is in flight"


def test_a_wish_that_changes_while_it_is_sent_is_sent_again(connected, cloud, codes):
    for name in ("A", "B"):
        spaces.create_space(connected, name, data={})
    labels.link_label(connected, codes[0], "A")
    changed = []

    class Changed(Through):
        def link_labels(self, *arguments):
            if not changed:
                changed.append(labels.link_label(connected, codes[0], "B"))
            return self.client.link_labels(*arguments)

    push(through(connected, Changed))
    push(connected)
    assert label(cloud, codes[0]).articles == ["B"]
    assert not wish_of(connected, codes[0]).is_dirty


# --- what people see ------------------------------------------------------------------------------------------------


def test_an_article_is_synced_only_when_its_labels_are(connected, cloud, codes, clock):
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, codes[0], "A")
    cloud.faults.add("reset", path="/labels/link", count=1)
    push(connected)
    assert statuses(connected)["A"] is Status.SYNCED
    assert spaces.show_space(connected, "A").status in {Status.PENDING, Status.SYNCING}
    clock.advance(900)
    push(connected)
    assert spaces.show_space(connected, "A").status is Status.SYNCED


def test_the_label_shows_what_the_database_says(connected, cloud, codes):
    spaces.create_space(connected, "A", data={"TITLE": "Window"})
    people.create_person(connected, "P1", data={"ITEM_NAME": "דנה לוי", "PHONE": "0031"}, space="A")
    labels.link_label(connected, codes[0], "A")
    push(connected)
    cloud.clock.advance(10)
    shown = display.describe(cloud.store("ACME", "001"), label(cloud, codes[0]), cloud.clock.now())
    assert (shown["name"], shown["article_id"], shown["status"]) == ("דנה לוי", "A", "SUCCESS")
    assert ["PHONE", "0031"] in shown["lines"]
    people.unassign_person(connected, "P1")
    push(connected)
    cloud.clock.advance(10)
    shown = display.describe(cloud.store("ACME", "001"), label(cloud, codes[0]), cloud.clock.now())
    assert (shown["name"], [line for line in shown["lines"] if line[0] == "PHONE"]) == ("", [])
    assert rows_of(connected)["A"].is_dirty is False
    assert len(calls(cloud, "DELETE", "/common/articles")) == 0


# --- replacing ------------------------------------------------------------------------------------------------------


@pytest.fixture
def worn(connected, cloud, codes):
    """A label that shows a space, to be replaced in a store where AIMS asks for a whitelist."""
    spaces.create_space(connected, "A", data={"TITLE": "x"})
    labels.link_label(connected, codes[0], "A")
    push(connected)
    cloud.journal.clear()
    return connected


@pytest.fixture
def refused(worn, cloud, codes):
    """Its replacement, refused by AIMS."""
    with cloud.lock:
        cloud.store("ACME", "001").whitelist_on = True
    label_actions.replace_label(worn, codes[0], codes[1])
    push(worn)
    return worn


def shown(cloud, codes):
    return [label(cloud, code).articles for code in codes[:2]]


def test_a_label_goes_blank_after_the_one_that_replaces_it_is_linked(worn, cloud, codes):
    label_actions.replace_label(worn, codes[0], codes[1])
    report = push(worn)

    assert (report.linked, report.unlinked) == (1, 1)
    assert kinds(cloud) == ["link", "unlink"]
    assert shown(cloud, codes) == [[], ["A"]]


def test_a_label_keeps_its_article_when_aims_refuses_the_one_that_replaces_it(refused, cloud, codes):
    assert shown(cloud, codes) == [["A"], []]
    assert kinds(cloud) == ["link"]
    counts = queue.queue_status(refused)[0]
    assert (counts.labels_failed, counts.labels_pending) == (1, 0), "nothing waits that could go"
    assert draining.drain(refused).left["labels_pending"] == 0
    view = explain(refused, "space", "A")
    assert view.fix == f"electis aims whitelist add {codes[1]} --store 001"
    kept = explain(refused, "label", codes[0])
    assert kept.verdict == f"Label {codes[0]} keeps A until {codes[1]}, which replaces it, is linked."
    assert kept.fix == f"electis explain label {codes[1]} --store 001"

    aims_whitelist.change_whitelist(refused, [codes[1]], add=True)
    push(refused)
    assert shown(cloud, codes) == [[], ["A"]]


def test_who_gives_the_replacement_up_leaves_the_article_where_it_is(refused, cloud, codes):
    labels.unlink_label(refused, codes[1])
    push(refused)

    assert shown(cloud, codes) == [["A"], []]
    wish = wish_of(refused, codes[0])
    assert (wish.desired_article, status_of_wish(wish)) == ("A", Status.SYNCED)


def test_a_label_that_waits_for_its_replacement_can_be_unlinked_all_the_same(refused, cloud, codes):
    labels.unlink_label(refused, codes[0])
    push(refused)

    assert shown(cloud, codes) == [[], []]


def test_a_label_does_not_keep_an_article_that_is_deleted(refused, cloud, codes):
    spaces.delete_space(refused, "A")
    push(refused)

    assert (articles_at(cloud), shown(cloud, codes)) == ([], [[], []])


def test_a_replaced_label_waits_while_the_answer_about_the_new_one_is_lost(worn, cloud, clock, codes):
    fault = cloud.faults.add("status", code=503, path="/labels/link", applied=False)
    label_actions.replace_label(worn, codes[0], codes[1])
    push(worn)
    assert shown(cloud, codes) == [["A"], []]

    cloud.faults.remove(fault)
    clock.advance(3600)
    push(worn)
    assert shown(cloud, codes) == [[], ["A"]]
