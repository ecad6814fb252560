"""What is known of an article as ours is one text instead of a document: `HASH:SECONDS HASH:SECONDS`, the newest last.

Revision: 0012, after 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from electis_cli.db.types import Json

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TO_TEXT = {
    "sqlite": (
        "SELECT group_concat(e.entry, ' ') FROM (SELECT k.key || ':' || CAST(k.value AS integer) AS entry"
        " FROM json_each(articles.known_before) AS k ORDER BY k.value, k.key) AS e"
    ),
    "postgresql": (
        "SELECT string_agg(k.key || ':' || CAST(floor(CAST(k.value AS numeric)) AS bigint), ' '"
        " ORDER BY CAST(k.value AS numeric), k.key) FROM jsonb_each_text(articles.known_before) AS k"
    ),
}
_TO_DOCUMENT = {
    "sqlite": (
        "SELECT json_group_object(substr(e.value, 1, instr(e.value, ':') - 1),"
        " CAST(substr(e.value, instr(e.value, ':') + 1) AS integer))"
        """ FROM json_each('["' || replace(articles.known_before, ' ', '","') || '"]') AS e WHERE e.value <> ''"""
    ),
    "postgresql": (
        "SELECT jsonb_object_agg(split_part(e, ':', 1), CAST(split_part(e, ':', 2) AS bigint))"
        " FROM unnest(string_to_array(articles.known_before, ' ')) AS e"
    ),
}


def _rewrite(column: sa.Column[str], ways: dict[str, str]) -> None:
    name = op.get_bind().dialect.name
    if name == "postgresql":
        # Row security shows all organizations, also to an owner who is no superuser.
        op.execute("SELECT set_config('electis.org_id', '*', true)")
    op.execute("ALTER TABLE articles RENAME COLUMN known TO known_before")
    op.add_column("articles", column)
    op.execute(
        f"UPDATE articles SET known = ({ways[name]}) WHERE known_before IS NOT NULL"  # noqa: S608 - constants
    )
    op.drop_column("articles", "known_before")


def upgrade() -> None:
    """Make texts of the documents."""
    _rewrite(sa.Column("known", sa.Text, nullable=True), _TO_TEXT)


def downgrade() -> None:
    """Make documents of the texts."""
    _rewrite(sa.Column("known", Json, nullable=True), _TO_DOCUMENT)
