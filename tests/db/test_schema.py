"""The schema's versions: migrations make exactly the tables, on both engines, as often as one likes."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from electis_cli.db import intents, ledger, schema
from electis_cli.db.engine import Database
from electis_cli.db.tables import TENANT_TABLES, metadata
from electis_cli.domain.errors import DatabaseMissing, Misconfigured, SchemaTooOld
from tests.world.ledger import store_of


def stamp(database, revision):
    with database.engine.connect() as connection, connection.begin():
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :now"), {"now": revision})


def test_the_migrations_make_exactly_the_tables_of_the_metadata(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": False, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_every_column_has_the_type_and_the_nullness_the_metadata_says(database):
    inspector = sa.inspect(database.engine)
    dialect = database.engine.dialect
    for table in metadata.sorted_tables:
        made = {column["name"]: column for column in inspector.get_columns(table.name)}
        assert set(made) == {column.name for column in table.columns}, table.name
        for column in table.columns:
            wanted = column.type.compile(dialect)
            found = made[column.name]["type"].compile(dialect)
            assert found == wanted, f"{table.name}.{column.name}"
            assert made[column.name]["nullable"] == column.nullable, f"{table.name}.{column.name}"


def test_every_tenant_table_leads_its_key_with_the_organization():
    for table in TENANT_TABLES:
        assert next(iter(table.primary_key.columns)).name == "org_id", table.name


def test_every_table_with_an_organization_is_a_tenant_table_or_known_to_be_none():
    holders = {table.name for table in metadata.sorted_tables if "org_id" in table.columns}
    assert holders - {table.name for table in TENANT_TABLES} == {"users"}


def test_every_reference_between_tenant_tables_carries_the_organization():
    tenant = {table.name for table in TENANT_TABLES}
    for table in TENANT_TABLES:
        for key in table.foreign_key_constraints:
            if key.referred_table.name in tenant:
                columns = [column.name for column in key.columns]
                assert columns[0] == "org_id", f"{table.name}: {columns}"


def test_what_is_known_of_articles_moves_into_the_ledger_and_back(scope, clock):
    database, then = scope.runtime.database, clock() - timedelta(days=2, milliseconds=7)
    store_id = store_of(scope).id
    with database.write(scope.org_id) as uow:
        ledger.bump(uow, store_id, {"A": False, "B": False}, then)
        uow.commit()
    migrate(database, "0010")
    with database.write(scope.org_id) as uow:
        for subject, hash_ in (("A", "one"), ("A", "two"), ("C", "gone")):
            intents.remember_intents(uow, store_id, [(subject, hash_)], then, kind="article")
        intents.remember_intents(uow, store_id, [("A", "S1")], then, kind="link")
        uow.commit()
    migrate(database, "head")
    with database.read(scope.org_id) as uow:
        rows = ledger.rows_by_id(uow, store_id, ["A", "B"])
        assert intents.intents_by_label(uow, store_id, ["A"], then, kind="article") == {}
        assert intents.intents_by_label(uow, store_id, ["A"], then, kind="link") == {"A": {"S1"}}
    assert rows["A"].known == " ".join(f"{hash_}:{int(then.timestamp())}" for hash_ in ("one", "two"))
    assert rows["B"].known is None
    with database.write(scope.org_id) as uow:
        ledger.update_rows(uow, store_id, [{"article_id": "B", "known": ""}])
        uow.commit()
    migrate(database, "0010")
    with database.read(scope.org_id) as uow:
        near = then.replace(microsecond=0)
        known = intents.intents_by_label(uow, store_id, ["A", "B"], near, kind="article")
        assert known == {"A": {"one", "two"}}


def migrate(database, revision):
    config = Config()
    config.set_main_option("script_location", str(schema.migrations_folder()))
    is_older = revision != "head" and revision < schema.current_revision(database)
    with (
        database.engine.connect().execution_options(electis_begin="IMMEDIATE") as connection,
        connection.begin(),
    ):
        config.attributes["connection"] = connection
        (command.downgrade if is_older else command.upgrade)(config, revision)


def test_upgrading_twice_does_nothing_the_second_time(database):
    assert schema.current_revision(database) == schema.newest_revision()
    assert schema.upgrade(database) == (schema.newest_revision(), schema.newest_revision())
    schema.require_current(database)


def test_a_new_file_becomes_a_database_that_only_its_owner_reads(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'deep' / 'electis.db'}")
    try:
        assert schema.upgrade(database) == (None, schema.newest_revision())
        assert database.path.stat().st_mode & 0o777 == 0o600
        schema.require_current(database)
    finally:
        database.close()


def test_a_missing_file_is_a_missing_database_and_is_not_created(tmp_path):
    path = tmp_path / "electis.db"
    database = Database(f"sqlite:///{path}")
    try:
        with pytest.raises(DatabaseMissing):
            schema.require_current(database)
        with pytest.raises(DatabaseMissing), database.read():
            pass
        assert not path.exists()
    finally:
        database.close()


def test_an_empty_database_is_a_missing_one(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'electis.db'}")
    try:
        database.create_folder()
        assert schema.current_revision(database) is None
        with pytest.raises(DatabaseMissing):
            schema.require_current(database)
    finally:
        database.close()


def test_a_database_of_an_older_program_asks_for_the_upgrade(database, monkeypatch):
    monkeypatch.setattr(schema, "known_revisions", lambda: ["0001", "0002"])
    stamp(database, "0001")
    with pytest.raises(SchemaTooOld, match="older") as caught:
        schema.require_current(database)
    assert "0001" in caught.value.why
    assert "0002" in caught.value.why
    assert caught.value.fix == "electis db upgrade"


def test_a_database_of_a_newer_program_asks_for_that(database):
    stamp(database, "9999")
    with pytest.raises(SchemaTooOld, match="newer") as caught:
        schema.require_current(database)
    assert "9999" in caught.value.why
    assert "install" in caught.value.fix


def test_a_table_that_is_not_there_asks_for_the_upgrade(database):
    with pytest.raises(SchemaTooOld), database.read() as uow:
        uow.execute(sa.text("SELECT * FROM not_there_yet"))


def test_a_column_that_is_not_there_asks_for_the_upgrade(database):
    with pytest.raises(SchemaTooOld), database.read() as uow:
        uow.execute(sa.text("SELECT not_there_yet FROM stores"))


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://host/db", "oracle://x"])
def test_a_url_of_another_kind_is_a_configuration_problem(url):
    with pytest.raises(Misconfigured):
        Database(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_a_postgresql_url_is_understood(scheme):
    database = Database(f"{scheme}://role:pw@host/db")
    assert database.url.drivername == "postgresql+psycopg"
    assert database.path is None


def test_sqlite_is_opened_safely(database):
    if not database.is_sqlite:
        pytest.skip("PRAGMAs are SQLite's")
    with database.read() as uow:
        pragmas = {
            name: uow.execute(sa.text(f"PRAGMA {name}")).scalar_one()
            for name in ("foreign_keys", "synchronous", "journal_mode")
        }
        version = tuple(
            int(part) for part in uow.execute(sa.text("SELECT sqlite_version()")).scalar_one().split(".")
        )
    full = 2
    assert pragmas == {
        "foreign_keys": 1,
        "synchronous": full,
        "journal_mode": "wal" if version >= (3, 51, 3) else "truncate",
    }
