"""What became of the batches that AIMS accepted.

Revision: 0007, after 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("aims_exchanges", sa.Column("batch_result", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("aims_exchanges", "batch_result")
