"""One tenant never sees, makes or changes another's rows: by keys, by policy, and by every statement (flow 7)."""

from __future__ import annotations

import contextlib
import re
import uuid

import pytest
import sqlalchemy as sa

from electis_cli.db import organizations, people, spaces
from electis_cli.db.engine import Database
from electis_cli.db.tables import TENANT_TABLES
from electis_cli.domain.bulk.options import Mode
from electis_cli.domain.errors import ChangedMeanwhile, NotFound
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.people import Person
from electis_cli.domain.spaces import Space
from electis_cli.services import (
    canceling,
    conferences,
    configuring,
    dead_letters,
    draining,
    formats,
    housekeeping,
    labels,
    mail,
    ping,
    queue,
    queue_details,
    queue_items,
    queued_commands,
    syncing,
    users,
    watching,
)
from electis_cli.services import people as people_service
from electis_cli.services import spaces as spaces_service
from electis_cli.services import stores as stores_service
from electis_cli.services.bulk import history, mappings, seating, snapshots, undoing
from tests.world import importing as imports
from tests.world.ledger import SETTLED, edit, label_codes, push, store_of, sync
from tests.world.organizations import Bench

TENANTS = [table.name for table in TENANT_TABLES]


def two_spaces(scope, *external_ids):
    store, now = store_of(scope), scope.runtime.clock()
    made = [Space(id=f"{scope.org_id}-{one}", store_id=store.id, external_id=one) for one in external_ids]
    with scope.runtime.database.write(scope.org_id) as uow:
        spaces.insert_spaces(uow, made, now)
        uow.commit()
    return made


def delete(scope, space):
    with scope.runtime.database.write(scope.org_id) as uow:
        spaces.delete_space(uow, space)
        uow.commit()


def insert_person(scope, person):
    with scope.runtime.database.write(scope.org_id) as uow:
        people.insert_people(uow, [person], scope.runtime.clock())
        uow.commit()


# --- keys -----------------------------------------------------------------------------------------------------------


def test_a_person_can_not_be_put_into_another_tenants_store(bench):
    ours, theirs = bench.organization("ACME"), bench.organization("OTHER")
    with pytest.raises(ChangedMeanwhile):
        insert_person(ours, Person(id="p", store_id=store_of(theirs).id, external_id="P1"))


def test_a_person_can_not_sit_in_a_space_of_another_store_or_tenant(bench):
    ours, theirs = bench.organization("ACME", store_codes=("001", "002")), bench.organization("OTHER")
    two_spaces(theirs, "4-1")
    two_spaces(ours, "4-2")
    second = store_of(ours, "002").id
    for store_id, space in ((store_of(ours).id, "4-1"), (second, "4-2")):
        with pytest.raises(ChangedMeanwhile):
            insert_person(ours, Person(id="p", store_id=store_id, external_id="P1", assigned_space=space))


def test_two_people_never_share_a_space_whatever_the_program_does(scope):
    two_spaces(scope, "4-1")
    store_id = store_of(scope).id
    insert_person(scope, Person(id="1", store_id=store_id, external_id="P1", assigned_space="4-1"))
    with pytest.raises(ChangedMeanwhile):
        insert_person(scope, Person(id="2", store_id=store_id, external_id="P2", assigned_space="4-1"))


def test_many_people_may_sit_nowhere(scope):
    for number in ("1", "2", "3"):
        insert_person(scope, Person(id=number, store_id=store_of(scope).id, external_id=f"P{number}"))
    assert [person.space for person in people_service.list_people(scope)] == [None, None, None]


def test_a_space_with_somebody_in_it_can_not_vanish(scope):
    (space,) = two_spaces(scope, "4-1")
    insert_person(scope, Person(id="1", store_id=space.store_id, external_id="P1", assigned_space="4-1"))
    with pytest.raises(ChangedMeanwhile):
        delete(scope, space)


def test_a_unit_of_work_changes_nothing_of_another_tenant_even_by_id(bench):
    ours, theirs = bench.organization("ACME"), bench.organization("OTHER")
    (space,) = two_spaces(theirs, "4-1")
    with ours.runtime.database.write(ours.org_id) as uow:
        assert spaces.find_space(uow, space.store_id, "4-1") is None
        assert spaces.list_spaces(uow, [space.store_id]) == []
        assert (
            spaces.save_space(uow, Space(**{**_plain(space), "data": {"TITLE": "x"}}), bench.clock()) is False
        )
        assert spaces.delete_space(uow, space) is False
        uow.commit()


def _plain(space):
    return {name: getattr(space, name) for name in Space.__dataclass_fields__}


# --- PostgreSQL's row level security --------------------------------------------------------------------------------


@pytest.fixture
def plain_role(postgres_server, postgres_template, clock):
    """A PostgreSQL database, and how to connect to it as a role that is no superuser."""
    url = postgres_server.create_database(template=postgres_template)
    database = Database(url, clock=clock)
    role = f"electis_plain_{uuid.uuid4().hex[:12]}"
    with database.engine.connect() as admin, admin.begin():
        is_super = admin.execute(
            sa.text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        ).scalar_one()
        if is_super:
            admin.execute(sa.text(f"CREATE ROLE {role}"))
            admin.execute(
                sa.text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
            )
            admin.execute(sa.text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"))

    @contextlib.contextmanager
    def connect(org_id):
        with database.engine.connect() as connection, connection.begin():
            if (
                is_super
            ):  # else the tests' own role is plain already: the policies are forced on the tables' owner
                connection.execute(sa.text(f"SET LOCAL ROLE {role}"))
            if org_id is not None:
                connection.execute(
                    sa.text("SELECT set_config('electis.org_id', :org, true)"), {"org": org_id}
                )
            yield connection

    yield database, connect
    if is_super:
        with database.engine.connect() as admin, admin.begin():
            admin.execute(sa.text(f"DROP OWNED BY {role}"))
            admin.execute(sa.text(f"DROP ROLE {role}"))
    database.close()
    postgres_server.drop_database(url)


@pytest.fixture
def two_tenants(plain_role, make_runtime, clock):
    database, _ = plain_role
    bench = Bench(make_runtime(database), clock)
    ours, theirs = bench.organization("ACME"), bench.organization("OTHER")
    for scope in (ours, theirs):
        spaces_service.create_space(scope, "4-1", data={"TITLE": scope.org_id})
        people_service.create_person(scope, "P1", data={}, space="4-1")
    return ours, theirs


def count(connection, table, where="true"):
    return connection.execute(sa.text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one()  # noqa: S608 - our own words


def test_raw_sql_of_one_tenant_reads_no_row_of_another(plain_role, two_tenants):
    _, connect = plain_role
    ours, _ = two_tenants
    with connect(ours.org_id) as connection:
        for table in TENANTS:
            assert count(connection, table) == count(connection, table, f"org_id = '{ours.org_id}'"), table
        assert count(connection, "spaces") == 1


def test_raw_sql_of_one_tenant_changes_and_deletes_no_row_of_another(plain_role, two_tenants):
    _, connect = plain_role
    ours, theirs = two_tenants
    with connect(ours.org_id) as connection:
        for statement in (
            "UPDATE spaces SET version = 99 WHERE org_id = :theirs",
            "DELETE FROM people WHERE org_id = :theirs",
            "DELETE FROM articles WHERE org_id = :theirs",
        ):
            assert connection.execute(sa.text(statement), {"theirs": theirs.org_id}).rowcount == 0
        changed = connection.execute(sa.text("UPDATE spaces SET version = 99"))
        assert changed.rowcount == 1
    with connect(theirs.org_id) as connection:
        assert count(connection, "spaces", "version = 99") == 0
        assert count(connection, "people") == 1


def test_raw_sql_of_one_tenant_inserts_no_row_for_another_and_gives_none_away(plain_role, two_tenants):
    _, connect = plain_role
    ours, theirs = two_tenants
    insert = sa.text(
        "INSERT INTO alerts (org_id, id, cause, text, first_at, last_at, count)"
        " VALUES (:org, 'x', 'x', 'x', now(), now(), 1)"
    )
    with (
        pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
        connect(ours.org_id) as connection,
    ):
        connection.execute(insert, {"org": theirs.org_id})
    give_away = sa.text("UPDATE audit_log SET org_id = :theirs")
    with (
        pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
        connect(ours.org_id) as connection,
    ):
        connection.execute(give_away, {"theirs": theirs.org_id})


@pytest.mark.parametrize("org_id", [None, "", "nobody"], ids=repr)
def test_who_says_no_tenant_sees_no_row(plain_role, two_tenants, org_id):
    _, connect = plain_role
    with connect(org_id) as connection:
        assert {table: count(connection, table) for table in TENANTS} == dict.fromkeys(TENANTS, 0)


def test_the_tenant_of_a_transaction_does_not_leak_into_the_next_one(plain_role, two_tenants):
    _, connect = plain_role
    ours, _ = two_tenants
    with connect(ours.org_id) as connection:
        assert count(connection, "spaces") == 1
    with connect(None) as connection:
        assert count(connection, "spaces") == 0


def test_every_tenant_table_has_its_policy(plain_role):
    database, _ = plain_role
    with database.engine.connect() as connection:
        forced = connection.execute(
            sa.text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
        ).scalars()
        assert set(forced) == set(TENANTS)


# --- the tripwire ---------------------------------------------------------------------------------------------------

TABLE = re.compile(
    r"\b(?:FROM|JOIN|UPDATE|INTO)\s+([a-z_]+)"
    r"(?:\s+(?:AS\s+)?(?!(?:SET|WHERE|ON|JOIN|LEFT|ORDER|GROUP|LIMIT|SELECT|VALUES|RETURNING|FOR|CROSS|USING|UNION)\b)([a-z_]+))?",
    re.IGNORECASE,
)
UNNAMED = re.compile(r"(?<![.\w])org_id\s*=", re.IGNORECASE)


class Tripwire:
    """Notes every statement on a tenant table that is not bound to the tenant at hand."""

    def __init__(self, org_id):
        self.org_id = org_id
        self.seen: set[str] = set()
        self.caught: list[str] = []

    def __call__(self, _connection, _cursor, statement, parameters, _context, _many):
        found = [(table, alias or table) for table, alias in TABLE.findall(statement) if table in TENANTS]
        for table, name in found:
            self.seen.add(table)
            is_insert = re.search(rf"INSERT INTO {table}\b[^)]*\borg_id\b", statement, re.IGNORECASE)
            # A statement about one table need not say whose column it means, once for each time it names it.
            is_plain = len({one for one, _ in found}) == 1 and len(UNNAMED.findall(statement)) >= len(found)
            if not is_insert and not is_plain and not re.search(rf"\b{name}\.org_id\s*=", statement):
                self.caught.append(statement)
        if found and self.org_id not in repr(parameters):
            self.caught.append(f"another tenant's or none: {statement}")


@contextlib.contextmanager
def tripwire(scope):
    wire, engine = Tripwire(scope.org_id), scope.runtime.database.engine
    sa.event.listen(engine, "before_cursor_execute", wire)
    try:
        yield wire
    finally:
        sa.event.remove(engine, "before_cursor_execute", wire)


def test_the_tripwire_catches_a_statement_that_forgot_the_tenant(scope):
    with tripwire(scope) as wire, scope.runtime.database.write(scope.org_id) as uow:
        uow.execute(sa.text("SELECT * FROM spaces"))
        uow.execute(sa.text("SELECT * FROM spaces WHERE spaces.org_id = :org"), {"org": scope.org_id})
        uow.execute(sa.text("UPDATE people SET version = 1 WHERE people.org_id = :org"), {"org": "another"})
    assert len(wire.caught) == 3
    assert wire.seen == {"spaces", "people"}


@pytest.mark.slow
def test_no_service_asks_the_database_without_naming_its_tenant(connected, cloud, clock):
    codes = label_codes(cloud, 2)
    cloud.faults.add("reject-article", articles=("BAD",))
    with tripwire(connected) as wire:
        for name in ("A", "B", "BAD"):
            spaces_service.create_space(connected, name, data={"TITLE": "x"})
        imports.import_spaces(connected, b"external_id,TITLE\n7-1,one\n7-2,two\n", source="spaces.csv")
        bulk_work(connected)
        people_service.create_person(connected, "P1", data={"ITEM_NAME": "Dana"}, space="A")
        people_service.assign_person(connected, "P1", "B")
        people_service.list_people(connected)
        conferences.create_room(connected, "1")
        labels.link_label(connected, codes[0], "B")
        labels.link_label(connected, codes[1], "C1")
        conferences.toggle_meeting(connected, "1")
        draining.drain(connected, wait=clock.advance)
        queued_commands.queue_blink(connected, codes[:1])
        queued_commands.queue_resend(connected, None)
        queue_items.queue_items(connected)
        queue_details.show_item(connected, "BAD")
        dead_letters.dead_letters(connected)
        dead_letters.group_dead_letters(connected)
        next(watching.watch_queue(lambda: connected, wait=clock.advance))
        queue.retry(connected, None)
        push(connected)
        dead_letters.discard_dead_letters(connected, dead_letters.Choice(subjects=["BAD"]))
        edit(cloud, "A", DEPARTMENT="theirs")
        for _ in range(2):
            syncing.sync_stores(connected, wait=clock.advance)
            clock.advance(SETTLED)
        sync(connected, strategy=Strategy.MANUAL)
        spaces_service.delete_space(connected, "B", unassign_person=True)
        labels.unlink_label(connected, codes[1])
        push(connected)
        clock.advance(SETTLED)
        housekeeping.keep_house(connected.runtime, connected.org_id)
        queue.pause(connected, why="x")
        waiting = queued_commands.queue_blink(connected, codes[:1])
        canceling.cancel_commands(connected, [waiting.id])
        queue.pause(connected, resume=True)
        ping.ping(connected)
        formats.fetch_format(connected)
        configuring.configure(
            connected,
            base_url=_base_url(connected),
            company="ACME",
            username="tester",
            password="secret",
            replace_existing=True,
        )
        syncing.sync_status(connected)
        syncing.sync_history(connected)
        stores_service.list_stores(connected)
        users.list_users(connected)
        mail.list_mail(connected)
        spaces_service.show_space(connected, "A")
        labels.list_labels(connected)
    assert wire.caught == []
    assert wire.seen >= set(TENANTS) - {"sync_conflicts"}


def bulk_work(scope):
    """All kinds of bulk work: files of each noun, everybody up, arrangements, a naming, history, undo."""
    imports.import_people(scope, b"external_id,space\nP7,7-1\nP8,7-2\n")
    imports.import_rooms(scope, b"external_id,meeting_name\n7,x\n")
    imports.import_labels(scope, b"label,article\n0848A6EBE2FF,7-1\n")
    snapshots.save_snapshot(scope, "morning")
    seating.swap_people(scope, "P7", "P8")
    snapshots.diff_snapshot(scope, "morning")
    snapshots.restore_snapshot(scope, "morning")
    snapshots.list_snapshots(scope)
    mappings.save_mapping(scope, "export", {"Desk": "TITLE"}, None)
    mappings.load_mapping(scope, "export")
    imports.import_people(scope, b"external_id\nP7\n", mode=Mode.REPLACE)
    for one in history.list_history(scope)[:3]:
        history.show_history(scope, one.id)
        undoing.undo(scope, one.id)
    seating.unassign_everybody(scope)
    imports.import_spaces(scope, b"external_id\n8-1\n8-2\n8-3\n", batch=2)
    imports.import_labels(scope, b"label,article\n0848A6EBE2FF,\n")


def test_the_tables_of_bulk_work_are_tenant_tables():
    assert {"changesets", "changeset_rows", "snapshots", "import_mappings"} <= set(TENANTS)


@pytest.mark.slow
def test_changes_arrangements_and_namings_of_another_tenant_are_not_there(bench):
    ours, theirs = bench.organization("ACME"), bench.organization("OTHER")
    for scope in (ours, theirs):
        imports.import_spaces(scope, b"external_id\n4-1\n")
    change = history.list_history(theirs)[0].id
    snapshots.save_snapshot(theirs, "morning")
    mappings.save_mapping(theirs, "export", {"Desk": "TITLE"}, None)
    for attempt in (
        lambda: history.show_history(ours, change),
        lambda: undoing.undo(ours, change),
        lambda: snapshots.diff_snapshot(ours, "morning"),
        lambda: snapshots.restore_snapshot(ours, "morning"),
        lambda: mappings.load_mapping(ours, "export"),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert len(history.list_history(ours)) == 1
    assert snapshots.list_snapshots(ours) == []


def _base_url(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return organizations.own_organization(uow).aims_base_url
