"""Every write with its inverse, saved arrangements of a store, and saved ways of reading a file's header.

Revision: 0009, after 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from electis_cli.db.types import Json, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES = ("changesets", "changeset_rows", "snapshots", "import_mappings")


def upgrade() -> None:
    """Create the tables, with the row security of every tenant table."""
    op.create_table(
        "changesets",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=True),
        sa.Column("noun", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.Column("actor_email", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("file_sha256", sa.Text(), nullable=True),
        sa.Column("counts", Json, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Text(), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_changesets_org_id_organizations"),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_changesets"),
    )
    op.create_table(
        "changeset_rows",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("changeset_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("noun", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Text(), nullable=False),
        sa.Column("before", Json, nullable=True),
        sa.Column("after", Json, nullable=True),
        sa.Column("space_before", sa.Text(), nullable=True),
        sa.Column("space_after", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("org_id", "changeset_id", "place", name="pk_changeset_rows"),
    )
    op.create_table(
        "snapshots",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seats", Json, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name="fk_snapshots_org_id_organizations"),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"], ["stores.org_id", "stores.id"], name="fk_snapshots_org_id_store_id_stores"
        ),
        sa.PrimaryKeyConstraint("org_id", "store_id", "name", name="pk_snapshots"),
    )
    op.create_table(
        "import_mappings",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("renames", Json, nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name="fk_import_mappings_org_id_organizations"
        ),
        sa.PrimaryKeyConstraint("org_id", "name", name="pk_import_mappings"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in _TABLES:
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(
                f"CREATE POLICY tenant ON {table} USING ("
                "org_id = NULLIF(current_setting('electis.org_id', true), '')"
                " OR current_setting('electis.org_id', true) = '*')"
            )


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(_TABLES):
        op.drop_table(table)
