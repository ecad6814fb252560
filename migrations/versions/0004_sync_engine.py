"""The sync engine whole: what moved when, what was read back equal, echoes, bindings, decided conflicts.

Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from electis_cli.db.types import Json, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ARTICLES = ("touched_seq", "read_equal_at", "remote_updated", "echo", "echo_rounds")
_CONFLICTS = ("decided_at", "decided_by")


def upgrade() -> None:
    """Add the columns."""
    op.add_column("articles", sa.Column("touched_seq", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("articles", sa.Column("read_equal_at", UtcDateTime(), nullable=True))
    op.add_column("articles", sa.Column("remote_updated", sa.Text(), nullable=True))
    op.add_column("articles", sa.Column("echo", Json, nullable=True))
    op.add_column("articles", sa.Column("echo_rounds", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("stores", sa.Column("bound_to", sa.Text(), nullable=True))
    op.add_column("sync_runs", sa.Column("terms", Json, nullable=True))
    op.add_column("sync_conflicts", sa.Column("decided_at", UtcDateTime(), nullable=True))
    op.add_column("sync_conflicts", sa.Column("decided_by", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take them away."""
    for column in reversed(_CONFLICTS):
        op.drop_column("sync_conflicts", column)
    op.drop_column("sync_runs", "terms")
    op.drop_column("stores", "bound_to")
    for column in reversed(_ARTICLES):
        op.drop_column("articles", column)
