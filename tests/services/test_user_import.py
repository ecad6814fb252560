"""Users from a file: created, changed and let in no more, all or nothing; and changes of users taken back."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
import sqlalchemy as sa

from electis_cli.adapters.tables.opening import open_table
from electis_cli.db import changesets, trail
from electis_cli.db import users as user_rows
from electis_cli.domain.access import Role, system_actor
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import ImportOptions, Mode, Tolerance
from electis_cli.domain.errors import (
    BrakeTripped,
    ChangedMeanwhile,
    ChangesetNotFound,
    Conflict,
    ElectisError,
    EmailTaken,
    ImportRejected,
    PermissionRefused,
    SessionRevoked,
    StoreNotFound,
    UsageProblem,
)
from electis_cli.services import auth, stores, users
from electis_cli.services.bulk import user_import
from electis_cli.services.bulk.history import list_history, show_history
from electis_cli.services.bulk.importing import Import
from electis_cli.services.bulk.user_import import import_users, undo_users
from electis_cli.services.runtime import Tuning
from electis_cli.services.secrets import open_mail_body

ADMIN = "admin@acme.example"
THREE = (
    b"email,role,first_name,last_name,store\n"
    b"Dana@Acme.Example,manager,Dana,Levi,001\n"
    b"noa@acme.example,viewer,Noa,,\n"
    b"second@acme.example,admin,,,\n"
)


def run(scope, content, *, source="users.csv", dry_run=False, rejects=None, save_plan=None, **options):
    """Import users from what is in hand, as the command does from a file."""
    with open_table(None, io.BytesIO(content), name=source) as table:
        job = Import(
            noun=Noun.USER,
            table=table,
            options=ImportOptions(**options),
            dry_run=dry_run,
            rejects=rejects,
            save_plan=save_plan,
        )
        return import_users(scope, job)


def refused(scope, content, **options):
    """Return what is wrong with a file, as (place, code)."""
    with pytest.raises(ImportRejected) as caught:
        run(scope, content, **options)
    return [(problem.where, problem.code) for problem in caught.value.problems]


def undo(scope, changeset_id, **options):
    with scope.runtime.database.read(scope.org_id) as uow:
        changeset = changesets.find_changeset(uow, changeset_id)
    return undo_users(scope, changeset, **options)


def counts(view):
    return view.created, view.updated, view.unchanged, view.deleted, view.rejected


def facts(scope):
    """Who there is, by the name in their email."""
    return {
        view.email.partition("@")[0]: (
            view.role, view.store, view.first_name, view.last_name, view.is_active, view.must_change_password,
        )
        for view in users.list_users(scope)
    }  # fmt: skip


def trail_of(scope):
    """Everything that a change writes beside the users."""
    with scope.runtime.database.read(scope.org_id) as uow:
        return (
            trail.list_audit(uow),
            trail.list_events(uow),
            [(mail["recipient"], mail["state"]) for mail in trail.list_mail(uow)],
            changesets.list_changesets(uow),
        )


def last_change(scope):
    return list_history(scope, limit=1)[0].id


@pytest.fixture
def fast_hashes(monkeypatch):
    """Passwords of these users are not asked for."""
    for module in (users, user_import):
        monkeypatch.setattr(module, "hash_password", lambda _: "(no hash)")


def test_a_file_creates_users_with_a_temporary_password_and_a_mail_each(scope, runtime):
    view = run(scope, THREE)

    assert counts(view) == (3, 0, 0, 0, 0)
    assert facts(scope) | {"admin": None} == {
        "admin": None,
        "dana": ("manager", "001", "Dana", "Levi", True, True),
        "noa": ("viewer", None, "Noa", None, True, True),
        "second": ("admin", None, None, None, True, True),
    }
    told = {one.email: one.temporary_password for one in view.temporary_passwords}
    assert list(told) == ["dana@acme.example", "noa@acme.example", "second@acme.example"]
    assert len(set(told.values())) == 3
    for email, password in told.items():
        assert auth.log_in(runtime, email, password).user.must_change_password
    with runtime.database.write(scope.org_id) as uow:
        mails = [trail.find_mail(uow, row["id"]) for row in trail.list_mail(uow)]
    assert {mail["recipient"] for mail in mails} == set(told)
    for mail in mails:
        assert (mail["kind"], mail["state"]) == ("welcome", "waiting")
        assert told[mail["recipient"]] in open_mail_body(runtime.sealer, mail["id"], mail["body"])


def test_with_a_mail_server_only_the_mails_carry_the_passwords(scope, runtime, make_runtime):
    mailing = make_runtime(runtime.database, tuning=Tuning(mail_url="smtp://127.0.0.1:1"))

    view = run(replace(scope, runtime=mailing), THREE)

    assert (view.created, view.temporary_passwords) == (3, [])
    assert len(trail_of(scope)[2]) == 3


def test_passwords_are_in_no_representation(scope):
    view = run(scope, THREE)

    assert view.temporary_passwords[0].temporary_password not in repr(view) + repr(view.temporary_passwords)


def test_a_dry_run_tells_the_same_and_writes_nothing(scope):
    before, untouched = facts(scope), trail_of(scope)

    view = run(scope, THREE, dry_run=True)

    assert (view.dry_run, view.changeset, view.temporary_passwords) == (True, None, [])
    assert [(one.change, one.key) for one in view.differences] == [
        ("create", "dana@acme.example"),
        ("create", "noa@acme.example"),
        ("create", "second@acme.example"),
    ]
    assert (facts(scope), trail_of(scope)) == (before, untouched)
    done = run(scope, THREE)
    assert dataclasses.replace(done, dry_run=True, changeset=None, temporary_passwords=[]) == view, (
        "one planner"
    )


def test_the_same_file_again_changes_nothing(scope):
    run(scope, THREE)
    before, untouched = facts(scope), trail_of(scope)

    view = run(scope, THREE)

    assert (counts(view), view.changeset, view.temporary_passwords) == ((0, 0, 3, 0, 0), None, [])
    assert (facts(scope), trail_of(scope)) == (before, untouched)


def test_an_import_is_one_audit_row_one_event_and_one_change_that_name_nobody(scope, runtime):
    run(scope, THREE)
    view = run(
        scope, b"email,last_name\nnoa@acme.example,Cohen\nnew@acme.example,\n", constants={"role": "viewer"}
    )

    audits, events, _, history = trail_of(scope)
    assert [row["action"] for row in audits] == ["user:imported", "user:imported"]
    assert (audits[1]["entity"], audits[1]["entity_id"]) == ("changeset", view.changeset)
    assert audits[1]["actor_id"] == scope.actor.user_id
    after = audits[1]["after"]
    assert {name: after[name] for name in ("created", "updated", "unchanged", "deleted", "file")} == {
        "created": 1, "updated": 1, "unchanged": 0, "deleted": 0, "file": "users.csv",
    }  # fmt: skip
    assert (after["sha256"], after["digest"]) == (history[0].file_sha256, history[0].digest)
    assert "@" not in json.dumps([after, events[1]["payload"]])
    assert (events[1]["name"], events[1]["payload"]["id"]) == ("user:imported", view.changeset)
    assert (history[0].id, history[0].noun, history[0].store_id) == (view.changeset, "user", None)
    shown = show_history(scope, view.changeset)
    assert (shown.action, shown.store, shown.file) == ("user:imported", None, "users.csv")
    assert [(row.change, row.key, dict(row.fields)) for row in shown.rows] == [
        ("update", "noa@acme.example", {"last_name": {"before": None, "after": "Cohen"}}),
        (
            "create",
            "new@acme.example",
            {"role": {"before": None, "after": "viewer"}, "is_active": {"before": None, "after": True}},
        ),
    ]


def test_a_missing_column_leaves_and_an_empty_cell_clears(scope):
    run(scope, THREE)

    run(scope, b"email;last_name;store\ndana@acme.example;;\n")
    run(scope, b'[{"email": "noa@acme.example", "store": "001"}, {"email": "dana@acme.example"}]')

    assert facts(scope)["dana"][:4] == ("manager", None, "Dana", None)
    assert facts(scope)["noa"][:4] == ("viewer", "001", "Noa", None)


def test_every_problem_is_told_with_its_place_and_nothing_is_written(scope):
    before, untouched = facts(scope), trail_of(scope)

    assert refused(
        scope,
        b"email,role,store,first_name\n"
        b"good@acme.example,viewer,,\n"
        b"dana,viewer,,\n"
        b"noa@acme.example,boss,009,\n"
        b"levi@acme.example,admin,001,\n"
        b"GOOD@acme.example,viewer,,\n"
        b"short@acme.example,viewer\n"
        b"long@acme.example,viewer,," + b"x" * 201 + b"\n",
    ) == [
        ("users.csv:3:1", "E-INPUT"),
        ("users.csv:4:2", "E-INPUT"),
        ("users.csv:4:3", "E-STORE-NOT-FOUND"),
        ("users.csv:5:3", "E-INPUT"),
        ("users.csv:6:1", "E-KEY-TWICE"),
        ("users.csv:7:3", "E-CELLS"),
        ("users.csv:8:4", "E-INPUT"),
    ]
    assert refused(scope, b"name,role\nDana,viewer\n") == [("users.csv:1:1", "E-COLUMN-UNKNOWN")]
    assert refused(scope, b"role\nviewer\n") == [("users.csv:1:1", "E-COLUMN-MISSING")]
    assert (facts(scope), trail_of(scope)) == (before, untouched)


def test_what_is_wrong_is_told_in_the_words_of_single_writes(scope, bench):
    bench.organization("OTHER")
    for row, single in (
        (b"noa@acme.example,viewer,009", {"role": Role.VIEWER, "store": "009"}),
        (b"noa@acme.example,admin,001", {"role": Role.ADMIN, "store": "001"}),
        (b"noa@acme.example,support,", {"role": Role.SUPPORT}),
        (b"admin@other.example,viewer,", {"role": Role.VIEWER}),
        (b"a b@acme.example,viewer,", {"role": Role.VIEWER}),
    ):
        with pytest.raises(ElectisError) as one:
            users.create_user(scope, row.decode().partition(",")[0], **single)
        with pytest.raises(ImportRejected) as many:
            run(scope, b"email,role,store\n" + row + b"\n")
        [problem] = many.value.problems
        assert (problem.code, problem.hint) == (one.value.code, one.value.fix)
        assert problem.message == f"{one.value.message} {one.value.why}".strip()


@pytest.mark.parametrize("whose", ["other organization", "platform"])
def test_an_email_that_is_taken_elsewhere_is_a_wrong_row_that_tells_nothing_of_its_user(scope, bench, whose):
    stranger = bench.organization("OTHER")
    if whose == "platform":
        with scope.runtime.database.write() as uow:
            user_rows.update_user(uow, stranger.actor.user_id, {"org_id": None, "role": "platform_admin"})
            uow.commit()
    elsewhere = stranger.actor.email.upper()
    with pytest.raises(EmailTaken) as single:
        users.create_user(scope, elsewhere, role=Role.VIEWER)

    with pytest.raises(ImportRejected) as caught:
        run(scope, f"email,role\n{elsewhere},viewer\n".encode())

    [problem] = caught.value.problems
    assert (problem.code, problem.line, problem.column) == ("E-EMAIL-TAKEN", 2, 1)
    assert problem.message == single.value.message
    view = run(scope, f"email,role\n{elsewhere},viewer\nnoa@acme.example,viewer\n".encode(), skip_errors=True)
    assert counts(view) == (1, 0, 0, 0, 1)
    assert set(facts(scope)) == {"admin", "noa"}


def test_with_skip_the_good_rows_are_imported_and_the_wrong_ones_come_back(scope, tmp_path):
    content = b"email,role\nnoa@acme.example,viewer\ndana@acme.example,boss\nlevi,viewer\n"

    view = run(scope, content, skip_errors=True, rejects=tmp_path / "rejects.csv")

    assert counts(view) == (1, 0, 0, 0, 2)
    assert [problem.where for problem in view.problems] == ["users.csv:3:2", "users.csv:4:1"]
    assert set(facts(scope)) == {"admin", "noa"}
    fixed = (
        (tmp_path / "rejects.csv")
        .read_bytes()
        .replace(b"boss", b"viewer")
        .replace(b"levi", b"levi@acme.example")
    )
    assert counts(run(scope, fixed)) == (2, 0, 0, 0, 0)
    assert set(facts(scope)) == {"admin", "noa", "dana", "levi"}


def test_too_many_wrong_rows_are_not_skipped(scope):
    content = b"email,role\nnoa@acme.example,viewer\ndana@acme.example,boss\nlevi,viewer\n"

    refused(scope, content, skip_errors=True, tolerance=Tolerance(count=1))

    assert set(facts(scope)) == {"admin"}


@pytest.mark.parametrize(("mode", "code"), [(Mode.CREATE, "E-EXISTS"), (Mode.UPDATE, "E-UNKNOWN")])
def test_modes_say_what_a_file_may_do(scope, mode, code):
    users.create_user(scope, "noa@acme.example", role=Role.VIEWER)
    rows = {"E-EXISTS": b"noa@acme.example,manager\n", "E-UNKNOWN": b"dana@acme.example,viewer\n"}

    assert refused(scope, b"email,role\n" + rows.pop(code), mode=mode) == [("users.csv:2:1", code)]
    view = run(scope, b"email,role\n" + rows.popitem()[1], mode=mode)
    assert (view.created, view.updated) == ((1, 0) if mode is Mode.CREATE else (0, 1))


def test_a_file_that_is_the_truth_deactivates_the_others_and_ends_their_sessions(scope, runtime):
    made = {one.email: one.temporary_password for one in run(scope, THREE).temporary_passwords}
    login = auth.log_in(runtime, "noa@acme.example", made["noa@acme.example"])
    users.deactivate_user(scope, "dana@acme.example")

    view = run(scope, b"email\ndana@acme.example\n", mode=Mode.REPLACE)

    assert counts(view) == (0, 0, 1, 2, 0)
    assert [(one.change, one.key) for one in view.differences] == [
        ("deactivate", "noa@acme.example"),
        ("deactivate", "second@acme.example"),
    ]
    assert {name: values[4] for name, values in facts(scope).items()} == {
        "admin": True,  # whoever imports
        "dana": False,  # was shut out by hand
        "noa": False,
        "second": False,
    }
    with pytest.raises(SessionRevoked):
        auth.authenticate(runtime, login.access_token)
    assert run(scope, b"email\ndana@acme.example\n", mode=Mode.REPLACE).changeset is None


def test_deactivating_many_trips_the_brake_unless_it_is_told(scope, fast_hashes):
    rows = b"".join(b"user%d@acme.example\n" % number for number in range(12))
    run(scope, b"email\n" + rows, constants={"role": "viewer"})
    truth = b"email\nuser0@acme.example\n"
    before, untouched = facts(scope), trail_of(scope)

    with pytest.raises(BrakeTripped) as caught:
        run(scope, truth, mode=Mode.REPLACE)
    view = run(scope, truth, mode=Mode.REPLACE, dry_run=True)

    assert "--max-deletes 11" in caught.value.fix
    assert (view.deleted, view.brake) == (11, caught.value.message)
    assert (facts(scope), trail_of(scope)) == (before, untouched)
    assert run(scope, truth, mode=Mode.REPLACE, max_deletes=11).deleted == 11


@pytest.mark.parametrize("skip_errors", [False, True])
def test_a_file_that_demotes_all_admins_is_refused_as_a_whole(scope, skip_errors):
    users.create_user(scope, "second@acme.example", role=Role.ADMIN)
    before = facts(scope)

    assert refused(
        scope,
        b"email,role\nsecond@acme.example,viewer\nadmin@acme.example,manager\nnoa@acme.example,viewer\n",
        skip_errors=skip_errors,
    ) == [("users.csv:3:2", "E-LAST-ADMIN")]
    assert facts(scope) == before


def test_a_file_that_is_the_truth_and_names_no_admin_is_refused(scope):
    users.create_user(scope, "noa@acme.example", role=Role.VIEWER)
    operator = replace(scope, actor=system_actor("cli"))

    assert refused(operator, b"email\nnoa@acme.example\n", mode=Mode.REPLACE) == [
        ("users.csv", "E-LAST-ADMIN")
    ]
    assert refused(scope, b"email,role\nadmin@acme.example,viewer\n", mode=Mode.REPLACE) == [
        ("users.csv:2:2", "E-LAST-ADMIN")
    ]
    assert all(values[4] for values in facts(scope).values())


def test_an_admin_may_hand_over_by_a_file(scope):
    view = run(scope, b"email,role\nadmin@acme.example,viewer\nnoa@acme.example,admin\n")

    assert (view.created, view.updated) == (1, 1)
    assert (facts(scope)["admin"][0], facts(scope)["noa"][0]) == ("viewer", "admin")


@pytest.mark.parametrize("role", [Role.MANAGER, Role.VIEWER, Role.SUPPORT])
def test_only_admins_import_users_and_take_such_changes_back(scope, bench, role):
    changeset = run(scope, THREE).changeset
    other, before = bench.as_role(scope, role), facts(scope)

    for attempt in (
        lambda: run(other, b"email,role\nlevi@acme.example,viewer\n"),
        lambda: run(other, b"email,role\nlevi@acme.example,viewer\n", dry_run=True),
        lambda: undo(other, changeset),
        lambda: undo(other, changeset, dry_run=True),
    ):
        with pytest.raises(PermissionRefused):
            attempt()
    assert facts(scope) == before


def test_a_plan_of_users_is_not_saved_and_batches_are_not_made(scope):
    for options in ({"save_plan": lambda *_: None}, {"batch": 10}):
        with pytest.raises(UsageProblem):
            run(scope, THREE, **options)
    assert set(facts(scope)) == {"admin"}


def test_an_import_that_dies_at_its_end_leaves_nothing(scope, runtime, make_runtime):
    before, untouched = facts(scope), trail_of(scope)

    def die(point):
        if point == "bulk:committing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(replace(scope, runtime=make_runtime(runtime.database, reached=die)), THREE)

    assert (facts(scope), trail_of(scope)) == (before, untouched)


def test_others_can_write_while_passwords_are_hashed(scope, open_database, monkeypatch):
    database = open_database()

    def hash_slowly(_):
        with database.write(scope.org_id) as uow:
            user_rows.update_user(uow, scope.actor.user_id, {"last_login_at": scope.runtime.clock()})
            uow.commit()
        return "(no hash)"

    monkeypatch.setattr(user_import, "hash_password", hash_slowly)

    assert run(scope, b"email,role\nnoa@acme.example,viewer\n").created == 1


def test_who_was_created_meanwhile_is_changed_instead(scope, runtime, make_runtime):
    def make_password():
        if "noa" not in facts(scope):
            users.create_user(scope, "noa@acme.example", role=Role.VIEWER)
        return "a-password-nobody-gets"

    rival = replace(scope, runtime=make_runtime(runtime.database, new_password=make_password))

    view = run(rival, b"email,role\nnoa@acme.example,manager\n")

    assert (view.created, view.updated, view.temporary_passwords) == (0, 1, [])
    assert facts(scope)["noa"][0] == "manager"


def test_a_rule_that_breaks_meanwhile_is_found_under_the_lock(scope, runtime, make_runtime):
    users.create_user(scope, "second@acme.example", role=Role.ADMIN)

    def make_password():
        users.deactivate_user(scope, "second@acme.example")
        return "a-password-nobody-gets"

    rival = replace(scope, runtime=make_runtime(runtime.database, new_password=make_password))

    assert refused(rival, b"email,role\nadmin@acme.example,viewer\nnoa@acme.example,viewer\n") == [
        ("users.csv:2:2", "E-LAST-ADMIN")
    ]
    assert set(facts(scope)) == {"admin", "second"}


def test_an_import_that_meets_another_write_each_time_gives_up(scope, monkeypatch):
    tried = []

    def lose(*_):
        tried.append(1)
        raise ChangedMeanwhile

    monkeypatch.setattr(user_import, "insert_facts", lose)

    with pytest.raises(ChangedMeanwhile):
        run(scope, THREE)
    assert (len(tried), set(facts(scope))) == (3, {"admin"})


def test_an_import_that_met_another_write_once_looks_again(scope, monkeypatch):
    write, tried = user_import.insert_facts, []

    def lose_once(*values):
        tried.append(1)
        if len(tried) == 1:
            raise ChangedMeanwhile
        write(*values)

    monkeypatch.setattr(user_import, "insert_facts", lose_once)

    content = b"email,role\nnoa@acme.example,viewer\nlevi,viewer\n"
    view = run(scope, content, skip_errors=True)

    assert counts(view) == (1, 0, 0, 0, 1), "what is wrong is told once"
    assert len(view.problems) == 1


def test_who_turns_out_to_be_new_only_under_the_lock_gets_a_password_too(scope, runtime, make_runtime):
    users.create_user(scope, "dana@acme.example", role=Role.VIEWER)
    numbers = itertools.count(1)

    def make_password():
        with runtime.database.write() as uow:
            uow.execute(sa.text("DELETE FROM users WHERE email = 'dana@acme.example'"))
            uow.commit()
        return f"a-temporary-password-{next(numbers)}"

    rival = replace(scope, runtime=make_runtime(runtime.database, new_password=make_password))

    view = run(rival, b"email,role\ndana@acme.example,manager\nnoa@acme.example,viewer\n")

    assert view.created == 2
    for one in view.temporary_passwords:
        assert auth.log_in(runtime, one.email, one.temporary_password)


def test_two_admins_who_demote_each_other_by_files_at_once_leave_one(scope, make_runtime, open_database):
    users.create_user(scope, "second@acme.example", role=Role.ADMIN)
    barrier = Barrier(2)

    def demote(email):
        mine = replace(scope, runtime=make_runtime(open_database()))
        with mine.runtime.database.read(scope.org_id) as uow:
            user_rows.list_users(uow)
        content = f"email,role\n{email},viewer\n".encode()
        barrier.wait()
        try:
            return run(mine, content).updated
        except ImportRejected as error:
            return error.problems[0].code

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(demote, [ADMIN, "second@acme.example"]), key=str)

    assert outcomes == [1, "E-LAST-ADMIN"]
    assert sorted(values[0] for values in facts(scope).values()) == ["admin", "viewer"]


def test_of_two_imports_at_once_one_waits_for_the_other(scope, make_runtime, open_database, fast_hashes):
    barrier = Barrier(2)

    def import_file(_):
        mine = replace(scope, runtime=make_runtime(open_database()))
        with mine.runtime.database.read(scope.org_id) as uow:
            user_rows.list_users(uow)
        barrier.wait()
        return run(mine, THREE)

    with ThreadPoolExecutor(2) as pool:
        views = list(pool.map(import_file, range(2)))

    assert sorted(counts(view) for view in views) == [(0, 0, 3, 0, 0), (3, 0, 0, 0, 0)]
    assert sorted(len(view.temporary_passwords) for view in views) == [0, 3]
    assert len(trail_of(scope)[2]) == 3


def test_rows_of_a_file_give_what_single_writes_give(bench, fast_hashes):
    """One definition of the rules: a hundred random rows, of which many are wrong."""
    chance = random.Random(5)
    one, many = (bench.organization(code, store_codes=("001", "002")) for code in ("ONE", "MANY"))
    for _ in range(100):
        row = {
            "role": chance.choice(["viewer", "viewer", "manager", "admin"]),
            "store": chance.choice(["", "", "001", "002", "009"]),
            "first_name": chance.choice(["", "Dana", " Noa  Noa ", "x" * 201]),
        }
        name = f"user{chance.randrange(40)}"
        write_one(one, f"{name}@one.example", row)
        header, cells = ",".join(["email", *row]), ",".join([f"{name}@many.example", *row.values()])
        run(many, f"{header}\n{cells}\n".encode(), skip_errors=True)

    assert facts(one) == facts(many)
    assert len(facts(one)) > 20


def write_one(scope, email, row):
    """Write a row as somebody would by hand: create the user, or update them."""
    role, store, first_name = Role(row["role"]), row["store"] or None, row["first_name"]
    try:
        if email in {view.email for view in users.list_users(scope)}:
            values = {"role": role, "store": store, "all_stores": store is None, "first_name": first_name}
            users.update_user(scope, email, **values)
        else:
            users.create_user(scope, email, role=role, store=store, first_name=first_name)
    except ElectisError:
        pass


# --- single writes ----------------------------------------------------------------------------------------------


def test_every_single_write_of_a_user_is_a_change_without_passwords(scope):
    users.create_user(scope, "dana@acme.example", role=Role.VIEWER, store="001", first_name="Dana")
    users.update_user(scope, "dana@acme.example", role=Role.MANAGER, all_stores=True, last_name="Levi")
    users.update_user(scope, "dana@acme.example", role=Role.MANAGER)
    users.deactivate_user(scope, "dana@acme.example")
    users.deactivate_user(scope, "dana@acme.example")
    users.activate_user(scope, "dana@acme.example")
    users.unlock_user(scope, "dana@acme.example")
    users.reset_password(scope, "dana@acme.example")
    users.create_user(scope, "noa@acme.example", role=Role.VIEWER, dry_run=True)

    history = list_history(scope, noun=Noun.USER)[::-1]
    assert [(one.action, one.store) for one in history] == [
        ("user:created", None),
        ("user:updated", None),
        ("user:deactivated", None),
        ("user:activated", None),
    ]
    assert [dict(one.counts) for one in history[:2]] == [
        {"created": 1, "updated": 0, "deleted": 0},
        {"created": 0, "updated": 1, "deleted": 0},
    ]
    with scope.runtime.database.read(scope.org_id) as uow:
        [created] = changesets.rows_of(uow, history[0].id)
        [updated] = changesets.rows_of(uow, history[1].id)
    first = {"role": "viewer", "store": "001", "first_name": "Dana", "last_name": None, "is_active": True}
    assert (created.key, created.before, created.after) == ("dana@acme.example", None, first)
    assert (updated.before, updated.after) == (
        first,
        {**first, "role": "manager", "store": None, "last_name": "Levi"},
    )


def test_an_empty_store_of_a_single_write_does_not_mean_all_stores(scope):
    with pytest.raises(StoreNotFound):
        users.create_user(scope, "dana@acme.example", role=Role.VIEWER, store="")
    users.create_user(scope, "dana@acme.example", role=Role.VIEWER, store="001")

    with pytest.raises(StoreNotFound):
        users.update_user(scope, "dana@acme.example", store="")

    assert facts(scope)["dana"][1] == "001"


# --- undo -------------------------------------------------------------------------------------------------------


def test_an_import_is_taken_back_by_deactivating_who_it_created(scope, runtime):
    users.create_user(scope, "noa@acme.example", role=Role.MANAGER, store="001", first_name="Planted")
    before = facts(scope)
    done = run(scope, THREE)
    login = auth.log_in(runtime, "dana@acme.example", done.temporary_passwords[0].temporary_password)

    shown = undo(scope, done.changeset, dry_run=True)
    assert (shown.dry_run, shown.changeset, facts(scope)["noa"][0]) == (True, None, "viewer")
    view = undo(scope, done.changeset)

    assert (view.created, view.updated, view.deleted, view.kept) == (0, 1, 2, 0)
    assert (shown.updated, shown.deleted, shown.differences) == (view.updated, view.deleted, view.differences)
    now = facts(scope)
    assert now.pop("dana") == ("manager", "001", "Dana", "Levi", False, True)
    assert now.pop("second")[4] is False
    assert now == before
    with pytest.raises(SessionRevoked):
        auth.authenticate(runtime, login.access_token)
    audits, events, mails, history = trail_of(scope)
    assert dict(mails) == {
        "noa@acme.example": "waiting",
        "dana@acme.example": "superseded",
        "second@acme.example": "superseded",
    }, "nobody is welcomed to an account that does not let them in"
    assert (history[0].id, history[0].undoes, history[0].action) == (
        view.changeset,
        done.changeset,
        "user:undone",
    )
    assert history[1].undone_by == view.changeset
    assert (audits[-1]["action"], events[-1]["name"]) == ("user:undone", "user:undone")
    assert "@" not in json.dumps(audits[-1]["after"])


def test_single_changes_of_users_are_taken_back_and_so_is_taking_them_back(scope):
    users.create_user(scope, "dana@acme.example", role=Role.VIEWER, store="001", first_name="Dana")
    created = last_change(scope)
    fresh = facts(scope)["dana"]

    users.update_user(scope, "dana@acme.example", role=Role.MANAGER, all_stores=True, first_name="")
    undo(scope, last_change(scope))
    assert facts(scope)["dana"] == fresh

    users.deactivate_user(scope, "dana@acme.example")
    undo(scope, last_change(scope))
    assert facts(scope)["dana"] == fresh

    undo(scope, created)
    assert facts(scope)["dana"][4] is False
    undo(scope, last_change(scope))
    assert facts(scope)["dana"] == fresh

    users.deactivate_user(scope, "dana@acme.example")
    users.activate_user(scope, "dana@acme.example")
    undo(scope, last_change(scope))
    assert facts(scope)["dana"][4] is False


def test_what_somebody_changed_since_is_left_and_named(scope):
    done = run(scope, THREE).changeset
    users.update_user(scope, "dana@acme.example", last_name="Cohen")

    view = undo(scope, done)

    assert (view.deleted, view.kept) == (2, 1)
    assert [(one.noun, one.key, one.why) for one in view.kept_rows] == [
        ("user", "dana@acme.example", "somebody changed it since")
    ]
    assert facts(scope)["dana"][4] is True


def test_an_undo_never_removes_the_last_admin_nor_whoever_undoes(scope):
    users.create_user(scope, "second@acme.example", role=Role.ADMIN)
    created = last_change(scope)
    with scope.runtime.database.read(scope.org_id) as uow:
        second = user_rows.find_user(uow, email="second@acme.example")
    themselves = replace(scope, actor=replace(scope.actor, user_id=second.id, email=second.email))

    with pytest.raises(Conflict) as caught:
        undo(themselves, created)
    assert "nobody deactivates themselves" in caught.value.why
    users.update_user(scope, ADMIN, role=Role.VIEWER)
    with pytest.raises(Conflict) as caught:
        undo(scope, created)
    assert "second@acme.example: it is the last active admin" in caught.value.why
    assert facts(scope)["second"][4] is True


def test_a_store_that_is_gone_is_not_brought_back_by_an_undo(bench):
    scope = bench.organization(store_codes=("001", "002"))
    users.create_user(scope, "dana@acme.example", role=Role.VIEWER, store="002")
    users.update_user(scope, "dana@acme.example", store="001")
    moved = last_change(scope)
    stores.delete_store(scope, "002")

    with pytest.raises(Conflict) as caught:
        undo(scope, moved)

    assert "the store 002 is not there any more" in caught.value.why
    assert facts(scope)["dana"][1] == "001"


def test_a_change_is_taken_back_once_and_by_its_own_organization(scope, bench):
    done = run(scope, THREE).changeset
    with scope.runtime.database.read(scope.org_id) as uow:
        changeset = changesets.find_changeset(uow, done)

    with pytest.raises(ChangesetNotFound):
        undo_users(bench.organization("OTHER"), changeset)
    view = undo_users(scope, changeset)
    with pytest.raises(Conflict) as caught:
        undo_users(scope, changeset)

    assert caught.value.fix == f"electis undo {view.changeset}"


def test_of_two_who_take_a_change_back_at_once_one_is_told(scope, make_runtime, open_database):
    done = run(scope, THREE).changeset
    barrier = Barrier(2)

    def take_back(_):
        mine = replace(scope, runtime=make_runtime(open_database()))
        with mine.runtime.database.read(scope.org_id) as uow:
            changeset = changesets.find_changeset(uow, done)
        barrier.wait()
        try:
            return undo_users(mine, changeset).deleted
        except Conflict as error:
            return error.message

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(take_back, range(2)), key=str)

    assert outcomes == [3, f"Change {done} was taken back already."]
