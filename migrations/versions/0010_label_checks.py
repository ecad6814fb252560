"""Flipped pages that are verified, and labels that wait for the one that replaces them.

Revision: 0010, after 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from electis_cli.db.types import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("label_links", sa.Column("page_check_at", UtcDateTime(), nullable=True))
    op.add_column("label_links", sa.Column("page_rounds", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("label_links", sa.Column("waits_for", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take them away."""
    op.drop_column("label_links", "waits_for")
    op.drop_column("label_links", "page_rounds")
    op.drop_column("label_links", "page_check_at")
