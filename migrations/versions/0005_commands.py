"""One-shot commands to labels that wait for AIMS, or for a paused store, for a few minutes.

Revision: 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from electis_cli.db.types import Json, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, with the row security of every tenant table."""
    op.create_table(
        "commands",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_tried_at", UtcDateTime(), nullable=True),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("inflight_epoch", sa.BigInteger(), nullable=True),
        sa.Column("answer", Json, nullable=True),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"], ["stores.org_id", "stores.id"], name="fk_commands_org_id_store_id_stores"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_commands"),
    )
    op.create_index("ix_commands_queue", "commands", ["org_id", "store_id", "state", "created_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE commands ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE commands FORCE ROW LEVEL SECURITY")
        op.execute(
            "CREATE POLICY tenant ON commands USING ("
            "org_id = NULLIF(current_setting('electis.org_id', true), '')"
            " OR current_setting('electis.org_id', true) = '*')"
        )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("commands")
