"""What labels display: accepted by AIMS is not yet drawn by the label.

Revision: 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from electis_cli.db.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is known of a label's display."""
    op.add_column("label_links", sa.Column("display", sa.Text(), nullable=False, server_default="unknown"))
    op.add_column("label_links", sa.Column("display_since", UtcDateTime(), nullable=True))
    op.add_column("label_links", sa.Column("resent_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    for column in ("resent_at", "display_since", "display"):
        op.drop_column("label_links", column)
