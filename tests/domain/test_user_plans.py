"""What a file makes of users, and what takes a change of users back."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from electis_cli.domain.access import Role
from electis_cli.domain.bulk.cells import CellRow
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import Mode
from electis_cli.domain.bulk.planning import Notes
from electis_cli.domain.bulk.problems import Findings
from electis_cli.domain.bulk.users import (
    UserFacts,
    UserGround,
    change_user,
    check_name,
    image_of_user,
    plan_undo,
    plan_users,
    read_role,
    user_change,
    user_of_image,
)
from electis_cli.domain.errors import InvalidInput

BOSS = UserFacts(id="u1", email="boss@acme.example", role=Role.ADMIN)
SECOND = UserFacts(id="u2", email="second@acme.example", role=Role.ADMIN)
VIEWER = UserFacts(
    id="u3", email="viewer@acme.example", role=Role.VIEWER, store="001", first_name="Dana", last_name="Levi"
)
GONE = UserFacts(id="u4", email="gone@acme.example", role=Role.MANAGER, is_active=False)
PLACES = {"email": 1, "role": 2, "first_name": 3, "last_name": 4, "store": 5}


def plan(rows, current=(BOSS, VIEWER), *, mode=Mode.UPSERT, acting="u1", taken=(), places=PLACES):
    """Plan rows (key and cells) and return the plan and the problems as (line, column, code)."""
    numbers = itertools.count(1)
    findings = Findings("users.csv")
    ground = UserGround(
        stores={"001", "002"},
        is_taken=lambda email: email in taken,
        new_id=lambda: f"new-{next(numbers)}",
        mode=mode,
        acting=acting,
    )
    notes = Notes(noun=Noun.USER, key="email", places=places, findings=findings)
    cells = [CellRow(line, key, values) for line, (key, values) in enumerate(rows, start=2)]
    made = plan_users(cells, {facts.email: facts for facts in current}, ground, notes)
    return made, findings


def told(findings):
    return [(item.line, item.column, item.code) for item in findings.problems]


def test_a_row_changes_what_its_cells_say_and_clears_with_empty_ones():
    made, findings = plan(
        [("VIEWER@acme.example", {"role": " Manager ", "first_name": "", "last_name": " Planted  Levi "})]
    )

    assert told(findings) == []
    [step] = made.steps
    assert (step.before, step.line) == (VIEWER, 2)
    assert step.after == replace(VIEWER, role=Role.MANAGER, first_name=None, last_name="Planted Levi")
    assert (made.created, made.updated, made.unchanged) == ([], 1, 0)


def test_a_row_that_says_what_is_there_changes_nothing():
    cells = {"role": "VIEWER", "store": " 001 ", "first_name": "Dana", "last_name": "Levi"}

    made, findings = plan([(VIEWER.email, cells), (BOSS.email, {})])

    assert (made.steps, made.unchanged, told(findings)) == ([], 2, [])


def test_a_new_user_needs_a_role_wherever_it_would_be_missing():
    for cells, places in (({"role": " "}, PLACES), ({}, PLACES)):
        made, findings = plan([("noa@acme.example", cells)], places=places)
        assert (made.steps, told(findings)) == ([], [(2, 2, "E-INPUT")])

    _, findings = plan([("noa@acme.example", {})], places={"email": 1})
    assert told(findings) == [(2, 1, "E-INPUT")], "a file without the column: the row is to blame"


def test_somebody_who_is_there_can_not_lose_their_role():
    made, findings = plan([(VIEWER.email, {"role": ""})])

    assert (made.steps, told(findings)) == ([], [(2, 2, "E-INPUT")])


@pytest.mark.parametrize(
    ("key", "cells", "problems"),
    [
        ("", {"role": "viewer"}, [(2, 1, "E-INPUT")]),
        ("nobody", {"role": "viewer"}, [(2, 1, "E-INPUT")]),
        ("noa@acme.example", {"role": "boss"}, [(2, 2, "E-INPUT")]),
        ("noa@acme.example", {"role": "support"}, [(2, 2, "E-INPUT")]),
        ("noa@acme.example", {"role": "platform_admin"}, [(2, 2, "E-INPUT")]),
        ("noa@acme.example", {"role": "viewer", "first_name": "x" * 201}, [(2, 3, "E-INPUT")]),
        ("noa@acme.example", {"role": "viewer", "last_name": "x\0y"}, [(2, 4, "E-INPUT")]),
        ("noa@acme.example", {"role": "viewer", "store": "009"}, [(2, 5, "E-STORE-NOT-FOUND")]),
        ("noa@acme.example", {"role": "admin", "store": "001"}, [(2, 5, "E-INPUT")]),
        (VIEWER.email, {"role": "admin"}, [(2, 2, "E-INPUT")]),
        (
            "noa@acme.example",
            {"role": "bos", "first_name": "\x7f", "store": "1"},
            [(2, 2, "E-INPUT"), (2, 3, "E-INPUT"), (2, 5, "E-STORE-NOT-FOUND")],
        ),
    ],
)
def test_each_wrong_cell_is_named(key, cells, problems):
    made, findings = plan([(key, cells)])

    assert (made.steps, told(findings)) == ([], problems)


def test_a_typing_mistake_in_an_admins_role_says_nothing_of_their_store():
    _, findings = plan([(BOSS.email, {"role": "managr", "store": "001"})])

    assert told(findings) == [(2, 2, "E-INPUT")]


def test_somebody_limited_to_a_store_becomes_admin_when_the_same_row_lifts_it():
    made, findings = plan([(VIEWER.email, {"role": "admin", "store": ""})])

    assert told(findings) == []
    assert (made.steps[0].after.role, made.steps[0].after.store) == (Role.ADMIN, None)


def test_of_two_rows_for_one_user_the_second_is_wrong_and_names_both():
    made, findings = plan(
        [("noa@acme.example", {"role": "viewer"}), (" NOA@Acme.Example ", {"role": "admin"})]
    )

    assert [facts.role for facts in made.created] == [Role.VIEWER]
    assert told(findings) == [(3, 1, "E-KEY-TWICE")]
    assert "Lines 2 and 3" in findings.problems[0].message


def test_a_taken_email_is_asked_for_new_users_only():
    everybody = {"noa@acme.example", VIEWER.email}

    made, findings = plan(
        [("noa@acme.example", {"role": "boss"}), (VIEWER.email, {"last_name": "Cohen"})], taken=everybody
    )

    assert told(findings) == [(2, 1, "E-EMAIL-TAKEN"), (2, 2, "E-INPUT")]
    assert [step.after.email for step in made.steps] == [VIEWER.email]
    _, findings = plan([("noa@acme.example", {})], mode=Mode.UPDATE, taken=everybody)
    assert told(findings) == [(2, 1, "E-UNKNOWN")], "whether it is taken elsewhere is not told"


@pytest.mark.parametrize(
    ("mode", "problems", "count"),
    [
        (Mode.UPSERT, [], 2),
        (Mode.CREATE, [(2, 1, "E-EXISTS")], 1),
        (Mode.UPDATE, [(3, 1, "E-UNKNOWN")], 1),
    ],
)
def test_modes_say_what_rows_may_do(mode, problems, count):
    made, findings = plan(
        [(VIEWER.email, {"role": "manager"}), ("noa@acme.example", {"role": "viewer"})], mode=mode
    )

    assert (told(findings), len(made.steps)) == (problems, count)


def test_a_file_that_is_the_truth_deactivates_the_others_but_not_whoever_imports_it():
    made, findings = plan(
        [("noa@acme.example", {"role": "viewer"})], [BOSS, SECOND, VIEWER, GONE], mode=Mode.REPLACE
    )

    assert told(findings) == []
    assert [(step.after.email, step.after.is_active) for step in made.steps] == [
        ("noa@acme.example", True),
        (SECOND.email, False),
        (VIEWER.email, False),
    ]
    assert (len(made.created), made.updated, made.deactivated) == (1, 0, 2)
    assert all(step.line is None for step in made.steps if step.deactivates)


def test_who_was_shut_out_by_hand_stays_so_whatever_a_file_says():
    for mode in (Mode.UPSERT, Mode.REPLACE):
        made, _ = plan([(BOSS.email, {}), (GONE.email, {"last_name": "Cohen"})], [BOSS, GONE], mode=mode)
        assert [(step.after.last_name, step.after.is_active) for step in made.steps] == [("Cohen", False)]


def test_the_last_row_that_demotes_every_admin_is_to_blame():
    rows = [
        (SECOND.email, {"role": "manager"}),
        (VIEWER.email, {"role": "viewer"}),
        (BOSS.email, {"role": "viewer"}),
    ]
    made, findings = plan(rows, [BOSS, SECOND, VIEWER])

    assert made.leaves_no_admin
    assert told(findings) == [(4, 2, "E-LAST-ADMIN")]
    made, findings = plan(rows[:2], [BOSS, SECOND, VIEWER])
    assert (made.leaves_no_admin, told(findings)) == (False, [])


def test_admins_may_hand_over_within_one_file():
    made, findings = plan([(BOSS.email, {"role": "viewer"}), ("noa@acme.example", {"role": "admin"})])

    assert (made.leaves_no_admin, told(findings), len(made.steps)) == (False, [], 2)


def test_a_deactivated_admin_is_no_admin():
    made, findings = plan([(BOSS.email, {"role": "viewer"})], [BOSS, replace(SECOND, is_active=False)])

    assert (made.leaves_no_admin, told(findings)) == (True, [(2, 2, "E-LAST-ADMIN")])


def test_a_file_that_is_the_truth_and_names_no_admin_is_refused():
    made, findings = plan(
        [(VIEWER.email, {})], [BOSS, SECOND, VIEWER], mode=Mode.REPLACE, acting="somebody of the platform"
    )

    assert (made.leaves_no_admin, told(findings)) == (True, [(None, None, "E-LAST-ADMIN")])


def test_an_organization_that_has_no_admin_anyway_can_still_be_imported_into():
    made, findings = plan([(VIEWER.email, {"role": "manager"})], [VIEWER], acting=None)

    assert (made.leaves_no_admin, told(findings), made.updated) == (False, [], 1)


def test_an_image_holds_nothing_that_lets_anybody_in_and_makes_the_user_again():
    image = image_of_user(VIEWER)

    assert set(image) == {"role", "store", "first_name", "last_name", "is_active"}
    assert user_of_image(image, row_id=VIEWER.id, email=VIEWER.email) == VIEWER


def test_roles_are_words_and_names_are_tidied():
    assert [read_role(text) for text in ("admin", " Viewer", "MANAGER")] == [
        Role.ADMIN,
        Role.VIEWER,
        Role.MANAGER,
    ]
    assert [check_name(text) for text in (" Dana  Levi\n", " ", "x" * 200)] == ["Dana Levi", None, "x" * 200]
    with pytest.raises(InvalidInput):
        check_name("Da\x00na")


def test_a_callback_that_raises_ends_the_check_of_a_single_write():
    def refuse(name, error):
        raise error

    with pytest.raises(InvalidInput):
        change_user(VIEWER, {"role": "boss"}, {"001"}, refuse)


def undo(changes, now, *, stores=("001", "002"), acting="u1"):
    """Plan what takes changes back from what is there `now`."""
    rows = [user_change(before, after) for before, after in changes]
    return plan_undo(rows, {facts.id: facts for facts in now}, stores, acting)


def test_an_undo_takes_back_what_nobody_changed_since():
    promoted, out = replace(VIEWER, role=Role.MANAGER, store="002"), replace(SECOND, is_active=False)
    new = UserFacts(id="u5", email="noa@acme.example", role=Role.VIEWER)

    steps, kept = undo([(VIEWER, promoted), (SECOND, out), (None, new)], [BOSS, promoted, out, new])

    assert kept == []
    assert [step.after for step in steps] == [replace(new, is_active=False), SECOND, VIEWER]


def test_an_undo_leaves_what_somebody_changed_since():
    promoted = replace(VIEWER, role=Role.MANAGER)

    for current in ([BOSS, replace(promoted, last_name="Cohen")], [BOSS]):
        steps, kept = undo([(VIEWER, promoted)], current)
        assert (steps, kept) == ([], [(VIEWER.email, "somebody changed it since")])


def test_an_undo_does_not_bring_back_a_store_that_is_gone():
    moved = replace(VIEWER, store="002")

    steps, kept = undo([(VIEWER, moved)], [BOSS, moved], stores=["002"])

    assert (steps, kept) == ([], [(VIEWER.email, "the store 001 is not there any more")])


def test_nobody_locks_themselves_out_by_an_undo():
    steps, kept = undo([(None, SECOND), (None, VIEWER)], [BOSS, SECOND, VIEWER], acting=SECOND.id)

    assert [step.after.email for step in steps] == [VIEWER.email]
    assert kept == [(SECOND.email, "nobody deactivates themselves by an undo")]


def test_an_undo_leaves_the_last_active_admin_and_counts_those_it_brings_back():
    was_viewer = replace(BOSS, role=Role.VIEWER)

    steps, kept = undo([(was_viewer, BOSS)], [BOSS, VIEWER])
    assert (steps, kept) == ([], [(BOSS.email, "it is the last active admin")])

    demoted = replace(SECOND, role=Role.VIEWER)
    steps, kept = undo([(SECOND, demoted), (was_viewer, BOSS)], [BOSS, demoted])
    assert (len(steps), kept) == (2, []), "one comes back, so the other may go"

    steps, kept = undo([(None, SECOND), (was_viewer, BOSS)], [BOSS, SECOND], acting=None)
    assert ([step.after.email for step in steps], kept) == (
        [BOSS.email],
        [(SECOND.email, "it is the last active admin")],
    )
