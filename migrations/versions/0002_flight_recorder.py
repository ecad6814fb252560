"""The flight recorder: the last calls to AIMS of every store.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from electis_cli.db.types import Json, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, with the row security of every tenant table."""
    op.create_table(
        "aims_exchanges",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("query", Json, nullable=False),
        sa.Column("subjects", Json, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer_code", sa.Text(), nullable=False),
        sa.Column("answer_word", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.Column("answer_digest", sa.Text(), nullable=True),
        sa.Column("answer_body", sa.Text(), nullable=True),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name="fk_aims_exchanges_org_id_organizations"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_aims_exchanges"),
    )
    op.create_index("ix_aims_exchanges_store", "aims_exchanges", ["org_id", "store", "id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE aims_exchanges ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE aims_exchanges FORCE ROW LEVEL SECURITY")
        op.execute(
            "CREATE POLICY tenant ON aims_exchanges USING ("
            "org_id = NULLIF(current_setting('electis.org_id', true), '')"
            " OR current_setting('electis.org_id', true) = '*')"
        )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("aims_exchanges")
