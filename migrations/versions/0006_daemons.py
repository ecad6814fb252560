"""The daemons that share the database, and what became of handing alerts to the operator's receiver.

Revision: 0006, after 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from electis_cli.db.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, and add the columns."""
    op.create_table(
        "daemons",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("process_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.Column("alive_until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_daemons"),
    )
    op.add_column("alerts", sa.Column("told_at", UtcDateTime(), nullable=True))
    op.add_column("alerts", sa.Column("tell_again_at", UtcDateTime(), nullable=True))
    op.add_column("alerts", sa.Column("tell_tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("alerts", sa.Column("tell_error", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take them away."""
    for column in ("tell_error", "tell_tries", "tell_again_at", "told_at"):
        op.drop_column("alerts", column)
    op.drop_table("daemons")
