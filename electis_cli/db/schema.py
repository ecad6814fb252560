"""The schema's version: upgrading it, and telling whether this program can work with it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from electis_cli.db.engine import Database
from electis_cli.domain.errors import DatabaseMissing, DatabaseUnavailable, SchemaTooOld


def migrations_folder() -> Path:
    """Return the migrations' folder: inside the installed package, or the repository's in an editable install."""
    packaged = Path(__file__).resolve().parent.parent / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "migrations"


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["connection"] = connection
    return config


def newest_revision() -> str:
    """Return the revision this program was made for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return head or ""


def current_revision(database: Database) -> str | None:
    """Return the database's revision, or None when it has no electis schema. Raises DatabaseMissing without a file."""
    path = database.path
    if path is not None and not path.exists():
        raise DatabaseMissing
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except sa.exc.OperationalError as error:
        raise DatabaseUnavailable(why=str(error.orig).strip().splitlines()[0]) from error


def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the schema up to date in one transaction; returns the revisions before and after."""
    database.create_folder()
    before = current_revision(database)
    with database.engine.connect() as connection:
        connection = connection.execution_options(electis_begin="IMMEDIATE")
        with connection.begin():
            if connection.dialect.name == "postgresql":
                # Two upgrades at once: the second waits, then finds nothing to do.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(4711018)"))
            command.upgrade(_config(connection), "head")
    return before, newest_revision()


def require_current(database: Database) -> None:
    """Raise unless the database has the schema this program was made for."""
    current = current_revision(database)
    if current is None:
        raise DatabaseMissing
    newest = newest_revision()
    if current == newest:
        return
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current in known:
        raise SchemaTooOld(why=f"It is at {current}, this program needs {newest}.")
    raise SchemaTooOld(
        "The database's schema is newer than this program.",
        why=f"It is at {current}, which this program does not know.",
        fix="install the newer electis",
    )
