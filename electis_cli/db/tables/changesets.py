"""Every write with its inverse, saved arrangements, and saved ways of reading a file's header."""

from __future__ import annotations

import sqlalchemy as sa

from electis_cli.db.tables.metadata import metadata
from electis_cli.db.types import Json, UtcDateTime

changesets = sa.Table(
    "changesets",
    metadata,
    sa.Column("org_id", sa.Text, sa.ForeignKey("organizations.id"), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text),
    sa.Column("noun", sa.Text, nullable=False),  # what most of it is about; rows have their own
    sa.Column("action", sa.Text, nullable=False),  # as in the audit log: person:imported, space:created ...
    sa.Column("actor_id", sa.Text),
    sa.Column("actor_email", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("file", sa.Text),
    sa.Column("file_sha256", sa.Text),
    sa.Column("counts", Json, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("undoes", sa.Text),
    sa.Column("undone_by", sa.Text),
    sa.Column("at", UtcDateTime, nullable=False),
)

changeset_rows = sa.Table(
    "changeset_rows",
    metadata,
    # No foreign keys: hundreds of thousands are written with their changeset in one transaction, and checking each
    # would take longer than writing it.
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("changeset_id", sa.Text, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("noun", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("row_id", sa.Text, nullable=False),
    sa.Column("before", Json),  # null: there was no such row
    sa.Column("after", Json),  # null: there is none any more
    sa.Column("space_before", sa.Text),
    sa.Column("space_after", sa.Text),
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    # Who sits where in a store, as somebody wanted to remember it.
    sa.Column("org_id", sa.Text, sa.ForeignKey("organizations.id"), primary_key=True),
    sa.Column("store_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("seats", Json, nullable=False),  # [person, space] pairs
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.ForeignKeyConstraint(["org_id", "store_id"], ["stores.org_id", "stores.id"]),
)

import_mappings = sa.Table(
    "import_mappings",
    metadata,
    sa.Column("org_id", sa.Text, sa.ForeignKey("organizations.id"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("renames", Json, nullable=False),  # header as in the file -> field
    sa.Column("key", sa.Text),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)
