"""What is known of an article as ours is in its ledger row, and dirty articles have an index of their own.

`known_hashes` keeps what was asked of labels.

Revision: 0011, after 0010.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from electis_cli.db.types import Json

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_SAME = "k.org_id = {0}.org_id AND k.store_id = {0}.store_id AND k.subject = {0}.article_id AND k.kind = 'article'"


def _see_everybody() -> None:
    """Let row security show all organizations, also to an owner who is no superuser."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT set_config('electis.org_id', '*', true)")


def upgrade() -> None:
    """Move the contents of articles into the ledger."""
    _see_everybody()
    op.add_column("articles", sa.Column("known", Json, nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        # Julian days count from noon of another era; the difference to 1970 is 2440587.5 of them.
        known = "json_group_object(k.hash, round((julianday(k.at) - 2440587.5) * 86400.0, 3))"
    else:
        known = "jsonb_object_agg(k.hash, round(CAST(extract(epoch FROM k.at) AS numeric), 3))"
    where = _SAME.format("articles")
    op.execute(
        f"UPDATE articles SET known = (SELECT {known} FROM known_hashes AS k WHERE {where})"  # noqa: S608 - constants
        f" WHERE EXISTS (SELECT 1 FROM known_hashes AS k WHERE {where})"
    )
    op.execute("DELETE FROM known_hashes WHERE kind = 'article'")
    op.drop_index("ix_articles_queue", table_name="articles")
    dirty = sa.text("desired_version > synced_version")
    op.create_index(
        "ix_articles_dirty",
        "articles",
        ["org_id", "store_id", "desired_deleted", "desired_seq"],
        sqlite_where=dirty,
        postgresql_where=dirty,
    )


def downgrade() -> None:
    """Move them back."""
    _see_everybody()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "INSERT INTO known_hashes (org_id, store_id, subject, kind, hash, at)"
            " SELECT a.org_id, a.store_id, a.article_id, 'article', k.key,"
            " strftime('%Y-%m-%dT%H:%M:%f', k.value, 'unixepoch') || '000+00:00'"
            " FROM articles AS a, json_each(a.known) AS k WHERE a.known IS NOT NULL"
        )
    else:
        op.execute(
            "INSERT INTO known_hashes (org_id, store_id, subject, kind, hash, at)"
            " SELECT a.org_id, a.store_id, a.article_id, 'article', k.key,"
            " to_timestamp(CAST(k.value AS double precision))"
            " FROM articles AS a, jsonb_each_text(a.known) AS k WHERE a.known IS NOT NULL"
        )
    op.drop_index("ix_articles_dirty", table_name="articles")
    op.create_index("ix_articles_queue", "articles", ["org_id", "store_id", "state", "desired_seq"])
    op.drop_column("articles", "known")
