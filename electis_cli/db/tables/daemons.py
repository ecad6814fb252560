"""The daemons that share this database: the operator's business, like leases, and no tenant's."""

from __future__ import annotations

import sqlalchemy as sa

from electis_cli.db.tables.metadata import metadata
from electis_cli.db.types import UtcDateTime

daemons = sa.Table(
    "daemons",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),  # as it calls itself in leases
    sa.Column("machine", sa.Text, nullable=False),
    sa.Column("process_id", sa.Integer, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("heard_at", UtcDateTime, nullable=False),
    sa.Column("alive_until", UtcDateTime, nullable=False),  # taken for dead when not heard of again before
)
