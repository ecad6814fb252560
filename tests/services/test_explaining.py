"""`explain`: each link of the chain, broken on purpose, is the one that is named."""

from __future__ import annotations

import shlex
from datetime import timedelta

import pytest

from electis_cli.db import accounts, organizations, stores
from electis_cli.db import labels as stored_labels
from electis_cli.domain.errors import LabelNotFound, PersonNotFound, SpaceNotFound
from electis_cli.domain.timing import iso
from electis_cli.services import aims_whitelist, label_actions, label_orders, labels, people, spaces
from electis_cli.services.change import changing
from electis_cli.services.conferences import create_room, toggle_meeting
from electis_cli.services.conflicts import resolve_conflict
from electis_cli.services.daemons import announce, leave
from electis_cli.services.explain.explaining import explain
from electis_cli.services.housekeeping import keep_house
from tests.world.ledger import (
    Through,
    article,
    edit,
    label,
    letters_of,
    link,
    push,
    put,
    remove,
    store_of,
    sync,
    sync_twice,
    through,
    wish_of,
)


def label_codes(cloud, count=1):
    return sorted(cloud.store("ACME", "001").labels)[:count]


@pytest.fixture
def shown(connected, cloud):
    """A space with a person and a label that shows them."""
    spaces.create_space(connected, "4-117", data={"TITLE": "Window"})
    people.create_person(connected, "P1", data={"ITEM_NAME": "Dana Levi"}, space="4-117")
    labels.link_label(connected, label_codes(cloud)[0], "4-117")
    push(connected)
    cloud.clock.advance(10)
    keep_house(connected.runtime, connected.org_id)
    return connected


def test_nothing_is_broken_when_the_label_shows_the_person(shown, cloud):
    view = explain(shown, "space", "4-117")

    assert (view.link, view.fix) == ("none", "")
    assert view.article["ITEM_NAME"] == "Dana Levi"
    assert view.last_push["call"] == "POST /api/v2/common/articles"
    assert view.last_push["batch_result"] == "SUCCESS"
    assert all(field["equal"] for field in view.remote["fields"])
    assert [label["label"] for label in view.labels] == label_codes(cloud)
    assert view.row["last_changed_by"] == "admin@acme.example"


def test_a_person_and_a_label_are_explained_through_their_space(shown, cloud):
    assert explain(shown, "person", "P1").link == "none"
    assert explain(shown, "label", label_codes(cloud)[0]).link == "none"


def test_a_person_without_a_space_is_shown_nowhere(shown):
    people.unassign_person(shown, "P1")

    view = explain(shown, "person", "P1")

    assert (view.link, view.fix) == ("row", "electis people assign P1 SPACE")


def test_a_change_in_the_queue_is_named(shown):
    spaces.update_space(shown, "4-117", data={"TITLE": "Door"})

    view = explain(shown, "space", "4-117")

    assert (view.link, view.fix) == ("queue", "electis queue drain")
    assert {field["column"]: field["equal"] for field in view.remote["fields"]}["TITLE"] is False


def test_an_article_that_aims_fails_on_is_not_said_to_be_on_its_way(shown, cloud, clock):
    cloud.faults.add("status", code=503, path="/articles", method="PUT", message="Service Unavailable")
    spaces.update_space(shown, "4-117", data={"TITLE": "Door"})
    began = clock()
    for _ in range(3):
        push(shown)
        clock.advance(60)
    push(shown)

    view = explain(shown, "space", "4-117")

    assert view.ledger["status"] == "syncing", "still marked as sent, though nothing is on its way"
    assert (view.ledger["tries"], view.ledger["failing_since"]) == (4, began)
    next_try = store_of(shown).backoff_until
    assert view.ledger["next_try_at"] == next_try
    assert (view.link, view.fix) == ("queue", "electis queue drain")
    assert view.verdict == (
        "AIMS has not taken the article 4-117 yet: AIMS answered 503: Service Unavailable. "
        f"It was tried 4 times since {iso(began)}; the next try is at {iso(next_try)}."
    )


def test_an_article_that_is_changed_or_taken_begins_anew(shown, cloud, clock):
    cloud.faults.add("status", code=503, path="/articles", method="PUT", count=1)
    spaces.update_space(shown, "4-117", data={"TITLE": "Door"})
    push(shown)
    assert explain(shown, "space", "4-117").ledger["tries"] == 1

    clock.advance(60)
    push(shown)
    taken = explain(shown, "space", "4-117").ledger
    spaces.update_space(shown, "4-117", data={"TITLE": "Wall"})
    changed = explain(shown, "space", "4-117")

    assert (taken["status"], taken["tries"], taken["next_try_at"]) == ("synced", 0, None)
    assert (changed.ledger["status"], changed.ledger["tries"]) == ("pending", 0)
    assert changed.verdict == "The change waits in the queue; the next try is due, but no daemon is running."

    daemon = announce(shown.runtime, machine="here", process_id=1, version="0")
    assert explain(shown, "space", "4-117").verdict == "The change waits in the queue; the next try is due."
    leave(shown.runtime, daemon)
    assert "no daemon is running" in explain(shown, "space", "4-117").verdict


def test_an_article_that_is_changed_after_it_was_refused_was_not_tried_yet(shown, cloud):
    cloud.faults.add("reject-article", articles=("4-117",), count=1)
    spaces.update_space(shown, "4-117", data={"TITLE": "Door"})
    push(shown)
    assert explain(shown, "space", "4-117").ledger["status"] == "failed"

    spaces.update_space(shown, "4-117", data={"TITLE": "Wall"})

    changed = explain(shown, "space", "4-117")
    assert (changed.ledger["status"], changed.ledger["tries"]) == ("pending", 0)
    assert changed.verdict.startswith("The change waits in the queue; ")


def test_a_queue_that_aims_slows_down_says_until_when(shown, cloud, clock):
    cloud.faults.add("429", path="/articles", seconds=40)
    spaces.update_space(shown, "4-117", data={"TITLE": "Door"})
    push(shown)

    view = explain(shown, "space", "4-117")

    assert (view.ledger["status"], view.ledger["tries"]) == ("pending", 1)
    assert f"the next try is at {iso(clock() + timedelta(seconds=40))}" in view.verdict


class AskedMeanwhile(Through):
    """A client whose article writes are explained while they are on their way."""

    def __init__(self, scope, client, told):
        super().__init__(client)
        self.scope, self.told = scope, told

    def push_articles(self, *arguments, **options):
        self.told.append(explain(self.scope, "space", "4-117").verdict)
        return self.client.push_articles(*arguments, **options)


def test_an_article_on_its_way_is_being_sent_and_one_whose_sender_died_is_not(shown):
    told: list[str] = []
    spaces.update_space(shown, "4-117", data={"TITLE": "Door"})

    push(through(shown, lambda client: AskedMeanwhile(shown, client, told)))

    assert told == ["The article 4-117 is being sent right now."]

    spaces.update_space(shown, "4-117", data={"TITLE": "Wall"})
    with pytest.raises(Died):
        push(through(shown, Dies))
    assert explain(shown, "space", "4-117").verdict.startswith("Whoever sent the article 4-117 at ")


class Died(BaseException):
    """The process is gone."""


class Dies(Through):
    """A client whose process dies before AIMS answers."""

    def push_articles(self, *_, **__):
        raise Died


def test_a_refused_article_is_named_with_aims_own_word(shown, cloud):
    cloud.faults.add("reject-article", articles=("4-117",), message="FIELD_IS_MISSING")
    spaces.update_space(shown, "4-117", data={"TITLE": "Door"})
    push(shown)

    view = explain(shown, "space", "4-117")

    assert (view.link, view.fix) == ("queue", "electis queue retry 4-117")
    assert "FIELD_IS_MISSING" in view.verdict


def test_a_paused_store_is_named(shown):
    spaces.update_space(shown, "4-117", data={"TITLE": "Door"})
    with changing(shown, "sync") as change:
        stores.update_store(change.uow, store_of(shown).id, {"paused_at": change.now, "paused_why": "fair"})

    view = explain(shown, "space", "4-117")

    assert (view.link, view.fix) == ("store", "electis queue resume --store 001")
    assert "fair" in view.verdict


def test_a_value_somebody_wrote_at_aims_is_named_with_its_column(shown, cloud, clock):
    clock.advance(1000)
    with cloud.lock:
        cloud.store("ACME", "001").articles["4-117"].data["TITLE"] = "theirs"

    view = explain(shown, "space", "4-117")

    assert view.link == "aims"
    assert "somebody wrote" in view.verdict
    assert "TITLE" in view.verdict


def test_an_article_that_vanished_is_named(shown, cloud):
    remove(cloud, "4-117")

    view = explain(shown, "space", "4-117")

    assert (view.link, view.remote["present"]) == ("aims", False)


def test_an_aims_that_does_not_answer_is_named_and_nothing_raises(shown, simulator_server):
    simulator_server.stop()

    view = explain(shown, "space", "4-117")

    assert (view.link, view.fix) == ("aims", "electis aims doctor")


def test_an_article_without_a_label_is_named(connected):
    spaces.create_space(connected, "A", data={})
    push(connected)

    view = explain(connected, "space", "A")

    assert (view.link, view.fix) == ("labels", "electis label link LABEL A")


def test_a_label_that_did_not_answer_is_named(connected, cloud):
    code = label_codes(cloud)[0]
    with cloud.lock:
        cloud.store("ACME", "001").labels[code].outcome = "TIMEOUT"
    spaces.create_space(connected, "A", data={})
    labels.link_label(connected, code, "A")
    push(connected)
    cloud.clock.advance(10)

    view = explain(connected, "space", "A")

    assert view.link == "labels"
    assert view.fix == f"electis label resend {code} --store 001"


def test_a_room_is_found_by_its_id_and_by_its_article_id(connected):
    create_room(connected, "3", name="Board room")

    assert explain(connected, "conference", "3").id == "3"
    assert explain(connected, "conference", "C3").article["ITEM_NAME"] == "Board room"


def test_an_organization_without_an_account_is_named(scope):
    spaces.create_space(scope, "A", data={})

    view = explain(scope, "space", "A")

    assert view.link == "account"
    assert view.fix.startswith("electis aims configure")


def test_another_organizations_space_is_not_found(shown, bench):
    other = bench.organization("OTHER")

    with pytest.raises(SpaceNotFound):
        explain(other, "space", "4-117")


def test_a_missing_format_is_named(shown):
    with shown.runtime.database.write(shown.org_id) as uow:
        organizations.update_organization(uow, shown.org_id, {"article_format": None})
        uow.commit()

    assert explain(shown, "space", "4-117").fix == "electis aims format fetch"


# --- what a label shows, though the article is as it should be ------------------------------------------------------


def test_how_far_a_label_is_follows_what_aims_just_said(shown, cloud):
    spaces.update_space(shown, "4-117", data={"TITLE": "Door"})
    push(shown)
    drawing = explain(shown, "space", "4-117").labels[0]
    cloud.clock.advance(10)
    drawn = explain(shown, "space", "4-117").labels[0]

    assert (drawing["display"], drawing["update_status"]) == ("processing", "PROCESSING")
    assert (drawn["display"], drawn["update_status"]) == ("displayed", "SUCCESS")


def other_space(scope):
    spaces.create_space(scope, "4-118", data={"ITEM_NAME": "Free desk"})
    push(scope)


def mended(scope, cloud, noun="space", identifier="4-117"):
    """Push what a fix left in the queue, let the labels draw, and look again."""
    push(scope)
    cloud.clock.advance(10)
    return explain(scope, noun, identifier)


def test_an_image_over_the_fields_is_named_and_linking_again_takes_it_away(shown, cloud):
    code = label_codes(cloud)[0]
    label_orders.push_image(shown, code, bitmap(label(cloud, code)))
    cloud.clock.advance(10)

    view = explain(shown, "space", "4-117")

    assert view.link == "labels"
    assert view.verdict.startswith(f"An image covers what label {code} would show")
    assert view.labels[0]["image"] is True
    assert view.fix == f"electis label link {code} 4-117 --store 001 --again"
    assert explain(shown, "label", code).fix == view.fix

    labels.link_label(shown, code, "4-117", again=True)
    assert mended(shown, cloud).link == "none"


def bitmap(device):
    """A picture of just the size of a label."""
    head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
    return (
        head
        + device.width.to_bytes(4, "big")
        + device.height.to_bytes(4, "big")
        + b"\x08\x00\x00\x00\x00" * 4
    )


def test_a_label_that_somebody_linked_elsewhere_is_named_for_both_articles(shown, cloud):
    other_space(shown)
    code = label_codes(cloud)[0]
    link(cloud, code, "4-118")

    lost, found = explain(shown, "space", "4-117"), explain(shown, "space", "4-118")

    assert (lost.link, found.link) == ("labels", "labels")
    assert lost.verdict == (
        f"Somebody linked label {code} to 4-118 at AIMS; the database wants 4-117 on it. A full sync would take"
        " that over."
    )
    assert found.verdict == lost.verdict
    assert (lost.labels[0]["linked_to"], found.labels[0]["article"]) == (["4-118"], "4-117")
    assert lost.fix == found.fix == f"electis label link {code} 4-117 --store 001 --again"
    assert explain(shown, "label", code).verdict == lost.verdict

    labels.link_label(shown, code, "4-117", again=True)
    assert mended(shown, cloud).link == "none"
    assert cloud.store("ACME", "001").labels[code].articles == ["4-117"]


def test_a_label_that_somebody_unlinked_is_named(shown, cloud):
    code = label_codes(cloud)[0]
    with cloud.lock:
        label(cloud, code).articles = []
        cloud.store("ACME", "001").links_changed()

    view = explain(shown, "space", "4-117")

    assert view.verdict == f"Somebody unlinked label {code} at AIMS; the database wants 4-117 on it."
    assert view.fix == f"electis label link {code} 4-117 --store 001 --again"
    labels.link_label(shown, code, "4-117", again=True)
    assert mended(shown, cloud).link == "none"


def test_a_label_that_was_unlinked_here_and_linked_again_at_aims_is_named(shown, cloud):
    code = label_codes(cloud)[0]
    labels.unlink_label(shown, code)
    push(shown)
    cloud.clock.advance(10)
    link(cloud, code, "4-117")

    view = explain(shown, "space", "4-117")

    assert view.verdict.startswith(
        f"Somebody linked label {code} to 4-117 at AIMS; the database wants nothing"
    )
    assert view.fix == f"electis label unlink {code} --store 001 --again"
    assert explain(shown, "label", code).fix == view.fix
    labels.unlink_label(shown, code, again=True)
    assert mended(shown, cloud).fix == "electis label link LABEL 4-117"
    assert label(cloud, code).articles == []


def test_a_label_that_was_carried_to_another_store_is_named(shown, cloud):
    code = label_codes(cloud)[0]
    with cloud.lock:
        there = cloud.store("ACME", "002")
        there.labels[code] = cloud.store("ACME", "001").labels.pop(code)
        there.labels[code].articles = []
        there.links_changed()
        cloud.store("ACME", "001").links_changed()

    view = explain(shown, "space", "4-117")

    assert view.verdict == f"AIMS has label {code} in store 002; the database wants it here, on 4-117."
    labels.link_label(shown, code, "4-117", again=True)
    assert mended(shown, cloud).link == "none", "a link moves it"


def test_an_unlink_that_waits_in_a_paused_store_is_named(shown, cloud):
    code = label_codes(cloud)[0]
    labels.unlink_label(shown, code)

    assert explain(shown, "space", "4-117").verdict == (
        f"Label {code} still shows 4-117 at AIMS; that it shows nothing waits in the queue."
    )
    pause(shown, "fair")
    for noun, identifier in (("space", "4-117"), ("label", code)):
        view = explain(shown, noun, identifier)
        assert (view.link, view.fix) == ("store", "electis queue resume --store 001")
        assert view.verdict == f"Somebody paused the queue of store 001: fair. Label {code} waits for it."

    pause(shown, None)
    assert mended(shown, cloud).fix == "electis label link LABEL 4-117"
    assert explain(shown, "label", code).link == "row"


def pause(scope, why):
    with changing(scope, "sync") as change:
        values = {"paused_at": change.now if why else None, "paused_why": why}
        stores.update_store(change.uow, store_of(scope).id, values)


def test_a_label_that_waits_for_its_next_article_is_named_for_both(shown, cloud):
    other_space(shown)
    code = label_codes(cloud)[0]
    labels.link_label(shown, code, "4-118")

    for space in ("4-117", "4-118"):
        view = explain(shown, "space", space)
        assert (
            view.verdict == f"Label {code} still shows 4-117 at AIMS; that it shows 4-118 waits in the queue."
        )
        assert view.fix == "electis queue drain --store 001"
    assert mended(shown, cloud, identifier="4-118").link == "none"


# --- what AIMS refused of a label, and what mends it ----------------------------------------------------------------


@pytest.fixture
def whitelisted(shown, cloud):
    """A second label of the space, in a store where AIMS asks for a whitelist, refused for it."""
    with cloud.lock:
        cloud.store("ACME", "001").whitelist_on = True
    labels.link_label(shown, label_codes(cloud, 2)[1], "4-117")
    push(shown)
    return shown


def test_a_label_that_is_on_no_whitelist_is_mended_by_the_whitelist(whitelisted, cloud):
    code = label_codes(cloud, 2)[1]

    view = explain(whitelisted, "space", "4-117")

    assert view.verdict == (
        f"AIMS refused the link of label {code}: AIMS answered 405: label is not in the whiteList. The store has a"
        " whitelist, and this label is not on it."
    )
    assert view.fix == f"electis aims whitelist add {code} --store 001"
    done = aims_whitelist.change_whitelist(whitelisted, [code], add=True, store="001")
    assert [item.retried for item in done] == [True]
    assert mended(whitelisted, cloud).link == "none", "adding it revived the link"
    assert letters_of(whitelisted) == []


def test_a_whitelist_revives_only_what_was_refused_for_it(whitelisted, cloud):
    first, code, other = label_codes(cloud, 3)
    labels.link_label(whitelisted, other, "4-117")
    push(whitelisted)
    with changing(whitelisted, "sync") as change:
        stored_labels.update_wish(change.uow, other, {"error_text": "LABEL_QUOTA_REACHED"})

    assert not aims_whitelist.change_whitelist(whitelisted, [code], add=True, dry_run=True)[0].retried
    done = aims_whitelist.change_whitelist(whitelisted, [first, code, other], add=True)

    assert [item.retried for item in done] == [False, True, False]
    assert wish_of(whitelisted, other).state == "failed"


def test_a_label_code_that_is_none_is_unlinked(shown, cloud):
    labels.link_label(shown, "0848A6EBE2B1", "4-117")
    push(shown)

    view = explain(shown, "space", "4-117")

    assert "LABEL_CODE_CHECKSUM_IS_NOT_VALID" in view.verdict
    assert view.verdict.endswith("Unlink it, then link the one that hangs there.")
    assert view.fix == "electis label unlink 0848A6EBE2B1 --store 001"
    labels.unlink_label(shown, "0848A6EBE2B1")
    assert mended(shown, cloud).link == "none"


def test_a_refused_page_is_no_refused_link(shown, cloud):
    code = label_codes(cloud)[0]
    with cloud.lock:
        label(cloud, code).pages = 2
    label_actions.flip_label(shown, code, 7)
    push(shown)

    view = explain(shown, "space", "4-117")

    assert view.verdict.startswith(f"AIMS refused page 7 of label {code}: ")
    assert view.fix == f"electis label flip {code} 2 --store 001", "it holds two"
    label_actions.flip_label(shown, code, 2)
    assert mended(shown, cloud).link == "none"


def test_a_refused_page_of_a_rooms_label_is_flipped_by_force(shown, cloud):
    code = label_codes(cloud, 2)[1]
    with cloud.lock:
        label(cloud, code).pages = 1
    create_room(shown, "3")
    labels.link_label(shown, code, "C3")
    toggle_meeting(shown, "3")
    push(shown)

    view = explain(shown, "conference", "3")

    assert view.fix == f"electis label flip {code} 1 --store 001 --force"
    label_actions.flip_label(shown, code, 1, force=True)
    assert mended(shown, cloud, "conference", "3").link == "none"


def test_a_page_that_aims_took_and_does_not_show_is_sent_again(shown, cloud):
    code = label_codes(cloud)[0]
    label_actions.flip_label(shown, code, 2)
    push(shown)
    with cloud.lock:
        device = label(cloud, code)
        device.page, device.coming, device.shown.page = 1, None, 1

    view = explain(shown, "space", "4-117")

    assert view.verdict == f"Label {code} shows page 1 instead of 2, which AIMS took."
    assert view.fix == f"electis label link {code} 4-117 --store 001 --again"
    labels.link_label(shown, code, "4-117", again=True)
    assert mended(shown, cloud).link == "none"
    assert label(cloud, code).page == 2


def test_a_label_that_waits_behind_a_stopped_queue_names_what_stopped_it(shown, cloud):
    code = label_codes(cloud, 2)[1]
    labels.link_label(shown, code, "4-117")
    with changing(shown, "sync") as change:
        accounts.save_account(change.uow, {"breaker": "open", "breaker_reason": "login"})

    view = explain(shown, "space", "4-117")

    assert (view.link, view.fix) == ("account", "electis aims configure --replace")
    assert view.verdict.endswith(f"Label {code} waits for it.")
    with changing(shown, "sync") as change:
        accounts.save_account(change.uow, {"breaker": "closed", "breaker_reason": None})
    pause(shown, "fair")
    assert explain(shown, "space", "4-117").fix == "electis queue resume --store 001"


# --- which side wins ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "title"), [("TITLE", "theirs"), ("PHONE", "17")], ids=["changed", "added"]
)
def test_a_foreign_value_would_be_taken_in_and_the_fix_puts_ours_back(shown, cloud, clock, column, title):
    clock.advance(1000)
    edit(cloud, "4-117", **{column: title})

    view = explain(shown, "space", "4-117")

    assert "A full sync takes it into the database" in view.verdict
    ours = "--set TITLE=Window" if column == "TITLE" else "--unset PHONE"
    assert view.fix == (
        f"electis sync full --store 001 --no-window && electis people update P1 {ours} --store 001"
    )
    sync(shown, believe_at_once=True)
    assert column in people.show_person(shown, "P1").data, "it was taken in"
    people.update_person(shown, "P1", data={column: "Window" if column == "TITLE" else ""})
    assert mended(shown, cloud).link == "none"
    assert article(cloud, "4-117").data[column] == ("Window" if column == "TITLE" else "")


def test_a_name_somebody_gave_at_aims_is_put_back_in_the_column_it_is_taken_into(shown, cloud, clock):
    before = people.show_person(shown, "P1").data["ITEM_NAME"]
    clock.advance(1000)
    with cloud.lock:
        cloud.store("ACME", "001").articles["4-117"].name = "Theirs"

    view = explain(shown, "space", "4-117")

    ours = shlex.quote(f"ITEM_NAME={before}")
    assert view.fix.endswith(f"electis people update P1 --set {ours} --store 001")
    sync(shown, believe_at_once=True)
    people.update_person(shown, "P1", data={"ITEM_NAME": before})
    assert mended(shown, cloud).link == "none"


def test_a_foreign_value_of_a_room_is_overwritten(shown, cloud, clock):
    create_room(shown, "3", name="Board room")
    push(shown)
    clock.advance(1000)
    edit(cloud, "C3", name="Theirs")

    view = explain(shown, "conference", "3")

    assert (
        view.verdict == "AIMS shows a value somebody wrote there in ITEM_NAME. A full sync sends ours again."
    )
    assert view.fix == "electis sync full --store 001 --no-window"
    sync(shown, believe_at_once=True)
    assert mended(shown, cloud, "conference", "3").fix == "electis label link LABEL C3"


def test_an_older_value_of_ours_is_sent_again_by_the_second_full_sync(shown, cloud, clock):
    spaces.update_space(shown, "4-117", data={"TITLE": "Door"})
    push(shown)
    clock.advance(1000)
    edit(cloud, "4-117", TITLE="Window")

    view = explain(shown, "space", "4-117")

    assert "an older value of ours in TITLE" in view.verdict
    assert view.fix == "electis sync full --store 001 && sleep 120 && electis sync full --store 001"
    sync_twice(shown, clock)
    assert mended(shown, cloud).link == "none"


def test_a_foreign_value_that_a_person_must_judge_is_resolved(shown, cloud, clock):
    with shown.runtime.database.write(shown.org_id) as uow:
        organizations.update_organization(uow, shown.org_id, {"strategy": "manual"})
        uow.commit()
    create_room(shown, "3", name="Board room")
    push(shown)
    clock.advance(1000)
    edit(cloud, "C3", name="Theirs")

    view = explain(shown, "conference", "3")

    assert view.fix == (
        "electis sync full --store 001 --no-window && electis sync resolve C3 --ours --store 001"
    )
    sync(shown, believe_at_once=True)
    resolve_conflict(shown, "C3", take_ours=True)
    assert mended(shown, cloud, "conference", "3").fix == "electis label link LABEL C3"


# --- a hurried way in -----------------------------------------------------------------------------------------------


def test_who_has_only_a_name_is_sent_to_find(shown):
    with pytest.raises(PersonNotFound) as caught:
        explain(shown, "person", "Dana Levi")
    assert caught.value.fix == "electis find 'Dana Levi'"


def test_a_label_that_only_aims_knows_is_explained_by_the_article_it_shows(shown, cloud):
    other = label_codes(cloud, 2)[1]
    link(cloud, other, "4-117")

    view = explain(shown, "label", other)

    assert (view.store, view.row["article"], view.labels[0]["linked_to"]) == ("001", None, ["4-117"])
    assert view.link == "none"
    with cloud.lock:
        cloud.store("ACME", "001").articles["4-117"].data["TITLE"] = "theirs"
    assert explain(shown, "label", other).link == "aims"


def test_a_label_that_only_aims_knows_and_that_shows_nothing_of_ours(shown, cloud):
    free, foreign = label_codes(cloud, 3)[1:]
    put(cloud, "X", name="Stranger")
    link(cloud, foreign, "X")

    view = explain(shown, "label", foreign)

    assert view.verdict == (
        f"Nothing is wished of label {foreign}: somebody linked it to X at AIMS, which the database does not have, or"
        " not alone."
    )
    assert view.fix == f"electis label link {foreign} ARTICLE_ID"
    assert explain(shown, "label", free).verdict == (
        f"Nothing is wished of label {free}: no article is linked to it."
    )
    with pytest.raises(LabelNotFound):
        explain(shown, "label", "0848A6EBE2B0")


def test_a_refused_label_shows_its_own_last_call(whitelisted, cloud):
    view = explain(whitelisted, "label", label_codes(cloud, 2)[1])

    assert view.last_push["call"] == "POST /api/v2/common/labels/link"
    assert view.last_push["answer"] == "405 label is not in the whiteList"
