"""The schema's version: upgrading it, and telling whether this program can work with it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from electis_cli.db.engine import Database
from electis_cli.domain.errors import DatabaseMissing, DatabaseUnavailable, SchemaTooOld


def migrations_folder() -> Path:
    """Return the migrations' folder: inside the installed package, or the repository's in an editable install."""
    packaged = Path(__file__).resolve().parent.parent / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "migrations"


def known_revisions() -> list[str]:
    """Return the revisions this program knows, oldest first; migrations are named `NNNN_what.py`."""
    return sorted(
        path.name[:4] for path in (migrations_folder() / "versions").glob("[0-9][0-9][0-9][0-9]_*.py")
    )


def newest_revision() -> str:
    """Return the revision this program was made for."""
    return known_revisions()[-1]


def current_revision(database: Database) -> str | None:
    """Return the database's revision, or None when it has no electis schema. Raises DatabaseMissing without a file.

    Asked before every command, so it reads Alembic's table itself: importing Alembic takes longer than most commands.
    """
    path = database.path
    if path is not None and not path.exists():
        raise DatabaseMissing
    try:
        with database.engine.connect() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            revision: str | None = connection.execute(
                sa.text("SELECT version_num FROM alembic_version")
            ).scalar_one_or_none()
            return revision
    except sa.exc.OperationalError as error:
        raise DatabaseUnavailable(why=str(error.orig).strip().splitlines()[0]) from error


def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the schema up to date in one transaction; returns the revisions before and after."""
    from alembic import command  # noqa: PLC0415 - heavy, and only needed here
    from alembic.config import Config  # noqa: PLC0415

    database.create_folder()
    before = current_revision(database)
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    with (
        database.engine.connect().execution_options(electis_begin="IMMEDIATE") as connection,
        connection.begin(),
    ):
        config.attributes["connection"] = connection
        if connection.dialect.name == "postgresql":
            # Two upgrades at once: the second waits, then finds nothing to do.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(4711018)"))
        command.upgrade(config, "head")
    return before, newest_revision()


def require_current(database: Database) -> None:
    """Raise unless the database has the schema this program was made for."""
    current = current_revision(database)
    if current is None:
        raise DatabaseMissing
    newest = newest_revision()
    if current == newest:
        return
    if current in known_revisions():
        raise SchemaTooOld(why=f"It is at {current}, this program needs {newest}.")
    raise SchemaTooOld(
        "The database's schema is newer than this program.",
        why=f"It is at {current}, which this program does not know.",
        fix="install the newer electis",
    )
