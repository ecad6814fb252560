"""Taking changes back: what nobody changed since is as before, what somebody did stays and is told."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from electis_cli.db import changesets, trail
from electis_cli.domain.access import Role
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import Mode
from electis_cli.domain.conference import Meeting
from electis_cli.domain.errors import ChangesetNotFound, Conflict, LockHeld, PermissionRefused
from electis_cli.services import conferences, labels, people, spaces
from electis_cli.services.bulk.history import list_history, show_history
from electis_cli.services.bulk.seating import swap_people, unassign_everybody
from electis_cli.services.bulk.undoing import undo
from tests.world.facts import bumped, every_row, facts_of, ledger_of
from tests.world.importing import import_labels, import_people, import_rooms, import_spaces
from tests.world.planted import HEBREW_PERSON, PERSON

pytestmark = pytest.mark.slow

LABEL, OTHER_LABEL = "0848A6EBE2B0", "0848A6EBE2B1"


def fill(scope):
    """Spaces 4-1 to 4-4, A in 4-1 and B in 4-2, D nowhere, rooms 3 and 4, a label on 4-1 and one on room 3."""
    import_spaces(scope, b"external_id,TITLE\n4-1,corner\n4-2,\n4-3,\n4-4,\n")
    people_file = f"external_id,space,ITEM_NAME\nA,4-1,{PERSON}\nB,4-2,{HEBREW_PERSON}\nD,,\n"
    import_people(scope, people_file.encode())
    import_rooms(scope, b"external_id,meeting_name\n3,Planning\n4,\n")
    import_labels(scope, f"label,article\n{LABEL},4-1\n{OTHER_LABEL},C3\n".encode())
    return scope


@pytest.fixture
def store(scope):
    return fill(scope)


def latest(scope):
    return list_history(scope)[0]


def kept(view):
    return [(one.noun, one.key, one.why) for one in view.kept_rows]


# --- single writes --------------------------------------------------------------------------------------------------

WRITES = {
    "space create": lambda scope: spaces.create_space(scope, "4-9", data={"TITLE": "new"}),
    "space update": lambda scope: spaces.update_space(scope, "4-1", data={"TITLE": "", "PHONE": "03"}),
    "space delete": lambda scope: spaces.delete_space(scope, "4-3"),
    "space delete of a linked one": lambda scope: spaces.delete_space(scope, "4-1", unassign_person=True),
    "space delete --unassign": lambda scope: spaces.delete_space(scope, "4-2", unassign_person=True),
    "people create": lambda scope: people.create_person(scope, "E", data={"ITEM_NAME": PERSON}, space="4-3"),
    "people create without an id": lambda scope: people.create_person(scope, None, data={}),
    "people update": lambda scope: people.update_person(scope, "A", data={"ITEM_NAME": "", "TITLE": "x"}),
    "people delete": lambda scope: people.delete_person(scope, "A"),
    "people assign": lambda scope: people.assign_person(scope, "D", "4-3"),
    "people assign of somebody who sits": lambda scope: people.assign_person(scope, "A", "4-3"),
    "people unassign": lambda scope: people.unassign_person(scope, "A"),
    "people move": lambda scope: people.assign_person(scope, "B", "4-4", moving=True),
    "people swap": lambda scope: swap_people(scope, "A", "B"),
    "people unassign --all": unassign_everybody,
    "conference create": lambda scope: conferences.create_room(scope, "5", name="Board"),
    "conference update": lambda scope: conferences.update_room(scope, "3", name="Curie"),
    "conference delete": lambda scope: conferences.delete_room(scope, "3"),
    "conference toggle off": lambda scope: conferences.toggle_meeting(scope, "3", turn_on=False),
    "conference toggle on": lambda scope: conferences.toggle_meeting(
        scope, "4", meeting=Meeting(name="Lunch", start_time="12:00", end_time="13:00", participants=["A"])
    ),
    "label link": lambda scope: labels.link_label(scope, "0848A6EBE2B2", "4-3"),
    "label link elsewhere": lambda scope: labels.link_label(scope, LABEL, "C4"),
    "label unlink": lambda scope: labels.unlink_label(scope, OTHER_LABEL),
}


def test_every_single_write_is_taken_back_and_done_again(bench):
    for number, (name, write) in enumerate(WRITES.items()):
        store = fill(bench.organization(f"ORG{number}"))
        before, rows = facts_of(store), ledger_of(store)
        count = len(list_history(store))
        write(store)
        after, rows_after = facts_of(store), ledger_of(store)
        assert (after != before, len(list_history(store))) == (True, count + 1), name

        undone = undo(store, latest(store).id)

        assert (facts_of(store), kept(undone)) == (before, []), name
        assert bumped(rows_after, ledger_of(store)) == bumped(rows, rows_after), name
        undo(store, undone.changeset)
        assert facts_of(store) == after, name


NOTHING = {
    "space": lambda scope: spaces.update_space(scope, "4-1", data={"TITLE": "corner"}),
    "person": lambda scope: people.assign_person(scope, "A", "4-1"),
    "nobody": lambda scope: people.unassign_person(scope, "D"),
    "room": lambda scope: conferences.toggle_meeting(scope, "4", turn_on=False),
    "label": lambda scope: labels.link_label(scope, LABEL, "4-1"),
    "a dry run": lambda scope: spaces.create_space(scope, "4-9", data={}, dry_run=True),
}


def test_a_write_that_changes_nothing_is_no_change_to_take_back(store):
    count = len(list_history(store))

    for name, write in NOTHING.items():
        write(store)
        assert len(list_history(store)) == count, name


# --- what somebody changed since ------------------------------------------------------------------------------------


def test_rows_that_somebody_changed_since_are_kept_and_told_and_the_others_restored(store):
    before = facts_of(store)
    view = import_people(store, b"external_id,space,TITLE\nA,4-3,x\nB,4-1,x\nD,4-2,x\nE,4-4,x\n")
    people.update_person(store, "B", data={"TITLE": "mine"})
    people.update_person(store, "E", data={"PHONE": "03"})

    tried = undo(store, view.changeset, dry_run=True)
    undone = undo(store, view.changeset)

    assert (
        kept(tried)
        == kept(undone)
        == [
            ("person", "E", "somebody changed it since"),
            ("person", "B", "somebody changed it since"),
            ("person", "A", "person B sits there by now"),
        ]
    )
    assert (undone.created, undone.updated, undone.deleted, undone.kept) == (0, 1, 0, 3)
    seats = {one.external_id: (one.space, one.data.get("TITLE")) for one in people.list_people(store)}
    assert seats == {"A": ("4-3", "x"), "B": ("4-1", "mine"), "D": (None, None), "E": ("4-4", "x")}
    assert facts_of(store)["spaces"] == before["spaces"]
    assert latest(store).counts == {"created": 0, "updated": 1, "deleted": 0, "kept": 3}


def test_a_space_in_which_somebody_sits_by_now_is_not_taken_back(store):
    view = import_spaces(store, b"external_id\n5-1\n5-2\n")
    people.assign_person(store, "D", "5-1")

    undone = undo(store, view.changeset)

    assert kept(undone) == [("space", "5-1", "person D sits there by now")]
    assert (undone.deleted, people.show_person(store, "D").space) == (1, "5-1")
    assert [one.external_id for one in spaces.list_spaces(store) if one.external_id > "5"] == ["5-1"]


def test_somebody_whose_space_is_gone_is_not_seated_there_again(store):
    people.unassign_person(store, "A")
    change = latest(store).id
    spaces.delete_space(store, "4-1")

    with pytest.raises(Conflict) as caught:
        undo(store, change)

    assert caught.value.message == f"Nothing of change {change} can be taken back."
    assert caught.value.why == "person A: the space 4-1 is not there any more."
    assert caught.value.fix == f"electis history show {change}"


def test_a_space_whose_article_id_is_a_rooms_by_now_does_not_come_back(scope):
    import_spaces(scope, b"external_id\nC7\n4-1\n")
    change = import_spaces(scope, b"external_id\n4-1\n", mode=Mode.REPLACE, max_deletes=9).changeset
    conferences.create_room(scope, "7")

    with pytest.raises(Conflict, match="can be taken back") as caught:
        undo(scope, change)
    assert caught.value.why == "space C7: its article id belongs to 7 by now."


def test_a_label_whose_article_is_gone_keeps_what_it_shows(store):
    labels.unlink_label(store, LABEL)
    change = latest(store).id
    people.unassign_person(store, "A")
    spaces.delete_space(store, "4-1")

    with pytest.raises(Conflict) as caught:
        undo(store, change)

    assert caught.value.why == f"label {LABEL}: the article 4-1 is not there any more."


def test_changes_are_taken_back_in_any_order_as_far_as_they_do_not_meet(store):
    before = facts_of(store)
    first = import_people(store, b"external_id,space\nA,4-3\n").changeset
    second = import_people(store, b"external_id,space\nB,4-4\n").changeset

    undo(store, first)
    undo(store, second)

    assert facts_of(store) == before


# --- twice, at once, and by whom ------------------------------------------------------------------------------------


def test_a_change_is_taken_back_once(store):
    change = import_people(store, b"external_id,space\nA,4-3\n").changeset
    undone = undo(store, change)
    before = every_row(store)

    with pytest.raises(Conflict) as caught:
        undo(store, change)

    assert caught.value.message == f"Change {change} was taken back already."
    assert caught.value.fix == f"electis undo {undone.changeset}"
    assert every_row(store) == before
    history = {one.id: (one.undone, one.undone_by, one.undoes) for one in list_history(store)}
    assert history[change] == (True, undone.changeset, None)
    assert history[undone.changeset] == (False, None, change)


def test_of_two_who_take_it_back_at_once_one_is_refused(store, open_database, make_runtime):

    change = import_people(store, b"external_id,space\nA,4-3\nB,4-1\n").changeset
    inside, go_on = threading.Event(), threading.Event()
    told = []

    def reached(point):
        if point == "bulk:written":
            inside.set()
            assert go_on.wait(30)

    def run():
        slow = replace(store, runtime=make_runtime(store.runtime.database, reached=reached))
        told.append(undo(slow, change).updated)

    thread = threading.Thread(target=run)
    thread.start()
    assert inside.wait(30)
    other = replace(store, runtime=make_runtime(open_database()))
    with pytest.raises(LockHeld):
        undo(other, change)
    go_on.set()
    thread.join()

    assert told == [2]
    with pytest.raises(Conflict, match="taken back already"):
        undo(other, change)


def test_a_dry_run_of_undo_shows_it_and_changes_nothing(store):
    change = import_people(store, b"external_id,space\nA,4-3\nB,4-1\n").changeset
    before = every_row(store)

    view = undo(store, change, dry_run=True)

    assert (view.updated, view.dry_run, view.changeset, view.label_redraws) == (2, True, None, 1)
    assert [(one.key, one.fields["space"]) for one in view.differences] == [
        ("B", {"before": "4-1", "after": "4-2"}),
        ("A", {"before": "4-3", "after": "4-1"}),
    ]
    assert every_row(store) == before


def test_undo_leaves_one_audit_row_and_one_event_without_names(store):
    change = import_people(store, f"external_id,ITEM_NAME\nA,{HEBREW_PERSON}\n".encode()).changeset

    undone = undo(store, change)

    with store.runtime.database.read(store.org_id) as uow:
        audit, event = trail.list_audit(uow)[-1], trail.list_events(uow)[-1]
    assert (audit["action"], audit["entity_id"], event["name"]) == (
        "person:undone",
        undone.changeset,
        "person:undone",
    )
    counts = {"created": 0, "updated": 1, "deleted": 0, "kept": 0}
    assert audit["after"] == {
        "file": "file.csv",
        "undoes": change,
        "digest": show_history(store, undone.changeset).digest,
        **counts,
    }
    assert event["payload"] == {"id": undone.changeset, "entity": "person", **counts}


def test_only_who_may_change_facts_takes_changes_back_and_only_in_their_stores(bench):
    scope = bench.organization(store_codes=("001", "002"))
    change = import_spaces(scope, b"external_id\n4-1\n", store="001").changeset
    before = every_row(scope)

    with pytest.raises(PermissionRefused):
        undo(bench.as_role(scope, Role.VIEWER), change)
    elsewhere = bench.as_role(scope, Role.MANAGER, store="002")
    for attempt in (lambda: undo(elsewhere, change), lambda: show_history(elsewhere, change)):
        with pytest.raises(ChangesetNotFound):
            attempt()
    assert list_history(elsewhere) == []
    with pytest.raises(ChangesetNotFound):
        undo(scope, "no such change")
    assert every_row(scope) == before
    assert undo(bench.as_role(scope, Role.MANAGER, store="001"), change).deleted == 1


def test_history_shows_who_did_what_and_each_row_before_and_after(store):
    spaces.delete_space(store, "4-2", unassign_person=True)

    newest = latest(store)
    details = show_history(store, newest.id)

    assert (newest.action, newest.noun, newest.actor, newest.counts) == (
        "person:unassigned",
        "person",
        "admin@acme.example",
        {"created": 0, "updated": 1, "deleted": 1},
    )
    assert [(row.change, row.noun, row.key) for row in details.rows] == [
        ("update", "person", "B"),
        ("delete", "space", "4-2"),
    ]
    assert details.rows[0].fields == {"space": {"before": "4-2", "after": None}}
    assert [one.id for one in list_history(store, limit=2)] == [one.id for one in list_history(store)][:2]
    assert {one.noun for one in list_history(store, noun=Noun.LABEL)} == {"label"}


def test_ctrl_c_inside_the_sum_of_what_an_import_writes_is_an_interrupt_and_nothing_is_written(
    scope, monkeypatch
):
    if not scope.runtime.database.is_sqlite:
        pytest.skip("PostgreSQL sums by itself: no Python is inside it")

    def interrupted(self, text):
        raise KeyboardInterrupt

    monkeypatch.setattr(changesets._DigestSum, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        import_spaces(scope, b"external_id\n4-1\n")

    monkeypatch.undo()
    assert list_history(scope) == []
    assert import_spaces(scope, b"external_id\n4-1\n").created == 1
